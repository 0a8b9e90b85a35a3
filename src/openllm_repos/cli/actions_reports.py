"""Results of commands as reports for GitHub Actions: parts of a summary, annotations, outputs.

Commands hand over their frozen results, and failures their sentence; anywhere else than in a job nothing comes of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openllm_repos.cli.actions import Note, Report, in_actions, write
from openllm_repos.cli.markdown import Part, block, code, link, table
from openllm_repos.errors import ManifestError
from openllm_repos.manifest.model import Kind
from openllm_repos.plan import Action, Outcome, Stopped, TargetPlan

if TYPE_CHECKING:
    from openllm_repos.errors import ReposError
    from openllm_repos.journal.releases import ReleaseRecord
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.plan import Adoption, SyncPlan
    from openllm_repos.release.model import ReleasePlan, Tagged
    from openllm_repos.release.verify import VerifiedRelease, VerifiedRepo
    from openllm_repos.status.family import FamilyStatus
    from openllm_repos.status.problems import Problem

_SHORT = 10
_DONE = {
    Action.CREATE: "synced, for the first time",
    Action.MERGE: "synced",
    Action.SQUASH: "synced",
    Action.ADOPT: "adopted",
    Action.UNDO: "taken back",
    Action.ROLLBACK: "rolled back",
    Action.LIFT: "no longer held",
}
_PLANNED = {
    Action.CREATE: "would be synced, for the first time",
    Action.MERGE: "would be synced",
    Action.SQUASH: "would be synced",
    Action.ADOPT: "would be adopted",
    Action.UNDO: "would be taken back",
    Action.ROLLBACK: "would be rolled back",
    Action.LIFT: "would no longer be held",
    Action.UP_TO_DATE: "up to date",
    Action.HELD: "held, left alone",
}
_COLUMNS = ("target", "what", "commits", "files", "own changes kept", "now at")


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
    states = {str(one.repo.name): one.standing.value for one in family.repos}
    parts = [_heading("status"), table_of]
    parts += [Part(tuple(listed), foot=("",))] if problems else []
    notes = [
        Note(
            "notice" if problem.wanted else "warning",
            f"{problem.repo}: {problem.message}{_next(problem.next)}",
            "openllm-repos status",
        )
        for problem in problems
    ]
    outputs = {
        "commit": family.source_commit or "",
        "differs": _said(family.differs),
        "drifted": _names(name for name, state in states.items() if state in {"drift", "diverged"}),
        "behind": _names(name for name, state in states.items() if state in {"behind", "diverged", "empty"}),
        "unreachable": _names(name for name, state in states.items() if state in {"unreachable", "unknown"}),
        "held": _names(name for name, state in states.items() if state == "held"),
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
    parts = [_heading("sync", "dry run" if outcomes is None else ""), _source(manifest, plan.source_commit)]
    parts.append(table(_COLUMNS, (_sync_row(manifest, step, result) for step, result in results)))
    parts += [block(f"note: {note}" for note in plan.notes)] if plan.notes else []
    parts += [block(stopped_lines(one, every_file=True)) for one in stopped]
    for step in plan.targets:
        if isinstance(step, TargetPlan) and step.changes:
            lines = list(file_lines(step.changes, every_file=True))
            parts.append(block(lines, folded=f"Files of {step.target}: {len(lines)}"))
    notes = [_stopped_note("sync", one) for one in stopped]
    notes += [_held_note(step) for step, result in results if _is_held(result) and not isinstance(result, Stopped)]
    notes += [Note("notice", note, "openllm-repos sync") for note in plan.notes]
    pushed = [one.target for one in came.values() if isinstance(one, Outcome) and one.pushed]
    outputs = {
        "commit": str(plan.source_commit),
        "changed": _said(bool(pushed)),
        "pushed": _names(pushed),
        "planned": _names(s.target for s in plan.targets if isinstance(s, TargetPlan) and s.update is not None),
        "stopped": _names(one.target for one in stopped),
        "conflicts": _names(one.target for one in stopped if one.conflicts),
        "drifted": _names(step.target for step in plan.targets if step.drift.files),
        "held": _names(result.target for _, result in results if _is_held(result)),
    }
    write(Report(parts, notes, outputs))


def report_adoption(
    manifest: Manifest, adoption: Adoption, outcome: Outcome | Stopped | None, lines: Iterable[str]
) -> None:
    """Tell what an adoption found (in `lines`), and did or would do."""
    if not in_actions():
        return
    step, result = adoption.step, outcome or adoption.step
    parts = [_heading("adopt", "" if outcome else "nothing was changed"), block(lines)]
    notes = []
    if isinstance(result, Stopped):
        from openllm_repos.cli.plan_text import stopped_lines

        parts += [block(stopped_lines(result))] if result is not step else []
        notes.append(_stopped_note("adopt", result))
    elif isinstance(step, TargetPlan) and result is not None:
        parts.append(table(_COLUMNS, [_sync_row(manifest, step, result)]))
    pushed = [outcome.target] if isinstance(outcome, Outcome) and outcome.pushed else []
    outputs = {
        "commit": str(adoption.match.source_commit) if adoption.match else "",
        "changed": _said(bool(pushed)),
        "pushed": _names(pushed),
        "planned": str(adoption.target) if isinstance(step, TargetPlan) else "",
        "stopped": str(adoption.target) if isinstance(result, Stopped) else "",
    }
    write(Report(parts, notes, outputs))


def report_release(manifest: Manifest, plan: ReleasePlan | ReleaseRecord, tagged: Sequence[Tagged] | None) -> None:
    """Tell what a release did, or would do; what stands against one is an error."""
    if not in_actions():
        return
    from openllm_repos.release.model import ReleasePlan

    parts = [_heading("release", plan.version, "dry run" if tagged is None else "")]
    notes: list[Note] = []
    if tagged is not None:
        rows = [
            (code(one.repo), _commit_link(manifest, one.repo, one.commit), code(one.tag), _pushed(one.pushed))
            for one in tagged
        ]
        parts.append(table(("repo", "commit", "tag", "what"), rows))
    elif isinstance(plan, ReleasePlan):
        from openllm_repos.cli.release_text import obstacle_lines, release_lines

        parts.append(block(release_lines(plan, every_file=True)))
        parts += [block(obstacle_lines(plan.obstacles))] if plan.obstacles else []
        notes += [
            Note("error", f"{one.repo}: {one.message}{_next(one.next)}", f"Release {plan.version}")
            for one in plan.obstacles
        ]
    pushed = [one.repo for one in tagged or () if one.pushed]
    source = next((str(one.commit) for one in tagged or () if one.repo == manifest.source.name), "")
    outputs = {
        "version": plan.version,
        "tag": str(plan.tag),
        "commit": source,
        "changed": _said(bool(pushed)),
        "pushed": _names(pushed),
    }
    write(Report(parts, notes, outputs))


def report_verified(found: Sequence[VerifiedRelease]) -> None:
    """Tell what the remotes say of releases; what is not as its lock says is an error."""
    if not in_actions():
        return
    from openllm_repos.cli.release_text import said_of, verdict_of

    parts, notes = [_heading("release verify")], []
    faulty: dict[str, None] = {}
    for one in found:
        rows = [(code(repo.repo.name), _locked_link(repo), code(verdict_of(repo))) for repo in one.repos]
        parts.append(Part((f"{code(one.tag)}: {code(said_of(one))}",), foot=("",)))
        parts += [table(("repo", "commit", "verdict"), rows)] if rows else []
        if not one.good:
            notes.append(Note("error", f"{one.tag}: {said_of(one)}", "openllm-repos release verify"))
        bad = [repo for repo in one.repos if repo.verdict.value != "good"]
        faulty |= {str(repo.repo.name): None for repo in bad}
        notes += [Note("error", f"{repo.repo.name}: {verdict_of(repo)}", f"Release {one.tag}") for repo in bad]
    outputs = {
        "complete": _said(all(one.good for one in found)),
        "tags": _names(str(one.tag) for one in found),
        "faulty": _names(faulty),
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
        ] or [Note("error", f"{message}{_next(hint)}", title, file, error.line_of(0) or 0)]
    lines += [f"next: {hint}"] if hint else []
    parts = [_heading(command_name, "stopped"), block(lines)]
    write(Report(parts, notes or [Note("error", f"{message}{_next(hint)}", title)]))


_LINES = 10


def _heading(command_name: str, *more: str) -> Part:
    said = ": ".join([f"openllm-repos {command_name}".rstrip(), *(one for one in more if one)])
    return Part((f"### {said}", ""))


def _source(manifest: Manifest, commit: str) -> Part:
    return Part((f"{code(manifest.source.name)} at {_commit_link(manifest, manifest.source.name, commit)}", ""))


def _sync_row(
    manifest: Manifest, step: TargetPlan | Stopped, result: TargetPlan | Outcome | Stopped
) -> tuple[str, ...]:
    """Return the row of one target."""
    name = code(step.target)
    if isinstance(result, Stopped):
        files = len(result.conflicts)
        what = f"**conflict** in {files} file{'' if files == 1 else 's'}" if files else "**stopped**"
        return name, what, "-", "-", str(len(result.drift.files) or "-"), "-"
    assert isinstance(step, TargetPlan)  # what is stopped has no other outcome
    kept = str(len(step.drift.files) or "-")
    if isinstance(result, TargetPlan):
        tip = "-" if step.tip is None else _commit_link(manifest, step.target, step.tip)
        return name, _PLANNED[step.action], str(step.commits or "-"), str(len(step.changes) or "-"), kept, tip
    tip = _commit_link(manifest, step.target, result.tip)
    if not result.pushed:
        return name, _PLANNED[Action.HELD if _is_held(result) else Action.UP_TO_DATE], "-", "-", kept, tip
    return name, _DONE[result.action], str(step.commits), str(len(step.changes)), kept, tip


def _is_held(result: TargetPlan | Outcome | Stopped) -> bool:
    return bool(result.held) if isinstance(result, Stopped) else result.action is Action.HELD


def _held_note(step: TargetPlan | Stopped) -> Note:
    """Say that a target was left alone: somebody wanted it so, and it stays so until they end it."""
    where = f"at {step.held} since it was rolled back" if step.held else "since it was rolled back meanwhile"
    lift = f"openllm-repos rollback {step.target} --lift"
    return Note("notice", f"{step.target}: is held {where}; left alone{_next(lift)}", "openllm-repos sync")


def _commit_link(manifest: Manifest, name: str, commit: str) -> str:
    """Return a commit as a link to where its host shows it."""
    repo = next((repo for repo in manifest.repos if repo.name == name), None)
    return code(commit[:_SHORT]) if repo is None else _shown_at(repo.kind.value, repo.url, commit)


def _locked_link(repo: VerifiedRepo) -> str:
    return _shown_at(repo.repo.kind, repo.repo.url, repo.commit)


def _shown_at(kind: str, url: str, commit: str) -> str:
    if kind == Kind.GIT.value:  # every host has pages of its own
        return code(commit[:_SHORT])
    return link(commit[:_SHORT], f"{url.removesuffix('.git')}/commit/{commit}")


def _stopped_note(command_name: str, stopped: Stopped) -> Note:
    paths = [conflict.path.decode("utf-8", "surrogateescape") for conflict in stopped.conflicts]
    named = f" ({', '.join(paths[:3])}{', …' if len(paths) > 3 else ''})" if paths else ""
    return Note(
        "error",
        f"{stopped.target}: {stopped.reason}{named}{_next(stopped.hint)}",
        f"openllm-repos {command_name}",
    )


def _pushed(pushed: bool) -> str:
    return "tagged" if pushed else "was there"


def _next(hint: str) -> str:
    return f"\nnext: {hint}" if hint else ""


def _said(true: bool) -> str:
    return "true" if true else "false"


def _names(names: Iterable[str]) -> str:
    return " ".join(names)


def _in_workspace(path: Path | None) -> str:
    """Return a path from the top of the repository that the job checked out, or an empty string."""
    top = os.environ.get("GITHUB_WORKSPACE", "")
    if path is None or not top:
        return ""
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(top))
    return "" if inside.startswith("..") else inside.replace(os.sep, "/")
