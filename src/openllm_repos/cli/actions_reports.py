"""Results of commands as reports for GitHub Actions: parts of a summary, annotations, outputs.

Commands hand over their frozen results, and failures their sentence; anywhere else than in a job nothing comes of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openllm_repos.cli.actions import Note, Report, in_actions, write
from openllm_repos.cli.actions_parts import (
    COLUMNS,
    commit_link,
    heading,
    is_held,
    listing,
    shown_at,
    stopped_note,
    sync_row,
    truth,
    with_next,
)
from openllm_repos.cli.markdown import Part, block, code, table
from openllm_repos.errors import ManifestError
from openllm_repos.hint import gathered, hint_lines
from openllm_repos.plan import Outcome, Stopped, TargetPlan

if TYPE_CHECKING:
    from openllm_repos.errors import ReposError
    from openllm_repos.family.tags import ReleaseTags, RepoTag
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.plan import Adoption, SyncPlan
    from openllm_repos.release.carry import Mended, Unfinished
    from openllm_repos.release.model import ReleasePlan
    from openllm_repos.status.family import FamilyStatus
    from openllm_repos.status.problems import Problem

_LINES = 10  # of faults, whose lines are looked for


def report_status(family: FamilyStatus, table_of: Part, problems: Sequence[Problem], listed: Iterable[str]) -> None:
    """Tell how every repo stands; what is wrong is a warning.

    Args:
        family: how they stand.
        table_of: the same as a table.
        problems: what is wrong, those of several repos that read the same as one.
        listed: these as entries of a list, in Markdown.
    """
    if not in_actions():
        return
    states = {str(one.repo.name): one.standing for one in family.repos}
    parts = [heading("status"), table_of]
    parts += [Part(tuple(listed), foot=("",))] if problems else []
    notes = [
        Note(
            "notice" if problem.wanted else "warning",
            f"{problem.repo}: {problem.message}{with_next(problem.next)}",
            "openllm-repos status",
        )
        for problem in problems
    ]
    outputs = {
        "commit": family.source_commit or "",
        "differs": truth(family.differs),
        "drifted": listing(name for name, state in states.items() if state.value in {"drift", "diverged"}),
        "behind": listing(one.repo.name for one in family.repos if one.repo.maps and one.standing.syncable),
        "unreachable": listing(name for name, state in states.items() if state.bad),
        "held": listing(name for name, state in states.items() if state.value == "held"),
    }
    write(Report(parts, notes, outputs))


def report_sync(manifest: Manifest, plan: SyncPlan, outcomes: Sequence[Outcome | Stopped] | None) -> None:
    """Tell what a sync did, or would do; a target that is stopped is an error, one that is held and left alone not."""
    if not in_actions():
        return
    from openllm_repos.cli.plan_text import file_lines, stopped_lines

    came = {outcome.target: outcome for outcome in outcomes or ()}
    results = [(step, came.get(step.target, step)) for step in plan.targets]
    stopped = [result for _, result in results if isinstance(result, Stopped)]
    parts = [heading("sync", "dry run" if outcomes is None else ""), _source(manifest, plan.source_commit)]
    parts.append(table(COLUMNS, (sync_row(manifest, step, result) for step, result in results)))
    parts += [block(f"note: {note}" for note in plan.notes)] if plan.notes else []
    told = list(gathered(stopped, "target", "reason"))
    parts += [block(stopped_lines(one, every_file=True)) for one in told]
    for step in plan.targets:
        if isinstance(step, TargetPlan) and step.changes:
            lines = list(file_lines(step.changes, every_file=True))
            parts.append(block(lines, folded=f"Files of {step.target}: {len(lines)}"))
    notes = [stopped_note("sync", one) for one in told]
    notes += [_held_note(step) for step, result in results if is_held(result) and not isinstance(result, Stopped)]
    notes += [Note("notice", note, "openllm-repos sync") for note in plan.notes]
    pushed = [one.target for one in came.values() if isinstance(one, Outcome) and one.pushed]
    outputs = {
        "commit": str(plan.source_commit),
        "changed": truth(bool(pushed)),
        "pushed": listing(pushed),
        "planned": listing(s.target for s in plan.targets if isinstance(s, TargetPlan) and s.update is not None),
        "stopped": listing(one.target for one in stopped),
        "conflicts": listing(one.target for one in stopped if one.conflicts),
        "drifted": listing(step.target for step in plan.targets if step.drift.files),
        "held": listing(result.target for _, result in results if is_held(result)),
    }
    write(Report(parts, notes, outputs))


def report_adoption(
    manifest: Manifest, adoption: Adoption, outcome: Outcome | Stopped | None, lines: Iterable[str]
) -> None:
    """Tell what an adoption found (in `lines`), and did or would do."""
    if not in_actions():
        return
    step, result = adoption.step, outcome or adoption.step
    parts = [heading("adopt", "" if outcome else "nothing was changed"), block(lines)]
    notes = []
    if isinstance(result, Stopped):
        from openllm_repos.cli.plan_text import stopped_lines

        parts += [block(stopped_lines(result))] if result is not step else []
        notes.append(stopped_note("adopt", result))
    elif isinstance(step, TargetPlan) and result is not None:
        parts.append(table(COLUMNS, [sync_row(manifest, step, result)]))
    pushed = [outcome.target] if isinstance(outcome, Outcome) and outcome.pushed else []
    outputs = {
        "commit": str(adoption.match.source_commit) if adoption.match else "",
        "changed": truth(bool(pushed)),
        "pushed": listing(pushed),
        "planned": str(adoption.target) if isinstance(step, TargetPlan) else "",
        "stopped": str(adoption.target) if isinstance(result, Stopped) else "",
    }
    write(Report(parts, notes, outputs))


def report_release(manifest: Manifest, plan: ReleasePlan | Unfinished, result: Mended | None) -> None:
    """Tell what a release did, or would do; what stands against one, or cannot be mended, is an error."""
    if not in_actions():
        return
    from openllm_repos.cli.release_text import obstacle_lines, release_lines
    from openllm_repos.release.model import ReleasePlan

    version, tag = (plan.version, plan.tag) if isinstance(plan, ReleasePlan) else (plan.record.version, plan.record.tag)
    parts = [heading("release", version, "dry run" if result is None else "")]
    tagged, faults = (result.tagged, result.left) if result is not None else ((), ())
    if result is not None:
        rows = [
            (code(one.repo), commit_link(manifest, one.repo, one.commit), code(one.tag), _pushed(one.pushed))
            for one in tagged
        ]
        parts.append(table(("repo", "commit", "tag", "what"), rows))
    elif isinstance(plan, ReleasePlan):
        parts.append(block(release_lines(plan, every_file=True)))
        faults = plan.obstacles
    parts += [block(obstacle_lines(faults))] if faults else []
    told = gathered(faults, "repo", "message")
    notes = [Note("error", f"{one.repo}: {one.message}{with_next(one.next)}", f"Release {version}") for one in told]
    pushed = [one.repo for one in tagged if one.pushed]
    outputs = {
        "version": version,
        "tag": str(tag),
        "commit": next((str(one.commit) for one in tagged if one.repo == manifest.source.name), ""),
        "changed": truth(bool(pushed)),
        "pushed": listing(pushed),
    }
    write(Report(parts, notes, outputs))


def report_verified(found: Sequence[ReleaseTags]) -> None:
    """Tell what the remotes say of releases; what is not as its lock says is an error."""
    if not in_actions():
        return
    from openllm_repos.cli.release_text import said_of, state_said

    parts, notes = [heading("release verify")], []
    faulty: dict[str, None] = {}
    for one in found:
        rows = [(code(repo.repo.name), _locked_link(repo), code(state_said(repo))) for repo in one.repos]
        parts.append(Part((f"{code(one.tag)}: {code(said_of(one))}",), foot=("",)))
        parts += [table(("repo", "commit", "state"), rows)] if rows else []
        if not one.good:
            notes.append(Note("error", f"{one.tag}: {said_of(one)}", "openllm-repos release verify"))
        bad = [repo for repo in one.repos if not repo.state.settled]
        faulty |= {str(repo.repo.name): None for repo in bad}
        notes += [Note("error", f"{repo.repo.name}: {state_said(repo)}", f"Release {one.tag}") for repo in bad]
    outputs = {
        "complete": truth(all(one.good for one in found)),
        "tags": listing(str(one.tag) for one in found),
        "faulty": listing(faulty),
    }
    write(Report(parts, notes, outputs))


def report_failure(message: str, hint: str, error: ReposError | None, command_name: str) -> None:
    """Return why a command ended early; the faults of a manifest each at its line."""
    if not in_actions():
        return
    title = f"openllm-repos {command_name}".rstrip()
    lines = [f"error: {message}"]
    notes = []
    if isinstance(error, ManifestError):
        lines += [f"  {fault}" for fault in error.faults]
        file = _in_workspace(error.path)
        # To find a line takes time, so not of more faults than are shown.
        notes = [
            Note("error", fault, title, file, error.line_of(at) or 0 if at < _LINES else 0)
            for at, fault in enumerate(error.faults)
        ] or [Note("error", f"{message}{with_next(hint)}", title, file, error.line_of(0) or 0)]
    lines += hint_lines(hint)
    parts = [heading(command_name, "stopped"), block(lines)]
    write(Report(parts, notes or [Note("error", f"{message}{with_next(hint)}", title)]))


def _source(manifest: Manifest, commit: str) -> Part:
    return Part((f"{code(manifest.source.name)} at {commit_link(manifest, manifest.source.name, commit)}", ""))


def _locked_link(repo: RepoTag) -> str:
    return shown_at(repo.repo.kind, repo.repo.url, repo.commit)


def _pushed(pushed: bool) -> str:
    return "tagged" if pushed else "was there"


def _in_workspace(path: Path | None) -> str:
    """Return a path from the top of the repository that the job checked out, or an empty string."""
    top = os.environ.get("GITHUB_WORKSPACE", "")
    if path is None or not top:
        return ""
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(top))
    return "" if inside.startswith("..") else inside.replace(os.sep, "/")


def _held_note(step: TargetPlan | Stopped) -> Note:
    """Say that a target was left alone: somebody wanted it so, and it stays so until they end it."""
    where = f"at {step.held} since it was rolled back" if step.held else "since it was rolled back meanwhile"
    lift = f"openllm-repos rollback {step.target} --lift"
    return Note("notice", f"{step.target}: is held {where}; left alone{with_next(lift)}", "openllm-repos sync")
