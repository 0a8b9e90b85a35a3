"""The state of a target as a program without git: what its history says, and what a sync makes of it.

A tree is a dict (path, place) -> value; a place is a line of a text file (a blob has one place), so a 3-way merge is
exact: it conflicts where both sides changed one place in different ways, and nowhere else. Commits never change. An
oracle that knows who wrote what (never shown to the kernel) judges every sync, status, import and rollback.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

FILES = {"a": 2, "b": 2, "x": 1}  # mapped files and their places; "x" is a blob
MAPS = {"src/" + name: "app/" + name for name in FILES}  # source path -> target path: renames
CELLS = [(path, place) for path in MAPS.values() for place in range(FILES[path[4:]])]
BACK = {new: old for old, new in MAPS.items()}


# ---------------------------------------------------------------- trees and commits
@dataclass(frozen=True, eq=False)
class Commit:
    id: int
    tree: dict
    parents: tuple = ()
    lines: frozenset = frozenset()  # Imported-From: target commits
    state: State | None = None  # trailers, on the tool's own commits in a target
    past: frozenset = frozenset()  # ids of all ancestors and itself
    # for the oracle only:
    events: dict = field(default_factory=dict)  # cell -> the edit that put the value there
    known: frozenset = frozenset({0})  # edits that whoever made this commit had before them
    note: str = ""


@dataclass(frozen=True)
class State:
    """The trailers of one commit of the tool in a target."""

    source: Commit | None  # Source-Commit (and with it Projected-Commit, Maps)
    held: bool = False  # Held-At
    open: frozenset = frozenset()  # Open: own commits that the tree holds and the source had not


def merge(base: dict, ours: dict, theirs: dict) -> tuple[dict, set]:
    """Three-way merge; in a conflict ours stands, and the place is returned."""
    out, torn = dict(ours), set()
    for cell in base.keys() | ours.keys() | theirs.keys():
        b, o, t = base.get(cell), ours.get(cell), theirs.get(cell)
        if b == t or o == t:
            continue
        if b == o:
            put(out, cell, t)
        else:
            torn.add(cell)
    return out, torn


def put(tree: dict, cell, value) -> None:
    if value is None:
        tree.pop(cell, None)
    else:
        tree[cell] = value


def changed(old: dict, new: dict) -> set:
    return {cell for cell in old.keys() | new.keys() if old.get(cell) != new.get(cell)}


def project(commit: Commit | None) -> dict:
    if commit is None:
        return {}
    return {(MAPS[p], n): v for (p, n), v in commit.tree.items() if p in MAPS}


def mapped(commit: Commit) -> dict:
    return {cell: v for cell, v in commit.tree.items() if cell[0] in BACK}


def files(tree: dict) -> dict:
    out: dict = {}
    for (path, place), value in tree.items():
        out.setdefault(path, set()).add((place, value))
    return {path: frozenset(rows) for path, rows in out.items()}


# ---------------------------------------------------------------- the kernel
@dataclass
class Relation:
    state: State | None
    at: Commit | None
    base: dict
    home: set  # own commits that the source is seen to have since Source-Commit
    own: list  # own commits that count, oldest first
    drift: set
    contained: bool


class Kernel:
    def __init__(self, commits: dict) -> None:
        self.commits = commits

    def since(self, tip: Commit, without: Commit | None) -> list:
        gone = without.past if without else frozenset()
        return [self.commits[i] for i in sorted(tip.past - gone)]

    def own_change(self, c: Commit) -> tuple[dict, dict]:
        return (mapped(c.parents[0]) if c.parents else {}), mapped(c)

    def touches(self, c: Commit) -> bool:
        """Whether a commit is the target's own and touches mapped paths; a merge of people adds nothing itself."""
        return c.state is None and len(c.parents) < 2 and c.note == "own" and bool(changed(*self.own_change(c)))

    def state_of(self, tip: Commit) -> Commit | None:
        said = [self.commits[i] for i in tip.past if self.commits[i].state is not None]
        return max(said, key=lambda c: len(c.past), default=None)  # all of them were made on the remote's tip: a chain

    def own(self, tip: Commit, at: Commit | None) -> list:
        """Own commits that count, oldest first: those that the state lists as open, and those since."""
        listed = at.state.open if at else frozenset()
        return sorted({*listed, *(c for c in self.since(tip, at) if self.touches(c))}, key=lambda c: c.id)

    def relate(self, tip: Commit, source: Commit) -> Relation:
        at = self.state_of(tip)
        state = at.state if at else None
        own = self.own(tip, at)
        start = state.source if state else None
        news = self.since(source, start)
        said = {i for c in news for i in c.lines}
        home = {c for c in own if c.id in said}
        by_file = self._by_content(at, tip, own, news, home)
        home |= {c for c in own if all(c in by_file[path] for path in self.paths(c))}
        base = self._base(at, own, by_file)
        drift = changed(base, mapped(tip))
        follows = start is None or start.id in source.past
        contained = base == project(source) and not home and follows
        return Relation(state, at, base, home, own, drift, contained)

    def _base(self, at: Commit | None, own: list, home: dict) -> dict:
        """The base, file by file: of the own commits that count, those that came home, each for itself.

        Where all that were before some point have come home, the base is simply the target's file at that point: that
        holds even where a person settled a conflict. Else the change of each one is picked; what no longer applies is
        left out, and the sync's merge asks.
        """
        base = project(at.state.source if at else None)
        for path in MAPS.values():
            mine = [c for c in own if path in self.paths(c)]
            listed = [c for c in mine if at and c.id in at.past]
            whole, precise = all(c in home[path] for c in listed), True
            if listed:
                again = base
                for c in listed:
                    again = self._picked_file(again, c, path)
                precise = not any(p == path for p, _ in changed(again, mapped(at)))
            applied = set()
            if listed and whole:
                base, applied = self._with_file(base, at.tree, path), set(listed)
            for c in mine:
                if c not in home[path] or c in applied:
                    continue
                if c in listed and not precise:  # a person settled a conflict there: is anything left of this one?
                    later = [o for o in listed if o.id > c.id]
                    runs = ([c, *later[:n]] for n in range(len(later) + 1))
                    if not any(self.is_in(run, base, mapped(at), path) for run in runs):
                        continue
                before = {o for o in mine if o.id in c.past}
                if whole and at and at.id in c.past and before <= home[path] and applied <= before:
                    base = self._with_file(base, c.tree, path)
                else:
                    base = self._picked_file(base, c, path)
                applied.add(c)
        return base

    def is_in(self, some: list, base: dict, there: dict, path: str) -> bool:
        """Whether a file still holds what some commits made of it."""
        picked, there = base, self._with_file(base, there, path)
        for c in some:
            picked = self._picked_file(picked, c, path)
        both, torn = merge(base, there, picked)
        return not torn and both == there

    def still_open(self, own: list, home: set, tree: dict, projection: dict) -> frozenset:
        """Own commits to list after a sync: not home, and not already what the source has made of those files anyway."""
        live = {p for p, _ in changed(projection, {k: v for k, v in tree.items() if k[0] in BACK})}
        kept = set()
        for c in own:
            does = any(changed(self._picked_file(projection, c, p), projection) for p in self.paths(c))
            if c not in home and (self.paths(c) & live or does):
                kept.add(c)
                live |= self.paths(c)  # what was made on top of it counts with it, also where nothing is left of both
        return frozenset(kept)

    def paths(self, c: Commit) -> set:
        return {p for p, _ in changed(*self.own_change(c))}

    def _picked_file(self, base: dict, c: Commit, path: str) -> dict:
        old, new = self.own_change(c)
        return self._with_file(base, merge(old, base, new)[0], path)

    @staticmethod
    def _with_file(base: dict, tree: dict, path: str) -> dict:
        rows = {cell: v for cell, v in tree.items() if cell[0] == path}
        return {**{cell: v for cell, v in base.items() if cell[0] != path}, **rows}

    def _by_content(self, at: Commit | None, tip: Commit, own: list, news: list, said: set) -> dict:
        """Return, for each file, the own commits that came home: by their lines, and by content.

        Content: a version of a file that the source has had since Source-Commit, and never before, brought home all
        that the target had made of that file up to there.
        """
        home = {path: set(said) for path in MAPS.values()}
        if not own or not news:
            return home
        past = self.since(at.state.source, None) if at and at.state.source else []
        line, one = (
            [],
            news[-1],
        )  # only what the source's branch itself was: a commit of a side branch is no state of it
        while one is not None and one in news:
            line.append(one)
            one = one.parents[0] if one.parents else None
        had = {(path, v) for c in line for path, v in files(project(c)).items()}
        had -= {(path, v) for c in past for path, v in files(project(c)).items()}
        seen = set()  # where the target's file only went back to what it was, that is no evidence for what came between
        for c in self.since(tip, None):
            for version in files(mapped(c)).items():
                if (c in own or c is at) and version in had and version not in seen:
                    home[version[0]] |= {o for o in own if o.id in c.past}
                seen.add(version)
        return home


