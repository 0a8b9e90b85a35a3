"""Merging in the object store: no work tree, no index, nothing checked out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from openllm_repos.git.bench import bench
from openllm_repos.git.markers import markers
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import COMMIT, TREE, PackWriter
from openllm_repos.git.process import Completed, GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change, Conflict, Settled, Side
from openllm_repos.temporary import temporary_folder

_NOBODY = b"openllm-repos <openllm-repos@localhost> 0 +0000"
# The same merge on every machine: neither a person's settings nor their drivers and attributes decide about a target's
# files. A driver of a name that git does not know is its own, whatever `merge.text.driver` says. How conflicts look in
# files (merge.conflictStyle) is theirs.
SETTINGS = (
    f"core.attributesFile={os.devnull}",
    "merge.default=openllm-repos-none",
    "merge.renames=true",
    "merge.renameLimit=7000",
    "diff.algorithm=histogram",
)
_STAGE_BASE, _STAGE_OURS, _STAGE_THEIRS = 1, 2, 3
# The kinds of git's messages are stable strings (git-merge-tree, "Informational messages").
_BOTH_RENAMED, _RENAMED_AND_DELETED = b"CONFLICT (rename/rename)", b"CONFLICT (rename/delete)"
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
        conflicted: with conflicts, the tree as far as it goes, marks of conflict in its files.
        stages: of each path in conflict the base's, the target's and the source's file (1, 2, 3: mode and hex id).
        aside: paths where one side has a folder in the place of the other's file.
    """

    tree: ObjectId | None
    conflicts: tuple[Conflict, ...] = ()
    conflicted: ObjectId | None = None
    stages: Mapping[bytes, Mapping[int, tuple[bytes, bytes]]] = field(default_factory=dict)
    aside: frozenset[bytes] = frozenset()

    def named(self, settled: Sequence[Settled]) -> tuple[Settled, ...]:
        """Return sides that a person chose, with the new names of files that both sides renamed."""
        chosen = {one.path: one for one in settled}
        for conflict in self.conflicts:
            if conflict.path in chosen:
                for name in filter(None, (conflict.source_path, conflict.target_path)):
                    chosen.setdefault(name, Settled(name, chosen[conflict.path].side))
        return tuple(chosen.values())

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
    writer.finish(unpack=True)
    return Sides(*(ObjectId(made.decode()) for made in (root, one, two)))


def merge(repository: Repository, sides: Sides) -> Merged:
    """Merge `theirs` into `ours`; an edit follows a file that the other side renamed.

    Args:
        repository: the clone; new trees and blobs are written to it.
        sides: what to merge.
    """
    args = ("merge-tree", "--write-tree", "-z", "--messages", sides.ours, sides.theirs)
    with bench(repository, keep=True) as apart:  # the clone's own folder has attributes
        done = apart.git.run(*args, ok=(0, 1), settings=SETTINGS)
    tree, *fields = done.stdout.split(b"\0")
    if done.code == 0:
        return Merged(ObjectId(tree.decode()))
    end = fields.index(b"")
    stages, aside = _staged(fields[:end], sides)
    if not stages:  # exit code 1 without a conflicted path: git says conflict, and nothing else can be trusted
        raise GitFailed("merge-tree", Completed(done.code, b"", done.stderr))
    found = {path: _conflict(path, stages[path], crowded=path in aside) for path in sorted(stages)}
    for kind, paths in _messages(fields[end + 1 :]):
        if kind == _BOTH_RENAMED and paths[0] in found:
            found[paths[0]] = replace(found[paths[0]], target_path=paths[1], source_path=paths[2])
        elif kind == _RENAMED_AND_DELETED and paths[0] in found:
            found[paths[0]] = replace(found[paths[0]], before=paths[1])
    with ObjectReader(repository.git) as reader:
        conflicts = tuple(_line_ends(reader, conflict, stages[path]) for path, conflict in found.items())
    return Merged(None, conflicts, ObjectId(tree.decode()), stages, aside)


def merge_file(
    repository: Repository, base: tuple[bytes, bytes], ours: tuple[bytes, bytes], theirs: tuple[bytes, bytes]
) -> tuple[bytes, bytes] | None:
    """Merge one file (mode and hex id) three ways; None where the changes do not go together."""
    name = b"file"
    with PackWriter(repository.git, repository.objects_dir, repository.object_format) as writer:
        rows = [b"%b %b\0%b" % (mode, name, bytes.fromhex(item.decode())) for mode, item in (base, ours, theirs)]
        sides = three_sides(writer, *(writer.add(TREE, row) for row in rows))
    merged = merge(repository, sides)
    return None if merged.tree is None else _entry(repository, merged.tree, name)


def merge_commits(repository: Repository, one: ObjectId, two: ObjectId) -> ObjectId | None:
    """Return the tree that git makes of two commits, None where they do not go together."""
    args = ("merge-tree", "--write-tree", "--allow-unrelated-histories", "--no-messages", one, two)
    with bench(repository, keep=True) as apart:
        done = apart.git.run(*args, ok=(0, 1), settings=SETTINGS)
    return ObjectId(done.stdout.decode().split()[0]) if done.code == 0 else None


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


