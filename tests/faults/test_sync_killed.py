"""A sync that is hurt at any of its git calls: the Space is old or new, nothing is lost, and the next sync finishes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.family import Family, text
from tests.support.inprocess import run_in_process
from tests.support.logged import unfinished
from tests.support.process import Result
from tests.support.repositories import Bare, Clone
from tests.support.sealed import SealedHome
from tests.support.shim import Fault, GitShim
from tests.support.zygote import Zygote

CALLS = {"full": 34, "squash": 33}
"""How many times a sync that merges calls git, by the target's `history`. With the code the number changes."""

JOURNAL = 8  # the calls from the log on, at the end

# Killed before a call is killed after the one before it, but for what the tool itself does in between: that matters
# from the log on. A squash differs in the commit that it makes.
HURT = [
    *(("full", call, fault) for fault in (Fault.FAIL, Fault.KILL_AFTER) for call in range(1, CALLS["full"] + 1)),
    *(("full", CALLS["full"] - last, Fault.KILL_BEFORE) for last in range(JOURNAL)),
    *(("squash", CALLS["squash"] - last, Fault.KILL_AFTER) for last in range(JOURNAL)),
]
HOST = "ssh://git@example.org/"


@dataclass
class Scene:
    """A copy of the prepared family, with a shim before the git of the tool."""

    clone: Clone
    space: Bare
    shim: GitShim
    zygote: Zygote

    def sync(self) -> Result:
        """Sync with the git that can be hurt."""
        return self.zygote.run("sync", "--yes", cwd=self.clone.path)

    def sync_again(self) -> Result:
        """Sync with git as it is."""
        path = os.environ["PATH"].removeprefix(self.shim.path(""))
        return self.zygote.run("sync", "--yes", cwd=self.clone.path, env={"PATH": path})

    def sync_commits(self) -> int:
        return len(self.space.log("main", "--grep=^Sync from"))


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Return a loaded tool that forks for each run."""
    with Zygote() as made:
        yield made


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return, by history, the folder of a family that was synced once and has changed on both sides since.

    The manifest names a host that does not exist; each test says where its copies are.
    """
    with pytest.MonkeyPatch.context() as patch:
        return {history: _prepare(tmp_path_factory.mktemp(history), history, patch) for history in CALLS}


def _prepare(folder: Path, history: str, patch: pytest.MonkeyPatch) -> Path:
    patch.setenv("GIT_CONFIG_COUNT", "1")
    patch.setenv("GIT_CONFIG_KEY_0", f"url.{folder.as_uri()}/.insteadOf")
    patch.setenv("GIT_CONFIG_VALUE_0", HOST)
    family = Family.make(folder, lambda *args, cwd=None, data=b"": run_in_process(*args, cwd=cwd or folder, data=data))
    family.urls = {"main": f"{HOST}origin.git", "space": f"{HOST}space.git"}
    family.manifest(settings=f'history = "{history}"')
    family.commit("Manifest")
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    family.edit("Mine", {"training/model.py": text(l20="mine"), "app.py": "app 2\n"})
    family.commit("Yours", {"core/src/model.py": text(l1="yours"), "core/src/train.py": None})
    return folder


@pytest.fixture
def scene(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    prepared: dict[str, Path],
    home: SealedHome,
    shim: GitShim,
    zygote: Zygote,
) -> Scene:
    """Return a copy of the prepared family of the history that is asked for."""
    for name in ("clone", "origin.git", "space.git"):
        shutil.copytree(prepared[request.param] / name, tmp_path / name)
    home.instead_of(HOST, f"{tmp_path.as_uri()}/")
    return Scene(Clone(tmp_path / "clone"), Bare(tmp_path / "space.git"), shim, zygote)


each_history = pytest.mark.parametrize("scene", CALLS, indirect=True)


@each_history
def test_the_number_of_git_calls_is_known(scene: Scene, request: pytest.FixtureRequest) -> None:
    assert scene.sync().code == 0
    calls = [call.rpartition("logOutputEncoding=UTF-8 ")[2] for call in scene.shim.calls()]
    assert len(calls) == CALLS[request.node.callspec.params["scene"]], "\n".join(calls)


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "call", "fault"), HURT, indirect=["scene"], ids=str)
def test_a_sync_that_was_hurt_is_finished_by_the_next_one(scene: Scene, call: int, fault: Fault) -> None:
    before, syncs = scene.space.tip("main"), scene.sync_commits()
    refs = {ref: tip for ref, tip in scene.clone.tips().items() if not ref.startswith("refs/openllm/")}
    scene.shim.arm(call, fault)
    hurt = scene.sync()
    if fault is Fault.FAIL:
        assert hurt.code in {0, 2, 3, 30}, (hurt.out, hurt.err)
    elif hurt.code != -9:  # a git that is stopped as soon as it has said enough kills nobody afterwards
        assert (hurt.code, fault) == (0, Fault.KILL_AFTER)
        streamed = (" cat-file ", " log ", " --grep=^Projected-Commit")
        assert any(words in scene.shim.calls()[call - 1] for words in streamed)
    assert "Traceback" not in hurt.err
    scene.space.fsck()
    between = scene.space.tip("main")
    landed = between != before
    assert not landed or scene.space.parents("main")[0] == before
    allowed = refs | ({"refs/remotes/space/main": between} if landed else {})
    mine = {ref: tip for ref, tip in scene.clone.tips().items() if not ref.startswith("refs/openllm/")}
    assert mine in (refs, allowed)

    after = scene.sync_again()
    assert after.code == 0, (after.out, after.err)
    assert ("up to date" in after.out) == landed
    assert not unfinished(scene.clone.path)
    assert not [ref for ref in scene.clone.tips() if ref.startswith("refs/openllm/keep/") and ref.endswith("/new")]
    assert scene.clone.tip("refs/remotes/space/main") == scene.space.tip("main")
    assert scene.sync_commits() == syncs + 1
    assert scene.space.files() == {
        "app.py": b"app 2\n",
        "training/model.py": text(l1="yours", l20="mine").encode(),
        "configs/small.json": b"{}\n",
    }
    scene.space.fsck()
    scene.clone.run("fsck", "--strict", "--no-dangling", "--no-progress")
