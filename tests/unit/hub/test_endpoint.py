"""Which Hub and which GitHub are meant."""

from __future__ import annotations

import pytest

from openllm_repos.errors import UsageError
from openllm_repos.hub.endpoint import github_server, host_of, hosts_of, hub_endpoint, hub_repo
from openllm_repos.hub.model import HubRepo, HubType
from openllm_repos.names.url import HostUrl, RepoId

OWN = HostUrl("https://hub.example.com")


def test_the_environment_goes_before_the_manifest_and_that_before_the_usual_hub() -> None:
    assert hub_endpoint(None, {}) == "https://huggingface.co"
    assert hub_endpoint(OWN, {}) == "https://hub.example.com"
    assert hub_endpoint(OWN, {"HF_ENDPOINT": "https://mirror.example.com/hf/"}) == "https://mirror.example.com/hf"
    assert hub_endpoint(OWN, {"HF_ENDPOINT": " "}) == "https://hub.example.com"
    assert github_server({}) == "https://github.com"
    assert github_server({"GITHUB_SERVER_URL": "https://github.example.com"}) == "https://github.example.com"


def test_plain_http_is_for_this_machine_alone() -> None:
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        assert hub_endpoint(None, {"HF_ENDPOINT": f"http://{host}"}) == f"http://{host}"
    with pytest.raises(UsageError, match="over plain http everybody on the way could read the token"):
        hub_endpoint(None, {"HF_ENDPOINT": "http://hub.example.com"})


@pytest.mark.parametrize(
    "text", ["hub.example.com", "ftp://hub.example.com", "https://", "https://h?x=1", "https://h:port", "https://[h"]
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="HF_ENDPOINT is not the URL of a server"):
        hub_endpoint(None, {"HF_ENDPOINT": text})


def test_credentials_do_not_belong_there_and_are_not_repeated() -> None:
    with pytest.raises(UsageError, match="HF_ENDPOINT holds credentials") as refused:
        hub_endpoint(None, {"HF_ENDPOINT": "https://user:secret@hub.example.com"})
    assert "secret" not in str(refused.value)


def test_a_token_of_the_hub_is_for_both_of_its_names_and_any_other_for_one() -> None:
    assert hosts_of("https://huggingface.co") == ("https://huggingface.co", "https://hf.co")
    assert hosts_of("https://mirror.example.com:8443/hf") == ("https://mirror.example.com:8443",)


@pytest.mark.parametrize(
    ("url", "repo"),
    [
        ("https://huggingface.co/spaces/lemms/openllm", HubRepo(HubType.SPACE, RepoId("lemms/openllm"))),
        ("git@hf.co:datasets/lemms/data.git", HubRepo(HubType.DATASET, RepoId("lemms/data"))),
        ("https://hub.example.com:8443/lemms/small", HubRepo(HubType.MODEL, RepoId("lemms/small"))),
        ("https://huggingface.co/spaces/lemms", None),
        ("https://huggingface.co/a/b/c", None),
        ("ext::sh -c true", None),
    ],
)
def test_a_url_names_a_repository_by_its_path(url: str, repo: HubRepo | None) -> None:
    assert hub_repo(url) == repo


def test_spellings_of_one_host_are_equal() -> None:
    assert host_of("git@hf.co:spaces/lemms/openllm") == host_of("https://huggingface.co/x/y") == "huggingface.co"
    assert host_of("http://127.0.0.1:80/x/y") == "127.0.0.1"
    assert host_of("https://h:8443/x") == "h:8443"
    assert host_of("nowhere") == ""
