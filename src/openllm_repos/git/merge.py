"""Merging in the object store: no work tree, no index, nothing checked out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from openllm_repos.git.pack import COMMIT, PackWriter
from openllm_repos.git.process import Completed, GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change, Conflict, Settled, Side

_NOBODY = b"openllm-repos <openllm-repos@localhost> 0 +0000"
# The person's own merge drivers and attributes must not decide about a target's files: the same merge on every machine.
_SETTINGS = ("core.attributesFile=" + os.devnull, "merge.default=text", "attr.tree=refs/openllm/no-attributes")
_STAGE_BASE, _STAGE_OURS, _STAGE_THEIRS = 1, 2, 3
_STAGES = {Side.OURS: _STAGE_OURS, Side.THEIRS: _STAGE_THEIRS}


@dataclass(frozen=True, slots=True)
class Sides:
    """Three trees made comparable: commits whose only common history is the base. They never leave this clone."""

    base: ObjectId
    ours: ObjectId
    theirs: ObjectId


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge gives: a tree, or the paths that do not go together.

    Attributes:
        tree: the merged tree; None where there are conflicts.
        conflicts: one a path.
        torn: with conflicts, the tree as far as it goes, marks of conflict in its files.
        stages: of each path in conflict the base's, the target's and the source's file (1, 2, 3: mode and hex id).
        aside: paths where one side has a folder in the place of the other's file.
    """

    tree: ObjectId | None
    conflicts: tuple[Conflict, ...] = ()
    torn: ObjectId | None = None
    stages: Mapping[bytes, Mapping[int, tuple[bytes, bytes]]] = field(default_factory=dict)
    aside: frozenset[bytes] = frozenset()

    def base_of(self, path: bytes) -> bytes | None:
        """Return the hex id of the file that both sides started from, None where there was none."""
        found = self.stages[path].get(_STAGE_BASE)
        return None if found is None else found[1]


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
    writer.finish()
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
    stages, aside = _staged([row for row in rows if row], sides)
    if not stages:  # exit code 1 without a conflicted path: git says conflict, and nothing else can be trusted
        raise GitFailed("merge-tree", Completed(done.code, b"", done.stderr))
    conflicts = tuple(_conflict(path, stages[path], crowded=path in aside) for path in sorted(stages))
    return Merged(None, conflicts, ObjectId(tree.decode()), stages, aside)


def take_sides(repository: Repository, merged: Merged, settled: Sequence[Settled]) -> ObjectId:
    """Return the tree of a merge with one side's file, or its absence, at each of the paths that are settled.

    Args:
        repository: the clone; the tree is written to it.
        merged: a merge with conflicts.
        settled: the paths, each in conflict and none of `merged.aside`.
    """
    assert merged.torn is not None  # it has conflicts
    rows = []
    for one in settled:
        mode, blob = merged.stages[one.path].get(_STAGES[one.side], (b"0", b"0" * repository.id_length))
        rows.append(b"%b %b\t%b\0" % (mode, blob, one.path))
    with tempfile.TemporaryDirectory(prefix="openllm-repos-") as place:
        extra = {**repository.git.extra, "GIT_INDEX_FILE": str(Path(place) / "index")}
        git = replace(repository.git, extra=extra)
        git.run("read-tree", merged.torn)
        git.run("update-index", "-z", "--index-info", stdin=b"".join(rows))
        return ObjectId(git.text("write-tree", "--missing-ok"))


def _staged(rows: list[bytes], sides: Sides) -> tuple[dict[bytes, dict[int, tuple[bytes, bytes]]], frozenset[bytes]]:
    """Read ``mode id stage TAB path`` rows.

    Where one side has a folder in the place of the other's file, git moves the file aside: it adds ``~`` and the name
    of the side to the path.
    """
    stages: dict[bytes, dict[int, tuple[bytes, bytes]]] = {}
    aside = set()
    for row in rows:
        fields, _, path = row.partition(b"\t")
        plain = path.removesuffix(f"~{sides.ours}".encode()).removesuffix(f"~{sides.theirs}".encode())
        if plain != path:
            aside.add(plain)
        mode, blob, stage = fields.split(b" ")
        stages.setdefault(plain, {})[int(stage)] = (mode, blob)
    return stages, frozenset(aside)


def _conflict(path: bytes, stages: Mapping[int, object], *, crowded: bool) -> Conflict:
    """Say what each side did: that follows from which stages a path has."""

    def side(stage: int) -> Change:
        if stage in stages:
            return Change.MODIFIED if _STAGE_BASE in stages else Change.ADDED
        return Change.ADDED if crowded else Change.DELETED

    return Conflict(path, source=side(_STAGE_THEIRS), target=side(_STAGE_OURS))
