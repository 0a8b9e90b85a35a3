"""The memory of a projection on disk: source commit -> projected commit, so that the next run looks at new ones only.

One file a projection, named by the digest of its maps and keyed by source commit ids, never by a branch: a branch that
was reset or forced cannot bring back an undone head. The file ends in a SHA-256 of itself; one that is lost, damaged,
of another version or of another projection is as good as none, and costs time, never a wrong answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import struct
from array import array
from binascii import hexlify, unhexlify
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from openllm_repos.files import atomic_write
from openllm_repos.projection.graph import Graph

_MAGIC = b"openllm-repos projection 2\n"
_COUNTS = struct.Struct(">BIIIIII")  # bytes an id; tips, adds, subproject, images, projected commits, parents
_CHECKSUM_BYTES = 32
_KEPT_TIPS = 64
_FEW_QUESTIONS = 200  # about where searching for each costs as much as unpacking all


@dataclass(slots=True)
class Memory:
    """What an earlier run found.

    Attributes:
        graph: its projected commits and images.
        tips: source commits whose whole history `graph` covers, newest last, as hex ids.
        adds: each `git subtree add` that was followed; all of them are in the history of each tip.
        subproject: the commits that they brought.
    """

    graph: Graph
    tips: list[bytes]
    adds: list[bytes] = field(default_factory=list)
    subproject: set[bytes] = field(default_factory=set)


class Cache:
    """The file of one projection.

    Args:
        folder: where such files lie.
        digest: names the maps and the object format; hex.
        id_bytes: 20 for SHA-1, 32 for SHA-256.
    """

    def __init__(self, folder: Path, digest: str, id_bytes: int) -> None:
        self._path = folder / f"{digest}.projection"
        self._seal = _MAGIC + digest.encode() + b"\n"
        self._id_bytes = id_bytes
        self._read: _Parts | None = None

    def exists(self) -> bool:
        """Whether there is such a file; what it is worth is seen when it is read."""
        return self._path.exists()

    def glance(self, commit: bytes) -> tuple[bool, bytes | None]:
        """Look up one source commit without unpacking the rest.

        Returns:
            Whether its projection is known, and if so the projected commit's hex id (None: nothing was ever mapped).
        """
        parts = self._parts()
        if parts is None:
            return False, None
        wanted = unhexlify(commit)
        covered = _position(parts.tips, wanted, self._id_bytes) is not None
        if parts.adds and not covered:
            return False, None  # what a commit becomes depends on the adds in its history
        at = _position(parts.sources, wanted, self._id_bytes)
        if at is not None:
            number = parts.images[at]
            start = number * self._id_bytes
            return True, hexlify(parts.ids[start : start + self._id_bytes])
        return covered, None

    def load(self, empty_tree: bytes) -> Memory | None:
        """Return what is remembered, or None."""
        parts = self._parts()
        if parts is None:
            return None
        graph = Graph(empty_tree)
        graph.image = Images(parts.sources, parts.images, self._id_bytes)
        graph.trees, graph.ids = _split(parts.trees, self._id_bytes), _split(parts.ids, self._id_bytes)
        parents = parts.parents.tolist()
        starts = itertools.chain((0,), parts.ends)
        graph.grow(*[tuple(parents[start:end]) for start, end in zip(starts, parts.ends, strict=False)])
        tips, adds, subproject = (_split(ids, self._id_bytes) for ids in (parts.tips, parts.adds, parts.subproject))
        return Memory(graph, tips, adds, set(subproject))

    def save(self, memory: Memory) -> None:
        """Write what is known now, whole or not at all. A clone that cannot be written simply remembers nothing."""
        graph = memory.graph
        parents = array("I", itertools.chain.from_iterable(graph.parents))
        ends = array("I", itertools.accumulate(map(len, graph.parents)))
        sources, images = columns(graph.image)
        tips = list(dict.fromkeys(reversed(memory.tips)))[:_KEPT_TIPS][::-1]
        few = (tips, memory.adds, sorted(memory.subproject))
        counts = _COUNTS.pack(self._id_bytes, *map(len, few), len(images), len(graph.ids), len(parents))
        body = b"".join(
            (
                self._seal,
                counts,
                *map(_join, few),
                sources,
                _portable(images),
                _join(graph.ids),
                _join(graph.trees),
                *(_portable(numbers) for numbers in (ends, parents)),
            )
        )
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._path, body + hashlib.sha256(body).digest())
            self._read = None

    @property
    def readable(self) -> bool:
        """Whether anything is remembered."""
        return self._parts() is not None

    def _parts(self) -> _Parts | None:
        if self._read is None:
            self._read = self._read_parts()
        return self._read

    def _read_parts(self) -> _Parts | None:
        try:
            data = self._path.read_bytes()
        except OSError:
            return None
        body = memoryview(data)[:-_CHECKSUM_BYTES]
        start = len(self._seal) + _COUNTS.size
        if len(data) < start + _CHECKSUM_BYTES or not data.startswith(self._seal):
            return None
        if hashlib.sha256(body).digest() != data[-_CHECKSUM_BYTES:]:
            return None
        width, tips, adds, subproject, images, commits, parents = _COUNTS.unpack(body[len(self._seal) : start])
        ids = [count * width for count in (tips, adds, subproject, images)]
        sizes = (*ids, images * 4, commits * width, commits * width, commits * 4, parents * 4)
        if width != self._id_bytes or start + sum(sizes) != len(body):
            return None
        cuts: list[bytes] = []
        for size in sizes:
            cuts.append(bytes(body[start : start + size]))
            start += size
        images_, ends, parents_ = (_numbers(cut) for cut in (cuts[4], *cuts[7:]))
        tips_, adds_, subproject_, sources_ = cuts[:4]
        return _Parts(tips_, adds_, subproject_, sources_, images_, cuts[5], cuts[6], ends, parents_)


def is_sound(path: Path, id_bytes: int) -> bool:
    """Whether a file of memory can be read; one that cannot is as good as none.

    Args:
        path: the file.
        id_bytes: 20 for SHA-1, 32 for SHA-256.
    """
    return Cache(path.parent, path.stem, id_bytes).readable


class Images(MutableMapping[bytes, int]):
    """Source commit -> number of its image, in the columns of the file until more than a few are asked for.

    Unpacking a hundred thousand of them takes longer than all else that a run with ten new commits does.

    Args:
        sources: ids of source commits, end to end; of two that are the same, the later counts.
        numbers: the image of each.
        id_bytes: how long an id is.
    """

    def __init__(self, sources: bytes, numbers: array[int], id_bytes: int) -> None:
        self._sources = sources
        self._numbers = numbers
        self._id_bytes = id_bytes
        self._answers: dict[bytes, int | None] = {}
        self._known: dict[bytes, int] = {}  # what was added, and after unpacking all

    @property
    def _unpacked(self) -> bool:
        return not self._sources

    def _unpack(self) -> dict[bytes, int]:
        if not self._unpacked:
            self._known = dict(zip(_split(self._sources, self._id_bytes), self._numbers, strict=True)) | self._known
            self._sources = b""
        return self._known

    def __getitem__(self, commit: bytes) -> int:
        if commit in self._known or self._unpacked:
            return self._known[commit]
        if commit not in self._answers:
            if len(self._answers) == _FEW_QUESTIONS:
                return self._unpack()[commit]
            at = _position(self._sources, unhexlify(commit), self._id_bytes)
            self._answers[commit] = None if at is None else self._numbers[at]
        answer = self._answers[commit]
        if answer is None:
            raise KeyError(commit)
        return answer

    def __setitem__(self, commit: bytes, number: int) -> None:
        self._known[commit] = number

    def __delitem__(self, commit: bytes) -> None:
        del self._unpack()[commit]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._unpack())

    def __len__(self) -> int:
        return len(self._unpack())

    def columns(self) -> tuple[bytes, array[int]]:
        """Return the ids end to end, and the numbers in the same order."""
        if self._unpacked:
            return columns(self._known)
        sources, numbers = columns(self._known)
        return self._sources + sources, self._numbers + numbers


def columns(images: MutableMapping[bytes, int]) -> tuple[bytes, array[int]]:
    """Return the ids of source commits end to end, and the numbers of their images in the same order."""
    if isinstance(images, Images):
        return images.columns()
    return _join(list(images)), array("I", images.values())


@dataclass(frozen=True, slots=True)
class _Parts:
    """The file's content, cut into its columns."""

    tips: bytes
    adds: bytes
    subproject: bytes
    sources: bytes
    images: array[int]
    ids: bytes
    trees: bytes
    ends: array[int]
    parents: array[int]


def _portable(numbers: array[int]) -> bytes:
    """32-bit little-endian, whatever the machine."""
    if numbers.itemsize == 4 and array("H", [1]).tobytes() == b"\1\0":
        return numbers.tobytes()
    return struct.pack(f"<{len(numbers)}I", *numbers)


def _numbers(data: bytes) -> array[int]:
    numbers = array("I")
    if numbers.itemsize == 4 and array("H", [1]).tobytes() == b"\1\0":
        numbers.frombytes(data)
        return numbers
    return array("I", struct.unpack(f"<{len(data) // 4}I", data))


def _join(ids: list[bytes]) -> bytes:
    return unhexlify(b"".join(ids))


def _split(data: bytes, width: int) -> list[bytes]:
    return list(itertools.chain.from_iterable(struct.iter_unpack(f"{2 * width}s", hexlify(data))))


def _position(ids: bytes, wanted: bytes, width: int) -> int | None:
    """Find an id among ids that lie end to end, from the end on: what is asked for was mostly added last."""
    at = ids.rfind(wanted)
    while at >= 0:
        if at % width == 0:
            return at // width
        at = ids.rfind(wanted, 0, at + width - 1)
    return None
