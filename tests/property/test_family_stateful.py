"""Whatever people do to source and Space, in any order, with everything the tool does in between: what must stay true.

After every step: no commit that any remote ever had is lost, the Space's own files are as their last editor left them,
and nothing came that no map carries. In the end both sides hold the same, and every clone says so.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from typing import get_args

import pytest

from tests.property.family_world import (
    ANSWERS,
    DONE,
    IMPORT,
    NO_ANSWER,
    OWN_FILES,
    PLACES,
    PRIVATE_FILES,
    REFUSED,
    SECRET,
    SOURCE_FILES,
    UNMAPPED_FILES,
    USAGE,
    Hosts,
    Way,
    World,
    changed,
    meant,
)
from tests.property.model_stories import chosen, text
from tests.property.model_world import Step
from tests.support.needs import IN_CI
from tests.support.repositories import ADA, GRACE
from tests.support.shim import Fault
from tests.support.writing import branch_tip
from tests.support.zygote import Zygote

WEIGHTS = {
    "edit_source": 6,
    "edit_what_is_not_carried": 2,
    "merge_a_branch": 2,
    "revert": 2,
    "reset": 1,
    "amend": 1,
    "remap": 2,
    "edit_target": 6,
    "edit_owned": 2,
    "edit_both": 2,
    "merge_in_target": 2,
    "stay": 1,
    "pull": 1,
    "sync": 6,
    "race": 2,
    "status": 1,
    "import_": 3,
    "land": 6,
    "rollback": 2,
    "lift": 4,
    "undo": 2,
    "release": 1,
    "kill": 6,
    "portal": 1,
    "fetch": 1,
    "stale_sync": 1,
    "stale_status": 1,
    "come_together": 1,
}
WORDS = ["".join(letters) for length in (1, 2, 3) for letters in itertools.product("abc", repeat=length)]
WAYS: tuple[Way, ...] = get_args(Way)
KILLS = (Fault.KILL_BEFORE, Fault.KILL_AFTER)
KILLED = (
    ("sync", "--yes"),
    ("import", "space"),
    ("rollback", "space", "--to", "FIRST", "--yes"),
    ("rollback", "space", "--lift", "--yes"),
    ("undo", "--yes"),
    ("release",),
)
ASKED = (("sync", "--yes"), ("status", "--json"), ("import", "space"), ("rollback", "space", "--lift", "--yes"))


class Steps:
    """What is done to a world; each method that takes a step is one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fork = ""

    def do(self, step: Step) -> None:
        """Do a step, and check what is true after each."""
        getattr(self, step.name)(step)
        self.world.check()

    def begin(self, step: Step) -> None:
        """Fill the Space by a sync, where the host made it or there is an app, too; or by hand, and adopt it."""
        world = self.world
        space, copied = world.family.space, step.a % 4 > 1
        if step.a % 4 == 0:
            space.git("update-ref", "refs/heads/main", "main^")
            world.own.clear()
        if copied:
            world.edit("Copy", dict(world.projection()))
            world.is_clean()
        if step.a % 4 == 3:
            world.edit(
                "Edit", {"training/model.py": changed(world.mapped(), "training/model.py", 3, "edited", gone=False)}
            )
        if copied:
            world.tool("adopt", "space", "--yes")
        else:
            self.sync(step)
        world.first = branch_tip(space)

    # ---- people on the source ----------------------------------------------------------------------------------------

    def edit_source(self, step: Step) -> None:
        path = SOURCE_FILES[step.a % 5]
        files = {path: self._changed_here(step)}
        self.world.commit(f"Source {path}", files, author=(ADA, GRACE)[step.a % 2])

    def edit_what_is_not_carried(self, step: Step) -> None:
        path = UNMAPPED_FILES[step.a % 2]
        self.world.commit(f"Not carried {path}", {path: WORDS[step.c % 39], **_private(step)})

    def merge_a_branch(self, step: Step) -> None:
        files = {SOURCE_FILES[step.a % 5]: self._changed_here(step), **_private(step)}
        self.world.merge_a_branch(files, {"core/notes.md": WORDS[step.c % 39] * 2})

    def revert(self, step: Step) -> None:
        line = self.world.line()[:6]
        if line:
            self.world.revert(line[step.a % len(line)])

    def reset(self, step: Step) -> None:
        line = [*self.world.line(), self.world.begun]
        self.world.rewind(line[min(1 + step.a % 2, len(line) - 1)])

    def amend(self, _: Step) -> None:
        self.world.amend()

    def remap(self, step: Step) -> None:
        """Move where a map writes, or take the map of the configuration away, or put it back."""
        pattern = [*PLACES][step.a % 2]
        to = PLACES[pattern][step.b % 2]
        self.world.remap(pattern, None if pattern.startswith("configs") and step.c % 3 == 0 else to)

    # ---- people on the Space -----------------------------------------------------------------------------------------

    def edit_target(self, step: Step) -> None:
        there = self.world.in_the_space(SOURCE_FILES[step.a % 5])
        self.world.edit(f"Edit {there}", {there: self._changed_there(step, there, gone=step.b % 4 == 0)})

    def edit_owned(self, step: Step) -> None:
        path = OWN_FILES[step.a % 3]
        self.world.edit(f"Own {path}", {path: WORDS[step.c % 39]})

    def edit_both(self, step: Step) -> None:
        there = self.world.in_the_space(SOURCE_FILES[step.a % 5])
        self.world.edit("Both", {there: self._changed_there(step, there), OWN_FILES[step.b % 3]: WORDS[step.c % 39]})

    def merge_in_target(self, step: Step) -> None:
        there = self.world.in_the_space(SOURCE_FILES[step.a % 5])
        change = self._changed_there(step, there)
        assert change is not None
        self.world.merge_in_the_space(there, WORDS[step.c % 39], change)

    def stay(self, _: Step) -> None:
        self.fork = branch_tip(self.world.family.space)

    def pull(self, step: Step) -> None:
        if self.fork and self.fork != branch_tip(self.world.family.space):
            there = self.world.in_the_space(SOURCE_FILES[step.a % 5])
            files = {
                there: changed(self.world.mapped(self.fork), there, 1 + step.b % 20, WORDS[step.c % 39], gone=False)
            }
            self.world.pull_in_the_space(self.fork, files)
        self.fork = ""

    def _changed_here(self, step: Step) -> str | None:
        path, gone = SOURCE_FILES[step.a % 5], step.b % 4 == 0
        return changed(self.world.source_files(), path, 1 + step.b % 20, WORDS[step.c % 39], gone=gone)

    def _changed_there(self, step: Step, there: str, *, gone: bool = False) -> str | None:
        return changed(self.world.mapped(), there, 1 + step.b % 20, WORDS[step.c % 39], gone=gone)

    # ---- the tool ----------------------------------------------------------------------------------------------------

    def sync(self, _: Step) -> None:
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

    def take_the_sources_side(self) -> None:
        """Settle a conflict in the Space: give its mapped files the content that the source has, and sync again."""
        world = self.world
        wanted = world.projection()
        gone: dict[str, str | bytes | None] = dict.fromkeys(world.mapped().keys() - wanted.keys())
        world.edit("Settle", {**gone, **wanted})
        world.tool("sync", "--yes")
        assert world.mapped() == wanted
        world.is_clean()

    def race(self, step: Step) -> None:
        """Sync, and somebody pushes to the Space meanwhile."""
        world = self.world
        if not world.hub:
            self.sync(step)
            return
        there = world.in_the_space(SOURCE_FILES[step.a % 5])
        files = {there: self._changed_there(step, there), OWN_FILES[step.b % 3]: WORDS[step.c % 39]}
        world.sandbox.hub.fault("POST /spaces/*/git-receive-pack", before=lambda: world.edit("Quicker", files))
        done = world.tool("sync", "--yes", codes=(DONE, REFUSED))
        world.sandbox.hub.faults.clear()
        if done.code == REFUSED and not world.held:
            self.take_the_sources_side()

    def status(self, _: Step) -> None:
        self.world.space_status()

    def import_(self, _: Step) -> None:
        self.world.tool("import", "space", codes=(DONE, REFUSED))

    def land(self, step: Step) -> None:
        """Bring an import to the source: one that waits since some steps ago, or a new one."""
        if f"refs/heads/{IMPORT}" not in self.world.family.clone.tips():
            self.import_(step)
        self.world.land(WAYS[step.a % len(WAYS)], carriage_returns=step.b % 2 == 0)

    def rollback(self, step: Step) -> None:
        """Go back to a commit of the source that the Space had, or to one of the Space's own."""
        world = self.world
        there = {*world.line(), world.begun}
        synced = [commit for commit in dict.fromkeys(world.synced) if commit in there]
        own = world.family.space.git("rev-list", "--first-parent", f"{world.first}..main").split()
        brought = bool(step.b % 2 and synced)
        commit = (synced if brought else [*own, world.first])[step.a % (len(synced) if brought else len(own) + 1)]
        files = world.projection(commit) if brought else world.mapped(commit)
        done = world.tool("rollback", "space", "--to", commit, "--yes", codes=(DONE, USAGE))
        if done.code == USAGE:  # the first sync, or the adoption, was undone
            assert "there is nothing to roll back" in done.err or ("No sync had reached" in done.err and not brought)
            return
        assert world.mapped() == files or "The maps of space were others at" in done.out
        world.held, world.clean = True, False
        if brought:
            world.is_clean()

    def lift(self, step: Step) -> None:
        """Lifting a hold changes no file; the next sync brings all that the source has."""
        world = self.world
        if world.held:
            mapped = world.mapped()
            world.tool("rollback", "space", "--lift", "--yes")
            assert world.mapped() == mapped
            world.held = False
            self.sync(step)

    def undo(self, _: Step) -> None:
        """Take back the last operation, as far as that can be; the Space gets a commit more, never one less."""
        self.world.tool("undo", "--yes", codes=ANSWERS)
        self.world.look_again()

    def release(self, _: Step) -> None:
        if self.world.commits_since_release >= 8:
            self.world.release()

    def kill(self, step: Step) -> None:
        """Killed or not, a command ends where the same one leads when it is left in peace."""
        world = self.world
        command, kill = KILLED[step.a % len(KILLED)], (1 + step.b % 45, KILLS[step.c % 2])
        if command == ("release",):
            world.release(kill)
            return
        named = tuple(world.first if word == "FIRST" else word for word in command)
        world.killed(*named, call=kill[0], fault=kill[1])
        if command[0] == "sync":
            self.sync(step)
        else:
            world.tool(*named, codes=ANSWERS)
            world.look_again()

    def portal(self, step: Step) -> None:
        """Where another page answers for a host, nothing changes, and no state is made up."""
        world, command = self.world, ASKED[step.a % len(ASKED)]
        away, named = ("main", "space")[step.b % 2], meant(world.family.clone, *command)
        tip = branch_tip(world.family.space)
        with world.away(away):
            done = world.run(*named, cwd=world.family.clone.path)
        assert done.code in {*ANSWERS, NO_ANSWER}, (named, done.code, done.err)
        assert command[0] == "rollback" or branch_tip(world.family.space) == tip
        if command[0] == "status" and away == "space":
            states = {repo["name"]: repo["state"] for repo in done.json()["repos"]}
            assert states["space"] in {"unreachable", "unknown"}
        if command[0] == "rollback":
            world.look_again()

    # ---- a second clone ----------------------------------------------------------------------------------------------

    def fetch(self, _: Step) -> None:
        self.world.fetch()

    def stale_sync(self, _: Step) -> None:
        """A clone that is behind brings what it has, or nothing: it takes nothing back."""
        world = self.world
        before, mine, has = world.mapped(), branch_tip(world.behind), world.stated()
        world.tool("sync", "--yes", codes=(DONE, REFUSED), clone=world.behind)
        if mine not in world.line() or has in world.line()[: world.line().index(mine)]:
            assert world.mapped() == before

    def stale_status(self, _: Step) -> None:
        """To a clone that is behind, what the source brought is nobody's drift."""
        state = self.world.space_status(self.world.behind)["state"]
        assert not self.world.clean or state not in {"drift", "diverged"}

    # ---- the end -----------------------------------------------------------------------------------------------------

    def come_together(self, step: Step) -> None:
        """After an import and a sync both sides hold the same, and a second import and sync find nothing to do."""
        world = self.world
        self.lift(step)
        if world.unsure or f"refs/heads/{IMPORT}" in world.family.clone.tips():  # the Space may have gone on since
            world.bring_home()
            self.sync(step)
        done = world.bring_home()
        # Edits below holds that were undone and ended again, or of what the source changed since: settled by a sync.
        if done.code == REFUSED or " then." in done.out:
            self.sync(step)
            world.bring_home()
        world.tool("sync", "--yes")
        assert world.mapped() == world.projection()
        world.is_clean()
        world.unsure = False
        tips = [branch_tip(bare) for bare in world.remotes.values()]
        assert world.bring_home().code == DONE
        done = world.tool("sync", "--yes")
        assert "space: up to date" in done.out
        assert [branch_tip(bare) for bare in world.remotes.values()] == tips
        assert world.space_status()["state"] == "in sync"

    def end(self, step: Step) -> None:
        """All comes together, and the second clone says so, too."""
        self.come_together(step)
        self.world.fetch()
        assert self.world.space_status(self.world.behind)["state"] == "in sync"
        self.world.check_whole_history()


