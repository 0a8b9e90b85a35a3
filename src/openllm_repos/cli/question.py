"""The one question that a sync, a release and the like ask."""

from __future__ import annotations

import sys

import click

from openllm_repos.plan import SyncPlan, TargetPlan


def agreed(plan: SyncPlan, *, yes: bool) -> bool:
    """Ask before the first push of a sync, on a terminal only; return whether to go on."""
    pushes = [step for step in plan.targets if isinstance(step, TargetPlan) and step.update is not None]
    count = "1 target" if len(pushes) == 1 else f"{len(pushes)} targets"
    return not pushes or confirmed(f"Push to {count}?", yes=yes)


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask, on a terminal only; return whether to go on."""
    if yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    return click.confirm(question, default=False)
