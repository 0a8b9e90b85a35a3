"""A manifest travels with its repository: a Hub that it names gets a token only after the person has said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import run_on_terminal

if TYPE_CHECKING:
    from tests.support.family import Family
    from tests.support.server import GitServer

TOKEN = "hf_for_that_hub"


@pytest.fixture
def own(family: Family, server: GitServer, monkeypatch: pytest.MonkeyPatch) -> Family:
    """Return a family whose Space is on a private Hub of its own; the person is logged in, to some Hub or other."""
    host = server.https_url("").rstrip("/")
    family.space = server.create("spaces/lemms/openllm.git")
    server.on("spaces/lemms/openllm.git", account=("hf_user", TOKEN))
    family.urls["hub"] = host
    written = (
        f'schema = 1\n[project]\nname = "openllm"\n[hosts]\nhub = "{host}"\n'
        f'[repos.main]\nurl = "{family.origin.url}"\nrole = "source"\n[repos.space]\nspace = "lemms/openllm"\n'
        '[[repos.space.map]]\nfrom = "core/src/*.py"\nto = "training/"\n'
    )
    family.clone.write({"repos.toml": written})
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return family


def _trusted(family: Family) -> str:
    return family.clone.git("config", "--get", f"openllm.{family.urls['hub']}.trusted", ok=(0, 1))


@pytest.mark.parametrize("command", [("sync",), ("diff",), ("status",), ("status", "--json")])
def test_without_a_terminal_the_command_to_type_is_named(
    own: Family, server: GitServer, command: tuple[str, ...]
) -> None:
    done = own.run(*command, cwd=own.clone.path)
    assert (done.code, done.out, server.requests) == (2, "", [])
    assert done.err.splitlines() == [
        f"error: repos.toml names {own.urls['hub']} as its Hub, and it would get your Hub token.",
        f"next: git config openllm.{own.urls['hub']}.trusted true  # if you trust it; false goes on without a token",
    ]


def test_the_command_that_is_named_settles_it(own: Family) -> None:
    asked = own.run("status", cwd=own.clone.path).err
    command = asked.partition("next: git ")[2].partition("  # ")[0]
    own.clone.git(*command.split(" "))
    own.synced()
    assert own.space.paths() == ["training/model.py", "training/train.py"]


def test_who_says_no_goes_on_without_a_token(own: Family) -> None:
    own.clone.git("config", f"openllm.{own.urls['hub']}.trusted", "false")
    done = own.sync()
    assert (done.code, own.space.tips()) == (30, {})
    assert TOKEN not in done.out + done.err


@pytest.mark.slow
def test_the_question_of_trust_is_asked_whatever_standard_output_is(own: Family) -> None:
    answer = run_on_terminal("status", "--json", cwd=own.clone.path, typed=b"\n", piped=True)
    assert "Send it your Hub token, now and from now on? [y/N]" in answer.err
    assert answer.json()["schema"] == 1
    assert _trusted(own) == "false"


@pytest.mark.slow
def test_no_answer_to_the_question_of_trust_is_kept_as_none(own: Family) -> None:
    answer = run_on_terminal("status", cwd=own.clone.path, typed=b"\x04")
    assert (answer.code, _trusted(own)) == (2, "")


def test_yes_to_a_push_is_no_trust_in_a_hub(own: Family) -> None:
    assert (own.sync("--yes").code, _trusted(own), own.space.tips()) == (2, "", {})


@pytest.mark.slow
def test_at_a_terminal_it_is_asked_once(own: Family) -> None:
    answer = run_on_terminal("status", cwd=own.clone.path, typed=b"y\n")
    question = f"repos.toml names {own.urls['hub']} as its Hub. Send it your Hub token, now and from now on? [y/N]"
    assert question in answer.out
    assert "empty" in answer.out
    assert _trusted(own) == "true"
    assert own.sync().code == 0


@pytest.mark.slow
def test_an_answer_of_no_is_kept_as_well(own: Family) -> None:
    answer = run_on_terminal("status", cwd=own.clone.path, typed=b"\n")
    assert "unreachable" in answer.out
    assert _trusted(own) == "false"
    assert "unreachable" in own.run("status", cwd=own.clone.path).out


def test_a_hub_that_the_persons_own_environment_names_needs_no_question(
    own: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", own.urls["hub"])
    own.synced()


def test_who_has_no_token_is_not_asked(own: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    assert "unreachable" in own.run("status", cwd=own.clone.path).out


def test_a_manifest_that_names_the_usual_hub_is_no_question(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    family.clone.write(
        {"repos.toml": (family.clone.path / "repos.toml").read_text() + '\n[hosts]\nhub = "https://huggingface.co"\n'}
    )
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    family.synced()


def test_another_hub_in_the_environment_takes_the_token_and_the_manifests_gets_none(
    own: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example.org")
    done = own.sync()
    assert (done.code, own.space.tips()) == (30, {})
