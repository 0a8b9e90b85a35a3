"""`openllm-repos sync`: the plan, the question, the pushes, and what the remotes say afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.actions_further import report_builds
from openllm_repos.cli.actions_reports import report_sync
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.plan_text import outcome_lines, plan_lines, sync_json
from openllm_repos.cli.question import agreed
from openllm_repos.cli.resolve import run_resolve, sides
from openllm_repos.errors import UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Outcome, Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.card import hub_validator
from openllm_repos.sync.apply import Again, apply, settle
from openllm_repos.sync.held import stop_held
from openllm_repos.sync.planning import SyncOptions, plan_sync, plan_target
from openllm_repos.sync.rights import without_forbidden

if TYPE_CHECKING:
    from openllm_repos.family.access import FamilyAccess

_DIFFERS = 1


@click.command("sync")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option("-n", "--dry-run", is_flag=True, help="Print the plan and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the first push.")
@click.option("--leave-held", is_flag=True, help="Leave a TARGET that is held alone, as a sync of all does.")
@click.option("--rev", metavar="REV", help="Carry this commit of the source instead of its branch's tip.")
@click.option("--allow-unpushed", is_flag=True, help="Carry commits that the source's own remote does not have yet.")
@click.option(
    "--keep-target",
    "--ours",
    "ours",
    multiple=True,
    metavar="PATH",
    help="Settle the conflict at PATH (of the one TARGET) by keeping the target's file, or its deletion; repeatable.",
)
@click.option(
    "--take-source",
    "--theirs",
    "theirs",
    multiple=True,
    metavar="PATH",
    help="Settle the conflict at PATH by taking the source's file, or its deletion; repeatable.",
)
@click.option("--resolve", is_flag=True, help="Open a temporary work tree with the conflicts of one TARGET in it.")
@click.option("--continue", "carry_on", is_flag=True, help="Finish a --resolve: commit, check, push, verify.")
@click.option("--abort", is_flag=True, help="Throw a --resolve away.")
@click.option("--wait", is_flag=True, help="Follow the build of each Space until it runs or has failed.")
@click.option(
    "--wait-for",
    "seconds",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    metavar="SECONDS",
    help="As --wait, for so long at the most (600).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan and what came of it as JSON.")
@click.pass_obj
def sync(
    invocation: Invocation,
    targets: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    leave_held: bool,
    rev: str | None,
    allow_unpushed: bool,
    ours: tuple[str, ...],
    theirs: tuple[str, ...],
    resolve: bool,
    carry_on: bool,
    abort: bool,
    wait: bool,
    seconds: float | None,
    as_json: bool,
) -> int:
    """Carry the mapped folders of the source, with their history, to the targets (all of them, or those named).

    Edits made on a target are merged, files that it owns are never touched, and nothing is ever force-pushed. On a
    terminal it shows the plan and asks before the first push. A target that was rolled back is left alone until
    'rollback TARGET --lift'.
    """
    if sum((dry_run, resolve, carry_on, abort)) > 1:
        raise UsageError("--dry-run, --resolve, --continue and --abort exclude each other.")
    following = wait or seconds is not None
    if following and (dry_run or resolve or carry_on or abort):
        raise UsageError(
            "--wait goes with a sync, not with --dry-run, --resolve, --continue and --abort.",
            hint="After --continue run: openllm-repos sync TARGET --wait",
        )
    settled = sides(targets, ours, theirs)
    if settled and (resolve or abort):
        raise UsageError(
            "--keep-target and --take-source settle a conflict by themselves: leave out --resolve or --abort."
        )
    manifest, repository, access = open_family(invocation)
    if not manifest.targets:
        hint = manifest.how_to_get_a_target()
        raise UsageError(f"{manifest.origin} has no target: no repo in it has maps.", hint=hint)
    options = SyncOptions(rev, allow_unpushed, hub_validator(access), settled)
    if resolve or carry_on or abort:
        return run_resolve(manifest, repository, targets, options, carry_on=carry_on, abort=abort, yes=yes)
    if dry_run:
        with repository.quarantine() as quarantined:
            plan = _planned(manifest, quarantined, targets, options, leave_held=leave_held)
            plan = without_forbidden(plan, manifest, quarantined, access)
        _show_plan(plan, as_json=as_json, invocation=invocation)
        report_sync(manifest, plan, None)
        return _exit_code(plan.targets)
    with exclusive(repository, "sync"):
        settle(manifest, repository, _tell)
        plan = _planned(manifest, repository, targets, options, leave_held=leave_held)
        plan = without_forbidden(plan, manifest, repository, access)
        if not as_json:
            _show_plan(plan, as_json=False, invocation=invocation)
        if not agreed(plan, yes=yes or as_json):
            click.echo("Nothing was pushed.")
            return _DIFFERS
        told = (lambda _: None) if invocation.quiet or as_json else _tell
        outcomes = apply(plan, manifest, repository, told, _again(manifest, repository, options))
    if not as_json:
        _show_outcomes(manifest, plan, outcomes)
    report_sync(manifest, plan, outcomes)
    code = _exit_code(outcomes)
    facts = sync_json(plan, outcomes) if as_json else {}
    if following:
        code = max(code, _follow(manifest, access, outcomes, seconds, None if as_json else invocation, facts))
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    return code


def _planned(
    manifest: Manifest, repository: Repository, targets: Sequence[str], options: SyncOptions, *, leave_held: bool
) -> SyncPlan:
    """Plan; a target that is held is left alone, but where a person named it that is no answer."""
    plan = plan_sync(manifest, repository, targets, options)
    return stop_held(plan) if targets and not leave_held else plan


def _again(manifest: Manifest, repository: Repository, options: SyncOptions) -> Again:
    """Return what plans a target once more that has moved meanwhile, as the person asked for it."""
    return lambda remote, step: plan_target(
        manifest, repository, remote, step.source_commit, options.validate, options.settled
    )


def _follow(
    manifest: Manifest,
    access: FamilyAccess,
    outcomes: Sequence[Outcome | Stopped],
    seconds: float | None,
    shown: Invocation | None,
    facts: dict[str, Any],
) -> int:
    """Follow the builds, say what became of them (or add it to the JSON), and return the exit code."""
    from openllm_repos.cli.building import WAIT, wait_exit_code, wait_for_spaces, wait_json, wait_lines

    told = _tell if shown is not None and not shown.quiet else lambda _: None
    waited = wait_for_spaces(manifest, access, outcomes, WAIT if seconds is None else seconds, told)
    for target in facts.get("targets", ()):
        if target["name"] in waited:
            target["outcome"]["space"] = wait_json(waited[target["name"]])
    said = [(list(wait_lines(manifest, {name: one})), not wait_exit_code({name: one})) for name, one in waited.items()]
    for line in (line for lines, _ in said for line in lines) if shown is not None else ():
        click.echo(line)
    report_builds(said)
    return wait_exit_code(waited)


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
