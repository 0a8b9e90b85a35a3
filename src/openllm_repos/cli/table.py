"""The one way in which a table is printed: it fits the terminal, and loses no name, no state and no word to that."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from openllm_repos.text import redact, show

PAGE = 80  # columns of what is read as text in a file or a mail
_NARROWEST = 40
_GAP = 2
_BELOW = 2  # how far what stands below its row is indented
_READABLE = 28  # a column of sentences is not made narrower than this
_JOINTS = re.compile(r"[^-/._:@]*[-/._:@]+|[^-/._:@]+")  # a name that is longer than a line is broken behind these


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        heading: what stands above it.
        yields: where the table is too wide, the column with the highest number gives way first; 0 stays.
        optional: one that gives way is left out, and does not move below its row.
        wraps: its cells are sentences, which may take several lines.
        least: no narrower than this, where rows are printed one by one.
    """

    heading: str = ""
    yields: int = 0
    optional: bool = False
    wraps: bool = False
    least: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table.

    Attributes:
        cells: one text a column.
        below: lines of their own below it, from the second column on where there is room.
        colours: a colour a column; none for the rest.
    """

    cells: Sequence[str]
    below: Sequence[str] = ()
    colours: Sequence[str] = ()


def terminal_columns(otherwise: int = 0) -> int:
    """Return how many columns there are to fill: those of the terminal, and `otherwise` anywhere else (0: no end)."""
    return max(_NARROWEST, shutil.get_terminal_size().columns) if sys.stdout.isatty() else otherwise


def coloured(text: str, colour: str) -> str:
    """Return a text in a colour, on a terminal of somebody who wants colours."""
    wanted = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return click.style(text, fg=colour) if colour and text and wanted else text


def table_lines(columns: Sequence[Column], rows: Sequence[Row], *, width: int = 0, indent: int = 0) -> Iterator[str]:
    """Yield a table as lines; foreign text in it is made safe.

    Where it is too wide, optional columns are left out and others move below their row, until the rest fits; then
    sentences are wrapped. A word is broken only where it is longer than a line.

    Args:
        columns: the columns; their headings are printed if there are any.
        rows: the rows.
        width: how many columns the terminal has; 0 is no end.
        indent: how far all of it stands to the right.
    """
    width -= indent if width else 0
    safe = [Row(list(map(_safe, row.cells)), list(map(_safe, row.below)), row.colours) for row in rows]
    headings = [Row([column.heading for column in columns])] if any(column.heading for column in columns) else []
    sizes = [_Size.of(one, [row.cells[at] for row in (*headings, *safe)], width) for at, one in enumerate(columns)]
    beside, below = _places(columns, sizes, width)
    widths = _widths([sizes[at] for at in beside], width)
    for row, under in (*((row, []) for row in headings), *((row, below) for row in safe)):
        for line in _row_lines(columns, row, dict(zip(beside, widths, strict=True)), under, width):
            yield f"{'':{indent}}{line}".rstrip(" ")


def _safe(text: str) -> str:
    return show(redact(text)).replace("\n", " ").replace("\t", " ")


@dataclass(frozen=True, slots=True)
class _Size:
    """How wide a column would be, how wide it is read well, and how narrow it may become."""

    natural: int
    readable: int
    least: int

    @classmethod
    def of(cls, column: Column, cells: Sequence[str], width: int) -> _Size:
        from rich.cells import cell_len

        natural = max([column.least, *map(cell_len, cells)])
        if not column.wraps:
            return cls(natural, natural, natural)
        words = (cell_len(word) for cell in cells for word in cell.split())
        longest = max((size for size in words if size <= width), default=0)
        readable, least = (max(longest, min(size, _READABLE)) for size in (natural, natural // 2))
        return cls(natural, readable, least)


def _places(columns: Sequence[Column], sizes: Sequence[_Size], width: int) -> tuple[list[int], list[int]]:
    """Return which columns stand beside each other, and which below their row."""
    beside, below = list(range(len(columns))), list[int]()
    for at in sorted(beside, key=lambda at: -columns[at].yields):
        optional = columns[at].optional
        needed = sum((sizes[one].readable if optional else sizes[one].least) + _GAP for one in beside) - _GAP
        if width and needed > width and columns[at].yields:
            beside.remove(at)
            if not optional:
                below.append(at)
    return beside, sorted(below)


def _widths(sizes: Sequence[_Size], width: int) -> list[int]:
    """Return how wide the columns beside each other are; what is left over goes to the sentences, from the left."""
    if not width:
        return [size.natural for size in sizes]
    widths = []
    left = width - sum(size.least for size in sizes) - _GAP * (len(sizes) - 1)
    for size in sizes:
        more = min(size.natural - size.least, max(left, 0))
        widths.append(min(size.least + more, width))
        left -= more
    return widths


def _row_lines(
    columns: Sequence[Column], row: Row, widths: dict[int, int], below: Sequence[int], width: int
) -> Iterator[str]:
    """Yield a row: its cells, each as often as it was wrapped, and what stands below it."""
    from rich.cells import cell_len

    colours = dict(enumerate(row.colours))
    cells = {at: wrapped(row.cells[at], wide, whole=columns[at].wraps) for at, wide in widths.items()}
    for number in range(max(map(len, cells.values()))):
        line = ""
        for at, parts in cells.items():
            text = parts[number] if number < len(parts) else ""
            line += coloured(text, colours.get(at, "")) + " " * (widths[at] - cell_len(text) + _GAP)
        yield line
    for at in below:
        spare = width - cell_len(row.cells[at])
        inset = spare if 0 <= spare < _BELOW else _BELOW  # an id of 40 digits fits 40 columns
        for text in wrapped(row.cells[at], width - inset, whole=columns[at].wraps) if row.cells[at] else ():
            yield " " * inset + coloured(text, colours.get(at, ""))
    inset = next(iter(widths.values())) + _GAP
    if below or (width and any(cell_len(text) + inset > width for text in row.below)):
        inset = _BELOW
    for text in row.below:
        for part in wrapped(text, width - inset if width else 0):
            yield " " * inset + part


def prose_lines(text: str, width: int, indent: int = 0) -> Iterator[str]:
    """Yield a paragraph of a list as lines, the second and what follows a little further in."""
    first, *rest = wrapped(text, max(width - indent - _BELOW, 0), whole=True)
    yield " " * indent + first
    yield from (" " * (indent + _BELOW) + line for line in rest)


def wrapped(text: str, width: int, *, whole: bool = False) -> list[str]:
    """Return a text as lines that are no wider than `width`; 0 is no end.

    It is broken at blanks, a word that is longer than a line behind ``-``, ``/`` and the like, and only what is still
    longer anywhere; with `whole`, such a word stays in one piece and sticks out, as one that is to be copied has to.
    Every character is there, but for the blanks at the breaks.
    """
    from rich.cells import cell_len, chop_cells

    if not width or cell_len(text) <= width:
        return [text]
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_len(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for part in [word] if whole or cell_len(word) <= width else _JOINTS.findall(word):
            for piece in [part] if whole else chop_cells(part, width):
                if lines[-1] and cell_len(lines[-1] + piece) > width:
                    lines.append("")
                lines[-1] += piece
    return lines
