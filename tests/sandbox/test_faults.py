"""What goes wrong on request, as git and huggingface_hub meet it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import httpx2
import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError

from openllm_repos.sandbox import Sandbox
from tests.support.hub import client, clone, push
from tests.support.repositories import Bare, Clone

RATE = {"RateLimit": '"api";r=0;t=7', "RateLimit-Policy": '"fixed window";"api";q=1000;w=300', "Retry-After": "7"}


@pytest.fixture
def work(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of a model with one commit that is not pushed."""
    sandbox.hub.create("model", "lemms/x")
    made = clone(sandbox, "lemms/x", tmp_path / "work")
    made.commit("mine", {"a.txt": "a\n"})
    return made


@pytest.fixture
def held(work: Clone, sandbox: Sandbox) -> Bare:
    """Return the bare repository that the clone is of."""
    del work
    return Bare(sandbox.hub.path("model", "lemms/x"))


def test_a_status_comes_as_often_as_asked(sandbox: Sandbox) -> None:
    sandbox.hub.fault("GET /api/whoami-v2", status=503, message="try later", count=2, skip=1)
    api = client(sandbox)
    codes = []
    for _ in range(4):
        try:
            api.whoami()
            codes.append(200)
        except HfHubHTTPError as error:
            codes.append(int(error.response.status_code))
    assert codes == [200, 503, 503, 200]
    assert [seen.status for seen in sandbox.hub.log] == codes


def test_a_rate_limit_tells_how_long_to_wait(sandbox: Sandbox) -> None:
    sandbox.hub.create("model", "lemms/x")
    sandbox.hub.fault("POST */commit/main", status=429, headers=RATE)
    add = [CommitOperationAdd("a.txt", b"a")]
    with pytest.raises(HfHubHTTPError, match="Retry after 7 seconds") as caught:
        client(sandbox).create_commit("lemms/x", add, commit_message="a")
    assert caught.value.response.headers["Retry-After"] == "7"


def test_a_fault_may_carry_the_hubs_word_for_it(sandbox: Sandbox) -> None:
    sandbox.hub.create("model", "lemms/x")
    sandbox.hub.fault("GET /api/models/*", status=403, code="GatedRepo", count=None)
    for _ in range(2):
        with pytest.raises(GatedRepoError):
            client(sandbox).model_info("lemms/x")
    sandbox.hub.faults.clear()
    assert client(sandbox).model_info("lemms/x").id == "lemms/x"


def test_a_slow_answer_takes_its_time(sandbox: Sandbox) -> None:
    sandbox.hub.fault("GET /api/whoami-v2", delay=0.3)
    begin = time.monotonic()
    client(sandbox).whoami()
    assert time.monotonic() - begin >= 0.3


def test_a_push_over_a_cut_connection_does_nothing(work: Clone, held: Bare, sandbox: Sandbox) -> None:
    before = held.tip("main")
    sandbox.hub.fault("POST */git-receive-pack", cut=True)
    assert push(work).code != 0
    assert held.tip("main") == before
    assert sandbox.hub.log[-1].status == 0
    assert push(work).code == 0


def test_a_push_may_land_and_its_answer_be_lost(work: Clone, held: Bare, sandbox: Sandbox) -> None:
    sandbox.hub.fault("POST */git-receive-pack", lose_answer=True)
    said = push(work)
    assert said.code != 0
    assert "rejected" not in said.err
    assert held.tip("main") == work.tip()


def test_a_commit_may_land_and_its_answer_be_lost(held: Bare, sandbox: Sandbox) -> None:
    sandbox.hub.fault("POST */commit/main", lose_answer=True)
    add = [CommitOperationAdd("b.txt", b"b")]
    with pytest.raises(httpx2.RemoteProtocolError):
        client(sandbox).create_commit("lemms/x", add, commit_message="b")
    assert "b.txt" in held.paths()


def test_a_remote_may_move_between_two_calls(work: Clone, held: Bare, sandbox: Sandbox, tmp_path: Path) -> None:
    other = Clone.of(held.url, tmp_path / "other")
    moved = other.commit("somebody was quicker", {"b.txt": "b\n"})
    sandbox.hub.fault("POST */git-receive-pack", before=lambda: other.push("origin"))
    said = push(work)
    assert said.code == 1
    assert "remote rejected" in said.err
    assert held.tip("main") == moved


def test_a_fetch_may_break_off_in_the_middle(work: Clone, sandbox: Sandbox, tmp_path: Path) -> None:
    work.commit("noise", {f"{number}.txt": f"{number}\n" * 500 for number in range(50)})
    push(work)
    sandbox.hub.fault("POST */git-upload-pack", truncate=3000, skip=1)  # the first asks for the refs
    target = tmp_path / "broken"
    said = work.run("clone", f"{sandbox.hub.url}/lemms/x", target, ok=(128,))
    assert "early EOF" in said.err or "unexpected disconnect" in said.err or "transfer closed" in said.err
    assert Clone.of(f"{sandbox.hub.url}/lemms/x", target).tip() == work.tip()


