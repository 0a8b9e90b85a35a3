"""The one question that a sync asks."""

from __future__ import annotations

import sys

import click

from openllm_repos.plan import SyncPlan, TargetPlan


def agreed(plan: SyncPlan, *, yes: bool) -> bool:
    """Ask before the first push of a run, on a terminal only; return whether to go on."""
    pushes = [step for step in plan.targets if isinstance(step, TargetPlan) and step.update is not None]
    if not pushes or yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    count = "1 target" if len(pushes) == 1 else f"{len(pushes)} targets"
    return click.confirm(f"Push to {count}?", default=False)
