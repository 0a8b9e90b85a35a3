"""A source, a target, and people and the tool at work on both, without git; and an oracle that knows who meant what.

The oracle judges each sync, status, import and rollback. The kernel is never shown what it knows (`Commit.edits`,
`Commit.known`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from tests.property.model import (
    FIRST_LAYOUT,
    LINES,
    Cell,
    Commit,
    Kernel,
    Layout,
    Relation,
    State,
    Tree,
    changed,
    merge,
    put,
)

CELLS = [(name, line) for name, lines in LINES.items() for line in range(lines)]
"""The cells by the names of their files: so the source's edits are told from each other wherever the files are."""


class Broken(AssertionError):
    """What people meant did not come about."""


class Step(NamedTuple):
    """Something that is done: a method of the world, and what decides how."""

    name: str
    a: int = 0
    b: int = 0
    c: int = 0


@dataclass(frozen=True)
class Expected:
    """What each cell must be after a sync.

    Attributes:
        tree: what it must be.
        disagreed: where people disagree, so that a conflict is right.
        unknown: where nobody can know.
    """

    tree: Mapping[Cell, str | None]
    disagreed: Collection[Cell]
    unknown: Collection[Cell]


class World:
    """A source, its clones, and a target; each method that takes a step is one.

    Attributes:
        commits: all commits, by id.
        kernel: what is judged.
        source: the tip of the source.
        target: the tip of the target.
        stale: the source as a clone has it that has not fetched since.
        fork: the target as a person has it who has not fetched since.
        branch: an import that is not merged yet: the commit that it starts from, and its own.
        operations: the tool's, which can be undone: the target before and after.
        owner: whose each edit is, "source" or "target".
        places: where each edit of the target was made.
        unsaid: the target's edits that came home without a line that says so.
        dropped: the target's edits that had come home when the source was reset.
        overruled: the target's edits that a person gave up in a conflict.
        settled: where a person settled a conflict.
    """

    def __init__(self) -> None:
        self.commits: dict[int, Commit] = {}
        self.kernel = Kernel(self.commits)
        self.owner = {0: "source"}
        self.places: dict[int, Cell] = {}
        self.values = 0
        self.unsaid: set[int] = set()
        self.dropped: set[int] = set()
        self.overruled: set[int] = set()
        self.settled: set[Cell] = set()
        self.source = self.commit({**{_here(FIRST_LAYOUT, cell): "o" for cell in CELLS}, ("doc", 0): "d"}, ())
        self.stale = self.source
        self.target: Commit | None = None
        self.fork: Commit | None = None
        self.branch: list[Commit] = []
        self.operations: list[tuple[Commit | None, Commit]] = []

    def do(self, step: Step) -> None:
        """Do a step.

        Raises:
            Broken: the oracle says that people meant something else.
        """
        self.kernel.layout = (self.stale if step.name.startswith("stale") else self.source).layout
        getattr(self, step.name)(step)

    def commit(
        self,
        tree: Tree,
        parents: tuple[Commit, ...],
        *,
        imported: Iterable[int] = (),
        state: State | None = None,
        own: bool = False,
        layout: Layout | None = None,
        joins: bool = False,
        edits: Mapping[Cell, int] | None = None,
        known: frozenset[int] | None = None,
    ) -> Commit:
        """Make a commit; what the oracle knows is as of its first parent, where it is not given."""
        number = len(self.commits)
        past = frozenset({number}).union(*(parent.past for parent in parents))
        if edits is None:
            edits = parents[0].edits if parents else {}
        if known is None:
            known = parents[0].known if parents else frozenset({0})
        if layout is None:
            layout = parents[0].layout if parents else FIRST_LAYOUT
        made = Commit(number, dict(tree), parents, frozenset(imported), state, own, layout, joins, past, edits, known)
        self.commits[number] = made
        return made

    def relate(self, tip: Commit, source: Commit) -> Relation:
        """Hold the target against a source commit."""
        return self.kernel.relate(tip, source)

    def still_open(self, relation: Relation, tree: Tree, projection: Tree) -> frozenset[Commit]:
        """Return what a sync lists as open."""
        return self.kernel.still_open(relation.own, relation.home, tree, projection)

    def edit(self, side: str) -> int:
        """Return a new edit of one side."""
        number = len(self.owner)
        self.owner[number] = side
        return number

    def value(self, kind: int, cell: Cell) -> str | None:
        """Return a new value for a cell, or None: the file is deleted."""
        self.values += 1
        return None if kind % 6 == 0 and LINES[cell[0][-1]] == 1 else f"v{self.values}"

    # ---- people on the source ----------------------------------------------------------------------------------------

    def edit_source(self, step: Step) -> None:
        """Change a line, or delete the blob."""
        cell = CELLS[step.a % len(CELLS)]
        tree, edit = dict(self.source.tree), self.edit("source")
        put(tree, _here(self.source.layout, cell), self.value(step.b, cell))
        if tree != self.source.tree:
            edits, known = {**self.source.edits, cell: edit}, self.source.known | {edit}
            self.source = self.commit(tree, (self.source,), edits=edits, known=known)

    def revert(self, step: Step) -> None:
        """Take back one commit, as git revert does."""
        line = [self.commits[i] for i in sorted(self.source.past) if self.commits[i].parents][-6:]
        if not line:
            return
        one = line[step.a % len(line)]
        tree, conflicts = merge(one.tree, self.source.tree, one.parents[0].tree)
        layout = self.source.layout
        if one.layout != one.parents[0].layout:  # the manifest is a file, too
            conflicts |= set(CELLS) if layout != one.layout else set()
            layout = one.parents[0].layout
        if conflicts or (tree == self.source.tree and layout is self.source.layout):
            return
        edit = self.edit("source")
        places = {c for c in CELLS if tree.get(_here(layout, c)) != self.source.tree.get(_here(self.source.layout, c))}
        edits, known = {**self.source.edits, **dict.fromkeys(places, edit)}, self.source.known | {edit}
        self.source = self.commit(tree, (self.source,), layout=layout, edits=edits, known=known)

    def remap(self, step: Step) -> None:
        """Change the maps: take one away or put it back, move what one writes, or rename its folder in the source."""
        s = self.source
        at = self.target and self.kernel.state_commit(self.target)
        if at is None or at.stated.source is None:
            return
        here, there, tree = dict(s.layout.here), dict(s.layout.there), dict(s.tree)
        way = ("away", "moved", "renamed", "all moved")[step.a % 4]
        if way == "away" and "x" in there:
            del there["x"]
        elif way in {"away", "moved"}:
            there["x"] = "out/x" if way == "moved" and there.get("x") == "res/x" else "res/x"
        elif way == "renamed":
            here["x"] = "assets/x" if here["x"] == "data/x" else "data/x"
            put(tree, (here["x"], 0), tree.pop((s.layout.here["x"], 0), None))
        else:
            folder = "lib/" if there["a"] == "app/a" else "app/"
            there |= {name: folder + name for name in "ab"}
        self.source = self.commit(tree, (s,), layout=Layout(here, there))

    def reset(self, step: Step) -> None:
        """Force the source back to an older commit of its own."""
        to = self.source
        for _ in range(1 + step.a % 2):
            to = to.parents[0] if to.parents else to
        self._rewind(to)

    def amend(self, _: Step) -> None:
        """Force the source to its last commit under another id."""
        s = self.source
        if len(s.parents) == 1:
            self._rewind(
                self.commit(s.tree, s.parents, imported=s.imported, layout=s.layout, edits=s.edits, known=s.known)
            )

    def _rewind(self, to: Commit) -> None:
        self.dropped |= {edit for edit in self.source.known - to.known if self.owner[edit] == "target"}
        self.branch = []
        self.source = to

    # ---- people on the target ----------------------------------------------------------------------------------------

    def edit_target(self, step: Step) -> None:
        """Change a line, or delete the blob."""
        if self.target is not None and (cell := self._cell(step, self.target)) is not None:
            self.target = self._edited(self.target, cell, step.b)

    def _cell(self, step: Step, tip: Commit) -> Cell | None:
        """Choose a cell of the target: of a file that is there or was brought, also where no map writes any more."""
        name, line = CELLS[step.a % len(CELLS)]
        path, at = self.kernel.layout.there.get(name, "res/x"), self.kernel.state_commit(tip)
        brought = at is None or path in at.stated.layout.there.values()
        return (path, line) if brought or (path, 0) in tip.tree else None

    def _edited(self, on: Commit, cell: Cell, kind: int) -> Commit:
        tree, edit = dict(on.tree), self.edit("target")
        self.places[edit] = cell
        put(tree, cell, self.value(kind, cell))
        if tree == on.tree:
            return on
        return self.commit(tree, (on,), own=True, edits={**on.edits, cell: edit}, known=on.known | {edit})

    def edit_owned(self, step: Step) -> None:
        """Change a file that no map writes."""
        if self.target is not None:
            self.target = self.commit({**self.target.tree, ("owned", 0): f"w{step.a}"}, (self.target,), own=True)

    def copy(self, _: Step) -> None:
        """Fill the target by hand."""
        if self.target is None:
            s = self.source
            self.target = self.commit(self.kernel.project(s), (), edits=self._mapped_edits(s), known=s.known)

    def stay(self, _: Step) -> None:
        """Begin to work on the target as it is now."""
        self.fork = self.target

    def pull(self, step: Step) -> None:
        """Commit to what one stayed at, pull (a merge whose first parent is the own commit), and push."""
        fork, target = self.fork, self.target
        if fork is None or target is None or fork is target or fork.id not in target.past:
            return
        cell = self._cell(step, fork)
        if cell is None:
            return
        mine = self._edited(fork, cell, step.b)
        tree, conflicts = merge(fork.tree, mine.tree, target.tree)
        if conflicts or mine is fork:
            return
        edits = dict(target.edits)
        if tree.get(cell) == mine.tree.get(cell):
            edits[cell] = mine.edits[cell]
        self.target = self.commit(tree, (mine, target), own=True, edits=edits, known=target.known | mine.known)
        self.fork = None

    # ---- the tool: sync and adopt ------------------------------------------------------------------------------------

    def sync(self, step: Step, source: Commit | None = None) -> None:
        """Sync the target; where it was copied, adopt it."""
        source = source or self.source
        if self.target is None:
            self._write(
                self.kernel.project(source), self._state(source), self._mapped_edits(source), source.known, joins=True
            )
            return
        relation = self.relate(self.target, source)
        if relation.state is None or relation.start is None:
            self.adopt(step)
        elif source is not self.source and relation.start.id not in source.past:
            pass  # the clone lacks what the target has, and has to fetch first
        elif not relation.state.held:
            self._sync(relation, self.target, source, sides=step.b)

    def _sync(self, relation: Relation, tip: Commit, source: Commit, *, sides: int) -> None:
        expected = self._expected(tip, source)
        self._judge_drift(relation, tip, source)
        projection = self.kernel.project(source)
        tree, conflicts = dict(tip.tree), set[Cell]()
        if not relation.contained:
            tree, conflicts = merge(self._whole(tip, relation.base), tip.tree, self._whole(tip, projection))
        by_hand = {path for path, _ in self.settled}
        for cell in conflicts:
            if cell[0] not in by_hand and cell not in expected.disagreed and cell not in expected.unknown:
                raise Broken(f"a conflict where nobody disagrees: {cell}")
        self.settled |= conflicts
        if sides % 2:
            for cell in conflicts:
                self.overruled.add(tip.edits.get(cell, 0))
                put(tree, cell, projection.get(cell))
        for cell in expected.tree:
            if cell in expected.disagreed or cell in conflicts or cell in expected.unknown:
                continue
            if tree.get(cell) != expected.tree[cell]:
                raise Broken(f"{cell} is {tree.get(cell)}, not {expected.tree[cell]}")
        if relation.contained:
            return
        opened = self.still_open(relation, tree, projection)
        edits = self._synced_edits(tip, source, tree, projection)
        after = self._write(tree, self._state(source, opened), edits, tip.known | source.known, joins=True)
        again = self.relate(after, source)
        if not again.contained:
            raise Broken("a second sync has something to do")
        self._judge_drift(again, after, source)

    def _synced_edits(self, tip: Commit, source: Commit, tree: Tree, projection: Tree) -> dict[Cell, int]:
        edits = dict(tip.edits)
        for cell, theirs in self._mapped_edits(source).items():
            mine = tip.edits.get(cell, 0)
            alike = tip.tree.get(cell) == projection.get(cell)
            if tree.get(cell) == projection.get(cell) and not (
                alike and self.owner[mine] == "target" and mine not in source.known
            ):
                edits[cell] = theirs
        return edits

    def _state(self, source: Commit, opened: Iterable[Commit] = (), *, held: bool = False) -> State:
        return State(source, self.kernel.layout, held, frozenset(opened))

    def _mapped_edits(self, source: Commit) -> dict[Cell, int]:
        there = self.kernel.layout.there
        return {(there[name], line): source.edits.get((name, line), 0) for name, line in CELLS if name in there}

    def _write(
        self,
        tree: Tree,
        state: State,
        edits: Mapping[Cell, int],
        known: frozenset[int],
        *,
        joins: bool = False,
        undone: bool = False,
    ) -> Commit:
        before = self.target
        parents = () if before is None else (before,)
        made = self.commit(tree, parents, state=state, joins=joins, edits=edits, known=known)
        self.target = made
        if not undone:
            self.operations.append((before, made))
        return made

    def adopt(self, _: Step) -> None:
        """Find the oldest source commit whose projection is nearest, and record it."""
        tip = self.target
        if tip is None:
            return
        at = self.kernel.state_commit(tip)
        if at is not None and at.stated.source is not None:
            return
        there = self.kernel.mapped(tip)
        past = [self.commits[i] for i in sorted(self.source.past)]
        best = min(past, key=lambda commit: (len(changed(self.kernel.project(commit), there)), commit.id))
        projection = self.kernel.project(best)
        imported = frozenset().union(*(commit.imported for commit in self.kernel.since(best, None)))
        own = self.kernel.own(tip, None)
        opened = self.kernel.still_open(own, [c for c in own if c.id in imported], tip.tree, projection)
        theirs = self._mapped_edits(best)
        edits = {**tip.edits, **{c: edit for c, edit in theirs.items() if tip.tree.get(c) == projection.get(c)}}
        known = best.known | {edit for edit in tip.known if self.owner[edit] == "target"}
        self._write(tip.tree, replace(self._state(best, opened), adopted=tip), edits, known, joins=True)

    # ---- the tool: import --------------------------------------------------------------------------------------------

    def import_(self, step: Step) -> None:
        """Make a branch of the drift, or of a part of it, on the synced source commit or on the tip."""
        if self.target is None or self.branch:
            return
        relation = self.relate(self.target, self.source)
        if relation.state is None or relation.start is None or relation.state.held:
            return
        todo = [commit for commit in relation.own if commit not in relation.home]
        if step.b % 4 == 0 and len(todo) > 1:
            todo = [commit for number, commit in enumerate(todo) if (step.a >> number) & 1]
        for commit in todo:
            new = commit.known - commit.parents[0].known
            if new and new <= self.source.known and not new & self.unsaid:
                raise Broken("imported twice")
        start = relation.start
        older = step.a % 2 and start.id in self.source.past and start.layout == self.source.layout
        branch = [start if older else self.source]
        for commit in todo:
            made = self._imported(commit, branch[-1], review=step.c % 5 == 0)
            if made is None:
                break  # the tool stops at the first commit that does not apply
            branch.append(made)
        self.branch = branch if len(branch) > 1 else []

    def _imported(self, commit: Commit, on: Commit, *, review: bool) -> Commit | None:
        old, new = self.kernel.change(commit)
        back = {there: here for here, there in self.kernel.layout.maps.items()}
        here = set(self.kernel.layout.maps)
        old, new = ({(back[path], line): value for (path, line), value in part.items()} for part in (old, new))
        tree, conflicts = merge(old, {cell: value for cell, value in on.tree.items() if cell[0] in here}, new)
        if conflicts:
            return None
        tree |= {cell: value for cell, value in on.tree.items() if cell[0] not in here}
        cells = {(path[-1], line) for path, line in changed(old, new)}
        edits = {**on.edits, **{cell: commit.edits[_there(self.kernel.layout, cell)] for cell in cells}}
        known = on.known | (commit.known - commit.parents[0].known)
        if review:
            cell, edit = min(cells), self.edit("source")
            put(tree, _here(on.layout, cell), self.value(1, cell))
            edits[cell], known = edit, known | {edit}
        return self.commit(tree, (on,), imported={commit.id}, edits=edits, known=known)

    def land(self, step: Step) -> None:
        """Bring the branch to the source: by a merge, a squash with or without the lines, or a rebase."""
        branch, self.branch = self.branch, []
        way = ("merge", "squash", "bare squash", "rebase")[step.a % 4]
        if not branch or branch[0].id not in self.source.past:
            return
        if way == "rebase":
            on: Commit | None = self.source
            for commit in branch[1:]:
                on = on and self._joined(on, commit, commit.parents[0], commit.imported)
            self.source = on or self.source
            return
        start, tip = branch[0], branch[-1]
        lines = frozenset().union(*(commit.imported for commit in branch[1:])) if way == "squash" else ()
        joined = self._joined(self.source, tip, start, lines, merged=way == "merge")
        if joined is None:
            return
        if way == "bare squash":
            self.unsaid |= {edit for edit in tip.known - start.known if self.owner[edit] == "target"}
        self.source = joined

    def _joined(
        self, on: Commit, tip: Commit, start: Commit, lines: Iterable[int], *, merged: bool = False
    ) -> Commit | None:
        """Bring what was made from `start` to `tip` to another commit; None where that does not apply."""
        tree, conflicts = merge(start.tree, on.tree, tip.tree)
        if conflicts:
            return None
        edits = dict(on.edits)
        for cell in CELLS:
            was, theirs = start.edits.get(cell, 0), tip.edits.get(cell, 0)
            alike = start.tree.get(_here(start.layout, cell)) == tip.tree.get(_here(tip.layout, cell))
            if theirs != was and not (alike and on.edits.get(cell, 0) != was):
                edits[cell] = theirs
        parents = (on, tip) if merged else (on,)
        return self.commit(tree, parents, imported=lines, edits=edits, known=on.known | tip.known)

    # ---- the tool: rollback and undo ---------------------------------------------------------------------------------

    def rollback(self, step: Step) -> None:
        """Go back to the projection of a source commit that the target had, or to a commit of the target."""
        tip = self.target
        at = tip and self.kernel.state_commit(tip)
        if tip is None or at is None or at.stated.source is None:
            return
        if step.b % 2:
            past = [self.commits[i] for i in sorted(at.stated.source.past)][-5:]
            point = past[step.a % len(past)]
            tree, edits, state = self.kernel.project(point), self._mapped_edits(point), self._state(point, held=True)
        else:
            past = [one for i in sorted(tip.past) if (one := self.commits[i]).parents or one.state][-6:]
            point = past[step.a % len(past)]
            was = self.kernel.state_commit(point)
            if was is None or was.stated.source is None or was.stated.layout != self.kernel.layout:
                return
            tree, edits = self.kernel.mapped(point), {c: point.edits.get(c, 0) for c in self._mapped_edits(self.source)}
            state = replace(was.stated, held=True, open=frozenset(self.kernel.own(point, was)))
        after = self._write(self._whole(tip, tree), state, {**tip.edits, **edits}, point.known)
        self._judge_drift(self.relate(after, self.source), after, self.source)

    def lift(self, _: Step) -> None:
        """Let syncs go on after a rollback."""
        tip = self.target
        at = tip and self.kernel.state_commit(tip)
        if tip and at and at.stated.held:
            opened = frozenset(self.kernel.own(tip, at))
            self._write(tip.tree, replace(at.stated, held=False, open=opened), tip.edits, tip.known)

    def undo(self, _: Step) -> None:
        """Take back the tool's last operation on the target."""
        tip = self.target
        before, after = self.operations[-1] if self.operations else (None, None)
        if tip is None or before is None or after is None or self.kernel.state_commit(tip) is not after:
            return
        tree, conflicts = merge(after.tree, tip.tree, before.tree)
        if conflicts:
            return
        self.operations.pop()
        was = self.kernel.state_commit(before)
        if after.stated.layout != self.kernel.layout or (was and was.stated.layout != after.stated.layout):
            return
        state = was.stated if was else State(None)
        opened = {*self.kernel.own(before, was)}  # as before the operation, and what people made since
        opened |= {commit for commit in self.kernel.own(tip, after) if commit not in after.stated.open}
        edits = dict(tip.edits)
        for cell in tip.edits.keys() | before.edits.keys():
            if tree.get(cell) != tip.tree.get(cell) or tip.edits.get(cell, 0) == after.edits.get(cell, 0):
                edits[cell] = before.edits.get(cell, 0)
        known = before.known | (tip.known - after.known)
        undone = self._write(tree, replace(state, open=frozenset(opened)), edits, known, undone=True)
        if state.source is None:
            return
        relation = self.relate(undone, self.source)
        if relation.contained and self.kernel.project(self.source) != self.kernel.project(state.source, state.layout):
            raise Broken("not behind after an undo")
        self._judge_drift(relation, undone, self.source)

    # ---- a second clone ----------------------------------------------------------------------------------------------

    def fetch(self, _: Step) -> None:
        """Fetch into the second clone: it falls behind from here."""
        self.stale = self.source

    def stale_sync(self, step: Step) -> None:
        """Sync from the second clone."""
        if self.stale.id in self.source.past and self.target is not None:
            self.sync(step, self.stale)

    def stale_status(self, _: Step) -> None:
        """Look at the drift from the second clone."""
        if self.target is not None:
            self._judge_drift(self.relate(self.target, self.stale), self.target, self.stale, lagging=True)

    # ---- the oracle --------------------------------------------------------------------------------------------------

    def _whole(self, tip: Commit, part: Tree) -> Tree:
        """Return the tree of a target with another mapped part."""
        there = self.kernel.paths_there
        return {**{cell: value for cell, value in tip.tree.items() if cell[0] not in there}, **part}

    def _expected(self, tip: Commit, source: Commit) -> Expected:
        tree: dict[Cell, str | None] = {}
        disagreed, unknown = set(), set()
        projection, at = self.kernel.project(source), self.kernel.state_commit(tip)
        for cell, theirs in self._mapped_edits(source).items():
            file_at = self.kernel.state_of_file(at, tip, cell[0])
            assert file_at is not None  # there is a state
            start = file_at.stated.source
            brought = self.kernel.project(start, file_at.stated.layout)
            known = tip.known if file_at is at else file_at.known
            reset = start is not None and start.id not in source.past and brought.get(cell) != projection.get(cell)
            mine = tip.edits.get(cell, 0)
            here, there = tip.tree.get(cell), projection.get(cell)
            if {mine, theirs} & self.unsaid or theirs in self.dropped:
                unknown.add(cell)
            if here == there or mine == theirs or mine in source.known or self.owner[mine] == "source":
                tree[cell] = there
                if mine in self.dropped:
                    disagreed.add(cell)
            elif mine in self.dropped or theirs in self.overruled or self.places.get(theirs, cell) != cell:
                disagreed.add(cell)
            elif (there and cell not in brought) or reset or not (theirs in known or theirs in self.dropped):
                disagreed.add(cell)  # both made the file, or the source went back, or both changed it
            else:
                tree[cell] = here
        return Expected(tree, disagreed, unknown)

    def _judge_drift(self, relation: Relation, tip: Commit, source: Commit, *, lagging: bool = False) -> None:
        start = relation.start
        if start is None:
            return
        for cell in self._mapped_edits(source):
            edit = tip.edits.get(cell, 0)
            if edit in self.unsaid or edit in self.dropped:
                continue
            sides = {self.kernel.project(start).get(cell), self.kernel.project(source).get(cell)}
            if cell not in relation.drift:
                made = self.owner[edit] == "target" and edit not in source.known | start.known
                if made and tip.tree.get(cell) is not None and tip.tree[cell] not in sides:
                    raise Broken(f"drift that is not seen: {cell}")
            elif self.owner[edit] != "target":
                raise Broken(f"drift that nobody made: {cell}")
            elif edit in source.known and not lagging and source.id not in start.past:
                alike = tip.tree.get(cell) == self.kernel.project(source).get(cell)
                if not (alike and cell in self.settled):  # by hand, and both have it already
                    raise Broken(f"drift that is home: {cell}")


def _here(layout: Layout, cell: Cell) -> Cell:
    """Return where a cell is in the source."""
    return layout.here[cell[0]], cell[1]


def _there(layout: Layout, cell: Cell) -> Cell:
    """Return where a cell is in the target."""
    return layout.there[cell[0]], cell[1]
