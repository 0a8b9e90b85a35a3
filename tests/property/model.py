"""What a target has of its source, as a program without git: `family/state` and `family/base` say it of real commits.

A tree has cells: one line of a text file each (a blob has one). So a three-way merge is exact: it conflicts where both
sides changed one cell in different ways, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Cell = tuple[str, int]
Tree = dict[Cell, str]
Version = frozenset[tuple[int, str]]

LINES = {"a": 2, "b": 2, "x": 1}
"""The mapped files and how many cells each has; "x" is a blob."""


@dataclass(frozen=True)
class Layout:
    """Where the files are: in the source, and in the target, as far as a map writes them there."""

    here: Mapping[str, str]
    there: Mapping[str, str]

    @property
    def maps(self) -> dict[str, str]:
        """Path in the source -> path in the target."""
        return {self.here[name]: path for name, path in self.there.items()}


FIRST_LAYOUT = Layout(
    {"a": "src/a", "b": "src/b", "x": "data/x"},
    {"a": "app/a", "b": "app/b", "x": "res/x"},
)


@dataclass(frozen=True, eq=False)
class Commit:
    """A commit of the source or of the target.

    Attributes:
        id: counts the commits.
        tree: its files.
        parents: its parents.
        imported: the target's commits that its message says it was imported from.
        state: on the tool's own commits in a target, what its trailers say.
        own: whether people made it in the target.
        layout: what its manifest says, in the source.
        joins: whether a state's projection is a parent too, where the target has the source's history.
        past: itself and all its ancestors.
        edits: for the oracle only: the edit that each cell is from.
        known: for the oracle only: the edits that whoever made it had.
    """

    id: int
    tree: Tree
    parents: tuple[Commit, ...] = ()
    imported: frozenset[int] = frozenset()
    state: State | None = None
    own: bool = False
    layout: Layout = FIRST_LAYOUT
    joins: bool = False
    past: frozenset[int] = frozenset()
    edits: Mapping[Cell, int] = field(default_factory=dict)
    known: frozenset[int] = frozenset({0})

    @property
    def stated(self) -> State:
        """The state of a commit that has one."""
        assert self.state is not None
        return self.state


@dataclass(frozen=True)
class State:
    """What the trailers of one of the tool's commits say; `source` is None once an adoption was undone.

    `adopted` is the target's commit that was taken for a copy; a sync leaves it out.
    """

    source: Commit | None
    layout: Layout = FIRST_LAYOUT
    held: bool = False
    open: frozenset[Commit] = frozenset()
    adopted: Commit | None = None


def merge(base: Tree, ours: Tree, theirs: Tree) -> tuple[Tree, set[Cell]]:
    """Merge three ways; return the tree, which has ours in each conflict, and the conflicts."""
    merged, conflicts = dict(ours), set()
    for cell in changed(base, theirs):
        if ours.get(cell) == base.get(cell):
            put(merged, cell, theirs.get(cell))
        elif ours.get(cell) != theirs.get(cell):
            conflicts.add(cell)
    return merged, conflicts


def put(tree: Tree, cell: Cell, value: str | None) -> None:
    """Set a cell, or take it away."""
    if value is None:
        tree.pop(cell, None)
    else:
        tree[cell] = value


def changed(old: Tree, new: Tree) -> set[Cell]:
    """Return the cells in which two trees differ."""
    return {cell for cell in old.keys() | new.keys() if old.get(cell) != new.get(cell)}


def version(tree: Tree, path: str) -> Version:
    """Return what a file of a tree holds; nothing where it is not there."""
    return frozenset((line, value) for (there, line), value in tree.items() if there == path)


def with_file(tree: Tree, path: str, other: Tree) -> Tree:
    """Return a tree with one file as another tree has it."""
    rest = {cell: value for cell, value in tree.items() if cell[0] != path}
    return rest | {cell: value for cell, value in other.items() if cell[0] == path}


@dataclass(frozen=True)
class Relation:
    """A target held against the source: see :class:`openllm_repos.family.relation.Relation`."""

    at: Commit | None
    base: Tree
    home: frozenset[Commit]
    own: Sequence[Commit]
    drift: set[Cell]
    contained: bool

    @property
    def state(self) -> State | None:
        """What the target's history says."""
        return None if self.at is None else self.at.state

    @property
    def start(self) -> Commit | None:
        """The source commit up to which the target has the source."""
        return None if self.state is None else self.state.source


