"""What people read of commits and of changed files: who, when, the subject line; and patches, made by git itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import FileChange

_FIELDS = "%H%x1f%an%x1f%aI%x1f%s"


@dataclass(frozen=True, slots=True)
class Described:
    """A commit in one line. All texts are foreign.

    Attributes:
        id: the commit.
        author: their name.
        date: when it was written, ISO 8601 with the author's own zone.
        subject: the first line of the message.
    """

    id: ObjectId
    author: str
    date: str
    subject: str


def describe(repository: Repository, commits: Sequence[ObjectId]) -> tuple[Described, ...]:
    """Return commits with who, when and what for, in the order given."""
    if not commits:
        return ()
    asked = ("log", "--no-walk=unsorted", "-z", f"--format={_FIELDS}", "--no-show-signature", "--stdin")
    done = repository.git.run(*asked, stdin="".join(f"{commit}\n" for commit in commits).encode())
    rows = done.stdout.decode("utf-8", "surrogateescape").removesuffix("\0").split("\0")
    return tuple(Described(ObjectId(found), *rest) for found, *rest in (row.split("\x1f", 3) for row in rows))


def patch(repository: Repository, changes: Sequence[FileChange]) -> bytes:
    """Return changed files as one patch, byte for byte what git makes of it; `git apply` takes it.

    No program that the person or a repository configured has a say: no external diff, no text conversion, no colour.

    Args:
        repository: the clone, which has the files' content; two trees are written to it.
        changes: the files, with what they were and are.
    """
    before = _tree(repository, [(change.path, *change.old) for change in changes if change.old is not None])
    after = _tree(repository, [(change.path, *change.new) for change in changes if change.new is not None])
    plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--find-renames")
    return repository.git.run("diff-tree", "-r", "-p", "--binary", "--full-index", *plain, before, after).stdout


def _tree(repository: Repository, entries: Sequence[tuple[bytes, bytes, bytes]]) -> ObjectId:
    """Write a tree of (path, mode, id) entries through an index of its own."""
    rows: Iterator[bytes] = (b"%b %b\t%b\0" % (mode, found, path) for path, mode, found in entries)
    with tempfile.TemporaryDirectory(prefix="openllm-repos-") as place:
        extra = {**repository.git.extra, "GIT_INDEX_FILE": str(Path(place) / "index")}
        git = replace(repository.git, extra=extra)
        git.run("update-index", "-z", "--index-info", stdin=b"".join(rows))
        return ObjectId(git.text("write-tree", "--missing-ok"))
