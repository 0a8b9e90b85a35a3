"""`openllm-repos init`: from nothing to a working manifest. Asks on a terminal, or takes flags and asks nothing."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openllm_repos.cli.invocation import MANIFEST_NAME, Invocation
from openllm_repos.cli.question import can_ask
from openllm_repos.errors import UsageError
from openllm_repos.hint import hint_lines
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from openllm_repos.cli.frame import Frame
    from openllm_repos.cli.init_steps import Making
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.model import Manifest, Repo
    from openllm_repos.names.ref import RepoName
    from openllm_repos.setup.begin import Wishes
    from openllm_repos.setup.draft import Draft
    from openllm_repos.setup.survey import Seen, Survey

DIFFERS = 1
SDKS = ("gradio", "docker", "static")


def _alone(context: click.Context, option: click.Parameter, spaces: tuple[str, ...]) -> str | None:
    """Refuse a second Space: nothing would say which of the two a --map is for, and click keeps the last alone."""
    del context, option
    if len(spaces) > 1:
        raise UsageError(
            "--space names one Space, which gets what --map says.",
            hint=f"Add it later: 'openllm-repos manifest add NAME --space {shlex.quote(spaces[1])} --map FROM TO'.",
        )
    return spaces[0] if spaces else None


@click.command("init")
@click.argument("stray", nargs=-1, metavar="")
@click.option("-n", "--dry-run", is_flag=True, help="Print the manifest and change nothing, here or there.")
@click.option(
    "-y", "--yes", is_flag=True, help="Ask nothing: take what is proposed, and every step up to the first sync."
)
@click.option("--github", metavar="OWNER/NAME", help="The source on GitHub; else the remote origin says it.")
@click.option(
    "--space", metavar="OWNER/NAME", multiple=True, callback=_alone, help="The Space that runs part of the code, once."
)
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
    """Write repos.toml for this clone, set the clone up for it, and go on to the first sync.

    On a terminal it asks for what the options do not say, with a proposal for each answer, and before each step that
    leaves this machine: making what is missing on the Hub, committing and pushing repos.toml, adopting what was copied,
    the first sync. Elsewhere these steps take --yes. It can be run again: a repos.toml that is there stays as it is,
    the clone gets its git remotes and the pre-push hook, and what is left of the steps is done.
    """
    from openllm_repos.cli.clone import policy
    from openllm_repos.cli.frame import Frame
    from openllm_repos.cli.init_steps import Making, carry_on
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.setup.survey import survey

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
    frame, making = Frame(invocation, dry_run=dry_run, yes=yes), Making(create, sdk, private)
    asked = can_ask() and not yes
    if path.exists():
        manifest = Manifest.load(path)
        lines = [*_set_up(manifest, path, repository, hooks=not no_hooks, dry_run=dry_run), *(_UNWRITTEN * wished)]
    else:
        wishes = _wishes(github, space, models, datasets, maps=maps, never=never, owned=owned)
        source = _Clone(repository, found, path)
        begun = _begin(frame, source, None if asked and not wished else wishes, making, offline=offline)
        if isinstance(begun, int):
            return begun
        manifest, lines = begun.manifest, begun.done(source, hooks=not no_hooks)
        if offline or not (asked or yes):
            lines += _LEFT
    if not invocation.quiet:
        click.echo("\n".join(lines))
    if offline or not (create if dry_run else create or yes or asked):
        return 0
    return carry_on(frame, manifest, path, repository, making)


_UNWRITTEN = (
    "What the options say was not written into it.",
    *hint_lines(
        "Add a Space with 'openllm-repos manifest add NAME --space OWNER/NAME --map FROM TO', a model or dataset with"
        " --model or --dataset, and change what is there with 'openllm-repos manifest set PLACE VALUE'.",
        "  ",
    ),
)
_LEFT = (
    *hint_lines("openllm-repos doctor"),
    *hint_lines("openllm-repos init --yes  # commits and pushes it, and goes on to the first sync"),
)


@dataclass(frozen=True, slots=True)
class _Clone:
    """The clone of the source, what was found in it, and where its manifest is to be."""

    repository: Repository
    found: Survey
    path: Path


@dataclass(frozen=True, slots=True)
class _Begun:
    """A manifest that was written, and what a person should know of it."""

    manifest: Manifest
    notes: Sequence[str]

    def done(self, clone: _Clone, *, hooks: bool) -> list[str]:
        """Add the git remotes and the hook; return what there is to say of all of it."""
        from openllm_repos.cli.manifest import counted
        from openllm_repos.cli.remotes import told
        from openllm_repos.setup.remotes import apply_remotes, plan_remotes

        steps = plan_remotes(self.manifest, clone.repository)
        done = told(steps, apply_remotes(steps, clone.repository), done=True)
        hook = _hook(self.manifest, clone.repository) if hooks else []
        return [f"Wrote {clone.path.name}: {counted(self.manifest)}.", *done, *hook, *self.notes]


def _wishes(
    github: str | None,
    space: str | None,
    models: Sequence[str],
    datasets: Sequence[str],
    *,
    maps: tuple[tuple[str, str], ...],
    never: tuple[str, ...],
    owned: tuple[str, ...],
) -> Wishes:
    """Read what was typed as options."""
    from openllm_repos.manifest.model import Kind
    from openllm_repos.setup.begin import Wishes
    from openllm_repos.setup.places import place_of

    others = [(Kind.MODEL, text) for text in models] + [(Kind.DATASET, text) for text in datasets]
    return Wishes(
        None if github is None else place_of(Kind.GITHUB, github),
        None if space is None else place_of(Kind.SPACE, space),
        tuple(place_of(kind, text) for kind, text in others),
        maps=maps or None,
        never=never or None,
        owned=owned or None,
    )


def _begin(frame: Frame, clone: _Clone, wishes: Wishes | None, making: Making, *, offline: bool) -> _Begun | int:
    """Write the manifest of a family that has none; without wishes a person is asked for them.

    Returns:
        What was written, or an exit code where nothing was to be.
    """
    from openllm_repos.cli import init_questions
    from openllm_repos.cli.init_steps import make_missing
    from openllm_repos.family.access import access_of
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.setup.begin import begin, complete, write_new
    from openllm_repos.setup.survey import look

    found, path, asking = clone.found, clone.path, wishes is None
    if found.place is not None and found.place.on_hub and (wishes is None or wishes.source is None):
        raise UsageError(
            f"This is a clone of the {found.place.kind} {found.place.text}, and init begins where the code is written.",
            hint="Go to the clone of the source, or name it with -C DIR. If it is this one, write repos.toml by hand.",
        )
    wishes = init_questions.ask_places(found) if wishes is None else wishes
    draft = begin(found, wishes)
    named = Manifest.parse(draft.text(), path.name)
    access = access_of(named, clone.repository)
    if sys.stderr.isatty() and not (offline or frame.invocation.quiet):
        click.echo("Looking at what is there ...", err=True)
    seen = {} if offline else look(replace(clone.repository, access=access), named)
    missing = _missing(frame, seen.values(), making, asking=asking)
    there = {name: one for name, one in seen.items() if not one.remote.problem}
    if asking:
        wishes = init_questions.ask_contents(draft, found, wishes, there)
    draft = complete(draft, found, wishes, there)
    manifest = Manifest.parse(draft.text(), path.name)
    notes = [show(note) for note in _notes(draft, manifest, clone, there)]
    if frame.dry_run:
        click.echo(draft.text(), nl=False)
        for note in (*notes, *(f"would make the {repo.kind} {repo.repo_id}" for repo in missing)):
            click.echo(note, err=True)
        return 0
    if asking and not init_questions.agreed(draft.text(), path.name):
        click.echo("Nothing was written.")
        return DIFFERS
    if code := make_missing(frame, missing, making, manifest, clone.repository, access.hub()):
        click.echo("Nothing was written.")
        return code
    write_new(path, draft.text())
    return _Begun(manifest, notes)


def _missing(frame: Frame, seen: Iterable[Seen], making: Making, *, asking: bool) -> list[Repo]:
    """Return what can be made on the Hub; any other repo that does not answer ends it, unless it is wanted so.

    Raises:
        EnvironmentProblem: a repo does not answer.
    """
    from openllm_repos.errors import EnvironmentProblem

    missing = []
    for remote in (one.remote for one in seen if one.remote.problem):
        repo = remote.repo
        if remote.missing and (making.wished or (can_ask() and not frame.yes)):
            missing.append(repo)
            continue
        message = f"{repo.kind} {repo.repo_id or repo.url} does not answer: {remote.problem.rstrip('.')}."
        if not asking:
            typed = shlex.join((*frame.invocation.arguments, "--create"))
            hint = remote.hint.replace("openllm-repos init --create", f"openllm-repos {typed}")
            raise EnvironmentProblem(message, hint=f"{hint}\nNothing was written; --offline writes it down unseen.")
        click.echo(show(redact(message)), err=True)
        click.echo(f"  {show(redact(remote.hint))}", err=True)
        click.confirm("Write it down all the same?", default=False, abort=True, err=True)
    return missing


def _notes(draft: Draft, manifest: Manifest, clone: _Clone, seen: Mapping[RepoName, Seen]) -> Iterator[str]:
    """Yield what a person should know of a manifest before they use it."""
    from openllm_repos.family.writers import find_writers
    from openllm_repos.setup.begin import maps_without_files, to_adopt
    from openllm_repos.setup.inherited import told

    for name, count in to_adopt(manifest, seen).items():
        files = "1 file" if count == 1 else f"{count} files"
        yield f"{name} has {files} already where the maps write; what was copied there is adopted before a sync."
    yield from (f"note: {note}" for note in maps_without_files(manifest, clone.repository, clone.found))
    yield from (f"note: {note}" for note in told(draft, clone.found.submodules, clone.found.subtrees))
    yield from (f"note: {writer.repo.name} {writer}" for writer in find_writers(manifest, clone.repository))


def _set_up(manifest: Manifest, path: Path, repository: Repository, *, hooks: bool, dry_run: bool) -> list[str]:
    """Make a clone of a family that is there fit for it: git remotes and hook; return what there is to say."""
    from openllm_repos.cli.remotes import left_alone, told
    from openllm_repos.setup.remotes import apply_remotes, plan_remotes

    steps = plan_remotes(manifest, repository)
    if dry_run:
        return list(told(steps, [step for step in steps if step.changes], done=False))
    due = apply_remotes(steps, repository)
    hook = _hook(manifest, repository) if hooks else []
    names = ", ".join(step.remote for step in due)
    done = [f"git remotes {names}"] * bool(due) + hook[:1]
    said = "; ".join(done) if done else "its git remotes and hook were as they should be"
    return [f"{path.name} is sound, and this clone is set up: {said}.", *hook[1:], *left_alone(steps)]


def _hook(manifest: Manifest, repository: Repository) -> list[str]:
    """Install the pre-push hook; return what there is to say. A clone that cannot have it is no failure of this."""
    from openllm_repos.errors import ReposError
    from openllm_repos.hint import hint_lines
    from openllm_repos.hooks.install import install

    try:
        done = install(manifest, repository)
    except ReposError as why:
        return [f"no pre-push hook: {why.message.rstrip('.')}", *hint_lines(why.hint, "  ")]
    return [f"installed the pre-push hook: {show(str(done.path))}"] if done.changed else []
