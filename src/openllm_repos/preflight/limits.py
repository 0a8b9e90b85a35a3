"""What the hosts take, as their own words and documentation say it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from openllm_repos.git.objects import ObjectReader
from openllm_repos.manifest.model import Kind

MIB = 1 << 20
_LOOKED_AT = 8000  # bytes: git's own measure of "binary", and that of hooks
POINTER_BYTES = 1024  # a pointer file is smaller: git-lfs, docs/spec.md

_POINTER = re.compile(
    rb"\Aversion https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n"
    rb"(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:([0-9a-f]{64})\nsize (\d+)\n?\Z"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one host takes.

    Attributes:
        host: its name, for people.
        size: bytes; no file outside LFS may be larger.
        text_only: whether every binary must be in LFS.
        card: whether the front matter of README.md is checked.
    """

    host: str
    size: int
    text_only: bool
    card: bool


_HUB = Limits("the Hub", 10 * MIB, text_only=True, card=True)
LIMITS = {
    Kind.SPACE: _HUB,
    Kind.MODEL: _HUB,
    Kind.DATASET: _HUB,
    Kind.GITHUB: Limits("GitHub", 100 * MIB, text_only=False, card=False),
}


def is_binary(data: bytes) -> bool:
    """Whether a file counts as binary: a NUL near its start. The Hub takes none outside LFS, however small."""
    return b"\0" in data[:_LOOKED_AT]


def pointed_at(data: bytes) -> tuple[str, int] | None:
    """Return the oid and size that an LFS pointer names, or None where the content is no pointer."""
    found = _POINTER.match(data) if len(data) < POINTER_BYTES else None
    return None if found is None else (found[1].decode(), int(found[2]))


def pointers(reader: ObjectReader, blobs: Iterable[bytes]) -> dict[bytes, tuple[str, int]]:
    """Return those of the blobs that are LFS pointers, each with the oid and size that it names; few are read."""
    small = [blob for blob, size in reader.sizes(dict.fromkeys(blobs)) if size < POINTER_BYTES]
    found = {blob.id: pointed_at(blob.data) for blob in reader.read_many(small)}
    return {blob: named for blob, named in found.items() if named is not None}
