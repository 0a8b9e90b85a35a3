r"""The log of a GitHub Actions job: whatever is printed there may be read as a command, so only ours gets through.

The runner takes a line that begins with ``::`` (after any blanks), or that has ``##[`` anywhere, for a command to
itself: it could hide text, end the log, or mark files. File names, commit subjects and what a remote says are printed
by us, so both marks are written with an escape, ``\u003a:`` and ``\u0023#[``. In a string of JSON the latter means
the same.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# What .NET's TrimStart takes off, in UTF-8, and the mark that a reader drops at the beginning of a stream.
_BLANK = (
    rb"(?:[\x09-\x0d\x20]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]"
    rb"|\xe2\x81\x9f|\xe3\x80\x80|\xef\xbb\xbf)"
)
_MARK = re.compile(rb"(?P<before>(?:\A|(?<=[\n\r]))" + _BLANK + rb"*):(?=:)|#(?=#\[)")
_LINE_END = re.compile(rb"[\n\r](?=[^\n\r]*\Z)")
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = _DATA | {":": "%3A", ",": "%2C"}


def without_commands(lines: bytes) -> bytes:
    """Return whole lines so that the runner sees no command in them."""
    if b"::" not in lines and b"##[" not in lines:
        return lines
    return _MARK.sub(lambda mark: rb"\u0023" if mark[0] == b"#" else mark["before"] + rb"\u003a", lines)


class Guarded(io.BufferedIOBase):
    """A stream that leads to the log of a job. It hands on whole lines only, since half of one says nothing yet.

    Args:
        below: where the lines go.
        exact: hand on everything as it is: this is a file, and no log.
    """

    def __init__(self, below: BinaryIO, *, exact: bool) -> None:
        self._below = below
        self._exact = exact
        self._rest = b""

    @property
    def name(self) -> str:
        """What a text stream on top of it shows as its name."""
        return "<the log of a job>"

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return False: the log of a job is no terminal."""
        return False

    def fileno(self) -> int:
        """Return the number of the stream below."""
        return self._below.fileno()

    def write(self, data: ReadableBuffer, /) -> int:
        """Hand on the lines that are whole by now."""
        taken = bytes(data)
        lines = self._rest + taken
        end = _LINE_END.search(lines)
        cut = 0 if end is None else end.end()
        self._rest = lines[cut:]
        if cut:
            self._put(lines[:cut])
        return len(taken)

    def flush(self) -> None:
        """Hand on nothing more; what is below is flushed."""
        if not self.closed:
            self._below.flush()

    def finish(self) -> None:
        """Hand on a last line without an end."""
        rest, self._rest = self._rest, b""
        if rest:
            self._put(rest)
        self._below.flush()

    def command(self, name: str, message: str, properties: Mapping[str, str]) -> None:
        """Write a command of our own, such as ``error``, on a line of its own."""
        if self._rest:
            self.write(b"\n")
        listed = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
        line = f"::{name}{' ' if listed else ''}{listed}::{_escaped(message, _DATA)}\n"
        self._below.write(line.encode("utf-8", "replace"))
        self._below.flush()

    def _put(self, lines: bytes) -> None:
        self._below.write(lines if self._exact else without_commands(lines))


def _escaped(text: str, table: Mapping[str, str]) -> str:
    # The old form of a command is found anywhere in a line, also in one that begins with the new form.
    return "".join(table.get(char, char) for char in text).replace("##[", "# #[")


@contextlib.contextmanager
def guarded_streams() -> Iterator[None]:
    """Lead standard output and standard error through :class:`Guarded`.

    Standard output that is a regular file is no log: there a patch of `diff` stays what it is, to the last byte.
    """
    before = sys.stdout, sys.stderr
    guards: list[tuple[io.TextIOWrapper, Guarded]] = []

    def led(stream: TextIO, *, exact: bool) -> TextIO:
        below = getattr(stream, "buffer", None)
        if below is None:  # a program that calls us keeps what we print in memory
            return stream
        stream.flush()
        guard = Guarded(below, exact=exact)
        guards.append((io.TextIOWrapper(guard, stream.encoding, stream.errors, write_through=True), guard))
        return guards[-1][0]

    sys.stdout, sys.stderr = led(before[0], exact=_is_file(before[0])), led(before[1], exact=False)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for text, guard in guards:
            with contextlib.suppress(OSError):  # it stays in the stream below, whose end `main` looks after
                text.detach()
                guard.finish()


def command(name: str, message: str, properties: Mapping[str, str]) -> None:
    """Write a command to the runner, where standard error leads to the log of a job."""
    guard = getattr(sys.stderr, "buffer", None)
    if isinstance(guard, Guarded):
        sys.stderr.flush()
        guard.command(name, message, properties)


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, io.UnsupportedOperation):
        return False
