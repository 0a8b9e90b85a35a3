"""Merging in the object store: no work tree, no index, nothing checked out."""

from __future__ import annotations

import os
from dataclasses import dataclass

from openllm_repos.git.pack import COMMIT, PackWriter
from openllm_repos.git.process import Completed, GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change, Conflict

_NOBODY = b"openllm-repos <openllm-repos@localhost> 0 +0000"
# The person's own merge drivers and attributes must not decide about a target's files: the same merge on every machine.
_SETTINGS = ("core.attributesFile=" + os.devnull, "merge.default=text", "attr.tree=refs/openllm/no-attributes")
_STAGE_BASE, _STAGE_OURS, _STAGE_THEIRS = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Sides:
    """Three trees made comparable: commits whose only common history is the base. They never leave this clone."""

    base: ObjectId
    ours: ObjectId
    theirs: ObjectId


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge gives: a tree, or the paths that do not go together."""

    tree: ObjectId | None
    conflicts: tuple[Conflict, ...] = ()


def three_sides(writer: PackWriter, base: bytes, ours: bytes, theirs: bytes) -> Sides:
    """Write one commit for each of three trees, so that git's merge takes exactly that base.

    Trees cannot be given to merge-tree before git 2.45. The commits have fixed people and dates: the same trees
    give the same ids.

    Args:
        writer: a pack in progress, which may hold the trees; it is finished here.
        base: hex id of the tree that both sides started from.
        ours: hex id of the target's tree.
        theirs: hex id of the projection's tree.
    """

    def commit(tree: bytes, parents: bytes, subject: bytes) -> bytes:
        text = b"tree %b\n%bauthor %b\ncommitter %b\n\n%b\n" % (tree, parents, _NOBODY, _NOBODY, subject)
        return writer.add(COMMIT, text)

    root = commit(base, b"", b"what the last sync brought")
    one = commit(ours, b"parent %b\n" % root, b"the target")
    two = commit(theirs, b"parent %b\n" % root, b"the source, as the target gets it")
    writer.finish(unpack=True)
    return Sides(*(ObjectId(made.decode()) for made in (root, one, two)))


def merge(repository: Repository, sides: Sides) -> Merged:
    """Merge `theirs` into `ours`; an edit follows a file that the other side renamed.

    Args:
        repository: the clone; new trees and blobs are written to it.
        sides: what to merge.
    """
    args = ("merge-tree", "--write-tree", "-z", "--no-messages", sides.ours, sides.theirs)
    done = repository.git.run(*args, ok=(0, 1), settings=_SETTINGS)
    tree, *rows = done.stdout.split(b"\0")
    if done.code == 0:
        return Merged(ObjectId(tree.decode()))
    conflicts = _conflicts([row for row in rows if row], sides)
    if not conflicts:  # exit code 1 without a conflicted path: git says conflict, and nothing else can be trusted
        raise GitFailed("merge-tree", Completed(done.code, b"", done.stderr))
    return Merged(None, conflicts)


def merge_overlaps(repository: Repository, one: ObjectId, two: ObjectId) -> tuple[bytes, ...]:
    """Return the paths in which a merge of two commits would stop; git finds their base itself. Nothing moves.

    Args:
        repository: the clone; new trees and blobs are written to it.
        one: a commit.
        two: the commit to merge into it.
    """
    args = ("merge-tree", "--write-tree", "--allow-unrelated-histories", "-z", "--no-messages", "--name-only", one, two)
    done = repository.git.run(*args, ok=(0, 1))
    return tuple(sorted({path for path in done.stdout.split(b"\0")[1:] if path})) if done.code else ()


def _conflicts(rows: list[bytes], sides: Sides) -> tuple[Conflict, ...]:
    """Read ``mode id stage TAB path`` rows: which stages a path has says what each side did.

    Where one side has a folder in the place of the other's file, git moves the file aside: it adds ``~`` and the name
    of the side to the path.
    """
    stages: dict[bytes, set[int]] = {}
    folders = set()
    for row in rows:
        fields, _, path = row.partition(b"\t")
        plain = path.removesuffix(f"~{sides.ours}".encode()).removesuffix(f"~{sides.theirs}".encode())
        if plain != path:
            folders.add(plain)
        stages.setdefault(plain, set()).add(int(fields.rsplit(b" ", 1)[1]))

    def side(path: bytes, stage: int) -> Change:
        found = stages[path]
        if stage in found:
            return Change.MODIFIED if _STAGE_BASE in found else Change.ADDED
        return Change.ADDED if path in folders else Change.DELETED

    return tuple(
        Conflict(path, source=side(path, _STAGE_THEIRS), target=side(path, _STAGE_OURS)) for path in sorted(stages)
    )
