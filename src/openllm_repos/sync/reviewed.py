"""Conflicts of an import with itself: the source took it over in one commit that does not say so, changed in review.

A host that squashes a branch under its title alone leaves nothing to read. What this clone imported its log knows; and
one commit of the source that has most of the lines which that brought to a file, when nothing else changed the file
meanwhile, was made of it. Then what the import brought is what both sides started from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from openllm_repos.family.relation import Relation
from openllm_repos.git.history import first_parents, is_ancestor, parents_of
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import operations
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change, Conflict, Settled, Side


def reviewed(
    repository: Repository, reader: ObjectReader, relation: Relation, target: Repo, conflicts: Iterable[Conflict]
) -> Iterator[Settled]:
    """Yield the conflicts in which the source has changed what was imported, to be taken as it has them.

    Args:
        repository: the clone; its log says what was imported here.
        reader: reads its objects.
        relation: the target, held against the source commit that it gets.
        target: the manifest's entry.
        conflicts: what does not go together.
    """
    imported = [*_imported(repository, reader, target, relation.source_commit)]
    for conflict in conflicts if imported else ():
        sources = (a_map.source_path(conflict.path) for a_map in target.maps)
        source = next((path for path in sources if path is not None), None)
        if source is None or b"\n" in source or {conflict.source, conflict.target} != {Change.MODIFIED}:
            continue
        sides = (relation.part.of(relation.tip.encode() + b"^{tree}" if relation.tip else None), relation.theirs)
        files = [relation.part.file(node, conflict.path) for node in (relation.base, *sides)]
        base, ours, theirs = (None if file is None else file[1] for file in files)
        if base is None or ours is None or theirs is None or not _has_most(reader, base, ours, theirs):
            continue
        if any(reader.find(b"%b:%b" % (tip.encode(), source)) == (ours, b"blob") for tip in imported):
            made = first_parents(repository, relation.source_commit, source, without=relation.synced_from)
            if len(made) == 1 and len(parents_of(reader, made[0])) == 1:
                yield Settled(conflict.path, Side.THEIRS)


def _imported(repository: Repository, reader: ObjectReader, target: Repo, commit: ObjectId) -> Iterator[ObjectId]:
    """Yield what imports of a target made here, where the source does not have it as it was made."""
    for operation in operations(repository):
        for move in operation.moved if operation.command == f"import {target.name}" else ():
            made = move.new
            if move.here and reader.find(made.encode()) is not None and not is_ancestor(repository, made, commit):
                yield made


def _has_most(reader: ObjectReader, base: bytes, ours: bytes, theirs: bytes) -> bool:
    """Whether one side has at least half of the lines that the other one brought to a file."""
    before, imported, now = (Counter(reader.read(blob).data.splitlines()) for blob in (base, ours, theirs))
    brought = imported - before
    return 0 < brought.total() <= 2 * (brought & (now - before)).total()
