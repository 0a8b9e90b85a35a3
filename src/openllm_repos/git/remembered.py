"""Resolutions of conflicts that git remembers (``git rerere``), and which conflicts have one.

The folder of that memory switches rerere on for all of a person's merges by being there. So unless they use it
themselves, ours lies among our own state, and stands where git looks for it only while git is asked.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from openllm_repos.git.repository import Repository

SETTINGS = ("rerere.enabled=true", "rerere.autoUpdate=true")
_BEGIN, _BASE, _MIDDLE, _END = b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"


@contextlib.contextmanager
def memory(repository: Repository) -> Iterator[None]:
    """Put the memory where git looks for it, for as long as the context lasts. The clone's lock is held."""
    theirs, ours = repository.common_dir / "rr-cache", _ours(repository)
    if theirs.is_dir():
        yield
        return
    if ours.is_dir():
        ours.rename(theirs)
    try:
        yield
    finally:
        if theirs.is_dir():
            with contextlib.suppress(OSError):
                theirs.rmdir()  # an empty one is nothing to keep
        if theirs.is_dir():
            ours.parent.mkdir(parents=True, exist_ok=True)
            theirs.rename(ours)


def settled_before(repository: Repository, torn: bytes) -> bool:
    """Whether git remembers how a person settled a file with marks of conflict in it (`torn`)."""
    name = conflict_name(torn, repository.object_format)
    if name is None:
        return False
    theirs = repository.common_dir / "rr-cache"
    folder = theirs if theirs.is_dir() else _ours(repository)
    return any((folder / name).glob("postimage*"))


def conflict_name(torn: bytes, object_format: str) -> str | None:
    """Return the name under which rerere remembers a conflict: a hash of what both sides have, wherever it stands.

    See `handle_conflict` in git's rerere.c. The sides are sorted, so that the same conflict the other way round has the
    same name; what both started from does not count. None where there is no conflict, or one within another.
    """
    digest = hashlib.new("sha256" if object_format == "sha256" else "sha1")
    sides: list[list[bytes]] = []
    found = False
    at = b""
    for line in torn.split(b"\n"):
        mark = line[:7] if line[7:8] in {b"", b" ", b"\r"} else b""
        if mark == _BEGIN:
            if at:
                return None
            at, sides = _BEGIN, [[], []]
        elif mark == _BASE and at == _BEGIN:
            at = _BASE
        elif mark == _MIDDLE and at in {_BEGIN, _BASE}:
            at = _MIDDLE
        elif mark == _END and at == _MIDDLE:
            for side in sorted(b"".join(part + b"\n" for part in side) for side in sides):
                digest.update(side + b"\0")
            at, found = b"", True
        elif at in {_BEGIN, _MIDDLE}:
            sides[at == _MIDDLE].append(line)
    return digest.hexdigest() if found and not at else None


def _ours(repository: Repository) -> Path:
    return repository.state_dir / "rr-cache"
