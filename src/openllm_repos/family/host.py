"""What a host has put into a repository by itself when it was made: nobody's edit, which the source may replace."""

from __future__ import annotations

from collections.abc import Mapping

from openllm_repos.family.access import hub_repo_of
from openllm_repos.git.history import root_of
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.editing import Entry
from openllm_repos.projection.trees import Node

_SUBJECT = b"initial commit"
MADE_BY_THE_HUB = (b".gitattributes", b"README.md")


def host_files(
    repository: Repository, reader: ObjectReader, target: Repo, tip: ObjectId, part: MappedPart, mine: Node
) -> Mapping[bytes, Entry]:
    """Return the mapped files of a target that are still as the Hub made them.

    Args:
        repository: the clone.
        reader: reads its objects.
        target: the target.
        tip: the tip of its branch.
        part: reads mapped parts of it.
        mine: the mapped part of the tip.
    """
    there = {path: file for path in MADE_BY_THE_HUB if (file := part.file(mine, path)) is not None}
    if not there or hub_repo_of(target) is None:
        return {}
    root = root_of(repository, tip)
    if reader.read(root.encode()).data.partition(b"\n\n")[2].strip() != _SUBJECT:
        return {}
    first = part.of(root.encode() + b"^{tree}")
    return {path: file for path, file in there.items() if part.file(first, path) == file}
