"""A target held against the source: what it has of it, what it lacks, and what it changed on its own.

Everything here follows from the two histories, so a fresh clone on another machine answers the same. Nothing is written
except objects, which a quarantine throws away again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum

from openllm_repos.errors import ManifestError
from openllm_repos.family.base import Home, OwnCommits, find_base, find_home
from openllm_repos.family.copies import not_copied
from openllm_repos.family.host import host_files
from openllm_repos.family.rewritten import lost_state
from openllm_repos.family.state import StateCommit, TargetState, own_since, past_states, state_of
from openllm_repos.git.history import count, is_ancestor
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import History, Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Drift
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.editing import Entry
from openllm_repos.projection.project import project
from openllm_repos.projection.trees import Node


class State(StrEnum):
    """How a target stands to the source. The first four follow from whether it lacks something, and has drift."""

    IN_SYNC = "in sync"
    BEHIND = "behind"
    DRIFT = "drift"
    DIVERGED = "diverged"
    AHEAD = "ahead"
    REWRITTEN = "rewritten"
    NEW = "new"
    EMPTY = "empty"
    NOT_ADOPTED = "not adopted"


@dataclass(frozen=True, slots=True)
class Relation:
    """A target and the source.

    Attributes:
        state: the two in one word.
        source_commit: the source commit that the target was held against.
        projected: its projection.
        tip: the target's tip, None where it is empty.
        at: what the target's history says of it; None where it says nothing.
        base: the mapped part that both sides have; empty where nothing was synced yet.
        theirs: the mapped part that the source would have there: the projection, and what a host made that no commit
            of the source has.
        contained: whether the target has all of the projection, so that there is nothing to sync.
        behind: how many projected commits the target lacks (1 at least, where it lacks anything).
        ahead: how many projected commits it has that `source_commit` does not.
        drift: what the target changed at mapped paths, and its own commits that did.
        part: reads mapped parts of this target.
        own: its own commits that count.
        home: those of them that have come home.
        since: the projected commit that the state names, where this clone has it.
        lost: the state that a target without one had, as far as this clone knows, before its history was rewritten.
    """

    state: State
    source_commit: ObjectId
    projected: ObjectId
    tip: ObjectId | None
    at: StateCommit | None
    base: Node
    theirs: Node
    contained: bool
    behind: int
    ahead: int
    drift: Drift
    part: MappedPart
    own: OwnCommits
    home: Home
    since: ObjectId | None = None
    lost: StateCommit | None = None

    @property
    def held(self) -> str:
        """What the target was rolled back to and is held at; empty where a sync may go on."""
        return "" if self.at is None else self.at.state.held

    @property
    def synced_from(self) -> ObjectId | None:
        """The source commit up to which the target has the source; None where it has nothing, or none is named."""
        return None if self.at is None else self.at.state.source_commit


class NothingMapped(ManifestError):
    """The maps of a target match no file in the whole history of the source."""

    def __init__(self, manifest: Manifest, target: Repo, commit: ObjectId) -> None:
        patterns = ", ".join(a_map.source.text for a_map in target.maps)
        super().__init__(
            f"{manifest.origin}: {target.at_key('map')}: no file ever matched {patterns} up to {commit[:10]}.",
            hint="git ls-tree -r --name-only HEAD  # the paths that are there",
        )


def relate(
    repository: Repository,
    reader: ObjectReader,
    manifest: Manifest,
    target: Repo,
    commit: ObjectId,
    tip: ObjectId | None,
) -> Relation:
    """Hold a target against a source commit.

    Args:
        repository: the clone of the source, which has the objects of `tip` too.
        reader: reads its objects.
        manifest: says which repo is the source.
        target: the manifest's entry.
        commit: the source commit.
        tip: the tip of the target's branch, None where it is empty.

    Raises:
        NothingMapped: the maps match nothing.
        ConflictError: a person merged two lines that each have a state.
        ReposError: as :func:`~openllm_repos.projection.project.project`.
    """
    projected = project(repository, commit, target.maps, reader=reader).commit
    if projected is None:
        raise NothingMapped(manifest, target, commit)
    return _Relating(repository, reader, manifest, target, commit, projected).to(tip)


@dataclass(frozen=True, slots=True)
class _Relating:
    repository: Repository
    reader: ObjectReader
    manifest: Manifest
    target: Repo
    commit: ObjectId
    projected: ObjectId

    def to(self, tip: ObjectId | None) -> Relation:
        part = MappedPart(self.reader, self.target.maps, self.repository.object_format)
        about = (self.repository, self.reader)
        at = None
        if tip is not None:
            at = state_of(*about, self.target, tip, self.projected, self.manifest.source.url)
        stated = at
        projection, mine = self._tree(part, self.projected), self._tree(part, tip)
        brought = self._brought(part, at)
        if at is not None and brought is not None and at.state.digest != maps_digest(self.target.maps):
            paths = {one.path for node in (mine, projection) for one in part.files(node)}
            at, brought = self._with_earlier(part, at, brought, paths)
        commits = [] if tip is None else own_since(*about, self.target.maps, tip, at)
        own = OwnCommits(*about, part, at, commits)
        given = {} if tip is None else host_files(*about, self.target, tip, part, mine)
        if brought is None or (tip is not None and self._was_copied(part, tip, at, given)):
            files = tuple(one for one in part.files(mine) if one.path not in given)
            nothing = Home({}, frozenset())
            lost = None if tip is None or at is not None else lost_state(*about, self.manifest, self.target, tip)
            return Relation(
                State.NOT_ADOPTED, self.commit, self.projected, tip, at, part.of(None), projection, contained=False,
                behind=self._count([]), ahead=0, drift=Drift((), files), part=part, own=own, home=nothing, lost=lost,
            )  # fmt: skip
        home = find_home(own, self.manifest, self.target, self.commit)
        base = part.with_files(find_base(own, home, brought), given)
        theirs = part.with_files(
            projection, {path: file for path, file in given.items() if part.file(projection, path) is None}
        )
        files = part.changes(base, mine)
        changed = {file.path for file in files}
        drift = [one for one in commits if one not in home.commits and not changed.isdisjoint(own.changes(one))]
        since = None if at is None else at.state.projected
        since = since if since is not None and self._has(since) else None
        follows = self._follows(at)
        contained = (
            tip is not None
            and follows
            and not home.commits
            and at is stated  # else the next state has to list what was done to files whose map is back
            and not part.changes(base, theirs)
            and self._has_history(tip)
        )
        state, ahead = self._state(tip, at, since, follows=follows, contained=contained, drifted=bool(files))
        behind = 0 if contained or state is State.AHEAD else max(1, self._behind(tip, at, since))
        return Relation(
            state, self.commit, self.projected, tip, at, base, theirs, contained, behind, ahead,
            Drift(tuple(reversed(drift)), files), part, own, home, since,
        )  # fmt: skip

    def _state(
        self,
        tip: ObjectId | None,
        at: StateCommit | None,
        since: ObjectId | None,
        *,
        follows: bool,
        contained: bool,
        drifted: bool,
    ) -> tuple[State, int]:
        """Return the state, and how many projected commits a target has that the source commit does not."""
        if tip is None:
            return State.EMPTY, 0
        if at is None or at.state.projected is None:
            return State.NEW, 0
        if not follows:
            start = at.state.source_commit
            if (
                start is None
                or not self._has(start)
                or not is_ancestor(self.repository, self.commit, start, self.reader)
            ):
                return State.REWRITTEN, 0
            return State.AHEAD, 0 if since is None else count(self.repository, since, without=[self.projected])
        names = {
            (True, False): State.IN_SYNC,
            (False, False): State.BEHIND,
            (True, True): State.DRIFT,
            (False, True): State.DIVERGED,
        }
        return names[contained, drifted], 0

    def _follows(self, at: StateCommit | None) -> bool:
        """Whether the source commit has what the state names in its history, so that no sync takes anything back."""
        start = None if at is None else at.state.source_commit
        return start is None or (self._has(start) and is_ancestor(self.repository, start, self.commit, self.reader))

    def _brought(self, part: MappedPart, at: StateCommit | None) -> Node | None:
        """Return what the state says that the source had contributed; None where that cannot be read any more."""
        brought, state = self._contributed(part, at), None if at is None else at.state
        if brought is None or state is None or state.adopted is None or not self._has(state.adopted):
            return brought
        known = [one for one in (state.projected, self.projected) if one is not None and self._has(one)]
        return part.with_files(brought, not_copied(self.repository, part, self.target, state.adopted, brought, known))

    def _contributed(self, part: MappedPart, at: StateCommit | None) -> Node | None:
        """Return the projection that the state names, or as much of it as can still be told.

        It is read through the maps of its time: new maps alone are no reason for the same files.
        """
        if at is None or at.state.projected is None:
            return part.of(None)
        state = at.state
        if self._has(at.state.projected):
            return self._tree(part, state.projected)
        same = state.digest == maps_digest(self.target.maps)
        maps = self.target.maps if same else state.maps
        assert state.source_commit is not None  # it names both, or none
        if not self._has(state.source_commit):
            return self._without_open(part, at) if same else None
        again = project(self.repository, state.source_commit, maps or self.target.maps, reader=self.reader).commit
        brought, there = self._tree(part, again), self._tree(part, at.id)
        if maps:
            return brought
        # Which maps it went through nobody says any more: at least not what the target did not get like that.
        return part.without(brought, [change.path for change in part.changes(there, brought) if change.new is not None])

    def _without_open(self, part: MappedPart, at: StateCommit) -> Node | None:
        """Return what a state's tree has less what the commits did that it lists; None where that is not to be told."""
        node = self._tree(part, at.id)
        own = OwnCommits(self.repository, self.reader, part, None, at.state.open)
        for commit in reversed(at.state.open):
            if not self._has(commit):
                return None
            for path, change in own.made(commit).items():
                clean, before = own.merged(change.new, part.file(node, path), change.old)
                if not clean:
                    return None
                node = part.with_files(node, {path: before})
        return node

    def _with_earlier(
        self, part: MappedPart, at: StateCommit, brought: Node, paths: Collection[bytes]
    ) -> tuple[StateCommit, Node]:
        """Let files whose map was taken away and is back start from the newest state that had them.

        Args:
            part: reads mapped parts.
            at: the newest state, with other maps than today's.
            brought: what it says that the source had contributed.
            paths: the files of both sides.

        Returns:
            the state, with the own commits that changed those files as open, and what the source had contributed.
        """
        files: dict[bytes, Entry | None] = {}
        since = None
        there = self._tree(part, at.id)  # it has what maps leave behind, and nothing of what was undone
        left = {path for path in paths if at.state.maps and not at.state.writes(path) and part.file(there, path)}
        with closing(past_states(self.repository, self.reader, at.id, self.manifest.source.url)) as states:
            for one in states if left else ():
                found = {path for path in left if one.state.writes(path)}
                node = self._brought(part, one) if found else None
                if not one.state.maps or (found and node is None):
                    break  # nobody can say which files it had, or what they were
                if node is not None:
                    files |= {path: part.file(node, path) for path in found}
                    since, left = one, left - found
                if not left:
                    break
        if since is None:
            return at, brought
        mine = OwnCommits(
            self.repository,
            self.reader,
            part,
            since,
            own_since(self.repository, self.reader, self.target.maps, at.id, since),
        )
        opened = [
            one for one in mine.commits if one not in at.state.open and not files.keys().isdisjoint(mine.changes(one))
        ]
        at = replace(at, state=replace(at.state, open=(*at.state.open, *opened))) if opened else at
        return at, part.with_files(brought, files)

    def _was_copied(
        self, part: MappedPart, tip: ObjectId, at: StateCommit | None, given: Mapping[bytes, Entry]
    ) -> bool:
        """Whether the files at mapped paths came from elsewhere than a sync, as far as the target's history says."""
        if at is not None and at.state.projected is not None:
            return False
        there = part.files(self._tree(part, tip if at is None else at.id))
        return any(given.get(change.path) != change.new for change in there)

    def _has_history(self, tip: ObjectId) -> bool:
        """Whether the target has the commits of the projection too, where it is to have them."""
        if self.target.history is History.SQUASH:
            return True
        headers = self.reader.read(tip.encode()).data.partition(b"\n\n")[0].split(b"\n")
        if self.projected == tip or b"parent " + self.projected.encode() in headers:
            return True  # mostly so, and needs no search
        return is_ancestor(self.repository, self.projected, tip)

    def _behind(self, tip: ObjectId | None, at: StateCommit | None, since: ObjectId | None) -> int:
        if tip is None:
            return self._count([])
        again = at is None or at.state.digest != maps_digest(self.target.maps)
        if since is None or (again and self.target.history is History.FULL):
            return self._count([tip])
        return self._count([since])

    def _count(self, without: list[ObjectId]) -> int:
        return count(self.repository, self.projected, without=without, reader=self.reader)

    @staticmethod
    def _tree(part: MappedPart, commit: ObjectId | None) -> Node:
        return part.of(None if commit is None else commit.encode() + b"^{tree}")

    def _has(self, commit: ObjectId) -> bool:
        return self.reader.find(commit.encode()) is not None


def next_state(relation: Relation, target: Repo, tree: ObjectId) -> TargetState:
    """Return what a target's history has to say once a sync gives it a tree."""
    opened = relation.own.still_open(relation.home.commits, tree, relation.theirs)
    held = "" if relation.lost is None else relation.lost.state.held
    return TargetState.of(target, relation.source_commit, relation.projected, opened, held)
