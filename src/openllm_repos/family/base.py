"""The base that a target and the source both start from, file by file, and which of the target's own commits are home.

It is the projection of what the state names, and on top of that each own commit that has come home since: its change is
on both sides now. A commit is home by its line in the source's history, and, for a file only and only in addition, by
content: the source's branch got just that version of the file, which the target had first. What a person made of a
conflict belongs to no single commit, so where the picked changes do not give what is there, less is taken for common:
then the merge asks a person. `tests/property/model.py` is the same as a program without git.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from openllm_repos.family.imports import find_imports
from openllm_repos.family.state import StateCommit, merged_by_hand
from openllm_repos.git.compare import renames
from openllm_repos.git.history import commits, first_parents, knows_object, parents_of
from openllm_repos.git.merge import merge_file
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import FileChange
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.editing import Entry
from openllm_repos.projection.trees import Node


@dataclass(slots=True)
class OwnCommits:
    """The target's own commits that count, and what they did to mapped files.

    Attributes:
        repository: the clone; it has the target's commits too.
        reader: reads its objects.
        part: reads mapped parts of the target.
        at: the target's state.
        commits: the own commits, oldest first (:func:`~openllm_repos.family.state.own_since`).
    """

    repository: Repository
    reader: ObjectReader
    part: MappedPart
    at: StateCommit | None
    commits: Sequence[ObjectId]
    _made: dict[ObjectId, dict[bytes, FileChange]] = field(default_factory=dict)
    _changes: dict[ObjectId, dict[bytes, FileChange]] = field(default_factory=dict)
    _past: dict[ObjectId, frozenset[ObjectId]] = field(default_factory=dict)

    def made(self, commit: ObjectId) -> dict[bytes, FileChange]:
        """Return what a commit did to mapped files; nothing where it is not in this clone any more."""
        if commit not in self._made:
            found: dict[bytes, FileChange] = {}
            if self.reader.find(commit.encode()) is not None:
                parents = parents_of(self.reader, commit)
                if len(parents) > 1:
                    found = merged_by_hand(self.repository, self.reader, self.part, commit)
                else:
                    old = self.tree(parents[0]) if parents else self.part.of(None)
                    found = {change.path: change for change in self.part.changes(old, self.tree(commit))}
            self._made[commit] = found
        return self._made[commit]

    def changes(self, commit: ObjectId) -> dict[bytes, FileChange]:
        """Return what a commit did, at the places where the state has those files: the source may have renamed them."""
        if commit not in self._changes:
            found, projected = self.made(commit), None if self.at is None else self.at.state.projected
            known = projected is not None and self.reader.find(projected.encode()) is not None
            if self.at is not None and projected is not None and known and self.listed(commit):
                found = self._followed(commit, self.at.id, self.tree(self.at.id), self.tree(projected))
            self._changes[commit] = found
        return self._changes[commit]

    def _followed(self, commit: ObjectId, into: ObjectId, tree: Node, projection: Node) -> dict[bytes, FileChange]:
        """Return what a commit did, with files that the source has renamed since at their places in `into`."""
        made = self.made(commit)
        gone = {
            path
            for path, change in made.items()
            # what the source still has, the target took away itself
            if change.new is not None and self.part.file(tree, path) is self.part.file(projection, path) is None
        }
        moved = {old: new for old, new in renames(self.repository, commit, into) if old in gone} if gone else {}
        places = {path: moved.get(path, path) for path in made if self.part.holds(moved.get(path, path))}
        return {place: replace(made[path], path=place) for path, place in places.items()}

    def touching(self, path: bytes) -> list[ObjectId]:
        """Return the commits that changed a file, oldest first."""
        return [commit for commit in self.commits if path in self.changes(commit)]

    def edits(self, commit: ObjectId, paths: Collection[bytes], brought: Node) -> bool:
        """Whether a commit did more to files at `paths` than to add them as the source had them: that is a copy."""
        return any(
            path in paths and (change.old is not None or change.new != self.part.file(brought, path))
            for path, change in self.changes(commit).items()
        )

    def before(self, commit: ObjectId) -> frozenset[ObjectId]:
        """Return the own commits in the history of a commit, itself included, and the state's, if that is there."""
        if commit not in self._past:
            mine = {*self.commits, *([] if self.at is None else [self.at.id])}
            self._past[commit] = frozenset(one for one in commits(self.repository, commit, without=[]) if one in mine)
        return self._past[commit]

    def listed(self, commit: ObjectId) -> bool:
        """Whether the state itself has a commit as open."""
        return self.at is not None and commit in self.at.state.open

    def picked(self, file: Entry | None, commit: ObjectId, path: bytes) -> Entry | None:
        """Return a file with a commit's change to it; the file as it is where that does not apply."""
        change = self.changes(commit).get(path)
        return file if change is None else self._applied(file, change)

    def _applied(self, file: Entry | None, change: FileChange) -> Entry | None:
        if change.new in {file, change.old}:
            return file
        clean, merged = self.merged(change.old, file, change.new)
        return merged if clean else file

    def merged(self, base: Entry | None, ours: Entry | None, theirs: Entry | None) -> tuple[bool, Entry | None]:
        """Merge one file three ways; return whether that goes, and the file."""
        if ours in {base, theirs}:
            return True, theirs
        if theirs == base:
            return True, ours
        if base is None or ours is None or theirs is None:
            return False, None
        found = merge_file(self.repository, base, ours, theirs)
        return found is not None, found

    def still_open(self, home: Collection[ObjectId], tree: ObjectId, projection: Node) -> tuple[ObjectId, ...]:
        """Return the commits that a new state lists: their change is in its tree, or was there and is not the source's.

        Args:
            home: those that have come home.
            tree: what the target gets.
            projection: what the source makes of its mapped part.
        """
        there = self.part.of(tree.encode())
        live = {change.path for change in self.part.changes(projection, there)}
        kept = []
        for commit in self.commits:
            changed = self._followed(commit, tree, there, projection)
            if commit in home or not changed:
                continue
            # One that was taken back there leaves nothing, and would come again once it is imported alone.
            if live.isdisjoint(changed) and not any(self._does(projection, change) for change in changed.values()):
                continue
            kept.append(commit)
            live.update(changed)  # what was made on top of it counts with it, also where nothing is left of both
        return tuple(kept)

    def _does(self, node: Node, change: FileChange) -> bool:
        file = self.part.file(node, change.path)
        return self._applied(file, change) != file

    def tree(self, commit: ObjectId) -> Node:
        """Return the mapped part of a commit of the target."""
        return self.part.of(commit.encode() + b"^{tree}")


