"""What must be true of a commit before it may be pushed to a target."""

from __future__ import annotations

import os
from functools import lru_cache

from openllm_repos.errors import ConflictError
from openllm_repos.family.relation import Relation
from openllm_repos.git.history import commits, files_below
from openllm_repos.git.incoming import files_at
from openllm_repos.git.markers import expected_markers, markers
from openllm_repos.git.objects import ObjectReader, top_names
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.twins import find_twins
from openllm_repos.plan import Change, FileChange
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.trees import GITLINK_MODE, Node
from openllm_repos.text import show_path

_SUBMODULES = b".gitmodules"


def check_tree(part: MappedPart, target: Repo, changes: tuple[FileChange, ...]) -> None:
    """Check that a sync changes mapped paths only: owned files and all else are byte for byte as before.

    Raises:
        ConflictError: it would change another path.
    """
    for change in changes:
        if not part.holds(change.path) or any(pattern.protects(change.path) for pattern in target.owned):
            raise ConflictError(
                f"{target.name}: the merge would change {show_path(change.path)}, which belongs to the target.",
                hint="Nothing was pushed. If you changed it while settling a conflict, undo that; else report it.",
            )


def check_entries(target: Repo, projection: tuple[FileChange, ...]) -> None:
    """Check the projected files themselves: no submodules, and no names that git itself uses.

    Args:
        target: the target's entry of the manifest.
        projection: all files of the projection, as additions to nothing.

    Raises:
        ConflictError: one of them may not be carried over.
    """
    for change in projection:
        name = change.path.rpartition(b"/")[2]
        if change.new is not None and change.new[0] == GITLINK_MODE:
            problem = "is a submodule, which cannot be carried into another repository"
        elif name == _SUBMODULES or any(part.lower() == b".git" for part in change.path.split(b"/")):
            problem = "has a name that git itself uses"
        else:
            continue
        raise ConflictError(
            f"{target.name}: {show_path(change.path)} {problem}.",
            hint="Narrow the map's pattern, or rename it in the source.",
        )


def check_twins(repository: Repository, target: Repo, tree: ObjectId, changes: tuple[FileChange, ...]) -> None:
    """Check that no file comes to a target that Windows or macOS take for another one of its files.

    Args:
        repository: the clone.
        target: the manifest's entry.
        tree: what the target would get.
        changes: what that changes there.

    Raises:
        ConflictError: one does.
    """
    comes = [os.fsdecode(change.path) for change in changes if change.change is Change.ADDED]
    if not comes:
        return
    for twins in find_twins(comes, (os.fsdecode(path) for path, _ in files_at(repository, tree))):
        raise ConflictError(
            f"{target.name}: {twins}; nothing was pushed.",
            hint="Rename one of them, in the source or in the target, or narrow the map's pattern.",
        )


def check_never(repository: Repository, manifest: Manifest, target: Repo, source_commit: ObjectId) -> None:
    """Check once more, on the real files, that no path that must never leave the source is among those that maps read.

    Raises:
        ConflictError: one is.
    """
    for a_map in target.maps:
        path = _leak(repository, source_commit, a_map.source, manifest.project.never)
        if path is not None:
            raise ConflictError(
                f"{target.name}: {show_path(path)} may never leave the source, but a map reads it.",
                hint="Narrow the map's pattern.",
            )


@lru_cache
def _leak(repository: Repository, commit: ObjectId, read: Pattern, never: tuple[Pattern, ...]) -> bytes | None:
    """Return a file that a map reads and that must never leave the source; hundreds of targets may have that map."""
    files = files_below(repository, commit, read.base)
    return next(
        (path for path in files if read.matches(path) and any(pattern.protects(path) for pattern in never)), None
    )


def check_commits(
    repository: Repository, reader: ObjectReader, target: Repo, tip: ObjectId | None, projected: ObjectId
) -> int:
    """Check that every commit that comes with a sync holds mapped folders and files only, at the top of its tree.

    A commit of the source itself, which would bring everything else along, cannot pass.

    Returns:
        how many come.

    Raises:
        ConflictError: a commit holds something else.
    """
    mapped = [a_map.output.components[0] for a_map in target.maps]
    new = list(commits(repository, projected, without=[] if tip is None else [tip]))
    commit_of = {found.data[5 : found.data.index(b"\n")]: found.id for found in reader.read_many(map(str.encode, new))}
    for tree, found in zip(commit_of, reader.read_many(commit_of), strict=True):
        for name in top_names(found.data, len(tree) // 2):
            if not any(component.matches(name) for component in mapped):
                raise ConflictError(
                    f"{target.name}: {commit_of[tree][:10].decode()} brings {show_path(name)}, which no map writes.",
                    hint="Nothing was pushed. Please report this, with the maps of the target.",
                )
    return len(new)


def check_markers(
    reader: ObjectReader, target: Repo, relation: Relation, tree: ObjectId, changes: tuple[FileChange, ...]
) -> None:
    """Check that no file that a merge or a person made has conflict markers that neither side had.

    Raises:
        ConflictError: one has.
    """
    left = with_markers(reader, relation, tree, changes)
    if left:
        raise ConflictError(
            f"{target.name}: conflict markers are in {', '.join(map(show_path, left))}; nothing was pushed.",
            hint=f"openllm-repos sync {target.name} --resolve  # and edit the file there",
        )


def with_markers(
    reader: ObjectReader, relation: Relation, tree: ObjectId, changes: tuple[FileChange, ...]
) -> tuple[bytes, ...]:
    """Return the files of `tree` with conflict markers that neither side had; those of one side are as they are.

    Args:
        reader: reads the clone's objects.
        relation: the target, held against the source.
        tree: what the target would get.
        changes: what that changes there.
    """
    projection = relation.theirs
    differs = {change.path for change in relation.part.changes(projection, relation.part.of(tree.encode()))}
    made = [(change.path, change.new) for change in changes if change.path in differs]
    return tuple(path for path, new in made if unexpected_markers(reader, relation, path, _text(reader, new)))


def unexpected_markers(
    reader: ObjectReader, relation: Relation, path: bytes, content: bytes, *, middle: bool = False
) -> bool:
    """Whether a file has lines like conflict markers that a merge of both sides does not explain.

    Args:
        reader: reads the clone's objects.
        relation: the target, held against the source.
        path: the file's.
        content: what it holds.
        middle: whether lines like those between two sides count, which headings have too.
    """
    found = markers(content, middle=middle)
    if not found:
        return False
    part = relation.part
    sides = (_tree_of(relation, relation.tip), relation.theirs)

    def texts(side: Node) -> list[bytes]:
        """Return the side's file; where it has none there, as after a rename, all that it changed."""
        there = [change for change in part.files(side) if change.path == path]
        return [_text(reader, change.new) for change in there or part.changes(relation.base, side)]

    before = b"".join(_text(reader, change.new) for change in part.files(relation.base) if change.path == path)
    return bool(found - expected_markers(before, *map(texts, sides), middle=middle))


def _tree_of(relation: Relation, commit: ObjectId | None) -> Node:
    return relation.part.of(None if commit is None else commit.encode() + b"^{tree}")


def _text(reader: ObjectReader, entry: tuple[bytes, bytes] | None) -> bytes:
    """Return what a file holds; nothing for a link, a submodule, or no file."""
    return b"" if entry is None or not entry[0].startswith(b"100") else reader.read(entry[1]).data
