"""LFS files: their content is in the Space's LFS before its branch moves, wherever it has to come from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from openllm_repos.sandbox import Sandbox
from tests.support.canary import Canary
from tests.support.inprocess import RunCli
from tests.support.needs import Hiding
from tests.support.process import RunTool
from tests.support.repositories import Clone
from tests.support.sealed import SealedHome
from tests.support.served import LFS_LINE, Served, ServedFamily, login, pointer
from tests.support.terminal import run_on_terminal

MAPS = (("core/src/", "training/"), ("configs/*.json", "configs/"))
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def hub(git_lfs: None, sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, home: SealedHome) -> ServedFamily:
    """Return a source with a file in LFS that is about to travel, and a Space that was synced before it came."""
    del git_lfs
    login(home, sandbox)
    family = ServedFamily.on(sandbox, tmp_path / "family", run_cli)
    family.manifest(maps=MAPS)
    family.clone.git("lfs", "install", "--local", "--skip-repo")
    family.commit("Manifest", {".gitattributes": LFS_LINE})
    family.synced("--yes")
    family.commit("Weights", {"core/src/model.bin": CONTENT})
    assert family.clone.read("core/src/model.bin") == pointer(CONTENT).encode()
    return family


def _lose(*places: Path) -> None:
    """Take the LFS objects out of clones and bare repositories, as one without them has it.

    git-lfs installs its pre-push hook by itself, so a plain push of the source has brought them to its remote.
    """
    for place in places:
        for file in (*place.glob(".git/lfs/objects/*/*/*"), *place.glob("lfs/objects/*/*/*")):
            file.unlink()


def test_the_content_is_there_before_the_branch_moves(hub: ServedFamily) -> None:
    before = len(hub.requests("/_lfs/upload/", "git-receive-pack"))
    done = hub.synced("--yes")
    assert "  before it: 1 LFS object, 10.0 KiB\n" in done.out
    upload, push = hub.requests("/_lfs/upload/", "git-receive-pack")[before:]
    assert "/_lfs/upload/" in upload
    assert push.endswith("git-receive-pack")
    assert hub.pulled("training/model.bin") == CONTENT
    assert hub.space.read("training/model.bin") == pointer(CONTENT).encode()


@pytest.mark.slow
def test_a_terminal_shows_how_far_the_content_is(hub: ServedFamily) -> None:
    shown = run_on_terminal("sync", "--yes", cwd=hub.clone.path, env={"TERM": "xterm"}).err
    assert re.search(r"\rLFS upload 1/1: 100% *\r +\r", shown)


@pytest.mark.slow
def test_every_version_in_the_history_travels(hub: ServedFamily) -> None:
    hub.commit("Better weights", {"core/src/model.bin": CONTENT[::-1]})
    (space,) = hub.sync("--dry-run", "--json").json()["targets"]
    assert sorted(file["size"] for file in space["lfs"]) == [len(CONTENT)] * 2
    hub.synced("--yes")
    clone = Clone.of(hub.space.url, hub.folder / "all", "--no-checkout")
    clone.git("lfs", "fetch", "--all", "origin")
    held = {file.read_bytes() for file in (clone.path / ".git/lfs/objects").glob("*/*/*")}
    assert held == {CONTENT, CONTENT[::-1]}
    assert hub.pulled("training/model.bin") == CONTENT[::-1]


@pytest.mark.slow
def test_with_a_squash_only_the_newest_version_travels(hub: ServedFamily) -> None:
    hub.manifest(maps=MAPS, settings='history = "squash"')
    hub.commit("Better weights", {"core/src/model.bin": CONTENT[:16]})
    (space,) = hub.sync("--dry-run", "--json").json()["targets"]
    assert [file["size"] for file in space["lfs"]] == [16]
    hub.synced("--yes")
    assert hub.pulled("training/model.bin") == CONTENT[:16]


def test_what_the_clone_lacks_comes_from_the_source(hub: ServedFamily) -> None:
    hub.upload()
    _lose(hub.clone.path)
    hub.synced("--yes")
    assert hub.pulled("training/model.bin") == CONTENT


@pytest.mark.slow
def test_a_dry_run_that_has_to_fetch_leaves_every_byte(hub: ServedFamily) -> None:
    hub.upload()
    hub.clone = Clone.of(hub.origin.url, hub.folder / "pointers-only")
    before = hub.everything()
    done = hub.sync("--dry-run")
    assert done.code == 0, done.out
    assert hub.everything() == before
    assert hub.synced("--yes").out.startswith(done.out)
    assert hub.pulled("training/model.bin") == CONTENT


@pytest.mark.slow
def test_a_dry_run_beside_a_large_file_that_is_not_committed_leaves_every_byte(hub: ServedFamily) -> None:
    """git-lfs's filter would store the changed file in the clone; the dry run says that it is changed without that."""
    hub.upload()
    (hub.clone.path / "core/src/model.bin").write_bytes(b"not committed yet")
    before = hub.everything()
    done = hub.sync("--dry-run")
    assert "note: Your clone has uncommitted changes to 1 mapped file" in done.out
    assert hub.everything() == before


