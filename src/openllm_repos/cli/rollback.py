"""`openllm-repos rollback TARGET`: the plan, the question, the push, and what is true afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from openllm_repos.cli.completion import TAG, TARGET
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.plan_text import (
    SCHEMA,
    drift_json,
    file_lines,
    outcome_json,
    step_json,
    step_lines,
    stopped_lines,
)
from openllm_repos.cli.question import confirmed
from openllm_repos.errors import UsageError
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Action, Outcome, Rollback, Stopped, TargetPlan
from openllm_repos.text import show

_DIFFERS = 1
_WHAT = "A release (tag or version), a tag of the target or the source, or a commit of either; taken in this order."


@click.command("rollback")
@click.argument("target", metavar="TARGET", type=TARGET)
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the push.")
@click.option("--to", metavar="TAG|COMMIT", type=TAG, help=_WHAT)
@click.option("--lift", is_flag=True, help="End the hold: the next sync brings what the source has.")
@click.option("--reason", metavar="TEXT", default="", help="Why, for the commit's message.")
@click.option(
    "--allow-empty",
    multiple=True,
    metavar="MAP",
    help="Delete what MAP (its 'from') brought, if the source had no such file then; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan and what came of it as JSON.")
@click.pass_obj
def rollback(
    invocation: Invocation,
    target: str,
    to: str | None,
    lift: bool,
    reason: str,
    allow_empty: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Take the mapped files of TARGET back to what they were, by one new commit, and hold it there.

    Files that the target owns stay as they are, and its history keeps everything. The commit says that the target is
    held, so every clone leaves it alone: status says so, and syncs pass it by until --lift.
    """
    if (to is None) != lift:
        raise UsageError(
            "rollback takes either --to TAG or --lift.",
            hint=f"openllm-repos rollback {target} --to TAG   The releases: openllm-repos release list",
        )
    if lift and reason:
        raise UsageError("--reason goes with --to.")
    from openllm_repos.cli.actions_further import report_rollback
    from openllm_repos.cli.clone import open_family
    from openllm_repos.journal.lock import exclusive
    from openllm_repos.preflight.card import hub_validator
    from openllm_repos.rollback.planning import RollbackOptions, carry_out, plan_rollback
    from openllm_repos.sync.apply import settle

    manifest, repository, access = open_family(invocation)
    options = RollbackOptions(to, reason, hub_validator(access), allow_empty)
    if dry_run:
        with repository.quarantine() as quarantined:
            plan = plan_rollback(manifest, quarantined, target, options)
        _show(plan, None, invocation, as_json=as_json)
        report_rollback(manifest, plan, None, _lines(plan, every_file=True), dry_run=True)
        return _exit_code(plan.step)
    with exclusive(repository, f"rollback {target}"):
        settle(manifest, repository, _tell)
        plan = plan_rollback(manifest, repository, target, options)
        if not as_json:
            _show(plan, None, invocation, as_json=False)
        outcome = None
        if isinstance(plan.step, TargetPlan):
            question = f"End the hold of {target}?" if lift else f"Roll {target} back?"
            if not confirmed(question, yes=yes or as_json):
                click.echo("Nothing was pushed.")
                return _DIFFERS
            told = (lambda _: None) if invocation.quiet or as_json else _tell
            outcome = carry_out(plan, manifest, repository, options, told)
    if as_json:
        _show(plan, outcome, invocation, as_json=True)
    else:
        for line in _outcome_lines(manifest, plan, outcome):
            click.echo(line)
    told_all = (*_lines(plan, every_file=True), *_outcome_lines(manifest, plan, outcome))
    report_rollback(manifest, plan, outcome, told_all, dry_run=False)
    return _exit_code(outcome or plan.step)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _exit_code(result: Outcome | Stopped | TargetPlan | None) -> int:
    return result.exit_code if isinstance(result, Stopped) else 0


def _show(plan: Rollback, outcome: Outcome | Stopped | None, invocation: Invocation, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_facts(plan, outcome), indent=2))
        return
    for line in _lines(plan, every_file=invocation.verbosity > 0):
        click.echo(line)


def _lines(plan: Rollback, *, every_file: bool) -> Iterator[str]:
    """Yield what would be done, and what the target loses by it."""
    for note in plan.notes:
        yield f"note: {show(note)}"
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
            yield f"next: openllm-repos sync {plan.target}"
        else:
            yield f"{plan.target}: held at {show(plan.to)}, {where}"
            yield f"next, once the source is good again: openllm-repos rollback {plan.target} --lift"


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
