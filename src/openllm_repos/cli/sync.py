"""`openllm-repos sync`: the plan, the question, the pushes, and what the remotes say afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from openllm_repos.cli.clone import open_clone
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.plan_text import outcome_lines, plan_lines, sync_json
from openllm_repos.cli.question import agreed
from openllm_repos.errors import UsageError
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Outcome, Stopped, SyncPlan, TargetPlan
from openllm_repos.sync.apply import apply, settle
from openllm_repos.sync.planning import SyncOptions, plan_sync

_DIFFERS = 1


@click.command("sync")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("-n", "--dry-run", is_flag=True, help="Print the plan and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the first push.")
@click.option("--rev", metavar="REV", help="Carry this commit of the source instead of its branch's tip.")
@click.option("--allow-unpushed", is_flag=True, help="Carry commits that the source's own remote does not have yet.")
@click.option("--resolve", is_flag=True, help="Open a temporary work tree with the conflicts of one TARGET in it.")
@click.option("--continue", "carry_on", is_flag=True, help="Finish a --resolve: commit, check, push, verify.")
@click.option("--abort", is_flag=True, help="Throw a --resolve away.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan and what came of it as JSON.")
@click.pass_obj
def sync(
    invocation: Invocation,
    targets: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    rev: str | None,
    allow_unpushed: bool,
    resolve: bool,
    carry_on: bool,
    abort: bool,
    as_json: bool,
) -> int:
    """Carry the mapped folders of the source, with their history, to the targets (all of them, or those named).

    Edits made on a target are merged, files that it owns are never touched, and nothing is ever force-pushed. On a
    terminal it shows the plan and asks before the first push.
    """
    if sum((dry_run, resolve, carry_on, abort)) > 1:
        raise UsageError("--dry-run, --resolve, --continue and --abort exclude each other.")
    manifest, repository = open_clone(invocation)
    if not manifest.targets:
        raise UsageError(
            f"{manifest.origin} has no target: no repo in it has maps.",
            hint='Add one: openllm-repos manifest add space --space owner/name --map "core/src/*.py" training/',
        )
    options = SyncOptions(rev, allow_unpushed)
    if resolve or carry_on or abort:
        from openllm_repos.cli.resolve import run_resolve

        return run_resolve(manifest, repository, targets, options, carry_on=carry_on, abort=abort, yes=yes)
    if dry_run:
        with repository.quarantine() as quarantined:
            plan = plan_sync(manifest, quarantined, targets, options)
        _show_plan(plan, as_json=as_json, invocation=invocation)
        return _exit_code(plan.targets)
    with exclusive(repository, "sync"):
        settle(manifest, repository, _tell)
        plan = plan_sync(manifest, repository, targets, options)
        if not as_json:
            _show_plan(plan, as_json=False, invocation=invocation)
        if not agreed(plan, yes=yes or as_json):
            click.echo("Nothing was pushed.")
            return _DIFFERS
        told = (lambda _: None) if invocation.quiet or as_json else _tell
        outcomes = apply(plan, manifest, repository, told, options.validate)
    if as_json:
        click.echo(json.dumps(sync_json(plan, outcomes), indent=2))
    else:
        _show_outcomes(manifest, plan, outcomes)
    return _exit_code(outcomes)


def _show_plan(plan: SyncPlan, *, as_json: bool, invocation: Invocation) -> None:
    if as_json:
        click.echo(json.dumps(sync_json(plan, ()), indent=2))
        return
    for line in plan_lines(plan, every_file=invocation.verbosity > 0):
        click.echo(line)


def _show_outcomes(manifest: Manifest, plan: SyncPlan, outcomes: Sequence[Outcome | Stopped]) -> None:
    told = {step.target for step in plan.targets if isinstance(step, Stopped)}
    for line in outcome_lines(manifest, [outcome for outcome in outcomes if outcome.target not in told]):
        click.echo(line)


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _exit_code(results: Sequence[Outcome | Stopped | TargetPlan]) -> int:
    return max((result.exit_code for result in results if isinstance(result, Stopped)), default=0)
