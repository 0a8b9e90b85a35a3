"""What a rollback would do."""

from __future__ import annotations

from dataclasses import dataclass, field

from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Drift, Stopped, TargetPlan


@dataclass(frozen=True, slots=True)
class Rollback:
    """What a rollback, or the end of a hold, would do.

    Attributes:
        source: the source's name in the manifest.
        target: the target's name.
        to: what the target goes back to, as people call it: a tag, or the first digits of a commit.
        source_commit: the source commit that this state of the target's mapped files comes from; None with `said`.
        step: the commit to push; why it cannot be; None where there is nothing to do.
        undone: what the target changed itself and loses in its files; its history keeps it.
        said: why there is nothing to do; empty where there is.
        notes: what a person should know besides.
    """

    source: str
    target: str
    to: str
    source_commit: ObjectId | None
    step: TargetPlan | Stopped | None
    undone: Drift = field(default_factory=Drift)
    said: str = ""
    notes: tuple[str, ...] = ()
