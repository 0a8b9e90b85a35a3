"""How many random examples a property is tried with."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

from tests.support.needs import IN_CI


def examples(count: int, **others: Any) -> settings:
    """Return settings with `count` examples in CI, and a quarter of them elsewhere; `others` are settings as well."""
    return settings(max_examples=count if IN_CI else max(count // 4, 1), **others)