@dataclass(frozen=True, slots=True)
class Home:
    """What of a target has come home: for each file, the own commits whose change of it the source has."""

    by_file: dict[bytes, frozenset[ObjectId]]
    commits: frozenset[ObjectId]
    """Those that have come home with all that they did."""


def find_home(own: OwnCommits, manifest: Manifest, target: Repo, source_commit: ObjectId) -> Home:
    """Find what has come home up to a source commit, since the one that the state names.

    Args:
        own: the target's own commits.
        manifest: says which repos there are.
        target: the target.
        source_commit: of the source's branch.
    """
    start = None if own.at is None else own.at.state.source_commit
    if not own.commits or start == source_commit:
        return Home({}, frozenset())
    lost = start is not None and own.reader.find(start.encode()) is None
    start = None if lost else start  # of one that is gone all lines count, and content does not
    lines = find_imports(own.repository, own.reader, manifest, target, source_commit, without=start)
    said = {commit for commit in own.commits if commit in lines}
    by_file: dict[bytes, frozenset[ObjectId]] = {}
    for path in sorted({path for commit in own.commits for path in own.changes(commit)}):
        mine = own.touching(path)
        found = said.intersection(mine)
        if not lost and len(found) < len(mine):
            found |= _by_content(own, target, path, mine, start, source_commit)
        if found:
            by_file[path] = frozenset(found)
    home = {
        commit
        for commit in own.commits
        if (changed := own.changes(commit)) and all(commit in by_file.get(path, ()) for path in changed)
    }
    return Home(by_file, frozenset(home))


