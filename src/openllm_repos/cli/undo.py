"""`openllm-repos undo [OP]`: an operation taken back as far as that goes, and what of it stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from openllm_repos.cli.actions_further import report_undo
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import OPERATION
from openllm_repos.cli.frame import DIFFERS, Change, Frame, Tell, changing, exit_code_of
from openllm_repos.cli.log import move_json
from openllm_repos.cli.plan_text import change_json, file_lines, outcome_json, step_json, stopped_lines
from openllm_repos.errors import ConflictError, ReposError
from openllm_repos.git.repository import Repository
from openllm_repos.hint import hint_lines
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import RefUpdate, Stopped, TargetPlan
from openllm_repos.preflight.card import Validate, hub_validator
from openllm_repos.release.desk import Desk
from openllm_repos.text import show, show_path
from openllm_repos.undo.planning import UndoPlan, choose, plan_undo, require_possible
from openllm_repos.undo.run import Undoing, carry_out

SCHEMA = 1


@changing("undo", yes="Do not ask.")
@click.argument("operation", metavar="[OP]", required=False, type=OPERATION)
def undo(frame: Frame, operation: str | None) -> int:
    """Take back the last operation, or OP of the log.

    A ref of this clone goes back to where it was. A target gets a commit on top that takes back what the operation
    changed there, with the checks of a sync; edits made since stay, and nothing is ever force-pushed. It then lacks
    what it got, so the next sync brings that again. Tags of a release go as long as the source does not have its own.
    An undo can be undone.
    """
    manifest, repository, access = open_family(frame.invocation)
    return frame.run(_Undo(manifest, operation, hub_validator(access)), manifest, repository)


@dataclass
class _Undo(Change[UndoPlan, Undoing]):
    name = "undo"
    declined = "Nothing was taken back."

    manifest: Manifest
    operation: str | None
    validate: Validate

    def plan(self, repository: Repository) -> UndoPlan:
        return plan_undo(self.manifest, repository, choose(repository, self.operation), self.validate)

    def plan_lines(self, plan: UndoPlan, *, every_file: bool) -> Iterable[str]:
        return _lines(plan, every_file=every_file)

    def require(self, plan: UndoPlan) -> None:
        require_possible(plan)

    def question(self, plan: UndoPlan) -> str:
        return "Take this back?" if plan.does_something else ""

    def apply(self, plan: UndoPlan, repository: Repository, tell: Tell) -> Undoing:
        desk = self.resources.enter_context(Desk(repository))
        return carry_out(plan, self.manifest, desk, tell, self.validate)

    def result_lines(self, plan: UndoPlan, result: Undoing) -> Iterable[str]:
        return _outcome_lines(self.manifest, plan, result)

    def facts(self, plan: UndoPlan, result: Undoing | None) -> dict[str, Any]:
        return undo_json(plan, result)

    def failure_facts(self, plan: UndoPlan, why: ReposError) -> dict[str, Any] | None:
        return undo_json(plan, None) if plan.stopped or not plan.does_something else None

    def report(self, plan: UndoPlan, result: Undoing | None) -> None:
        report_undo(self.manifest, plan, result, self.all_lines(plan, result))

    def exit_code(self, plan: UndoPlan, result: Undoing | None) -> int:
        if code := exit_code_of(*(plan.stopped if result is None else result.targets)):
            return code
        if not plan.does_something and plan.earlier is None:
            return ConflictError.exit_code
        return DIFFERS if plan.left else 0


def _lines(plan: UndoPlan, *, every_file: bool) -> Iterator[str]:
    """Yield what taking an operation back would do."""
    yield show(f"{plan.operation.name}  {plan.operation.command}")
    if plan.earlier is not None:
        yield f"was taken back already, by {plan.earlier.name}, which was stopped before it could say so"
    for step in plan.targets:
        if isinstance(step, Stopped):
            for conflict in step.conflicts:
                yield f"  {show_path(conflict.path)}: {conflict.target} since"
            yield from stopped_lines(Stopped(step.target, step.reason, step.hint, step.exit_code))
        elif step.update is None:
            yield f"{step.target}: is as it was before already"
        else:
            yield f"{step.target}: one commit on top of {step.update.old[:10]} that takes it back"
            yield from file_lines(step.changes, every_file=every_file)
    if plan.release:
        names = ", ".join(move.repo for move in plan.tags if move.ref.startswith("refs/tags/")) or "wherever it is"
        yield f"release {plan.release} is given up: its tag goes ({names}), its lock too"
    for update in plan.here:
        yield f"{show(update.ref)}: {_whence(update)}"
    for left in plan.left:
        where = left.move.repo or "this clone"
        yield show(f"stays: {left.move.ref} of {where}: {left.reason}")
        yield from hint_lines(left.hint, "  ")


def _whence(update: RefUpdate) -> str:
    return "goes" if update.new.is_zero else f"back to {update.new[:10]}"


def _outcome_lines(manifest: Manifest, plan: UndoPlan, came: Undoing) -> Iterator[str]:
    """Yield what came of it, and what a person should know of what follows."""
    if came.aborted is not None:
        yield f"gave up {came.aborted.tag}: {', '.join(came.aborted.removed) or 'no repo'} had its tag taken back"
    for outcome in came.targets:
        if isinstance(outcome, Stopped):
            yield from stopped_lines(outcome)
        elif outcome.pushed:
            yield f"{outcome.target}: taken back, now at {outcome.tip[:10]}: {manifest.target(outcome.target).url}"
    for update in came.here:
        yield f"{show(update.ref)}: {_whence(update)}"
    brought = not plan.operation.command.startswith(("adopt", "rollback", "undo"))  # those brought nothing
    if brought and any(isinstance(one, TargetPlan) and one.update is not None for one in plan.targets):
        yield "The next sync brings again what was taken back."


def undo_json(plan: UndoPlan, came: Undoing | None) -> dict[str, Any]:
    """Return what taking back an operation would do, and what came of it, as the JSON that docs/json.md describes."""
    outcomes = {} if came is None else {one.target: one for one in came.targets}
    return {
        "schema": SCHEMA,
        "operation": plan.operation.name,
        "command": plan.operation.command,
        "targets": [
            {**_target_json(step), "outcome": outcome_json(outcomes.get(step.target))} for step in plan.targets
        ],
        "here": [{"ref": update.ref, "old": update.old, "new": update.new} for update in plan.here],
        "release": plan.release or None,
        "tags": [move_json(move) for move in plan.tags],
        "left": [{**move_json(left.move), "reason": left.reason, "next": left.hint} for left in plan.left],
        "earlier": None if plan.earlier is None else plan.earlier.name,
        "done": came is not None,
    }


def _target_json(step: TargetPlan | Stopped) -> dict[str, Any]:
    if isinstance(step, Stopped):
        return step_json(step)
    moved = step.update
    return {
        "name": step.target,
        "action": step.action.value,
        "url": step.url,
        "update": None if moved is None else {"ref": moved.ref, "old": moved.old, "new": moved.new},
        "changes": [change_json(change) for change in step.changes],
    }
