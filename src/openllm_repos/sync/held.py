"""A target that was rolled back and is held: a sync of all leaves it alone, and one that names it says how to go on."""

from __future__ import annotations

from dataclasses import replace

from openllm_repos.errors import ConflictError
from openllm_repos.plan import Action, Stopped, SyncPlan, TargetPlan
from openllm_repos.text import show


class Held(ConflictError):
    """A target is held at an earlier state, so nothing is to be brought to it."""

    def __init__(self, target: str, held: str) -> None:
        super().__init__(
            f"{target} is held at {show(held)} since it was rolled back; nothing was changed.",
            hint=f"openllm-repos rollback {target} --lift  # once the source is good again",
        )
        self.held = held


def stop_held(plan: SyncPlan) -> SyncPlan:
    """Return the plan for targets that a person named: one that is held cannot be what they meant."""

    def stopped(step: TargetPlan | Stopped) -> TargetPlan | Stopped:
        if isinstance(step, Stopped) or step.action is not Action.HELD:
            return step
        why = Held(step.target, step.held)
        return Stopped(step.target, why.message, why.hint, why.exit_code, drift=step.drift, held=step.held)

    return replace(plan, targets=tuple(map(stopped, plan.targets)))
