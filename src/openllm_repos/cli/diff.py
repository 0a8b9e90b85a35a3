"""`openllm-repos diff`: what a sync would change in a target, and what the target changed by itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.completion import TARGET, by_group
from openllm_repos.cli.invocation import Invocation

if TYPE_CHECKING:
    from openllm_repos.git.describe import Described
    from openllm_repos.git.repository import Repository
    from openllm_repos.plan import Stopped, SyncPlan, TargetPlan

SCHEMA = 1
_COLOURS = (("@@", "cyan"), ("+", "green"), ("-", "red"))
_HEADERS = ("diff ", "index ", "--- ", "+++ ", "new file ", "deleted file ", "old mode ", "new mode ", "similarity ")


@click.command("diff")
@click.argument("targets", nargs=-1, metavar="[TARGET]...", type=TARGET)
@by_group
@click.option("-p", "--patch", "as_patch", is_flag=True, help="Print the changes themselves, as 'git diff' does.")
@click.option("--drift", "only_drift", is_flag=True, help="Only what the target changed by itself.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def diff(
    invocation: Invocation,
    targets: tuple[str, ...],
    groups: tuple[str, ...],
    as_patch: bool,
    only_drift: bool,
    as_json: bool,
) -> int:
    """Show what a sync would change in the targets (all of them, or those named), and what they changed by themselves.

    Nothing is changed, here or there. Commits of the source that are not pushed yet count too. Conflicts are listed per
    path with both sides, and end with exit code 3.
    """
    from openllm_repos.cli.clone import open_family
    from openllm_repos.manifest.selection import select
    from openllm_repos.plan import Stopped
    from openllm_repos.sync.planning import SyncOptions, plan_sync

    if as_patch and as_json:
        raise click.UsageError("--patch and --json exclude each other.")
    manifest, repository, _ = open_family(invocation)
    targets = select(manifest, targets, groups, manifest.targets, "target")
    with repository.quarantine() as quarantined:
        plan = plan_sync(manifest, quarantined, targets, SyncOptions(allow_unpushed=True))
        seen = [_Seen.of(quarantined, step, as_patch=as_patch, only_drift=only_drift) for step in plan.targets]
    if as_json:
        import json

        click.echo(json.dumps(_facts(plan, seen), indent=2))
    else:
        _print(plan, seen, only_drift=only_drift)
    return max((step.exit_code for step in plan.targets if isinstance(step, Stopped)), default=0)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is to be shown of one target.

    Attributes:
        step: what a sync would do.
        commits: the commits that drifted.
        patch: what a sync would change, as a patch.
        drift_patch: what drifted, as a patch.
    """

    step: TargetPlan | Stopped
    commits: tuple[Described, ...]
    patch: bytes = b""
    drift_patch: bytes = b""

    @classmethod
    def of(cls, repository: Repository, step: TargetPlan | Stopped, *, as_patch: bool, only_drift: bool) -> _Seen:
        """Look up what the plan only names."""
        from openllm_repos.git.describe import describe, patch
        from openllm_repos.plan import TargetPlan

        commits = describe(repository, step.drift.commits)
        if not as_patch:
            return cls(step, commits)
        changes = step.changes if isinstance(step, TargetPlan) and not only_drift else ()
        drifted = patch(repository, step.drift.files) if step.drift.files else b""
        return cls(step, commits, patch(repository, changes) if changes else b"", drifted)


def _print(plan: SyncPlan, seen: Sequence[_Seen], *, only_drift: bool) -> None:
    from openllm_repos.hint import note_lines
    from openllm_repos.plan import Stopped

    click.echo(f"{plan.source} at {plan.source_commit[:10]}")
    for note in plan.notes:
        click.echo("\n".join(note_lines(note)))
    for one in seen:
        if isinstance(one.step, Stopped) or not only_drift:
            click.echo("\n".join(_sync_lines(one)))
        _print_patch(one.patch)
        for line in _drift_lines(one, say_none=only_drift):
            click.echo(line)
        _print_patch(one.drift_patch)


def _sync_lines(seen: _Seen) -> Iterator[str]:
    """Yield what a sync would do with one target, file by file."""
    from dataclasses import replace

    from openllm_repos.cli.plan_text import file_lines, step_lines, stopped_lines
    from openllm_repos.plan import Action, Drift, Stopped

    step = seen.step
    if isinstance(step, Stopped):
        yield from stopped_lines(replace(step, drift=Drift()))
    elif step.action is Action.HELD:
        yield from step_lines(step, every_file=True)
    elif step.update is None:
        yield f"{step.target}: a sync would change nothing"
    else:
        branch = step.update.ref.removeprefix("refs/heads/")
        yield f"{step.target}: a sync would change {_count(len(step.changes), 'file')} of {branch}"
        yield from file_lines(step.changes, every_file=True)


def _drift_lines(seen: _Seen, *, say_none: bool) -> Iterator[str]:
    """Yield what a target changed by itself: the files, and the commits that did it."""
    from openllm_repos.cli.plan_text import commit_line, file_lines
    from openllm_repos.plan import TargetPlan

    step = seen.step
    if not step.drift.files:
        if say_none and isinstance(step, TargetPlan):
            yield f"{step.target}: no drift"
        return
    yield f"{step.target}: changed {_count(len(step.drift.files), 'mapped file')} by itself"
    yield from file_lines(step.drift.files, every_file=True)
    for commit in seen.commits:
        yield f"  {commit_line(commit)}"


def _print_patch(patch: bytes) -> None:
    """Print a patch: every byte of it into a file or a pipe, and on a terminal only what cannot harm it."""
    if not sys.stdout.isatty():
        click.echo(patch, nl=False)
        return
    from openllm_repos.text import show

    colours = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for line in patch.decode("utf-8", "surrogateescape").split("\n")[:-1]:
        shown = show(line)
        click.echo(_styled(shown) if colours else shown)


def _styled(line: str) -> str:
    if line.startswith(_HEADERS):
        return click.style(line, bold=True)
    return next((click.style(line, fg=colour) for start, colour in _COLOURS if line.startswith(start)), line)


def _facts(plan: SyncPlan, seen: Sequence[_Seen]) -> dict[str, Any]:
    """Return a diff as the JSON that docs/json.md describes."""
    from openllm_repos.cli.plan_text import commit_json, step_json

    targets = []
    for one in seen:
        facts = step_json(one.step)
        facts.pop("update", None)  # of a commit that was made for this answer alone
        facts["drift"]["commits"] = [commit_json(commit) for commit in one.commits]
        targets.append(facts)
    return {
        "schema": SCHEMA,
        "source": {"name": plan.source, "commit": plan.source_commit},
        "notes": list(plan.notes),
        "targets": targets,
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
