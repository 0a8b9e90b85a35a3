"""LFS pointers: the small text that stands in a commit for a large file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_FORM = re.compile(
    rb"\Aversion https://git-lfs\.github\.com/spec/v1\n(?:[a-z0-9.-]+ [^\n]*\n)*?"
    rb"oid sha256:([0-9a-f]{64})\nsize (\d+)\n?\Z"
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """What a pointer says: the SHA-256 of the content in hex digits, and its size in bytes."""

    sha256: str
    size: int

    @staticmethod
    def may_be(size: int) -> bool:
        """Return whether a blob of this size can be a pointer."""
        return 100 < size < 1024

    @classmethod
    def read(cls, content: bytes) -> Self | None:
        """Return what a blob points to, or None where it is no pointer."""
        found = _FORM.match(content)
        return None if found is None else cls(found[1].decode(), int(found[2]))

    def text(self) -> bytes:
        """Return the pointer as it stands in a commit."""
        return b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize %d\n" % (
            self.sha256.encode(),
            self.size,
        )
