"""GitHub's REST calls that releases need, on the repositories that git pushes to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from openllm_repos.sandbox import Sandbox
from tests.support.hub import push, with_token
from tests.support.repositories import Clone

REPO = "/repos/louischua/openllm"


class Api:
    """The API, with one of the tokens."""

    def __init__(self, sandbox: Sandbox, token: str = "gh_write") -> None:
        self.base = f"{sandbox.github.url}/api/v3"
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, fields: dict[str, Any] | None = None) -> tuple[int, Any]:
        data = None if fields is None else json.dumps(fields).encode()
        request = Request(self.base + path, data=data, method=method, headers=self.headers)
        try:
            with urlopen(request) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except HTTPError as error:
            with error:
                return error.code, json.load(error)


@pytest.fixture
def source(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of the source with a pushed commit."""
    sandbox.github.create("louischua/openllm")
    made = Clone.of(with_token(f"{sandbox.github.url}/louischua/openllm.git", "gh_write"), tmp_path / "source")
    made.commit("first", {"a.txt": "a\n"})
    push(made)
    return made


@pytest.fixture
def api(sandbox: Sandbox, source: Clone) -> Api:
    """Return the API for a person who may write."""
    del source
    return Api(sandbox)


def test_the_api_is_where_the_environment_says(sandbox: Sandbox, api: Api) -> None:
    assert sandbox.environment()["GITHUB_API_URL"] == api.base
    assert api("GET", "/user") == (200, {"login": "louischua"})
    assert Api(sandbox, "")("GET", "/user")[0] == 401
    assert Api(sandbox, "gh_wrong")("GET", "/user") == (401, {"message": "Bad credentials", "status": "401"})


def test_a_repository_tells_whether_one_may_push(sandbox: Sandbox, api: Api) -> None:
    assert api("GET", REPO)[1]["permissions"]["push"] is True
    assert Api(sandbox, "gh_read")("GET", REPO)[1]["permissions"]["push"] is False
    assert "permissions" not in Api(sandbox, "")("GET", REPO)[1]
    assert api("GET", "/repos/louischua/none")[0] == 404


def test_refs_pushed_by_git_are_read(api: Api, source: Clone) -> None:
    source.git("tag", "-a", "-m", "one", "v1.0.0")
    push(source, "v1.0.0")
    tag = source.git("rev-parse", "v1.0.0")
    wanted = {"ref": "refs/tags/v1.0.0", "object": {"sha": tag, "type": "tag"}}
    assert api("GET", f"{REPO}/git/ref/tags/v1.0.0") == (200, wanted)
    assert api("GET", f"{REPO}/git/matching-refs/tags/v") == (200, [wanted])
    assert api("GET", f"{REPO}/git/ref/tags/none")[0] == 404


def test_refs_are_made_moved_and_deleted(api: Api, source: Clone) -> None:
    first = source.tip()
    second = source.commit("second")
    push(source)
    make = {"ref": "refs/tags/t", "sha": first}
    assert api("POST", f"{REPO}/git/refs", make)[0] == 201
    assert api("POST", f"{REPO}/git/refs", make) == (422, {"message": "Reference already exists", "status": "422"})
    assert api("POST", f"{REPO}/git/refs", {"ref": "refs/tags/u", "sha": "1" * 40})[0] == 422
    assert api("PATCH", f"{REPO}/git/refs/tags/t", {"sha": second})[0] == 200
    assert api("PATCH", f"{REPO}/git/refs/tags/t", {"sha": first})[1]["message"] == "Update is not a fast forward"
    assert api("PATCH", f"{REPO}/git/refs/tags/t", {"sha": "1" * 40, "force": True})[0] == 422
    assert source.git("ls-remote", "origin", "refs/tags/t").split()[0] == second
    assert api("DELETE", f"{REPO}/git/refs/tags/t")[0] == 204
    assert api("DELETE", f"{REPO}/git/refs/tags/t")[0] == 422
    assert api("PATCH", f"{REPO}/git/refs/tags/t", {"sha": first})[0] == 422