def test_a_query_can_be_part_of_the_match(work: Clone, sandbox: Sandbox) -> None:
    sandbox.hub.fault("GET */info/refs[?]service=git-receive-pack", status=500)
    assert "500" in push(work).err
    assert work.run("fetch", "origin").code == 0


@pytest.mark.slow
def test_of_pushes_that_race_one_wins(held: Bare, sandbox: Sandbox, tmp_path: Path) -> None:
    rivals = []
    for number in range(4):
        rivals.append(clone(sandbox, "lemms/x", tmp_path / f"rival-{number}"))
        rivals[-1].commit(f"rival {number}", {f"{number}.txt": "x"})
    with ThreadPoolExecutor(4) as pool:
        codes = sorted(pool.map(lambda one: push(one).code, rivals))
    assert codes == [0, 1, 1, 1]
    assert held.tip("main") in {one.tip() for one in rivals}
    held.fsck()


# ---- from the shell --------------------------------------------------------------------------------------------------


def control(url: str, what: str, **fields: Any) -> tuple[int, Any]:
    request = Request(f"{url}/_sandbox/{what}", data=json.dumps(fields).encode())
    try:
        with urlopen(request) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_faults_are_asked_for_from_the_shell(sandbox: Sandbox) -> None:
    assert control(sandbox.hub.url, "fault", match="GET /api/whoami-v2", status=500, count=None) == (200, {})
    with pytest.raises(HfHubHTTPError):
        client(sandbox).whoami()
    assert control(sandbox.hub.url, "fault", clear=True) == (200, {})
    assert client(sandbox).whoami()["name"] == "lemms"
    code, said = control(sandbox.hub.url, "fault", match="*", befor="x")
    assert (code, said) == (400, {"error": "ValueError: unknown: befor"})


def test_repositories_are_made_from_the_shell(sandbox: Sandbox) -> None:
    hub, github = sandbox.hub.url, sandbox.github.url
    asked = {"kind": "space", "id": "lemms/openllm", "sdk": "static", "private": True, "gated": True}
    assert control(hub, "repo", **asked) == (200, {"url": f"{hub}/spaces/lemms/openllm"})
    info = client(sandbox).space_info("lemms/openllm")
    assert (info.sdk, info.private) == ("static", True)
    assert control(hub, "repo", **asked)[0] == 409
    assert control(hub, "repo", kind="space", id="openllm")[0] == 400
    rules = [{"ref": "refs/tags/v*", "rules": ["deletion"]}]
    assert control(github, "repo", id="louischua/openllm", rules=rules) == (
        200,
        {"url": f"{github}/louischua/openllm.git"},
    )
    with urlopen(f"{github}/api/v3/repos/louischua/openllm/rulesets") as answer:
        assert json.load(answer)[0]["rules"] == [{"type": "deletion"}]


def test_builds_and_accounts_are_arranged_from_the_shell(sandbox: Sandbox) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    api = client(sandbox)
    assert control(sandbox.hub.url, "build", id="lemms/openllm", stage="BUILD_ERROR", asks=0) == (200, {})
    api.restart_space("lemms/openllm")
    assert str(api.get_space_runtime("lemms/openllm").stage) == "BUILD_ERROR"
    assert control(sandbox.hub.url, "build", id="lemms/openllm", stage="PAUSED", now=True) == (200, {})
    assert str(api.get_space_runtime("lemms/openllm").stage) == "PAUSED"
    assert control(sandbox.hub.url, "build", id="lemms/none")[0] == 400
    assert control(sandbox.hub.url, "account", free=True) == (200, {})
    assert sandbox.hub.free_account
    claims = {"repository": "louischua/openllm"}
    assert control(sandbox.hub.url, "trust", resource="lemms/x", claims=claims) == (200, {})
    assert sandbox.hub.publishers[0].claims == claims


def test_a_control_that_does_not_exist_says_so(sandbox: Sandbox) -> None:
    assert control(sandbox.github.url, "trust", resource="x", claims={})[0] == 404
    assert control(sandbox.hub.url, "nonsense")[0] == 404
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{sandbox.hub.url}/_sandbox/fault")
    with pytest.raises(HTTPError, match="400"):
        urlopen(Request(f"{sandbox.hub.url}/_sandbox/fault", data=b"[1]"))
    with pytest.raises(HTTPError, match="400"):
        urlopen(Request(f"{sandbox.hub.url}/_sandbox/fault", data=b"{"))


def test_a_fault_of_the_sandbox_itself_fails_the_test(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as broken:
        broken.hub.create("model", "lemms/x")
        (broken.hub.path("model", "lemms/x") / "sandbox.json").write_text("{")
        with pytest.raises(HTTPError, match="500"):
            urlopen(f"{broken.hub.url}/api/models/lemms/x")
    assert [said.partition(": Expecting")[0] for said in broken.mishaps] == ["GET /api/models/lemms/x: JSONDecodeError"]
