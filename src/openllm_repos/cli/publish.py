"""`openllm-repos publish`: artifacts that git does not track, to the models, datasets and Spaces of the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from openllm_repos import __version__
from openllm_repos.cli.actions_further import report_publish
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import FILE, PUBLISHED, by_group
from openllm_repos.cli.frame import Change, Frame, Tell, changing
from openllm_repos.cli.publish_text import Progress, outcome_lines, plan_lines, publish_json
from openllm_repos.errors import UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.hint import gathered
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.manifest.selection import select
from openllm_repos.publish.apply import Publisher, PublishOptions
from openllm_repos.publish.model import NotPublished, Published, PublishPlan


@changing("publish", yes="Do not ask before the first upload.")
@click.argument("repos", nargs=-1, metavar="[REPO]...", type=PUBLISHED)
@by_group
@click.option("--overwrite", is_flag=True, help="Replace what somebody else put or changed on the Hub, too.")
@click.option(
    "--allow",
    metavar="PATH",
    multiple=True,
    shell_complete=FILE,
    help="This file looks like a secret and is none; repeatable.",
)
def publish(
    frame: Frame, repos: tuple[str, ...], groups: tuple[str, ...], overwrite: bool, allow: tuple[str, ...]
) -> int:
    """Bring artifacts, such as a model's weights, to their repos on the Hub (all that have some, or those named).

    What changed is sent, in one commit for each repo; what the Hub has already is not sent again, so after a break the
    same command goes on. It deletes only what an earlier publish put there, and refuses what looks like a secret.
    """
    manifest, repository, access = open_family(frame.invocation)
    repos = select(manifest, repos, groups, manifest.published, "repo with artifacts")
    progress = Progress(shown=not (frame.as_json or frame.invocation.quiet))
    tool, allowed = f"openllm-repos {__version__}", frozenset(allow)
    options = PublishOptions(tool, overwrite, allowed, progress.tell, progress.read, progress.sent)
    publisher = Publisher(manifest, repository, access, options)
    change = _Publish(manifest, _wanted(manifest, repos), publisher, progress)
    return frame.run(change, manifest, repository)


Plans = Sequence[PublishPlan | NotPublished]
Results = Sequence[Published | NotPublished]


@dataclass
class _Publish(Change[Plans, Results]):
    name = "publish"
    declined = "Nothing was published."
    settles = False

    manifest: Manifest
    wanted: Sequence[Repo]
    publisher: Publisher
    progress: Progress

    def plan(self, repository: Repository) -> Plans:
        try:
            with self.progress.of("reading"):
                return [self.publisher.plan(repo) for repo in self.wanted]
        finally:
            if not repository.quarantined:
                self.publisher.remember()

    def plan_lines(self, plan: Plans, *, every_file: bool) -> Iterator[str]:
        for one in gathered(plan, "repo", "reason"):
            yield from plan_lines(one, every_file=every_file)

    def question(self, plan: Plans) -> str:
        count = sum(isinstance(one, PublishPlan) and bool(one.steps) for one in plan)
        return f"Publish to {count} repo{'' if count == 1 else 's'}?" if count else ""

    def apply(self, plan: Plans, repository: Repository, tell: Tell) -> Results:
        done = []
        with self.publisher.transaction:
            for one in plan:
                if isinstance(one, PublishPlan):
                    with self.progress.of(f"{one.repo}: sending", one.size):
                        done.append(self.publisher.apply(one))
        return done

    def result_lines(self, plan: Plans, result: Results) -> Iterator[str]:
        planned = [one for one in plan if isinstance(one, PublishPlan)]
        for one, outcome in zip(planned, result, strict=True):
            yield from outcome_lines(one, outcome)

    def facts(self, plan: Plans, result: Results | None) -> dict[str, Any]:
        return publish_json(plan, result or ())

    def report(self, plan: Plans, result: Results | None) -> None:
        lines = self.plan_lines(plan, every_file=True)
        report_publish(self.manifest, plan, result or (), lines, dry_run=result is None)

    def exit_code(self, plan: Plans, result: Results | None) -> int:
        return max((one.exit_code for one in (*plan, *(result or ())) if isinstance(one, NotPublished)), default=0)


def _wanted(manifest: Manifest, names: tuple[str, ...]) -> list[Repo]:
    """Return the repos to publish to, datasets first.

    Raises:
        UsageError: a name is none of them, or there are none.
    """
    for name in names:
        entry = manifest.repo(name).entry
        if not manifest.repo(name).publish:
            raise UsageError(
                f"Nothing is published to {name}: {manifest.origin} has no [[repos.{entry}.publish]].",
                hint=f'Below its entry write [[repos.{entry}.publish]] with from = "exports/{name}/" and to = "."',
            )
    found = [repo for repo in manifest.published if not names or repo.name in names]
    if not found:
        raise UsageError(
            f"{manifest.origin} publishes nothing: no repo in it has [[repos.NAME.publish]].",
            hint='Below a model or dataset write [[repos.NAME.publish]] with from = "exports/NAME/" and to = "."',
        )
    return found
