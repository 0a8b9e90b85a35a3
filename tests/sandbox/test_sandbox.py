"""Starting, stopping, coming back; and the environment that leads there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import openllm_repos.sandbox
from openllm_repos.errors import EnvironmentProblem
from openllm_repos.sandbox import Sandbox
from tests.support.hub import client
from tests.support.process import run_git
from tests.support.repositories import Bare
from tests.support.sealed import SealedHome, read_hub_settings


def test_it_is_gone_when_it_is_stopped(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as sandbox:
        port = int(sandbox.hub.url.rpartition(":")[2])
        idle = socket.create_connection(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with idle:
        assert idle.recv(1) == b""


def test_the_same_folder_has_the_same_repositories_again(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as first:
        tip = Bare(first.hub.create("dataset", "lemms/y")).tip("main")
        first.github.create("louischua/openllm")
    with Sandbox(tmp_path) as second:
        assert client(second).dataset_info("lemms/y").sha == tip
        with pytest.raises(FileExistsError):
            second.github.create("louischua/openllm")


def test_the_hubs_own_first_commit_can_be_left_out(sandbox: Sandbox) -> None:
    assert Bare(sandbox.hub.create("model", "lemms/x", empty=True)).tips() == {}
    assert client(sandbox).model_info("lemms/x").sha is None
    space = Bare(sandbox.hub.create("space", "lemms/openllm", sdk="docker"))
    assert space.paths() == [".gitattributes", "README.md"]
    assert b"sdk: docker\napp_port: 7860\n" in space.read("README.md")


def test_the_configuration_of_the_person_has_no_say(sandbox: Sandbox, home: SealedHome, tmp_path: Path) -> None:
    """A person's hooks, refused http pushes or default branch are theirs, not the hosts'."""
    home.set("core.hooksPath", str(tmp_path / "hooks"))
    home.set("http.receivepack", "false")
    home.set("init.defaultBranch", "trunk")
    api = client(sandbox)
    api.create_repo("lemms/x")
    done = api.upload_file(path_or_fileobj=b"x", path_in_repo="a.txt", repo_id="lemms/x")
    assert Bare(sandbox.hub.path("model", "lemms/x")).tip("main") == done.oid


def test_a_reader_of_github_and_nobody_on_the_hub(sandbox: Sandbox, tmp_path: Path) -> None:
    env = sandbox.environment(token="", github_token="gh_read")
    assert "HF_TOKEN" not in env
    assert env["GITHUB_TOKEN"] == "gh_read"
    sandbox.hub.create("model", "lemms/x")
    assert "refs/heads/main" in run_git("ls-remote", "https://huggingface.co/lemms/x", cwd=tmp_path, env=env).out


def test_a_process_that_entered_the_sandbox_is_what_it_was_afterwards(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = dict(os.environ)
    with sandbox.entered():
        assert not {"GIT_DIR", "HF_HUB_OFFLINE"} & os.environ.keys()
        assert os.environ.items() >= sandbox.environment().items()
        assert os.environ["PATH"] == before["PATH"]
    assert dict(os.environ) == before


def test_a_machine_without_git_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="git is not installed"):
        Sandbox(tmp_path)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "one") as one:
        port = int(one.github.url.rpartition(":")[2])
        with (
            pytest.raises(EnvironmentProblem, match=f"Port {port} cannot be used"),
            Sandbox(tmp_path / "two", ports=(0, port)),
        ):
            pass


def test_the_package_costs_nothing_until_it_is_used() -> None:
    script = "import sys, openllm_repos.sandbox; print('http.server' in sys.modules, 'yaml' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "False False\n"
    with pytest.raises(AttributeError):
        openllm_repos.sandbox.nothing  # noqa: B018


# ---- the seal of the tests -------------------------------------------------------------------------------------------


def test_huggingface_hub_lives_in_the_home_of_the_test(home: SealedHome, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants, get_token

    read_hub_settings(monkeypatch)
    assert Path(constants.HF_HOME).is_relative_to(home.folder)
    assert Path(constants.HF_TOKEN_PATH).is_relative_to(home.folder)
    assert Path(constants.HF_HUB_CACHE).is_relative_to(home.folder)
    assert (constants.HF_HUB_DISABLE_TELEMETRY, constants.HF_HUB_DISABLE_UPDATE_CHECK) == (True, True)
    assert get_token() is None


@pytest.mark.slow
def test_huggingface_hub_in_the_tests_process_talks_to_the_sandbox(sandbox: Sandbox) -> None:
    import huggingface_hub

    assert sandbox.hub.url == huggingface_hub.constants.ENDPOINT
    assert huggingface_hub.constants.HF_HUB_DISABLE_XET is True
    assert huggingface_hub.whoami()["name"] == "lemms"
    script = "import huggingface_hub; print(huggingface_hub.whoami()['name'])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True, env=os.environ) == "lemms\n"
