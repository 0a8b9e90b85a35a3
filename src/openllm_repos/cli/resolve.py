"""`openllm-repos sync TARGET --resolve`, `--continue`, `--abort`: a conflict settled by the person."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from openllm_repos.cli.actions_reports import report_sync
from openllm_repos.cli.plan_text import outcome_lines, plan_lines
from openllm_repos.cli.question import agreed
from openllm_repos.errors import UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Outcome, Settled, Side, Stopped
from openllm_repos.sync.apply import apply
from openllm_repos.sync.planning import SyncOptions
from openllm_repos.sync.resolve import begin_resolution, drop_resolution, finish_resolution
from openllm_repos.text import show_path


def sides(targets: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> tuple[Settled, ...]:
    """Read --keep-target and --take-source (in git's words --ours and --theirs).

    Raises:
        UsageError: not one target is named, or one path has two sides.
    """
    given = [(Side.OURS, path) for path in ours] + [(Side.THEIRS, path) for path in theirs]
    if given and len(targets) != 1:
        raise UsageError(
            "--keep-target and --take-source take one TARGET.",
            hint="Name it: openllm-repos sync TARGET --keep-target PATH",
        )
    settled = dict.fromkeys(Settled(os.fsencode(path), side) for side, path in given)
    paths = [one.path for one in settled]
    for path in paths:
        if paths.count(path) > 1:
            raise UsageError(
                f"{show_path(path)} is given with --keep-target and with --take-source.", hint="Choose one side."
            )
    return tuple(settled)


def run_resolve(
    manifest: Manifest,
    repository: Repository,
    targets: Sequence[str],
    options: SyncOptions,
    *,
    carry_on: bool,
    abort: bool,
    yes: bool,
) -> int:
    """Open, finish or drop the merge of one target and return the exit code."""
    if len(targets) != 1:
        does = "--continue" if carry_on else "--abort" if abort else "--resolve"
        names = ", ".join(repo.name for repo in manifest.targets)
        raise UsageError(f"{does} takes one TARGET; there are: {names}.", hint=f"Run: openllm-repos sync TARGET {does}")
    (name,) = targets
    repository.require_merge()
    with exclusive(repository, f"sync {name}"):
        if abort:
            drop_resolution(manifest, repository, name)
            click.echo(f"{name}: the merge is dropped; nothing was changed")
            return 0
        if carry_on:
            return _finish(manifest, repository, name, options, yes=yes)
        resolution, paths, before = begin_resolution(manifest, repository, name, options)
    click.echo(f"{name}: the merge is open in {resolution.path}")
    for path in before:
        click.echo(f"  settled as before: {show_path(path)}")
    for path in paths:
        click.echo(f"  {show_path(path)}")
    todo = "edit and 'git add' these files there" if paths else "look at what was settled there"
    click.echo(f"next: {todo}, then run: openllm-repos sync {name} --continue")
    return 0


def _finish(manifest: Manifest, repository: Repository, name: str, options: SyncOptions, *, yes: bool) -> int:
    plan = finish_resolution(manifest, repository, name, options)
    for line in plan_lines(plan, every_file=False):
        click.echo(line)
    (step,) = plan.targets
    if isinstance(step, Stopped):
        report_sync(manifest, plan, ())
        return step.exit_code
    if not agreed(plan, yes=yes):
        click.echo("Nothing was pushed; the merge stays open.")
        return 1
    (outcome,) = apply(plan, manifest, repository, lambda line: click.echo(line, err=True), validate=options.validate)
    for line in outcome_lines(manifest, [outcome]):
        click.echo(line)
    report_sync(manifest, plan, [outcome])
    if isinstance(outcome, Outcome) and outcome.pushed:
        drop_resolution(manifest, repository, name)
    return outcome.exit_code if isinstance(outcome, Stopped) else 0
