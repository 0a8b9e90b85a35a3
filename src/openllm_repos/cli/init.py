"""`openllm-repos init`: from nothing to a working manifest. Asks on a terminal, or takes flags and asks nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openllm_repos.cli.invocation import MANIFEST_NAME, Invocation
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.setup.draft import Draft
    from openllm_repos.setup.places import Place
    from openllm_repos.setup.remotes import RemoteStep
    from openllm_repos.setup.survey import Seen

_DIFFERS = 1


@click.command("init")
@click.argument("stray", nargs=-1, metavar="")
@click.option("--github", metavar="OWNER/NAME", help="The source on GitHub; else the remote origin says it.")
@click.option("--space", metavar="OWNER/NAME", help="The Space that runs part of the code.")
@click.option("--model", "models", metavar="OWNER/NAME", multiple=True, help="A model; may be given again.")
@click.option("--dataset", "datasets", metavar="OWNER/NAME", multiple=True, help="A dataset; may be given again.")
@click.option(
    "--map", "maps", metavar="FROM TO", nargs=2, multiple=True, help="Carry FROM of the source to TO in the Space."
)
@click.option("--never", metavar="PATH", multiple=True, help="A path that may not leave the source.")
@click.option("--owned", metavar="PATH", multiple=True, help="A path that only the Space writes.")
@click.option("--offline", is_flag=True, help="Ask no remote: write repos down unseen.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: take what is proposed.")
@click.option("-n", "--dry-run", is_flag=True, help="Print the manifest and change nothing, here or there.")
@click.pass_obj
def init(
    invocation: Invocation,
    stray: tuple[str, ...],
    github: str | None,
    space: str | None,
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    maps: tuple[tuple[str, str], ...],
    never: tuple[str, ...],
    owned: tuple[str, ...],
    offline: bool,
    yes: bool,
    dry_run: bool,
) -> int:
    """Write repos.toml for this clone, and add the git remotes of the repos in it.

    On a terminal it asks, with a proposal for each answer. With flags it asks nothing. It looks at what the Space has
    already and proposes what goes where. A repos.toml that is there is checked, and stays as it is.
    """
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.setup.begin import Wishes, begin, complete, to_adopt, write_new
    from openllm_repos.setup.remotes import apply_remotes, plan_remotes
    from openllm_repos.setup.survey import survey

    if stray:
        raise click.UsageError(f"What is {stray[0]!r}? Put patterns in quotes: --map 'core/src/*.py' training/")
    repository = Repository.open(invocation.directory)
    found = survey(repository)
    assert repository.top is not None  # else there is no survey
    path = invocation.manifest or repository.top / MANIFEST_NAME
    wished = any((github, space, models, datasets, maps, never, owned))
    if path.exists():
        return _again(path, repository, wished=wished, dry_run=dry_run, quiet=invocation.quiet)
    asking = not (wished or yes) and sys.stdin.isatty() and sys.stdout.isatty()
    if asking:
        from openllm_repos.cli.init_questions import ask_places

        wishes = ask_places(found)
    else:
        places = _places(github, space, models, datasets)
        wishes = Wishes(*places, maps=maps or None, never=never or None, owned=owned or None)
    draft = begin(found, wishes)
    seen = {} if offline else _look(repository, draft, asking=asking)
    if asking:
        from openllm_repos.cli.init_questions import ask_contents

        wishes = ask_contents(draft, found, wishes, seen)
    draft = complete(draft, found, wishes, seen)
    manifest = Manifest.parse(draft.text(), path.name)
    if dry_run:
        click.echo(draft.text(), nl=False)
        return 0
    if asking and not _agreed(draft.text(), path):
        click.echo("Nothing was written.")
        return _DIFFERS
    write_new(path, draft.text())
    steps = plan_remotes(manifest, repository)
    changed = apply_remotes(steps, repository)
    if not invocation.quiet:
        for line in _closing(manifest, path, steps, changed, to_adopt(manifest, seen)):
            click.echo(line)
    return 0


def _places(
    github: str | None, space: str | None, models: Sequence[str], datasets: Sequence[str]
) -> tuple[Place | None, Place | None, tuple[Place, ...]]:
    """Read what was typed for the repos: source, Space, all others."""
    from openllm_repos.manifest.model import Kind
    from openllm_repos.setup.places import place_of

    return (
        None if github is None else place_of(Kind.GITHUB, github),
        None if space is None else place_of(Kind.SPACE, space),
        (
            *(place_of(Kind.MODEL, model) for model in models),
            *(place_of(Kind.DATASET, dataset) for dataset in datasets),
        ),
    )


def _look(repository: Repository, draft: Draft, *, asking: bool) -> dict[str, Seen]:
    """Look at the repos; one that is not there (or not to be seen) ends it, unless a person wants it all the same.

    Raises:
        EnvironmentProblem: a repo did not answer.
    """
    from openllm_repos.errors import EnvironmentProblem
    from openllm_repos.family.remotes import DEADLINE
    from openllm_repos.setup.survey import look

    seen = look(repository, (draft.source, *draft.others), deadline=DEADLINE)
    silent = [one for one in seen if one.problem]
    for one in silent:
        message = f"{one.entry.place.kind} {one.entry.place.text} does not answer: {one.problem.rstrip('.')}."
        if not asking:
            raise EnvironmentProblem(
                message, hint=f"{one.hint} Or pass --offline to write it down unseen. Nothing was written."
            )
        click.echo(show(redact(message)))
        click.echo(f"  {one.hint}")
        click.confirm("Write it down all the same?", default=False, abort=True)
    return {one.entry.name: one for one in seen if not one.problem}


def _agreed(text: str, path: Path) -> bool:
    click.echo(f"\n{text}")
    return click.confirm(f"Write this to {path.name}, and add the git remotes?", default=True)


def _again(path: Path, repository: Repository, *, wished: bool, dry_run: bool, quiet: bool) -> int:
    """Check a manifest that is there, and add the git remotes that are missing."""
    from openllm_repos.cli.remotes import told
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.setup.remotes import apply_remotes, plan_remotes

    manifest = Manifest.load(path)
    steps = plan_remotes(manifest, repository)
    due = tuple(step for step in steps if step.changes) if dry_run else apply_remotes(steps, repository)
    if not quiet:
        click.echo(f"{path.name} is there already; it is sound, and stays as it is.")
        for line in told(steps, due, done=not dry_run):
            click.echo(line)
        if wished:
            click.echo("  next: openllm-repos manifest add --help   (to add a repo to it; manifest set changes values)")
    return 0


def _closing(
    manifest: Manifest, path: Path, steps: Sequence[RemoteStep], changed: Sequence[RemoteStep], adopt: Mapping[str, int]
) -> Iterator[str]:
    """Yield what was done, and what to type next."""
    from openllm_repos.cli.manifest import counted
    from openllm_repos.cli.remotes import told

    yield f"Wrote {path.name}: {counted(manifest)}."
    yield from told(steps, changed, done=True)
    for name, count in adopt.items():
        files = "1 file" if count == 1 else f"{count} files"
        yield f"{name} has {files} already where the maps write."
    origin = next((step.remote for step in steps if step.repo is manifest.source), "origin")
    yield "next:"
    push = f"git push {origin} {manifest.source.branch}"
    yield f"  git add {path.name} && git commit -m 'Say what belongs together' && {push}"
    yield "  openllm-repos doctor"
    for name in adopt:
        yield f"  openllm-repos adopt {name}     if its files were copied there, and never synced"
    if manifest.targets:
        yield "  openllm-repos sync --dry-run"
