"""What a person may not expect of a sync: maps that changed, and a source that went back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from openllm_repos.family.left_behind import left_behind
from openllm_repos.family.relation import Relation, State
from openllm_repos.family.source import empty_maps, uncommitted
from openllm_repos.git.attributes import lfs_paths
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.process import GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import History, Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import FileChange, Settled
from openllm_repos.preflight.fixes import track
from openllm_repos.preflight.limits import pointers
from openllm_repos.text import show_path

_NAMED = 3


def sync_notes(
    repository: Repository, reader: ObjectReader, manifest: Manifest, target: Repo, relation: Relation
) -> Iterator[str]:
    """Yield what to say of a target before it is synced.

    Args:
        repository: the clone.
        reader: reads its objects.
        manifest: says where the source is.
        target: the manifest's entry.
        relation: the target, held against the source commit that it gets.
    """
    if relation.state in {State.AHEAD, State.REWRITTEN}:
        how = "was reset" if relation.state is State.AHEAD else "was rewritten"
        yield (
            f"The source {how} since {target.name} was synced from {str(relation.synced_from)[:10]}: {target.name}"
            " follows, and gives up what the source no longer has."
        )
    if relation.at is None or relation.tip is None or relation.at.state.digest == maps_digest(target.maps):
        return
    if target.history is History.FULL and relation.at.written:
        yield (
            f"The maps of {target.name} have changed, so the source's history comes anew through them:"
            f" {_some(relation.behind, 'commit')}, beside those that {target.name} has."
        )
    yield from left_behind(repository, reader, manifest, target, relation)


def lfs_notes(
    repository: Repository, reader: ObjectReader, target: Repo, tree: ObjectId, changes: Sequence[FileChange]
) -> Iterator[str]:
    """Say which files come as text to paths that the target's own attributes give to LFS.

    A host takes them. Edited there they become pointers, which a source without such a line would keep as text.

    Args:
        repository: the clone.
        reader: reads its objects.
        target: the manifest's entry.
        tree: what the target gets.
        changes: what that changes there.
    """
    attributes = reader.find(f"{tree}:.gitattributes".encode())
    if attributes is None or b"filter=lfs" not in reader.read(attributes[0]).data:
        return
    lines = reader.read(attributes[0]).data.splitlines()
    given = [line.split()[0] for line in lines if b"filter=lfs" in line]
    files = {
        change.path: change.new[1]
        for change in changes
        if change.new and change.new[0].startswith(b"100") and any(_may_match(one, change.path) for one in given)
    }
    tracked = sorted(lfs_paths(repository, tree, sorted(files)))
    found = pointers(reader, (files[path] for path in tracked))
    if plain := [path for path in tracked if files[path] not in found]:
        patterns = " ".join(f'"{pattern}"' for pattern in dict.fromkeys(map(track, plain)))
        yield (
            f".gitattributes of {target.name} gives {_listed(plain)} to LFS, but the source does not: edited there, it"
            f" becomes a pointer. In the source, 'git lfs track {patterns}' makes it one."
        )


def _may_match(pattern: bytes, path: bytes) -> bool:
    """Whether a pattern of ``.gitattributes`` may match a path; only then is git asked, which knows."""
    if any(sign in pattern for sign in (b"\\", b'"', b"[")):
        return True
    if b"/" not in pattern:
        return fnmatchcase(path.rpartition(b"/")[2], pattern)
    return path.startswith(re.split(rb"[*?]", pattern.removeprefix(b"/"))[0])


def review_notes(target: Repo, settled: Sequence[Settled], chosen: Sequence[Settled]) -> Iterator[str]:
    """Say which conflicts nobody had to settle: the source has changed what was imported from there.

    Args:
        target: the target.
        settled: all that were settled by taking a side.
        chosen: those in which a person did.
    """
    if paths := [one.path for one in settled if one not in chosen]:
        yield (
            f"{_listed(paths)} of {target.name} was imported, and the source took that over in another form:"
            f" {target.name} gets it as the source has it."
        )


def map_notes(manifest: Manifest, repository: Repository, targets: Sequence[Repo], commit: ObjectId) -> tuple[str, ...]:
    """Say what the maps do not carry: nothing at all where a folder is misspelt, and never what is not committed."""
    with ObjectReader(repository.git) as reader:
        notes = [
            note
            for target in targets
            for note in empty_maps(reader, manifest, target, commit, repository.object_format)
        ]
    try:
        changed = uncommitted(repository, [a_map for target in targets for a_map in target.maps])
    except GitFailed as why:  # a filter of the work tree that does not run, such as that of git-lfs: no matter here
        return (*notes, f"Whether your clone has uncommitted changes could not be told: {why.completed.said}")
    if changed:
        files = "1 mapped file" if changed == 1 else f"{changed} mapped files"
        notes.append(f"Your clone has uncommitted changes to {files}; a sync carries commits only.")
    return tuple(notes)


def _some(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count} {what}s"


def _listed(paths: list[bytes]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(show_path(path) for path in paths[:_NAMED]) + more
