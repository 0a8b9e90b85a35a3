"""Several targets at once: they are pushed side by side, told in the order of the manifest, and settled one by one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from openllm_repos.family import remotes
from openllm_repos.sandbox import Sandbox
from openllm_repos.sync import rights
from tests.support.family import Family
from tests.support.hub_family import HubFamily
from tests.support.logged import unfinished
from tests.support.process import RunTool
from tests.support.repositories import Bare, Clone
from tests.support.shim import GitShim

NAMES = ("space", "one", "two")


@pytest.fixture
def many(family: Family) -> dict[str, Bare]:
    """Return the remotes of three targets by name; all three are empty."""
    made = {name: Bare.init(family.folder / f"{name}.git") for name in NAMES[1:]}
    entry = '[repos.{0}]\nurl = "{1}"\nmap = [{{ from = "core/src/*.py", to = "training/" }}]\n'
    family.manifest(more="".join(entry.format(name, bare.url) for name, bare in made.items()))
    return {"space": family.space, **made}


def hook(remote: Bare, script: str) -> None:
    """Let a script decide about what is pushed to a remote."""
    file = remote.path / "hooks/pre-receive"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def pending(family: Family) -> list[str]:
    """Return the names of the targets of which the log does not say what came of the push."""
    return sorted(move.repo for operation in unfinished(family.clone.path) for move in operation.begun)


@pytest.mark.slow
def test_targets_wait_for_their_hosts_together(family: Family, many: dict[str, Bare]) -> None:
    """No host lets a push through before all of them have one, which is never so one after another."""
    met = family.folder / "met"
    met.mkdir()
    for name, remote in many.items():
        hook(
            remote,
            f'touch {met}/{name}\nn=0\nwhile [ "$(ls {met} | wc -l)" -lt 3 ] && [ $n -lt 600 ]; do\n'
            "  sleep 0.05; n=$((n+1))\ndone\n"
            f'[ "$(ls {met} | wc -l)" -ge 3 ]',
        )
    done = family.sync()
    assert (done.code, [line.split(":")[0] for line in done.out.splitlines()[-3:]]) == (0, list(NAMES))
    assert "up to date" in family.synced().out
    for name, remote in many.items():
        assert family.clone.tip(f"refs/remotes/{name}/main") == remote.tip("main")
        assert remote.read("training/train.py") == b"train\n"


def test_one_that_refuses_stops_no_other(family: Family, many: dict[str, Bare]) -> None:
    hook(many["one"], "echo over quota, not today >&2; exit 1")
    done = family.sync()
    assert done.code == 3
    outcomes = [line.partition(",")[0] for line in done.out.splitlines() if ": s" in line]
    assert outcomes == ["space: synced", "one: stopped", "two: synced"]
    assert "not today" in done.out
    assert "hint: The storage of one is full. Free some there" in done.out
    assert (many["one"].tips(), family.unfinished()) == ({}, [])
    assert many["two"].read("training/train.py") == b"train\n"


@pytest.mark.slow
def test_ctrl_c_ends_all_of_them_and_the_next_sync_finishes(
    family: Family, many: dict[str, Bare], shim: GitShim
) -> None:
    begun = family.folder / "begun"
    begun.mkdir()
    for name in ("space", "one"):
        hook(many[name], f"touch {begun}/{name}; sleep 60")
    process = subprocess.Popen(
        [sys.executable, "-m", "openllm_repos", "sync", "--yes"],
        cwd=family.clone.path,
        env={**os.environ, "PATH": shim.path(os.environ["PATH"])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # Who runs the tests in the background has SIGINT ignored, and so would the tool.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 60
    while len(list(begun.iterdir())) < 2 or not many["two"].tips() or pending(family) != ["one", "space"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    while family.clone.tips().get("refs/remotes/two/main") != many["two"].tip("main"):  # its last call of git
        assert time.monotonic() < deadline
        time.sleep(0.02)
    before = shim.calls()
    os.kill(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said.splitlines()[-1]) == (130, b"stopped: Interrupted.")
    assert shim.calls() == before  # no host is asked anything more: it may be the one that does not answer
    assert (len(family.unfinished()), pending(family)) == (1, ["one", "space"])
    for remote in (many["space"], many["one"]):
        (remote.path / "hooks/pre-receive").unlink()
    done = family.sync()
    assert (done.code, family.unfinished()) == (0, [])
    for name in ("one", "space"):
        assert f"{name}: an earlier sync did not end; its push had not landed" in done.err
    assert {remote.read("training/train.py") for remote in many.values()} == {b"train\n"}
    assert not [ref for ref in family.clone.tips() if ref.startswith("refs/openllm/keep/") and ref.endswith("/new")]


@pytest.mark.slow
def test_many_repositories_of_ones_own_are_asked_about_once(
    hub_family: HubFamily, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub allows a token 1,000 calls in five minutes; a token that may only read is found out all the same."""
    monkeypatch.setattr(rights, "_MANY", 2)
    for name in NAMES[1:]:
        sandbox.hub.create("space", f"lemms/{name}")
    entry = '[repos.{0}]\nspace = "lemms/{0}"\nmap = [{{ from = "core/src/*.py", to = "training/" }}]\n'
    hub_family.manifest(more="".join(entry.format(name) for name in NAMES[1:]))
    monkeypatch.setenv("HF_TOKEN", "hf_read")
    done = hub_family.sync()
    assert (done.code, done.out.count("The token of lemms can only read")) == (3, 1)
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    before = len(sandbox.hub.log)
    assert hub_family.sync().code == 0
    asked = [seen.path for seen in sandbox.hub.log[before:] if seen.path.startswith("/api/")]
    assert [path for path in asked if path != "/api/validate-yaml"] == ["/api/whoami-v2"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("GET */info/refs", 30, "is unreachable: unable to access"),
        ("POST */git-receive-pack", 30, "The push did not get through, and nothing was changed there:"),
    ],
)
def test_a_host_that_was_asked_too_often_says_when_to_come_again(
    hub_family: HubFamily, sandbox: Sandbox, asked: str, code: int, said: str
) -> None:
    before = hub_family.space.tip("main")
    sandbox.hub.fault(asked, status=429, headers={"Retry-After": "600"}, count=None)
    done = hub_family.sync()
    assert (done.code, hub_family.space.tip("main")) == (code, before)
    assert said in done.out
    assert "asks to wait 600 s. Run the same command again after that" in done.out
    sandbox.hub.faults.clear()
    hub_family.synced()


