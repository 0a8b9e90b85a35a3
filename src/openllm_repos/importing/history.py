"""The inverse of a projection: for each commit of a target, the commit of the source that has just that.

A target's history is followed down to what the source has already: projected commits, syncs that left nothing of the
target's own, commits that were imported before. What lies above becomes commits of the source, each on top of what its
parents became, with the mapped files as that commit left them and everything else as the source had it at that time. So
nothing has to be merged here, and no commit can be in conflict: the merges were made when the target was synced. Only
where the source took over an import in another form (squashed, or rebased) do further commits have to be merged.

All ids follow from the two histories and the maps alone, committers and dates included: an import that is made again,
here or elsewhere, makes the same commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from openllm_repos.errors import ConflictError
from openllm_repos.family.imports import Imports
from openllm_repos.family.state import STATES, TargetState, read_state
from openllm_repos.git.history import commits_touching, is_ancestor
from openllm_repos.git.merge import merge, three_sides
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import COMMIT, PackWriter
from openllm_repos.git.repository import Repository
from openllm_repos.importing.message import imported_message, merged_message
from openllm_repos.importing.model import ImportConflict
from openllm_repos.importing.places import carry_back
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change, FileChange
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.editing import Entry, file_at, lay
from openllm_repos.projection.project import origins, project
from openllm_repos.projection.rewrite import rewritten
from openllm_repos.projection.trees import Node, Placement, TreeProjector


@dataclass(frozen=True, slots=True)
class Image:
    """What a commit of the target is in the source.

    Attributes:
        id: a commit of the source, there already or made here.
        tree: its tree.
        mapped: its projection's tree, at the places of the target.
        anchor: the newest commit in its history that the source has.
        made: the commits in its history, itself included, that are made here.
        true: whether `mapped` is what a commit of the target had; else the source has a form of its own of it.
    """

    id: ObjectId
    tree: Node
    mapped: Node
    anchor: ObjectId
    made: frozenset[ObjectId] = frozenset()
    true: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """A commit that was made here.

    Attributes:
        id: the commit.
        origin: the commit of the target.
        files: what it changes, at the places of the source.
        joins: whether it has several parents.
        stands_for: older commits of the target that have no place of their own, oldest first.
    """

    id: ObjectId
    origin: ObjectId
    files: tuple[FileChange, ...]
    joins: bool
    stands_for: tuple[ObjectId, ...]


@dataclass(frozen=True, slots=True)
class _Sync:
    """What a commit of ours says that it had brought; the source's history still has that."""

    source_commit: ObjectId
    projected: ObjectId
    state: TargetState


@dataclass(frozen=True, slots=True)
class _Seen:
    """A commit of the target: what became of it, and which changes in its history are in no commit of the source yet.

    `image` is None where the source has nothing that it could stand on. What waits gets its place with the next commit
    that has just what the target's has: a sync's, mostly.
    """

    image: Image | None
    waiting: tuple[ObjectId, ...] = ()


