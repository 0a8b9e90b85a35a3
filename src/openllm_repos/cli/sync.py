"""`openllm-repos sync`: the plan, the question, the pushes, and what the remotes say afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.actions_further import report_builds
from openllm_repos.cli.actions_reports import report_sync
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import MAP, MAPPED_PATH, TAG, TARGET, by_group
from openllm_repos.cli.frame import Change, Frame, Outcomes, Tell, changing, exit_code_of
from openllm_repos.cli.plan_text import outcome_lines, plan_lines, sync_json
from openllm_repos.cli.resolve import drop_merge, open_merge, require_one, sides
from openllm_repos.errors import UsageError
from openllm_repos.family.remotes import RemoteState
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.manifest.model import Manifest
from openllm_repos.manifest.selection import in_groups, select
from openllm_repos.plan import Outcome, Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.card import hub_validator
from openllm_repos.sync.apply import apply
from openllm_repos.sync.held import stop_held
from openllm_repos.sync.planning import SyncOptions, plan_sync, plan_target
from openllm_repos.sync.resolve import drop_resolution, finish_resolution
from openllm_repos.sync.rights import without_forbidden

if TYPE_CHECKING:
    from openllm_repos.cli.building import Waited
    from openllm_repos.family.access import FamilyAccess


@changing("sync", yes="Do not ask before the first push.")
@click.argument("targets", nargs=-1, metavar="[TARGET]...", type=TARGET)
@by_group
@click.option("--leave-held", is_flag=True, help="Leave a TARGET that is held alone, as a sync of all does.")
@click.option("--rev", metavar="REV", type=TAG, help="Carry this commit of the source instead of its branch's tip.")
@click.option("--allow-unpushed", is_flag=True, help="Carry commits that the source's own remote does not have yet.")
@click.option(
    "--keep-target",
    "--ours",
    "ours",
    multiple=True,
    metavar="PATH",
    type=MAPPED_PATH,
    help="Settle the conflict at PATH (of the one TARGET) by keeping the target's file, or its deletion; repeatable.",
)
@click.option(
    "--take-source",
    "--theirs",
    "theirs",
    multiple=True,
    metavar="PATH",
    type=MAPPED_PATH,
    help="Settle the conflict at PATH by taking the source's file, or its deletion; repeatable.",
)
@click.option(
    "--allow-empty",
    multiple=True,
    metavar="MAP",
    type=MAP,
    help="Delete in the targets what MAP (its 'from') brought, if it matches no file any more; repeatable.",
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
def sync(
    frame: Frame,
    targets: tuple[str, ...],
    groups: tuple[str, ...],
    leave_held: bool,
    rev: str | None,
    allow_unpushed: bool,
    ours: tuple[str, ...],
    theirs: tuple[str, ...],
    allow_empty: tuple[str, ...],
    resolve: bool,
    carry_on: bool,
    abort: bool,
    wait: bool,
    seconds: float | None,
) -> int:
    """Carry the mapped folders of the source, with their history, to the targets (all of them, or those named).

    Edits made on a target are merged, files that it owns are never touched, and nothing is ever force-pushed. It shows
    the plan and asks before the first push; where nobody can be asked it needs --yes. A target that was rolled back is
    left alone until 'rollback TARGET --lift'.
    """
    if sum((frame.dry_run, resolve, carry_on, abort)) > 1:
        raise UsageError("--dry-run, --resolve, --continue and --abort exclude each other.")
    following = wait or seconds is not None
    if following and (frame.dry_run or resolve or carry_on or abort):
        raise UsageError(
            "--wait goes with a sync, not with --dry-run, --resolve, --continue and --abort.",
            hint=command_line(
                "openllm-repos", "sync", *targets, *in_groups(groups), "--wait", remark="once that is done"
            ),
        )
    settled = sides(ours, theirs)
    if settled and (resolve or abort):
        raise UsageError(
            "--keep-target and --take-source settle a conflict by themselves: leave out --resolve or --abort."
        )
    manifest, repository, access = open_family(frame.invocation)
    if not manifest.targets:
        hint = manifest.how_to_get_a_target()
        raise UsageError(f"{manifest.origin} has no target: no repo in it has maps.", hint=hint)
    typed, targets = targets, select(manifest, targets, groups, manifest.targets, "target")
    leave_held |= set(typed) != set(targets)  # nobody named just this one
    options = SyncOptions(rev, allow_unpushed, hub_validator(access), settled, allow_empty)
    if resolve or carry_on or abort:
        require_one(manifest, targets, "--continue" if carry_on else "--abort" if abort else "--resolve")
    elif settled:
        require_one(manifest, targets, *(("--keep-target", ours[0]) if ours else ("--take-source", theirs[0])))
    if resolve:
        return open_merge(manifest, repository, targets[0], options)
    if abort:
        return drop_merge(manifest, repository, targets[0])
    if carry_on:
        repository.require_merge()
        return frame.run(_Continue(manifest, access, targets, options), manifest, repository)
    change = _Sync(manifest, access, targets, options, leave_held=leave_held, following=following, seconds=seconds)
    return frame.run(change, manifest, repository)


def sync_of(
    manifest: Manifest, access: FamilyAccess, targets: Sequence[str], options: SyncOptions
) -> Change[SyncPlan, Outcomes]:
    """Return the change that syncs some targets."""
    return _Sync(manifest, access, targets, options)


@dataclass
class _Sync(Change[SyncPlan, Outcomes]):
    name = "sync"

    manifest: Manifest
    access: FamilyAccess
    targets: Sequence[str]
    options: SyncOptions
    leave_held: bool = False
    following: bool = False
    seconds: float | None = None
    waited: Mapping[str, Waited] = field(default_factory=dict)

    def plan(self, repository: Repository) -> SyncPlan:
        plan = plan_sync(self.manifest, repository, self.targets, self.options)
        if self.targets and not self.leave_held:  # where a person named it, to be left alone is no answer
            plan = stop_held(plan)
        return without_forbidden(plan, self.manifest, repository, self.access)

    def plan_lines(self, plan: SyncPlan, *, every_file: bool) -> Iterable[str]:
        return plan_lines(plan, every_file=every_file)

    def question(self, plan: SyncPlan) -> str:
        pushes = [step for step in plan.targets if isinstance(step, TargetPlan) and step.update is not None]
        return f"Push to {'1 target' if len(pushes) == 1 else f'{len(pushes)} targets'}?" if pushes else ""

    def apply(self, plan: SyncPlan, repository: Repository, tell: Tell) -> Outcomes:
        def plan_again(remote: RemoteState, step: TargetPlan) -> TargetPlan | Stopped:
            return plan_target(self.manifest, repository, remote, step.source_commit, self.options)

        return apply(plan, self.manifest, repository, tell, plan_again)

    def result_lines(self, plan: SyncPlan, result: Outcomes) -> Iterable[str]:
        shown = {step.target for step in plan.targets if isinstance(step, Stopped)}
        return outcome_lines(self.manifest, [outcome for outcome in result if outcome.target not in shown])

    def follow(self, plan: SyncPlan, result: Outcomes, frame: Frame) -> None:
        """Follow the builds that the sync set off, and say what became of them."""
        if not self.following:
            return
        from openllm_repos.cli.building import WAIT, wait_exit_code, wait_for_spaces, wait_lines

        seconds = WAIT if self.seconds is None else self.seconds
        self.waited = wait_for_spaces(self.manifest, self.access, result, seconds, frame.tell)
        each = [{name: one} for name, one in self.waited.items()]
        said = [(list(wait_lines(self.manifest, one)), not wait_exit_code(one)) for one in each]
        for line in (line for lines, _ in said for line in lines) if not frame.as_json else ():
            click.echo(line)
        report_builds(said)

    def facts(self, plan: SyncPlan, result: Outcomes | None) -> dict[str, Any]:
        facts = sync_json(plan, result or ())
        if self.waited:
            from openllm_repos.cli.building import wait_json

            for target in facts["targets"]:
                if target["name"] in self.waited:
                    target["outcome"]["space"] = wait_json(self.waited[target["name"]])
        return facts

    def report(self, plan: SyncPlan, result: Outcomes | None) -> None:
        report_sync(self.manifest, plan, result)

    def exit_code(self, plan: SyncPlan, result: Outcomes | None) -> int:
        code = exit_code_of(*(plan.targets if result is None else result))
        if self.waited:
            from openllm_repos.cli.building import wait_exit_code

            code = max(code, wait_exit_code(self.waited))
        return code


class _Continue(_Sync):
    """A conflict that a person has settled in a work tree of its own."""

    declined = "Nothing was pushed; the merge stays open."
    rehearses = False
    settles = False

    def plan(self, repository: Repository) -> SyncPlan:
        return finish_resolution(self.manifest, repository, self.targets[0], self.options)

    def apply(self, plan: SyncPlan, repository: Repository, tell: Tell) -> Outcomes:
        (step,) = plan.targets
        if isinstance(step, Stopped):
            return [step]
        outcomes = apply(plan, self.manifest, repository, tell, validate=self.options.validate)
        if any(isinstance(outcome, Outcome) and outcome.pushed for outcome in outcomes):
            drop_resolution(self.manifest, repository, step.target)
        return outcomes
