"""What follows a manifest, until its family is in step: missing Hub repositories, its commit, adoptions, first syncs.

Each step is a change in the frame: it shows what it would do and asks. Which are due, the remotes and the clone tell
anew each time, so wherever it ended, `init` goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from openllm_repos.cli.adopt import adoption_before_sync
from openllm_repos.cli.clone import within_reach
from openllm_repos.cli.frame import DIFFERS, Change, Frame, Tell
from openllm_repos.cli.sync import sync_of
from openllm_repos.errors import EnvironmentProblem
from openllm_repos.family.access import FamilyAccess, hub_repo_of
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.hint import hint_lines
from openllm_repos.hub.client import HubClient
from openllm_repos.hub.model import HubType
from openllm_repos.manifest.model import Kind, Manifest, Repo, Role
from openllm_repos.preflight.card import hub_validator
from openllm_repos.setup.commit import Publication, plan_publication, publish_manifest, require_publishable
from openllm_repos.status.family import FamilyStatus, RepoStatus, Standing, family_status
from openllm_repos.sync.adopt import AdoptOptions, was_synced
from openllm_repos.sync.planning import SyncOptions
from openllm_repos.text import redact, show
from openllm_repos.workflow.filters import WORKFLOW

# Why it is unknown, the sync's own plan says.
_UNBEGUN = {Standing.EMPTY, Standing.NEW, Standing.NOT_ADOPTED, Standing.UNKNOWN}
_BEHIND = {Standing.BEHIND, Standing.DIVERGED}


@dataclass(frozen=True, slots=True)
class Making:
    """What is wanted of Hub repositories that are not there yet.

    Attributes:
        wished: whether --create says that they are to be made.
        sdk: what runs a Space.
        private: whether only its owners see what is made; else the owner's own setting decides.
    """

    wished: bool
    sdk: str
    private: bool


@dataclass
class _MakeRepos(Change[Sequence[Repo], Sequence[str]]):
    """Repositories made on the Hub."""

    declined = "Nothing was made."
    settles = False

    repos: Sequence[Repo]
    hub: HubClient
    making: Making

    def plan(self, repository: Repository) -> Sequence[Repo]:
        return self.repos

    def plan_lines(self, plan: Sequence[Repo], *, every_file: bool) -> Iterable[str]:
        for repo in plan:
            yield f"{repo.name}: the {repo.kind} {repo.repo_id} is not on the Hub, or not to be seen with your token"

    def question(self, plan: Sequence[Repo]) -> str:
        return f"Make {', '.join(f'the {repo.kind} {repo.repo_id}' for repo in plan)} on the Hub?"

    def apply(self, plan: Sequence[Repo], repository: Repository, tell: Tell) -> Sequence[str]:
        return [self._make(repo, tell) for repo in plan]

    def _make(self, repo: Repo, tell: Tell) -> str:
        tell(f"{repo.name}: making the {repo.kind} {repo.repo_id}")
        place = hub_repo_of(repo)
        assert place is not None  # nothing else is missing from the Hub
        sdk = self.making.sdk if place.type is HubType.SPACE else None
        return self.hub.create_repo(place, private=self.making.private or None, sdk=sdk)

    def result_lines(self, plan: Sequence[Repo], result: Sequence[str]) -> Iterable[str]:
        return [f"made {show(redact(url))}" for url in result]


@dataclass
class _PublishManifest(Change[Publication, str]):
    """The manifest committed and pushed."""

    declined = "Nothing was committed."
    settles = False

    publication: Publication

    def plan(self, repository: Repository) -> Publication:
        require_publishable(self.publication, repository)
        return self.publication

    def plan_lines(self, plan: Publication, *, every_file: bool) -> Iterable[str]:
        source = plan.remote.repo
        others = "" if not plan.ahead else f", with {plan.ahead} other commit{'s' * (plan.ahead != 1)} of yours"
        if plan.changed:
            yield f"{source.name}: a commit of {plan.path} on {source.branch}, pushed to {plan.place}{others}"
        else:
            yield f"{source.name}: {plan.path} is committed, and {plan.place} does not have that commit yet"

    def question(self, plan: Publication) -> str:
        return f"{'Commit and push' if plan.changed else 'Push'} it?"

    def apply(self, plan: Publication, repository: Repository, tell: Tell) -> str:
        tell(f"{plan.remote.repo.name}: pushing to {plan.remote.repo.branch}")
        return publish_manifest(plan, repository)

    def result_lines(self, plan: Publication, result: str) -> Iterable[str]:
        yield f"{plan.remote.repo.name}: {plan.path} is on {plan.place}, in {result[:10]}"


def make_missing(
    frame: Frame, missing: Sequence[Repo], making: Making, manifest: Manifest, repository: Repository, hub: HubClient
) -> int:
    """Make what is not on the Hub; return the exit code."""
    return frame.run(_MakeRepos(missing, hub, making), manifest, repository) if missing else 0


def carry_on(frame: Frame, manifest: Manifest, path: Path, repository: Repository, making: Making) -> int:
    """Take every step that is left, one after the other; return the exit code of the first that was not done.

    Raises:
        ReposError: a step could not be done; those before it are.
    """
    repository, access = within_reach(manifest, repository)
    seen = _look(manifest, repository)
    if frame.dry_run:
        return make_missing(frame, seen.missing, making, manifest, repository, access.hub())
    publication = plan_publication(manifest, path, repository)
    made = bool(seen.missing) and (making.wished or (publication.due and not frame.yes))
    # Who comes to a family that is there already may not see all of it: what is missing is then not theirs to make.
    if made:
        if code := make_missing(frame, seen.missing, making, manifest, repository, access.hub()):
            return _ended(code)
        seen = _look(manifest, repository)
    _require_reached(seen.family)
    if publication.due and (code := frame.run(_PublishManifest(publication), manifest, repository)):
        return _ended(code)
    if seen.due and (code := _first_syncs(frame, manifest, repository, access, seen.due)):
        return _ended(code)
    if (made or publication.due or seen.due) and not frame.invocation.quiet:
        click.echo("\n".join(_afterwards(manifest, repository)))
    return 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """How the family stands, as far as a beginning goes.

    Attributes:
        family: its status.
        due: the targets that have never been synced.
    """

    family: FamilyStatus
    due: Sequence[RepoStatus]

    @property
    def missing(self) -> list[Repo]:
        """What the Hub does not have, or does not show."""
        return [status.repo for status in self.family.repos if self.family.remotes[status.repo.name].missing]


def _look(manifest: Manifest, repository: Repository) -> _Seen:
    with repository.quarantine() as clone:
        family = family_status(manifest, clone)
        targets = [status for status in family.repos if status.repo.role is Role.TARGET]
        with ObjectReader(clone.git) as reader:
            due = [
                status
                for status in targets
                if status.standing in _UNBEGUN
                or (status.standing in _BEHIND and status.tip and not was_synced(manifest, clone, reader, status.tip))
            ]
    return _Seen(family, due)


def _first_syncs(
    frame: Frame, manifest: Manifest, repository: Repository, access: FamilyAccess, targets: Sequence[RepoStatus]
) -> int:
    """Adopt what was filled by copying, then sync all; return the exit code of the first that was not done."""
    validate = hub_validator(access)
    for status in targets:
        if status.standing is Standing.NOT_ADOPTED:
            adoption = adoption_before_sync(manifest, status.repo.name, AdoptOptions(validate=validate))
            if code := frame.run(adoption, manifest, repository):
                return code
    names = [str(status.repo.name) for status in targets]
    return frame.run(sync_of(manifest, access, names, SyncOptions(validate=validate)), manifest, repository)


def _require_reached(family: FamilyStatus) -> None:
    """Refuse to go on where source or targets are not known; of other repos it is only said.

    Raises:
        EnvironmentProblem: one of them does not answer.
    """
    for status in family.repos:
        remote = family.remotes[status.repo.name]
        if not remote.problem:
            continue
        message = f"{status.repo.name} {remote.trouble}"
        if status.repo.role is not Role.MEMBER:
            raise EnvironmentProblem(message, hint=remote.hint)
        click.echo(f"note: {show(redact(message))}")
        click.echo("\n".join(hint_lines(remote.hint, "  ")))


def _ended(code: int) -> int:
    if code == DIFFERS:
        click.echo("\n".join(hint_lines("openllm-repos init  # goes on from here")))
    return code


def _afterwards(manifest: Manifest, repository: Repository) -> Iterator[str]:
    """Yield what a person may want next."""
    yield from hint_lines("openllm-repos status")
    if not manifest.targets:
        yield from hint_lines(manifest.how_to_get_a_target())
    elif manifest.source.kind is Kind.GITHUB and repository.top and not (repository.top / WORKFLOW).exists():
        yield from hint_lines("openllm-repos ci  # and GitHub does it on every push")
