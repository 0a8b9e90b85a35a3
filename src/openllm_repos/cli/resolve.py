"""`openllm-repos sync TARGET --resolve` and `--abort`: a conflict that a person settles."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from openllm_repos.errors import UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line, hint_lines
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest
from openllm_repos.manifest.nearest import few
from openllm_repos.plan import Settled, Side
from openllm_repos.sync.planning import SyncOptions
from openllm_repos.sync.resolve import begin_resolution, drop_resolution
from openllm_repos.text import show_path


def sides(ours: Sequence[str], theirs: Sequence[str]) -> tuple[Settled, ...]:
    """Read --keep-target and --take-source (in git's words --ours and --theirs).

    Raises:
        UsageError: one path has two sides.
    """
    given = [(Side.OURS, path) for path in ours] + [(Side.THEIRS, path) for path in theirs]
    settled = dict.fromkeys(Settled(os.fsencode(path), side) for side, path in given)
    paths = [one.path for one in settled]
    for path in paths:
        if paths.count(path) > 1:
            raise UsageError(
                f"{show_path(path)} is given with --keep-target and with --take-source.", hint="Choose one side."
            )
    return tuple(settled)


def require_one(manifest: Manifest, targets: Sequence[str], option: str, *value: str) -> None:
    """Refuse any number of targets but one.

    Raises:
        UsageError: none is named, or several are.
    """
    if len(targets) != 1:
        names = [str(repo.name) for repo in manifest.targets]
        one = ("openllm-repos", "sync", (*targets, *names)[0], option, *value)
        raise UsageError(
            f"{option} takes one TARGET; there are: {few(names)}.",
            hint=command_line(*one, remark="one of them" if len(names) > 1 else ""),
        )


def open_merge(manifest: Manifest, repository: Repository, name: str, options: SyncOptions) -> int:
    """Open the merge of one target in a work tree of its own; nothing leaves this machine."""
    repository.require_merge()
    with exclusive(repository, f"sync {name}"):
        resolution, paths, before = begin_resolution(manifest, repository, name, options)
    click.echo(f"{name}: the merge is open in {resolution.path}")
    for path in before:
        click.echo(f"  settled as before: {show_path(path)}")
    for path in paths:
        click.echo(f"  {show_path(path)}")
    todo = "Edit and 'git add' these files there." if paths else "Look at what was settled there."
    for line in hint_lines(f"{todo}\nopenllm-repos sync {name} --continue"):
        click.echo(line)
    return 0


def drop_merge(manifest: Manifest, repository: Repository, name: str) -> int:
    """Throw the merge of one target away, as `git merge --abort` does."""
    with exclusive(repository, f"sync {name}"):
        drop_resolution(manifest, repository, name)
    click.echo(f"{name}: the merge is dropped; nothing was changed")
    return 0