@dataclass(slots=True)
class Inverse:
    """Makes the commits; they are written when :meth:`finish` is called.

    Attributes:
        repository: the clone of the source, which has the target's objects too.
        reader: reads its objects.
        writer: gets the new ones.
        manifest: says where the source is.
        target: the target.
        part: reads mapped parts of the target.
        commit: the source's newest commit.
        imports: what the source says to have of the target.
        made: the commits made so far, parents first.
    """

    repository: Repository
    reader: ObjectReader
    writer: PackWriter
    manifest: Manifest
    target: Repo
    part: MappedPart
    commit: ObjectId
    imports: Imports
    made: list[Made] = field(default_factory=list)
    _trees: TreeProjector = field(init=False)
    _own: set[ObjectId] = field(default_factory=set)
    _copied_from: dict[bytes, bytes] = field(default_factory=dict)
    _seen: dict[ObjectId, _Seen] = field(default_factory=dict)
    _mapped: dict[ObjectId, Node] = field(default_factory=dict)
    _older: dict[tuple[ObjectId, ObjectId], bool] = field(default_factory=dict)
    _conflicts: dict[ObjectId, ConflictError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare to read the source's trees."""
        placements = [Placement.of(a_map) for a_map in self.target.maps]
        self._trees = TreeProjector(self.reader, placements, self.repository.object_format)

    def image_of(self, tip: ObjectId) -> Image | None:
        """Return what the tip of the target is in the source; None where the source has nothing it could stand on.

        Raises:
            ImportConflict: two commits do not go together.
            ConflictError: a change that the source cannot hold.
        """
        projected, copied_from = origins(self.repository, self.commit, self.target.maps, reader=self.reader)
        without = () if projected is None else (f"^{projected}",)
        listed = self.repository.git.stream("rev-list", tip, *without, "--")
        self._own = {ObjectId(line.decode().strip()) for line in listed}
        self._copied_from = dict(copied_from)
        waiting = [tip]
        while waiting:
            commit = waiting[-1]
            if commit in self._seen:
                waiting.pop()
                continue
            known = self._known(commit)
            if known is not None:
                self._seen[commit] = known
                continue
            above = [parent for parent in self._parents(commit) if parent not in self._seen]
            if above:
                waiting += reversed(above)
            else:
                self._seen[commit] = self._followed(commit)
        for pending in self._seen[tip].waiting:
            if pending in self._conflicts:
                raise self._conflicts[pending]
        return self._seen[tip].image

    def finish(self) -> None:
        """Write what was made."""
        self.writer.finish()

    def projection_of(self, commit: ObjectId) -> Node:
        """Return what the maps make of a commit of the source, at the places of the target."""
        found = [self.reader.find(b"%b:%b" % (commit.encode(), base)) for base in self._trees.folders]
        folders = tuple(one[0] if one is not None and one[1] == b"tree" else None for one in found)
        return self._trees.build(folders) or Node(entries={})

    def mapped(self, commit: ObjectId) -> Node:
        """Return the mapped part of a commit of the target."""
        if commit not in self._mapped:
            self._mapped[commit] = self.part.of(commit.encode() + b"^{tree}")
        return self._mapped[commit]

    def _known(self, commit: ObjectId) -> _Seen | None:
        """Return what a commit is where the source has it already; None where its parents have to be asked."""
        if commit not in self._own:
            source = self._copied_from.get(commit.encode())
            return None if source is None else _Seen(self._anchor(ObjectId(source.decode())))
        for imported in self.imports.get(commit, ()):
            image = self._anchor(imported)
            if not self.part.changes(image.mapped, self.mapped(commit)):
                return _Seen(image)
        sync = self._sync(commit)
        if sync is not None and sync.state.digest == maps_digest(self.target.maps):
            image = self._anchor(sync.source_commit)
            if not self.part.changes(image.mapped, self.mapped(commit)):
                return _Seen(image)
        return None

    def _anchor(self, commit: ObjectId) -> Image:
        """Return a commit that the source has."""
        tree = self.reader.find(commit.encode() + b"^{tree}")
        assert tree is not None  # it is in the history of the source's commit
        return Image(commit, Node(tree=tree[0]), self.projection_of(commit), commit)

    def _sync(self, commit: ObjectId) -> _Sync | None:
        """Return what a sync's commit says, where the source's history still has what it brought."""
        found = read_state(self.reader, commit, self.reader.read(commit.encode()).data, self.manifest.source.url)
        if found is None or (source := found.state.source_commit) is None or self.reader.find(source.encode()) is None:
            return None
        projected = found.state.projected
        assert projected is not None  # it names both, or none
        return _Sync(source, projected, found.state) if self._is_older(source, self.commit) else None

    def _parents(self, commit: ObjectId) -> list[ObjectId]:
        """Return the parents that the target's own history has: of a sync, not the projection that it brought."""
        data = self.reader.read(commit.encode()).data
        head = data.partition(b"\n\n")[0].split(b"\n")
        parents = [ObjectId(line[7:].decode()) for line in head if line.startswith(b"parent ")]
        said = read_state(self.reader, commit, data, self.manifest.source.url)
        return parents if said is None else [parent for parent in parents if parent != said.state.projected]

    def _followed(self, commit: ObjectId) -> _Seen:
        """Return what a commit becomes whose parents are known."""
        parents = self._parents(commit)
        waiting = tuple(dict.fromkeys(one for parent in parents for one in self._seen[parent].waiting))
        images = {parent: image for parent in parents if (image := self._seen[parent].image) is not None}
        sync = self._sync(commit)
        if commit in self.imports and images and not any(image.made for image in images.values()):
            return _Seen(replace(self._anchor(self.imports[commit][0]), true=False))  # taken over in another form
        lines = [(image, self.mapped(parent)) for parent, image in images.items()]
        if sync is not None:
            brought = self._anchor(sync.source_commit)
            dropped = [image for image, _ in lines if not self._is_older(image.anchor, brought.anchor)]
            waiting += tuple(origin for image in dropped for origin in self._origins(image) if origin not in waiting)
            lines = [line for line in lines if line[0] not in dropped]
            before = self._brought(sync, brought)
            lines.append((replace(brought, true=not self.part.changes(brought.mapped, before)), before))
        if not lines:
            return _Seen(None, (*waiting, commit) if self._changes_something(commit, parents) else waiting)
        return self._made_on(commit, self._ends(lines), waiting, sync)

    def _made_on(
        self,
        commit: ObjectId,
        lines: Sequence[tuple[Image, Node]],
        waiting: tuple[ObjectId, ...],
        sync: _Sync | None,
    ) -> _Seen:
        """Make a commit on top of what its parents became, or none where it changes nothing.

        `lines` has what each parent became, and the mapped part that the target's commit had of it.
        """
        main, before = self._newest(commit, lines)
        mapped, same = self.mapped(commit), main.true or not self.part.changes(main.mapped, before)
        try:
            if not same:
                mapped = self._merged(commit, before, main.mapped, mapped)
            changes = self.part.changes(main.mapped, mapped)
            files = carry_back(self.target, changes)
            tree = lay(self._trees, main.tree, files)
        except ConflictError as why:  # a later commit, or a sync's, may have settled that
            lost = [one for image, _ in lines if image is not main for one in self._origins(image)]
            self._conflicts |= dict.fromkeys((*lost, commit), why)
            return _Seen(main, (*waiting, *lost, commit))
        exact = same or not self.part.changes(mapped, self.mapped(commit))
        settled = [one for one in waiting if one in self._conflicts] if exact else []
        needless = not settled and (same or not self._needs_word(commit, main, sync))
        if not changes and len(lines) == 1 and needless:
            return _Seen(main, waiting)
        parents = [image.id.encode() for image, _ in lines]
        raw = rewritten(self.reader.read(commit.encode()).data, self._trees.write(tree, self.writer, b""), parents)
        head, _, message = raw.partition(b"\n\n")
        candidates = waiting
        if sync is not None:  # its state lists what it holds, also where a rollback came between
            named = {*waiting, *(one for image, _ in lines for one in self._origins(image)), *self.imports}
            candidates = (*(one for one in sync.state.open if one not in named), *waiting)
        brought = self._touching(commit, candidates, changes) if exact else ()
        older = [one for one in candidates if one in settled or one in brought]
        if sync is None:
            said = imported_message(message, self.target, [*older, commit])
        else:
            said = merged_message(self.target, commit, sync.source_commit, older)
        made = ObjectId(self.writer.add(COMMIT, head + b"\n\n" + said).decode())
        changed = tuple(self._file_changes(main.tree, files))
        self.made.append(Made(made, commit, changed, len(lines) > 1, brought))
        history = frozenset({made}).union(*(image.made for image, _ in lines))
        return _Seen(Image(made, tree, mapped, main.anchor, history, exact), () if exact else waiting)

    def _needs_word(self, commit: ObjectId, main: Image, sync: _Sync | None) -> bool:
        """Whether an empty commit must say that the source has this one's changes already, in a form of its own."""
        return bool(main.made) if sync is not None else self._changes_something(commit, self._parents(commit))

    def _touching(
        self, commit: ObjectId, waiting: tuple[ObjectId, ...], changes: Sequence[FileChange]
    ) -> tuple[ObjectId, ...]:
        """Return those of the commits without a place of their own whose changes this one brings."""
        if not waiting:
            return ()
        paths = [change.path for change in changes]
        touching = commits_touching(self.repository, commit, paths, without=[], not_saying=STATES)
        return tuple(one for one in waiting if one in touching)

    def _file_changes(self, tree: Node, files: Mapping[bytes, Entry | None]) -> Sequence[FileChange]:
        found = []
        for path, new in sorted(files.items()):
            old = file_at(self._trees, tree, path)
            kind = Change.ADDED if old is None else Change.DELETED if new is None else Change.MODIFIED
            if old != new:
                found.append(FileChange(path, kind, old, new))
        return found

    def _brought(self, sync: _Sync, image: Image) -> Node:
        """Return what a sync had brought, through the maps of its time."""
        if sync.state.digest == maps_digest(self.target.maps):
            return image.mapped
        brought: ObjectId | None = sync.projected
        if self.reader.find(sync.projected.encode()) is None:
            brought = project(self.repository, sync.source_commit, sync.state.maps, reader=self.reader).commit
        return Node(entries={}) if brought is None else self.part.of(brought.encode() + b"^{tree}")

    def _merged(self, commit: ObjectId, base: Node, ours: Node, theirs: Node) -> Node:
        """Merge what a commit of the target changed into what the source has made of its parent."""
        with PackWriter(self.repository.git, self.repository.objects_dir, self.repository.object_format) as writer:
            trees = [self.part.write(node, writer) for node in (base, ours, theirs)]
            sides = three_sides(writer, *trees)
        merged = merge(self.repository, sides)
        if merged.tree is None:
            raise ImportConflict(self.target, commit, merged.conflicts)
        return Node(tree=merged.tree.encode())

    def _ends(self, lines: Sequence[tuple[Image, Node]]) -> list[tuple[Image, Node]]:
        """Leave out what is in the history of another one, and what is there twice."""
        found: list[tuple[Image, Node]] = []
        for at, (image, node) in enumerate(lines):
            others = [other for number, (other, _) in enumerate(lines) if number != at and other.id != image.id]
            twice = any(image.id == other.id for other, _ in found)
            if not twice and not any(self._contains(other, image) for other in others):
                found.append((image, node))
        return found

    def _contains(self, image: Image, other: Image) -> bool:
        """Whether the history of `image` has `other`."""
        if other.made:
            return other.id in image.made
        return self._is_older(other.id, image.anchor)

    def _newest(self, commit: ObjectId, lines: Sequence[tuple[Image, Node]]) -> tuple[Image, Node]:
        """Return the parent that has the newest source commit: files that no map takes are as there."""
        best = lines[0]
        for line in lines[1:]:
            if self._is_older(best[0].anchor, line[0].anchor) and best[0].anchor != line[0].anchor:
                best = line
            elif not self._is_older(line[0].anchor, best[0].anchor):
                one, two = best[0].anchor[:10], line[0].anchor[:10]
                raise ConflictError(
                    f"{self.target.name}: commit {commit[:10]} joins what was synced from {one} and from {two} of the"
                    " source, and neither of these has the other in its history.",
                    hint=f"openllm-repos sync {self.target.name}  # once {one} and {two} are merged in the source",
                )
        return best

    def _is_older(self, old: ObjectId, new: ObjectId) -> bool:
        if (old, new) not in self._older:
            self._older[old, new] = is_ancestor(self.repository, old, new)
        return self._older[old, new]

    def _origins(self, image: Image) -> list[ObjectId]:
        return [one for made in self.made if made.id in image.made for one in (*made.stands_for, made.origin)]

    def _changes_something(self, commit: ObjectId, parents: Sequence[ObjectId]) -> bool:
        before = [self.mapped(parent) for parent in parents] or [Node(entries={})]
        return all(self.part.changes(node, self.mapped(commit)) for node in before)
