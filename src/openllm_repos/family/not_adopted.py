"""A target that nothing explains: filled by other means, or synced from a commit that nobody has any more."""

from __future__ import annotations

from openllm_repos.errors import ConflictError
from openllm_repos.family.likeness import Copied, find_likest
from openllm_repos.family.relation import Relation, State, relate
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Unreachable, endpoints, fetch
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.project import origins


class NotAdopted(ConflictError):
    """Nothing says what a target and the source both started from, and the target has files at mapped paths."""

    def __init__(self, repository: Repository, reader: ObjectReader, target: Repo, relation: Relation) -> None:
        files, gone = len(relation.drift.files), relation.synced_from
        some = "1 file" if files == 1 else f"{files} files"
        why = f"{target.name} already has {some} at mapped paths, but no sync put them there."
        adopt = ["adopt", target.name]
        if gone is not None:
            why = f"{target.name} was last synced from {gone[:10]}, which is gone from this clone and from the source."
            likest = _likest(repository, reader, target, relation)
            adopt += [] if likest is None else ["--at", likest[:10]]
        elif relation.lost is not None:
            why = (
                f"{target.name} was synced by this clone, and its history was rewritten since: it says nothing of that."
            )
            if held := relation.lost.state.held:
                why += f" It was held at {held}, and an adoption holds it there again."
        remark = "" if gone is None else "the commit that its files are most like"
        super().__init__(why, hint=command_line("openllm-repos", *adopt, remark=remark))


def relate_fetched(
    repository: Repository,
    reader: ObjectReader,
    manifest: Manifest,
    target: Repo,
    commit: ObjectId,
    tip: ObjectId | None,
) -> Relation:
    """Hold a target against a source commit; where it was synced from one that is not here, ask the source's host.

    Most hosts give out a commit by its id for a while after the last branch has left it; one that does not is no fault.

    Args and raises: as :func:`~openllm_repos.family.relation.relate`.
    """
    found = relate(repository, reader, manifest, target, commit, tip)
    gone, source = found.synced_from, manifest.source
    asked = {State.NOT_ADOPTED, State.REWRITTEN}
    if found.state not in asked or gone is None or reader.find(gone.encode()) is not None:
        return found
    try:
        fetch(repository, endpoints(repository, {source.name: source.url})[source.name].url, gone)
    except Unreachable:
        return found
    return relate(repository, reader, manifest, target, commit, tip)


def _likest(repository: Repository, reader: ObjectReader, target: Repo, relation: Relation) -> ObjectId | None:
    """Return the source commit that a target's files are most like, as an adoption finds it."""
    assert relation.tip is not None  # it has files
    _, copied_from = origins(repository, relation.source_commit, target.maps, reader=reader)
    found = find_likest(repository, copied_from, Copied.at(repository, target, relation.tip, relation.drift.files))
    return None if found is None else ObjectId(copied_from[found.projected.encode()].decode())
