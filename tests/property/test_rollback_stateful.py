"""Syncs, edits, rollbacks and lifts in any order: nothing is lost, and what the Space owns is its own."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import precondition, rule

from tests.property.test_sync_stateful import SyncMachine


class RollbackMachine(SyncMachine):
    """The machine of syncs, with rollbacks to any source commit that the Space ever had, and to commits of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.synced: list[str] = []
        self.held = False

    def sync(self) -> None:
        """Sync; a Space that is held is left alone."""
        if not self.held:
            super().sync()
            self.synced.append(self.family.clone.tip("HEAD"))
            return
        before = self.family.space.tip("main")
        done = self.family.sync()
        assert (done.code, "held at" in done.out) == (0, True), (done.out, done.err)
        assert self.family.space.tip("main") == before
        assert self.family.sync("space").code == 3

    def _run(self, *args: str) -> None:
        before = self.family.space.tip("main")
        done = self.family.run("rollback", "space", *args, cwd=self.family.clone.path)
        assert done.code == 0, (done.out, done.err)
        self.ever |= {before, self.family.space.tip("main")}
        self.check()

    @precondition(lambda self: self.synced)
    @rule(data=st.data())
    def roll_back_to_a_source_commit(self, data: st.DataObject) -> None:
        commit = data.draw(st.sampled_from(sorted(set(self.synced))))
        self._run("--to", commit)
        files = self.family.clone.files(commit)
        wanted = {path.replace("core/src/", "training/"): files[path] for path in files if path in SOURCE}
        assert self._mapped() == wanted
        self.held, self.clean = True, True

    @precondition(lambda self: self.synced)
    @rule(data=st.data())
    def roll_back_to_a_commit_of_the_space(self, data: st.DataObject) -> None:
        """Any commit since the first sync, as its own log has it."""
        own = self.family.space.git("log", "--first-parent", "--format=%H", "main").split()
        commit = data.draw(st.sampled_from(own[:-1]))
        files = self.family.space.files(commit)
        self._run("--to", commit)
        assert self._mapped() == {path: data for path, data in files.items() if path in MAPPED}
        self.held, self.clean = True, False

    @precondition(lambda self: self.held)
    @rule()
    def lift(self) -> None:
        """The next sync brings all that the source has: without edits, exactly that."""
        mapped = self._mapped()
        self._run("--lift")
        assert self._mapped() == mapped
        self.held = False
        self.sync()


SOURCE = ("core/src/model.py", "core/src/train.py", "core/src/new.py", "configs/small.json", "configs/big.json")
MAPPED = tuple(path.replace("core/src/", "training/") for path in SOURCE)


class SquashedRollbackMachine(RollbackMachine):
    """The same with one commit per sync."""

    history = "squash"


# No shrinking: each step is dozens of git calls, and what failed is printed step by step.
LONG = settings(
    max_examples=8, stateful_step_count=14, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
TestFull = pytest.mark.slow(RollbackMachine.TestCase)
TestFull.settings = LONG
TestSquash = pytest.mark.slow(SquashedRollbackMachine.TestCase)
TestSquash.settings = LONG
