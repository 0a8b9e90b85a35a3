"""How every repo of the manifest stands: all remotes asked at once, each target held against the source.

Nothing is written to the clone: what has to be fetched or projected for the answer goes into a quarantine. The answer
follows from the manifest, the source commit and the remotes alone, so another clone of them gives the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from openllm_repos.errors import ReposError, UsageError
from openllm_repos.family.emptied import Emptied, MapEmptied
from openllm_repos.family.last_publish import unpublished
from openllm_repos.family.left_behind import left_behind
from openllm_repos.family.not_adopted import relate_fetched
from openllm_repos.family.relation import State, relate
from openllm_repos.family.remotes import DEADLINE, RemoteState, answers, bring, remember
from openllm_repos.family.source import OtherSource, empty_maps, hold_against_remote, source_commit
from openllm_repos.git.history import committed_at
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.refs import read_refs
from openllm_repos.git.repository import Repository
from openllm_repos.hub.model import HubInfo, Runtime
from openllm_repos.journal.log import begun
from openllm_repos.manifest.model import Manifest, Repo, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.plan import Drift, Stopped, TargetPlan
from openllm_repos.status.pins import Pin, pins_of
from openllm_repos.status.problems import (
    Problem,
    about_artifacts,
    about_empty_source,
    about_missing_branch,
    about_operation,
    about_remote,
    about_silent_source,
    about_source,
    about_space,
    about_target,
    stands_still,
)
from openllm_repos.status.releases import about_releases, newest_release
from openllm_repos.status.spaces import AskedHub
from openllm_repos.versions.commit import manifest_at

if TYPE_CHECKING:
    from openllm_repos.hub.client import HubClient

_LOOK = "git ls-tree -r --name-only HEAD"


class Standing(StrEnum):
    """How a repo stands, in the words of the table."""

    OK = "ok"
    IN_SYNC = "in sync"
    AHEAD = "ahead"
    BEHIND = "behind"
    DRIFT = "drift"
    DIVERGED = "diverged"
    REWRITTEN = "rewritten"
    NEW = "new"
    EMPTY = "empty"
    UNRELATED = "unrelated"
    NOT_ADOPTED = "not adopted"
    HELD = "held"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"

    @property
    def settled(self) -> bool:
        """Whether nothing is to be done."""
        return self in {Standing.OK, Standing.IN_SYNC}

    @property
    def syncable(self) -> bool:
        """Whether a sync of a target would bring something."""
        lacking = {Standing.BEHIND, Standing.DIVERGED, Standing.EMPTY, Standing.NEW}
        return self in lacking | {Standing.AHEAD, Standing.REWRITTEN}

    @property
    def bad(self) -> bool:
        """Whether nothing can be done before something else is mended."""
        return self in {Standing.UNREACHABLE, Standing.UNKNOWN, Standing.UNRELATED}


@dataclass(frozen=True, slots=True)
class RepoStatus:
    """How one repo stands.

    Attributes:
        repo: the manifest's entry.
        standing: the answer in one word.
        tip: the tip of its branch, None where there is none or it is not known.
        behind: of a target, the projected commits that it lacks; of the source, the remote's that the clone lacks.
        ahead: of the source, the commits that its remote lacks; of a target, those that the source was reset from.
        drift: what a target changed at mapped paths.
        release: the tag of its newest release, None where it has none or that is not known.
        changed: when the tip was committed, None where neither this clone has that commit nor the Hub says it.
        runtime: of a Space, what it is doing; None where the Hub was not asked, or did not say in time.
        held: of a target that was rolled back, what it is held at; else empty.
        pin: what the source pins of it; None where it is no submodule.
    """

    repo: Repo
    standing: Standing
    tip: ObjectId | None = None
    behind: int = 0
    ahead: int = 0
    drift: Drift = field(default_factory=Drift)
    release: str | None = None
    changed: datetime | None = None
    runtime: Runtime | None = None
    held: str = ""
    pin: Pin | None = None

    @property
    def wanted(self) -> bool:
        """Whether it is held, as somebody wanted it, and nobody edited it since."""
        return self.standing is Standing.HELD and not self.drift.files

    @property
    def said(self) -> str:
        """The standing with its number, as the table has it (``behind 3``)."""
        if self.standing is Standing.HELD:
            return f"held at {self.held}"
        drift = max(1, len(self.drift.commits))
        number = {Standing.AHEAD: self.ahead, Standing.BEHIND: self.behind, Standing.DRIFT: drift}.get(self.standing)
        return f"{self.standing} {number}" if number else str(self.standing)  # nothing but a state may be to be written


@dataclass(frozen=True, slots=True)
class FamilyStatus:
    """How the family stands.

    Attributes:
        project: its name.
        source: the source's name.
        source_commit: the commit that the targets were held against: the newest of the source that is known; None
            where none is.
        remembered: whether this is what was fetched before; nobody was asked.
        repos: one entry a repo, in the order of the manifest.
        problems: what is wrong, with the next step, in the order of the manifest.
        released: whether the newest release is complete, as far as that can be told.
        remotes: what each remote said, for those who want to look closer without asking again.
        steps: what a sync would do with targets that it is for, where somebody has looked.
        catch_up: the commands that give clone and remote of the source the same commit, which a sync then carries.
    """

    project: str
    source: RepoName
    source_commit: ObjectId | None
    remembered: bool
    repos: tuple[RepoStatus, ...]
    problems: tuple[Problem, ...]
    released: bool = True
    remotes: Mapping[RepoName, RemoteState] = field(default_factory=dict)
    steps: Mapping[RepoName, TargetPlan | Stopped] = field(default_factory=dict)
    catch_up: str = ""

    def only(self, names: Sequence[str]) -> FamilyStatus:
        """Return what concerns the repos named, all of it where none is; a target's state needs the source's, too."""
        if not names:
            return self
        repos = tuple(status for status in self.repos if status.repo.name in names)
        problems = tuple(problem for problem in self.problems if problem.repo in names)
        return replace(self, repos=repos, problems=problems)

    @property
    def differs(self) -> bool:
        """Whether any repo is not as it should be."""
        return self.differs_unwanted or any(status.wanted for status in self.repos)

    @property
    def differs_unwanted(self) -> bool:
        """The same, beside what somebody wanted so."""
        unpinned = any(status.pin is not None and status.pin.commit is None for status in self.repos)
        broken = any(status.runtime is not None and stands_still(status.runtime) for status in self.repos)
        settled = all(status.standing.settled or status.wanted for status in self.repos)
        return not self.released or unpinned or broken or not settled


def family_status(
    manifest: Manifest,
    repository: Repository,
    *,
    offline: bool = False,
    deadline: float = DEADLINE,
    told: Callable[[RepoName], None] = lambda _: None,
    hub: HubClient | None = None,
) -> FamilyStatus:
    """Say how every repo of the manifest stands. The clone stays byte for byte as it is.

    Args:
        manifest: what should be.
        repository: the clone of the source.
        offline: answer from what was fetched before, asking no remote.
        deadline: seconds that each remote may take to answer, and again to send new commits. One that takes longer
            counts as unreachable, which is an answer too.
        told: gets the name of each repo as soon as it has answered.
        hub: is asked what Spaces are doing and when models and datasets changed, beside the remotes; None asks nobody.

    Raises:
        EnvironmentProblem: git is missing, or the clone is shallow or damaged.
    """
    if manifest.targets:
        repository.require_history()
    asked = AskedHub(None if offline else hub, manifest.repos, deadline=deadline)
    quarantine = contextlib.nullcontext(repository) if repository.quarantined else repository.quarantine()
    with quarantine as clone, ObjectReader(clone.git) as reader:
        remotes = _remembered(clone, manifest) if offline else _asked(clone, manifest, deadline)
        family = _Family(manifest, clone, reader)
        for remote in remotes:
            told(remote.repo.name)
            family.take(remote)
        family.hold_pins(None if offline else hub, deadline)
        return family.status(asked.found(), offline=offline)


def _remembered(clone: Repository, manifest: Manifest) -> Iterable[RemoteState]:
    return remember(clone, manifest.repos).values()


def _asked(clone: Repository, manifest: Manifest, deadline: float) -> Iterator[RemoteState]:
    """Ask everybody; a tip that has to be looked at is fetched at once, while others are still being asked."""
    known = set(read_refs(clone, "refs").values())

    def fetched(state: RemoteState) -> RemoteState:
        if state.repo.role is Role.MEMBER or state.tip is None or state.tip in known:
            return state
        return bring(clone, [state], deadline=deadline)[state.repo.name]

    return answers(clone, manifest.repos, deadline=deadline, then=fetched)


class _Family:
    """The family while its remotes answer, in any order."""

    def __init__(self, manifest: Manifest, clone: Repository, reader: ObjectReader) -> None:
        self._manifest = manifest
        self._newest = manifest
        self._clone = clone
        self._reader = reader
        self._found: dict[RepoName, RepoStatus] = {}
        self._problems: dict[RepoName, list[Problem]] = {repo.name: [] for repo in manifest.repos}
        self._waiting: list[RemoteState] = []
        self._remotes: dict[RepoName, RemoteState] = {}
        self._commit: ObjectId | None = None
        self._catch_up = ""

    def take(self, remote: RemoteState) -> None:
        """Take in what one remote said. A target waits until it is known what it is to be held against."""
        self._remotes[remote.repo.name] = remote
        role = remote.repo.role
        if role is Role.TARGET and self._manifest.source.name not in self._found:
            self._waiting.append(remote)
            return
        status = self._source(remote) if role is Role.SOURCE else self._other(remote)
        tags = newest_release(self._manifest.tag_form(remote.repo), remote.tags)
        changed = committed_at(self._reader, remote.tip)
        if remote.repo.publish:
            self._note(*about_artifacts(remote.repo, unpublished(self._clone, remote.repo)))
        self._found[remote.repo.name] = replace(status, tip=remote.tip, release=tags, changed=changed)
        if role is Role.SOURCE:
            waiting, self._waiting = self._waiting, []
            for target in waiting:
                self.take(target)

    def hold_pins(self, hub: HubClient | None, deadline: float) -> None:
        """Hold what the source pins against the tips of the remotes that were taken in."""
        pins, problems = pins_of(self._manifest, self._clone, self._commit, self._remotes, hub=hub, deadline=deadline)
        for name, pin in pins.items():
            self._found[name] = replace(self._found[name], pin=pin)
        self._note(*problems)

    def _source(self, remote: RemoteState) -> RepoStatus:
        """Hold what this clone has against the source's remote; settle what targets are held against."""
        repo = remote.repo
        mine = None
        try:
            mine = self._commit = source_commit(self._clone, repo, remote, None)
        except UsageError as why:
            self._note(Problem.of(repo.name, why))
        if remote.problem:
            return self._unheard(remote)
        if remote.tip is None:
            self._note(*(about_missing_branch(remote) if remote.branches else [about_empty_source(remote)]))
            return RepoStatus(repo, Standing.EMPTY)
        if mine is None:
            return RepoStatus(repo, Standing.UNKNOWN)
        try:
            held = hold_against_remote(self._clone, mine, remote)
        except OtherSource as why:
            self._commit = remote.tip
            self._note(Problem.of(repo.name, why))
            return RepoStatus(repo, Standing.UNRELATED)
        behind, ahead = held.behind, held.unpushed or 0
        if (behind or held.given_up) and remote.tip is not None:  # who lags says so, and makes no target differ
            self._commit = remote.tip
            self._catch_up_with(mine, remote.tip)
        self._catch_up = held.catch_up(self._clone, remote)
        self._note(*about_source(repo, held, self._catch_up))
        standing = {
            (False, False): Standing.OK,
            (True, False): Standing.BEHIND,
            (False, True): Standing.AHEAD,
            (True, True): Standing.DIVERGED,
        }[bool(behind), bool(ahead)]
        return RepoStatus(repo, standing, behind=behind, ahead=ahead)

    def _catch_up_with(self, mine: ObjectId, newest: ObjectId) -> None:
        """Hold targets against the maps of the newest source commit, unless the manifest is changed here."""
        here, there = (manifest_at(self._reader, commit, self._manifest.origin) for commit in (mine, newest))
        if here is not None and there is not None and here.repos == self._manifest.repos:
            self._newest = there

    def _other(self, remote: RemoteState) -> RepoStatus:
        """Say how a target or a member stands."""
        if remote.problem:
            return self._unheard(remote)
        if remote.tip is None:
            self._note(*about_missing_branch(remote))
            if remote.branches:
                return RepoStatus(remote.repo, Standing.EMPTY)
        if remote.repo.role is Role.MEMBER:
            return RepoStatus(remote.repo, Standing.EMPTY if remote.tip is None else Standing.OK)
        return self._target(remote)

    def _target(self, remote: RemoteState) -> RepoStatus:
        """Hold a target against the source commit; what stops that is an answer too."""
        commit = self._commit
        alike = (repo for repo in self._newest.targets if repo.name == remote.repo.name and repo.url == remote.repo.url)
        target = next(alike, remote.repo)
        if commit is None:
            return RepoStatus(target, Standing.UNKNOWN)
        try:
            holding = relate if remote.remembered else relate_fetched
            relation = holding(self._clone, self._reader, self._newest, target, commit, remote.tip)
        except ReposError as why:
            self._note(Problem.of(target.name, why))
            return RepoStatus(target, Standing.UNKNOWN)
        source = self._remotes[self._manifest.source.name]
        newer = relation.state in {State.AHEAD, State.REWRITTEN} and not relation.held
        if newer and (source.problem or source.remembered):
            self._note(about_silent_source(target, source, relation))  # the clone may merely lag
            return RepoStatus(target, Standing.UNKNOWN)
        emptied = () if relation.held else Emptied(self._clone, self._reader, target, relation).by_sync()
        if emptied and relation.state is not State.NOT_ADOPTED:
            stops = MapEmptied(target, emptied, f"openllm-repos sync {target.name}")
            self._note(Problem.of(target.name, stops))
        else:
            notes = [*empty_maps(self._reader, self._newest, target, commit, self._clone.object_format)]
            left = left_behind(self._clone, self._reader, self._newest, target, relation)
            self._note(*(Problem(target.name, note.removeprefix(f"{target.name} "), "") for note in left))
            self._note(*about_target(self._clone, self._reader, target, relation, source))
            self._note(*(Problem(target.name, note, _LOOK) for note in notes))
        standing = Standing.HELD if relation.held else Standing(relation.state.value)
        return RepoStatus(
            target, standing, behind=relation.behind, ahead=relation.ahead, drift=relation.drift, held=relation.held
        )

    def _unheard(self, remote: RemoteState) -> RepoStatus:
        self._note(about_remote(remote))
        unknown = remote.remembered or remote.unclear
        return RepoStatus(remote.repo, Standing.UNKNOWN if unknown else Standing.UNREACHABLE)

    def _note(self, *problems: Problem) -> None:
        for problem in problems:
            self._problems[RepoName(problem.repo)].append(problem)

    def status(self, said: Mapping[RepoName, Runtime | HubInfo], *, offline: bool) -> FamilyStatus:
        """Return the whole, once every remote was taken in, with what the Hub said."""
        manifest = self._manifest
        for at, what in said.items():
            status = self._found[at]
            if isinstance(what, Runtime):
                self._found[at] = replace(status, runtime=what)
                self._note(*about_space(status.repo, what))
            elif status.changed is None and what.tip is not None and what.tip == status.tip:
                self._found[at] = replace(status, changed=what.changed)
        releases = list(about_releases(manifest, self._clone, self._reader, self._remotes))
        self._note(*releases)
        unfinished = [operation for operation in begun(self._clone) if operation.release is None]
        problems = [problem for operation in unfinished for problem in about_operation(operation)]
        problems += [problem for repo in manifest.repos for problem in self._problems[repo.name]]
        found = tuple(self._found[repo.name] for repo in manifest.repos)
        name, source = manifest.project.name, manifest.source.name
        done = not releases
        told = (found, tuple(problems), done, self._remotes)
        return FamilyStatus(name, source, self._commit, offline, *told, catch_up=self._catch_up)
