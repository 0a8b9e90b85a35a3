"""A target held against the source: what it has of it, what it lacks, and what it changed on its own.

Everything here follows from the two histories and what the remotes say, so a fresh clone on another machine answers the
same. Nothing is written except objects, which a quarantine throws away again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum

from openllm_repos.errors import ConflictError, ManifestError
from openllm_repos.family.at_home import AtHome, standing
from openllm_repos.family.imports import Imports, find_imports
from openllm_repos.family.last_sync import SAID_BY_SYNC, LastSync, find_last_sync, find_syncs
from openllm_repos.git.history import commits_touching, count, is_ancestor, merge_base
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import History, Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Drift, FileChange
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.project import project
from openllm_repos.projection.trees import Node


class State(StrEnum):
    """How a target stands to the source."""

    IN_SYNC = "in sync"
    BEHIND = "behind"
    DRIFT = "drift"
    DIVERGED = "diverged"
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
        base: the mapped part as of the last sync, which both sides started from; empty where nothing was synced yet.
        behind: how many projected commits the target lacks (1 at least, where it lacks anything).
        contained: whether the target has all of the projection, so that there is nothing to sync.
        drift: what the target changed at mapped paths.
        part: reads mapped parts of this target.
        since: the projected commit of `base`; None where nothing was synced yet, or that is not known.
        carried: commits whose history is none of the target's own doing.
        last: the target's last sync, rollback or end of a hold; None where there was none.
    """

    state: State
    source_commit: ObjectId
    projected: ObjectId
    tip: ObjectId | None
    base: Node
    behind: int
    contained: bool
    drift: Drift
    part: MappedPart
    since: ObjectId | None = None
    carried: tuple[ObjectId, ...] = ()
    last: LastSync | None = None

    @property
    def held(self) -> str:
        """What the target was rolled back to and is held at; empty where a sync may go on."""
        return "" if self.last is None else self.last.held


class NotAdopted(ConflictError):
    """A target was filled by other means than a sync: there is no common base to merge from."""

    def __init__(self, target: Repo, files: int) -> None:
        some = "1 file" if files == 1 else f"{files} files"
        super().__init__(
            f"{target.name} already has {some} at mapped paths, but no sync put them there.",
            hint=f"openllm-repos adopt {target.name}",
        )


