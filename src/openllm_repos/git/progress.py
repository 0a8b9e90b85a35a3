"""git's own progress, taken out of what it writes to standard error and handed on while it works."""

from __future__ import annotations

import re
from collections.abc import Callable

OnProgress = Callable[[str], None]
"""Gets each state of a transfer as one line ("Writing objects:  45% (9/20), 7.20 MiB"); empty once it is over."""

_LINE = re.compile(rb"(?:remote: )?[A-Z][A-Za-z ]+: +(?:[0-9]+% \([0-9]+/[0-9]+\)|[0-9]+)(?:, [^\r\n]*)?")
_ENDS = re.compile(rb"[\r\n]")


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
