"""`openllm-repos init`: from nothing to a working manifest. Asks on a terminal, or takes flags and asks nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openllm_repos.cli.invocation import MANIFEST_NAME, Invocation
from openllm_repos.cli.question import can_ask
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from openllm_repos.family.access import FamilyAccess
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.setup.draft import Draft, Entry
    from openllm_repos.setup.places import Place
    from openllm_repos.setup.survey import Seen

_DIFFERS = 1
SDKS = ("gradio", "docker", "static")


@click.command("init")
@click.argument("stray", nargs=-1, metavar="")
@click.option("-n", "--dry-run", is_flag=True, help="Print the manifest and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: take what is proposed.")
@click.option("--github", metavar="OWNER/NAME", help="The source on GitHub; else the remote origin says it.")
@click.option("--space", metavar="OWNER/NAME", help="The Space that runs part of the code.")
@click.option("--model", "models", metavar="OWNER/NAME", multiple=True, help="A model; repeatable.")
@click.option("--dataset", "datasets", metavar="OWNER/NAME", multiple=True, help="A dataset; repeatable.")
@click.option(
    "--map",
    "maps",
    metavar="FROM TO",
    nargs=2,
    multiple=True,
    help="Carry FROM of the source to TO in the Space; repeatable.",
)
@click.option("--never", metavar="PATH", multiple=True, help="A path that may not leave the source; repeatable.")
@click.option("--owned", metavar="PATH", multiple=True, help="A path that only the Space writes; repeatable.")
@click.option("--create", is_flag=True, help="Make the Hub repositories that are not there yet.")
@click.option(
    "--sdk", type=click.Choice(["gradio", "docker", "static"]), default="gradio", help="Of a Space to make (gradio)."
)
@click.option("--private", is_flag=True, help="What is made is seen by its owners only.")
@click.option("--no-hooks", is_flag=True, help="Do not install the pre-push hook into this clone.")
@click.option("--offline", is_flag=True, help="Ask no remote: write repos down unseen.")
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
    create: bool,
    sdk: str,
    private: bool,
    no_hooks: bool,
    offline: bool,
    yes: bool,
    dry_run: bool,
) -> int:
    """Write repos.toml for this clone, add the git remotes of the repos in it, and install the pre-push hook.

    On a terminal it asks, with a proposal for each answer. With flags it asks nothing. It looks at what the Space has
    already and proposes what goes where. A repos.toml that is there is checked, and stays as it is.
    """
    from openllm_repos.cli.clone import policy
    from openllm_repos.family.writers import find_writers
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.setup.begin import Wishes, begin, complete, maps_without_files, to_adopt, write_new
    from openllm_repos.setup.inherited import told
    from openllm_repos.setup.survey import create_on_hub, survey

    if stray:
        fix = (
            "Put patterns in quotes: --map 'core/src/*.py' training/"
            if maps
            else "Say it: --space, --model, --dataset ..."
        )
        raise click.UsageError(f"What is {stray[0]!r}? {fix}")
    repository = replace(Repository.open(invocation.directory), retry=policy(invocation))
    found = survey(repository)
    assert repository.top is not None  # else there is no survey
    path = invocation.manifest or repository.top / MANIFEST_NAME
    wished = any((github, space, models, datasets, maps, never, owned))
    if path.exists():
        return _again(path, repository, wished=wished, dry_run=dry_run, hooks=not no_hooks, quiet=invocation.quiet)
    asking = not (wished or yes) and can_ask()
    if asking:
        from openllm_repos.cli.init_questions import ask_places

        wishes = ask_places(found)
    else:
        places = _places(github, space, models, datasets)
        wishes = Wishes(*places, maps=maps or None, never=never or None, owned=owned or None)
    draft = begin(found, wishes)
    access = _access(draft, repository)
    if sys.stderr.isatty() and not (offline or invocation.quiet):
        click.echo("Looking at what is there ...", err=True)
    seen, make = ({}, ()) if offline else _look(repository, draft, access, create=create, asking=asking)
    if asking:
        from openllm_repos.cli.init_questions import ask_contents

        wishes = ask_contents(draft, found, wishes, seen)
    draft = complete(draft, found, wishes, seen)
    manifest = Manifest.parse(draft.text(), path.name)
    sentences = (
        *maps_without_files(manifest, repository, found),
        *told(draft, found.submodules, found.subtrees),
        *(f"{writer.repo.name} {writer}" for writer in find_writers(manifest, repository)),
    )
    notes = [f"note: {show(note)}" for note in sentences]
    if dry_run:
        click.echo(draft.text(), nl=False)
        for note in notes:
            click.echo(note, err=True)
        if make:
            click.echo(_told(make, "would make"), err=True)
        return 0
    agreed = _agreed(draft.text(), path, make) if asking else yes or _may_make(invocation, make)
    if not agreed:
        click.echo("Nothing was written.")
        return _DIFFERS
    for entry in make:
        url = create_on_hub(access.hub(), entry, sdk=sdk, private=private)
        click.echo(f"made {show(redact(url))}")
    write_new(path, draft.text())
    lines = _closing(manifest, path, repository, to_adopt(manifest, seen), notes, hooks=not no_hooks)
    if not invocation.quiet:
        click.echo("\n".join(lines))
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


def _look(
    repository: Repository, draft: Draft, access: FamilyAccess, *, create: bool, asking: bool
) -> tuple[dict[str, Seen], tuple[Entry, ...]]:
    """Look at the repos; one that is not there (or not to be seen) ends it, unless it is to be made, or wanted so.

    Returns:
        What was seen of those that answer, and those to make.

    Raises:
        EnvironmentProblem: a repo does not answer.
    """
    from openllm_repos.errors import EnvironmentProblem
    from openllm_repos.family.remotes import DEADLINE
    from openllm_repos.setup.survey import look

    seen = look(replace(repository, access=access), (draft.source, *draft.others), deadline=DEADLINE)
    silent = [one for one in seen if one.problem]
    make = tuple(one.entry for one in silent if create and one.entry.place.on_hub)
    for one in silent:
        place = one.entry.place
        if one.entry in make:
            continue
        message = f"{place.kind} {place.text} does not answer: {one.problem.rstrip('.')}."
        if not asking:
            makes = "--create makes it, " if place.on_hub else ""
            hint = f"{one.hint}\nOr {makes}--offline writes it down unseen. Nothing was written."
            raise EnvironmentProblem(message, hint=hint)
        click.echo(show(redact(message)), err=True)
        click.echo(f"  {one.hint}", err=True)
        click.confirm("Write it down all the same?", default=False, abort=True, err=True)
    return {str(one.entry.name): one for one in seen if not one.problem}, make


def _access(draft: Draft, repository: Repository) -> FamilyAccess:
    """Return the tokens at hand for the repos of a draft."""
    from openllm_repos.family.access import access_of
    from openllm_repos.manifest.model import Manifest

    return access_of(Manifest.parse(draft.text()), repository)


def _told(make: Sequence[Entry], word: str) -> str:
    return f"{word} {', '.join(f'the {entry.place.kind} {entry.place.text}' for entry in make)}"


def _may_make(invocation: Invocation, make: Sequence[Entry]) -> bool:
    """Ask before the first thing that leaves this machine."""
    from openllm_repos.cli.frame import agree

    return not make or agree(invocation, f"{_told(make, 'Make')} on the Hub?", "Nothing was written.")


def _agreed(text: str, path: Path, make: Sequence[Entry]) -> bool:
    click.echo(f"\n{text}", err=True)
    also = f", {_told(make, 'make')}" if make else ""
    return click.confirm(f"Write this to {path.name}{also}, and add the git remotes?", default=True, err=True)


def _again(path: Path, repository: Repository, *, wished: bool, dry_run: bool, hooks: bool, quiet: bool) -> int:
    """Check a manifest that is there, add the git remotes that are missing, and the hook."""
    from openllm_repos.cli.remotes import told
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.setup.remotes import apply_remotes, plan_remotes

    manifest = Manifest.load(path)
    steps = plan_remotes(manifest, repository)
    due = tuple(step for step in steps if step.changes) if dry_run else apply_remotes(steps, repository)
    hook = _hook(manifest, repository) if hooks and not dry_run else []
    if not quiet:
        click.echo(f"{path.name} is there already; it is sound, and stays as it is.")
        for line in (*told(steps, due, done=not dry_run), *hook):
            click.echo(line)
        if wished:
            click.echo("What the options say was not written into it.")
            click.echo("  next: openllm-repos manifest add NAME --space OWNER/NAME --map FROM TO")
            click.echo("  next: openllm-repos manifest add NAME --model OWNER/NAME  # or --dataset")
            click.echo("  next: openllm-repos manifest set PLACE VALUE")
    return 0


def _hook(manifest: Manifest, repository: Repository) -> list[str]:
    """Install the pre-push hook; return what there is to say. A clone that cannot have it is no failure of this."""
    from openllm_repos.errors import ReposError
    from openllm_repos.hooks.install import install

    try:
        done = install(manifest, repository)
    except ReposError as why:
        return [f"no pre-push hook: {why.message}", *([f"  {why.hint}"] if why.hint else [])]
    return [f"installed the pre-push hook: {show(str(done.path))}"] if done.changed else []


def _closing(
    manifest: Manifest,
    path: Path,
    repository: Repository,
    adopt: Mapping[str, int],
    notes: Sequence[str],
    *,
    hooks: bool,
) -> list[str]:
    """Add the git remotes and the hook; return what was done, and what to type next."""
    from openllm_repos.cli.manifest import counted
    from openllm_repos.cli.remotes import told
    from openllm_repos.manifest.model import Kind
    from openllm_repos.setup.remotes import apply_remotes, plan_remotes

    steps = plan_remotes(manifest, repository)
    lines = [f"Wrote {path.name}: {counted(manifest)}.", *told(steps, apply_remotes(steps, repository), done=True)]
    lines += _hook(manifest, repository) if hooks else []
    for name, count in adopt.items():
        files = "1 file" if count == 1 else f"{count} files"
        lines.append(f"{name} has {files} already where the maps write.")
    lines += notes
    origin = next((step.remote for step in steps if step.repo is manifest.source), "origin")
    push = f"git push {origin} {manifest.source.branch}"
    steps_left = [f"git add {path.name}", f"git commit -m 'Add {path.name}'", push, "openllm-repos doctor"]
    steps_left += [f"openllm-repos adopt {name}  # if its files were copied there, and never synced" for name in adopt]
    if manifest.targets:
        steps_left.append("openllm-repos sync --dry-run")
    if len(manifest.repos) == 1:  # nothing was named, and no git remote led to the Hub
        steps_left.append("openllm-repos manifest add space --space OWNER/NAME --map FROM TO  # there is no target yet")
    if manifest.targets and manifest.source.kind is Kind.GITHUB:
        steps_left.append("openllm-repos ci  # and GitHub does it on every push")
    return [*lines, *(f"next: {step}" for step in steps_left)]