@pytest.mark.slow
def test_a_large_file_that_is_as_its_pointer_says_is_no_uncommitted_change(hub: ServedFamily) -> None:
    """git looks at the content of a file that is younger than its index, or as young, as after every fresh clone."""
    hub.upload()
    (hub.clone.path / "core/src/model.bin").touch()
    assert "uncommitted" not in hub.sync("--dry-run").out
    (hub.clone.path / "core/src/model.bin").write_bytes(CONTENT[::-1])
    assert "note: Your clone has uncommitted changes to 1 mapped file" in hub.sync("--dry-run").out


@pytest.mark.slow
def test_what_the_space_has_already_is_enough(hub: ServedFamily) -> None:
    hub.clone.git("-c", f"lfs.url={hub.space.url}.git/info/lfs", "lfs", "push", hub.space.url, "main")
    _lose(hub.clone.path, hub.origin.path)
    sent = len(hub.requests("/_lfs/upload/"))
    hub.synced("--yes")
    assert len(hub.requests("/_lfs/upload/")) == sent
    assert hub.pulled("training/model.bin") == CONTENT


@pytest.mark.slow
def test_of_many_objects_the_missing_one_is_named(hub: ServedFamily) -> None:
    hub.commit("More", {f"core/src/{number}.bin": bytes([number]) * 100 for number in range(5)})
    hub.upload()
    lost = next((hub.origin.path / "lfs/objects").glob("*/*/*"))
    lost.unlink()
    _lose(hub.clone.path)
    done = hub.sync("--yes")
    assert done.code == 3
    assert done.out.count("whose content is nowhere") == 1
    assert "\n  1 file would not get through to space; nothing was pushed.\n  git-lfs said: " in done.out
    assert hub.pushes() == 1


@pytest.mark.slow
def test_what_only_the_space_has_is_not_among_the_missing(hub: ServedFamily) -> None:
    hub.clone.git("-c", f"lfs.url={hub.space.url}.git/info/lfs", "lfs", "push", hub.space.url, "main")
    hub.commit("More", {"core/src/other.bin": b"nobody has it"})
    _lose(hub.clone.path, hub.origin.path)
    done = hub.sync("--yes")
    assert done.code == 3
    assert done.out.count("whose content is nowhere") == 1
    assert "training/other.bin (in " in done.out


@pytest.mark.slow
def test_an_lfsconfig_of_the_source_says_where_to_fetch_and_not_where_to_bring_it(
    hub: ServedFamily, sandbox: Sandbox
) -> None:
    hub.origin = Served(sandbox.github.create("louischua/openllm"), "https://github.com/louischua/openllm")
    hub.urls["main"] = hub.origin.url
    hub.clone.git("remote", "set-url", "origin", hub.origin.url)
    hub.manifest(maps=MAPS)
    sandbox.github.create("louischua/large-files")
    lfs = "https://github.com/louischua/large-files.git/info/lfs"
    hub.clone.commit("Ours is elsewhere", {".lfsconfig": f"[lfs]\n\turl = {lfs}\n"})
    hub.upload()
    hub.push()
    _lose(hub.clone.path)
    before = len(sandbox.github.log)
    hub.synced("--yes")
    asked = {seen.path for seen in sandbox.github.log[before:] if seen.path.endswith("/objects/batch")}
    assert asked == {"/louischua/large-files.git/info/lfs/objects/batch"}
    assert hub.pulled("training/model.bin") == CONTENT


