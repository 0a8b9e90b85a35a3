"""Tokens on their way to git: they reach the host that they belong to, and are nowhere else."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.canary import GITHUB, HUB
from tests.support.hub_family import SPACE, HubFamily
from tests.support.stranger import Stranger

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.canary import Canary
    from tests.support.inprocess import RunCli
    from tests.support.process import RunTool
    from tests.support.sealed import SealedHome

CLAIMS = {"repository": "louischua/openllm", "ref": "refs/heads/main"}
MODEL = '[repos.model]\nmodel = "lemms/small"\n[[repos.model.map]]\nfrom = "configs/*.json"\nto = "configs/"'


@pytest.mark.no_cover
def test_tokens_are_handed_to_git_and_stand_nowhere(
    sandbox: Sandbox, canary: Canary, tmp_path: Path, run_cli: RunCli, run_tool: RunTool, home: SealedHome
) -> None:
    family = HubFamily.on(sandbox, tmp_path / "family", run_cli, private=True)
    said = [run_tool("-v", "sync", "--yes", "--wait", cwd=family.clone.path)]
    family.edit("Fix there", {"training/train.py": "there\n"})
    family.commit("Go on", {"core/src/model.py": "here\n"})
    commands = (("status",), ("diff", "-p"), ("sync", "--json", "--yes"))
    said += [run_tool(*args, cwd=family.clone.path) for args in commands]
    sandbox.hub.fault(match="* */git-receive-pack", status=403)
    family.commit("Refused", {"core/src/model.py": "refused\n"})
    said.append(run_tool("-v", "sync", "--yes", cwd=family.clone.path))
    assert [result.code for result in said] == [0, 0, 0, 0, 3], said
    assert {seen.user for seen in sandbox.hub.log if "git-receive-pack" in seen.path} == {"", "lemms"}

    # The search can find it, and does where it may be: git was given it, and whoever git starts to talk to a host.
    assert canary.given_to_git() == ["GitHub's token", "the Hub's token"]
    assert any("git" in holder for holder in canary.holders())
    # Everywhere else there is nothing: no argument, file, object, output or log.
    assert canary.leaks(family.clone.path, sandbox.root, home.config, said=said) == []


@pytest.mark.slow
def test_the_search_finds_a_token_in_each_of_those_places(
    canary: Canary, hub_family: HubFamily, run_tool: RunTool, tmp_path: Path
) -> None:
    clone = hub_family.clone
    run_tool("status", cwd=clone.path)
    assert canary.leaks(clone.path) == []
    subprocess.run(["git", "ls-remote", f"http://x:{HUB}@127.0.0.1:9/"], capture_output=True, check=False)
    clone.git("config", "http.extraHeader", "Basic " + base64.b64encode(f"x:{HUB}".encode()).decode())
    clone.commit("It is committed", {"notes.txt": GITHUB})
    (tmp_path / "log").write_text(f"token={GITHUB}")
    said = (run_tool(f"no-{HUB}", cwd=clone.path),)
    found = " ".join(canary.leaks(clone.path / ".git", tmp_path / "log", said=said))
    assert "the Hub's token in the arguments of git" in found
    assert "the Hub's token in the children of git" in found  # it tells its helper in an argument
    for place in (".git/config", "the objects of", "/log", "in output 0"):
        assert place in found


def _helper(home: SealedHome, password: str) -> Path:
    """Give the person a credential helper that answers for every host; returns what it writes down of each call."""
    asked = home.folder / "asked"
    asked.touch()
    script = home.folder / "helper"
    script.write_text(
        f'#!/bin/sh\necho "$1" >> "{asked}"\ngrep host >> "{asked}"\necho username=x\necho password={password}\n'
    )
    script.chmod(0o755)
    home.set("credential.helper", f"!{script}")
    return asked


@pytest.mark.slow
def test_without_a_token_git_asks_the_persons_own_credential_helper(
    sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, home: SealedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = HubFamily.on(sandbox, tmp_path / "family", run_cli, private=True)
    monkeypatch.delenv("HF_TOKEN")
    assert "https://huggingface.co/spaces/lemms/openllm" not in family.sync().out
    asked = _helper(home, "hf_write")
    assert family.synced().out.splitlines()[-1].startswith("space: synced")
    assert "get" in asked.read_text().split()


@pytest.mark.slow
def test_a_token_in_the_environment_goes_before_what_a_helper_has_stored(
    sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, home: SealedHome
) -> None:
    family = HubFamily.on(sandbox, tmp_path / "family", run_cli, private=True)
    asked = _helper(home, "stale")
    family.synced()
    assert asked.read_text() == ""  # neither asked nor told to store or erase anything


@pytest.mark.slow
def test_a_token_that_may_not_write_is_known_before_any_push(
    sandbox: Sandbox, hub_family: HubFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.hub.create("model", "lemms/small")
    hub_family.manifest(more=MODEL)
    monkeypatch.setenv("HF_TOKEN", "hf_fine")  # for the Space alone
    dry, done = hub_family.sync("--dry-run"), hub_family.sync()
    for result in (dry, done):
        assert result.code == 3
        assert "The token of lemms (role fineGrained) cannot write there." in result.out
        assert "https://huggingface.co/settings/tokens" in result.out
    assert "space: synced" in done.out
    assert not [
        seen.path for seen in sandbox.hub.log if seen.path.startswith("/lemms/small/") and "receive" in seen.path
    ]


@pytest.mark.slow
def test_a_hub_that_does_not_say_who_may_write_stops_nothing(sandbox: Sandbox, hub_family: HubFamily) -> None:
    sandbox.hub.fault(match="GET */auth-check/write", status=404, count=None)
    hub_family.synced()
    hub_family.commit("More", {"core/src/model.py": "more\n"})
    sandbox.hub.faults.clear()
    sandbox.hub.fault(match="GET */auth-check/write", status=500, count=None)
    hub_family.synced()


@pytest.mark.slow
def test_over_ssh_the_token_says_nothing_of_who_may_write(
    sandbox: Sandbox, hub_family: HubFamily, home: SealedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_family.clone.git("remote", "add", "hub", "git@hf.co:spaces/lemms/openllm")
    home.instead_of("git@hf.co:spaces/lemms/openllm", hub_family.space.url)  # what ssh would lead to
    monkeypatch.setenv("HF_TOKEN", "hf_read")
    hub_family.synced()
    assert not [seen for seen in sandbox.hub.log if "auth-check" in seen.path]


def test_a_refusal_of_a_push_names_the_token_that_was_used(
    sandbox: Sandbox, hub_family: HubFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_read")
    sandbox.hub.fault(match="GET */auth-check/write", status=500, count=None)
    refused = hub_family.sync()
    assert refused.code == 3
    assert "You are not authorized to push to this repo." in refused.out
    assert "The token in HF_TOKEN was used: check with 'hf auth whoami' what it may do" in refused.out


@pytest.mark.slow
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asked", ["*/info/refs*", "*/git-upload-pack", "*/git-receive-pack"])
def test_a_hub_that_cannot_do_it_now_says_nothing_of_the_token(
    sandbox: Sandbox, hub_family: HubFamily, asked: str, status: int
) -> None:
    sandbox.hub.fault(match=f"* {asked}", status=status, count=None)
    stopped = hub_family.run("--patience", "0", "sync", "--yes", cwd=hub_family.clone.path)
    assert stopped.code == 30
    assert f"returned error: {status}" in stopped.out
    assert "hint: It may pass: check the network, and run the same command again in a minute." in stopped.out
    assert "HF_TOKEN" not in stopped.out
    sandbox.hub.faults.clear()
    hub_family.synced()


@pytest.mark.slow
@pytest.mark.parametrize("key", ["url", "pushurl"])
def test_a_password_in_a_remote_of_the_persons_own_is_not_handed_on(
    canary: Canary, hub_family: HubFamily, run_tool: RunTool, key: str
) -> None:
    clone, url = hub_family.clone, "https://huggingface.co/spaces/lemms/openllm"
    with (clone.path / ".git/config").open("a") as config:
        config.write(f'[remote "space"]\n\t{key} = {url.replace("://", f"://x:{HUB}@")}\n')
        config.write("" if key == "url" else f"\turl = {url}\n")
    said = [run_tool(*command, cwd=clone.path) for command in (("status",), ("sync", "--yes"))]
    assert said[1].code in {3, 30}
    assert "uses plaintext credentials" in said[1].out
    assert canary.leaks(clone.path / ".git/openllm-repos", said=said) == []


@pytest.mark.slow
def test_no_other_host_of_the_family_is_shown_a_token(hub_family: HubFamily, home: SealedHome) -> None:
    with Stranger() as stranger:
        home.instead_of("https://example.org/", f"{stranger.url}/")
        hub_family.manifest(more='[repos.other]\nurl = "https://example.org/a/b.git"')
        answer = hub_family.run("status", "--json", cwd=hub_family.clone.path).json()
        assert [repo["state"] for repo in answer["repos"]] == ["ok", "new", "unreachable"]
        assert stranger.shown
        assert {shown for _, shown in stranger.shown} == {""}


def test_a_host_that_redirects_takes_no_token_along(sandbox: Sandbox, tmp_path: Path, run_cli: RunCli) -> None:
    family = HubFamily.on(sandbox, tmp_path / "family", run_cli, private=True)
    with Stranger() as stranger:
        for what, skip in (("info/refs", 1), ("runtime", 0)):  # git shows its token only at the second request
            to = {"Location": f"{stranger.url}/{what}?service=git-upload-pack"}
            sandbox.hub.fault(match=f"GET */{what}", status=302, headers=to, skip=skip, count=None)
        answer = family.run("status", "--json", cwd=family.clone.path).json()
        assert {seen.user for seen in sandbox.hub.log if seen.status == 302} == {"lemms"}
        assert answer["repos"][1]["state"] == "unreachable"
        assert {path.partition("?")[0] for path, _ in stranger.shown} == {"/info/refs", "/runtime"}
        assert {shown for _, shown in stranger.shown} == {""}


def _job(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a CI job that has no token for the Hub, and can prove who it is."""
    monkeypatch.delenv("HF_TOKEN")
    for name, value in sandbox.hub.job_environment("", CLAIMS).items():
        if name != "HF_OIDC_RESOURCE":
            monkeypatch.setenv(name, value)