def _by_content(
    own: OwnCommits,
    target: Repo,
    path: bytes,
    mine: Sequence[ObjectId],
    start: ObjectId | None,
    source_commit: ObjectId,
) -> set[ObjectId]:
    """Return the own commits up to a version of a file that the source's branch got since, and never had before.

    Only what the branch itself was counts: a commit of a side branch is no state of it.
    """
    places = [(commit, change.new) for commit in mine if (change := own.changes(commit)[path]).new is not None]
    if own.at is not None and own.at.written and (there := own.part.file(own.tree(own.at.id), path)) is not None:
        places.insert(0, (own.at.id, there))
    read_from = next((found for a_map in target.maps if (found := a_map.source_path(path)) is not None), None)
    if not places or read_from is None or b"\n" in read_from:
        return set()
    line = first_parents(own.repository, source_commit, read_from, without=start)
    looked = (own.reader.find(b"%b:%b" % (commit.encode(), read_from)) for commit in line)
    had = {found[0] for found in looked if found is not None}
    home: set[ObjectId] = set()
    for commit, version in places:
        assert version is not None  # deletions are not among the places
        if version[1] not in had or (start is not None and knows_object(own.repository, start, read_from, version[1])):
            continue
        parents = parents_of(own.reader, commit)
        if not any(knows_object(own.repository, parent, path, version[1]) for parent in parents):
            home |= {one for one in mine if one in own.before(commit)}
    return home


def find_base(own: OwnCommits, home: Home, brought: Node) -> Node:
    """Return the mapped part that both sides have.

    Args:
        own: the target's own commits.
        home: those that have come home.
        brought: the projection that the state names.
    """
    files = {path: _file_base(own, home.by_file[path], path, own.part.file(brought, path)) for path in home.by_file}
    return own.part.with_files(brought, {p: e for p, e in files.items() if e != own.part.file(brought, p)})


def _file_base(own: OwnCommits, home: frozenset[ObjectId], path: bytes, brought: Entry | None) -> Entry | None:
    """Return the version of a file that both sides have.

    Where all that was made up to some point has come home, that is simply the target's file at that point, also where a
    person settled a conflict. Else each change that came home is picked; one that does not apply is left out.
    """
    mine = own.touching(path)
    listed = [commit for commit in mine if own.listed(commit)]
    whole = all(commit in home for commit in listed)
    there = None if own.at is None or not listed else own.part.file(own.tree(own.at.id), path)
    file, precise, applied = brought, True, set[ObjectId]()
    if listed and whole:
        file, applied = there, set(listed)
    elif listed:
        again = brought
        for commit in listed:
            again = own.picked(again, commit, path)
        precise = again == there
    for commit in mine:
        if commit not in home or commit in applied:
            continue
        if own.listed(commit) and not precise and not _is_left(own, listed, commit, path, file, there):
            continue
        past = own.before(commit)
        before = past.intersection(mine)
        above = own.at is not None and own.at.id in past  # one beside the state lacks what that has brought
        if whole and above and before <= home | {commit} and applied <= before:
            file = own.changes(commit)[path].new
        else:
            file = own.picked(file, commit, path)
        applied.add(commit)
    return file


def _is_left(
    own: OwnCommits, listed: Sequence[ObjectId], commit: ObjectId, path: bytes, file: Entry | None, there: Entry | None
) -> bool:
    """Whether a file where a person settled a conflict still holds what a commit, and some after it, made of it."""
    picked = file
    for one in listed[listed.index(commit) :]:
        picked = own.picked(picked, one, path)
        if own.merged(file, there, picked) == (True, there):
            return True
    return False
