"""The inverse of a projection: a target's own commits, made commits of the source.

Which commits those are, the target's state says (:mod:`openllm_repos.family.state`); all others are only followed. A
commit stands on what its parent is in the source, and has the mapped files as they were in the target, everything else
as the source had it at that time: then nothing has to be merged, and a sync that met changes of the target becomes the
merge that it was. Where the source has no such place (it was reset, its maps are others, the target was adopted, a sync
was undone), what a commit changed is picked onto the commit that the newest state names. What does not apply there has
arrived with that state, which then stands for it; and where no state came after it, the import stops before it.

All ids follow from the two histories and the maps alone, committers and dates included: an import that is made again,
here or elsewhere, makes the same commits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from openllm_repos.errors import ConflictError
from openllm_repos.family.base import OwnCommits
from openllm_repos.family.imports import Imports
from openllm_repos.family.state import TargetState, read_state
from openllm_repos.git.history import is_ancestor, parents_of
from openllm_repos.git.merge import merge, three_sides
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import COMMIT, PackWriter
from openllm_repos.git.repository import Repository
from openllm_repos.importing.image import Followed, Image, Made
from openllm_repos.importing.message import Older, author_of, imported_message, joined_message
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
        own: knows what the target's own commits changed.
        wanted: those that are to be made.
        commits: those made so far, parents first.
    """

    repository: Repository
    reader: ObjectReader
    writer: PackWriter
    manifest: Manifest
    target: Repo
    part: MappedPart
    commit: ObjectId
    imports: Imports
    own: OwnCommits
    wanted: Collection[ObjectId]
    commits: dict[ObjectId, Made] = field(default_factory=dict)
    _trees: TreeProjector = field(init=False)
    _projected: ObjectId | None = None
    _copied_from: Mapping[bytes, bytes] = field(default_factory=dict)
    _unprojected: set[ObjectId] = field(default_factory=set)
    _by_tree: dict[bytes, ObjectId] = field(default_factory=dict)
    _followed: dict[ObjectId, Followed] = field(default_factory=dict)
    _mapped: dict[ObjectId, Node] = field(default_factory=dict)
    _older: dict[tuple[ObjectId, ObjectId], bool] = field(default_factory=dict)
    _conflicts: dict[ObjectId, ConflictError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare to read the source's trees."""
        placements = [Placement.of(a_map) for a_map in self.target.maps]
        self._trees = TreeProjector(self.reader, placements, self.repository.object_format)

    def follow(self, tip: ObjectId) -> Followed:
        """Return what the tip of the target is in the source.

        Raises:
            ConflictError: nothing arrived, because the first commit does not apply or has what the source cannot hold.
        """
        self._projected, copied_from = origins(self.repository, self.commit, self.target.maps, reader=self.reader)
        without = () if self._projected is None else (f"^{self._projected}",)
        listed = self.repository.git.stream("rev-list", tip, *without, "--")
        self._unprojected = {ObjectId(line.decode().strip()) for line in listed}
        self._copied_from = dict(copied_from)
        todo = [tip]
        while todo:
            commit = todo[-1]
            if commit in self._followed:
                todo.pop()
            elif (known := self._known(commit)) is not None:
                self._followed[commit] = Followed(known)
            elif above := [parent for parent in self._parents(commit) if parent not in self._followed]:
                todo += reversed(above)
            else:
                self._followed[commit] = self._continued(commit)
        found = self._followed[tip]
        if found.image is None or not found.image.made:
            self.require_all(found)
        return found

    def completed(self, found: Followed, tip: ObjectId, drift: Collection[bytes], home: Collection[bytes]) -> Followed:
        """Give files what the tip has of them, where undone and renewed commits do not lead there one by one.

        The newest own commit that changed them then stands for all that have not arrived.

        Args:
            found: what the tip is in the source so far.
            tip: the target's tip.
            drift: the files that drift.
            home: those that the source has something of already, which is not in `found`.
        """
        image, state = found.image, None if self.own.at is None else self.own.at.state
        if image is None or not image.made or found.waiting or state is None or image.anchor != state.source_commit:
            return found  # where the source has gone on, the tip is not all that it is to have
        made = {change.path for change in self.part.changes(self._anchor(image.anchor).mapped, image.mapped)}
        changes = self.part.changes(image.mapped, self.mapped(tip))
        files = {one.path: one.new for one in changes if one.path in made.union(drift) and one.path not in home}
        own = [one for one in self.own.commits if one in self.wanted]
        late = [one for one in own if not files.keys().isdisjoint(self.own.changes(one))]
        if not late:
            return found
        missing = tuple(one for one in late[:-1] if one not in image.origins)
        return Followed(self._made(late[-1], image, [image], self.part.with_files(image.mapped, files), missing))

    def require_all(self, found: Followed) -> None:
        """Require that no commit has waited for its place in vain.

        Raises:
            ConflictError: why one has none.
        """
        for pending in found.waiting:
            if pending in self._conflicts:
                raise self._conflicts[pending]

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

    def _known(self, commit: ObjectId) -> Image | None:
        """Return what a commit is where the source has just that already; None where its parents have to be asked."""
        if commit not in self._unprojected:
            source = self._copied_from.get(commit.encode())
            return None if source is None else self._anchor(ObjectId(source.decode()))
        candidates = [*self.imports.get(commit, ())]
        state = self._state(commit)
        if state is not None and state.digest == maps_digest(self.target.maps) and self._has(state.source_commit):
            assert state.source_commit is not None  # a source has it
            candidates.append(state.source_commit)
        images = map(self._anchor, candidates)
        return next((image for image in images if not self.part.changes(image.mapped, self.mapped(commit))), None)

    def _anchor(self, commit: ObjectId) -> Image:
        """Return a commit that the source has."""
        tree = self.reader.find(commit.encode() + b"^{tree}")
        assert tree is not None  # it is in the history of the source's commit
        return Image(commit, Node(tree=tree[0]), self.projection_of(commit), commit)

    def _state(self, commit: ObjectId) -> TargetState | None:
        found = read_state(self.reader, commit, self._read(commit), self.manifest.source.url)
        return None if found is None else found.state

    def _has(self, commit: ObjectId | None) -> bool:
        """Whether the source's history has a commit."""
        return (
            commit is not None and self.reader.find(commit.encode()) is not None and self._is_older(commit, self.commit)
        )

    def _parents(self, commit: ObjectId) -> list[ObjectId]:
        """Return the parents that the target's own history has: of a sync, not the projection that it brought."""
        state = self._state(commit)
        return [one for one in parents_of(self.reader, commit) if state is None or one != state.projected]

    def _continued(self, commit: ObjectId) -> Followed:
        """Return what a commit becomes whose parents are known."""
        above = [(parent, self._followed[parent]) for parent in self._parents(commit)]
        lines = [(one.image, self.mapped(parent)) for parent, one in above if one.image is not None]
        if commit in self.imports and lines and not any(image.made for image, _ in lines):
            return Followed(self._anchor(self.imports[commit][0]))  # taken over in another form
        state = self._state(commit)
        waiting = tuple(dict.fromkeys(pending for _, one in above for pending in one.waiting))
        if state is not None:
            lines = self._stated(state, lines)
            has = frozenset[ObjectId]().union(*(image.origins for image, _ in lines))
            waiting = tuple(one for one in state.open if one in self.wanted and one not in has)
        elif not lines and (copy := self._copied(commit)) is not None:
            return Followed(copy)
        if not lines:
            return Followed(None, (*waiting, commit) if commit in self.wanted else waiting)
        return self._placed(commit, self._ends(lines), waiting, state)

    def _stated(self, state: TargetState, lines: Sequence[tuple[Image, Node]]) -> list[tuple[Image, Node]]:
        """Return what a commit with a state continues: the source commit that it names, and the lines before that."""
        if not self._has(state.source_commit):
            return []  # it was reset, or rewritten: a newer state says what is left of the target's own
        assert state.source_commit is not None  # the source has it
        brought = self._anchor(state.source_commit)
        kept = [line for line in lines if self._is_older(line[0].anchor, brought.anchor)]
        return [*kept, (brought, self._brought(state, brought))]

    def _brought(self, state: TargetState, image: Image) -> Node:
        """Return what a sync had brought, through the maps of its time."""
        if state.digest == maps_digest(self.target.maps):
            return image.mapped
        brought = state.projected
        if brought is None or self.reader.find(brought.encode()) is None:
            brought = project(self.repository, image.id, state.maps, reader=self.reader).commit
        return Node(entries={}) if brought is None else self.part.of(brought.encode() + b"^{tree}")

    def _copied(self, commit: ObjectId) -> Image | None:
        """Return the newest commit of the source that was copied by hand into a commit of the target."""
        if not self._by_tree and self._projected is not None:
            for line in self.repository.git.stream("log", "--format=%T %H", self._projected, "--"):
                tree, projected = line.split()
                if projected in self._copied_from:
                    self._by_tree.setdefault(tree, ObjectId(self._copied_from[projected].decode()))
        with PackWriter(self.repository.git, self.repository.objects_dir, self.repository.object_format) as writer:
            found = self._by_tree.get(self.part.write(self.mapped(commit), writer))
            writer.finish(unpack=True)  # a node is written once, and a merge has to find it before our pack is there
        return None if found is None else self._anchor(found)

    def _placed(
        self,
        commit: ObjectId,
        lines: Sequence[tuple[Image, Node]],
        waiting: tuple[ObjectId, ...],
        state: TargetState | None,
    ) -> Followed:
        """Make a commit on top of what its parents became, or none where it adds nothing of the target's own.

        `lines` has what each parent became, and the mapped part that the target's commit had of it.
        """
        main, before = self._newest(commit, lines)
        own = [commit] if state is None and commit in self.wanted else []
        if waiting and state is None and len(parents := self._parents(commit)) < 2:
            return self._stopped(commit, main, self._followed[parents[0]], own)
        picked, failed = self._picked(main, waiting)
        exact = not self.part.changes(main.mapped, before)
        if len(lines) == 1 and not own and not failed:
            settled = self._settled(commit, picked) if state is not None and exact else {}
            mapped = self.part.with_files(picked.mapped, settled)
            return Followed(self._made(commit, picked, [picked], mapped) if settled else picked)
        ends = [picked if image is main else image for image, _ in lines]
        try:
            if not exact:
                mapped = self._merged(commit, before, main.mapped, self.mapped(commit))
            elif state is None:
                mapped = self.mapped(commit)
            else:
                mapped = self.part.with_files(picked.mapped, self._settled(commit, picked))
            return Followed(self._made(commit, picked, ends, mapped, failed))
        except ConflictError as why:  # a merge, or a state, may settle that
            lost = [one for image in ends if image is not picked for one in image.origins]
            self._conflicts |= dict.fromkeys((*lost, *own), why)
            return Followed(picked, tuple(dict.fromkeys((*failed, *lost, *own))), exact and picked is main)

    def _stopped(self, commit: ObjectId, main: Image, before: Followed, own: Sequence[ObjectId]) -> Followed:
        """Return what comes of a commit after one that does not apply: it waits too, unless it has put that right."""
        if own and before.exact:
            with suppress(ConflictError):
                return Followed(self._made(commit, main, [main], self.mapped(commit), before.waiting))
        return Followed(main, (*before.waiting, *own), before.exact)

    def _settled(self, commit: ObjectId, picked: Image) -> dict[bytes, Entry | None]:
        """Return the files of own commits in which a state has what no commit made: a person settled a conflict."""
        paths = {path for one in self.wanted for path in self.own.changes(one)}
        changes = self.part.changes(picked.mapped, self.mapped(commit))
        return {change.path: change.new for change in changes if change.path in paths}

    def _picked(self, image: Image, waiting: Iterable[ObjectId]) -> tuple[Image, tuple[ObjectId, ...]]:
        """Pick commits that have no place of their own, one by one; return those that do not apply, too."""
        failed = []
        for commit in waiting:
            changes = self.own.made(commit)
            after = self.mapped(commit)
            before = self.part.with_files(after, {path: change.old for path, change in changes.items()})
            try:
                mapped = self._merged(commit, before, image.mapped, after)
                image = self._made(commit, image, [image], mapped)
            except ConflictError as why:
                self._conflicts[commit] = why
                failed.append(commit)
        return image, tuple(failed)

    def _made(
        self,
        commit: ObjectId,
        base: Image,
        ends: Sequence[Image],
        mapped: Node,
        stands_for: tuple[ObjectId, ...] = (),
    ) -> Image:
        """Make a commit that has a mapped part, and the rest of `base`; none where that changes nothing."""
        changes = self.part.changes(base.mapped, mapped)
        if not changes and len(ends) == 1:
            return base
        files = carry_back(self.target, changes)
        tree = lay(self._trees, base.tree, files)
        parents = [image.id.encode() for image in ends]
        raw = rewritten(self._read(commit), self._trees.write(tree, self.writer, b""), parents)
        head, _, message = raw.partition(b"\n\n")
        state = self._state(commit)
        if state is not None and state.source_commit is not None:
            message = joined_message(self.target, commit, state.source_commit)
        older = [Older.of(one, rewritten(self._read(one), b"", [])) for one in stands_for]
        said = imported_message(message, self.target, commit, older, author_of(head))
        made = ObjectId(self.writer.add(COMMIT, head + b"\n\n" + said).decode())
        changed = tuple(self._file_changes(base.tree, files))
        self.commits.setdefault(made, Made(made, commit, changed, len(ends) > 1, stands_for))
        return Image(
            made,
            tree,
            mapped,
            base.anchor,
            frozenset({made}).union(*(image.made for image in ends)),
            frozenset({commit, *stands_for}).union(*(image.origins for image in ends)),
        )

    def _read(self, commit: ObjectId) -> bytes:
        return self.reader.read(commit.encode()).data

    def _file_changes(self, tree: Node, files: Mapping[bytes, Entry | None]) -> Sequence[FileChange]:
        found = []
        for path, new in sorted(files.items()):
            old = file_at(self._trees, tree, path)
            kind = Change.ADDED if old is None else Change.DELETED if new is None else Change.MODIFIED
            if old != new:
                found.append(FileChange(path, kind, old, new))
        return found

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
