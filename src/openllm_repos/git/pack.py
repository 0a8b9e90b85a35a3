"""Writing many objects as one pack: spooled to an unnamed file, then handed to ``git index-pack --stdin``.

The format is git's own, see "gitformat-pack" in git's documentation. Memory stays bounded whatever the number of
objects; nothing is visible in the clone before git itself has checked and named the pack.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import tempfile
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Literal, Self

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.files import remedy
from openllm_repos.git.process import Git, GitFailed
from openllm_repos.git.repository import Repository

COMMIT: Final = 1
TREE: Final = 2
_OFS_DELTA: Final = 6
_TYPE_NAMES: Final = {COMMIT: b"commit", TREE: b"tree"}
_HEADER_BYTES: Final = 12
_LONGEST_CHAIN: Final = 50  # git's own default for pack.depth
_STORED: Final = b"\x78\x01\x01"  # zlib header; one block, the last, stored
_STORED_UP_TO: Final = 2000
_COPY_LIMIT: Final = 0xFFFFFF  # bytes that one copy instruction of a delta can name
_BASES: Final = 4096  # trees that may still become the base of a delta
_Base = tuple[int, int, tuple[bytes, ...]]  # where it begins, how long its chain is, its content


class PackWriter:
    """Collects commits and trees, then writes them as one pack. Use it as a context manager.

    Args:
        git: runs on the repository to write to.
        objects_dir: its objects folder; the unnamed spool file lies there, on the disk that the pack will need.
        object_format: ``sha1`` or ``sha256``.
    """

    def __init__(self, git: Git, objects_dir: Path, object_format: str) -> None:
        self._git = git
        self._objects_dir = objects_dir
        self._hash = hashlib.sha256 if object_format == "sha256" else hashlib.sha1
        self._spool: IO[bytes] | None = None
        self._size = 0
        self._written: set[bytes] = set()
        self._last: dict[bytes, _Base] = {}
        self._bases: OrderedDict[bytes, _Base] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spool is not None:
            with contextlib.suppress(OSError):  # what is still buffered has no room either, and is not wanted
                self._spool.close()
            self._spool = None

    @property
    def count(self) -> int:
        """How many objects the pack holds so far."""
        return len(self._written)

    def identify(self, kind: int, data: bytes) -> bytes:
        """Return the hex id that git gives to an object."""
        digest = self._hash(b"%b %d\0" % (_TYPE_NAMES[kind], len(data)))
        digest.update(data)
        return digest.hexdigest().encode()

    def add(self, kind: int, *parts: bytes, place: bytes | None = None, like: bytes | None = None) -> bytes:
        """Add one object and return its hex id; an object that is in the pack already is not added again.

        Args:
            kind: COMMIT or TREE.
            parts: the object's content, in pieces; those that the base has, too, are found without comparing bytes.
            place: where a tree stands (its path); the tree that was last added for the same place becomes the base
                of a delta, since successive trees of one folder differ in a few entries.
            like: the id of a tree that is a better base, if it was written here not long ago.
        """
        data = b"".join(parts)
        name = self.identify(kind, data)
        if name in self._written:
            return name
        self._written.add(name)
        if place is None:
            self._append(_entry_header(kind, len(data)), data)
            return name
        base = self._bases.get(like or b"") or self._last.get(place)
        offset = _HEADER_BYTES + self._size
        depth = 0
        delta = None
        if base is not None and base[1] < _LONGEST_CHAIN:
            delta = _delta(base[2], parts)
        if base is not None and delta is not None and len(delta) < len(data):
            depth = base[1] + 1
            self._append(_entry_header(_OFS_DELTA, len(delta)) + _distance(offset - base[0]), delta)
        else:
            self._append(_entry_header(kind, len(data)), data)
        self._last[place] = self._bases[name] = (offset, depth, parts)
        if len(self._bases) > _BASES:
            self._bases.popitem(last=False)
        return name

    def _append(self, header: bytes, data: bytes) -> None:
        if self._spool is None:
            try:
                self._spool = tempfile.TemporaryFile(dir=self._objects_dir, buffering=1 << 18)  # noqa: SIM115
                self._spool.write(bytes(_HEADER_BYTES))
            except OSError as error:
                raise _unwritable(self._objects_dir, error) from None
        packed = _compressed(data)
        try:
            self._spool.write(header + packed)
        except OSError as error:
            raise _unwritable(self._objects_dir, error) from None
        self._size += len(header) + len(packed)

    def finish(self, *, unpack: bool = False) -> None:
        """Hand the pack to git, which checks every object, names the pack and makes it visible. Nothing to do if empty.

        Args:
            unpack: leave the objects one by one instead: for a few that nobody needs for long. Every pack makes every
                later git slower, since it has to look into each of them for what is not there.

        Raises:
            EnvironmentProblem: the disk is full or the clone cannot be written.
        """
        if self._spool is None:
            return
        digest = self._hash()
        try:
            self._spool.seek(0)
            self._spool.write(b"PACK" + struct.pack(">II", 2, len(self._written)))
            self._spool.seek(0)
            while block := self._spool.read(1 << 20):
                digest.update(block)
            self._spool.write(digest.digest())
            self._spool.flush()
            os.lseek(self._spool.fileno(), 0, os.SEEK_SET)  # git reads from where the descriptor stands
        except OSError as error:
            raise _unwritable(self._objects_dir, error) from None
        if unpack:  # with one wait for the disk instead of one an object
            self._git.run("unpack-objects", "-q", stdin=self._spool, settings=("core.fsyncMethod=batch",))
        else:
            self._git.run("index-pack", "--stdin", stdin=self._spool)
        self._spool.close()
        self._spool = None


def index_packs(repository: Repository) -> None:
    """Write one index over all packs, so that git looks into one place instead of each for what is not there.

    A fetch that checks what it gets leaves a pack, however small, and hundreds of targets hundreds of them. git keeps
    such an index right by itself; without it, or with an old one, it is only slower, so a failure is no matter.
    """
    with contextlib.suppress(GitFailed):
        repository.git.run("multi-pack-index", "write")


def _unwritable(folder: Path, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"Cannot write objects to {folder}: {error.strerror}.",
        hint=remedy(error, folder),
    )


def _compressed(data: bytes) -> bytes:
    """Wrap one object as a zlib stream (RFC 1950, 1951).

    A commit is a few hundred bytes, a fifth of them ids that do not compress: it is stored as it is, which takes a
    tenth of the time and lets index-pack read it faster. Trees and deltas are compressed.
    """
    if len(data) > _STORED_UP_TO:
        return zlib.compress(data, 1)
    return b"%b%b%b%b" % (
        _STORED,
        struct.pack("<HH", len(data), len(data) ^ 0xFFFF),
        data,
        struct.pack(">I", zlib.adler32(data)),
    )


def _entry_header(kind: int, size: int) -> bytes:
    """Type and size of a pack entry: 4 bits of size beside the type, then 7 bits a byte."""
    first = kind << 4 | size & 15
    size >>= 4
    out = bytearray()
    while size:
        out.append(first | 0x80)
        first = size & 0x7F
        size >>= 7
    out.append(first)
    return bytes(out)


def _distance(back: int) -> bytes:
    """How far back the base of a delta begins, in git's offset encoding."""
    out = bytearray([back & 0x7F])
    back >>= 7
    while back:
        back -= 1
        out.append(0x80 | back & 0x7F)
        back >>= 7
    out.reverse()
    return bytes(out)


