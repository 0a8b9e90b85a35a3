"""git's commands that talk to a host: what the wire says of a failure, and that no answer outlives the command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from openllm_repos.errors import Passing
from openllm_repos.git import process
from openllm_repos.git.environment import CONFIGURATION
from openllm_repos.git.network import HostAnswer, HostFailed, ask_host, read_trace, speak
from openllm_repos.git.remote import Unreachable, list_refs, push
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate
from openllm_repos.retry import RetryPolicy
from tests.support.served import login
from tests.support.stranger import Stranger

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.repositories import Clone
    from tests.support.sealed import SealedHome

HEAD = b"12:00:00.000001 http.c:684              "
SENT = HEAD + b"=> Send header: GET /x/info/refs?service=git-upload-pack HTTP/1.1\n"


def _answer(*lines: bytes) -> bytes:
    return b"".join(HEAD + b"<= Recv header: " + line + b"\r\n" for line in lines)


def test_the_last_answer_counts() -> None:
    asked_for_password = SENT + _answer(b"HTTP/1.1 401 Unauthorized", b"Retry-After: 99", b"")
    limited = SENT + _answer(b"HTTP/2 429 ", b"Retry-After: 7", b'RATELIMIT: "api";r=0;t=55', b"")
    found = read_trace(asked_for_password + limited)
    assert (found.method, found.status, found.whole) == ("GET", 429, True)
    assert found.passing == Passing("HTTP 429", 55)
    assert read_trace(limited + asked_for_password).passing is None


def test_a_server_that_falls_silent_in_its_answer_is_given_up_long_before_the_deadline(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In five minutes, as test_process.py says; here in one second, in which not enough has come."""
    short = {"http.lowSpeedTime=300": "http.lowSpeedTime=1", "http.lowSpeedLimit=1": "http.lowSpeedLimit=10000"}
    monkeypatch.setattr(process, "CONFIGURATION", [short.get(one, one) for one in CONFIGURATION])
    refs = {"Content-Type": "application/x-git-upload-pack-advertisement"}
    with Stranger(200, b"001e# service=git-upload-pack\n0000", endless=True, headers=refs) as silent:
        with pytest.raises(Unreachable) as why:
            list_refs(Repository.open(clone.path), f"{silent.url}/x", deadline=60)
        assert "no answer within" not in why.value.message
        assert silent.shown, "it was there"


@pytest.mark.parametrize(
    "cut", [SENT, SENT + _answer(b"HTTP/1.1 200 OK"), SENT + _answer(b"HTTP/1.1 100 Continue", b"")]
)
def test_an_answer_that_never_came_or_broke_off_may_pass(cut: bytes) -> None:
    assert read_trace(cut).passing == Passing("the connection broke off")


def test_a_page_of_somebody_else_does_not_pass_and_an_answer_of_git_that_ended_early_does() -> None:
    page = SENT + _answer(b"HTTP/1.1 200 OK", b"Content-Type: text/html", b"")
    refs = SENT + _answer(b"HTTP/1.1 200 OK", b"Content-Type: application/x-git-upload-pack-result", b"")
    assert (read_trace(page).passing, read_trace(page).foreign) == (None, True)
    assert not read_trace(refs).foreign
    assert not read_trace(refs + page).foreign, "what came before was git's"
    assert read_trace(refs).passing == Passing("the answer ended early", tries=2)


def test_a_proxy_that_connects_is_not_the_host_and_one_that_cannot_may_pass() -> None:
    through = SENT.replace(b"GET /x/info/refs?service=git-upload-pack", b"CONNECT h:443")
    assert read_trace(through + _answer(b"HTTP/1.1 200 Connection established", b"")) == HostAnswer(attempted=True)
    assert read_trace(through + _answer(b"HTTP/1.1 502 Bad Gateway", b"")).passing == Passing("HTTP 502")


@pytest.mark.parametrize("trace", [b"", b"\xff\xfe <= Recv header", HEAD + b"<= Recv header: HTTP/9.9 99999 x\n"])
def test_what_is_no_trace_says_nothing(trace: bytes) -> None:
    assert read_trace(trace).passing is None


@pytest.fixture
def there(sandbox: Sandbox, clone: Clone, home: SealedHome) -> tuple[Repository, str]:
    """Return a clone with a commit, whose person is logged in, and the URL of a model."""
    login(home, sandbox)
    sandbox.hub.create("model", "lemms/small")
    clone.commit("one", {"f": "1"})
    return Repository.open(clone.path), f"{sandbox.hub.url}/lemms/small"


