"""A release that is hurt at any of its git calls: the source has its tag last or not at all; the next run ends it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.inprocess import run_in_process
from tests.support.logged import unfinished
from tests.support.process import Result
from tests.support.releases import ORDER, Releases
from tests.support.repositories import Bare, Clone
from tests.support.sealed import SealedHome
from tests.support.shim import Fault, GitShim
from tests.support.zygote import Zygote

CALLS = 128
"""How many times a release with one sync calls git. With the code the number changes."""

HOST = "ssh://git@example.org/"

# Killed before a call is killed after the one before it, but for what the tool itself does in between: that matters
# from the first push on. Until then nothing has left this machine, and what fails is heard alike wherever it does:
# there every third call stands for its neighbours.
PUSHES = 65
HURT = [
    *((call, Fault.FAIL) for call in range(1, CALLS + 1, 3)),
    *((call, Fault.KILL_AFTER) for call in (*range(1, PUSHES, 3), *range(PUSHES, CALLS + 1))),
    *((call, Fault.KILL_BEFORE) for call in range(PUSHES, CALLS + 1, 3)),
]
SAMPLE = [(call, Fault.KILL_AFTER) for call in range(PUSHES, CALLS, 24)]


@dataclass
class Scene:
    """A copy of the prepared family, with a shim before the git of the tool."""

    releases: Releases
    shim: GitShim
    zygote: Zygote

    def release(self) -> Result:
        """Release with the git that can be hurt."""
        return self.zygote.run("release", "1.0.0", "--yes", cwd=self.releases.clone.path)

    def release_again(self) -> Result:
        """Release with git as it is."""
        path = os.environ["PATH"].removeprefix(self.shim.path(""))
        return self.zygote.run("release", "1.0.0", "--yes", cwd=self.releases.clone.path, env={"PATH": path})


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Return a loaded tool that forks for each run."""
    with Zygote() as made:
        yield made


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a family before its first release; its Space was synced once and lacks one commit.

    The manifest names a host that does not exist; each test says where its copies are.
    """
    folder = tmp_path_factory.mktemp("release")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_COUNT", "1")
        patch.setenv("GIT_CONFIG_KEY_0", f"url.{folder.as_uri()}/.insteadOf")
        patch.setenv("GIT_CONFIG_VALUE_0", HOST)
        made = Releases.make(
            folder,
            lambda *args, cwd=None, data=b"": run_in_process(*args, cwd=cwd or folder, data=data),
            urls={name: f"{HOST}{name}.git" for name in ORDER},
        )
        assert made.run("sync", "--yes", cwd=made.clone.path).code == 0
        made.commit("More", {"core/src/more.py": "more\n"})
    return folder


@pytest.fixture
def scene(tmp_path: Path, prepared: Path, home: SealedHome, shim: GitShim, zygote: Zygote) -> Scene:
    """Return a copy of the prepared family."""
    for name in ("clone", *(f"{name}.git" for name in ORDER)):
        shutil.copytree(prepared / name, tmp_path / name)
    home.instead_of(HOST, f"{tmp_path.as_uri()}/")
    remotes = {name: Bare(tmp_path / f"{name}.git") for name in ORDER}
    run = run_in_process
    return Scene(
        Releases(
            tmp_path,
            lambda *args, cwd=None, data=b"": run(*args, cwd=cwd or tmp_path, data=data),
            Clone(tmp_path / "clone"),
            remotes,
        ),
        shim,
        zygote,
    )


def test_the_number_of_git_calls_is_known(scene: Scene) -> None:
    assert scene.release().code == 0
    calls = [call.rpartition("logOutputEncoding=UTF-8 ")[2] for call in scene.shim.calls()]
    assert len(calls) == CALLS, "\n".join(calls)


def hurt_and_finished(scene: Scene, call: int, fault: Fault) -> None:
    """Hurt one call, look what stands where, and let the same command finish it."""
    releases = scene.releases
    before = {name: bare.tip("main") for name, bare in releases.remotes.items()}
    scene.shim.arm(call, fault)
    hurt = scene.release()
    if fault is Fault.FAIL:
        assert hurt.code in {0, 2, 3, 30}, (hurt.out, hurt.err)
    else:
        assert hurt.code in {-9, 0}, (hurt.out, hurt.err)
    assert "Traceback" not in hurt.err
    tags = releases.tags("v1.0.0")
    if tags["main"] is not None:
        assert None not in tags.values(), "the source's tag says that all others are there"
    for name, bare in releases.remotes.items():
        bare.fsck()
        bare.git("merge-base", "--is-ancestor", before[name], "main")

    after = scene.release_again()
    assert after.code == 0, (after.out, after.err)
    releases.check("v1.0.0")
    done = releases.tags("v1.0.0")
    assert {name: done[name] for name, tag in tags.items() if tag} == {name: tag for name, tag in tags.items() if tag}
    main = releases.remotes["main"]
    assert [subject for subject in main.log("main") if subject.startswith("Release")] == ["Release openllm 1.0.0"]
    assert done["space"] == releases.remotes["space"].tip("main")
    assert releases.remotes["space"].paths() == ["training/model.py", "training/more.py", "training/train.py"]
    assert not unfinished(releases.clone.path)


@pytest.mark.parametrize(("call", "fault"), SAMPLE, ids=str)
def test_a_release_that_was_killed_is_finished_by_the_next_one(scene: Scene, call: int, fault: Fault) -> None:
    hurt_and_finished(scene, call, fault)


@pytest.mark.slow
@pytest.mark.parametrize(("call", "fault"), HURT, ids=str)
def test_a_release_that_was_hurt_anywhere_is_finished_by_the_next_one(scene: Scene, call: int, fault: Fault) -> None:
    hurt_and_finished(scene, call, fault)
