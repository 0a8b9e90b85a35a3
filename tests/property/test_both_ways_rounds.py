"""Sync, import, rollback and lift at random, by clones that take turns: each line is as one who counts along says.

Both sides edit lines of one file that are far apart. Who counts along knows for each line what the source has, what the
Space has, and what both had last; from these follows what a merge makes of it, and where it has to stop.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.support.family import text
from tests.support.needs import IN_CI
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.family import Family
    from tests.support.process import Result

MODEL, THERE = "core/src/model.py", "training/model.py"
LINES = (2, 7, 12, 17)
Lines = dict[int, str]


def written(lines: Lines) -> str:
    """Return the file with these lines."""
    return text(**{f"l{line}": word for line, word in lines.items()})


@dataclass(slots=True)
class Branch:
    """An import that waits to be merged: what the Space had, the source commit that it starts from, and its drift."""

    theirs: Lines
    start: Lines
    drift: dict[int, str]


@dataclass
class Counting:
    """A family, and what each line of it must be.

    Attributes:
        source: the lines of the source.
        space: the lines of the Space.
        both: the lines that both had last.
        brought: the lines that the last sync, or rollback, brought.
        synced: source commits that the Space had, and their lines.
        held: whether the Space is held.
        waiting: an import whose branch is not merged yet.
        number: counts what was made.
        done: what was done so far.
    """

    family: Family
    chance: random.Random
    folder: Path
    source: Lines = field(default_factory=lambda: {line: f"line {line}" for line in LINES})
    space: Lines = field(default_factory=dict)
    both: Lines = field(default_factory=dict)
    brought: Lines = field(default_factory=dict)
    synced: dict[str, Lines] = field(default_factory=dict)
    held: bool = False
    waiting: Branch | None = None
    number: int = 0
    done: list[str] = field(default_factory=list)

    def begin(self) -> None:
        self.family.synced()
        self.space, self.both, self.brought = dict(self.source), dict(self.source), dict(self.source)
        self.synced[self.family.clone.tip()] = dict(self.source)

    def run(self, *args: str, codes: tuple[int, ...] = (0,), fresh: bool = True) -> Result:
        """Run a command in the person's clone, or in one that was made a moment ago, as on a build machine."""
        place = self.family.clone.path
        if fresh and args[0] != "import" and self.chance.random() < 0.4:
            self.number += 1
            built = Clone.of(self.family.origin.url, self.folder / f"fresh{self.number}")
            built.write({"repos.toml": (place / "repos.toml").read_text()})
            place = built.path
        self.last = done = self.family.run(*args, cwd=place)
        self.done.append(f"{' '.join(args)} ({place.name}) -> {done.code}")
        assert done.code in codes, self.told(done.out + done.err)
        return done

    def edit_source(self) -> None:
        """Change a line, or take it back to what it was at first."""
        line = self.chance.choice(LINES)
        self.number += 1
        self.source[line] = self.chance.choice((f"source {self.number}", f"line {line}"))
        self.done.append(f"source {line}: {self.source[line]}")
        self.family.commit("Source", {MODEL: written(self.source), "docs/note.txt": f"{self.number}"})

    def edit_space(self) -> None:
        line = self.chance.choice(LINES)
        self.number += 1
        self.space[line] = f"space {self.number}"
        self.done.append(f"space {line}: {self.space[line]}")
        self.family.edit("Space", {THERE: written(self.space)})

    @property
    def torn(self) -> bool:
        """Whether both sides changed a line in different ways."""
        rows = zip(self.source.values(), self.space.values(), self.both.values(), strict=True)
        return any(source != space and both not in {source, space} for source, space, both in rows)

    def sync(self, *, fresh: bool = True) -> None:
        if self.held:
            self.run("sync", "--yes")
            return
        if self.torn:
            self.run("sync", "--yes", codes=(3,), fresh=fresh)
            return
        self.run("sync", "--yes", fresh=fresh)
        for at in LINES:
            if self.space[at] == self.both[at]:
                self.space[at] = self.source[at]
        self.both, self.brought = dict(self.source), dict(self.source)
        if self.space == self.source:
            self.synced[self.family.clone.tip()] = dict(self.source)

    def import_(self) -> None:
        if self.waiting is not None:
            return
        done = self.run("import", "space", "--json", codes=(0, 3) if self.torn else (0,))
        if done.code:
            return
        facts = done.json()
        drift = {at: self.space[at] for at in LINES if self.space[at] != self.both[at]}
        if facts["action"] == "nothing":
            assert not drift, self.told()
            return
        start = self.lines_at(facts["base"])
        self.waiting = Branch(dict(self.space), start, drift)

    def lines_at(self, commit: str) -> Lines:
        rows = self.family.clone.read(MODEL, commit).decode().splitlines()
        return {at: rows[at - 1] for at in LINES}

    def merge(self) -> None:
        """Merge the branch where that goes without a conflict; else drop it."""
        branch, clone = self.waiting, self.family.clone
        if branch is None:
            return
        self.waiting = None
        how = self.chance.choice(("--no-ff", "--squash"))
        torn = clone.run("merge", "-q", "--no-edit", how, "import/space", ok=(0, 1)).code
        if torn:
            clone.git("reset", "-q", "--merge")
        elif how == "--squash":
            message = clone.git("log", "--reverse", "--format=%B", "main..import/space")
            clone.run("commit", "-q", "--allow-empty", "-F", "-", data=f"Squashed\n\n{message}".encode())
        clone.git("branch", "-q", "-D", "import/space")
        self.family.push()
        self.done.append(f"merge {how} -> {torn}")
        if torn:
            return
        for at in LINES:
            if branch.theirs[at] != branch.start[at]:
                self.source[at] = branch.theirs[at]
        self.both |= branch.drift

    def roll_back(self, *, fresh: bool = True) -> None:
        commit = self.chance.choice(sorted(self.synced))
        self.run("rollback", "space", "--to", commit, "--yes", fresh=fresh)
        self.space, self.both, self.brought = (dict(self.synced[commit]) for _ in range(3))
        self.held = True
        if self.waiting is not None:
            self.waiting.drift.clear()

    def sync_and_undo(self) -> None:
        """Sync, and take that back: the Space is behind again."""
        if self.held or self.both != self.brought:
            return
        before = dict(self.space), dict(self.both)
        self.sync(fresh=False)
        if self.space != before[0]:
            self.run("undo", "--yes", fresh=False)
            self.space, self.both = before
            self.brought = dict(self.both)

    def roll_back_and_undo(self) -> None:
        """Roll back, and take that back: all is as before."""
        if self.both != self.brought:
            return
        before = dict(self.space), dict(self.both), self.held
        waiting = self.waiting and dict(self.waiting.drift)
        self.roll_back(fresh=False)
        if "already" in self.last.out:
            return
        self.run("undo", "--yes", fresh=False)
        self.space, self.both, self.held = before
        self.brought = dict(self.both)
        if self.waiting is not None:
            self.waiting.drift |= waiting or {}

    def lift(self) -> None:
        if self.held:
            self.run("rollback", "space", "--lift", "--yes")
            self.held = False

    def check(self) -> None:
        seen = self.family.space.read(THERE).decode()
        assert seen == written(self.space), self.told(seen)
        assert self.family.origin.read(MODEL).decode() == written(self.source), self.told()

    def told(self, more: str = "") -> str:
        """Return what was done and what must be true."""
        return "\n".join([*self.done, more, f"source {self.source}", f"space {self.space}", f"both {self.both}"])


@pytest.mark.parametrize(
    ("seed", "history"),
    [
        (6, "full"),
        (3, "squash"),
        *(pytest.param(seed, how, marks=pytest.mark.slow) for seed in range(7, 17) for how in ("full", "squash")),
    ],
)
def test_each_line_is_as_one_who_counts_along_says(family: Family, tmp_path: Path, history: str, seed: int) -> None:
    family.manifest(settings=f'history = "{history}"')
    counting = Counting(family, random.Random(seed), tmp_path)
    counting.begin()
    often = [counting.edit_source, counting.edit_space, counting.sync, counting.import_, counting.merge]
    seldom = [counting.roll_back, counting.lift, counting.lift, counting.sync_and_undo, counting.roll_back_and_undo]
    for _ in range(40 if IN_CI else 20):
        counting.chance.choice([*often, *often, *often, *seldom])()
        counting.check()
