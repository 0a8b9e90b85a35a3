"""The newest release among a remote's tags."""

from __future__ import annotations

import pytest

from openllm_repos.names.ref import TagTemplate
from openllm_repos.status.releases import newest_release


@pytest.mark.parametrize(
    ("form", "tags", "newest"),
    [
        ("v{version}", [], None),
        ("v{version}", ["nightly", "1.0", "version"], None),
        ("v{version}", ["v1.0"], "v1.0"),
        ("v{version}", ["v1.9", "v1.10", "v1.2"], "v1.10"),
        ("v{version}", ["v1.0", "v1.0rc2", "v1.0.dev3"], "v1.0"),
        ("v{version}", ["v1.0", "v1.0.post1"], "v1.0.post1"),
        ("v{version}", ["v1.0", "v2.0rc1"], "v2.0rc1"),
        ("v{version}", ["v2024.x", "v1.0"], "v1.0"),
        ("v{version}", ["v2-a", "v2-b"], "v2-b"),
        ("release/{version}-final", ["release/3-final", "v9", "release/12-final"], "release/12-final"),
    ],
)
def test_the_highest_version_wins(form: str, tags: list[str], newest: str | None) -> None:
    assert newest_release(TagTemplate(form), tags) == newest
    assert newest_release(TagTemplate(form), reversed(tags)) == newest
