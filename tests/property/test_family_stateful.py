"""Whatever people do to source and Space, in any order, with everything the tool does in between: what must stay true.

After every step: no commit that any remote ever had is lost, the Space's own files are as their last editor left them,
and nothing came that no map carries. In the end both sides hold the same.
"""

from __future__ import annotations

import os

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.property.family_world import (
    DIFFERS,
    DONE,
    KILLED,
    OWN_FILES,
    PRIVATE_FILES,
    REFUSED,
    SECRET,
    SOURCE_FILES,
    UNMAPPED_FILES,
    USAGE,
    World,
    changed,
    in_the_space,
)
from tests.support.needs import IN_CI
from tests.support.repositories import ADA, GRACE, Person
from tests.support.shim import Fault
from tests.support.writing import branch_tip
from tests.support.zygote import Zygote

LINES = st.integers(1, 20)
WORDS = st.text("abc", min_size=1, max_size=3)
MAPPED = st.sampled_from(SOURCE_FILES)
SECRETS = WORDS.map(lambda word: SECRET + word.encode())
ANSWERS = (DONE, DIFFERS, USAGE, REFUSED)
KILLABLE = (
    ("import", "space"),
    ("rollback", "space", "--to", "FIRST", "--yes"),
    ("rollback", "space", "--lift", "--yes"),
    ("undo", "--yes"),
)
KILLS = st.sampled_from((Fault.KILL_BEFORE, Fault.KILL_AFTER))