class Kernel:
    """Relates a target to its source, by their commits alone.

    Args:
        commits: all commits, by id.

    Attributes:
        layout: what the manifest says now.
    """

    def __init__(self, commits: Mapping[int, Commit]) -> None:
        self.commits = commits
        self.layout = FIRST_LAYOUT

    @property
    def paths_there(self) -> frozenset[str]:
        """The paths of the target that maps write."""
        return frozenset(self.layout.there.values())

    def relate(self, tip: Commit, source: Commit) -> Relation:
        """Hold the tip of a target against a source commit, file by file."""
        at = self.state_commit(tip)
        start = None if at is None else at.stated.source
        base: Tree = {}
        own, open_somewhere = set[Commit](), set[Commit]()
        for path in self.paths_there:
            since = self.state_of_file(at, tip, path)
            mine = [c for c in self.own(tip, since) if path in self.paths(c)]
            home = self._home(since, tip, mine, source, path)
            brought = self._brought(since.stated, source, path) if since else {}
            base = with_file(base, path, self._file_base(since, mine, home, path, brought))
            own.update(mine)
            open_somewhere |= {*mine} - home
        drift = changed(base, self.mapped(tip))
        whole = frozenset(own - open_somewhere)
        follows = start is None or start.id in source.past
        # What was done to a file whose map is back is listed once more, by a sync that changes nothing.
        again = at is not None and any(c.id in at.past and c not in at.stated.open for c in own)
        contained = base == self.project(source) and not whole and follows and not again
        return Relation(at, base, whole, sorted(own, key=lambda commit: commit.id), drift, contained)

    def _brought(self, state: State, source: Commit, path: str) -> Tree:
        """Return what a state says that the source had contributed to a file.

        What was not copied, or as it was at another time, nobody edited: the copy's version counts as the source's.
        """
        brought, copy, start = self.project(state.source, state.layout), state.adopted, state.source
        if copy is None or start is None:
            return brought
        mine = version(copy.tree, path)
        made = [c for c in self.since(copy, None) if c.state is None and len(c.parents) < 2]
        trees = [tree for c in made for tree in (c.tree, *(parent.tree for parent in c.parents))]
        had = {version(tree, path) for tree in trees} - {version({}, path)}
        past = {version(self.project(c, state.layout), path) for c in self.since(start, None)}
        ever = past | {version(self.project(c), path) for c in self.since(source, None)}
        edited = mine not in ever or (version(brought, path) in had and mine in past) if mine else bool(had)
        return brought if edited else with_file(brought, path, copy.tree)

    def state_of_file(self, at: Commit | None, tip: Commit, path: str) -> Commit | None:
        """Return the newest commit whose state has a file: maps that are no more may come again.

        What they wrote is left behind; what is not there any more was undone, or taken away there.
        """
        if at is None or path in at.stated.layout.there.values() or not version(at.tree, path):
            return at
        stated = (c for c in self.since(tip, None)[::-1] if c.state and path in c.state.layout.there.values())
        return next(stated, at)

    def project(self, commit: Commit | None, layout: Layout | None = None) -> Tree:
        """Return what the maps make of a source commit."""
        tree = {} if commit is None else commit.tree
        maps = (layout or self.layout).maps
        return {(maps[path], line): value for (path, line), value in tree.items() if path in maps}

    def mapped(self, commit: Commit) -> Tree:
        """Return the mapped part of a target's commit."""
        return self.within(commit.tree)

    def within(self, tree: Tree) -> Tree:
        """Return the mapped part of a tree of the target."""
        there = self.paths_there
        return {cell: value for cell, value in tree.items() if cell[0] in there}

    def state_commit(self, tip: Commit) -> Commit | None:
        """Return the newest commit with a state: they were all made on the remote's tip, and form a chain."""
        stated = (self.commits[i] for i in tip.past if self.commits[i].state is not None)
        return max(stated, key=lambda commit: len(commit.past), default=None)

    def own(self, tip: Commit, at: Commit | None) -> list[Commit]:
        """Return the own commits that count, oldest first: those that the state lists as open, and those since."""
        listed = frozenset[Commit]() if at is None else at.stated.open
        since = {c for c in self.since(tip, at) if c.own and len(c.parents) < 2}
        return sorted((c for c in listed | since if self.paths(c)), key=lambda commit: commit.id)

    def since(self, tip: Commit, without: Commit | None) -> list[Commit]:
        """Return what is in the history of one commit and not of another, oldest first."""
        return [self.commits[i] for i in sorted(tip.past - (without.past if without else frozenset()))]

    def change(self, commit: Commit) -> tuple[Tree, Tree]:
        """Return the mapped part before and after an own commit."""
        return (self.mapped(commit.parents[0]) if commit.parents else {}), self.mapped(commit)

    def paths(self, commit: Commit) -> set[str]:
        """Return the mapped files that an own commit changed."""
        return {path for path, _ in changed(*self.change(commit))}

    def picked(self, tree: Tree, commit: Commit, path: str) -> Tree:
        """Return a tree with an own commit's change to one file."""
        old, new = self.change(commit)
        return with_file(tree, path, merge(old, tree, new)[0])

    def still_open(
        self, own: Sequence[Commit], home: Collection[Commit], tree: Tree, projection: Tree
    ) -> frozenset[Commit]:
        """Return what a state lists after a sync: neither home, nor what the source has made of those files anyway."""
        live = {path for path, _ in changed(projection, self.within(tree))}
        kept = set()
        for c in own:
            paths = self.paths(c)
            if c not in home and (paths & live or any(self.picked(projection, c, p) != projection for p in paths)):
                kept.add(c)
                live |= paths  # what was made on top of it counts with it, also where nothing is left of both
        return frozenset(kept)

    def _home(
        self, at: Commit | None, tip: Commit, own: Sequence[Commit], source: Commit, path: str
    ) -> frozenset[Commit]:
        """Return the own commits whose change of a file came home: by their lines, and by content.

        By content: a version of a file that the source's branch has had since the state's source commit, and never
        before, brought home all that the target had made of that file up to there.
        """
        start = None if at is None else at.stated.source
        news = self.since(source, start)
        imported = frozenset().union(*(commit.imported for commit in news))
        home = {c for c in own if c.id in imported}
        had = {version(self.project(c), path) for c in _first_parents(source, news)}
        if start is not None:
            had -= {version(self.project(c), path) for c in self.since(start, None)}
        seen = {version({}, path)}  # a file that went back to what it was is no evidence for what came between
        for c in self.since(tip, None):
            there = version(c.tree, path)
            if (c in own or c is at) and there in had - seen:
                home |= {earlier for earlier in own if earlier.id in c.past}
            seen.add(there)
        return frozenset(home)

    def _file_base(
        self, at: Commit | None, own: Sequence[Commit], home: frozenset[Commit], path: str, brought: Tree
    ) -> Tree:
        """Return a tree that has the version of one file that both sides have.

        Where all that were before some point have come home, it is the target's file at that point: that holds even
        where a person settled a conflict. Else the change of each one is picked, and one that does not apply is left
        out: then the sync's merge asks.
        """
        listed = [c for c in own if at and c.id in at.past]
        whole, precise = home.issuperset(listed), True
        tree, applied = brought, set[Commit]()
        if at is not None and listed and whole:
            tree, applied = at.tree, set(listed)
        elif at is not None and listed:
            precise = not changed(self._all_picked(brought, listed, path), with_file(brought, path, at.tree))
        for c in own:
            if c not in home or c in applied:
                continue
            if at and c in listed and not precise and not self._is_left(tree, at.tree, listed[listed.index(c) :], path):
                continue
            before = {earlier for earlier in own if earlier.id in c.past}
            if whole and at and at.id in c.past and applied <= before <= home:
                tree = c.tree
            else:
                tree = self.picked(tree, c, path)
            applied.add(c)
        return tree

    def _all_picked(self, tree: Tree, commits: Iterable[Commit], path: str) -> Tree:
        for commit in commits:
            tree = self.picked(tree, commit, path)
        return tree

    def _is_left(self, tree: Tree, there: Tree, commits: Sequence[Commit], path: str) -> bool:
        """Whether a file where a person settled a conflict still holds what the first commit, and some more, made."""
        there = with_file(tree, path, there)
        for n in range(len(commits)):
            if merge(tree, there, self._all_picked(tree, commits[: n + 1], path)) == (there, set()):
                return True
        return False


def _first_parents(tip: Commit, among: Sequence[Commit]) -> list[Commit]:
    """Return what a branch itself was: a commit of a side branch is no state of it."""
    line = []
    one: Commit | None = tip
    while one is not None and one in among:
        line.append(one)
        one = one.parents[0] if one.parents else None
    return line
