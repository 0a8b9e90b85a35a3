"""Files that a target keeps from maps that its manifest no longer has."""

from __future__ import annotations

from collections.abc import Iterator

from openllm_repos.family.relation import Relation
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import Repo
from openllm_repos.projection.changes import MappedPart
from openllm_repos.text import show_path

_NAMED = 3


def left_behind(repository: Repository, reader: ObjectReader, target: Repo, relation: Relation) -> Iterator[str]:
    """Say which files no map writes any more since the maps changed, and which of them the target has edited."""
    if relation.at is None or relation.tip is None or relation.at.state.digest == maps_digest(target.maps):
        return
    part = MappedPart(reader, relation.at.state.maps, repository.object_format)
    tip = part.of(relation.tip.encode() + b"^{tree}")
    left = [change.path for change in part.files(tip) if not relation.part.holds(change.path)]
    if not left:
        return
    brought = part.of(None if relation.since is None else relation.since.encode() + b"^{tree}")
    edited = [change.path for change in part.changes(brought, tip) if change.path in left] if relation.since else []
    some = "1 file" if len(left) == 1 else f"{len(left)} files"
    folders = sorted({path.rpartition(b"/")[0] + b"/" if b"/" in path else path for path in left})
    places = _listed(folders)
    text = f"No map of {target.name} writes {places} any more; {some} there stay as they are."
    if edited:
        text += (
            f" {target.name} has edited {_listed(edited)}: to take that along, put the old map back before the next"
            f" sync, run 'openllm-repos import {target.name}', and change the map again."
        )
    yield text


def _listed(paths: list[bytes]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(show_path(path) for path in paths[:_NAMED]) + more
