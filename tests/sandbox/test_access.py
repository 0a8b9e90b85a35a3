"""Who may see, read and write what; and that no secret is written down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from openllm_repos.sandbox import Sandbox
from tests.support.hub import client, clone, push, with_token
from tests.support.repositories import Clone

SPACE = "spaces/lemms/openllm"
TOKENS = ("hf_write", "hf_read", "hf_other", "hf_fine", "gh_write", "gh_read")


def _can_read(url: str, folder: Path) -> str:
    """Return what git says of a repository: nothing where it can be read."""
    folder.mkdir(exist_ok=True)
    made = Clone.init(folder / "asks") if not (folder / "asks").exists() else Clone(folder / "asks")
    return made.run("ls-remote", url, ok=(0, 128)).err


def test_reading_what_is_public_needs_no_token(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    sandbox.github.create("louischua/openllm")
    assert _can_read(f"{sandbox.hub.url}/{SPACE}", tmp_path) == ""
    assert _can_read(f"{sandbox.github.url}/louischua/openllm.git", tmp_path) == ""
    assert client(sandbox, "").space_info("lemms/openllm").id == "lemms/openllm"


def test_the_real_urls_lead_to_the_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    sandbox.github.create("louischua/openllm")
    for url in (
        f"https://huggingface.co/{SPACE}",
        f"git@hf.co:{SPACE}",
        "https://github.com/louischua/openllm",
        "git@github.com:louischua/openllm.git",
    ):
        assert _can_read(url, tmp_path) == ""


@pytest.mark.parametrize(("token", "seen"), [("hf_write", True), ("hf_read", True), ("hf_other", False), ("", False)])
def test_a_private_repository_is_not_there_for_others(
    sandbox: Sandbox, tmp_path: Path, token: str, *, seen: bool
) -> None:
    sandbox.hub.create("model", "lemms/secret", private=True)
    said = _can_read(with_token(f"{sandbox.hub.url}/lemms/secret", token or "none"), tmp_path)
    assert (said == "") is seen
    api = client(sandbox, token)
    if seen:
        assert api.model_info("lemms/secret").private
    else:
        with pytest.raises(RepositoryNotFoundError):
            api.model_info("lemms/secret")


def test_a_private_repository_on_github_needs_a_token(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.github.create("louischua/private", private=True)
    url = f"{sandbox.github.url}/louischua/private"
    assert "could not read Username" in _can_read(url, tmp_path)
    assert _can_read(with_token(url, "gh_read"), tmp_path) == ""


def test_a_gated_model_is_seen_by_all_and_read_by_those_with_access(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("model", "lemms/gated", gated=True)
    other = client(sandbox, "hf_other")
    assert other.model_info("lemms/gated").gated == "auto"
    with pytest.raises(GatedRepoError):
        other.auth_check("lemms/gated")
    with pytest.raises(GatedRepoError):
        other.hf_hub_download("lemms/gated", ".gitattributes", cache_dir=tmp_path / "cache")
    url = with_token(f"{sandbox.hub.url}/lemms/gated", "hf_other")
    assert "Access to model lemms/gated is restricted" in _can_read(url, tmp_path)
    sandbox.hub.grant("model", "lemms/gated", "somebody-else")
    other.auth_check("lemms/gated")
    assert _can_read(url, tmp_path) == ""
    client(sandbox).update_repo_settings("lemms/gated", gated=False, visibility="private")
    with pytest.raises(RepositoryNotFoundError):
        other.auth_check("lemms/gated")


@pytest.mark.slow
def test_a_fine_grained_token_writes_where_it_may_and_nowhere_else(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    sandbox.hub.create("model", "lemms/x")
    for resource, code in ((SPACE, 0), ("lemms/x", 1)):
        work = clone(sandbox, resource, tmp_path / resource, token="hf_fine")
        work.commit("mine", {"a.txt": "a\n"})
        assert push(work).code == code


@pytest.mark.parametrize(
    ("token", "status"), [("hf_write", 200), ("hf_fine", 200), ("hf_read", 403), ("hf_other", 403), ("", 401)]
)
def test_the_right_to_write_can_be_asked_for_before_any_work(sandbox: Sandbox, token: str, status: int) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    api = client(sandbox, token)
    if status == 200:
        api.auth_check("lemms/openllm", repo_type="space", write=True)
    else:
        with pytest.raises(HfHubHTTPError) as caught:
            api.auth_check("lemms/openllm", repo_type="space", write=True)
        assert caught.value.response.status_code == status
    api.auth_check("lemms/openllm", repo_type="space")


# ---- trusted publishing ----------------------------------------------------------------------------------------------

CLAIMS = {"repository": "louischua/openllm", "ref": "refs/heads/main"}


def _in_a_job(sandbox: Sandbox, script: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a CI job that has no token: huggingface_hub asks for one by itself."""
    env = sandbox.environment(token="") | sandbox.hub.job_environment(SPACE, CLAIMS) | changes
    command = [sys.executable, "-c", f"import os; os.environ.pop('HF_TOKEN', 0); {script}"]
    return subprocess.run(command, env=os.environ | env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_job_without_a_token_gets_one_for_one_repository(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    sandbox.hub.create("model", "lemms/x")
    sandbox.hub.trust(SPACE, CLAIMS)
    done = _in_a_job(sandbox, "import huggingface_hub as h; print(h.get_token())")
    token = done.stdout.strip()
    assert token.startswith("hf_jwt_"), done.stderr
    api = HfApi(endpoint=sandbox.hub.url, token=token)
    api.create_commit(
        "lemms/openllm", [CommitOperationAdd("app.py", b"x")], repo_type="space", commit_message="by a job"
    )
    add = [CommitOperationAdd("app.py", b"x")]
    with pytest.raises(HfHubHTTPError) as caught:
        api.create_commit("lemms/x", add, commit_message="elsewhere")
    assert caught.value.response.status_code == 403
    work = clone(sandbox, SPACE, tmp_path / "work", token=token)
    assert work.git("log", "-1", "--format=%an") == "[OIDC]"
    work.commit("by git")
    assert push(work).code == 0
    assert token not in repr(sandbox.hub.log)


@pytest.mark.slow
def test_a_job_that_nobody_trusts_gets_no_token(sandbox: Sandbox) -> None:
    sandbox.hub.trust(SPACE, {**CLAIMS, "ref": "refs/heads/other"})
    script = "from huggingface_hub._oidc import oidc_login; oidc_login(resource='spaces/lemms/openllm')"
    assert "invalid_grant" in _in_a_job(sandbox, script).stderr
    script = "from huggingface_hub._oidc import oidc_login; oidc_login(resource='x/y', subject_token='no.token')"
    assert "invalid_request" in _in_a_job(sandbox, script).stderr


# ---- secrets and the way in ------------------------------------------------------------------------------------------


def test_the_log_names_requests_and_users_and_no_secret(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.hub.create("space", "lemms/openllm")
    work = clone(sandbox, SPACE, tmp_path / "work")
    work.commit("mine", {"a.txt": "a\n"})
    push(work)
    client(sandbox).whoami()
    with pytest.raises(HfHubHTTPError):
        client(sandbox).model_info("hf_write/hf_read")  # a token where it should not be
    log = [(seen.method, seen.path, seen.status, seen.user) for seen in sandbox.hub.log]
    push_path = f"/{SPACE}/git-receive-pack"
    assert ("POST", push_path, 200, "lemms") in log
    assert ("GET", f"/{SPACE}/info/refs?service=git-upload-pack", 200, "") in log
    assert ("GET", "/api/whoami-v2", 200, "lemms") in log
    with urlopen(f"{sandbox.hub.url}/_sandbox/log") as answer:
        told = answer.read().decode()
    assert len(json.loads(told)) == len(log)
    kept = [path.read_bytes() for path in sandbox.root.rglob("*") if path.is_file()]
    for token in TOKENS:
        assert token not in told
        assert not any(token.encode() in content for content in kept)
    assert len(kept) > 10


def test_it_listens_on_loopback_only_and_to_this_machine_only(sandbox: Sandbox) -> None:
    assert sandbox.hub.url.startswith("http://127.0.0.1:")
    for header in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        asked = Request(f"{sandbox.hub.url}/_sandbox/log", headers=header)
        with pytest.raises(HTTPError, match="403"):
            urlopen(asked)


def test_names_cannot_lead_out_of_the_folder(sandbox: Sandbox) -> None:
    for name in ("lemms", "lemms/..", "../x", "a/b/c", "/x", "a\\b/c"):
        with pytest.raises(ValueError, match="namespace/name"):
            sandbox.hub.create("model", name)
    with pytest.raises(ValueError, match="there is no github here"):
        sandbox.hub.repo("github", "a/b")
    sandbox.hub.create("model", "lemms/x")
    with pytest.raises(FileExistsError):
        sandbox.hub.create("model", "Lemms/X")
