"""`openllm-repos publish`: artifacts that git does not track, to the models, datasets and Spaces of the manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from openllm_repos import __version__
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.publish_text import Progress, outcome_lines, plan_lines, publish_json
from openllm_repos.cli.question import confirmed
from openllm_repos.errors import UsageError
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.publish.apply import Publisher, PublishOptions
from openllm_repos.publish.model import NotPublished, Published, PublishPlan

if TYPE_CHECKING:
    from openllm_repos.family.access import FamilyAccess
    from openllm_repos.git.repository import Repository

_DIFFERS = 1


@click.command("publish")
@click.argument("repos", nargs=-1, metavar="[REPO]...")
@click.option("-n", "--dry-run", is_flag=True, help="Print the plan and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the first upload.")
@click.option("--overwrite", is_flag=True, help="Replace what somebody else put or changed on the Hub, too.")
@click.option("--allow", metavar="PATH", multiple=True, help="This file looks like a secret and is none.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan and what came of it as JSON.")
@click.pass_obj
def publish(
    invocation: Invocation,
    repos: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    overwrite: bool,
    allow: tuple[str, ...],
    as_json: bool,
) -> int:
    """Bring artifacts, such as a model's weights, to their repos on the Hub (all that have some, or those named).

    What changed is sent, in one commit for each repo; what the Hub has already is not sent again, so after a break the
    same command goes on. It deletes only what an earlier publish put there, and refuses what looks like a secret.
    """
    manifest, repository, access = open_family(invocation)
    wanted = _wanted(manifest, repos)
    if dry_run:
        plans, _ = _run(invocation, (manifest, repository, access), wanted, (overwrite, allow), ask=None, quiet=as_json)
        _show(plans, (), as_json=as_json, invocation=invocation)
        return _exit_code(plans)
    with exclusive(repository, "publish"):
        plans, outcomes = _run(
            invocation, (manifest, repository, access), wanted, (overwrite, allow), ask=yes or as_json, quiet=as_json
        )
    if outcomes is None:
        click.echo("Nothing was published.")
        return _DIFFERS
    if as_json:
        _show(plans, outcomes, as_json=True, invocation=invocation)
    return _exit_code([*(plan for plan in plans if isinstance(plan, NotPublished)), *outcomes])


def _run(
    invocation: Invocation,
    family: tuple[Manifest, Repository, FamilyAccess],
    wanted: Sequence[Repo],
    choices: tuple[bool, tuple[str, ...]],
    *,
    ask: bool | None,
    quiet: bool,
) -> tuple[list[PublishPlan | NotPublished], list[Published | NotPublished] | None]:
    """Plan, and unless `ask` is None (a dry run) do it; outcomes are None where the person says no."""
    overwrite, allow = choices
    progress = Progress(shown=not (quiet or invocation.quiet))
    options = PublishOptions(
        f"openllm-repos {__version__}", overwrite, frozenset(allow), progress.tell, progress.read, progress.sent
    )
    publisher = Publisher(*family, options)
    try:
        with progress.of("reading"):
            plans = [publisher.plan(repo) for repo in wanted]
    finally:
        if ask is not None:
            publisher.remember()
    if ask is None:
        return plans, []
    if not quiet:
        _show(plans, (), as_json=False, invocation=invocation)
    ready = [plan for plan in plans if isinstance(plan, PublishPlan)]
    count = sum(bool(plan.steps) for plan in ready)
    if count and not confirmed(f"Publish to {count} repo{'' if count == 1 else 's'}?", yes=ask):
        return plans, None
    outcomes = []
    for plan in ready:
        with progress.of(f"{plan.repo}: sending", plan.size):
            outcomes.append(publisher.apply(plan))
        if not quiet:
            for line in outcome_lines(plan, outcomes[-1]):
                click.echo(line)
    return plans, outcomes


def _wanted(manifest: Manifest, names: tuple[str, ...]) -> list[Repo]:
    """Return the repos to publish to, datasets first.

    Raises:
        UsageError: a name is none of them, or there are none.
    """
    for name in names:
        if not manifest.repo(name).publish:
            raise UsageError(
                f"Nothing is published to {name}: {manifest.origin} has no [[repos.{name}.publish]].",
                hint=f'Below its entry write [[repos.{name}.publish]] with from = "exports/{name}/" and to = "."',
            )
    found = [repo for repo in manifest.published if not names or repo.name in names]
    if not found:
        raise UsageError(
            f"{manifest.origin} publishes nothing: no repo in it has [[repos.NAME.publish]].",
            hint='Below a model or dataset write [[repos.NAME.publish]] with from = "exports/NAME/" and to = "."',
        )
    return found


def _show(
    plans: Sequence[PublishPlan | NotPublished],
    outcomes: Sequence[Published | NotPublished],
    *,
    as_json: bool,
    invocation: Invocation,
) -> None:
    if as_json:
        click.echo(json.dumps(publish_json(plans, outcomes), indent=2))
        return
    for plan in plans:
        for line in plan_lines(plan, every_file=invocation.verbosity > 0):
            click.echo(line)


def _exit_code(results: Sequence[PublishPlan | Published | NotPublished]) -> int:
    return max((result.exit_code for result in results if isinstance(result, NotPublished)), default=0)
