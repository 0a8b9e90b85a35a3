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

CALLS = 17
"""How many times an undo of one sync calls git. With the code the number changes."""

JOURNAL = 7  # the calls from the journal on, at the end
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
