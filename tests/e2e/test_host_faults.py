"""What hosts say no to, each told as what it is, with its own step, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openllm_repos.sandbox.tokens import Account

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.hub_family import HubFamily
    from tests.support.process import Result

SECOND = '[repos.second]\nspace = "lemms/second"\nmap = [{ from = "core/src/*.py", to = "training/" }]'


@pytest.fixture
def two(sandbox: Sandbox, hub_family: HubFamily) -> HubFamily:
    """Return a family with two Spaces."""
    sandbox.hub.create("space", "lemms/second", sdk="static")
    hub_family.manifest(more=SECOND)
    return hub_family


def _doctor(family: HubFamily) -> Result:
    return family.run("--patience", "0", "doctor", cwd=family.clone.path)


def _problems(result: Result) -> list[str]:
    """Return the paragraphs of doctor's output that are about tokens, remotes and the right to push."""
    rows = result.out.replace("\n   ", " ").splitlines()
    lines = [" ".join(row.split()) for row in rows]
    return [line for line in lines if line.startswith(tuple(f"{level} {name}" for level in LEVELS for name in NAMES))]


LEVELS, NAMES = ("error", "warning"), ("token", "remote ", "write")


def test_a_token_that_has_ended_is_told_once_with_where_it_was_found(
    two: HubFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_ended")
    (said,) = _problems(_doctor(two))
    assert said.startswith("error token Hub: HF_TOKEN, which the Hub does not take: Invalid credentials")
    assert "set HF_TOKEN to it, or unset HF_TOKEN and log in with 'hf auth login'" in said
    for command in (("sync",), ("sync", "--dry-run"), ("release", "1.0.0")):
        refused = two.run(*command, "--yes", cwd=two.clone.path)
        words = refused.out + refused.err
        assert (refused.code, words.count("The Hub does not take the token")) == (3, 1), words
        assert "space, second: " in words
        assert "set HF_TOKEN to it, or unset HF_TOKEN and log in with 'hf auth login'" in words
        assert "may not do this" not in words


@pytest.mark.slow
def test_a_token_that_may_only_read_is_told_once(two: HubFamily, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_read")
    refused = two.sync("--yes")
    assert (refused.code, refused.out.count("The token of lemms can only read.")) == (3, 1)
    assert "space, second: stopped" in refused.out


@pytest.mark.slow
def test_without_a_token_the_step_is_to_log_in(two: HubFamily, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    none, write = _problems(_doctor(two))
    assert none.startswith("warning token Hub: none")
    assert write.startswith("error write space, second: you may not push: the Hub wants a login")
    refused = two.sync("--yes")
    assert refused.code == 3
    assert refused.out.count("the Hub wants a login for it") == 1
    assert refused.out.count("next: hf auth login") == 1
    assert "pre-push hook" not in refused.out
    assert "gh secret set" not in refused.out


@pytest.mark.slow
def test_a_connection_that_is_refused_says_nothing_of_tokens_and_is_told_once(
    two: HubFamily, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.run("status", cwd=two.clone.path)
    for name, value in sandbox.environment().items():
        if sandbox.hub.url in value and name != "GIT_CONFIG_GLOBAL":
            monkeypatch.setenv(name, value.replace(sandbox.hub.url, "http://127.0.0.1:9"))
    _, remote = _problems(_doctor(two))
    assert remote.startswith("error remote space, second: there is no connection to huggingface.co")
    status = two.run("status", cwd=two.clone.path)
    assert status.out.count("there is no connection") == 1
    done = two.sync("--yes")
    assert done.code == 30
    assert done.out.count("Check the network") == 1
    assert "token" not in f"{done.out}{status.out}{remote}"


@pytest.mark.slow
def test_a_role_in_an_organization_that_may_not_write_is_no_fault_of_the_token(
    hub_family: HubFamily, sandbox: Sandbox
) -> None:
    sandbox.hub.create("space", "acme/second", sdk="static")
    hub_family.manifest(more=SECOND.replace("lemms/second", "acme/second"))
    sandbox.hub.accounts["hf_write"] = Account("lemms", "write", readable=("acme",))
    (said,) = _problems(_doctor(hub_family))
    assert "lemms has the role read in the organization acme." in said
    assert "Ask an admin of acme for the role write" in said
    sandbox.hub.accounts["hf_write"] = Account("lemms", "write")
    done = hub_family.sync("--yes")
    assert "lemms is not a member of acme." in done.out
    assert "space: synced" in done.out
