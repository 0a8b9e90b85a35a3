"""A rollback that is hurt at any of its git calls: the Space is there or not, and the same command finishes it."""

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

CALLS = {"--to": 29, "--lift": 15}
"""How many times the two call git. With the code the number changes."""

JOURNAL = 8  # the calls from the journal on, at the end

HURT = [
    *(("--to", call, Fault.KILL_AFTER) for call in range(1, CALLS["--to"] + 1)),
    *((what, CALLS[what] - last, fault) for what in CALLS for last in range(JOURNAL) for fault in list(Fault)[:2]),
]
HOST = "ssh://git@example.org/"


@dataclass
class Scene:
    """A copy of a family whose Space was synced twice and edited (and, for the lift, rolled back), and a shim."""

    clone: Clone
    space: Bare
    shim: GitShim
    zygote: Zygote
    first: str

    def run(self, what: str, *, hurt: bool) -> Result:
        """Roll back, or lift, with the git that can be hurt, or with git as it is."""
        path = os.environ["PATH"] if hurt else os.environ["PATH"].removeprefix(self.shim.path(""))
        args = ("--to", self.first) if what == "--to" else ("--lift",)
        return self.zygote.run("rollback", "space", *args, "--yes", cwd=self.clone.path, env={"PATH": path})


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Return a loaded tool that forks for each run."""
    with Zygote() as made:
        yield made


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the families' folders: before a rollback, and before the end of its hold."""
    with pytest.MonkeyPatch.context() as patch:
        return {what: _prepare(tmp_path_factory.mktemp("family"), what, patch) for what in CALLS}


def _prepare(folder: Path, what: str, patch: pytest.MonkeyPatch) -> Path:
    patch.setenv("GIT_CONFIG_COUNT", "1")
    patch.setenv("GIT_CONFIG_KEY_0", f"url.{folder.as_uri()}/.insteadOf")
    patch.setenv("GIT_CONFIG_VALUE_0", HOST)
    family = Family.make(folder, lambda *args, cwd=None, data=b"": run_in_process(*args, cwd=cwd or folder, data=data))
    family.urls = {"main": f"{HOST}origin.git", "space": f"{HOST}space.git"}
    family.manifest()
    family.commit("Manifest")
    family.clone.git("tag", "first")
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    family.commit("Two", {"core/src/model.py": text(l1="two"), "core/src/new.py": "new\n"})
    family.synced()
    family.edit("Mine", {"training/model.py": text(l1="two", l20="mine"), "app.py": "app 2\n"})
    if what == "--lift":
        assert family.run("rollback", "--yes", "space", "--to", "first", cwd=family.clone.path).code == 0
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
    """Return a copy of the family that is asked for."""
    for name in ("clone", "origin.git", "space.git"):
        shutil.copytree(prepared[request.param] / name, tmp_path / name)
    home.instead_of(HOST, f"{tmp_path.as_uri()}/")
    clone = Clone(tmp_path / "clone")
    return Scene(clone, Bare(tmp_path / "space.git"), shim, zygote, clone.tip("first"))


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "what"), [(what, what) for what in CALLS], indirect=["scene"])
def test_the_number_of_git_calls_is_known(scene: Scene, what: str) -> None:
    done = scene.run(what, hurt=True)
    assert done.code == 0, done.err
    calls = [call.rpartition("logOutputEncoding=UTF-8 ")[2] for call in scene.shim.calls()]
    assert len(calls) == CALLS[what], "\n".join(calls)


@pytest.mark.slow
@pytest.mark.parametrize(("scene", "call", "fault"), HURT, indirect=["scene"], ids=str)
def test_a_rollback_that_was_hurt_is_finished_by_the_same_command(
    scene: Scene, call: int, fault: Fault, request: pytest.FixtureRequest
) -> None:
    what = request.node.callspec.params["scene"]
    before = scene.space.tip("main")
    scene.shim.arm(call, fault)
    hurt = scene.run(what, hurt=True)
    assert "Traceback" not in hurt.err
    scene.space.fsck()
    between = scene.space.tip("main")
    assert between == before or scene.space.parents("main") == [before]

    after = scene.run(what, hurt=False)
    assert after.code == 0, (after.out, after.err)
    assert not unfinished(scene.clone.path)
    assert not [ref for ref in scene.clone.tips() if ref.startswith("refs/openllm/keep/") and ref.endswith("/new")]
    assert scene.space.parents("main") == [before]
    assert ("Held-At" in scene.space.trailers("main")) == (what == "--to")
    assert scene.space.files() == {
        "app.py": b"app 2\n",
        "training/model.py": text().encode(),
        "training/train.py": b"train\n",
        "configs/small.json": b"{}\n",
    }
    scene.space.fsck()
    scene.clone.run("fsck", "--strict", "--no-dangling", "--no-progress")