class NothingMapped(ManifestError):
    """The maps of a target match no file in the whole history of the source."""

    def __init__(self, manifest: Manifest, target: Repo, commit: ObjectId) -> None:
        patterns = ", ".join(a_map.source.text for a_map in target.maps)
        super().__init__(
            f"{manifest.origin}: repos.{target.name}.map: no file ever matched {patterns} up to {commit[:10]}.",
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
        ReposError: as :func:`~openllm_repos.projection.project.project`.
    """
    projected = project(repository, commit, target.maps, reader=reader).commit
    if projected is None:
        raise NothingMapped(manifest, target, commit)
    part = MappedPart(reader, target.maps, repository.object_format)
    if tip is None:
        behind = count(repository, projected, without=[])
        return Relation(State.EMPTY, commit, projected, None, part.of(None), behind, False, Drift(), part)
    last = find_last_sync(repository, reader, tip, manifest.source.url)
    held = _Held(repository, reader, manifest, target, part, projected, tip, last)
    start, files, imports = held.start(commit)
    if not start.known and files:
        return Relation(
            State.NOT_ADOPTED, commit, projected, tip, start.base, start.behind, False, Drift((), files), part
        )
    touching = commits_touching(
        repository, tip, [file.path for file in files], without=start.carried, not_saying=SAID_BY_SYNC
    )
    state = {
        (True, False): State.IN_SYNC,
        (False, False): State.BEHIND,
        (True, True): State.DRIFT,
        (False, True): State.DIVERGED,
    }[start.contained, bool(files)]
    drift = Drift(tuple(one for one in touching if one not in imports), files)
    return Relation(
        state,
        commit,
        projected,
        tip,
        start.base,
        start.behind,
        start.contained,
        drift,
        part,
        since=start.since,
        carried=start.carried,
        last=last,
    )


@dataclass(frozen=True, slots=True)
class _Start:
    """Where both sides started from, and whether that is known at all."""

    base: Node
    known: bool
    behind: int
    contained: bool
    carried: tuple[ObjectId, ...]
    since: ObjectId | None = None


@dataclass(frozen=True, slots=True)
class _Held:
    """A target that has a tip, on the way to its relation."""

    repository: Repository
    reader: ObjectReader
    manifest: Manifest
    target: Repo
    part: MappedPart
    projected: ObjectId
    tip: ObjectId
    last: LastSync | None

    def start(self, commit: ObjectId) -> tuple[_Start, tuple[FileChange, ...], Imports]:
        """Return where both sides started from, what the target changed since, and what of that the source has."""
        start = self.squashed() if self.target.history is History.SQUASH else self.joined()
        mapped = self._at(self.tip)
        files = self.part.changes(start.base, mapped)
        if not (start.known and files):
            return start, files, {}
        imports = find_imports(self.repository, self.reader, self.manifest, self.target, commit)
        if not imports:
            return start, files, imports
        stands = standing(self.repository, self.reader, self.manifest, self.part, self.last)
        about = (self.repository, self.reader, self.manifest, self.target, self.part)
        home = AtHome(*about, commit, self.tip, stands, imports)
        start = self.home(replace(start, carried=(*start.carried, *home.settled())), home, files)
        return start, self.part.changes(start.base, mapped), imports

    def joined(self) -> _Start:
        """The start for whole histories: git's merge base, unless source or maps were rewritten since the last sync.

        Then the last sync itself says what the source had contributed: its projected commit is in the target's history.
        """
        last = self.last
        if last is not None and last.nothing:
            return self._nothing(last)
        if last is not None and last.rollback is not None:
            return self._since_rollback(last, last.rollback)
        common = self._common()
        if common == self.projected:
            start = _Start(self._at(common), known=True, behind=0, contained=True, carried=(common,), since=common)
            return self._replaced() or start
        behind = count(self.repository, self.projected, without=[self.tip])
        if last is not None:
            if self._has(last.projected) and is_ancestor(self.repository, last.projected, self.tip):
                if common is None or not is_ancestor(self.repository, last.projected, common):
                    common = last.projected
            else:  # the last sync was a squash
                carried = (self.projected,) if common is None else (self.projected, common)
                return replace(self._since(last), behind=behind, contained=False, carried=carried)
        if common is None:
            return _Start(self._at(None), known=False, behind=behind, contained=False, carried=(self.projected,))
        carried = (self.projected, common)
        return _Start(self._at(common), known=True, behind=behind, contained=False, carried=carried, since=common)

    def home(self, start: _Start, home: AtHome, files: Sequence[FileChange]) -> _Start:
        """The start where drift was imported into the source since the last sync; the same where it was not.

        Both sides have those commits then. The target's own are part of the base, so that a sync takes over what the
        source made of them, an undoing too, and they are drift no more.
        """
        if start.contained and self.target.history is not History.SQUASH:
            return start
        paths = [file.path for file in files]
        newest = home.newest(start.base, start.since, paths, without=start.carried)
        if newest is None:
            return start
        found, base = newest
        contained = not self.part.changes(base, self._at(self.projected))
        if self.target.history is not History.SQUASH or not contained:
            contained, behind = False, max(1, start.behind)
        else:
            behind = 0
        return replace(start, base=base, contained=contained, behind=behind, carried=(*start.carried, found))

    def _replaced(self) -> _Start | None:
        """The start where the target has the projection in its history, and later got another one in its place.

        That is so where the source was rewritten, synced, and then went back to what it was. A projection that is
        merely older than the last one is no such case: a sync from a clone that is behind must take nothing back.
        """
        now = self._at(self.projected)
        if not self.part.changes(now, self._at(self.tip)):
            return None
        last = self.last
        if last is None or not self._has(last.projected):
            return None
        brought = self._at(last.projected)
        if not self.part.changes(now, brought) or is_ancestor(self.repository, self.projected, last.projected):
            return None
        carried = (self.projected, last.projected)
        return _Start(brought, known=True, behind=1, contained=False, carried=carried, since=last.projected)

    def _nothing(self, last: LastSync) -> _Start:
        """The start where a first sync or an adoption was taken back: as if there had never been one.

        Files that were at mapped paths before it came from elsewhere, as then. Where there were none, what is there
        now the target has made itself.
        """
        behind = count(self.repository, self.projected, without=[])
        carried = (self.projected,)
        return _Start(self._at(None), known=not last.copied, behind=behind, contained=False, carried=carried)

    def _common(self) -> ObjectId | None:
        """The merge base that git finds; mostly the last sync is the tip or just below, which needs no search."""
        headers = self.reader.read(self.tip.encode()).data.partition(b"\n\n")[0].split(b"\n")
        if self.projected == self.tip or b"parent " + self.projected.encode() in headers:
            return self.projected
        return merge_base(self.repository, self.projected, self.tip)

    def squashed(self) -> _Start:
        """The start for one commit a sync: the projection of the source commit that the last sync names."""
        last = self.last
        if last is None or last.nothing or last.rollback is not None:
            return self.joined()
        return self._since(last)

    def _since(self, last: LastSync) -> _Start:
        """The start at the last sync; what is older than that is contained, so that no sync takes anything back."""
        self._require_source(last)
        before = project(self.repository, last.source_commit, self.target.maps, reader=self.reader).commit
        then, now = self._at(before), self._at(self.projected)
        carried = () if before is None else (before,)
        if last.digest != maps_digest(self.target.maps):
            base, contained = self._brought(then, last), False
        else:
            contained = not self.part.changes(then, now)
            older = before is not None and is_ancestor(self.repository, self.projected, before)
            base, contained = (now, True) if contained or older else (then, False)
        behind = 0 if contained else max(1, count(self.repository, self.projected, without=carried))
        return _Start(base, known=True, behind=behind, contained=contained, carried=carried, since=before)

    def _since_rollback(self, last: LastSync, rollback: ObjectId) -> _Start:
        """The start at a rollback: what it restored, whatever the history above that says.

        The projections that were taken back are still in the target's history, so git's merge base would be the newest
        of them. From there the rollback is a change of the target's own that a merge keeps: the next sync would bring
        only what is newer, and what the rollback took back would stay away in silence.
        """
        before: ObjectId | None = last.projected
        if not self._has(last.projected):
            self._require_source(last)
            maps = last.maps or self.target.maps
            before = project(self.repository, last.source_commit, maps, reader=self.reader).commit
        base, now = self._at(before), self._at(self.projected)
        contained = False
        if before is not None and last.digest == maps_digest(self.target.maps):
            brings = self.target.history is History.FULL and not is_ancestor(self.repository, self.projected, self.tip)
            contained = is_ancestor(self.repository, self.projected, before) or (
                not brings and not self.part.changes(base, now)
            )
        without = () if before is None else (before,)
        behind = 0 if contained else max(1, count(self.repository, self.projected, without=without))
        carried = (*without, self.projected, *self._taken_back())
        if self._has(rollback) and not self.part.changes(base, self._at(rollback)):
            carried = (*carried, rollback)  # else it restored edits of the target's own, which are older
        return _Start(base, known=True, behind=behind, contained=contained, carried=carried, since=before)

    def _taken_back(self) -> tuple[ObjectId, ...]:
        """Return the projections that were brought since the last sync that still counts: no doing of the target's."""
        found: list[ObjectId] = []
        with closing(find_syncs(self.repository, self.reader, self.tip, self.manifest.source.url)) as syncs:
            for sync in syncs:
                if not sync.nothing and self._has(sync.projected):
                    found.append(sync.projected)
                if sync.rollback is None:
                    break
        return tuple(dict.fromkeys(found))

    def _require_source(self, last: LastSync) -> None:
        """Refuse where this clone lacks the source commit that the last sync names.

        Raises:
            ConflictError: it is so.
        """
        if not self._has(last.source_commit):
            url, branch = self.manifest.source.url, self.manifest.source.branch
            raise ConflictError(
                f"{self.target.name} was last synced from {last.source_commit[:10]}, which is not in this clone.",
                hint=f"{command_line('git', 'fetch', url, branch)}\n"
                + command_line("git", "fetch", url, last.source_commit, remark=f"if {branch} was rewritten"),
            )

    def _brought(self, then: Node, last: LastSync) -> Node:
        """What the last sync brought, through the maps of its time: new maps alone are no reason for the same files.

        A fresh clone does not have that projection, and makes it anew. Where the sync's message no longer says its
        maps: of what the maps of today make of that commit, the files that the sync left like that in the target.
        """
        brought: ObjectId | None = last.projected
        if not self._has(last.projected):
            if not last.maps:
                changed = [one.path for one in self.part.changes(then, self._at(last.commit)) if one.old is not None]
                return self.part.without(then, changed)
            brought = project(self.repository, last.source_commit, last.maps, reader=self.reader).commit
        return self._at(brought)

    def _at(self, commit: ObjectId | None) -> Node:
        return self.part.of(None if commit is None else commit.encode() + b"^{tree}")

    def _has(self, commit: ObjectId) -> bool:
        return self.reader.find(commit.encode()) is not None
