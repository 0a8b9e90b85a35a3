"""Where a release is worked on: scratch repositories for its objects, one a repo, and what was seen of the tags."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Self

from openllm_repos.family.remotes import DEADLINE
from openllm_repos.family.tags import TagState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Endpoint
from openllm_repos.git.repository import Repository
from openllm_repos.git.scratch import fetch_commit, open_scratch
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.temporary import temporary_folder

_SECONDS = 6 * DEADLINE


class Desk:
    """Scratch repositories for one run, gone when it ends. Use it as a context manager.

    Args:
        repository: the clone of the source.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.states: dict[RepoName, TagState] = {}
        """How each repo was last seen to hold the tag of the release."""
        self._open = contextlib.ExitStack()
        self._folder = Path()
        self._made: dict[str, Repository] = {}

    def __enter__(self) -> Self:
        self._folder = self._open.enter_context(temporary_folder())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def scratch(self, name: str) -> Repository:
        """Return the scratch repository for a repo."""
        if name not in self._made:
            self._made[name] = open_scratch(self.repository, self._folder / f"{name}.git")
        return self._made[name]

    def holds(self, commit: ObjectId) -> bool:
        """Whether the clone itself has a commit."""
        with ObjectReader(self.repository.git) as reader:
            return reader.find(commit.encode()) is not None

    def bring(self, name: str, endpoint: Endpoint, commit: ObjectId, branch_ref: str) -> Repository | None:
        """Return a repository that has a commit of a repo: the clone, or a scratch one without history and files.

        Returns:
            None where the remote does not give that commit out any more.

        Raises:
            Unreachable: the remote did not answer.
        """
        if self.holds(commit):
            return self.repository
        scratch = self.scratch(name)
        there = fetch_commit(scratch, endpoint.url, commit, branch_ref, deadline=_SECONDS)
        return scratch if there else None
