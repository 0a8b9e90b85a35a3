"""Conflict markers: the lines that a merge leaves in a file for a person to replace."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

# git writes seven signs, more in a merge within a merge, then a label. The line between the sides, "=======", is that
# of a heading too, so it alone proves nothing: see `middle_left`.
_MARKER = re.compile(rb"^(?:<{7,}|\|{7,}|>{7,})(?: [^\n]*)?\r?$", re.MULTILINE)
_BEGIN = re.compile(rb"^<{3,}(?: [^\n]*)?\r?$", re.MULTILINE)
_MIDDLE = re.compile(rb"={7,}\r?")


def markers(content: bytes, *, middle: bool = False) -> Counter[bytes]:
    """Count the lines of a file that look like the beginning, the base or the end of a conflict, or its `middle`."""
    found = Counter(line.rstrip(b"\r") for line in _MARKER.findall(content))
    if middle:
        found.update(line.rstrip(b"\r") for line in content.split(b"\n") if _MIDDLE.fullmatch(line))
    return found


def expected_markers(
    base: bytes, ours: Sequence[bytes], theirs: Sequence[bytes], *, middle: bool = False
) -> Counter[bytes]:
    """Count the lines that look like markers and that a clean merge may give, as in a text about git.

    Args:
        base: the file that both sides started from; empty where there was none.
        ours: our version of it; all candidates where it is not known which file that is.
        theirs: their version, likewise.
        middle: as in :func:`markers`.
    """
    before, one, two = (markers(b"\n".join(texts), middle=middle) for texts in ((base,), ours, theirs))
    lines = before.keys() | one.keys() | two.keys()
    return Counter({line: max(one[line], two[line], one[line] + two[line] - before[line]) for line in lines})


def middle_left(content: bytes, conflicted: bytes, labels: tuple[bytes, bytes]) -> bool:
    """Whether a line that may be the one between two sides stands where a merge put it, beside a line of either side.

    Args:
        content: the file as a person settled it.
        conflicted: the file as ``git merge-tree`` gives it.
        labels: what that calls our side and theirs; nothing else contains them.
    """
    before, now = conflicted.split(b"\n"), [b"", *content.split(b"\n"), b""]
    put, inside = [], False
    for at, line in enumerate(before):
        if line[:1] in {b"<", b">"} and any(label in line for label in labels):
            inside = labels[0] in line
        elif inside and _MIDDLE.fullmatch(line):
            put.append(at)
    above, below = ({before[at + step].strip() for at in put} - {b""} for step in (-1, 1))
    middles = [at for at, line in enumerate(now) if _MIDDLE.fullmatch(line)]
    return any(now[at - 1].strip() in above or now[at + 1].strip() in below for at in middles)


def relabel(content: bytes, conflicted: bytes, labels: Mapping[bytes, bytes], begin: bytes) -> bytes:
    """Name the sides of a file's conflicts.

    A file may hold lines that look like markers but are its own text. Which are none is known from `conflicted`: the
    same file, merged with labels that nothing else contains.

    Args:
        content: the file as ``git merge`` left it, which calls our side HEAD.
        conflicted: the file as ``git merge-tree`` gives it, which calls each side as `labels` does.
        labels: those labels, and the new ones.
        begin: the one of our side.
    """
    real = [b" " + begin in line for line in _BEGIN.findall(conflicted)]
    if len(real) != len(_BEGIN.findall(content)):
        return content
    marks = iter(real)

    def ours(line: re.Match[bytes]) -> bytes:
        return line[0].replace(b" HEAD", b" " + labels[begin], 1) if next(marks) else line[0]

    named = _BEGIN.sub(ours, content)
    for old, new in labels.items():
        named = re.sub(rb"^(>{3,} )" + re.escape(old), rb"\g<1>" + new, named, flags=re.MULTILINE)
    return named
