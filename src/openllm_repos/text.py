"""Foreign text made safe for a terminal, and secrets kept out of what we say."""

from __future__ import annotations

import unicodedata

# Control, format, surrogate, private use, unassigned, line and paragraph separators: a terminal may act on them.
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def show(text: str) -> str:
    """Return `text` with every character that a terminal could act on written as an escape; newlines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if char in "\n\t" or unicodedata.category(char) not in INVISIBLE
        else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )


def show_path(path: bytes) -> str:
    """Return a path as git stores it (bytes, any encoding) as one line of text that is safe to print."""
    return show(path.decode("utf-8", "surrogateescape")).replace("\n", "\\n").replace("\t", "\\t")


def redact(text: str) -> str:
    """Return `text` without what looks like a credential: the user part of URLs and all that a publish refuses."""
    from openllm_repos.secrets.hide import hide

    return hide(text)
