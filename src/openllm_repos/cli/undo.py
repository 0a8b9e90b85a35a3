"""`openllm-repos undo [OP]`: an operation taken back as far as that goes, and what of it stays."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import click

from openllm_repos.cli.actions_further import report_undo
from openllm_repos.cli.actions_reports import report_failure
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import OPERATION
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.log import move_json
from openllm_repos.cli.plan_text import change_json, file_lines, outcome_json, step_json, stopped_lines
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import RefUpdate, Stopped, TargetPlan
from openllm_repos.preflight.card import hub_validator
from openllm_repos.release.desk import Desk
from openllm_repos.sync.apply import settle
from openllm_repos.text import show, show_path
from openllm_repos.undo.planning import UndoPlan, choose, plan_undo, require_possible
from openllm_repos.undo.run import Undoing, carry_out

SCHEMA = 1
_DIFFERS = 1


@click.command("undo")
@click.argument("operation", metavar="[OP]", required=False, type=OPERATION)
@click.option("-n", "--dry-run", is_flag=True, help="Print what it would do and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON; asks nothing.")
@click.pass_obj
def undo(invocation: Invocation, operation: str | None, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Take back the last operation, or OP of the log.

    A ref of this clone goes back to where it was. A target gets a commit on top that takes back what the operation
    changed there, with the checks of a sync; edits made since stay, and nothing is ever force-pushed. It then lacks
    what it got, so the next sync brings that again. Tags of a release go as long as the source does not have its own.
    Without --yes it asks on a terminal; elsewhere it only prints what it would do. An undo can be undone.
    """
    manifest, repository, access = open_family(invocation)
    validate = hub_validator(access)
    if dry_run or not (yes or as_json or (sys.stdin.isatty() and sys.stdout.isatty())):
        with repository.quarantine() as quarantined:
            chosen, done = choose(quarantined, operation)
            plan = plan_undo(manifest, quarantined, chosen, done, validate)
        _show(plan, None, as_json=as_json, every_file=invocation.verbosity > 0)
        report_undo(manifest, plan, None, _lines(plan, every_file=True))
        if not dry_run and plan.does_something and not plan.stopped:
            to_do_so = f"openllm-repos undo {plan.operation.name} --yes"
            click.echo(f"Nothing was taken back. To do so: {to_do_so}", err=True)
            report_failure("Nothing was taken back.", to_do_so, None, "undo")
            return _DIFFERS
        return _exit_code(plan, None)
    with exclusive(repository, "undo"), Desk(repository) as desk:
        settle(manifest, repository, _tell)
        chosen, done = choose(repository, operation)
        plan = plan_undo(manifest, repository, chosen, done, validate)
        if not as_json:
            _show(plan, None, as_json=False, every_file=invocation.verbosity > 0)
        elif plan.stopped or not plan.does_something:
            _show(plan, None, as_json=True)
        require_possible(plan)
        if not (yes or as_json) and not click.confirm("Take this back?", default=False):
            click.echo("Nothing was taken back.")
            return _DIFFERS
        silent = invocation.quiet or as_json
        came = carry_out(plan, manifest, desk, (lambda _: None) if silent else _tell, validate)
    if as_json:
        _show(plan, came, as_json=True)
    else:
        for line in _outcome_lines(manifest, plan, came):
            click.echo(line)
    report_undo(manifest, plan, came, (*_lines(plan, every_file=True), *_outcome_lines(manifest, plan, came)))
    return _exit_code(plan, came)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _exit_code(plan: UndoPlan, came: Undoing | None) -> int:
    stopped = plan.stopped if came is None else [one for one in came.targets if isinstance(one, Stopped)]
    if stopped:
        return max(one.exit_code for one in stopped)
    if not plan.does_something:
        return 3
    return _DIFFERS if plan.left else 0


def _show(plan: UndoPlan, came: Undoing | None, *, as_json: bool, every_file: bool = False) -> None:
    if as_json:
        click.echo(json.dumps(undo_json(plan, came), indent=2))
        return
    for line in _lines(plan, every_file=every_file):
        click.echo(line)


def _lines(plan: UndoPlan, *, every_file: bool) -> Iterator[str]:
    """Yield what taking an operation back would do."""
    yield show(f"{plan.operation.name}  {plan.operation.command}")
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
        names = ", ".join(move.repo for move in plan.tags if move.ref.startswith("refs/tags/")) or "no repo yet"
        yield f"release {plan.release} is given up: its tag goes ({names}), its lock too"
    for update in plan.here:
        yield f"{show(update.ref)}: {_whence(update)}"
    for left in plan.left:
        where = left.move.repo or "this clone"
        yield show(f"stays: {left.move.ref} of {where}: {left.reason}" + (f". {left.hint}" if left.hint else ""))


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
    brought = not plan.operation.command.startswith(("rollback", "undo"))  # those took something back themselves
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
