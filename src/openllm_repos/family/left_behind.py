"""Files that a target keeps from maps that its manifest no longer has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from openllm_repos.family.relation import Relation
from openllm_repos.family.state import MAPS, STATES, StateCommit, TargetState, read_state
from openllm_repos.git.history import knows_object
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import FileChange
from openllm_repos.projection.changes import MappedPart
from openllm_repos.text import show_path

_NAMED = 3
_MAPS = re.compile(rb"^%b: (\S+)\r?$" % MAPS.encode(), re.MULTILINE)


def left_behind(
    repository: Repository, reader: ObjectReader, manifest: Manifest, target: Repo, relation: Relation
) -> Iterator[str]:
    """Say which files no map writes any more, as long as that is news, and for as long as they stand which were edited.

    What the source ever had is no edit, nor is what the target owns by now.
    """
    if relation.at is None:
        return
    assert relation.tip is not None  # it is in a state
    digest, tree = maps_digest(target.maps), relation.tip.encode() + b"^{tree}"
    told: set[bytes] = set()
    for at in _earlier(repository, reader, manifest, relation.tip, digest):
        part = MappedPart(reader, at.state.maps, repository.object_format)
        tip = part.of(tree)
        left = [one.path for one in part.files(tip) if not relation.part.holds(one.path) and one.path not in told]
        if not left:
            continue
        told.update(left)
        brought = at.state.projected
        there = None if brought is None else reader.find(brought.encode() + b"^{tree}")
        changes = () if there is None else part.changes(part.of(there[0]), tip)
        edited = [*_edited(repository, relation, target, at.state, (one for one in changes if one.path in left))]
        if at.id == relation.at.id:
            some = "1 file there stays as it is" if len(left) == 1 else f"{len(left)} files there stay as they are"
            folders = sorted({path.rpartition(b"/")[0] + b"/" if b"/" in path else path for path in left})
            yield f"No map of {target.name} writes {_listed(folders)} any more; {some}."
        if edited:
            name = target.name
            yield (
                f"{name} has edited {_listed(edited)}, which no map writes any more. To take that along, put the old"
                f" map back, run 'openllm-repos sync {name}' and 'openllm-repos import {name}', merge that, and change"
                " the map again; to leave it there, name it in owned."
            )


def _edited(
    repository: Repository, relation: Relation, target: Repo, state: TargetState, changes: Iterable[FileChange]
) -> Iterator[bytes]:
    """Yield those files of earlier maps whose content the source never had."""
    for one in changes:
        if any(pattern.protects(one.path) for pattern in target.owned):
            continue
        assert one.new is not None  # it is left
        sources = (a_map.source_path(one.path) for a_map in state.maps)
        if not any(
            source is not None and knows_object(repository, relation.source_commit, source, one.new[1])
            for source in sources
        ):
            yield one.path


def _earlier(
    repository: Repository, reader: ObjectReader, manifest: Manifest, tip: ObjectId, digest: str
) -> Iterator[StateCommit]:
    """Yield the newest state of each set of maps that a target had, but those of `digest`; the newest first."""
    asked = ("rev-list", "--first-parent", "--extended-regexp", f"--grep={STATES}", "--no-commit-header")
    listed = repository.git.run(*asked, "--format=%x00%H%n%B", tip, "--").stdout
    seen = {digest.encode()}
    for row in listed.split(b"\0")[1:]:
        commit, _, message = row.partition(b"\n")
        maps = _MAPS.findall(message)[-1:]
        if not seen.issuperset(maps):
            seen.update(maps)
            found = read_state(reader, ObjectId(commit.decode()), reader.read(commit).data, manifest.source.url)
            if found is not None:
                yield found


def _listed(paths: list[bytes]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(show_path(path) for path in paths[:_NAMED]) + more
