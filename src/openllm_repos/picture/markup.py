"""Foreign text in HTML and SVG: every text and every attribute goes through here, so no name can become markup."""

from __future__ import annotations

import unicodedata
from html import escape

from openllm_repos.text import redact, show


def words(text: str) -> str:
    """Return foreign text as one line without what looks like a secret; what is invisible stands there as an escape."""
    return " ".join(show(redact(text)).split())


def text(foreign: str) -> str:
    """Return foreign text for the inside of an element or of a quoted attribute, in HTML and XML alike."""
    return escape(words(foreign), quote=True)


def directed(shown: str) -> str:
    """Return a text whose arrows lead from left to right even between texts that are written from right to left."""
    turned = any(unicodedata.bidirectional(char) in {"R", "AL"} for char in shown)
    return shown.replace("→", "\u200e→\u200e") if turned else shown


def element(name: str, content: str = "", **attributes: str | float | None) -> str:
    """Return an element.

    Args:
        name: of the element.
        content: markup; text in it went through :func:`text`.
        attributes: their values are escaped here; None leaves one out. ``class_`` is ``class``, ``stroke_width`` is
            ``stroke-width``.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{content}</{name}>"


def _number(value: str | float) -> str:
    """Return a value; a number as short as it can be said."""
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
