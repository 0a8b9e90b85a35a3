"""Refs, read and changed: every change states the old value, and many changes are one transaction."""

from __future__ import annotations

from collections.abc import Iterable

from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate


def read_refs(repository: Repository, *patterns: str) -> dict[str, ObjectId]:
    """Return full ref names and what they point at, for refs at or below each pattern (``refs/remotes/space``)."""
    lines = repository.git.run("for-each-ref", "--format=%(objectname) %(refname)", "--", *patterns).lines()
    return {name: ObjectId(found) for found, _, name in (line.partition(" ") for line in lines)}


def read_ref(repository: Repository, ref: str) -> ObjectId | None:
    """Return what one ref points at, or None."""
    done = repository.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref, ok=(0, 1))
    return ObjectId(done.stdout.decode().strip()) if done.code == 0 else None


def update_refs(repository: Repository, updates: Iterable[RefUpdate], *, reason: str) -> None:
    """Change refs, all or none. A `new` of zeros deletes.

    Args:
        repository: the clone.
        updates: the refs, with what they must point at before.
        reason: for the reflog.

    Raises:
        GitFailed: a ref no longer has its stated old value, or cannot be written; then none was changed.
    """
    lines = b"".join(
        b"update %b\0%b\0%b\0" % (update.ref.encode(), update.new.encode(), update.old.encode()) for update in updates
    )
    if lines:
        repository.git.run("update-ref", "-m", reason, "--stdin", "-z", stdin=lines)


def checked_out(repository: Repository) -> dict[str, str]:
    """Return the branches that somebody stands on, by full name, each with its work tree."""
    lines = repository.git.run("for-each-ref", "--format=%(refname) %(worktreepath)", "--", "refs/heads").lines()
    found = (line.partition(" ") for line in lines)
    return {name: place for name, _, place in found if place}
