"""What tells a file's content: read once, searched for secrets on the way, and remembered by its stamp."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.family.artifacts import LocalFile
from openllm_repos.files import atomic_write
from openllm_repos.secrets.forms import VERSION
from openllm_repos.secrets.search import Search, Searched, Suspicion

LARGEST_IN_COMMIT = 10 << 20  # bytes: the Hub sends everything larger through LFS
_SAMPLE = 512
_TOGETHER = 4
_SETTLED = 2 * 10**9  # nanoseconds; a file that was written a moment ago may be written again within the clock's grain


@dataclass(frozen=True, slots=True)
class Content:
    """What tells a file's content.

    Attributes:
        sha256: in hex digits.
        blob: git's id of it as a blob; empty where it is too large to ever be one on the Hub.
        sample: its first 512 bytes, by which the Hub knows a text.
    """

    sha256: str
    blob: str
    sample: bytes

    def is_one_of(self, known: str) -> bool:
        """Whether it is the content that ``lfs:…`` or ``git:…`` stands for."""
        return known in {f"lfs:{self.sha256}", f"git:{self.blob}"}

    def id(self, *, large: bool) -> str:
        """Return what stands for it where it goes through LFS, or does not."""
        return f"lfs:{self.sha256}" if large else f"git:{self.blob}"


def blob_id(content: bytes) -> str:
    """Return git's id (SHA-1, as all of the Hub) of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class Hashes:
    """The contents of files, those of earlier runs among them. Whatever was found clean is remembered.

    Args:
        place: the file that remembers; a damaged one is forgotten.
        told: gets the number of bytes read, again and again.
    """

    def __init__(self, place: Path, told: Callable[[int], None] = lambda _: None) -> None:
        self._place = place
        self._told = told
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._known = _load(place)
        self._changed = False

    def of(self, files: Sequence[LocalFile]) -> tuple[dict[str, Content], dict[str, Searched]]:
        """Return the content of each file by its source path, and the same way what a search for secrets came to.

        Raises:
            FileChanged: one of them is being written to.
            EnvironmentProblem: one cannot be read.
        """
        contents: dict[str, Content] = {}
        searched: dict[str, Searched] = {}
        self._stopped.clear()
        with ThreadPoolExecutor(_TOGETHER) as pool:
            try:
                for file, (content, came) in zip(files, pool.map(self._one, files), strict=True):
                    contents[file.source], searched[file.source] = content, came
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return contents, searched

    def save(self) -> None:
        """Write down what is known. Where that is not possible the next run reads the files again."""
        with self._lock:
            if not self._changed:
                return
            kept = {path: row for path, row in self._known.items() if os.path.lexists(path)}
            text = json.dumps({"rules": VERSION, "files": kept})
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._place, text.encode("utf-8", "surrogateescape"))
        except OSError:
            return

    def _one(self, file: LocalFile) -> tuple[Content, Searched]:
        stamp = list(astuple(file.stamp))
        with self._lock:
            row = self._known.get(str(file.path))
        if row is not None and row[0] == stamp:
            self._told(file.size)
            found = tuple(Suspicion(file.source, line, what, sure=False) for line, what in row[5])
            return Content(row[1], row[2], bytes.fromhex(row[3])), Searched(found, row[4])
        content, searched = _read(file, self._count)
        refused = any(one.sure for one in searched.found)
        if not refused and time.time_ns() - max(file.stamp.modified, file.stamp.changed) > _SETTLED:
            with self._lock:
                said = [[one.line, one.what] for one in searched.found]
                row = [stamp, content.sha256, content.blob, content.sample.hex(), searched.packed, said]
                self._known[str(file.path)] = row
                self._changed = True
        return content, searched

    def _count(self, size: int) -> None:
        """Tell what was read; end here where another file failed or a person stops it, however large this one is."""
        if self._stopped.is_set():
            raise EnvironmentProblem("Not read to its end.")
        self._told(size)


def _read(file: LocalFile, told: Callable[[int], None]) -> tuple[Content, Searched]:
    small = file.size <= LARGEST_IN_COMMIT
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    search = Search(file.source, file.size)
    sample = b""
    for piece in file.pieces(0, file.size):
        sample = sample or piece[:_SAMPLE]
        sha256.update(piece)
        if small:
            blob.update(piece)
        search.feed(piece)
        told(len(piece))
    return Content(sha256.hexdigest(), blob.hexdigest() if small else "", sample), search.finish()


def _load(place: Path) -> dict[str, list]:  # type: ignore[type-arg]
    """Return what an earlier run remembered, as far as it is of the form that this one writes."""
    try:
        said = json.loads(place.read_bytes())
        rows = said["files"] if said["rules"] == VERSION else {}
        return {path: row for path, row in rows.items() if _is_row(row)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_row(row: object) -> bool:
    if not (isinstance(row, list) and len(row) == 6 and isinstance(row[0], list) and isinstance(row[5], list)):
        return False
    told = all(isinstance(one, list) and list(map(type, one)) == [int, str] for one in row[5])
    return told and all(isinstance(part, str) for part in row[1:5]) and _is_hex(row[3])


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True
