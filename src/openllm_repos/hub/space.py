"""Follows the build of a Space after a push, until it runs or has failed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from openllm_repos.hub.client import HubClient
from openllm_repos.hub.failures import Cause, HubError, HubUnreachable
from openllm_repos.hub.model import HubRepo, Runtime, Stage
from openllm_repos.names.objectid import ObjectId

PAUSES = (0.5, 5.0)  # seconds between two questions, at first and at last
GRACE = 20.0  # seconds in which the Hub may still speak of the commit before
LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of a Space.

    Attributes:
        runtime: what it was doing at the end; None where the Hub never said.
        log: the last lines of the build (or, of a failure at run time, of the app); only where it failed.
        late: the time was up before it was settled.
    """

    runtime: Runtime | None
    log: tuple[str, ...] = ()
    late: bool = False

    @property
    def failed(self) -> bool:
        """Whether somebody has to mend something."""
        return not self.late and self.runtime is not None and self.runtime.stage.failed


def follow(
    client: HubClient,
    space: HubRepo,
    commit: ObjectId | None,
    told: Callable[[str], None] = lambda _: None,
    *,
    limit: float,
    pauses: tuple[float, float] = PAUSES,
    grace: float = GRACE,
) -> Followed:
    """Wait until a Space runs a commit, or has failed to.

    For a while after a push the Hub still speaks of what ran before. So an end counts where the Hub names our commit,
    or where it names none and the Space was seen on the move, or has had time to begin.

    Args:
        client: the Hub.
        space: the Space.
        commit: what was pushed; None takes the Space as it is now.
        told: gets a line at each change of stage.
        limit: seconds to wait at the most.
        pauses: seconds between the first two questions, and at the most; each pause is half as long again.
        grace: seconds that a build may take to begin.

    Raises:
        HubRefused: the Hub does not show the Space.
        HubUnreachable: the person has forbidden to ask (`HF_HUB_OFFLINE`).
    """
    begun = time.monotonic()
    last: Runtime | None = None
    moved, silent, pause = commit is None, False, pauses[0]
    while True:
        try:
            now: Runtime | None = client.runtime(space)
        except HubUnreachable as why:  # it may pass, and the build goes on without us
            if why.cause is Cause.OFFLINE:
                raise
            if not silent:
                told(f"{why.message} Asking again.")
            now, silent = None, True
        waited = time.monotonic() - begun
        if now is not None:
            if last is None or now.said != last.said:
                told(now.said)
            last, silent = now, False
            moved = moved or now.stage.moving
            if _settled(now, commit, begun=moved or waited >= grace):
                return Followed(now, _log(client, space, now))
        if waited >= limit:
            return Followed(last, late=True)
        time.sleep(min(pause, max(0.0, limit - waited)))
        pause = min(pauses[1], pause * 1.5)


def _settled(now: Runtime, commit: ObjectId | None, *, begun: bool) -> bool:
    if now.stage.moving:
        return False
    if commit is not None and now.commit is not None and now.stage is Stage.RUNNING:
        return now.commit == commit
    return begun or now.commit == commit


def _log(client: HubClient, space: HubRepo, now: Runtime) -> tuple[str, ...]:
    """Return the last words of a Space that failed; without them the failure is one all the same."""
    if not now.stage.failed:
        return ()
    with contextlib.suppress(HubError):
        read = client.run_log if now.stage is Stage.RUNTIME_ERROR else client.build_log
        return read(space, lines=LOG_LINES)
    return ()
