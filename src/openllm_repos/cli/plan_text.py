"""Plans and outcomes as lines for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from openllm_repos.hint import gathered, hint_lines, next_steps, note_lines
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import (
    Action,
    Change,
    Conflict,
    Described,
    Drift,
    EmptiedMap,
    FileChange,
    Finding,
    Outcome,
    Side,
    Stopped,
    SyncPlan,
    TargetPlan,
)
from openllm_repos.text import show, show_path

SCHEMA = 1
_SIDE = {Side.OURS: "the target", Side.THEIRS: "the source"}
_LETTER = {Change.ADDED: "A", Change.MODIFIED: "M", Change.DELETED: "D"}
_SHOWN = 10
_COMMITS = 5


def plan_lines(plan: SyncPlan, *, every_file: bool) -> Iterator[str]:
    """Yield a plan as lines; long lists of files are cut unless `every_file`."""
    yield f"{plan.source} at {plan.source_commit[:10]}"
    for note in plan.notes:
        yield from note_lines(note)
    for step in gathered(plan.targets, "target", "reason"):
        if isinstance(step, Stopped):
            yield from stopped_lines(step, every_file=every_file)
        else:
            yield from step_lines(step, every_file=every_file)


def step_lines(step: TargetPlan, *, every_file: bool) -> Iterator[str]:
    """Yield what a sync would do with one target."""
    if step.action is Action.HELD:
        yield f"{step.target}: held at {show(step.held)} since it was rolled back; left alone"
        return
    if step.update is None:
        drift = f"; {_count(len(step.drift.files), 'drifted file')} there" if step.drift.files else ""
        yield f"{step.target}: up to date{drift}"
        return
    what = {
        Action.CREATE: "first sync into an empty repository",
        Action.MERGE: "merge",
        Action.SQUASH: "one commit",
        Action.ADOPT: "adopt",
        Action.UNDO: "one commit on top that takes it back",
        Action.ROLLBACK: f"back to {show(step.held)}",
        Action.LIFT: "the hold ends",
        Action.HELD: "held",
        Action.UP_TO_DATE: "up to date",
    }[step.action]
    branch = step.update.ref.removeprefix("refs/heads/")
    yield (
        f"{step.target}: {what}, {_count(step.commits, 'commit')} and {_count(len(step.changes), 'changed file')}"
        f" to {branch} of {show(step.url)}"
    )
    yield from file_lines(step.changes, every_file=every_file)
    for one in step.settled:
        yield f"  settled: {show_path(one.path)} as {_SIDE[one.side]} has it"
    if step.large:
        size = size_text(sum(file.size for file in step.large))
        yield f"  before it: {_count(len(step.large), 'LFS object')}, {size}"
    if step.drift.files:
        yield f"  kept: {_count(len(step.drift.files), 'file')} that {step.target} changed itself"
        yield from file_lines(step.drift.files, every_file=every_file)


def file_lines(changes: Sequence[FileChange], *, every_file: bool) -> Iterator[str]:
    """Yield one line a file, ``A path``; all of them or the first few and a count."""
    shown = changes if every_file or len(changes) <= _SHOWN + 1 else changes[:_SHOWN]
    for change in shown:
        yield f"  {_LETTER[change.change]} {show_path(change.path)}"
    if len(shown) < len(changes):
        yield f"  … and {len(changes) - len(shown)} more (-v shows all)"


def finding_lines(findings: Sequence[Finding], *, every_file: bool) -> Iterator[str]:
    """Yield what a remote would refuse, a line a file, and once for all files of a kind what to do about it."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.problem, finding.fix), []).append(finding)
    for (problem, fix), group in groups.items():
        shown = group if every_file or len(group) <= _SHOWN + 1 else group[:_SHOWN]
        for finding in shown:
            where = f"in {finding.commit[:10]}, {size_text(finding.size)}"
            yield f"  {show_path(finding.path)} ({where}): {show(problem)}"
        if len(shown) < len(group):
            yield f"  … and {len(group) - len(shown)} more (-v shows all)"
        for step in next_steps(fix):
            yield f"    fix: {step.text}" + (f"  # {step.remark}" if step.remark else "")


def size_text(size: int) -> str:
    """Return a number of bytes as people read it: ``130 bytes``, ``12.5 MiB``."""
    if size < 1 << 10:
        return _count(size, "byte")
    unit, power = next((unit, power) for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)) if size >= 1 << power)
    return f"{size / (1 << power):.1f} {unit}"


def stopped_lines(stopped: Stopped, *, every_file: bool = False) -> Iterator[str]:
    """Yield why a target cannot be synced, the paths concerned, and the next step."""
    yield f"{stopped.target}: stopped"
    yield from (f"  {line}" for line in show(stopped.reason).splitlines())
    for conflict in stopped.conflicts:
        known = "; settled before" if conflict.remembered else ""
        yield f"  {show_path(conflict.path)}: {conflict}{known}"
        yield from _commit_lines("source", conflict.source_commits, every=every_file)
        yield from _commit_lines("target", conflict.target_commits, every=every_file)
    if stopped.drift.files:
        yield f"  {stopped.target} itself changed:"
        yield from file_lines(stopped.drift.files, every_file=True)
    yield from finding_lines(stopped.findings, every_file=every_file)
    yield from hint_lines(stopped.hint, "  ")


