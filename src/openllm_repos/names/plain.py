"""What every name has in common: it is visible text that no program can take for an option."""

from __future__ import annotations

import unicodedata

from openllm_repos.errors import NameRefused
from openllm_repos.text import INVISIBLE, redact, show

_LONGEST_QUOTE = 120


def quoted(text: str) -> str:
    """Return `text` in single quotes on one line, escaped, shortened, and without credentials: fit for a message."""
    line = redact(show(text).replace("\n", "\\n").replace("\t", "\\t"))
    if len(line) > _LONGEST_QUOTE:
        line = line[:_LONGEST_QUOTE] + "…"
    return f"'{line}'"


def require_plain(text: str, what: str) -> None:
    """Refuse what no name of any sort may be.

    Args:
        text: the name as it was written.
        what: what it is meant to be, with its article ("a folder"), for the message.

    Raises:
        NameRefused: it is empty, starts with ``-``, is not in Unicode's composed form (NFC), or holds a control,
            invisible, private or unassigned character.
    """
    if not text:
        raise NameRefused(f"{what} must not be empty")
    if text[0] == "-":
        raise NameRefused(f"{quoted(text)} starts with '-', as an option does; {what} must not")
    if text.isascii() and text.isprintable():
        return
    if any(unicodedata.category(char) in INVISIBLE for char in text):
        raise NameRefused(f"{quoted(text)} holds a control or invisible character; {what} holds only visible ones")
    if not unicodedata.is_normalized("NFC", text):
        raise NameRefused(f"{quoted(text)} is not in composed form; write {what} in Unicode NFC")
