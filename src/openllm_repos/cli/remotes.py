"""`openllm-repos remotes`: the clone's git remotes beside the manifest, and making them equal to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.invocation import Invocation
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from openllm_repos.setup.remotes import RemoteStep

SCHEMA = 1


@click.group("remotes", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_context
def remotes(ctx: click.Context, as_json: bool) -> None:
    """Show the clone's git remote for each repo; `remotes sync` makes them equal to the manifest."""
    if ctx.invoked_subcommand is not None:
        if as_json:
            raise click.UsageError(f"Write it behind: remotes {ctx.invoked_subcommand} --json")
        return
    from openllm_repos.cli.clone import open_clone
    from openllm_repos.setup.remotes import plan_remotes

    manifest, repository = open_clone(ctx.obj)
    steps = plan_remotes(manifest, repository)
    if as_json:
        click.echo(json.dumps(facts(steps, ()), indent=2))
        return
    for line in _table(steps):
        click.echo(line)
    if any(step.changes for step in steps):
        click.echo("\nnext: openllm-repos remotes sync")


@remotes.command("sync")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--prune", is_flag=True, help="Remove remotes that this tool made and the manifest no longer names.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def sync(invocation: Invocation, dry_run: bool, prune: bool, as_json: bool) -> None:
    """Make the clone's git remotes equal to the manifest.

    What is missing is added, and what this tool made is corrected. A remote that you made stays as it is: where it
    leads elsewhere, that is said, with the git command that would change it.
    """
    from openllm_repos.cli.clone import open_clone
    from openllm_repos.setup.remotes import Deed, apply_remotes, plan_remotes

    manifest, repository = open_clone(invocation)
    steps = plan_remotes(manifest, repository)
    due = tuple(step for step in steps if step.changes or (prune and step.deed is Deed.STALE))
    if not dry_run:
        due = apply_remotes(steps, repository, prune=prune)
    if as_json:
        click.echo(json.dumps(facts(steps, due), indent=2))
        return
    for line in told(steps, due, done=not dry_run):
        if not invocation.quiet:
            click.echo(line)


def told(steps: Sequence[RemoteStep], due: Sequence[RemoteStep], *, done: bool) -> Iterator[str]:
    """Yield for people what changed (or would), and what is left to them."""
    from openllm_repos.setup.remotes import Deed

    words = {Deed.ADD: ("added", "would add"), Deed.CORRECT: ("corrected", "would correct")}
    for step in due:
        said = words.get(step.deed, ("removed", "would remove"))[not done]
        old = f" (was {step.found})" if step.deed is Deed.CORRECT and step.found != step.wanted else ""
        yield _safe(f"{said} {step.remote}: {step.wanted or step.found}{old}")
    if not due:
        yield "The git remotes are as the manifest says."
    for step in steps:
        if step.deed is Deed.FOREIGN:
            yield _safe(f"{step.remote} leads to {step.found}, not to {step.wanted}; it is yours, and stays as it is.")
            yield f"  next: {step.command}"
        elif step.deed is Deed.STALE and step not in due:
            yield _safe(f"{step.remote} ({step.found}) is no longer in the manifest.")
            yield f"  next: {step.command}"


def _table(steps: Sequence[RemoteStep]) -> Iterator[str]:
    from openllm_repos.setup.remotes import Deed

    rows = []
    for step in steps:
        remote = "-" if step.deed is Deed.ADD else step.remote
        note = "" if step.deed is Deed.KEEP else f"  ({step.deed})"
        rows.append((step.repo.name if step.repo else "-", remote, f"{step.found or step.wanted}{note}"))
    rows.insert(0, ("repo", "remote", "url"))
    widths = [max(len(row[at]) for row in rows) for at in (0, 1)]
    for repo, remote, url in rows:
        yield _safe(f"{repo:{widths[0]}}  {remote:{widths[1]}}  {url}")


def facts(steps: Sequence[RemoteStep], due: Sequence[RemoteStep]) -> dict[str, Any]:
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
    }


def _safe(line: str) -> str:
    return show(redact(line))
