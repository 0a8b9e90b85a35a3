"""git's own progress, taken out of what it writes to standard error; and what we count ourselves, in its style."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

OnProgress = Callable[[str], None]
"""Gets each state of a transfer as one line ("Writing objects:  45% (9/20), 7.20 MiB"); empty once it is over."""

_LINE = re.compile(rb"(?:remote: )?[A-Z][A-Za-z ]+: +(?:[0-9]+% \([0-9]+/[0-9]+\)|[0-9]+)(?:, [^\r\n]*)?")
_ENDS = re.compile(rb"[\r\n]")
_AFTER = 1.0  # seconds; what is done sooner shows nothing
_EVERY = 0.2
_T = TypeVar("_T")


class Counter:
    """Shows how far work of our own is, once it has taken a while.

    Args:
        show: gets the progress; None where nobody watches.
    """

    def __init__(self, show: OnProgress | None) -> None:
        self._show = show
        self._due = time.monotonic() + _AFTER

    def count(self, items: Iterable[_T], what: str, total: int = 0) -> Iterable[_T]:
        """Return the items, and show while they are taken how many there were, of `total` where that is known."""
        return items if self._show is None else self._counted(items, what, total, self._show)

    def _counted(self, items: Iterable[_T], what: str, total: int, show: OnProgress) -> Iterator[_T]:
        shown = False
        try:
            for number, item in enumerate(items, 1):
                if (now := time.monotonic()) >= self._due:
                    self._due, shown = now + _EVERY, True
                    show(f"{what}: {number * 100 // total:3}% ({number}/{total})" if total else f"{what}: {number}")
                yield item
        finally:
            if shown:
                show("")


class ProgressFilter:
    """Sorts what git writes: progress is handed on, the rest is kept for messages.

    Args:
        on_progress: gets the progress.
    """

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._rest = b""

    def feed(self, block: bytes) -> bytes:
        """Take the next bytes, and return those before them that are whole lines and no progress."""
        kept = []
        data = self._rest + block
        at = 0
        for end in _ENDS.finditer(data):
            line, at = data[at : end.start()], end.end()
            if _LINE.fullmatch(line.rstrip()):
                self._on_progress(line.decode("utf-8", "replace").strip())
            elif line.strip() or end[0] == b"\n":
                kept.append(line + end[0])
        self._rest = data[at:]
        return b"".join(kept)

    def close(self) -> bytes:
        """Return what came after the last line."""
        rest, self._rest = self._rest, b""
        self._on_progress("")
        return rest