# ---------------------------------------------------------------- the world, and the oracle
class Broken(AssertionError):
    pass


@dataclass
class Done:
    before: Commit | None
    after: Commit


class World:
    """One source (remote and clones), one target, the people, and the oracle."""

    def __init__(self) -> None:
        self.commits: dict = {}
        self.kernel = Kernel(self.commits)
        self.values = self.edits = 0
        self.owner: dict = {0: "source"}  # edit -> side
        self.blind: set = set()  # own edits that came home without a line
        self.dropped: set = set()  # own edits that were home and that a reset dropped
        self.overruled: set = set()  # own edits that a person gave up in a conflict
        self.by_hand: set = set()
        self.counts: Counter = Counter()
        self.source = self.commit({**{(BACK[p], n): "o" for p, n in CELLS}, ("doc", 0): "d"}, ())
        self.origins = [self.source]
        self.target: Commit | None = None
        self.done: list = []
        self.branch: list | None = None
        self.stale = self.source
        self.fork: Commit | None = None

    # -- making commits
    def commit(self, tree, parents, *, lines=(), state=None, events=None, known=None, note="") -> Commit:
        number = len(self.commits)
        past = frozenset().union({number}, *(p.past for p in parents))
        first = parents[0] if parents else None
        events = dict(first.events if first else {}) if events is None else events
        known = (first.known if first else frozenset({0})) if known is None else known
        made = Commit(number, dict(tree), tuple(parents), frozenset(lines), state, past, events, known, note)
        self.commits[number] = made
        return made

    def edit(self, side: str) -> int:
        self.edits += 1
        self.owner[self.edits] = side
        return self.edits

    def fresh(self, kind: int, cell) -> str | None:
        self.values += 1
        return None if kind % 6 == 0 and cell[0][-1] == "x" else f"v{self.values}"

    def move_source(self, to: Commit) -> None:
        self.source = to
        self.origins.append(to)

    # -- people on the source
    def op_source(self, a, b, c):
        cell = CELLS[a % len(CELLS)]
        where = (BACK[cell[0]], cell[1])
        tree, e = dict(self.source.tree), self.edit("source")
        put(tree, where, self.fresh(b, cell))
        if tree == self.source.tree:
            return
        self.move_source(
            self.commit(tree, (self.source,), events={**self.source.events, cell: e}, known=self.source.known | {e})
        )

    def op_revert(self, a, b, c):
        """Take back one commit of the source, as git revert does."""
        line = [self.commits[i] for i in sorted(self.source.past) if self.commits[i].parents][-6:]
        if not line:
            return
        one = line[a % len(line)]
        tree, torn = merge(one.tree, self.source.tree, one.parents[0].tree)
        if torn or tree == self.source.tree:
            return
        e, events = self.edit("source"), dict(self.source.events)
        for p, n in changed(tree, self.source.tree):
            if p in MAPS:
                events[MAPS[p], n] = e
        self.move_source(self.commit(tree, (self.source,), events=events, known=self.source.known | {e}))

    def op_reset(self, a, b, c):
        """Force the source back to an older commit of its own (first-parent line)."""
        at = self.source
        for _ in range(1 + a % 2):
            at = at.parents[0] if at.parents else at
        self._rewound(at)

    def op_rewrite(self, a, b, c):
        """Force the source to a rewritten last commit with the same content (amend)."""
        s = self.source
        if len(s.parents) == 1:
            self._rewound(self.commit(s.tree, s.parents, lines=s.lines, events=s.events, known=s.known))

    def _rewound(self, to: Commit) -> None:
        lost = {e for e in self.source.known - to.known if self.owner[e] == "target"}
        self.dropped |= lost
        self.branch = None
        self.move_source(to)

    # -- people on the target
    def op_own(self, a, b, c):
        if self.target is None:
            return
        cell = CELLS[a % len(CELLS)]
        tree, e = dict(self.target.tree), self.edit("target")
        put(tree, cell, self.fresh(b, cell))
        if tree == self.target.tree:
            return
        self.target = self._own(self.target, tree, {cell: e}, e)

    def _own(self, on: Commit, tree, events, e) -> Commit:
        return self.commit(tree, (on,), events={**on.events, **events}, known=on.known | {e}, note="own")

    def op_owned(self, a, b, c):
        if self.target is not None:
            self.target = self.commit({**self.target.tree, ("owned", 0): f"w{a}"}, (self.target,), note="own")

    def op_fork(self, a, b, c):
        """A second person starts to work on the target as it is now."""
        self.fork = self.target

    def op_pull(self, a, b, c):
        """That person commits on the old tip, pulls (a merge whose first parent is their own commit), and pushes."""
        if self.fork is None or self.target is None or self.fork.id not in self.target.past or self.fork is self.target:
            return
        cell, tree, e = CELLS[a % len(CELLS)], dict(self.fork.tree), self.edit("target")
        put(tree, cell, self.fresh(b, cell))
        mine = self._own(self.fork, tree, {cell: e}, e)
        tree, torn = merge(self.fork.tree, mine.tree, self.target.tree)
        if torn or mine.tree == self.fork.tree:
            return
        events = dict(self.target.events)
        if tree.get(cell) == mine.tree.get(cell):
            events[cell] = e
        self.target = self.commit(tree, (mine, self.target), events=events, known=self.target.known | {e}, note="own")
        self.fork = None

    # -- the tool: sync
    def _write(self, tree, state, events, known, *, log=True) -> None:
        parents = () if self.target is None else (self.target,)
        before = self.target
        self.target = self.commit(tree, parents, state=state, events=events, known=known)
        self.counts["state commits"] += 1
        self.counts["states whose files are the projection"] += project(state.source) == mapped(self.target)
        self.counts["open commits listed"] += len(state.open)
        self.counts["longest list"] = max(self.counts["longest list"], len(state.open))
        if log:
            self.done.append(Done(before, self.target))

    def op_sync(self, a, b, c, source=None):
        source = source or self.source
        if self.target is None:
            self._write(project(source), State(source), self._mapped_events(source), source.known)
            return None
        rel = self.kernel.relate(self.target, source)
        if rel.state is not None and rel.state.held:
            return None
        if rel.state is None or rel.state.source is None:
            return self.op_adopt(a, b, c)
        start = rel.state.source if rel.state else None
        if start is not None and source is not self.source and start.id not in source.past:
            return None  # the clone is behind its remote, and lacks what the target has: fetch first
        tip = self.target
        want, free, loose = self._expected(tip, source, start)
        self._judge_drift(rel, tip, source)
        if rel.contained:
            result = dict(tip.tree)
            torn = set()
        else:
            result, torn = merge(self._whole(rel.base), tip.tree, self._whole(project(source)))
        for cell in torn:
            if cell not in free and cell not in loose and cell[0] not in {p for p, _ in self.by_hand}:
                self._broken("6 false conflict", cell)
            self.by_hand.add(cell)
            if b % 2:
                self.overruled.add(tip.events.get(cell, 0))
                put(result, cell, project(source).get(cell))
        for cell in CELLS:
            if cell in free or cell in torn:
                continue
            if result.get(cell) != want.get(cell):
                label = "blind" if cell in loose else "1/2/4 wrong line"
                self._broken(label, cell, want.get(cell), result.get(cell))
        self.counts["conflicts"] += bool(torn)
        if rel.contained:
            return None
        self.counts["syncs"] += 1
        self.counts["syncs with imports"] += bool(rel.home)
        events = dict(tip.events)
        theirs = self._mapped_events(source)
        for cell in CELLS:
            te = tip.events.get(cell, 0)
            same = (
                tip.tree.get(cell) == project(source).get(cell)
                and self.owner[te] == "target"
                and te not in source.known
            )
            if result.get(cell) == project(source).get(cell) and not same:
                events[cell] = theirs.get(cell, 0)
        opened = self.kernel.still_open(rel.own, rel.home, result, project(source))
        state = State(source, False, opened)
        self._write(result, state, events, tip.known | source.known)
        again = self.kernel.relate(self.target, source)
        if not again.contained:
            self._broken("3 not quiet")
        self._judge_drift(again, self.target, source)

    def op_adopt(self, a, b, c):
        """Find the newest source commit whose projection is nearest, and record it."""
        if self.target is None:
            return
        at = self.kernel.state_of(self.target)
        if at is not None and at.state.source is not None:
            return
        line = [self.commits[i] for i in sorted(self.source.past)]
        best = min(line, key=lambda s: (len(changed(project(s), mapped(self.target))), s.id))  # of equals the older
        tip = self.target
        said = {i for s in self.kernel.since(best, None) for i in s.lines}
        mine = self.kernel.own(tip, None)
        own = self.kernel.still_open(mine, {c for c in mine if c.id in said}, tip.tree, project(best))
        known = best.known | {e for e in tip.known if self.owner[e] == "target"}
        events = dict(tip.events)
        for cell in CELLS:
            if tip.tree.get(cell) == project(best).get(cell):
                events[cell] = best.events.get(cell, 0)
        self.counts["adoptions"] += 1
        self._write(tip.tree, State(best, False, frozenset(own)), events, known)

    def op_copy(self, a, b, c):
        """Somebody fills the target by copying, without the tool."""
        if self.target is None:
            s = self.source
            self.target = self.commit(project(s), (), events=self._mapped_events(s), known=s.known)

    # -- the tool: import
    def op_import(self, a, b, c):
        """Make a branch of the drift on the synced source commit or on the tip; part of it where b says so."""
        if self.target is None or self.branch is not None:
            return
        rel = self.kernel.relate(self.target, self.source)
        if rel.state is None or rel.state.source is None or rel.state.held:
            return
        todo = [o for o in rel.own if o not in rel.home]
        if b % 4 == 0 and len(todo) > 1:
            todo = [o for i, o in enumerate(todo) if (a >> i) & 1]
        for o in todo:
            news = {e for e in o.known - o.parents[0].known}
            if news and news <= self.source.known and not news & self.blind:
                self._broken("3 imported twice")
        start = rel.state.source if a % 2 and rel.state.source.id in self.source.past else self.source
        branch = [start]
        for o in todo:
            on = branch[-1]
            made = self._picked(o, on, review=c % 5 == 0)
            if made is None:
                break  # a person would settle it first; here the branch ends
            branch.append(made)
        self.branch = branch if len(branch) > 1 else None
        self.counts["imports"] += self.branch is not None

    def _picked(self, o: Commit, on: Commit, *, review=False) -> Commit | None:
        old, new = self.kernel.own_change(o)
        tree, torn = merge(self._there(old), {k: v for k, v in on.tree.items() if k[0] in MAPS}, self._there(new))
        if torn:
            return None
        full = {**{k: v for k, v in on.tree.items() if k[0] not in MAPS}, **tree}
        events, known = dict(on.events), on.known | (o.known - o.parents[0].known)
        cells = changed(old, new)
        for cell in cells:
            events[cell] = o.events[cell]
        if review:
            cell = min(cells)
            e = self.edit("source")
            put(full, (BACK[cell[0]], cell[1]), self.fresh(1, cell))
            events[cell], known = e, known | {e}
        return self.commit(full, (on,), lines={o.id}, events=events, known=known)

    def op_land(self, a, b, c):
        """The branch reaches the source: by merge, squash with or without lines, or rebase."""
        if self.branch is None:
            return
        branch, self.branch = self.branch, None
        start, tip, way = branch[0], branch[-1], ("merge", "squash", "bare", "rebase")[a % 4]
        if start.id not in self.source.past:
            return
        if way == "rebase":
            on = self.source
            for one in branch[1:]:
                tree, torn = merge(one.parents[0].tree, on.tree, one.tree)
                if torn:
                    return
                on = self._joined(on, one, tree, (on,), one.lines, one.parents[0])
            self.move_source(on)
            return
        tree, torn = merge(start.tree, self.source.tree, tip.tree)
        if torn:
            return
        lines = frozenset().union(*(one.lines for one in branch[1:]))
        self.counts["landed " + way] += 1
        if way == "bare":
            self.blind |= {e for e in tip.known - start.known if self.owner[e] == "target"}
        parents = (self.source, tip) if way == "merge" else (self.source,)
        self.move_source(self._joined(self.source, tip, tree, parents, lines if way == "squash" else (), start))

    def _joined(self, on, one, tree, parents, lines, start) -> Commit:
        events = dict(on.events)
        for cell in CELLS:
            where = BACK[cell[0]], cell[1]
            same = start.tree.get(where) == one.tree.get(where) and on.events.get(cell, 0) != start.events.get(cell, 0)
            if one.events.get(cell, 0) != start.events.get(cell, 0) and not same:
                events[cell] = one.events.get(cell, 0)
        return self.commit(tree, parents, lines=lines, events=events, known=on.known | one.known)

    # -- the tool: rollback, lift, undo
    def op_rollback(self, a, b, c):
        """To the projection of a source commit that the target had, or to a commit of the target."""
        if self.target is None:
            return
        at = self.kernel.state_of(self.target)
        if at is None or at.state.source is None:
            return
        if b % 2:
            line = [self.commits[i] for i in sorted(at.state.source.past)][-5:]
            point = line[a % len(line)]
            new, events, known = project(point), self._mapped_events(point), point.known
            source, opened = point, frozenset()
        else:
            line = [one for i in sorted(self.target.past) if (one := self.commits[i]).parents or one.state][-6:]
            point = line[a % len(line)]
            was = self.kernel.state_of(point)
            if was is None or was.state.source is None:
                return
            new, events, known = mapped(point), dict(point.events), point.known
            source, opened = was.state.source, frozenset(self.kernel.own(point, was))
        tree = {**{k: v for k, v in self.target.tree.items() if k[0] not in BACK}, **new}
        self.counts["rollbacks"] += 1
        self._write(tree, State(source, True, opened), events, known)
        rel = self.kernel.relate(self.target, self.source)
        self._judge_drift(rel, self.target, self.source)

    def op_lift(self, a, b, c):
        at = self.target and self.kernel.state_of(self.target)
        if at and at.state.held:
            own = frozenset(self.kernel.own(self.target, at))
            self._write(
                self.target.tree, replace(at.state, held=False, open=own), self.target.events, self.target.known
            )

    def op_undo(self, a, b, c):
        """Take the newest operation of the tool on the target back."""
        if not self.done or self.target is None:
            return
        last = self.done[-1]
        if last.before is None or self.kernel.state_of(self.target) is not last.after:
            return
        now, then, old = self.target, last.after, last.before
        tree, torn = merge(then.tree, now.tree, old.tree)
        if torn:
            return
        self.done.pop()
        self.counts["undos"] += 1
        before = self.kernel.state_of(old)
        state = before.state if before else State(None)
        earlier = self.kernel.own(old, before)
        later = [c for c in self.kernel.own(now, then) if c not in then.state.open]
        own = {*earlier, *later}  # as before the operation, and what people made since
        events = dict(now.events)
        for cell in CELLS:
            went = tree.get(cell) != now.tree.get(cell)
            if went or now.events.get(cell, 0) == then.events.get(cell, 0):
                events[cell] = old.events.get(cell, 0)
        known = old.known | (now.known - then.known)
        self._write(tree, replace(state, open=frozenset(own)), events, known, log=False)
        if state.source is not None:
            rel = self.kernel.relate(self.target, self.source)
            if rel.contained and project(self.source) != project(state.source):
                self._broken("5 not behind after an undo")
            self._judge_drift(rel, self.target, self.source)

    # -- a second clone
    def op_stay(self, a, b, c):
        """A second clone fetches now, and not again."""
        self.stale = self.source

    def op_stale_sync(self, a, b, c):
        if self.stale.id in self.source.past and self.target is not None:
            self.op_sync(a, b, c, source=self.stale)

    def op_stale_status(self, a, b, c):
        if self.target is not None:
            rel = self.kernel.relate(self.target, self.stale)
            if rel.state is not None and rel.state.source is not None:
                self._judge_drift(rel, self.target, self.stale, only_people=True)

    # -- the oracle
    def _whole(self, tree: dict) -> dict:
        return {**{k: v for k, v in self.target.tree.items() if k[0] not in BACK}, **tree}

    def _there(self, tree: dict) -> dict:
        return {(BACK[p], n): v for (p, n), v in tree.items() if p in BACK}

    def _mapped_events(self, source: Commit) -> dict:
        return {cell: source.events.get(cell, 0) for cell in CELLS}

    def _expected(self, tip: Commit, source: Commit, start: Commit | None):
        """What each place must be after a sync; places where people disagree; places where nobody can know."""
        want, free, loose = {}, set(), set()
        projection = project(source)
        back = (
            changed(project(start), projection) if start and start.id not in source.past else set()
        )  # a reset is an edit
        for cell in CELLS:
            te, se = tip.events.get(cell, 0), source.events.get(cell, 0)
            t, s = tip.tree.get(cell), projection.get(cell)
            if te in self.blind:
                loose.add(cell)
            if t == s or te == se or te in source.known or self.owner[te] == "source":
                want[cell] = s
                if te in self.dropped:
                    free.add(cell)
            elif te in self.dropped or se in self.overruled:
                free.add(cell)
            elif (se in tip.known and cell not in back) or (self.owner[se] == "target" and se in self.dropped):
                want[cell] = t
            else:
                free.add(cell)
            if se in self.dropped or se in self.blind:
                loose.add(cell)
        return want, free, loose

    def _judge_drift(self, rel: Relation, tip: Commit, source: Commit, *, only_people=False) -> None:
        start = rel.state.source if rel.state else None
        if start is None:
            return
        for cell in rel.drift:
            te = tip.events.get(cell, 0)
            if te in self.blind or te in self.dropped:
                continue
            if self.owner[te] != "target":
                self._broken("7 drift that nobody made", cell)
            elif (
                te in source.known
                and not only_people
                and source.id not in start.past
                and not self._settled(cell, tip, source)
            ):
                self._broken("7 drift that is home", cell)
        for cell in CELLS:
            te = tip.events.get(cell, 0)
            here = (
                tip.tree.get(cell) is not None
                and self.owner[te] == "target"
                and te not in source.known | start.known
                and te not in self.blind | self.dropped
            )
            if (
                here
                and cell not in rel.drift
                and tip.tree.get(cell) not in (project(start).get(cell), project(source).get(cell))
            ):
                self._broken("7 drift not seen", cell)

    def _settled(self, cell, tip: Commit, source: Commit) -> bool:
        """Both have it already, and a person once settled a conflict in that place by hand."""
        return cell in self.by_hand and tip.tree.get(cell) == project(source).get(cell)

    def _broken(self, what: str, *about) -> None:
        self.counts[what] += 1
        if what != "blind":
            raise Broken(f"{what} {about}")

    def step(self, op) -> None:
        getattr(self, "op_" + op[0])(*op[1:])


