"""Reading objects in bulk through long-lived ``git cat-file --batch-command`` processes."""

from __future__ import annotations

import contextlib
import io
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Self

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.child import Child
from openllm_repos.git.process import Git

# A block of questions. Two of them lie in most pipes, so that git has the next one at hand; nothing but speed depends
# on how much a pipe holds, see :mod:`openllm_repos.git.child`.
CHUNK_BYTES = 15_000

# What git keeps of unpacked trees. Successive commits need the last few; more than fits into the processor's own memory
# makes git slower (a sixth, with its default of 96 MiB, on 82,000 commits).
_BASES = "24m"

# How much of a pack git keeps mapped; without it, all that it looked at in a long history.
PACK_WINDOWS = ("core.packedGitWindowSize=16m", "core.packedGitLimit=128m")

_EARLY = 100  # objects that are kept though they were not needed yet


@dataclass(frozen=True, slots=True)
class Found:
    """An object that git has: hex id, type (``commit``, ``tree``, ...) and content."""

    id: bytes
    type: bytes
    data: bytes


class MissingObject(EnvironmentProblem):
    """An object that must be there is not (a damaged clone, or a partial one without trees)."""

    def __init__(self, name: bytes) -> None:
        super().__init__(
            f"The object {name.decode('utf-8', 'replace')} is missing from this clone.",
            hint="git fsck\nThen fetch again. A partial clone must keep its trees: --filter=blob:none.",
        )