class FamilyMachine(RuleBasedStateMachine):
    """One source, one Space and one model; `history` says how the Space is filled."""

    history = "full"
    zygote: Zygote

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.history, self.zygote)

    def teardown(self) -> None:
        try:
            self.come_together()
            self.world.check()
            self.world.check_whole_history()
        finally:
            self.world.close()

    @initialize(copied=st.booleans(), edited=st.booleans())
    def begin(self, copied: bool, edited: bool) -> None:
        """Fill the Space by a sync, or by hand and then adopt it."""
        world = self.world
        if copied:
            world.edit("Copy", dict(world.projection()))
            world.clean = True
        if copied and edited:
            self.edit_a_mapped_file_in_the_space("core/src/model.py", 3, "edited", False)
        if copied:
            world.tool("adopt", "space", "--yes")
        else:
            self.sync()
        world.first = branch_tip(world.family.space)

    # ---- people ------------------------------------------------------------------------------------------------------

    @rule(path=MAPPED, line=LINES, word=WORDS, gone=st.booleans(), author=st.sampled_from((ADA, GRACE)))
    def change_a_mapped_file(self, path: str, line: int, word: str, gone: bool, author: Person) -> None:
        change = {path: changed(self.world.source_files(), path, line, word, gone=gone)}
        self.world.commit(f"Source {path}", change, author=author)

    @rule(path=st.sampled_from(UNMAPPED_FILES), word=WORDS, private=st.sampled_from(PRIVATE_FILES), secret=SECRETS)
    def change_what_is_not_carried(self, path: str, word: str, private: str, secret: bytes) -> None:
        self.world.commit(f"Not carried {path}", {path: word, private: secret})

    @rule(path=MAPPED, private=st.sampled_from(PRIVATE_FILES), secret=SECRETS, word=WORDS, line=LINES)
    def merge_a_branch(self, path: str, private: str, secret: bytes, word: str, line: int) -> None:
        files = {path: changed(self.world.source_files(), path, line, word, gone=False), private: secret}
        self.world.merge_a_branch(files, {"core/notes.md": word + word})

    @rule(path=MAPPED, line=LINES, word=WORDS, gone=st.booleans())
    def edit_a_mapped_file_in_the_space(self, path: str, line: int, word: str, gone: bool) -> None:
        there = in_the_space(path)
        self.world.edit(f"Edit {there}", {there: changed(self.world.mapped(), there, line, word, gone=gone)})

    @rule(path=st.sampled_from(OWN_FILES), word=WORDS)
    def edit_an_own_file_in_the_space(self, path: str, word: str) -> None:
        self.world.edit(f"Own {path}", {path: word})

    @rule(path=MAPPED, own=st.sampled_from(OWN_FILES), line=LINES, word=WORDS)
    def edit_both_in_the_space(self, path: str, own: str, line: int, word: str) -> None:
        there = in_the_space(path)
        change = changed(self.world.mapped(), there, line, word, gone=False)
        self.world.edit("Both", {there: change, own: word})

    @rule(path=MAPPED, line=LINES, word=WORDS)
    def merge_a_branch_in_the_space(self, path: str, line: int, word: str) -> None:
        there = in_the_space(path)
        change = changed(self.world.mapped(), there, line, word, gone=False)
        assert change is not None
        self.world.merge_in_the_space(there, word, change)

    # People do more than the tool does, and it takes less time: these count three times where a step is chosen.
    changed_again = changed_once_more = change_a_mapped_file
    edited_again = edited_once_more = edit_a_mapped_file_in_the_space
    owned_again = owned_once_more = edit_an_own_file_in_the_space
    both_again = both_once_more = edit_both_in_the_space

    # ---- the tool ----------------------------------------------------------------------------------------------------

    @rule()
    def sync(self) -> None:
        world = self.world
        before = world.family.space.tip("main")
        if world.held:
            done = world.tool("sync", "--yes")
            assert "held at" in done.out
            assert world.family.space.tip("main") == before
            return
        done = world.tool("sync", "--yes", codes=(DONE, REFUSED))
        after = world.family.space.tip("main")
        if done.code == REFUSED:
            assert after == before
            assert not world.clean, f"a conflict, though only the source changed anything: {done.out}"
            assert "changed" in done.out
            self.take_the_sources_side()
            return
        assert ("up to date" in done.out) == (after == before)
        world.synced.append(branch_tip(world.family.origin))
        if world.clean:
            assert world.mapped() == world.projection()

    def sync_or_settle(self) -> None:
        if self.world.tool("sync", "--yes", codes=(DONE, REFUSED)).code == REFUSED:
            self.take_the_sources_side()

    def take_the_sources_side(self) -> None:
        """Settle a conflict in the Space: give its mapped files the content that the source has, and sync again."""
        world = self.world
        wanted = world.projection()
        gone: dict[str, str | bytes | None] = dict.fromkeys(world.mapped().keys() - wanted.keys())
        world.edit("Settle", {**gone, **wanted})
        world.tool("sync", "--yes")
        assert world.mapped() == wanted
        world.clean = True

    @rule(path=MAPPED, line=LINES, word=WORDS, own=st.sampled_from(OWN_FILES))
    def somebody_pushes_during_a_sync(self, path: str, line: int, word: str, own: str) -> None:
        world = self.world
        there = in_the_space(path)

        def push() -> None:
            change = changed(world.mapped(), there, line, word, gone=False)
            world.edit("Quicker", {there: change, own: word})

        world.sandbox.hub.fault(match="POST /spaces/*/git-receive-pack", before=push)
        done = world.tool("sync", "--yes", codes=(DONE, REFUSED))
        world.sandbox.hub.faults.clear()
        if done.code == REFUSED and not world.held:
            self.take_the_sources_side()

    @rule(call=st.integers(1, 45), fault=KILLS)
    def a_sync_is_killed(self, call: int, fault: Fault) -> None:
        done = self.world.killed("sync", "--yes", call=call, fault=fault)
        assert done.code in {DONE, REFUSED, KILLED}, (done.out, done.err)
        self.world.check()
        self.sync()

    @rule(command=st.sampled_from(KILLABLE), call=st.integers(1, 45), fault=KILLS)
    def something_else_is_killed(self, command: tuple[str, ...], call: int, fault: Fault) -> None:
        """Killed or not, it ends where the same command leads when it is left in peace."""
        world = self.world
        named = tuple(world.first if word == "FIRST" else word for word in command)
        done = world.killed(*named, call=call, fault=fault)
        assert done.code in {*ANSWERS, KILLED}, (done.out, done.err)
        world.check()
        world.tool(*named, codes=ANSWERS)
        world.look_again()

    @rule()
    def undo(self) -> None:
        """Take back the last operation, as far as that can be; the Space gets a commit more, never one less."""
        self.world.tool("undo", "--yes", codes=ANSWERS)
        self.world.look_again()

    @rule(data=st.data())
    @precondition(lambda self: self.world.synced)
    def roll_back_to_a_commit_of_the_source(self, data: st.DataObject) -> None:
        world = self.world
        commit = data.draw(st.sampled_from(sorted(set(world.synced))))
        world.tool("rollback", "space", "--to", commit, "--yes")
        assert world.mapped() == world.projection(commit)
        world.held = world.clean = True

    @rule(data=st.data())
    def roll_back_to_a_commit_of_the_space(self, data: st.DataObject) -> None:
        world = self.world
        own = world.family.space.git("rev-list", "--first-parent", f"{world.first}..main").split()
        commit = data.draw(st.sampled_from([world.first, *own]))
        files = world.mapped(commit)
        done = world.tool("rollback", "space", "--to", commit, "--yes", codes=(DONE, USAGE))
        if done.code == USAGE:
            assert "No sync had reached space at" in done.err, (
                "a commit between an adoption that was undone and the next"
            )
            return
        assert world.mapped() == files
        world.held, world.clean = True, False

    @rule()
    @precondition(lambda self: self.world.held)
    def let_go(self) -> None:
        """Lifting a hold changes no file; the next sync brings all that the source has."""
        world = self.world
        mapped = world.mapped()
        world.tool("rollback", "space", "--lift", "--yes")
        assert world.mapped() == mapped
        world.held = False
        self.sync()

    @rule()
    def import_and_merge(self) -> None:
        self.world.bring_home()

    @rule()
    def come_together(self) -> None:
        """After an import and a sync both sides hold the same, and a second import and sync find nothing to do."""
        world = self.world
        if world.held:
            self.let_go()
        if "refs/heads/import/space" in world.family.clone.tips():  # an older import: the Space may have gone on since
            world.bring_home()
            self.sync_or_settle()
        if world.bring_home().code == REFUSED:  # edits below holds that were undone and ended again: settled by a sync
            self.sync_or_settle()
            world.bring_home()
        world.tool("sync", "--yes")
        assert world.mapped() == world.projection()
        world.clean = True
        tips = [branch_tip(bare) for bare in world.remotes.values()]
        again = world.bring_home()
        assert again.code == DONE
        done = world.tool("sync", "--yes")
        assert "space: up to date" in done.out
        assert [branch_tip(bare) for bare in world.remotes.values()] == tips
        said = {repo["name"]: repo["state"] for repo in world.tool("status", "--json").json()["repos"]}
        assert said["space"] == "in sync"

    @rule()
    @precondition(lambda self: self.world.commits_since_release >= 8)
    def release(self) -> None:
        self.world.release()

    @invariant()
    def nothing_is_lost(self) -> None:
        self.world.check()


class SquashMachine(FamilyMachine):
    """The same with one commit a sync."""

    history = "squash"


# No shrinking: each step is dozens of git calls, and what failed is printed step by step.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
STEPS = 100
SOAK = int(os.environ.get("SOAK_RUNS") or 0)
RUNS = SOAK or (10 if IN_CI else 2)  # of each kind of history, the same ones each time; `make soak`: many, new ones


def _run(machine: type[FamilyMachine], *, runs: int) -> None:
    again = settings(max_examples=runs, stateful_step_count=STEPS, deadline=None, phases=PHASES, derandomize=not SOAK)
    with Zygote() as zygote:
        machine.zygote = zygote
        run_state_machine_as_test(machine, settings=again)


@pytest.mark.parametrize("machine", [FamilyMachine, SquashMachine])
def test_nothing_is_lost_and_all_comes_together(machine: type[FamilyMachine]) -> None:
    _run(machine, runs=RUNS)
