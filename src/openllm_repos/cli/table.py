"""Plain tables that fit the width they are given, and colour only where it is wanted."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence

import click

_GAP = "  "
_NARROWEST = 40
_WIDTH = 80


def colourful() -> bool:
    """Whether standard output is a terminal whose user has not said NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return the number of columns to fill: those of the terminal, and 80 anywhere else."""
    if not sys.stdout.isatty():
        return _WIDTH
    return max(_NARROWEST, shutil.get_terminal_size((_WIDTH, 24)).columns)


def table_lines(
    rows: Sequence[Sequence[str]], columns: int, colour: Callable[[int, str], str | None] = lambda _, __: None
) -> list[str]:
    """Return a table as lines, its columns aligned.

    Args:
        rows: the cells of each row, the headings first; plain text of one column a character.
        columns: how wide a line may be. The widest columns are cut, with an ellipsis, until all fits.
        colour: for the number of a column and the text of a cell, the colour it gets, or None.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > columns:
        widths[widths.index(max(widths))] -= 1
    return [
        _GAP.join(
            _cell(text, room, colour(number, text)) for number, (text, room) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _cell(text: str, room: int, colour: str | None) -> str:
    fitted = (text if len(text) <= room else text[: room - 1] + "…").ljust(room)
    return fitted if colour is None else click.style(fitted, fg=colour)
