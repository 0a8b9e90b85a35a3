"""What the Spaces of a family are doing, asked beside the remotes: it delays nothing, and what fails is left out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from queue import SimpleQueue
from threading import Thread

from openllm_repos.family.access import hub_repo_of
from openllm_repos.hub.client import CONNECTIONS, HubClient
from openllm_repos.hub.failures import HubError
from openllm_repos.hub.model import HubRepo, Runtime
from openllm_repos.manifest.model import Kind, Repo
from openllm_repos.names.ref import RepoName


class AskedSpaces:
    """The Spaces among `repos`, being asked from now on; each with one request, all over one session.

    Args:
        hub: whom to ask; None asks nobody, and loads nothing that asking needs.
        repos: of the manifest.
        deadline: seconds after which nothing is waited for any more.
    """

    def __init__(self, hub: HubClient | None, repos: Sequence[Repo], *, deadline: float) -> None:
        spaces = [(repo.name, asked) for repo in repos if repo.kind is Kind.SPACE and (asked := hub_repo_of(repo))]
        self._end = time.monotonic() + deadline
        self._waiting: SimpleQueue[tuple[RepoName, HubRepo]] = SimpleQueue()
        self._answers: SimpleQueue[tuple[RepoName, Runtime | None]] = SimpleQueue()
        self._open = 0
        if hub is None:
            return
        for space in spaces:
            self._waiting.put(space)
        self._open = len(spaces)
        for _ in range(min(CONNECTIONS, len(spaces))):
            # A thread that still waits for a dead Hub must not keep the program from ending: a daemon.
            Thread(target=self._work, args=(hub,), daemon=True).start()

    def _work(self, hub: HubClient) -> None:
        from queue import Empty

        with contextlib.suppress(Empty):
            while True:
                name, space = self._waiting.get_nowait()
                found: Runtime | None = None
                try:
                    with contextlib.suppress(HubError):  # what git says of the remote tells enough
                        found = hub.runtime(space)
                finally:
                    self._answers.put((name, found))

    def found(self) -> dict[RepoName, Runtime]:
        """Return what is known once all have answered, or the time is up."""
        from queue import Empty

        answers: dict[RepoName, Runtime] = {}
        for _ in range(self._open):
            try:
                name, runtime = self._answers.get(timeout=max(0.0, self._end - time.monotonic()))
            except Empty:
                break
            if runtime is not None:
                answers[name] = runtime
        return answers
