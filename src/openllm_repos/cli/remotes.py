"""`openllm-repos remotes`: the clone's git remotes beside the manifest, and making them equal to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from openllm_repos.cli.clone import open_clone
from openllm_repos.cli.frame import Change, Frame, Tell, changing
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.table import Column, Row, table_lines, terminal_columns
from openllm_repos.family.modules import Difference
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line, hint_lines
from openllm_repos.manifest.model import Manifest
from openllm_repos.setup.remotes import Deed, RemoteStep, apply_remotes, plan_remotes
from openllm_repos.submodules.mending import apply_modules, plan_modules
from openllm_repos.text import redact, show

SCHEMA = 1
_COLUMNS = (Column("repo"), Column("remote"), Column("url", yields=2), Column(yields=1))


@click.group("remotes", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def remotes(ctx: click.Context, as_json: bool) -> None:
    """Show the clone's git remote for each repo; `remotes sync` makes them equal to the manifest.

    Of repos that the source pins as submodules, .gitmodules is held against the manifest, too.
    """
    if ctx.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError(f"Write it behind: remotes {ctx.invoked_subcommand} --json")
        return
    manifest, repository = open_clone(ctx.obj)
    steps = plan_remotes(manifest, repository)
    modules = plan_modules(manifest, repository)
    if as_json:
        click.echo(json.dumps(facts(steps, (), modules), indent=2))
        return
    for line in (*_table(steps), *_modules_told(modules, (), done=False)):
        click.echo(line)
    if any(step.changes for step in steps) or any(one.settings for one in modules):
        click.echo()
        for line in hint_lines("openllm-repos remotes sync"):
            click.echo(line)


@changing("sync")
@click.option("--prune", is_flag=True, help="Remove remotes that this tool made and the manifest no longer names.")
def sync(frame: Frame, prune: bool) -> int:
    """Make the clone's git remotes equal to the manifest.

    What is missing is added, and what this tool made is corrected. A remote that you made stays as it is: where it
    leads elsewhere, that is said, with the git command that would change it. So is .gitmodules brought up to date for
    the repos that the source pins, staged and not committed.
    """
    manifest, repository = open_clone(frame.invocation)
    return frame.run(_Remotes(frame.invocation, manifest, prune=prune), manifest, repository)


remotes.add_command(sync)


@dataclass(frozen=True, slots=True)
class _Found:
    """How remotes and submodules stand (in a plan, what would change of them), or what changed."""

    steps: Sequence[RemoteStep]
    modules: Sequence[Difference]


@dataclass
class _Remotes(Change[_Found, _Found]):
    """It changes this clone's configuration alone; what it calls takes the lock itself."""

    asks = settles = shows_plan = False

    invocation: Invocation
    manifest: Manifest
    prune: bool

    def plan(self, repository: Repository) -> _Found:
        return _Found(plan_remotes(self.manifest, repository), plan_modules(self.manifest, repository))

    def _due(self, plan: _Found) -> _Found:
        steps = [step for step in plan.steps if step.changes or (self.prune and step.deed is Deed.STALE)]
        return _Found(steps, [one for one in plan.modules if one.settings])

    def plan_lines(self, plan: _Found, *, every_file: bool) -> Iterable[str]:
        return self._lines(plan, self._due(plan), done=False)

    def _lines(self, plan: _Found, due: _Found, *, done: bool) -> Iterator[str]:
        if not self.invocation.quiet:
            yield from told(plan.steps, due.steps, done=done)
            yield from _modules_told(plan.modules, due.modules, done=done)

    def apply(self, plan: _Found, repository: Repository, tell: Tell) -> _Found:
        steps = apply_remotes(plan.steps, repository, prune=self.prune)
        return _Found(steps, apply_modules(self.manifest, repository, plan.modules))

    def result_lines(self, plan: _Found, result: _Found) -> Iterable[str]:
        return self._lines(plan, result, done=True)

    def facts(self, plan: _Found, result: _Found | None) -> dict[str, Any]:
        due = result or self._due(plan)
        return facts(plan.steps, due.steps, plan.modules, due.modules)


def told(steps: Sequence[RemoteStep], due: Sequence[RemoteStep], *, done: bool) -> Iterator[str]:
    """Yield for people what changed (or would), and what is left to them."""
    words = {Deed.ADD: ("added", "would add"), Deed.CORRECT: ("corrected", "would correct")}
    for step in due:
        said = words.get(step.deed, ("removed", "would remove"))[not done]
        old = f" (was {step.found})" if step.deed is Deed.CORRECT and step.found != step.wanted else ""
        yield _safe(f"{said} {step.remote}: {step.wanted or step.found}{old}")
    if not due:
        yield "The git remotes are as the manifest says."
    yield from left_alone(steps, due)


def left_alone(steps: Sequence[RemoteStep], due: Sequence[RemoteStep] = ()) -> Iterator[str]:
    """Yield what is left to the person."""
    for step in steps:
        if step.deed is Deed.FOREIGN:
            yield _safe(f"{step.remote} leads to {step.found}, not to {step.wanted}; it is yours, and stays as it is.")
            yield from hint_lines(step.command, "  ")
        elif step.deed is Deed.STALE and step not in due:
            yield _safe(f"{step.remote} ({step.found}) is no longer in the manifest.")
            yield from hint_lines(step.command, "  ")


def _modules_told(found: Sequence[Difference], mended: Sequence[Difference], *, done: bool) -> Iterator[str]:
    """Yield what differs in the submodules, what was mended of it (or would be), and what is left to the person."""
    for one in found:
        ending = (" (mended)" if done else " (would be mended)") if one in mended else ""
        yield _safe(f"{one.said}{ending}")
        if one.command:
            yield from hint_lines(one.command, "  ")
        elif done and any(setting.key == "url" for setting in one.settings) and one in mended:
            sync = command_line("git", "submodule", "sync", "--", one.path, remark="in clones that have it checked out")
            yield from hint_lines(sync, "  ")


def _table(steps: Sequence[RemoteStep]) -> Iterator[str]:
    rows = []
    for step in steps:
        remote = "-" if step.deed is Deed.ADD else step.remote
        note = "" if step.deed is Deed.KEEP else f"({step.deed})"
        rows.append(Row([step.repo.name if step.repo else "-", remote, redact(str(step.found or step.wanted)), note]))
    return table_lines(_COLUMNS, rows, width=terminal_columns())


def facts(
    steps: Sequence[RemoteStep],
    due: Sequence[RemoteStep],
    modules: Sequence[Difference] = (),
    mended: Sequence[Difference] = (),
) -> dict[str, Any]:
    """Return it as the JSON that docs/json.md describes."""
    return {
        "schema": SCHEMA,
        "remotes": [
            {
                "repo": None if step.repo is None else step.repo.name,
                "remote": step.remote,
                "state": step.deed.name.lower(),
                "url": redact(step.found) or None,
                "wanted": str(step.wanted) or None,
                "changed": step in due,
                "next": step.command,
            }
            for step in steps
        ],
        "submodules": [
            {
                "repo": one.repo or None,
                "path": one.path,
                "message": redact(one.message),
                "changed": one in mended,
                "next": one.command or "openllm-repos remotes sync",
            }
            for one in modules
        ],
    }


def _safe(line: str) -> str:
    return show(redact(line))
