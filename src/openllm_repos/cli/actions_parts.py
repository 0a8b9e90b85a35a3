"""What the reports for GitHub Actions are made of: headings, rows, links to commits, values of outputs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from openllm_repos.cli.actions import Note
from openllm_repos.cli.markdown import Part, code, link
from openllm_repos.hint import hint_lines
from openllm_repos.manifest.model import Kind
from openllm_repos.plan import Action, Outcome, Stopped, TargetPlan

if TYPE_CHECKING:
    from openllm_repos.manifest.model import Manifest

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
COLUMNS = ("target", "what", "commits", "files", "own changes kept", "now at")


def heading(command_name: str, *more: str) -> Part:
    """Return the headline of one command, with what else is to be said there."""
    said = ": ".join([f"openllm-repos {command_name}".rstrip(), *(one for one in more if one)])
    return Part((f"### {said}", ""))


def sync_row(manifest: Manifest, step: TargetPlan | Stopped, result: TargetPlan | Outcome | Stopped) -> tuple[str, ...]:
    """Return the row of one target."""
    name = code(step.target)
    if isinstance(result, Stopped):
        files = len(result.conflicts)
        what = f"**conflict** in {files} file{'' if files == 1 else 's'}" if files else "**stopped**"
        return name, what, "-", "-", str(len(result.drift.files) or "-"), "-"
    assert isinstance(step, TargetPlan)  # what is stopped has no other outcome
    kept = str(len(step.drift.files) or "-")
    if isinstance(result, TargetPlan):
        tip = "-" if step.tip is None else commit_link(manifest, step.target, step.tip)
        action = Action.UP_TO_DATE if step.update is None and not is_held(step) else step.action
        return name, _PLANNED[action], str(step.commits or "-"), str(len(step.changes) or "-"), kept, tip
    tip = commit_link(manifest, step.target, result.tip)
    if not result.pushed:
        return name, _PLANNED[Action.HELD if is_held(result) else Action.UP_TO_DATE], "-", "-", kept, tip
    return name, _DONE[result.action], str(step.commits), str(len(step.changes)), kept, tip


def is_held(result: TargetPlan | Outcome | Stopped) -> bool:
    """Return whether a target got nothing because it is held."""
    return bool(result.held) if isinstance(result, Stopped) else result.action is Action.HELD


def commit_link(manifest: Manifest, name: str, commit: str) -> str:
    """Return a commit as a link to where its host shows it."""
    repo = next((repo for repo in manifest.repos if repo.name == name), None)
    return code(commit[:_SHORT]) if repo is None else shown_at(repo.kind.value, repo.url, commit)


def shown_at(kind: str, url: str, commit: str) -> str:
    """Return a commit as a link, where the kind of its repo says how its pages are called."""
    if kind == Kind.GIT.value:  # every host has pages of its own
        return code(commit[:_SHORT])
    return link(commit[:_SHORT], f"{url.removesuffix('.git')}/commit/{commit}")


def stopped_note(command_name: str, stopped: Stopped) -> Note:
    """Return the annotation of a target that is stopped, with the first files of a conflict."""
    paths = [conflict.path.decode("utf-8", "surrogateescape") for conflict in stopped.conflicts]
    named = f" ({', '.join(paths[:3])}{', …' if len(paths) > 3 else ''})" if paths else ""
    return Note(
        "error",
        f"{stopped.target}: {stopped.reason}{named}{with_next(stopped.hint)}",
        f"openllm-repos {command_name}",
    )


def with_next(hint: str) -> str:
    """Return a hint as the last lines of a message; nothing where there is none."""
    return "".join(f"\n{line}" for line in hint_lines(hint))


def truth(true: bool) -> str:
    """Return what conditions of a workflow compare with."""
    return "true" if true else "false"


def listing(names: Iterable[str]) -> str:
    """Return names as one output: the command line of `sync` takes them so."""
    return " ".join(names)
