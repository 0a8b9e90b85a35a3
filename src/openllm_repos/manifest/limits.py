"""How much a manifest may hold. What is larger is a slip or an attack, and is refused before it costs time."""

from __future__ import annotations

from typing import Final

BYTES: Final = 1 << 20
KEYS: Final = 1_000
"""In one table."""
REPOS: Final = 1_000
ENTRIES: Final = 1_000
"""In one array: maps, `publish` entries, patterns, places of a version."""
PATTERN: Final = 1_000
"""Characters of one text in an array, of a `from` and a `to`."""
GUESSES: Final = 20
"""Misspelt keys that get the name of their nearest neighbour; the first ones do."""
COMPARISONS: Final = 100_000
"""Steps that all comparisons of patterns may take together."""
