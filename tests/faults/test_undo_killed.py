"""An undo that is killed at any of its git calls: the log says what is true once the next run has asked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.family import Family
from tests.support.inprocess import run_in_process
from tests.support.logged import unfinished
from tests.support.process import Result
from tests.support.repositories import Bare, Clone
from tests.support.sealed import SealedHome
from tests.support.shim import Fault, GitShim
from tests.support.zygote import Zygote

CALLS = 16
"""How many times an undo of one sync calls git. With the code the number changes."""

JOURNAL = 7  # the calls from the log on, at the end
PUSH = 13  # the push itself
HOST = "ssh://git@example.org/"


@dataclass
class Scene:
    """A copy of the prepared family, with a shim before the git of the tool."""

    clone: Clone
    space: Bare
    shim: GitShim
    zygote: Zygote

    def run(self, *args: str, hurt: bool = False) -> Result:
        """Run the tool with git as it is, or with the one that can be hurt."""
        path = os.environ["PATH"].removeprefix(self.shim.path(""))
        return self.zygote.run(*args, cwd=self.clone.path, env={} if hurt else {"PATH": path})

    def log(self) -> list[dict[str, Any]]:
        """Return the log, newest first."""
        found: list[dict[str, Any]] = self.run("log", "--json").json()["operations"]
        return found


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Return a loaded tool that forks for each run."""
    with Zygote() as made:
        yield made


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a family that was synced twice; the manifest names a host that does not exist."""
    folder = tmp_path_factory.mktemp("undo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_COUNT", "1")
        patch.setenv("GIT_CONFIG_KEY_0", f"url.{folder.as_uri()}/.insteadOf")
        patch.setenv("GIT_CONFIG_VALUE_0", HOST)

        def run(*args: str | Path, cwd: Path | None = None, data: bytes = b"") -> Result:
            return run_in_process(*args, cwd=cwd or folder, data=data)

        family = Family.make(folder, run)
        family.urls = {"main": f"{HOST}origin.git", "space": f"{HOST}space.git"}
        family.manifest()
        family.commit("Manifest")
        family.synced()
        family.commit("Second", {"core/src/new.py": "new\n"})
        family.synced()
    return folder


@pytest.fixture
def scene(tmp_path: Path, prepared: Path, home: SealedHome, shim: GitShim, zygote: Zygote) -> Scene:
    """Return a copy of the prepared family."""
    for name in ("clone", "origin.git", "space.git"):
        shutil.copytree(prepared / name, tmp_path / name)
    home.instead_of(HOST, f"{tmp_path.as_uri()}/")
    return Scene(Clone(tmp_path / "clone"), Bare(tmp_path / "space.git"), shim, zygote)


@pytest.mark.slow
def test_the_number_of_git_calls_is_known(scene: Scene) -> None:
    assert scene.run("undo", "--yes", hurt=True).code == 0
    calls = [call.rpartition("logOutputEncoding=UTF-8 ")[2] for call in scene.shim.calls()]
    assert len(calls) == CALLS, "\n".join(calls)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault.KILL_BEFORE, Fault.KILL_AFTER])
@pytest.mark.parametrize("call", range(CALLS - JOURNAL, CALLS + 1))
def test_an_undo_that_was_killed_has_come_or_not_and_the_log_knows(scene: Scene, call: int, fault: Fault) -> None:
    before = scene.space.tip("main")
    scene.shim.arm(call, fault)
    assert scene.run("undo", "--yes", hurt=True).code in {-9, 0}
    between = scene.space.tip("main")
    begun = [move["outcome"] for one in scene.log() if one["undoes"] for move in one["moves"]]
    assert begun in ([], ["begun"], ["moved"])
    assert begun != ["moved"] or between != before

    assert scene.run("sync", "--yes").code == 0
    outcomes = [move["outcome"] for one in scene.log() if one["undoes"] for move in one["moves"]]
    assert outcomes in ([["moved"]] if between != before else [[], ["refused"]])
    assert not unfinished(scene.clone.path)
    assert scene.space.read("training/new.py") == b"new\n"
    scene.space.git("merge-base", "--is-ancestor", between, "main")
    assert scene.run("undo", "--yes").code == 0
    assert "training/new.py" not in scene.space.paths()


@pytest.mark.parametrize("call", [PUSH, *(pytest.param(call, marks=pytest.mark.slow) for call in range(1, CALLS + 1))])
def test_an_undo_that_was_killed_and_is_run_again_takes_back_one_operation(scene: Scene, call: int) -> None:
    second, before = (one["operation"] for one in scene.log())
    tips = [scene.space.tip("main")]
    scene.shim.arm(call, Fault.KILL_AFTER)
    killed = scene.run("undo", "--yes", hurt=True).code == -9
    tips.append(scene.space.tip("main"))
    again = scene.run("undo", "--yes") if killed else None
    tips.append(scene.space.tip("main"))
    assert scene.space.paths() == ["configs/small.json", "training/model.py", "training/train.py"]
    assert len(set(tips)) == 2, "one commit takes one operation back"
    landed = tips[0] != tips[1]
    if again is not None:
        assert (again.code, f"{second}  sync" in again.out) == (0, True)
        if landed:
            assert f"{second}  sync\nwas taken back already, by " in again.out
            told = f"space: an earlier undo {second} did not end; its push landed" in again.err
            assert told == (call < CALLS), "the last call is made when the outcome is in the log"
    assert not unfinished(scene.clone.path)

    further = scene.run("undo", "--yes")
    assert (further.code, f"{before}  sync" in further.out) == (0, True)
    assert scene.space.paths() == []


def test_an_undo_that_was_killed_and_is_named_again_is_done(scene: Scene) -> None:
    second = scene.log()[0]["operation"]
    scene.shim.arm(PUSH, Fault.KILL_AFTER)
    assert scene.run("undo", second, "--yes", hurt=True).code == -9
    asked = scene.run("undo", second, "--dry-run")
    assert (asked.code, "has not ended, so it is not known what it did" in asked.err) == (30, True)
    done = scene.run("undo", second, "--yes", "--json")
    assert (done.code, done.json()["earlier"]) == (0, scene.log()[0]["operation"])
    assert scene.log()[0]["done"] is True
    again = scene.run("undo", second, "--yes")
    assert (again.code, "was taken back by" in again.err) == (2, True)
