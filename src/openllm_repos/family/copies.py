"""What a target that was filled by copying has not got yet: nobody's edit, and the next sync brings it.

People and scripts copy file by file: some files, and not all at once. So a file that the target never had was not
deleted there, and one that the source had like that at another time was not edited there, unless the target's history
shows that somebody took it back from how it is in the commit that the target was adopted at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from openllm_repos.family.state import STATES
from openllm_repos.git.compare import content, files_ever
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import FileChange
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.editing import Entry
from openllm_repos.projection.trees import Node


def contents_ever(
    repository: Repository, target: Repo, tips: Sequence[ObjectId], *options: str
) -> Mapping[bytes, AbstractSet[bytes]]:
    """Return path -> the contents that it had at any time in the history of `tips`, executable or not.

    Args:
        repository: the clone.
        target: says which folders count.
        tips: commits of the target, or of its projection.
        options: of git rev-list, to leave commits out.
    """
    ever: dict[bytes, set[bytes]] = defaultdict(set)
    for row in files_ever(repository, tips, mapped_folders(target), *options):
        ever[row.path].update(content(*side) for side in (row.old, row.new) if side is not None)
    return dict(ever)


def mapped_folders(target: Repo) -> tuple[str, ...]:
    """Return the folders of a target that its maps write to."""
    return tuple(dict.fromkeys(str(a_map.output.base) for a_map in target.maps))


def not_copied(
    repository: Repository,
    part: MappedPart,
    target: Repo,
    copy: ObjectId,
    match: Node,
    projections: Sequence[ObjectId],
) -> dict[bytes, Entry | None]:
    """Return the files that were not copied, or as they were at another time: as the copy has them.

    Args:
        repository: the clone.
        part: reads mapped parts of the target.
        target: the manifest's entry.
        copy: the target's commit that was adopted.
        match: the mapped part of the projection that it was adopted at.
        projections: the commit of that, and one that may be newer; a version of a file in their history is the
            source's.
    """
    changes = part.changes(match, part.of(copy.encode() + b"^{tree}"))
    if not changes:
        return {}
    # What a sync or an undo did there, of a time before an adoption that was taken back, is no edit either.
    ours = ("--no-merges", "--extended-regexp", "--invert-grep", f"--grep={STATES}")
    had = contents_ever(repository, target, [copy], *ours, *(f"^{commit}" for commit in projections))
    some = any(one.new is not None for one in changes)
    past, ever = (contents_ever(repository, target, tips) if some else {} for tips in (projections[:1], projections))

    def was_edited(one: FileChange) -> bool:
        if one.new is None:
            return one.path in had
        version = content(*one.new)
        was_there = one.old is not None and content(*one.old) in had.get(one.path, ())
        return version not in ever.get(one.path, ()) or (was_there and version in past.get(one.path, ()))

    return {one.path: one.new for one in changes if not was_edited(one)}