# ---------------------------------------------------------------- random sequences
WEIGHTS = {
    "source": 5,
    "revert": 3,
    "reset": 1,
    "rewrite": 1,
    "own": 5,
    "owned": 1,
    "fork": 1,
    "pull": 1,
    "sync": 6,
    "import": 5,
    "land": 7,
    "rollback": 1,
    "lift": 2,
    "undo": 1,
    "stay": 1,
    "stale_sync": 1,
    "stale_status": 1,
}


def sequence(seed: int, length: int, leave_out=()) -> list:
    rng = random.Random(seed)
    names = [n for n in WEIGHTS if n not in leave_out]
    weights = [WEIGHTS[n] for n in names]
    start = ["copy", "sync", "own", "adopt"] if seed % 3 == 0 and "adopt" not in leave_out else ["sync"]
    return [(name, seed, seed, seed) for name in start] + [
        (rng.choices(names, weights)[0], rng.randrange(64), rng.randrange(64), rng.randrange(64)) for _ in range(length)
    ]


def play(ops, world: World | None = None) -> tuple[str, int, World]:
    """Do what a sequence says; return which promise broke, if one did, and after how many steps."""
    world = world or World()
    for number, op in enumerate(ops):
        try:
            world.step(op)
        except Broken as why:
            return str(why), number + 1, world
    return "", len(ops), world