def take_sides(repository: Repository, merged: Merged, sides: Sides, settled: Sequence[Settled]) -> ObjectId:
    """Return the tree of a merge with one side's file, or its absence, at each of the paths that are settled.

    Args:
        repository: the clone; the tree is written to it.
        merged: a merge with conflicts.
        sides: what was merged.
        settled: the paths, each in conflict and none of `merged.aside`.
    """
    assert merged.conflicted is not None  # it has conflicts
    with temporary_folder() as place:
        extra = {**repository.git.extra, "GIT_INDEX_FILE": str(place / "index")}
        git = replace(repository.git, extra=extra)
        git.run("read-tree", merged.conflicted)
        rows = index_rows(chosen(repository, merged, sides, settled), repository.id_length)
        git.run("update-index", "-z", "--index-info", stdin=rows)
        return ObjectId(git.text("write-tree", "--missing-ok"))


def chosen(
    repository: Repository, merged: Merged, sides: Sides, settled: Sequence[Settled]
) -> dict[bytes, tuple[bytes, bytes] | None]:
    """Return mode and blob of the side that was chosen for each path; None where that side has no file there.

    Where both sides renamed a file, git stores the merge of the two with its markers as "the file of a side". Then the
    side's own file at that path is meant.
    """
    found: dict[bytes, tuple[bytes, bytes] | None] = {}
    own = {Side.OURS: sides.ours, Side.THEIRS: sides.theirs}
    with ObjectReader(repository.git) as reader:
        for one in settled:
            stage = merged.stages[one.path].get(_STAGES[one.side])
            there = _entry(repository, own[one.side], one.path)
            if stage is not None and stage != there and there is not None and _is_merged(reader, stage, sides):
                stage = there
            found[one.path] = stage
    return found


def _is_merged(reader: ObjectReader, entry: tuple[bytes, bytes], sides: Sides) -> bool:
    """Whether a file is the work of a merge: it has markers that name the sides of this one."""
    if not entry[0].startswith(b"100"):
        return False
    lines = markers(reader.read(entry[1]).data)
    return any(side.encode() in line for line in lines for side in (sides.ours, sides.theirs))


def _entry(repository: Repository, commit: ObjectId, path: bytes) -> tuple[bytes, bytes] | None:
    """Return mode and blob of a commit's file, None where it has none."""
    args = ("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", os.fsdecode(path))
    row = repository.git.run(*args).stdout.partition(b"\t")[0].split(b" ")
    return (row[0], row[2]) if len(row) == 3 and row[1] == b"blob" else None


def index_rows(entries: Mapping[bytes, tuple[bytes, bytes] | None], id_length: int) -> bytes:
    """Return what ``update-index -z --index-info`` reads: each path with its file, or without one."""
    nothing = (b"0", b"0" * id_length)
    return b"".join(b"%b %b\t%b\0" % (*(entry or nothing), path) for path, entry in entries.items())


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


def _messages(fields: Sequence[bytes]) -> Iterator[tuple[bytes, Sequence[bytes]]]:
    """Read ``number NUL paths NUL kind NUL text NUL`` and yield kind and paths; the text is for people."""
    at = 0
    while at < len(fields) and fields[at]:
        kind = at + 1 + int(fields[at])
        yield fields[kind], fields[at + 1 : kind]
        at = kind + 2


def _line_ends(reader: ObjectReader, conflict: Conflict, stages: Mapping[int, tuple[bytes, bytes]]) -> Conflict:
    """Say so where line ends alone are in the way: one side changed nothing else, or the two differ in nothing else."""
    entries = [stages.get(stage, (b"", b"")) for stage in (_STAGE_BASE, _STAGE_OURS, _STAGE_THEIRS)]
    if not all(mode.startswith(b"100") for mode, _ in entries[1:]) or entries[1][1] == entries[2][1]:
        return conflict
    base, ours, theirs = (reader.read(blob).data if mode.startswith(b"100") else None for mode, blob in entries)
    assert ours is not None  # both are files
    assert theirs is not None
    crlf = Side.OURS if ours.count(b"\r\n") > theirs.count(b"\r\n") else Side.THEIRS
    before, here, there = (None if data is None else data.replace(b"\r\n", b"\n") for data in (base, ours, theirs))
    if here == there:
        return replace(conflict, source=Change.LINE_ENDS, target=Change.LINE_ENDS, crlf=crlf)
    if here == before:
        return replace(conflict, target=Change.LINE_ENDS, crlf=crlf)
    if there == before:
        return replace(conflict, source=Change.LINE_ENDS, crlf=crlf)
    return conflict


def _conflict(path: bytes, stages: Mapping[int, object], *, crowded: bool) -> Conflict:
    """Say what each side did: that follows from which stages a path has."""

    def side(stage: int) -> Change:
        if stage in stages:
            return Change.MODIFIED if _STAGE_BASE in stages else Change.ADDED
        return Change.FOLDER if crowded else Change.DELETED

    return Conflict(path, source=side(_STAGE_THEIRS), target=side(_STAGE_OURS))
