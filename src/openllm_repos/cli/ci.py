"""`openllm-repos ci`: the GitHub Actions workflow of the family, written, printed, or held against the manifest."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from openllm_repos import __version__
from openllm_repos.cli.clone import open_clone
from openllm_repos.cli.frame import Change, Frame, Tell, changing
from openllm_repos.cli.invocation import Invocation
from openllm_repos.errors import NameRefused, UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line, hint_lines
from openllm_repos.manifest.model import Manifest
from openllm_repos.workflow.choices import FORMS, Choices, Requirement
from openllm_repos.workflow.file import Found, Recipe, Standing, composed, read_workflow, standing, write_workflow
from openllm_repos.workflow.filters import REQUIREMENTS, WORKFLOW

SCHEMA = 1
_DIFFERS = 1
_SHOWN = 12  # settings pages that a person would still open one by one
_T = TypeVar("_T")


@changing("ci")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 unless the workflow is up to date.")
@click.option("--print", "shown", is_flag=True, help="As --dry-run: print the workflow instead of writing it.")
@click.option(
    "--auth",
    type=click.Choice(["trusted", "secret"]),
    help="How jobs get at the Hub: as trusted publishers (the default), or by the secret HF_TOKEN.",
)
@click.option("--matrix/--single", default=None, help="One job for each target, and one that verifies; or one for all.")
@click.option(
    "--private/--public",
    default=None,
    help="Whether a repository beside the source cannot be read without a token: then jobs that only look get one too.",
)
@click.option(
    "--wait/--no-wait",
    default=None,
    help="Whether a sync waits until the Spaces among its targets run (the default), and fails where one does not.",
)
@click.option("--cron", metavar="FIELDS", help="When to look for drift, in UTC ('17 5 * * *'); off for never.")
@click.option(
    "--install",
    metavar="REQUIREMENT",
    help="What pip installs, pinned by a commit or a hash; by default, and with 'default', what was installed here from"
    " git or a URL.",
)
@click.option("--overwrite", is_flag=True, help="Write over edits between the marks, or a file that has no marks.")
def ci(
    frame: Frame,
    check: bool,
    shown: bool,
    auth: str | None,
    matrix: bool | None,
    private: bool | None,
    wait: bool | None,
    cron: str | None,
    install: str | None,
    overwrite: bool,
) -> int:
    """Write .github/workflows/openllm-repos.yml: syncs, releases, previews of pull requests, a look for drift.

    What is chosen stands in the workflow, so the next time no option is needed. Only what stands between its marks is
    written anew: jobs, triggers and comments of yours outside of them stay byte for byte.
    """
    shown |= frame.dry_run
    if shown and (check or frame.as_json):
        raise UsageError("--print goes neither with --check nor with --json.")
    manifest, repository = open_clone(frame.invocation)
    if repository.top is None:
        raise UsageError("A bare clone has no work tree to write a workflow into.", hint="Run it in a clone with one.")
    found = read_workflow(repository.top)
    choices = _chosen(found, auth=auth, matrix=matrix, private=private, wait=wait, cron=cron, install=install)
    if install is None and not check:
        choices = replace(choices, install=_renewed(choices.install))
    recipe = Recipe(manifest, _place_of(frame.invocation, repository.top), choices, __version__)
    recipe.require_github()
    if check:
        now, quiet = standing(found, recipe), frame.invocation.quiet
        return _tell_standing(found, recipe, now, as_json=frame.as_json, quiet=quiet)
    change = _Ci(frame.invocation, manifest, repository.top, found, recipe, overwrite)
    return replace(frame, dry_run=shown).run(change, manifest, repository)


@dataclass
class _Ci(Change[Mapping[str, str], bool]):
    """It writes files of the work tree alone; the plan is their text."""

    asks = settles = shows_plan = False

    invocation: Invocation
    manifest: Manifest
    top: Path
    found: Found
    recipe: Recipe
    overwrite: bool
    notes: Sequence[str] = ()

    def plan(self, repository: Repository) -> Mapping[str, str]:
        self.notes = [*_branch_notes(self.manifest, repository), *_writer_notes(self.manifest, repository)]
        if self.recipe.choices.install is None:
            raise UsageError(_unknown_install(), hint=f"Say it with --install: {FORMS}.")
        return composed(self.found, self.recipe, overwrite=self.overwrite)

    def plan_lines(self, plan: Mapping[str, str], *, every_file: bool) -> Iterable[str]:
        return plan[WORKFLOW].removesuffix("\n").split("\n")

    def apply(self, plan: Mapping[str, str], repository: Repository, tell: Tell) -> bool:
        beside = self.found.parts.requirements if self.found.parts else None
        changed = (plan[WORKFLOW], plan[REQUIREMENTS]) != (self.found.text, beside)
        if changed:
            write_workflow(self.top, plan)
        return changed

    def result_lines(self, plan: Mapping[str, str], result: bool) -> Iterable[str]:
        if self.invocation.quiet:
            return ()
        place = os.path.relpath(os.path.realpath(self.top), os.path.realpath(self.invocation.directory))
        return (*_told(self.found, self.recipe, Path(place), changed=result), *self.notes)

    def facts(self, plan: Mapping[str, str], result: bool | None) -> dict[str, Any]:
        return facts(self.recipe, Standing.CURRENT, changed=bool(result))


def _branch_notes(manifest: Manifest, repository: Repository) -> list[str]:
    """Return what there is to say where the source's main branch is another than the manifest's.

    Raises:
        UsageError: the clone has no branch of the name that the manifest gives.
    """
    from openllm_repos.family.source import default_branch_elsewhere
    from openllm_repos.text import show
    from openllm_repos.workflow.file import branch_sentence

    source = manifest.source
    other, here = default_branch_elsewhere(repository, source)
    if not other:
        return []
    if not here:
        raise UsageError(
            f"{manifest.origin} says that {source.name} is on the branch {source.branch}, and this clone knows"
            f" {show(other)} alone: no push would start the workflow.",
            hint=f"openllm-repos manifest set repos.{source.name}.branch {shlex.quote(other)}",
        )
    return [f"note: {branch_sentence(manifest, other)}"]


def _writer_notes(manifest: Manifest, repository: Repository) -> list[str]:
    from openllm_repos.family.writers import find_writers
    from openllm_repos.text import show

    return [f"note: {writer.repo.name} {show(str(writer))}" for writer in find_writers(manifest, repository)]


def _unknown_install() -> str:
    """Return the sentence for a tool that was installed from where no job can install it."""
    origin = _origin()
    place = "a package index, which leaves no hash of it here" if origin is None else "this machine"
    return f"This openllm-repos {__version__} was installed from {place}, and a job installs nothing unpinned."


def _chosen(
    found: Found,
    *,
    auth: str | None,
    matrix: bool | None,
    private: bool | None,
    wait: bool | None,
    cron: str | None,
    install: str | None,
) -> Choices:
    """Return what is chosen: what was typed, else what the workflow was written with, else the defaults."""
    from openllm_repos.workflow.choices import Auth, Choices, Requirement, cron_of

    choices = (found.choices or Choices()).switched(matrix=matrix, private=private, wait=wait)
    if auth is not None:
        choices = replace(choices, auth=Auth(auth))
    if cron is not None:
        choices = replace(choices, cron=_typed("--cron", cron, cron_of))
    if install is not None:
        wanted = _renewed(None) if install == "default" else _typed("--install", install, Requirement)
        choices = replace(choices, install=wanted)
    return choices


def _origin() -> str | None:
    """Return what pip wrote down of where this package came from; None where that is a package index."""
    from importlib.metadata import PackageNotFoundError, distribution

    from openllm_repos.workflow.choices import PACKAGE

    try:
        return distribution(PACKAGE).read_text("direct_url.json")
    except PackageNotFoundError:  # run from a folder of sources
        return ""


def _renewed(install: Requirement | None) -> Requirement | None:
    """Return what the jobs install: where this package came from git, the same from there, at the same commit."""
    from openllm_repos.workflow.choices import requirement_of

    own = requirement_of(_origin())
    if install is None:
        return own
    return own if own and own.place and install.place == own.place else install


def _typed(option: str, text: str, parse: Callable[[str], _T]) -> _T:
    try:
        return parse(text)
    except NameRefused as refused:
        raise UsageError(f"{option}: {refused.message}", hint=refused.hint) from None


def _place_of(invocation: Invocation, top: Path) -> str:
    """Return where the manifest stands in the source.

    Raises:
        UsageError: it stands somewhere else, or at a place that cannot be written down.
    """
    from openllm_repos.names.path import require_relative
    from openllm_repos.workflow.choices import EXPRESSION

    path = os.path.relpath(os.path.realpath(invocation.manifest_path()), os.path.realpath(top)).replace(os.sep, "/")
    if path.startswith("../"):
        raise UsageError(f"{path} is not in the clone, so no job would find it.", hint="Commit it to the source.")
    require_relative(path, "the place of the manifest")
    if EXPRESSION in path:
        raise UsageError(f"{path} has {EXPRESSION} in it, which GitHub would read.", hint="Give it another name.")
    return path


def _tell_standing(found: Found, recipe: Recipe, now: Standing, *, as_json: bool, quiet: bool) -> int:
    """Say how the workflow stands, and the next command; return the exit code."""
    from openllm_repos.cli.actions_reports import report_failure
    from openllm_repos.workflow.file import said_of

    message, following = said_of(found, now)
    current = now is Standing.CURRENT
    if as_json:
        _print_json(recipe, now, changed=False)
    elif not (current and quiet):
        click.echo(f"{WORKFLOW} {message}.")
        if not current:
            for line in hint_lines(following):
                click.echo(line)
    if not current:
        report_failure(f"{WORKFLOW} {message}.", following, None, "ci")
    return 0 if current else _DIFFERS


def _told(found: Found, recipe: Recipe, top: Path, *, changed: bool) -> list[str]:
    from openllm_repos.workflow.template import job_keys

    if not changed:
        return [f"{WORKFLOW} is up to date."]
    jobs = ", ".join(job_keys(recipe.jobs()))
    known = found.choices is not None and found.choices.auth is recipe.choices.auth
    steps = [] if known else _to_set_up(recipe)
    steps.append(command_line("git", "add", *(top / name for name in (WORKFLOW, REQUIREMENTS))))
    steps += [command_line("git", "commit", "-m", "Let GitHub keep the family in step"), "git push"]
    wrote = f"{'Wrote' if found.text is None else 'Updated'} {WORKFLOW}: {jobs}."
    return [wrote, *hint_lines("\n".join(steps))]


def _to_set_up(recipe: Recipe) -> list[str]:
    """Return what the hosts have to know before the jobs can push."""
    from openllm_repos.manifest.model import Kind
    from openllm_repos.workflow.choices import Auth

    manifest, choices = recipe.manifest, recipe.choices
    on_hub = [repo for repo in manifest.repos if repo.kind in {Kind.SPACE, Kind.MODEL, Kind.DATASET}]
    steps = []
    if on_hub and choices.auth is Auth.TRUSTED:
        name = WORKFLOW.rpartition("/")[2]
        here = manifest.source.repo_id or manifest.source.url
        steps.append(f"Name {here} and its workflow {name}, and no branch, as a trusted publisher in")
        steps += [f"  {repo.url}/settings" for repo in on_hub[:_SHOWN]]
        if len(on_hub) > _SHOWN:
            steps.append(f"  and {len(on_hub) - _SHOWN} more")
            steps.append("openllm-repos ci --auth secret  # or gives all of them one secret")
    elif on_hub:
        steps.append("gh secret set HF_TOKEN  # a token that may write to the repositories on the Hub")
    if any(repo.kind is Kind.GITHUB for repo in manifest.repos if repo is not manifest.source):
        steps.append("gh secret set OPENLLM_REPOS_GITHUB_TOKEN  # for the others on GitHub, and to read the source")
    return steps


def _print_json(recipe: Recipe, now: Standing, *, changed: bool) -> None:
    import json

    click.echo(json.dumps(facts(recipe, now, changed=changed), indent=2))


def facts(recipe: Recipe, now: Standing, *, changed: bool) -> dict[str, Any]:
    """Return it as the JSON that docs/json.md describes."""
    from openllm_repos.workflow.filters import source_paths
    from openllm_repos.workflow.template import job_keys

    choices = recipe.choices
    return {
        "schema": SCHEMA,
        "file": WORKFLOW,
        "requirements": REQUIREMENTS,
        "state": now.value,
        "changed": changed,
        "choices": {
            "auth": choices.auth.value,
            "matrix": choices.matrix,
            "private": choices.private,
            "wait": choices.wait,
            "cron": choices.cron,
            "install": choices.install,
        },
        "jobs": list(job_keys(recipe.jobs())),
        "paths": list(source_paths(recipe.manifest, recipe.manifest_path)),
    }
