"""`rollback TARGET --to TAG`: releases, tags of one side alone, hosts with tokens, a source that is away."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.family import text
from tests.support.releases import Releases
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.family import Family
    from tests.support.hub_family import HubFamily
    from tests.support.inprocess import RunCli
    from tests.support.process import Result


@pytest.fixture
def releases(tmp_path: Path, run_cli: RunCli) -> Releases:
    return Releases.make(tmp_path, run_cli)


def edit(releases: Releases, files: dict[str, str | bytes | None]) -> None:
    """Commit to the Space, as somebody who works there."""
    space = releases.remotes["space"]
    folder = releases.folder / "space-work"
    work = Clone(folder) if folder.exists() else Clone.of(space.url, folder)
    work.git("pull", "-q", space.url, "main")
    work.now = releases.clone.now
    work.commit("Edit", files)
    work.git("push", "-q", space.url, "HEAD:refs/heads/main")


def rollback(releases: Releases, *args: str) -> Result:
    done = releases.run("rollback", "--yes", "space", *args, cwd=releases.clone.path)
    assert done.code == 0, (done.out, done.err)
    return done


def test_back_to_a_release_as_it_was_tagged_and_the_next_release_waits_for_the_lift(releases: Releases) -> None:
    """An edit that the Space had in that release is there again; what it owns is as it is now."""
    space = releases.remotes["space"]
    assert releases.run("sync", "--yes", cwd=releases.clone.path).code == 0
    edit(releases, {"training/train.py": "train, tuned there\n", "app.py": "app 1\n"})
    releases.released("1.0.0", "--allow-drift")
    edit(releases, {"training/train.py": "train\n", "app.py": "app 2\n"})
    releases.commit("Two", {"core/src/model.py": "model 2\n", "core/src/new.py": "new\n"})
    assert releases.run("sync", "--yes", cwd=releases.clone.path).code == 0
    done = rollback(releases, "--to", "1.0.0")
    assert "space: held at v1.0.0, now at" in done.out
    assert space.files() == {
        "training/model.py": b"model\n",
        "training/train.py": b"train, tuned there\n",
        "app.py": b"app 2\n",
    }
    assert space.trailers("main")["Held-At"] == "v1.0.0"
    status = releases.run("status", cwd=releases.clone.path).out
    assert "held at v1.0.0" in status
    version = {"pyproject.toml": '[project]\nname = "openllm"\nversion = "1.1.0"\n'}
    releases.commit("Version 1.1.0", version)
    for name in ("small-7k", "small-8k", "training-data"):
        releases.member(name, "Version", {"VERSION": "1.1.0\n"})
    refused = releases.release("1.1.0")
    assert refused.code == 3
    assert "space: is held at v1.0.0 since it was rolled back" in " ".join((refused.out + refused.err).split())
    assert "next: openllm-repos rollback space --lift" in refused.out + refused.err
    rollback(releases, "--lift")
    releases.released("1.1.0", "--allow-drift")
    assert space.read("training/model.py") == b"model 2\n"
    assert space.read("training/new.py") == b"new\n"
    assert space.read("training/train.py") == b"train, tuned there\n"
    rollback(releases, "--to", "v1.1.0")
    assert space.read("training/model.py") == b"model 2\n"


@pytest.mark.slow
def test_a_release_that_the_space_was_no_part_of(releases: Releases) -> None:
    """It was synced then, and not tagged: its files are made from the release's source commit."""
    releases.manifest(space="release = false")
    releases.commit("Manifest")
    assert releases.run("sync", "--yes", cwd=releases.clone.path).code == 0
    releases.release("1.0.0")
    releases.commit("Two", {"core/src/model.py": "model 2\n"})
    assert releases.run("sync", "--yes", cwd=releases.clone.path).code == 0
    rollback(releases, "--to", "v1.0.0")
    assert releases.remotes["space"].read("training/model.py") == b"model\n"


@pytest.mark.slow
def test_a_tag_of_the_space_and_a_tag_of_the_source(family: Family) -> None:
    """Tags that no release made: the Space's own first, then the source's."""
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    family.edit("Mine", {"training/model.py": text(l20="mine")})
    family.work.git("tag", "-a", "-m", "good", "good")
    family.work.git("push", "-q", "origin", "good")
    family.clone.git("tag", "old")
    family.clone.git("push", "-q", family.origin.url, "old")
    family.clone.git("tag", "-d", "old")
    family.commit("Two", {"core/src/model.py": text(l1="two")})
    family.synced()
    for tag, there in (("good", text(l20="mine")), ("old", text())):
        done = family.run("rollback", "--yes", "space", "--to", tag, cwd=family.clone.path)
        assert done.code == 0, (done.out, done.err)
        assert f"space: held at {tag}" in done.out
        assert family.space.read("training/model.py").decode() == there