class _CatFile:
    """One ``cat-file`` process, asked again and again. Use it as a context manager; not to be shared by threads."""

    def __init__(self, git: Git, answer: str, *settings: str) -> None:
        self._stack = contextlib.ExitStack()
        self._git = git
        self._command = ("cat-file", f"--batch-command={answer}", "--buffer")
        self._settings = settings
        self._child: Child | None = None
        self._opened: io.BufferedReader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the next question starts another."""
        self._stack.close()
        self._child = self._opened = None

    def _send(self, requests: bytes) -> None:
        if self._child is None:
            started = self._git.popen(*self._command, stdin=subprocess.PIPE, settings=self._settings)
            self._child = self._stack.enter_context(started)
            self._opened = self._child.reader()
        self._child.send(requests + b"\nflush\n")

    @property
    def _answers(self) -> io.BufferedReader:
        assert self._opened is not None  # something was asked
        return self._opened

    def _ended(self) -> EnvironmentProblem:
        self.close()
        return EnvironmentProblem(
            "git cat-file ended before it had answered.",
            hint="Run the same command again. If it fails again:\ngit fsck",
        )


class FolderReader(_CatFile):
    """Looks up one folder in many trees.

    git prints the id alone: asked for type or size, it would look every object up once more.

    Args:
        git: runs on the repository to read.
        id_length: the number of hex digits of an object id there.
    """

    def __init__(self, git: Git, id_length: int) -> None:
        super().__init__(git, "%(objectname)", f"core.deltaBaseCacheLimit={_BASES}", *PACK_WINDOWS)
        self._id_length = id_length

    def ask(self, trees: Sequence[bytes], folders: Sequence[bytes]) -> None:
        """Send the question for each folder in many trees (hex ids) without waiting; :meth:`answers` reads the answers.

        They come folder by folder, in the order of the trees.
        """
        # with the slash, git answers with nothing but a folder
        paths = (b":" + folder + (b"/" if folder else b"") for folder in folders)
        self._send(b"\n".join(b"info " + (path + b"\ninfo ").join(trees) + path for path in paths))

    def answers(self, count: int) -> list[bytes | None]:
        """Read the next `count` answers: the hex id of the folder, None where there is none."""
        lines = list(islice(self._answers, count))
        if len(lines) != count or not lines[-1].endswith(b"\n"):
            raise self._ended()
        # A line is an id, or it repeats the question: "<tree>:<folder>/ missing".
        width = self._id_length
        return [line[:width] if len(line) == width + 1 else None for line in lines]


class ObjectReader(_CatFile):
    """Reads objects, and looks up what names stand for.

    Args:
        git: runs on the repository to read.
    """

    def __init__(self, git: Git) -> None:
        super().__init__(git, "%(objectname) %(objecttype) %(objectsize)")

    def ask(self, requests: Sequence[bytes]) -> None:
        """Send requests (``info NAME`` or ``contents NAME``) without waiting for the answers."""
        self._send(b"\n".join(requests))

    def _info(self) -> tuple[bytes, bytes] | None:
        """Read the next answer to ``info``: hex id and type, or None where there is no such object."""
        header = _header(self._line())
        return None if header is None else header[:2]

    def _line(self) -> bytes:
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        return line[:-1]

    def find(self, name: bytes) -> tuple[bytes, bytes] | None:
        """Return hex id and type of the object that `name` (``<id>``, ``<id>:path``) stands for, or None."""
        self.ask([b"info " + name])
        return self._info()

    def find_many(self, names: Iterable[bytes]) -> Iterator[tuple[bytes, bytes] | None]:
        """Yield for each name what :meth:`find` returns, in their order, a few hundred in flight at a time."""
        for chunk in _chunks(names, b"info "):
            self.ask(chunk)
            for _ in chunk:
                yield self._info()

    def read(self, name: bytes) -> Found:
        """Return one object whole.

        Raises:
            MissingObject: there is none.
        """
        request = [b"contents " + name]
        self.ask(request)
        return next(self._drain(request))

    def read_many(self, names: Iterable[bytes]) -> Iterator[Found]:
        """Yield objects whole, in the order of `names`, a few hundred in flight at a time.

        Nothing else may be asked of this reader before the last one was taken: answers come in the order of questions.

        Raises:
            MissingObject: one of them is missing.
        """
        waiting: deque[list[bytes]] = deque()
        for chunk in _chunks(names):
            self.ask(chunk)
            waiting.append(chunk)
            if len(waiting) > 1:
                yield from self._drain(waiting.popleft())
        while waiting:
            yield from self._drain(waiting.popleft())

    def sizes(self, names: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
        """Yield hex id and size in bytes of objects, in the order of `names`, a few hundred in flight at a time.

        Raises:
            MissingObject: one of them is missing.
        """
        for chunk in _chunks(names, b"info "):
            self.ask(chunk)
            for request in chunk:
                header = _header(self._line())
                if header is None:
                    raise MissingObject(request.partition(b" ")[2])
                yield header[0], header[2]

    def _drain(self, chunk: list[bytes]) -> Iterator[Found]:
        readline, read = self._answers.readline, self._answers.read
        for request in chunk:
            line = readline()
            header = _header(line[:-1])
            if header is None:
                raise MissingObject(request.partition(b" ")[2]) if line else self._ended()
            data = read(header[2])
            if len(data) != header[2] or not read(1):
                raise self._ended()
            yield Found(header[0], header[1], data)


class ReadAhead:
    """Objects that are asked for before they are needed, so that git and this program work at the same time.

    Args:
        reader: reads them; it is used for nothing else from then on.
        names: hex ids, in about the order in which they will be needed; one may come twice.
    """

    def __init__(self, reader: ObjectReader, names: Iterable[bytes]) -> None:
        self._seen: set[bytes] = set()
        self._asked: set[bytes] = set()
        self._early: dict[bytes, Found] = {}
        self._found = reader.read_many(self._ask(names))

    def _ask(self, names: Iterable[bytes]) -> Iterator[bytes]:
        for name in names:
            if name not in self._seen:
                self._seen.add(name)
                self._asked.add(name)
                yield name

    def take(self, name: bytes) -> Found | None:
        """Return an object that was asked for; None for another, and for one that was not taken for long."""
        while name in self._asked or not self._seen:
            found = next(self._found, None)
            if found is None:
                return None
            self._asked.remove(found.id)
            self._early[found.id] = found
            if len(self._early) > _EARLY:
                del self._early[next(iter(self._early))]
        return self._early.pop(name, None)


def _header(line: bytes) -> tuple[bytes, bytes, int] | None:
    """Split ``<id> <type> <size>``; ``<name> missing`` and the like, which end in a word, are None."""
    head, _, size = line.rpartition(b" ")
    if not size.isdigit():
        return None
    found, _, kind = head.partition(b" ")
    return found, kind, int(size)


def _chunks(names: Iterable[bytes], question: bytes = b"contents ") -> Iterator[list[bytes]]:
    """Group names into lists of requests, each small enough to lie in a pipe beside another one."""
    source = iter(names)
    for first in source:
        count = max(1, CHUNK_BYTES // (len(first) + 10))
        yield [question + first, *(question + name for name in islice(source, count - 1))]


def top_names(tree: bytes, id_bytes: int) -> Iterator[bytes]:
    """Yield the names in a tree object's content.

    Args:
        tree: the content.
        id_bytes: 20 for SHA-1, 32 for SHA-256.
    """
    at = 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        yield tree[tree.index(b" ", at) + 1 : end]
        at = end + 1 + id_bytes
