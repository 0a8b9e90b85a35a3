"""The memory of a projection on disk: source commit -> projected commit, so that the next run looks at new ones only.

One file a projection, named by the digest of its maps and keyed by source commit ids, never by a branch: a branch that
was reset or forced cannot bring back an undone head. The file ends in a SHA-256 of itself; one that is lost, damaged, of
another version or of another projection is as good as none, and costs time, never a wrong answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import struct
from array import array
from binascii import hexlify, unhexlify
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.projection.graph import Graph

_MAGIC = b"openllm-repos projection 1\n"
_COUNTS = struct.Struct(">BIIII")  # bytes an id; tips, images, projected commits, parents
_CHECKSUM_BYTES = 32
_KEPT_TIPS = 64


@dataclass(slots=True)
class Memory:
    """What an earlier run found.

    Attributes:
        graph: its projected commits and images.
        tips: source commits whose whole history `graph` covers, newest last, as hex ids.
    """

    graph: Graph
    tips: list[bytes]


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

    def glance(self, commit: bytes) -> tuple[bool, bytes | None]:
        """Look up one source commit without unpacking the rest.

        Returns:
            Whether its projection is known, and if so the projected commit's hex id (None: nothing was ever mapped).
        """
        parts = self._parts()
        if parts is None:
            return False, None
        wanted = unhexlify(commit)
        at = _position(parts.sources, wanted, self._id_bytes)
        if at is not None:
            number = parts.images[at]
            start = number * self._id_bytes
            return True, hexlify(parts.ids[start : start + self._id_bytes])
        return _position(parts.tips, wanted, self._id_bytes) is not None, None

    def load(self, empty_tree: bytes) -> Memory | None:
        """Return what is remembered, or None."""
        parts = self._parts()
        if parts is None:
            return None
        graph = Graph(empty_tree)
        graph.image = dict(zip(_split(parts.sources, self._id_bytes), parts.images, strict=True))
        graph.trees, graph.ids = _split(parts.trees, self._id_bytes), _split(parts.ids, self._id_bytes)
        starts = [0, *parts.ends]
        for start, end in zip(starts, parts.ends, strict=False):
            graph.grow(tuple(parts.parents[start:end]))
        return Memory(graph, _split(parts.tips, self._id_bytes))

    def save(self, memory: Memory) -> None:
        """Write what is known now, whole or not at all. A clone that cannot be written simply remembers nothing."""
        graph = memory.graph
        parents = array("I", itertools.chain.from_iterable(graph.parents))
        ends = array("I", itertools.accumulate(map(len, graph.parents)))
        tips = list(dict.fromkeys(reversed(memory.tips)))[:_KEPT_TIPS][::-1]
        counts = _COUNTS.pack(self._id_bytes, len(tips), len(graph.image), len(graph.ids), len(parents))
        body = b"".join(
            (
                self._seal,
                counts,
                _join(tips),
                _join(list(graph.image)),
                _portable(array("I", graph.image.values())),
                _join(graph.ids),
                _join(graph.trees),
                *(_portable(numbers) for numbers in (ends, parents)),
            )
        )
        from tempfile import mkstemp

        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = mkstemp(prefix=".projection-", dir=self._path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(body + hashlib.sha256(body).digest())
                os.replace(name, self._path)
            except OSError:
                os.unlink(name)
                raise

    def _parts(self) -> _Parts | None:
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
        width, tips, images, commits, parents = _COUNTS.unpack(body[len(self._seal) : start])
        sizes = (tips * width, images * width, images * 4, commits * width, commits * width, commits * 4, parents * 4)
        if width != self._id_bytes or start + sum(sizes) != len(body):
            return None
        cuts: list[bytes] = []
        for size in sizes:
            cuts.append(bytes(body[start : start + size]))
            start += size
        numbers = [_numbers(cut) for cut in (cuts[2], *cuts[5:])]
        return _Parts(cuts[0], cuts[1], numbers[0], cuts[3], cuts[4], *numbers[1:])


@dataclass(frozen=True, slots=True)
class _Parts:
    tips: bytes
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
    text = hexlify(data)
    return [text[at : at + 2 * width] for at in range(0, len(text), 2 * width)]


def _position(ids: bytes, wanted: bytes, width: int) -> int | None:
    """Find an id among ids that lie end to end."""
    at = ids.find(wanted)
    while at >= 0:
        if at % width == 0:
            return at // width
        at = ids.find(wanted, at + 1)
    return None