def test_a_source_that_is_away_keeps_no_space_from_going_back(family: Family) -> None:
    first = family.clone.tip("HEAD")
    family.synced()
    family.commit("Two", {"core/src/model.py": text(l1="two")})
    family.synced()
    family.origin.path.rename(family.folder / "away.git")
    done = family.run("rollback", "--yes", "space", "--to", first, cwd=family.clone.path)
    assert done.code == 0, (done.out, done.err)
    assert "note: main is unreachable" in done.out
    assert family.space.read("training/model.py").decode() == text()


@pytest.mark.slow
def test_on_the_hub_with_a_token(hub_family: HubFamily) -> None:
    """The Space goes back by a push like any other, and its app is as it was."""
    first = hub_family.clone.tip("HEAD")
    hub_family.synced()
    hub_family.commit("Two", {"core/src/model.py": text(l1="two")})
    hub_family.synced()
    done = hub_family.run("rollback", "--yes", "space", "--to", first, "--json", cwd=hub_family.clone.path)
    assert (done.code, done.json()["outcome"]["pushed"]) == (0, True), (done.out, done.err)
    assert hub_family.space.read("training/model.py").decode() == text()
    assert hub_family.space.read("app.py") == b"print()\n"
    assert hub_family.sync().code == 0
    assert hub_family.space.read("training/model.py").decode() == text()


@pytest.mark.slow
def test_what_the_host_refuses_is_told_before_the_push(hub_family: HubFamily) -> None:
    """A map of today carries a picture of then, which the Hub does not take outside of LFS."""
    first = hub_family.commit("A picture", {"assets/logo.png": b"\x89PNG\r\n\x1a\n\0\0\0"})
    hub_family.synced()
    hub_family.commit("Gone", {"assets/logo.png": None})
    hub_family.synced()
    hub_family.manifest(maps=[("core/src/*.py", "training/"), ("assets/", "assets/")])
    before = hub_family.space.tip("main")
    done = hub_family.run("rollback", "--yes", "space", "--to", first, cwd=hub_family.clone.path)
    assert (done.code, "assets/logo.png" in done.out) == (3, True), (done.out, done.err)
    assert hub_family.space.tip("main") == before


@pytest.mark.slow
def test_somebody_pushes_while_it_is_under_way(hub_family: HubFamily, sandbox: Sandbox) -> None:
    """An edit of the Space's own file is merged in; one that the rollback would undo unseen stops it."""
    first = hub_family.clone.tip("HEAD")

    def rolled_back_while(files: dict[str, str]) -> Result:
        hub_family.commit("On", {"core/src/model.py": text(l1="two")})
        hub_family.synced()
        sandbox.hub.fault("POST */git-receive-pack", before=lambda: hub_family.edit("Meanwhile", files))
        return hub_family.run("rollback", "--yes", "space", "--to", first, cwd=hub_family.clone.path)

    done = rolled_back_while({"app.py": "app 2\n"})
    assert (done.code, "merging again" in done.err) == (0, True), (done.out, done.err)
    assert hub_family.space.read("app.py") == b"app 2\n"
    assert hub_family.space.read("training/model.py").decode() == text()
    assert hub_family.run("rollback", "--yes", "space", "--lift", cwd=hub_family.clone.path).code == 0
    stopped = rolled_back_while({"training/model.py": text(l1="two", l20="mine")})
    assert (stopped.code, "Somebody changed mapped files of space meanwhile" in stopped.out) == (3, True)
    assert hub_family.space.read("training/model.py").decode() == text(l1="two", l20="mine")


@pytest.mark.slow
def test_two_people_roll_back_at_once(hub_family: HubFamily, sandbox: Sandbox, tmp_path: Path) -> None:
    """The second finds that the Space is there already; a sync that was under way leaves it alone."""
    first = hub_family.clone.tip("HEAD")
    hub_family.commit("On", {"core/src/model.py": text(l1="two")})
    hub_family.synced()
    shutil.copytree(hub_family.clone.path, tmp_path / "theirs")

    def theirs(*args: str) -> None:
        program = (sys.executable, "-m", "openllm_repos", *args)
        subprocess.run(program, cwd=tmp_path / "theirs", check=True, capture_output=True)

    back = ("rollback", "space", "--to", first, "--yes")
    sandbox.hub.fault("POST */git-receive-pack", before=lambda: theirs(*back))
    done = hub_family.run(*back, cwd=hub_family.clone.path)
    assert (done.code, f"space: held at {first[:10]}" in done.out) == (0, True), (done.out, done.err)
    assert len(hub_family.space.log("main", "--grep=^Held-At")) == 1
    assert hub_family.run("rollback", "--yes", "space", "--lift", cwd=hub_family.clone.path).code == 0
    sandbox.hub.fault("POST */git-receive-pack", before=lambda: theirs(*back))
    synced = hub_family.sync()
    assert (synced.code, "space: was rolled back meanwhile; left alone" in synced.out) == (0, True), synced.out
