"""A target and the projection merged in the object store; what does not go together, and who did it on either side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from openllm_repos.errors import ConflictError, UsageError
from openllm_repos.family.relation import Relation
from openllm_repos.git.describe import describe, describe_by_path
from openllm_repos.git.merge import Merged, Sides, merge, take_sides, three_sides
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import PackWriter
from openllm_repos.git.remembered import settled_before
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Conflict, Described, Settled
from openllm_repos.projection.project import origins
from openllm_repos.projection.trees import Node
from openllm_repos.sync.reviewed import reviewed
from openllm_repos.text import show_path


class MergeConflict(ConflictError):
    """Source and target changed the same places of a file."""

    def __init__(self, target: Repo, conflicts: tuple[Conflict, ...], settled: int = 0, *, is_open: bool) -> None:
        sync = f"openllm-repos sync {target.name}"
        if is_open:
            hint = finish_merge(target.name)
        elif all(conflict.remembered for conflict in conflicts):
            hint = f"{sync} --resolve  # to take over what was settled before, then --continue"
        else:
            hint = f"{sync} --resolve  # or take one side of a file: --keep-target PATH, --take-source PATH"
        some = "1 file" if len(conflicts) == 1 else f"{len(conflicts)} files"
        other = "other " if settled else ""
        super().__init__(
            f"The source and {target.name} both changed {some.replace(' ', f' {other}', 1)} in ways that do not go"
            " together; nothing was changed.",
            hint=hint,
        )
        self.conflicts = conflicts


def merge_notes(repository: Repository) -> Path:
    """Return the folder with a note for each merge that is open in this clone."""
    return repository.state_dir / "resolve"


def merge_note(repository: Repository, target: Repo) -> Path:
    """Return where it is written down that a merge for `target` is open."""
    return merge_notes(repository) / f"{target.name}.json"


def finish_merge(name: str) -> str:
    """Return what to type where a merge for a target is open."""
    return (
        f"openllm-repos sync {name} --continue  # once all is settled\nopenllm-repos sync {name} --abort  # or drop it"
    )


def sides_of(repository: Repository, reader: ObjectReader, relation: Relation, target: Repo) -> Sides:
    """Write what a merge of this relation needs: the base, the target and the projection as comparable commits.

    All three have the target's own files, the same ones, so no rename that git finds can lead into them or out of them.

    Raises:
        ConflictError: as :func:`_trees`.
    """
    base, ours, theirs = _trees(reader, relation, target)
    with PackWriter(repository.git, repository.objects_dir, repository.object_format) as writer:
        return three_sides(writer, relation.part.write(base, writer), ours, relation.part.write(theirs, writer))


def _trees(reader: ObjectReader, relation: Relation, target: Repo) -> tuple[Node, bytes, Node]:
    """Return the trees of base and projection, with the target's own files, and of the target.

    Raises:
        ConflictError: the source changes a file where the target has a folder of its own, or the other way round.
    """
    assert relation.tip is not None  # an empty target needs no merge
    part, projection = relation.part, relation.theirs
    found = reader.find(relation.tip.encode() + b"^{tree}")
    assert found is not None  # the commit was read before
    ours = found[0]
    base, no_room_before = part.in_place(ours, relation.base)
    theirs, no_room = part.in_place(ours, projection)
    for change in part.changes(relation.base, projection):
        if change.path in no_room or change.path in no_room_before:
            raise ConflictError(
                f"{target.name}: {show_path(change.path)} is {change.change} in the source, but {target.name} has files"
                " of its own in that place, and one path cannot be both a file and a folder.",
                hint="Rename the one or the other, in the source or in the target, then sync again.",
            )
    return base, ours, theirs


def merged_tree(
    repository: Repository, reader: ObjectReader, relation: Relation, target: Repo, settled: Sequence[Settled] = ()
) -> tuple[ObjectId, tuple[Settled, ...]]:
    """Return the tree that the target gets, and the conflicts that were settled by taking one side.

    Args:
        repository: the clone.
        reader: reads its objects.
        relation: the target, held against the source commit that it gets.
        target: the manifest's entry.
        settled: conflicts that are settled by taking one side.

    Raises:
        MergeConflict: source and target changed the same places.
        UsageError: a path of `settled` is not in conflict.
    """
    if relation.tip is None:
        found = reader.find(relation.projected.encode() + b"^{tree}")
        assert found is not None  # the projection was just made
        require_in_conflict(target, settled, Merged(None))
        return ObjectId(found[0].decode()), ()
    if not relation.drift.files:  # most targets: there is nothing to merge
        require_in_conflict(target, settled, Merged(None))
        _, _, theirs = _trees(reader, relation, target)
        with PackWriter(repository.git, repository.objects_dir, repository.object_format) as writer:
            tree = relation.part.write(theirs, writer)
            writer.finish(unpack=True)
        return ObjectId(tree.decode()), ()
    sides = sides_of(repository, reader, relation, target)
    merged = merge(repository, sides)
    require_in_conflict(target, settled, merged)
    if merged.tree is not None:
        return merged.tree, ()
    named = {one.path for one in settled}
    others = [conflict for conflict in merged.conflicts if conflict.path not in named]
    settled = (*settled, *reviewed(repository, reader, relation, target, others))
    sided = merged.named(settled)
    chosen = {one.path for one in sided}
    left = [conflict for conflict in merged.conflicts if conflict.path not in chosen]
    renamed = {name for conflict in left for name in (conflict.source_path, conflict.target_path)}
    left = [conflict for conflict in left if conflict.path not in renamed]  # told with the name before
    if left:
        conflicts = with_commits(repository, reader, relation, target, merged, left)
        raise MergeConflict(target, conflicts, len(settled), is_open=merge_note(repository, target).exists())
    return take_sides(repository, merged, sides, sided), tuple(settled)


def require_in_conflict(target: Repo, settled: Sequence[Settled], merged: Merged) -> None:
    """Refuse a side for a path that is not in conflict, or where taking a side is not enough.

    Raises:
        UsageError: it is so.
    """
    there = [conflict.path for conflict in merged.conflicts]
    for one in settled:
        if one.path in merged.aside:
            raise UsageError(
                f"{target.name}: {show_path(one.path)} is a file on one side and a folder on the other: more than"
                " one path is to be settled.",
                hint=f"openllm-repos sync {target.name} --resolve",
            )
        if one.path not in there:
            listed = ", ".join(show_path(path) for path in there)
            raise UsageError(
                f"{target.name}: {show_path(one.path)} is not in conflict.",
                hint=f"In conflict: {listed}" if there else f"openllm-repos sync {target.name}",
            )


def with_commits(
    repository: Repository,
    reader: ObjectReader,
    relation: Relation,
    target: Repo,
    merged: Merged,
    conflicts: Iterable[Conflict],
) -> tuple[Conflict, ...]:
    """Return conflicts with the commits of both sides that touch their paths since the last sync.

    The source's commits are found in the projection, where their paths are those of the target, and named as the source
    has them. A file that one side renamed is followed to the name that it had at the last sync.
    """
    assert relation.tip is not None  # else there is no conflict
    base = {change.new[1]: change.path for change in relation.part.files(relation.base) if change.new is not None}
    names = {}
    for conflict in conflicts:
        before = base.get(merged.base_of(conflict.path) or b"")
        known = {conflict.path, before, conflict.source_path, conflict.target_path, conflict.before}
        names[conflict] = {path for path in known if path is not None}
    paths = sorted(set().union(*names.values()))
    since = [] if relation.since is None else [relation.since]
    theirs = list(describe_by_path(repository, relation.projected, paths, without=since))
    mine = relation.drift.commits
    ours = [(one, frozenset(relation.own.changes(one.id))) for one in describe(repository, mine)]
    _, copied_from = origins(repository, relation.source_commit, target.maps, reader=reader)

    def in_source(one: Described) -> Described:
        found = copied_from.get(one.id.encode())
        return one if found is None else replace(one, id=ObjectId(found.decode()))

    return tuple(
        replace(
            conflict,
            source_commits=tuple(in_source(one) for one, changed in theirs if _touches(changed, known)),
            target_commits=tuple(one for one, changed in ours if _touches(changed, known)),
            remembered=_remembered(repository, reader, merged, conflict.path),
        )
        for conflict, known in names.items()
    )


def _remembered(repository: Repository, reader: ObjectReader, merged: Merged, path: bytes) -> bool:
    """Whether this clone remembers how a conflict was settled. It is only told: a person looks before it is pushed."""
    left = None if path in merged.aside else conflicted_file(reader, merged, path)
    return left is not None and settled_before(repository, left)


def conflicted_file(reader: ObjectReader, merged: Merged, path: bytes) -> bytes | None:
    """Return a file as the merge left it, with its markers; None where it is none."""
    found = None if b"\n" in path else reader.find(f"{merged.conflicted}:".encode() + path)
    return reader.read(found[0]).data if found is not None and found[1] == b"blob" else None


def _touches(changed: frozenset[bytes], paths: set[bytes]) -> bool:
    """Whether one of the files that changed is one of the paths, or lies below one that is a folder on that side."""
    return any(path == name or path.startswith(name + b"/") for path in changed for name in paths)
