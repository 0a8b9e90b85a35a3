"""Searches the content of a file for secrets, block by block, in bounded memory. The place is told, never the value."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from openllm_repos.secrets.filenames import known_name
from openllm_repos.secrets.find import find

_BINARY = 8000  # as git: a NUL byte in the first 8,000 says that it is no text
_STEP = 64 << 10  # bytes; smaller pieces are gathered
_BEHIND = 1 << 10  # bytes that are kept of what was searched: what stands before a token tells whether it is one
_AHEAD = 4 << 10  # bytes that must be there to know a token, in UTF-16 too
_ENOUGH = 10  # places of one file, of those that are refused and of those that are told
_BY_HAND = 10 << 20  # bytes; a larger text is data, in which a name in front of a value says nothing
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ZIP = b"PK\x03\x04"
_PACKED = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PAR1", "Parquet"),
    (b"ORC", "ORC"),
    (b"Obj\x01", "Avro"),
    (b"%PDF-", "PDF"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What looks like a secret.

    Attributes:
        path: of the file, from the top of the work tree.
        line: where in it, counted from 1; 0 where it is the file's name, or no text.
        what: what it looks like.
        sure: nothing else looks like that; otherwise a person decides.
    """

    path: str
    line: int
    what: str
    sure: bool = True

    @property
    def place(self) -> str:
        """Where it is, as compilers write it."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search of one file came to.

    Attributes:
        found: in the order of the lines.
        packed: by what its content is compressed, so that the search saw none of it; else empty.
    """

    found: tuple[Suspicion, ...] = ()
    packed: str = ""


def suspicious_name(path: str) -> Suspicion | None:
    """Say whether a file of that name is mostly a secret."""
    known = known_name(path)
    return Suspicion(path, 0, known[0], known[1]) if known else None


class Search:
    """Searches the content of one file.

    Args:
        path: of the file, for what is found.
        size: of the file, in bytes.
    """

    def __init__(self, path: str, size: int) -> None:
        self._path = path
        self._named = size <= _BY_HAND
        self._waiting: list[bytes] = []
        self._size = 0  # of what waits
        self._begun = False
        self._binary = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._packed = ""
        self._window = b""
        self._searched = 0  # bytes of the window
        self._line = 1  # in which the window begins
        self._found: dict[tuple[int, str, bool], Suspicion] = {}

    def feed(self, block: bytes) -> None:
        """Look at the next block."""
        self._waiting.append(block)
        self._size += len(block)
        if self._size >= _STEP:
            self._step(last=False)

    def finish(self) -> Searched:
        """Look at what is left, and return what came of it all."""
        self._step(last=True)
        return Searched(tuple(self._found[key] for key in sorted(self._found)), self._packed)

    def _step(self, *, last: bool) -> None:
        data = b"".join(self._waiting)
        self._waiting, self._size = [], 0
        if not self._begun:
            self._begin(data)
        if self._decoder is not None:
            data = self._decoder.decode(data, last).encode("utf-8", "replace")
        window = self._window + data
        end = len(window) if last else max(self._searched, len(window) - _AHEAD)
        if self._count(sure=True) < _ENOUGH:
            self._look(window, end)
        kept = max(0, end - _BEHIND)
        self._line += window.count(b"\n", 0, kept)
        self._window, self._searched = window[kept:], end - kept

    def _begin(self, data: bytes) -> None:
        self._begun = True
        if data.startswith(_UTF16):
            self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
        else:
            self._binary = b"\0" in data[:_BINARY]
        self._packed = next((how for start, how in _PACKED if data.startswith(start)), "")
        self._zip = data.startswith(_ZIP)

    def _look(self, window: bytes, end: int) -> None:
        """Note what begins in the part of the window that was not searched before."""
        if self._zip and not self._packed and _has_packed_member(window):
            self._packed = "zip"
        line, at = self._line, 0
        for hit in sorted(find(window, binary=self._binary, named=self._named), key=lambda hit: hit.start):
            if not self._searched <= hit.start < end:
                continue
            line, at = line + window.count(b"\n", at, hit.start), hit.start
            key = (0 if self._binary else line, hit.form.what, hit.form.sure)
            if key not in self._found and self._count(sure=hit.form.sure) < _ENOUGH:
                self._found[key] = Suspicion(self._path, *key)

    def _count(self, *, sure: bool) -> int:
        return sum(one.sure is sure for one in self._found.values())


def _has_packed_member(window: bytes) -> bool:
    """Whether a compressed member of a zip begins there; one that is stored, as in `.pt`, is searched as it is."""
    at = window.find(_ZIP)
    while at >= 0:
        method = window[at + 8 : at + 10]
        if len(method) == 2 and method != b"\0\0" and window[at + 5] == 0:
            return True
        at = window.find(_ZIP, at + 4)
    return False