def _delta(base: Sequence[bytes], parts: Sequence[bytes]) -> bytes | None:
    """Describe `parts` as ranges of `base` and new bytes; None if that saves nothing."""
    head = _same(base, parts)
    tail = min(_same(base[::-1], parts[::-1]), len(base) - head, len(parts) - head)
    start, size = sum(map(len, base[:head])), sum(map(len, base))
    delta = _Delta(size, sum(map(len, parts)))
    delta.copy(0, start)
    base = base[head : len(base) - tail]
    numbers = {part: number for number, part in enumerate(base)}
    starts = list(accumulate(map(len, base), initial=start))
    done = 0  # of the base
    new: list[bytes] = []
    for part in parts[head : len(parts) - tail]:
        number = numbers.get(part, -1)
        if number < done:
            new.append(part)
            continue
        if new:
            delta.replace(b"".join(base[done:number]), starts[done], b"".join(new))
            new.clear()
        delta.copy(starts[number], starts[number + 1])
        done = number + 1
    if new:
        delta.replace(b"".join(base[done:]), starts[done], b"".join(new))
    delta.copy(starts[-1], size)
    return delta.finish()


def _same(one: Sequence[bytes], two: Sequence[bytes]) -> int:
    """Count the pieces that both have at the start; mostly they are the same objects."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((at for at, (old, new) in pairs if old is not new and old != new), min(len(one), len(two)))


class _Delta:
    """A delta in the making: git's instructions to copy a range of the base, and to insert new bytes."""

    def __init__(self, old_size: int, new_size: int) -> None:
        self._out = bytearray(_varint(old_size) + _varint(new_size))
        self._range = 0, 0  # to copy, not said yet: the next one may follow on it
        self._inserted = 0
        self._worth_it = old_size <= _COPY_LIMIT
        self._most = new_size // 2

    def copy(self, start: int, end: int) -> None:
        """Copy a range of the base."""
        if start == self._range[1]:
            self._range = self._range[0], end
        elif start < end:
            self._flush()
            self._range = start, end

    def replace(self, old: bytes, start: int, new: bytes) -> None:
        """Insert bytes in the place of others, which begin at `start` of the base; what both have is copied."""
        head = _common(old, new, from_end=False)
        tail = min(_common(old, new, from_end=True), min(len(old), len(new)) - head)
        self.copy(start, start + head)
        self._insert(new[head : len(new) - tail])
        self.copy(start + len(old) - tail, start + len(old))

    def _insert(self, data: bytes) -> None:
        if data:
            self._flush()
            self._inserted += len(data)
        for at in range(0, len(data), 127):
            part = data[at : at + 127]
            self._out.append(len(part))
            self._out += part

    def finish(self) -> bytes | None:
        """Return all of it; None if it saves nothing."""
        self._flush()
        return bytes(self._out) if self._worth_it and self._inserted <= self._most else None

    def _flush(self) -> None:
        """Say what range to copy: the bytes of offset and size that are not zero, and a mask that says which."""
        start, end = self._range
        self._range = 0, 0
        while start < end:
            count = min(end - start, 0xFFFF)
            mask, numbers = 0x80, bytearray()
            for bit, value in enumerate((start & 0xFF, start >> 8 & 0xFF, start >> 16 & 0xFF, start >> 24)):
                if value:
                    mask |= 1 << bit
                    numbers.append(value)
            for bit, value in enumerate((count & 0xFF, count >> 8)):
                if value:
                    mask |= 0x10 << bit
                    numbers.append(value)
            self._out.append(mask)
            self._out += numbers
            start += count


def _common(one: bytes, two: bytes, *, from_end: bool) -> int:
    """Count the equal bytes at the start (or the end) of two byte strings: those above the highest bit that differs."""
    count = min(len(one), len(two))
    order: Literal["little", "big"] = "little" if from_end else "big"
    ends = [data[len(data) - count :] if from_end else data[:count] for data in (one, two)]
    differing = int.from_bytes(ends[0], order) ^ int.from_bytes(ends[1], order)
    return count - (differing.bit_length() + 7) // 8


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
