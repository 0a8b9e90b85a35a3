"""The line of a manifest where a value stands; looked for only when somebody wants to know it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from openllm_repos.manifest.faults import Place

_PATIENCE = 100_000  # lines to read, some of them again and again: half a second


def line_of(text: str, place: Place) -> int | None:
    """Return the line, counted from 1, where a value begins; of one that is missing, that of what it is missing in.

    None where it would take too long to find: in a huge document, or within thousands of lines that are one value.

    The first lines of a file are a sound document themselves wherever they end between two values. So the shortest
    beginning that has the value ends with it: TOML's own reader finds the place, whatever way it is written in.

    Args:
        text: a document that can be read.
        place: of the value.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    while place and not _found(lines, len(lines), place):
        place = place[:-1]
    low, high, left = 0, len(lines), _PATIENCE
    while place:
        for at in _outward(low, high):
            left -= at
            if left < 0:
                return None
            if (found := _found(lines, at, place)) is not None:
                low, high = (low, at) if found else (at, high)
                break
        else:
            break
    return low + 1


def _outward(low: int, high: int) -> Iterator[int]:
    """Yield the numbers between two, those in the middle first."""
    return iter(sorted(range(low + 1, high), key=lambda at: abs(2 * at - low - high)))


def _found(lines: list[str], count: int, place: Place) -> bool | None:
    """Whether the first lines hold a value; None where they end within one."""
    try:
        value: Any = tomllib.loads("".join(f"{line}\n" for line in lines[:count]))
    except ValueError:
        return None
    for step in place:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True
