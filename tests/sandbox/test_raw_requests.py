"""Requests that no client of ours would send, or that a client sends when it is wrong: each has its own answer."""

from __future__ import annotations

import base64
import http.client
import json
from pathlib import Path
from typing import Any, cast
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from openllm_repos.sandbox import Sandbox
from openllm_repos.sandbox.tokens import presented
from tests.support.hub import clone, push

WRITE = {"Authorization": "Bearer hf_write"}
COMMIT = "/api/models/lemms/x/commit/main"


class Answered:
    """What came back: status, headers, and the error's text."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def error(self) -> str:
        return str(json.loads(self.body)["error"])


def ask(sandbox: Sandbox, method: str, path: str, data: Any = None, headers: dict[str, str] | None = None) -> Answered:
    content = data if isinstance(data, bytes | None) else json.dumps(data).encode()
    request = Request(
        sandbox.hub.url + path, data=content, method=method, headers=WRITE if headers is None else headers
    )
    try:
        with urlopen(request) as answer:
            return Answered(answer.status, answer.headers, answer.read())
    except HTTPError as error:
        with error:
            return Answered(error.code, error.headers, error.read())


@pytest.fixture(autouse=True)
def _model(sandbox: Sandbox) -> None:
    sandbox.hub.create("model", "lemms/x")


def lines(*items: tuple[str, Any]) -> bytes:
    """Return the body of a commit."""
    return b"".join(json.dumps({"key": key, "value": value}).encode() + b"\n" for key, value in items)


def test_a_commit_in_plain_text_is_taken(sandbox: Sandbox) -> None:
    body = lines(("header", {"summary": "plain"}), ("file", {"path": "a.txt", "content": "ä\n"}), ("else", {}))
    assert ask(sandbox, "POST", COMMIT, body).status == 200
    raw = ask(sandbox, "GET", "/lemms/x/raw/main/a.txt", headers={})
    assert raw.body.decode() == "ä\n"
    assert raw.headers["X-Repo-Commit"]


def test_a_commit_on_a_branch_that_is_not_there_is_404(sandbox: Sandbox) -> None:
    answer = ask(sandbox, "POST", COMMIT.replace("main", "none"), lines(("header", {"summary": "x"})))
    assert (answer.status, answer.headers["X-Error-Code"]) == (404, "RevisionNotFound")


def test_a_commit_of_a_large_file_that_was_not_uploaded_is_refused(sandbox: Sandbox) -> None:
    pointer = {"path": "m.bin", "algo": "sha256", "oid": "0" * 64, "size": 7}
    answer = ask(sandbox, "POST", COMMIT, lines(("header", {"summary": "x"}), ("lfsFile", pointer)))
    assert answer.status == 400
    assert "an LFS pointer pointed to a file that does not exist" in answer.error
    assert answer.error.endswith("m.bin")


def test_a_commit_with_a_bad_card_is_refused(sandbox: Sandbox) -> None:
    card = {"path": "README.md", "content": "---\ntags: {a: 1}\n---\n"}
    answer = ask(sandbox, "POST", COMMIT, lines(("header", {"summary": "x"}), ("file", card)))
    assert (answer.status, '"tags" must be an array' in answer.error) == (400, True)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/.git/config", "a//b", "a\\b", "./a"])
def test_a_path_that_leads_elsewhere_is_refused(sandbox: Sandbox, path: str) -> None:
    body = lines(("header", {"summary": "x"}), ("file", {"path": path, "content": "x"}))
    assert ask(sandbox, "POST", COMMIT, body).status == 422


@pytest.mark.parametrize("revision", ["main~1", "main^", "HEAD@{1}", "..", "-x", "main:README.md", ""])
def test_a_revision_is_a_name_and_no_expression(sandbox: Sandbox, revision: str) -> None:
    from urllib.parse import quote

    assert ask(sandbox, "GET", f"/api/models/lemms/x/revision/{quote(revision, safe='')}").status == 404


def test_a_revision_may_be_a_short_id_or_a_full_ref(sandbox: Sandbox) -> None:
    tip = json.loads(ask(sandbox, "GET", "/api/models/lemms/x").body)["sha"]
    for name in (tip, tip[:7], "refs%2Fheads%2Fmain", "main"):
        assert json.loads(ask(sandbox, "GET", f"/api/models/lemms/x/revision/{name}").body)["sha"] == tip


def test_fields_that_make_no_sense_are_400(sandbox: Sandbox) -> None:
    for fields in ({"name": "a/b"}, {"name": "x", "type": "kernel"}, {"name": "s", "type": "space"}):
        assert ask(sandbox, "POST", "/api/repos/create", fields).status == 400
    assert ask(sandbox, "POST", "/api/repos/create", b"not json").status == 400
    assert ask(sandbox, "POST", "/api/repos/move", {"fromRepo": "lemms/x", "toRepo": "nothing"}).status == 400


def test_a_repository_is_not_moved_onto_another_or_by_a_stranger(sandbox: Sandbox) -> None:
    sandbox.hub.create("model", "lemms/y")
    move = {"fromRepo": "lemms/x", "toRepo": "lemms/y"}
    assert ask(sandbox, "POST", "/api/repos/move", move).status == 409
    assert ask(sandbox, "POST", "/api/repos/move", {**move, "fromRepo": "lemms/none"}).status == 404
    stranger = {"Authorization": "Bearer hf_other"}
    assert ask(sandbox, "DELETE", "/api/repos/delete", {"name": "x", "organization": "lemms"}, stranger).status == 403


def test_what_needs_a_token_says_so(sandbox: Sandbox) -> None:
    assert ask(sandbox, "GET", "/api/whoami-v2", headers={}).status == 401
    assert ask(sandbox, "POST", COMMIT, b"", headers={}).status == 401
    assert ask(sandbox, "GET", "/api/models/lemms/none", headers={}).status == 401
    assert ask(sandbox, "GET", "/api/models/lemms/none").status == 404


def test_settings_are_changed_one_by_one(sandbox: Sandbox) -> None:
    assert ask(sandbox, "PUT", "/api/models/lemms/x/settings", {"private": True}).status == 200
    assert ask(sandbox, "GET", "/api/models/lemms/x", headers={}).status == 401
    assert ask(sandbox, "PUT", "/api/models/lemms/x/settings", {"gated": "manual"}).status == 200
    assert json.loads(ask(sandbox, "GET", "/api/models/lemms/x").body)["gated"] == "manual"


def test_paths_are_asked_for_by_form_as_well(sandbox: Sandbox) -> None:
    form = {**WRITE, "Content-Type": "application/x-www-form-urlencoded"}
    answer = ask(sandbox, "POST", "/api/models/lemms/x/paths-info/main", b"paths=.gitattributes&expand=True", form)
    found = json.loads(answer.body)
    assert [(one["path"], one["lastCommit"]["title"]) for one in found] == [(".gitattributes", "initial commit")]
    one = ask(sandbox, "POST", "/api/models/lemms/x/paths-info/main", {"paths": ".gitattributes"})
    assert "lastCommit" not in json.loads(one.body)[0]


def test_a_space_has_logs_for_its_build_and_its_app_only(sandbox: Sandbox) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    assert ask(sandbox, "GET", "/api/spaces/lemms/openllm/logs/build").status == 200
    assert ask(sandbox, "GET", "/api/spaces/lemms/openllm/logs/other").status == 404


def test_large_files_of_a_repository_that_is_not_there_are_not_there(sandbox: Sandbox) -> None:
    batch = {"operation": "download", "objects": [{"oid": "0" * 64, "size": 1}]}
    assert ask(sandbox, "POST", "/lemms/none.git/info/lfs/objects/batch", batch).status == 404
    assert ask(sandbox, "POST", "/lemms/none.git/info/lfs/objects/batch", batch, {}).status == 401
    bad = {"operation": "upload", "objects": [{"oid": "../../x", "size": 1}]}
    assert ask(sandbox, "POST", "/lemms/x.git/info/lfs/objects/batch", bad).status == 422
    sandbox.hub.create("model", "lemms/gated", gated=True)
    other = {"Authorization": "Bearer hf_other"}
    assert ask(sandbox, "POST", "/lemms/gated.git/info/lfs/objects/batch", batch, other).status == 403
    anonymous = {**batch, "operation": "upload"}
    assert ask(sandbox, "POST", "/lemms/x.git/info/lfs/objects/batch", anonymous, {}).status == 401


def test_an_id_token_that_holds_no_claims_is_refused(sandbox: Sandbox) -> None:
    packed = base64.urlsafe_b64encode(b"[1]").decode().rstrip("=")
    answer = ask(sandbox, "POST", "/oauth/token", {"subject_token": f"x.{packed}.x", "resource": "lemms/x"})
    assert (answer.status, answer.error) == (400, "invalid_request")


def test_a_body_in_chunks_is_read(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection(sandbox.hub.url.removeprefix("http://"))
    body = lines(("header", {"summary": "in chunks"}), ("file", {"path": "a.txt", "content": "x"}))
    connection.request("POST", COMMIT, iter([body[:20], body[20:]]), WRITE, encode_chunked=True)
    with connection.getresponse() as answer:
        assert (answer.status, b"commitOid" in answer.read()) == (200, True)
    connection.request("HEAD", "/api/models/lemms/x", headers=WRITE)  # the connection is still in step
    with connection.getresponse() as answer:
        assert (answer.status, answer.read()) == (200, b"")
    connection.close()


def test_a_fault_in_the_middle_of_an_answer_fails_the_test_too(tmp_path: Path) -> None:
    with Sandbox(tmp_path / "stand") as sandbox:
        sandbox.hub.create("space", "lemms/openllm")
        sandbox.hub.build("lemms/openllm", asks=cast("int", "many"))
        work = clone(sandbox, "spaces/lemms/openllm", tmp_path / "work")
        work.commit("x")
        push(work)
    assert sandbox.mishaps[0].startswith("POST /spaces/lemms/openllm/git-receive-pack: ValueError")


def test_what_a_before_raises_fails_the_test_that_asked_for_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    def broken() -> None:
        raise LookupError("no such file")

    with Sandbox(tmp_path_factory.mktemp("broken")) as sandbox:
        sandbox.hub.fault("GET /api/whoami-v2", before=broken)
        with urlopen(f"{sandbox.hub.url}/api/whoami-v2") as answer, pytest.raises(http.client.IncompleteRead):
            answer.read()
    assert sandbox.mishaps == ["GET /api/whoami-v2: LookupError: no such file"]


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("", None),
        ("Digest x", None),
        ("Bearer hf_write", "hf_write"),
        ("token gh_write", "gh_write"),
        ("Basic " + base64.b64encode(b"user:hf_write").decode(), "hf_write"),
        ("Basic " + base64.b64encode(b"hf_write:").decode(), "hf_write"),
        ("Basic ***", ""),
    ],
)
def test_a_token_is_presented_in_several_ways(header: str, token: str | None) -> None:
    assert presented(header) == token