def _private(step: Step) -> dict[str, bytes]:
    return {PRIVATE_FILES[step.b % 3]: SECRET + WORDS[step.c % 39].encode()}


STEPS = 100
SOAK = int(os.environ.get("SOAK_RUNS") or 0)
RUNS = SOAK or (20 if IN_CI else 4)  # the same ones each time; `make soak`: many, new ones


def play(history: str, hosts: Hosts, steps: Sequence[Step], zygote: Zygote) -> None:
    """Do all steps; where one fails, say which came before."""
    world = World(history, hosts, zygote)
    made = Steps(world)
    try:
        for number, step in enumerate(steps):
            try:
                made.do(step)
            except Exception as error:
                error.add_note(f"{history}, {hosts}, after {number} steps: {text(steps[: number + 1])}")
                raise
    finally:
        world.close()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Return a tool that is loaded, to be killed."""
    with Zygote() as made:
        yield made


@pytest.mark.parametrize("run", range(RUNS))
def test_nothing_is_lost_and_all_comes_together(run: int, zygote: Zygote, pytestconfig: pytest.Config) -> None:
    seed = run + (int(pytestconfig.option.hypothesis_seed) if SOAK else 0)
    steps = [*chosen(seed, 1, {"begin": 1}), *chosen(seed, STEPS, WEIGHTS), Step("end")]
    hub = seed % 4 == 0 and (IN_CI or SOAK)  # over HTTP, which takes more than twice as long
    play(("full", "squash")[(seed + seed // 4) % 2], "hub" if hub else "folders", steps, zygote)