@pytest.mark.slow
def test_the_hook_of_git_lfs_asks_the_space_and_nobody_else(hub: ServedFamily) -> None:
    hub.clone.git("lfs", "install", "--local")  # with the pre-push hook this time
    hub.clone.git("config", "lfs.url", "http://127.0.0.1:9/nobody")
    done = hub.synced("--yes")
    assert "synced" in done.out
    assert hub.pulled("training/model.bin") == CONTENT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "said", "step"),
    [
        (500, "", "It may pass"),
        (403, "", "Check that you may write there"),
        (403, "This repository is over its data quota.", "The storage of space is full. Free some there"),
        (507, "", "The storage of space is full. Free some there"),
    ],
)
def test_an_lfs_that_takes_nothing_moves_no_branch_and_the_next_run_finishes(
    hub: ServedFamily, sandbox: Sandbox, status: int, said: str, step: str
) -> None:
    tips, pushes = hub.space.tips(), hub.pushes()
    sandbox.hub.fault(match="POST */objects/batch", status=status, count=50, **({"message": said} if said else {}))
    done = hub.sync("--yes", "--patience", "0")
    assert done.code == (30 if status == 500 else 3)
    assert ("cannot do it now (HTTP 500)" if status == 500 else "did not take what the push needs") in done.out
    assert f"hint: {step}" in done.out
    assert (hub.space.tips(), hub.pushes(), hub.unfinished()) == (tips, pushes, [])
    sandbox.hub.faults.clear()
    hub.synced("--yes")
    assert hub.pulled("training/model.bin") == CONTENT


@pytest.mark.slow
def test_without_git_lfs_the_sync_says_what_to_install(hub: ServedFamily, run_tool: RunTool, tools: Hiding) -> None:
    hub.clone.git("lfs", "uninstall", "--local")
    tips, pushes = hub.space.tips(), hub.pushes()
    for args in (("--dry-run",), ("--yes",)):
        done = run_tool("sync", "--yes", *args, cwd=hub.clone.path, env=tools.environment())
        assert done.code == 30
        assert "space gets a file kept in LFS, and git-lfs is not installed, or not on PATH." in done.out
        assert "hint: Install it (apt install git-lfs, brew install git-lfs, https://git-lfs.com)" in done.out
    assert (hub.space.tips(), hub.pushes()) == (tips, pushes)


@pytest.mark.slow
def test_without_git_lfs_a_sync_of_text_goes_through(
    sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, run_tool: RunTool, home: SealedHome
) -> None:
    login(home, sandbox)
    hub = ServedFamily.on(sandbox, tmp_path / "family", run_cli)
    done = run_tool("sync", "--yes", cwd=hub.clone.path)
    assert done.code == 0, (done.out, done.err)
    assert "training/model.py" in hub.space.paths()


@pytest.mark.slow
@pytest.mark.usefixtures("git_lfs")
def test_the_token_reaches_lfs_by_environment_and_stands_nowhere(
    sandbox: Sandbox, canary: Canary, tmp_path: Path, run_cli: RunCli, run_tool: RunTool, home: SealedHome
) -> None:
    hub = ServedFamily.on(sandbox, tmp_path / "family", run_cli)  # nobody is logged in: the tool brings the token
    hub.manifest(maps=MAPS)
    hub.clone.git("lfs", "install", "--local", "--skip-repo")
    hub.commit("Weights", {".gitattributes": LFS_LINE, "core/src/model.bin": CONTENT})
    done = run_tool("-v", "sync", "--yes", cwd=hub.clone.path)
    assert done.code == 0, (done.out, done.err)
    assert {seen.user for seen in sandbox.hub.log if seen.path.endswith("/objects/batch")} == {"", "lemms"}
    assert hub.pulled("training/model.bin") == CONTENT
    assert canary.leaks(hub.clone.path, sandbox.root, home.config, said=[done]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        {"match": "POST */objects/batch", "status": 503},
        {"match": "POST */objects/batch", "status": 429, "headers": {"Retry-After": "2"}},
        pytest.param(
            {"match": "PUT /_lfs/upload/*", "status": 429, "headers": {"Retry-After": "2"}}, marks=pytest.mark.slow
        ),
        pytest.param({"match": "PUT /_lfs/upload/*", "status": 500, "count": 2}, marks=pytest.mark.slow),
        pytest.param({"match": "POST */objects/batch", "reset": True}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_an_lfs_that_cannot_do_it_once_is_asked_again(
    hub: ServedFamily, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    sandbox.hub.fault(**fault)
    hub.synced("--yes")
    assert hub.pulled("training/model.bin") == CONTENT


@pytest.mark.slow
def test_an_lfs_that_asks_to_wait_for_long_is_given_up_when_the_patience_has_ended(
    hub: ServedFamily, sandbox: Sandbox
) -> None:
    before = hub.space.tip("main")
    sandbox.hub.fault("POST */objects/batch", status=429, headers={"Retry-After": "2400"}, count=None)
    done = hub.sync("--yes", "--patience", "3")
    assert (done.code, hub.space.tip("main")) == (30, before)
    assert "waiting as long as huggingface.co asks (HTTP 429)" in done.err
    assert "cannot do it now (HTTP 429)" in done.out
    assert "asks to wait longer than 3 s." in done.out
    assert "--patience 120" in done.out
    assert "check that you may write" not in done.out.lower()
    sandbox.hub.faults.clear()
    hub.synced("--yes")
