"""Text put into YAML, so that it means itself there."""

from __future__ import annotations


def scalar(text: str) -> str:
    """Return visible text on one line as a YAML scalar that is this text, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"
