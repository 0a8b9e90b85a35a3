"""Faults of a manifest: each with its place, in the order of the file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from openllm_repos.manifest.limits import COMPARISONS, GUESSES
from openllm_repos.manifest.nearest import nearest
from openllm_repos.names.overlap import Comparer
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

    Attributes:
        comparer: compares the patterns of the document, within a limit for all of them.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.comparer = Comparer(COMPARISONS)
        self._guesses = GUESSES
        self._found: list[tuple[Place, str]] = []
        self._document = document
        self._order: dict[int, dict[str, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def guess(self, key: str, known: Sequence[str]) -> str:
        """Return which known key may be meant, as :func:`nearest`; nothing for the many misspelt ones of one file."""
        self._guesses -= 1
        return nearest(key, known) if self._guesses >= 0 else ""

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
                order = self._order.get(id(value))
                if order is None:
                    order = self._order[id(value)] = {key: at for at, key in enumerate(value)}
                rank.append(order[str(step)])
            elif isinstance(value, list) and isinstance(step, int):
                rank.append(step)
            else:
                break
            value = value[step]
        return tuple(rank)
