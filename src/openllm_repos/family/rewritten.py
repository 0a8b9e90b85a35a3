"""A target whose history was rewritten, by a super-squash on the Hub or a force-push: what this clone knows of it."""

from __future__ import annotations

from openllm_repos.family.state import StateCommit, find_state
from openllm_repos.git.history import is_ancestor
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import operations
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId


def lost_state(
    repository: Repository, reader: ObjectReader, manifest: Manifest, target: Repo, tip: ObjectId
) -> StateCommit | None:
    """Return the state that this clone gave a target last, where the target's history has lost it; else None.

    The log says which commit that was, and keeps it.
    """
    moves = (move for operation in operations(repository) for move in operation.moved if move.repo == target.name)
    last = next((move for move in moves if (move.url, move.ref) == (target.url, target.branch.ref)), None)
    if last is None or reader.find(last.new.encode()) is None or is_ancestor(repository, last.new, tip):
        return None
    return find_state(repository, reader, last.new, manifest.source.url)