# ---------------------------------------------------------------- sequences that every build must pass
def parsed(text: str) -> list:
    return [(n, *(int(x) for x in rest[:-1].split(","))) for n, rest in (one.split("(") for one in text.split())]


SCENARIOS = {
    "1 a person pulls with a merge: the sync stands on the second parent, and a line that the source reverted stays": (
        "sync(0,0,0) fork(0,0,0) source(19,7,23) sync(6,49,59) revert(22,24,19) pull(3,40,9) sync(22,57,14)"
    ),
    "2 an import that the source reverted before the sync: its line goes, and the next sync is quiet": (
        "sync(0,0,0) own(16,47,60) import(8,1,60) land(56,17,46) revert(61,61,11) sync(35,30,4)"
    ),
    "3 rollback to a source state from before an edit that came home; lift and sync bring that edit again": (
        "sync(0,0,0) own(53,32,40) import(51,17,7) land(56,2,55) sync(0,0,0) rollback(0,1,0) lift(0,0,0) sync(0,0,0)"
    ),
    "4 only the later one of two edits is imported, then reverted in the source: it goes, the other stays": (
        "sync(0,0,0) own(3,3,37) own(60,49,4) import(30,0,12) land(8,6,49) revert(5,0,0) sync(14,53,26)"
    ),
    "5 edits come home twice without a sync between, and the target takes its own back": (
        "sync(0,0,0) own(61,17,63) import(55,32,21) own(30,56,6) land(4,38,11) import(55,58,42) land(52,53,53)"
        " own(21,42,31) sync(40,16,32)"
    ),
    "6 a clone that is behind syncs: it takes nothing back": (
        "sync(0,0,0) own(50,32,3) source(0,45,15) sync(3,12,52) stale_sync(31,10,5) sync(55,17,44)"
    ),
    "7 part of an import with a change made in review: no conflict with what the source made of it": (
        "sync(0,0,0) own(12,33,29) own(39,35,53) import(58,56,42) land(24,59,19) own(59,60,24) sync(4,54,55)"
    ),
    "8 a sync undone after an import, the edit deleted in the target meanwhile: the deletion stays": (
        "sync(0,0,0) own(21,21,44) import(2,10,19) land(11,6,63) sync(26,44,58) own(51,42,45) undo(46,10,48)"
        " sync(14,5,53)"
    ),
}
