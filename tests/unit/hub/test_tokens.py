"""Where tokens are found: in the order of huggingface_hub itself, which is asked too, and of GitHub's command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openllm_repos.hub.failures import Cause, HubRefused, HubUnreachable
from openllm_repos.hub.model import HubRepo, HubType
from openllm_repos.hub.tokens import Token, TrustedPublishing, github_token, hub_token
from openllm_repos.names.url import RepoId
from tests.support.stranger import Stranger

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.sealed import SealedHome

SPACE = HubRepo(HubType.SPACE, RepoId("lemms/openllm"))
MODEL = HubRepo(HubType.MODEL, RepoId("lemms/small"))
CLAIMS = {"repository": "louischua/openllm"}

CASES: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, {}),
    ({"HF_TOKEN": "hf_a"}, {}),
    ({"HF_TOKEN": " hf_a\r\n"}, {}),
    ({"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "hf_b"}, {}),
    ({"HF_TOKEN": "  ", "HUGGING_FACE_HUB_TOKEN": "hf_b"}, {}),
    ({"HF_TOKEN": "hf_a"}, {".cache/huggingface/token": "hf_file"}),
    ({"HF_TOKEN": " "}, {".cache/huggingface/token": "hf_file"}),
    ({}, {".cache/huggingface/token": "hf_file\n"}),
    ({}, {".cache/huggingface/token": "\n"}),
    ({"HF_HOME": "~/elsewhere"}, {"elsewhere/token": "hf_home", ".cache/huggingface/token": "hf_file"}),
    ({"HF_TOKEN_PATH": "$HOME/there"}, {"there": "hf_path", ".cache/huggingface/token": "hf_file"}),
    ({}, {".cache/huggingface/token": "hf_file", ".cache/huggingface/stored_tokens": "[mine]\nhf_token = hf_file\n"}),
]
_ASK = """\
import json
from openllm_repos.hub.tokens import hub_token
found = hub_token()
from huggingface_hub import get_token
print(json.dumps([found and found.value, get_token()]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("environ", "files"), CASES)
def test_the_token_is_the_one_that_huggingface_hub_takes(
    home: SealedHome, environ: dict[str, str], files: dict[str, str]
) -> None:
    for path, text in files.items():
        (home.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (home.folder / path).write_text(text)
    env = os.environ | environ
    done = subprocess.run([sys.executable, "-c", _ASK], env=env, capture_output=True, text=True, check=True)
    ours, theirs = json.loads(done.stdout)
    assert ours == theirs


def test_a_token_says_where_it_was_found_and_not_what_it_is(tmp_path: Path) -> None:
    place = tmp_path / "token"
    place.write_text("hf_secret")
    found = hub_token({"HF_TOKEN_PATH": str(place)})
    assert found == Token("hf_secret", f"the file {place}")
    assert hub_token({"HF_TOKEN": "hf_secret"}) == Token("hf_secret", "HF_TOKEN")
    assert "secret" not in repr(found)


def test_a_token_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    assert hub_token({"HF_HOME": str(tmp_path)}) is None


def test_githubs_token_is_found_in_the_order_of_its_own_command_line() -> None:
    assert github_token({"GITHUB_TOKEN": "b", "GH_TOKEN": "a\n"}) == Token("a", "GH_TOKEN")
    assert github_token({"GITHUB_TOKEN": "b", "GH_TOKEN": ""}) == Token("b", "GITHUB_TOKEN")
    assert github_token({}) is None


def _publishing(sandbox: Sandbox, **environ: str) -> TrustedPublishing:
    return TrustedPublishing(sandbox.hub.url, sandbox.hub.job_environment("", CLAIMS) | environ)


def test_each_repository_gets_a_token_of_its_own_which_is_exchanged_once(sandbox: Sandbox) -> None:
    for repo in (SPACE, MODEL):
        sandbox.hub.trust(repo.resource, CLAIMS)
    publishing = _publishing(sandbox)
    tokens = [publishing.token(repo) for repo in (SPACE, MODEL, SPACE)]
    assert tokens[0] == tokens[2]
    assert tokens[0] != tokens[1]
    assert [sandbox.hub.accounts[token.value].repositories for token in tokens[:2]] == [
        {SPACE.resource},
        {MODEL.resource},
    ]
    assert {token.origin for token in tokens} == {"trusted publishing"}


def test_a_token_is_exchanged_again_before_it_ends(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.hub.trust(SPACE.resource, CLAIMS)
    publishing = _publishing(sandbox)
    first = publishing.token(SPACE)
    later = time.monotonic() + 3400
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert publishing.token(SPACE) != first


def test_a_proof_that_another_ci_system_made_is_used_as_it_is(sandbox: Sandbox) -> None:
    from openllm_repos.sandbox.publishers import id_token

    sandbox.hub.trust(SPACE.resource, CLAIMS)
    proof = id_token(CLAIMS, sandbox.hub.url)
    publishing = TrustedPublishing(sandbox.hub.url, {"HF_OIDC_ID_TOKEN": proof, "HF_OIDC_RESOURCE": SPACE.resource})
    assert (publishing.wanted, publishing.offered) == (True, True)
    assert publishing.token(SPACE).value.startswith("hf_jwt_")


def test_a_job_that_is_not_trusted_is_told_where_to_settle_that(sandbox: Sandbox) -> None:
    sandbox.hub.trust(SPACE.resource, {"repository": "somebody/else"})
    with pytest.raises(HubRefused) as refused:
        _publishing(sandbox).token(SPACE)
    assert refused.value.message == (
        "The Hub does not take this CI job for a trusted publisher of the space lemms/openllm:"
        " invalid_grant: no trusted publisher matches the id token."
    )
    assert "Name its repository and workflow, and no branch, in " in refused.value.hint  # a job for a tag has none
    assert "/spaces/lemms/openllm/settings " in refused.value.hint


def test_a_job_without_the_permission_is_told_to_ask_for_it() -> None:
    publishing = TrustedPublishing("http://127.0.0.1:9", {"GITHUB_ACTIONS": "true", "HF_OIDC_RESOURCE": "lemms/small"})
    assert (publishing.wanted, publishing.offered) == (True, False)
    with pytest.raises(HubRefused, match="This job cannot prove who it is") as refused:
        publishing.token(SPACE)
    assert (refused.value.cause, "id-token: write" in refused.value.hint) == (Cause.NO_TOKEN, True)


@pytest.mark.parametrize("body", [b"{}", b"no json", b"[]"])
def test_an_answer_without_a_proof_or_a_token_is_a_refusal(sandbox: Sandbox, body: bytes) -> None:
    with Stranger(200, body) as stranger:
        with pytest.raises(HubUnreachable, match="about the proof of who this job is is not"):
            _publishing(sandbox, ACTIONS_ID_TOKEN_REQUEST_URL=stranger.url).token(SPACE)
        with pytest.raises(HubUnreachable, match="about trusted publishing to the space lemms/openllm is not"):
            TrustedPublishing(stranger.url, {"HF_OIDC_ID_TOKEN": "x"}).token(SPACE)


def test_the_proof_is_given_to_nobody_else(sandbox: Sandbox) -> None:
    sandbox.hub.trust(SPACE.resource, CLAIMS)
    with Stranger(200, b'{"access_token": "x"}') as stranger:
        sandbox.hub.fault(match="POST /oauth/token", status=307, headers={"Location": f"{stranger.url}/oauth/token"})
        with pytest.raises(HubRefused, match="leads to another place: not followed"):
            _publishing(sandbox).token(SPACE)
        assert stranger.shown == []


def test_the_proof_is_asked_for_this_hub_alone() -> None:
    with Stranger(200, b'{"value": "x"}') as stranger:
        environ = {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{stranger.url}/mint?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner",
        }
        with pytest.raises(HubUnreachable):
            TrustedPublishing(f"{stranger.url}", environ).token(SPACE)
        (path, bearer), _ = stranger.shown
    assert path.startswith("/mint?api-version=2.0&audience=http%3A%2F%2Flocalhost%3A")
    assert bearer == "runner"
