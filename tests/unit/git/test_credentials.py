"""A credential for one git command: asked of real git, which decides who gets it."""

from __future__ import annotations

import os

import pytest

from openllm_repos.git.credentials import Credential, credential_environment
from tests.support.process import run_git
from tests.support.sealed import SealedHome

HUB = Credential(("https://huggingface.co", "https://hf.co"), "hf_user", "secret")


def _answer(url: str, credential: Credential | None = HUB) -> dict[str, str]:
    """Return what git would show to the server at `url`."""
    done = run_git(
        "credential",
        "fill",
        cwd="/",
        data=f"url={url}\n\n".encode(),
        env=credential_environment(credential),
        ok=(0, 128),
    )
    return dict(line.split("=", 1) for line in done.out.splitlines())


@pytest.fixture(autouse=True)
def _own_helper(home: SealedHome) -> None:
    home.set("credential.helper", "!echo username=person; echo password=own;:")


@pytest.mark.parametrize("url", ["https://huggingface.co/a/b", "https://hf.co/a/b", "https://x@huggingface.co/a"])
def test_git_shows_it_to_its_own_host_in_place_of_what_is_stored(url: str) -> None:
    assert (_answer(url)["username"], _answer(url)["password"]) == ("hf_user", "secret")


@pytest.mark.parametrize(
    "url",
    [
        "http://huggingface.co/a/b",
        "https://huggingface.co:8443/a/b",
        "https://huggingface.co.example.com/a/b",
        "https://www.huggingface.co/a/b",
        "https://github.com/a/b",
    ],
)
def test_every_other_host_is_left_to_the_persons_own_helpers(url: str) -> None:
    assert (_answer(url)["username"], _answer(url)["password"]) == ("person", "own")


def test_without_a_credential_nothing_changes() -> None:
    assert credential_environment(None) == {}
    assert _answer("https://huggingface.co/a/b", None)["password"] == "own"


def test_what_the_person_has_in_the_environment_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "From the environment")
    made = credential_environment(HUB)
    assert made["GIT_CONFIG_COUNT"] == "5"
    assert run_git("config", "user.name", cwd="/", env=made).out == "From the environment\n"
    assert _answer("https://huggingface.co/a")["password"] == "secret"
    assert credential_environment(HUB, {"GIT_CONFIG_COUNT": "some"})["GIT_CONFIG_COUNT"] == "4"


def test_the_token_stands_in_one_variable_and_in_no_configuration() -> None:
    made = credential_environment(HUB)
    assert [name for name, value in made.items() if "secret" in value] == ["OPENLLM_REPOS_PASSWORD"]
    assert "secret" not in run_git("config", "--list", cwd="/", env=made).out
    assert "secret" not in repr(HUB)


def test_nothing_is_stored_and_nothing_is_erased() -> None:
    for verb in ("approve", "reject"):
        said = b"url=https://huggingface.co/a\nusername=u\npassword=p\n\n"
        done = run_git("credential", verb, cwd="/", data=said, env=os.environ | credential_environment(HUB))
        assert (done.out, done.err) == ("", "")