def _commit_lines(side: str, commits: Sequence[Described], *, every: bool) -> Iterator[str]:
    """Yield the commits of one side that touch a path in conflict, newest first; the first few unless `every`."""
    shown = commits if every or len(commits) <= _COMMITS + 1 else commits[:_COMMITS]
    for commit in shown:
        yield f"    {side}: {commit_line(commit)}"
    if len(shown) < len(commits):
        yield f"    {side}: … and {len(commits) - len(shown)} more (-v shows all)"


def commit_line(commit: Described) -> str:
    """Return a commit as people read it: id, date, author, subject."""
    texts = (show(text).replace("\n", "\\n").replace("\t", " ") for text in (commit.author, commit.subject))
    return f"{commit.id[:10]} {commit.date[:10]} {': '.join(texts)}"


def outcome_lines(manifest: Manifest, outcomes: Sequence[Outcome | Stopped]) -> Iterator[str]:
    """Yield what came of each target."""
    for outcome in gathered(outcomes, "target", "reason"):
        if isinstance(outcome, Stopped):
            yield from stopped_lines(outcome)
        elif outcome.pushed:
            again = f" after {outcome.attempts} attempts" if outcome.attempts > 1 else ""
            yield f"{outcome.target}: synced{again}, now at {outcome.tip[:10]}: {manifest.target(outcome.target).url}"
        elif outcome.action is Action.HELD:
            yield from () if not outcome.attempts else (f"{outcome.target}: was rolled back meanwhile; left alone",)
        elif outcome.attempts:
            yield f"{outcome.target}: up to date; somebody else brought the same meanwhile"


def sync_json(plan: SyncPlan, outcomes: Sequence[Outcome | Stopped]) -> dict[str, Any]:
    """Return a plan and what came of it as the JSON that the documentation describes."""
    came = {outcome.target: outcome for outcome in outcomes}
    return {
        "schema": SCHEMA,
        "source": {"name": plan.source, "commit": plan.source_commit},
        "notes": list(plan.notes),
        "targets": [{**step_json(step), "outcome": outcome_json(came.get(step.target))} for step in plan.targets],
    }


def step_json(step: TargetPlan | Stopped) -> dict[str, Any]:
    """Return what is planned for one target."""
    if isinstance(step, Stopped):
        return {
            "name": step.target,
            "action": "stopped",
            "reason": step.reason,
            "next": step.hint,
            "exit_code": step.exit_code,
            "conflicts": [_conflict_json(conflict) for conflict in step.conflicts],
            "drift": drift_json(step.drift),
            "findings": [_finding_json(finding) for finding in step.findings],
            "held": step.held or None,
            "emptied": [_emptied_json(one) for one in step.emptied],
        }
    return {
        "name": step.target,
        "action": step.action.value,
        "url": step.url,
        "projected": step.projected,
        "update": None
        if step.update is None
        else {"ref": step.update.ref, "old": step.update.old, "new": step.update.new},
        "commits": step.commits,
        "changes": [change_json(change) for change in step.changes],
        "drift": drift_json(step.drift),
        "lfs": [{"oid": file.oid, "size": file.size} for file in step.large],
        "held": step.held or None,
        "settled": [{"path": _path(one.path), "side": one.side.value} for one in step.settled],
    }


def _emptied_json(one: EmptiedMap) -> dict[str, Any]:
    return {
        "place": one.place,
        "from": one.pattern,
        "files": one.files,
        "commit": None if one.commit is None else commit_json(one.commit),
        "moved_to": one.moved_to or None,
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule.value,
        "commit": finding.commit,
        "path": _path(finding.path),
        "size": finding.size,
        "problem": show(finding.problem),
        "fix": show(finding.fix),
        "in_tip": finding.in_tip,
    }


def outcome_json(outcome: Outcome | Stopped | None) -> dict[str, Any] | None:
    """Return what came of one target, None where nothing was tried."""
    if outcome is None:
        return None
    if isinstance(outcome, Stopped):
        return {"pushed": False, "reason": outcome.reason, "next": outcome.hint, "exit_code": outcome.exit_code}
    return {"pushed": outcome.pushed, "tip": outcome.tip, "attempts": outcome.attempts, "exit_code": 0}


def change_json(change: FileChange) -> dict[str, str]:
    """Return one changed file."""
    return {"path": _path(change.path), "change": change.change.value}


def _conflict_json(conflict: Conflict) -> dict[str, Any]:
    return {
        "path": _path(conflict.path),
        "source": conflict.source.value,
        "target": conflict.target.value,
        "source_path": None if conflict.source_path is None else _path(conflict.source_path),
        "target_path": None if conflict.target_path is None else _path(conflict.target_path),
        "before": None if conflict.before is None else _path(conflict.before),
        "crlf": None if conflict.crlf is None else conflict.crlf.value,
        "remembered": conflict.remembered,
        "source_commits": [commit_json(commit) for commit in conflict.source_commits],
        "target_commits": [commit_json(commit) for commit in conflict.target_commits],
    }


def commit_json(commit: Described) -> dict[str, str]:
    """Return a commit in one line."""
    return {"id": commit.id, "author": commit.author, "date": commit.date, "subject": commit.subject}


def drift_json(drift: Drift) -> dict[str, Any]:
    """Return the drift of a target."""
    return {"commits": list(drift.commits), "files": [change_json(change) for change in drift.files]}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _path(path: bytes) -> str:
    """Return a path as a JSON string holds it; bytes that are no UTF-8 become lone surrogates, as in Python."""
    return path.decode("utf-8", "surrogateescape")
