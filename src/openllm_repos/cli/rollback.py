"""`openllm-repos rollback TARGET`: the plan, the question, the push, and what is true afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from openllm_repos.cli.actions_further import report_rollback
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import MAP, TAG, TARGET
from openllm_repos.cli.frame import Change, Frame, Outcomes, Tell, changing, exit_code_of, only
from openllm_repos.cli.plan_text import (
    SCHEMA,
    drift_json,
    file_lines,
    outcome_json,
    step_json,
    step_lines,
    stopped_lines,
)
from openllm_repos.errors import UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.hint import hint_lines, note_lines
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Action, Outcome, Stopped, TargetPlan
from openllm_repos.preflight.card import hub_validator
from openllm_repos.rollback.model import Rollback
from openllm_repos.rollback.planning import RollbackOptions, carry_out, plan_rollback
from openllm_repos.text import show

_WHAT = "A release (tag or version), a tag of the target or the source, or a commit of either; taken in this order."


@changing("rollback", yes="Do not ask before the push.")
@click.argument("target", metavar="TARGET", type=TARGET)
@click.option("--to", metavar="TAG|COMMIT", type=TAG, help=_WHAT)
@click.option("--lift", is_flag=True, help="End the hold: the next sync brings what the source has.")
@click.option("--reason", metavar="TEXT", default="", help="Why, for the commit's message.")
@click.option(
    "--allow-empty",
    multiple=True,
    metavar="MAP",
    type=MAP,
    help="Delete what MAP (its 'from') brought, if the source had no such file then; repeatable.",
)
def rollback(frame: Frame, target: str, to: str | None, lift: bool, reason: str, allow_empty: tuple[str, ...]) -> int:
    """Take the mapped files of TARGET back to what they were, by one new commit, and hold it there.

    Files that the target owns stay as they are, and its history keeps everything. The commit says that the target is
    held, so every clone leaves it alone: status says so, and syncs pass it by until --lift.
    """
    if (to is None) != lift:
        raise UsageError(
            "rollback takes either --to TAG or --lift.",
            hint="openllm-repos release list  # lists the tags",
        )
    if lift and reason:
        raise UsageError("--reason goes with --to.")
    manifest, repository, access = open_family(frame.invocation)
    options = RollbackOptions(to, reason, hub_validator(access), allow_empty)
    return frame.run(_Rollback(manifest, target, options), manifest, repository)


@dataclass
class _Rollback(Change[Rollback, Outcomes]):
    manifest: Manifest
    target: str
    options: RollbackOptions

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"rollback {self.target}"

    def plan(self, repository: Repository) -> Rollback:
        return plan_rollback(self.manifest, repository, self.target, self.options)

    def plan_lines(self, plan: Rollback, *, every_file: bool) -> Iterable[str]:
        return _lines(plan, every_file=every_file)

    def question(self, plan: Rollback) -> str:
        if not isinstance(plan.step, TargetPlan):
            return ""
        return f"Roll {plan.target} back?" if self.options.to else f"End the hold of {plan.target}?"

    def apply(self, plan: Rollback, repository: Repository, tell: Tell) -> Outcomes:
        if not isinstance(plan.step, TargetPlan):
            return ()
        return (carry_out(plan, self.manifest, repository, self.options, tell),)

    def result_lines(self, plan: Rollback, result: Outcomes) -> Iterable[str]:
        return _outcome_lines(self.manifest, plan, only(result))

    def facts(self, plan: Rollback, result: Outcomes | None) -> dict[str, Any]:
        return _facts(plan, only(result))

    def report(self, plan: Rollback, result: Outcomes | None) -> None:
        lines = self.all_lines(plan, result)
        report_rollback(self.manifest, plan, only(result), lines, dry_run=result is None)

    def exit_code(self, plan: Rollback, result: Outcomes | None) -> int:
        return exit_code_of(plan.step, *(result or ()))


def _lines(plan: Rollback, *, every_file: bool) -> Iterator[str]:
    """Yield what would be done, and what the target loses by it."""
    for note in plan.notes:
        yield from note_lines(note)
    if plan.step is None:
        yield show(plan.said)
        return
    if isinstance(plan.step, Stopped):
        yield from stopped_lines(plan.step, every_file=every_file)
        return
    yield from step_lines(plan.step, every_file=every_file)
    if plan.undone.files:
        count = "1 file" if len(plan.undone.files) == 1 else f"{len(plan.undone.files)} files"
        yield f"  undone: {count} that {plan.target} changed itself; its history keeps that"
        yield from file_lines(plan.undone.files, every_file=every_file)


def _outcome_lines(manifest: Manifest, plan: Rollback, outcome: Outcome | Stopped | None) -> Iterator[str]:
    if isinstance(outcome, Stopped):
        yield from stopped_lines(outcome)
    elif outcome is not None:
        where = f"now at {outcome.tip[:10]}: {manifest.target(plan.target).url}"
        if outcome.action is Action.LIFT:
            yield f"{plan.target}: no longer held, {where}"
            yield from hint_lines(f"openllm-repos sync {plan.target}")
        else:
            yield f"{plan.target}: held at {show(plan.to)}, {where}"
            yield from hint_lines(f"openllm-repos rollback {plan.target} --lift  # once the source is good again")


def _facts(plan: Rollback, outcome: Outcome | Stopped | None) -> dict[str, Any]:
    """Return a rollback as the JSON that docs/json.md describes."""
    nothing = {"name": plan.target, "action": "nothing", "reason": plan.said}
    return {
        "schema": SCHEMA,
        "source": {"name": plan.source, "commit": plan.source_commit},
        "notes": list(plan.notes),
        "to": plan.to or None,
        **(nothing if plan.step is None else step_json(plan.step)),
        "undone": drift_json(plan.undone),
        "outcome": outcome_json(outcome),
    }
