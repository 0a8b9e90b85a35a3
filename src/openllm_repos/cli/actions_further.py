"""Results of further commands as reports for GitHub Actions: rollback, undo, import, publish and pin.

What they print for people is their summary, every file of it; what is pushed somewhere has a row with its commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from openllm_repos.cli.actions import Note, Report, in_actions, write
from openllm_repos.cli.actions_parts import (
    COLUMNS,
    commit_link,
    heading,
    listing,
    stopped_note,
    sync_row,
    truth,
    with_next,
)
from openllm_repos.cli.markdown import Part, block, code, link, table
from openllm_repos.hint import gathered
from openllm_repos.plan import Outcome, Stopped, TargetPlan
from openllm_repos.publish.model import NotPublished, Published

if TYPE_CHECKING:
    from openllm_repos.importing.model import ImportPlan
    from openllm_repos.importing.model import Published as Opened
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.publish.model import PublishPlan
    from openllm_repos.rollback.model import Rollback
    from openllm_repos.submodules.pinning import PinStep
    from openllm_repos.undo.planning import UndoPlan
    from openllm_repos.undo.run import Undoing


def report_rollback(
    manifest: Manifest, plan: Rollback, outcome: Outcome | Stopped | None, lines: Iterable[str], *, dry_run: bool
) -> None:
    """Tell what a rollback, or the end of a hold, did or would do."""
    if not in_actions():
        return
    results = [] if plan.step is None else [(plan.step, outcome or plan.step)]
    outputs = {"commit": plan.source_commit or ""}
    _tell("rollback", manifest, results, plan.notes, lines, outputs, dry_run=dry_run)


def report_undo(manifest: Manifest, plan: UndoPlan, came: Undoing | None, lines: Iterable[str]) -> None:
    """Tell what taking back an operation did or would do; what stays as it is is a warning."""
    if not in_actions():
        return
    outcomes = {} if came is None else {one.target: one for one in came.targets}
    results = [(step, outcomes.get(step.target, step)) for step in plan.targets]
    untagged = came.aborted.removed if came is not None and came.aborted is not None else ()
    left = [f"{one.move.ref} of {one.move.repo or 'this clone'} stays: {one.reason}" for one in plan.left]
    _tell("undo", manifest, results, left, lines, {}, dry_run=came is None, also_pushed=untagged, level="warning")


def report_import(
    manifest: Manifest, plan: ImportPlan, opened: Opened | None, lines: Iterable[str], *, moved: bool, dry_run: bool
) -> None:
    """Tell what an import brought home."""
    if not in_actions():
        return
    pushed = [manifest.source.name] if opened is not None and opened.pushed else []
    outputs = {
        "commit": plan.tip or "",
        "branch": plan.branch if plan.tip else "",
        "changed": truth(moved or bool(pushed)),
        "pushed": listing(pushed),
    }
    notes = [Note("notice", note, "openllm-repos import") for note in (*plan.notes, *(opened.notes if opened else ()))]
    to_open = [Part((link("Pull request", opened.link),), foot=("",))] if opened is not None and opened.link else []
    write(Report([_heading("import", dry_run=dry_run), *to_open, block(lines)], notes, outputs))


def report_publish(
    manifest: Manifest,
    plans: Sequence[PublishPlan | NotPublished],
    outcomes: Sequence[Published | NotPublished],
    lines: Iterable[str],
    *,
    dry_run: bool,
) -> None:
    """Tell what was published, or would be; a repo that cannot be published to is an error."""
    if not in_actions():
        return
    came = {one.repo: one for one in outcomes}
    results = [(plan, came.get(plan.repo, plan)) for plan in plans]
    stopped = [result for _, result in results if isinstance(result, NotPublished)]
    published = [one.repo for one in outcomes if isinstance(one, Published) and one.committed]
    rows = (_published_row(manifest, plan, result) for plan, result in results)
    parts = [_heading("publish", dry_run=dry_run), table(("repo", "what", "files", "now at"), rows), block(lines)]
    told = gathered(stopped, "repo", "reason")
    notes = [Note("error", f"{one.repo}: {one.reason}{with_next(one.hint)}", "openllm-repos publish") for one in told]
    notes += [
        Note("notice", f"{plan.repo}: {note}", "openllm-repos publish")
        for plan in plans
        if not isinstance(plan, NotPublished)
        for note in plan.notes
    ]
    outputs = {
        "changed": truth(bool(published)),
        "pushed": listing(published),
        "planned": listing(plan.repo for plan in plans if not isinstance(plan, NotPublished) and plan.steps),
        "stopped": listing(one.repo for one in stopped),
    }
    write(Report(parts, notes, outputs))


def report_builds(said: Sequence[tuple[Sequence[str], bool]]) -> None:
    """Tell what became of Spaces that a sync waited for: of each its lines, and whether it runs."""
    if not in_actions() or not said:
        return
    notes = [Note("error", "\n".join(lines), "openllm-repos sync --wait") for lines, runs in said if not runs]
    write(Report([heading("sync --wait"), block(line for lines, _ in said for line in lines)], notes))


def report_pin(steps: Sequence[PinStep], lines: Iterable[str], *, changed: bool, dry_run: bool) -> None:
    """Tell which pins moved in the index, or would; one that cannot be is an error."""
    if not in_actions():
        return
    from openllm_repos.status.problems import Problem

    title = "openllm-repos pin"
    notes = [
        Note("error", f"{one.repo}: {one.message}{with_next(one.next)}", title)
        for one in (Problem.of(step.repo.name, step.problem) for step in steps if step.problem is not None)
    ]
    notes += [Note("notice", f"{step.repo.name}: {note}", title) for step in steps for note in step.notes]
    outputs = {
        "changed": truth(changed),
        "planned": listing(step.repo.name for step in steps if step.changes),
        "stopped": listing(step.repo.name for step in steps if step.problem is not None),
    }
    write(Report([_heading("pin", dry_run=dry_run), block(lines)], notes, outputs))


def _tell(
    command_name: str,
    manifest: Manifest,
    results: Sequence[tuple[TargetPlan | Stopped, TargetPlan | Outcome | Stopped]],
    remarks: Iterable[str],
    lines: Iterable[str],
    outputs: Mapping[str, str],
    *,
    dry_run: bool,
    also_pushed: Sequence[str] = (),
    level: str = "notice",
) -> None:
    """Tell what became of targets; `remarks` are annotations of that level."""
    stopped = [result for _, result in results if isinstance(result, Stopped)]
    rows = (sync_row(manifest, step, result) for step, result in results)
    parts = [_heading(command_name, dry_run=dry_run), *([table(COLUMNS, rows)] if results else []), block(lines)]
    notes = [stopped_note(command_name, one) for one in stopped]
    notes += [Note(level, remark, f"openllm-repos {command_name}") for remark in remarks]
    pushed = {result.target: None for _, result in results if isinstance(result, Outcome) and result.pushed}
    pushed |= dict.fromkeys(also_pushed)
    more = {
        "changed": truth(bool(pushed)),
        "pushed": listing(pushed),
        "planned": listing(step.target for step, _ in results if isinstance(step, TargetPlan) and step.update),
        "stopped": listing(one.target for one in stopped),
    }
    write(Report(parts, notes, {**outputs, **more}))


def _published_row(
    manifest: Manifest, plan: PublishPlan | NotPublished, result: PublishPlan | Published | NotPublished
) -> tuple[str, ...]:
    name = code(plan.repo)
    if isinstance(plan, NotPublished) or isinstance(result, NotPublished):
        return name, "**stopped**", "-", "-"
    tip = commit_link(manifest, plan.repo, result.tip)
    if isinstance(result, Published):
        done = result.committed
        return name, "published" if done else "up to date", str(len(plan.steps)) if done else "-", tip
    return name, "would be published" if plan.steps else "up to date", str(len(plan.steps) or "-"), tip


def _heading(command_name: str, *, dry_run: bool) -> Part:
    return heading(command_name, "dry run" if dry_run else "")
