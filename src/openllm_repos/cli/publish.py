"""`openllm-repos publish`: artifacts that git does not track, to the models, datasets and Spaces of the manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from openllm_repos import __version__
from openllm_repos.cli.actions_further import report_publish
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import PUBLISHED
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.publish_text import Progress, outcome_lines, plan_lines, publish_json
from openllm_repos.cli.question import confirmed
from openllm_repos.errors import UsageError
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.publish.apply import Publisher, PublishOptions
from openllm_repos.publish.model import NotPublished, Published, PublishPlan

_DIFFERS = 1


@click.command("publish")
@click.argument("repos", nargs=-1, metavar="[REPO]...", type=PUBLISHED)
@click.option("-n", "--dry-run", is_flag=True, help="Print the plan and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the first upload.")
@click.option("--overwrite", is_flag=True, help="Replace what somebody else put or changed on the Hub, too.")
@click.option("--allow", metavar="PATH", multiple=True, help="This file looks like a secret and is none; repeatable.")
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
    progress = Progress(shown=not (as_json or invocation.quiet))
    tool, allowed = f"openllm-repos {__version__}", frozenset(allow)
    options = PublishOptions(tool, overwrite, allowed, progress.tell, progress.read, progress.sent)
    publisher = Publisher(manifest, repository, access, options)
    outcomes: list[Published | NotPublished] = []
    if dry_run:
        plans = _plans(publisher, wanted, progress)
    else:
        with exclusive(repository, "publish"):
            try:
                plans = _plans(publisher, wanted, progress)
            finally:
                publisher.remember()
            if not as_json:
                _show(plans, invocation)
            if not _agreed(plans, yes=yes or as_json):
                click.echo("Nothing was published.")
                return _DIFFERS
            outcomes = _apply(publisher, plans, progress, shown=not as_json)
    if as_json:
        click.echo(json.dumps(publish_json(plans, outcomes), indent=2))
    elif dry_run:
        _show(plans, invocation)
    lines = (line for plan in plans for line in plan_lines(plan, every_file=True))
    report_publish(manifest, plans, outcomes, lines, dry_run=dry_run)
    return max((result.exit_code for result in (*plans, *outcomes) if isinstance(result, NotPublished)), default=0)


def _plans(publisher: Publisher, wanted: Sequence[Repo], progress: Progress) -> list[PublishPlan | NotPublished]:
    with progress.of("reading"):
        return [publisher.plan(repo) for repo in wanted]


def _agreed(plans: Sequence[PublishPlan | NotPublished], *, yes: bool) -> bool:
    """Ask before the first upload, on a terminal only; return whether to go on."""
    count = sum(isinstance(plan, PublishPlan) and bool(plan.steps) for plan in plans)
    return not count or confirmed(f"Publish to {count} repo{'' if count == 1 else 's'}?", yes=yes)


def _apply(
    publisher: Publisher, plans: Sequence[PublishPlan | NotPublished], progress: Progress, *, shown: bool
) -> list[Published | NotPublished]:
    """Do what was planned, one repo after the other, and tell what came of each."""
    outcomes = []
    for plan in plans:
        if isinstance(plan, NotPublished):
            continue
        with progress.of(f"{plan.repo}: sending", plan.size):
            outcomes.append(publisher.apply(plan))
        for line in outcome_lines(plan, outcomes[-1]) if shown else ():
            click.echo(line)
    return outcomes


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


def _show(plans: Sequence[PublishPlan | NotPublished], invocation: Invocation) -> None:
    for plan in plans:
        for line in plan_lines(plan, every_file=invocation.verbosity > 0):
            click.echo(line)
