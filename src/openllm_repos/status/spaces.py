"""What the Hub alone knows of a family, asked beside the remotes: it delays nothing, and what fails is left out.

That is what Spaces are doing, and when models and datasets changed: of those a clone has no commit that would say it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from queue import SimpleQueue
from threading import Thread

from openllm_repos.family.access import hub_repo_of
from openllm_repos.hub.client import CONNECTIONS, HubClient
from openllm_repos.hub.failures import HubError
from openllm_repos.hub.model import HubInfo, HubRepo, HubType, Runtime
from openllm_repos.manifest.model import Repo
from openllm_repos.names.ref import RepoName

_CHANGED = ("sha", "lastModified")


class AskedHub:
    """The Hub repos among `repos`, being asked for from now on; each with one request, all over one session.

    Args:
        hub: whom to ask; None asks nobody, and loads nothing that asking needs.
        repos: of the manifest.
        deadline: seconds after which nothing is waited for any more.
    """

    def __init__(self, hub: HubClient | None, repos: Sequence[Repo], *, deadline: float) -> None:
        there = [(repo.name, asked) for repo in repos if (asked := hub_repo_of(repo))]
        self._end = time.monotonic() + deadline
        self._waiting: SimpleQueue[tuple[RepoName, HubRepo]] = SimpleQueue()
        self._answers: SimpleQueue[tuple[RepoName, Runtime | HubInfo | None]] = SimpleQueue()
        self._open = 0
        if hub is None:
            return
        for one in there:
            self._waiting.put(one)
        self._open = len(there)
        for _ in range(min(CONNECTIONS, len(there))):
            # A thread that still waits for a dead Hub must not keep the program from ending: a daemon.
            Thread(target=self._work, args=(hub,), daemon=True).start()

    def _work(self, hub: HubClient) -> None:
        from queue import Empty

        with contextlib.suppress(Empty):
            while True:
                name, repo = self._waiting.get_nowait()
                found: Runtime | HubInfo | None = None
                try:
                    with contextlib.suppress(HubError):  # what git says of the remote tells enough
                        found = hub.runtime(repo) if repo.type is HubType.SPACE else hub.info(repo, only=_CHANGED)
                finally:
                    self._answers.put((name, found))

    def found(self) -> dict[RepoName, Runtime | HubInfo]:
        """Return what is known once all have answered, or the time is up: of a Space what it does."""
        from queue import Empty

        answers: dict[RepoName, Runtime | HubInfo] = {}
        for _ in range(self._open):
            try:
                name, found = self._answers.get(timeout=max(0.0, self._end - time.monotonic()))
            except Empty:
                break
            if found is not None:
                answers[name] = found
        return answers
