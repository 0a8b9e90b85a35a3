"""The name that a person may have meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_LONGEST = 100
_FEW = 10


def nearest(typed: str, known: Iterable[str]) -> str:
    """Return ``; did you mean '…'?`` with the known name that is nearest to `typed`, or an empty string."""
    from difflib import get_close_matches

    if len(typed) > _LONGEST:
        return ""
    found = get_close_matches(typed.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else ""


def few(names: Sequence[str]) -> str:
    """Return names with commas between them, of many the first ones."""
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW + 1 else ""
    return ", ".join(names[:_FEW] if more else names) + more
