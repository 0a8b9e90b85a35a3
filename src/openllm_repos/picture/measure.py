"""How wide a text is, without knowing the font: an estimate that the fonts people have stay below.

An SVG is laid out before anybody has chosen a font for it. The figures are those of DejaVu Sans, which is with Verdana
the widest of the common ones, so what fits by this measure fits in Helvetica, Arial, Segoe UI and San Francisco too.
"""

from __future__ import annotations

import unicodedata

# In hundredths of the font's size.
_HUNDREDTHS = {
    28: "ijlI'|",
    32: " ,.:;·`",
    40: 'frt()[]{}!/\\-"',
    54: "csz_?*",
    62: "akvxyeoLJ^",
    66: "bdghnpquFTEPYZS0123456789$~",
    75: "RBXVAKC",
    79: "DGHNUOQ",
    88: "Mw#&+<=>",
    101: "mW@%…→",
}
_EM = {char: width / 100 for width, chars in _HUNDREDTHS.items() for char in chars}
_UNKNOWN = 1.02
_IDEOGRAPH = 1.3  # emoji are wider than ideographs
_BOLD = 1.15
_ROUNDING = 0.01  # a card that is as wide as its name holds it
_MONO = 0.61  # of the font size; 0.6 in all common ones
_BREAKS = frozenset("-._/ ")


def text_width(text: str, size: float, *, mono: bool = False, bold: bool = False) -> float:
    """Return how wide a text is at the most, in the unit of `size`.

    Args:
        text: one line.
        size: of the font.
        mono: whether all characters are equally wide.
        bold: whether it is set in a heavy weight.
    """
    heavier = _BOLD if bold and not mono else 1.0
    return size * heavier * sum(_MONO if mono and char.isascii() else _em(char) for char in text)


def _em(char: str) -> float:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0.0
    if unicodedata.east_asian_width(char) in {"W", "F"}:
        return _IDEOGRAPH
    return _EM.get(char, _UNKNOWN)


def wrapped(
    text: str, limit: float, size: float, *, mono: bool = False, bold: bool = False, lines: int = 2
) -> tuple[str, ...]:
    """Return a text in lines that fit, broken after ``-._/`` or a blank where that is possible.

    Args:
        text: one line.
        limit: how wide a line may be.
        size: of the font.
        mono: as in :func:`text_width`.
        bold: as in :func:`text_width`.
        lines: how many lines there may be; what does not fit into them ends in an ellipsis.
    """
    found: list[str] = []
    rest = text
    while rest:
        fitting = _fitting(rest, limit, size, mono=mono, bold=bold)
        if fitting == len(rest):
            found.append(rest)
            break
        if len(found) == lines - 1:
            room = limit - text_width("…", size, mono=mono, bold=bold)
            found.append(rest[: _fitting(rest, room, size, mono=mono, bold=bold)].rstrip() + "…")
            break
        at = max((place + 1 for place in range(fitting) if rest[place] in _BREAKS), default=0)
        cut = at if at > fitting // 3 else fitting
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return tuple(found)


def _fitting(text: str, limit: float, size: float, *, mono: bool, bold: bool) -> int:
    """Return how many characters fit; one at the least, with the marks that belong to it."""
    used = 0.0
    for number, char in enumerate(text):
        used += text_width(char, size, mono=mono, bold=bold)
        if used > limit + _ROUNDING and number:
            return number
    return len(text)