@pytest.mark.parametrize(
    ("fault", "passing"),
    [
        ({"status": 503}, Passing("HTTP 503")),
        ({"status": 429, "headers": {"Retry-After": "7"}}, Passing("HTTP 429", 7)),
        ({"cut": True}, Passing("the connection broke off")),
        ({"reset": True}, Passing("the connection broke off")),
        ({"truncate": 30}, Passing("the answer ended early", tries=2)),
        ({"status": 404}, None),
    ],
    ids=str,
)
def test_the_wire_says_why_a_question_failed(
    sandbox: Sandbox, there: tuple[Repository, str], fault: dict[str, Any], passing: Passing | None
) -> None:
    repository, url = there
    sandbox.hub.fault("GET */info/refs*", count=None, **fault)
    with pytest.raises(HostFailed) as failed:
        ask_host(repository, url, "ls-remote", "--", url)
    assert failed.value.passing == passing
    with pytest.raises(Unreachable) as unreachable:
        list_refs(repository, url, deadline=30)
    assert unreachable.value.passing == passing


def test_a_commit_that_is_not_there_is_no_answer_that_ended_early(there: tuple[Repository, str]) -> None:
    repository, url = there
    for version in ("0", "2"):
        with pytest.raises(HostFailed) as failed:
            ask_host(repository, url, "fetch", "--", url, "1" * 40, settings=(f"protocol.version={version}",))
        assert failed.value.passing is None


def test_the_trace_has_no_name_and_no_file_of_it_stays(there: tuple[Repository, str], tmp_path: Path) -> None:
    repository, url = there
    done, answer = speak(repository, url, "ls-remote", "--", url)
    assert (done.code, answer.status, answer.method) == (0, 200, "POST")
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"Recv header" in path.read_bytes()]


def test_a_question_is_asked_again_until_it_is_answered(sandbox: Sandbox, there: tuple[Repository, str]) -> None:
    repository, url = there
    said: list[str] = []
    patient = replace(repository, retry=RetryPolicy(20, said.append))
    sandbox.hub.fault("GET */info/refs*", status=502)
    sandbox.hub.fault("GET */info/refs*", reset=True)
    assert "refs/heads/main" in list_refs(patient, url, deadline=30)
    host = url.removeprefix("http://").partition("/")[0]
    assert said == [f"waiting 1 s: {host}: HTTP 502", f"waiting 1 s: {host}: the connection broke off"]


def _pushes(sandbox: Sandbox) -> int:
    return sum(seen.path.endswith("/git-receive-pack") for seen in sandbox.hub.log)


def _update(repository: Repository, clone: Clone, old: str) -> RefUpdate:
    return RefUpdate("refs/heads/new", ObjectId(old) if old else repository.zero, ObjectId(clone.tip("main")))


@pytest.mark.parametrize(
    "fault",
    [{"status": 503}, {"status": 429, "headers": {"Retry-After": "1"}}, {"cut": True}, {"reset": True}],
    ids=str,
)
def test_a_push_of_which_nothing_landed_is_made_again(
    sandbox: Sandbox, there: tuple[Repository, str], clone: Clone, fault: dict[str, Any]
) -> None:
    repository, url = there
    sandbox.hub.fault("POST */git-receive-pack", **fault)
    pushed = push(replace(repository, retry=RetryPolicy(30)), url, [_update(repository, clone, "")], hooks=False)
    assert (pushed.done, pushed.passing) == (True, None)


def test_a_push_that_landed_though_its_answer_was_lost_is_not_made_again(
    sandbox: Sandbox, there: tuple[Repository, str], clone: Clone
) -> None:
    repository, url = there
    sandbox.hub.fault("POST */git-receive-pack", lose_answer=True)
    update = _update(repository, clone, "")
    pushed = push(replace(repository, retry=RetryPolicy(30)), url, [update], hooks=False)
    assert not pushed.done
    assert _pushes(sandbox) == 1
    assert list_refs(repository, url, deadline=30)["refs/heads/new"] == update.new


def test_a_push_that_nobody_can_prove_to_have_failed_is_not_made_again(
    sandbox: Sandbox, there: tuple[Repository, str], clone: Clone
) -> None:
    repository, url = there
    sandbox.hub.fault("POST */git-receive-pack", status=503)
    sandbox.hub.fault("GET */info/refs?service=git-upload-pack", status=404, count=None)
    pushed = push(replace(repository, retry=RetryPolicy(30)), url, [_update(repository, clone, "")], hooks=False)
    assert pushed.passing == Passing("HTTP 503")
    assert _pushes(sandbox) == 1


def test_a_hook_of_the_persons_own_that_says_no_is_asked_once(
    there: tuple[Repository, str], clone: Clone, tmp_path: Path
) -> None:
    repository, url = there
    hook = clone.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho run >> {tmp_path}/runs\nexit 1\n")
    hook.chmod(0o755)
    pushed = push(replace(repository, retry=RetryPolicy(30)), url, [_update(repository, clone, "")])
    assert (pushed.done, pushed.passing, pushed.unreached) == (False, None, False)
    assert (tmp_path / "runs").read_text() == "run\n"
