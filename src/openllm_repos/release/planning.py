"""What a release would do. A dry run throws its objects away; nothing else differs from a release that is made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from openllm_repos.errors import ReposError, UsageError
from openllm_repos.family.last_publish import unpublished
from openllm_repos.family.releases import known_tags
from openllm_repos.family.remotes import CONNECTIONS, DEADLINE, RemoteState, ask, bring
from openllm_repos.family.source import source_commit, to_fetch_first
from openllm_repos.family.state import find_state
from openllm_repos.family.tags import TagState, tag_state
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.refs import read_ref
from openllm_repos.git.repository import Repository
from openllm_repos.git.tags import signing_wanted
from openllm_repos.hint import command_line
from openllm_repos.hub.client import HubClient
from openllm_repos.manifest.model import At, Kind, LockPlace, Manifest, Repo, Role
from openllm_repos.manifest.selection import in_groups
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.plan import Stopped, SyncPlan, TargetPlan
from openllm_repos.release import checks
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import Obstacle, ReleasePlan, RepoPlan
from openllm_repos.status.spaces import AskedHub
from openllm_repos.sync.planning import SyncOptions, plan_target
from openllm_repos.text import redact
from openllm_repos.versions.order import Part, bumped, require_version


@dataclass(frozen=True, slots=True)
class ReleaseOptions:
    """How a release is to be made.

    Attributes:
        version: the version.
        allow_drift: whether targets may hold changes to mapped files that the source does not have.
        allow_broken: whether Spaces may be in a stage in which they do not run.
        manifest_path: where the manifest stands in the source.
        groups: of which the repos are released, with the source; none for all of them.
    """

    version: str
    allow_drift: bool = False
    allow_broken: bool = False
    manifest_path: str = "repos.toml"
    groups: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """What was typed, to be typed again."""
        chosen = {"--allow-drift": self.allow_drift, "--allow-broken": self.allow_broken}
        flags = [name for name, given in chosen.items() if given]
        return command_line("openllm-repos", "release", self.version, *in_groups(self.groups), *flags)


def plan_release(
    manifest: Manifest,
    desk: Desk,
    options: ReleaseOptions,
    hub: HubClient | None = None,
    spaces: HubClient | None = None,
) -> ReleasePlan:
    """Plan a release: ask all remotes, plan the syncs, find every repo's commit, and make every check.

    Args:
        manifest: what should be.
        desk: holds the clone of the source, or a quarantine of it.
        options: how the release is to be made.
        hub: is asked whether its repositories can be written; None leaves that to git alone.
        spaces: is asked whether those Spaces run that the sync does not build anew; None asks nobody.

    Returns:
        The plan, with all that stands against it.

    Raises:
        NameRefused: the version is none.
        EnvironmentProblem: git is too old, the clone is shallow, the source's remote does not answer.
        UsageError: this clone has no such branch of the source.
    """
    repository = desk.repository
    require_version(options.version)
    manifest.project.tag.tag_for(options.version)
    repository.require_merge()
    repository.require_history()
    states = ask(repository, manifest.released)
    held = [state for state in states.values() if state.repo.role is not Role.MEMBER]
    states |= bring(repository, held)
    source = states[manifest.source.name]
    source.require()
    commit = source_commit(repository, manifest.source, source, None)
    return _Planning(manifest, desk, options, states, commit, hub, spaces).plan()


@dataclass(frozen=True, slots=True)
class _Planning:
    manifest: Manifest
    desk: Desk
    options: ReleaseOptions
    states: Mapping[RepoName, RemoteState]
    commit: ObjectId
    hub: HubClient | None
    spaces: HubClient | None

    def plan(self) -> ReleasePlan:
        """Return the plan with everything that stands against it."""
        manifest, repository = self.manifest, self.desk.repository
        targets = [repo for repo in manifest.released if repo.role is Role.TARGET]
        source = self.states[manifest.source.name]
        asked_for = SyncOptions(fetch_first=to_fetch_first(repository, source, self.commit))
        steps = tuple(
            plan_target(manifest, repository, self.states[repo.name], self.commit, asked_for) for repo in targets
        )
        sync = SyncPlan(manifest.source.name, self.commit, steps)
        with ObjectReader(repository.git) as reader:
            found = reader.read(self.commit.encode())
            tree = ObjectId(found.data[5 : found.data.index(b"\n")].decode())
            path = self.options.manifest_path
            obstacles = [
                *checks.about_source(manifest, repository, source, self.commit),
                *checks.about_manifest(reader, manifest, self.commit, path, self.options.groups),
                *checks.about_versions(
                    manifest, manifest.source.name, manifest.source, reader, self.commit, self.options.version
                ),
            ]
            digest = "sha256:" + hashlib.sha256(checks.manifest_in(reader, self.commit, path) or b"").hexdigest()
        for step in steps:
            obstacles += checks.about_sync(manifest, step, allow_drift=self.options.allow_drift)
        stopped = {step.target for step in steps if isinstance(step, Stopped)}
        plans, faults = self._repos({step.target: step for step in steps if isinstance(step, TargetPlan)})
        asked = [plan for plan in plans if plan.repo.name not in stopped]
        moved = {step.target for step in steps if isinstance(step, TargetPlan) and step.update is not None}
        still = [plan.repo for plan in plans if plan.repo.kind is Kind.SPACE and plan.repo.name not in moved]
        spaces = AskedHub(None if self.options.allow_broken else self.spaces, still, deadline=DEADLINE)
        obstacles += faults
        obstacles += checks.about_tags(asked, self.states)
        obstacles += checks.about_access(repository, asked, self.states, self.commit, self.hub)
        tag = manifest.project.tag.tag_for(self.options.version)
        obstacles += checks.about_lock(manifest, tag)
        obstacles += checks.about_pins(manifest, repository, self.commit, plans)
        obstacles += checks.about_spaces(still, spaces.found(), self.options.version)
        known = known_tags(manifest, repository, self.states[manifest.source.name])
        obstacles += checks.about_spelling(manifest, tag, known)
        obstacles += checks.about_signing(self.desk, manifest.source.name, self.commit, tag)
        return ReleasePlan(
            project=manifest.project.name,
            version=self.options.version,
            tag=tag,
            source_commit=self.commit,
            source_tree=tree,
            manifest=digest,
            lock=manifest.project.lock,
            signed=signing_wanted(repository),
            sync=sync,
            repos=plans,
            obstacles=_in_order(manifest, obstacles),
            notes=(*self._notes(tag), *(note for step in steps if isinstance(step, TargetPlan) for note in step.notes)),
            after=self._after(final=any(one.final for one in obstacles)),
        )

    def _after(self, *, final: bool) -> str:
        """Return what to type once nothing stands against this version, or another where it can never be released."""
        version = self.options.version
        if not final:
            return f"{self.options.command}  # once that is done"
        try:
            while final:
                version = bumped(version, Part.PATCH)
                tags = [(self.manifest.tag_form(repo).tag_for(version), repo.name) for repo in self.manifest.released]
                final = any(tag in self.states[name].tags for tag, name in tags)
        except UsageError:  # it is not counted on by rule
            return ""
        if not self.manifest.project.version:
            free = ReleaseOptions(version, groups=self.options.groups).command
            return f"{free}  # is free in every repo"
        return f"openllm-repos version set {version}  # is free in every repo; commit, push and release that"

    def _repos(self, steps: Mapping[str, TargetPlan]) -> tuple[tuple[RepoPlan, ...], list[Obstacle]]:
        """Find the commit of every repo, many at a time; what stands against one does not stop the others."""

        def one(repo: Repo) -> tuple[RepoPlan, list[Obstacle]]:
            try:
                return self._repo(repo, steps.get(repo.name))
            except ReposError as why:
                return self._row(repo, None, None), [Obstacle.of(repo.name, why)]

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            made = list(pool.map(one, self.manifest.released))
        return tuple(plan for plan, _ in made), [fault for _, faults in made for fault in faults]

    def _repo(self, repo: Repo, step: TargetPlan | None) -> tuple[RepoPlan, list[Obstacle]]:
        state = self.states[repo.name]
        if repo.role is Role.SOURCE:
            commit = self.commit if self.manifest.project.lock is LockPlace.TAG else None
            return self._row(repo, commit, None), []
        if state.problem or (repo.role is Role.TARGET and step is None):
            return self._row(repo, None, None), []
        commit = state.tip if step is None else self._of_target(repo, step)
        if commit is None:
            empty = Obstacle(
                repo.name,
                f"has no commit on {repo.branch} yet, so there is nothing to tag.",
                "Push to it first, or give its entry: release = false",
            )
            return self._row(repo, None, None), [empty]
        where = self.desk.bring(repo.name, state.endpoint, commit, repo.branch.ref)
        if where is None:
            moved = Obstacle(repo.name, f"its {repo.branch} moved while it was read.", "Run the same command again.")
            return self._row(repo, None, None), [moved]
        with ObjectReader(where.git) as reader:
            tree = reader.read(commit.encode()).data
            versions = checks.about_versions(self.manifest, repo.name, repo, reader, commit, self.options.version)
            row = self._row(repo, commit, ObjectId(tree[5 : tree.index(b"\n")].decode()))
            return row, list(versions)

    def _of_target(self, repo: Repo, step: TargetPlan) -> ObjectId | None:
        """Return the commit of a target that is tagged: what the sync would make, its tip, or its last sync."""
        return (
            step.update.new
            if step.update is not None
            else tagged_commit(self.desk.repository, self.manifest, repo, step.tip)
        )

    def _row(self, repo: Repo, commit: ObjectId | None, tree: ObjectId | None) -> RepoPlan:
        state = self.states[repo.name]
        tag = self.manifest.tag_form(repo).tag_for(self.options.version)
        held = tag_state(state, tag, commit)
        if repo.role is Role.SOURCE and tag in state.tags:
            held = TagState.MOVED  # a release that was begun would have been found by its lock
        return RepoPlan(repo, redact(state.endpoint.push_url), tag, commit, tree, held)

    def _notes(self, tag: TagName) -> Iterator[str]:
        if self.options.groups:
            yield f"Only of {', '.join(self.options.groups)}: the lock of {tag} has no other repo."
        if not self.manifest.project.version:
            yield f"{self.manifest.origin} names no version file, so nothing says that {self.options.version} is right."
        if self.manifest.project.lock is LockPlace.COMMIT and self.desk.repository.top is None:
            yield "This clone is bare: its own branch stays where it is when the lock is committed."
        own = read_ref(self.desk.repository, tag.ref)
        if own not in {None, self.states[self.manifest.source.name].tags.get(tag)}:
            remove = command_line("git", "tag", "-d", tag)
            yield f"This clone has a tag {tag} of its own, which the release is not made with.\n{remove}"
        for repo in self.manifest.released:
            if unpublished(self.desk.repository, repo):
                first = f"openllm-repos publish {repo.name}  # first"
                yield f"{repo.name} has artifacts here that are not published.\n{first}"


def tagged_commit(repository: Repository, manifest: Manifest, repo: Repo, tip: ObjectId | None) -> ObjectId | None:
    """Return the commit of a synced target that a release tags: its tip, or with ``at = "synced"`` the last sync."""
    if tip is None or repo.at is At.TIP:
        return tip
    with ObjectReader(repository.git) as reader:
        last = find_state(repository, reader, tip, manifest.source.url)
    return tip if last is None else last.id


def _in_order(manifest: Manifest, obstacles: list[Obstacle]) -> tuple[Obstacle, ...]:
    names = [str(repo.name) for repo in manifest.repos]
    return tuple(sorted(obstacles, key=lambda one: names.index(one.repo)))


def planned(plan: ReleasePlan, repo: str, commit: ObjectId, tree: ObjectId | None) -> ReleasePlan:
    """Return the plan with the commit of a repo as the sync really made it."""
    rows = tuple(replace(row, commit=commit, tree=tree) if row.repo.name == repo else row for row in plan.repos)
    return replace(plan, repos=rows)