def test_a_ruleset_holds_for_the_api_as_for_git(sandbox: Sandbox, api: Api, source: Clone) -> None:
    sandbox.github.protect("louischua/openllm")
    sandbox.github.protect("louischua/openllm", "refs/heads/main", ["non_fast_forward", "deletion"])
    first = source.tip()
    second = source.commit("second")
    push(source)
    assert api("POST", f"{REPO}/git/refs", {"ref": "refs/tags/v1", "sha": first})[0] == 201
    code, said = api("PATCH", f"{REPO}/git/refs/tags/v1", {"sha": second, "force": True})
    assert (code, said["message"]) == (
        422,
        "Repository rule violations found\n\nCannot update this protected ref.",
    )
    assert "Cannot delete this tag" in api("DELETE", f"{REPO}/git/refs/tags/v1")[1]["message"]
    code, said = api("PATCH", f"{REPO}/git/refs/heads/main", {"sha": first, "force": True})
    assert "Cannot force-push to this branch" in said["message"]
    assert api("GET", f"{REPO}/rules/branches/main") == (200, [{"type": "non_fast_forward"}, {"type": "deletion"}])
    told = api("GET", f"{REPO}/rulesets")[1]
    assert [(one["target"], one["conditions"]["ref_name"]["include"]) for one in told] == [
        ("tag", ["refs/tags/v*"]),
        ("branch", ["refs/heads/main"]),
    ]


def test_a_release_is_drafted_and_published(sandbox: Sandbox, api: Api, source: Clone) -> None:
    code, draft = api("POST", f"{REPO}/releases", {"tag_name": "v1", "draft": True, "body": "What is new."})
    assert (code, draft["draft"], draft["name"]) == (201, True, "v1")
    assert source.git("ls-remote", "origin", "refs/tags/v1") == ""
    assert api("GET", f"{REPO}/releases/tags/v1")[0] == 404
    assert Api(sandbox, "")("GET", f"{REPO}/releases") == (200, [])
    assert len(api("GET", f"{REPO}/releases")[1]) == 1
    assert api("PATCH", f"{REPO}/releases/{draft['id']}", {"draft": False})[1]["draft"] is False
    assert source.git("ls-remote", "origin", "refs/tags/v1").split()[0] == source.tip()
    assert api("GET", f"{REPO}/releases/tags/v1")[1]["body"] == "What is new."
    code, said = api("POST", f"{REPO}/releases", {"tag_name": "v1"})
    assert (code, said["errors"][0]["code"]) == (422, "already_exists")
    assert api("DELETE", f"{REPO}/releases/{draft['id']}")[0] == 204
    assert api("DELETE", f"{REPO}/releases/{draft['id']}")[0] == 404


def test_a_release_of_a_commit_that_is_not_there_is_refused(api: Api) -> None:
    code, said = api("POST", f"{REPO}/releases", {"tag_name": "v1", "target_commitish": "none"})
    assert (code, said["errors"][0]["field"]) == (422, "target_commitish")
    assert api("GET", f"{REPO}/releases") == (200, [])


def test_a_pull_request_needs_two_branches_and_a_difference(api: Api, source: Clone) -> None:
    push(source, "HEAD:refs/heads/same")
    source.commit("drift", {"b.txt": "b\n"})
    push(source, "HEAD:refs/heads/import/space")
    ask = {"title": "Import", "head": "louischua:import/space", "base": "main", "draft": True}
    code, made = api("POST", f"{REPO}/pulls", ask)
    assert (code, made["number"], made["head"]["sha"], made["draft"]) == (201, 1, source.tip(), True)
    assert api("GET", f"{REPO}/pulls")[1] == [made]
    assert api("POST", f"{REPO}/pulls", {**ask, "head": "none"})[1]["errors"][0]["field"] == "head"
    said = api("POST", f"{REPO}/pulls", {**ask, "head": "same"})[1]
    assert said["errors"][0]["message"] == "No commits between main and same"


def test_a_token_that_may_only_read_changes_nothing(sandbox: Sandbox, api: Api) -> None:
    del api
    assert Api(sandbox, "gh_read")("POST", f"{REPO}/releases", {"tag_name": "v1"})[0] == 403
    assert Api(sandbox, "")("POST", f"{REPO}/releases", {"tag_name": "v1"})[0] == 401


def test_a_call_that_the_sandbox_does_not_serve_is_loud(api: Api) -> None:
    assert api("GET", f"{REPO}/issues")[0] == 501