@pytest.mark.slow
def test_a_host_that_is_asked_too_often_after_a_push_leaves_it_open(hub_family: HubFamily, sandbox: Sandbox) -> None:
    """The push landed, but nobody says so: that is no success, and the next sync finds out."""
    sandbox.hub.fault("GET */info/refs", status=429, headers={"Retry-After": "600"}, count=None, skip=4)
    done = hub_family.sync()
    assert (done.code, len(hub_family.unfinished())) == (30, 1)
    assert "The push may have landed." in done.out
    sandbox.hub.faults.clear()
    again = hub_family.synced()
    assert "space: an earlier sync did not end; its push landed" in again.err


@pytest.mark.slow
def test_many_tips_get_one_index_over_their_packs(
    family: Family, many: dict[str, Bare], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remotes, "_MANY_PACKS", 3)
    other = Clone.init(family.folder / "other")
    for name, remote in many.items():
        other.commit(name, {"app.py": f"{name}\n"})
        other.git("push", "-q", remote.url, "main")
    assert family.sync("--dry-run").code == 0
    index = family.clone.path / ".git/objects/pack/multi-pack-index"
    assert not index.exists()  # it was that of the quarantine
    assert family.sync().code == 0
    assert index.exists()
    family.clone.fsck()
    assert "up to date" in family.synced().out


@pytest.mark.slow
def test_targets_with_the_same_maps_are_projected_once_in_a_dry_run_too(
    family: Family, many: dict[str, Bare], shim: GitShim, run_tool: RunTool
) -> None:
    """Nothing stays in the clone, and yet the second target finds what the first one left."""
    assert many
    assert run_tool("sync", "one", "two", "--dry-run", cwd=family.clone.path).code == 0
    assert len([call for call in shim.calls() if call.endswith(" index-pack --stdin")]) == 1
    assert not (family.clone.path / ".git/openllm-repos/projections").exists()