@pytest.mark.slow
def test_trusted_publishing_exchanges_one_token_for_each_repository(
    sandbox: Sandbox, hub_family: HubFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.hub.create("model", "lemms/small")
    sandbox.hub.trust(f"spaces/{SPACE}", CLAIMS)
    sandbox.hub.trust("lemms/small", CLAIMS)
    hub_family.manifest(more=MODEL)
    _job(sandbox, monkeypatch)
    done = hub_family.sync()
    assert done.code == 0, done.out + done.err
    assert [seen.path for seen in sandbox.hub.log].count("/oauth/token") == 2
    assert {seen.user for seen in sandbox.hub.log if seen.path.endswith("git-receive-pack")} >= {"[OIDC]"}


@pytest.mark.slow
def test_tokens_of_trusted_publishing_stand_nowhere_either(
    sandbox: Sandbox, canary: Canary, hub_family: HubFamily, monkeypatch: pytest.MonkeyPatch, run_tool: RunTool
) -> None:
    sandbox.hub.trust(f"spaces/{SPACE}", CLAIMS)
    _job(sandbox, monkeypatch)
    said = run_tool("-v", "sync", "--yes", cwd=hub_family.clone.path)
    assert said.code == 0
    (token,) = [token for token in sandbox.hub.accounts if token.startswith("hf_jwt_")]
    exchanged = {"the exchanged token": token}
    assert canary.given_to_git(exchanged) == ["GitHub's token", "the exchanged token"]
    assert canary.leaks(hub_family.clone.path, sandbox.root, said=[said], more=exchanged) == []


@pytest.mark.slow
def test_a_repository_that_does_not_trust_the_job_says_so(
    sandbox: Sandbox, hub_family: HubFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.hub.create("model", "lemms/small")
    sandbox.hub.trust(f"spaces/{SPACE}", CLAIMS)
    hub_family.manifest(more=MODEL)
    _job(sandbox, monkeypatch)
    done = hub_family.sync()
    assert done.code == 3
    assert "space: synced" in done.out
    assert "The Hub does not take this CI job for a trusted publisher of the model lemms/small" in done.out
