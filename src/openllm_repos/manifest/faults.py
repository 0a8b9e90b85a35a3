"""Faults of a manifest: each with its place, in the order of the file."""

from __future__ import annotations

import re
from typing import Any

from openllm_repos.names.plain import quoted

Place = tuple[str | int, ...]
"""Where a value stands: keys, and indexes that count from 0."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def spell(place: Place) -> str:
    """Return a place as people read it: ``repos.space.map[1].to``; the file itself is ``manifest``."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _BARE.fullmatch(step) else quoted(step))
    return text or "manifest"


class Faults:
    """Collects faults while a document is read, so that all are told at once.

    Args:
        document: the whole document as tomllib gives it; it tells the order.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._found: list[tuple[Place, str]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, place: Place, what: str) -> None:
        """Note a fault; `what` says what is wrong and, after a semicolon, what is allowed."""
        self._found.append((place, what))

    def listed(self) -> dict[str, Place]:
        """Return every fault as ``place: what is wrong; what is allowed``, in the order of the file, and its place."""
        ranked = sorted(self._found, key=lambda fault: self._rank(fault[0]))
        return {f"{spell(place)}: {what}": place for place, what in ranked}

    def _rank(self, place: Place) -> tuple[int, ...]:
        # Tables keep the order of the file. What is missing counts as the table that misses it.
        rank: list[int] = []
        value: Any = self._document
        for step in place:
            if isinstance(value, dict) and step in value:
                rank.append(list(value).index(step))
            elif isinstance(value, list) and isinstance(step, int):
                rank.append(step)
            else:
                break
            value = value[step]
        return tuple(rank)
