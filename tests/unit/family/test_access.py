"""Which token git gets for which remote."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openllm_repos.errors import UsageError
from openllm_repos.family.access import FamilyAccess, HostNotTrusted, hub_repo_of, with_access
from openllm_repos.git.credentials import Credential
from openllm_repos.git.repository import Repository
from openllm_repos.hub.model import HubType
from openllm_repos.manifest import Manifest

if TYPE_CHECKING:
    from tests.support.repositories import Clone

MANIFEST = Manifest.parse(
    'schema = 1\n[project]\nname = "x"\n[repos.main]\ngithub = "louischua/openllm"\nrole = "source"\n'
    '[repos.space]\nspace = "lemms/openllm"\n[repos.other]\nurl = "https://git.example.org/a/b"'
)
OWN = Manifest.parse(
    'schema = 1\n[project]\nname = "x"\n[hosts]\nhub = "https://hub.example.com"\n'
    '[repos.main]\ngithub = "louischua/openllm"\nrole = "source"\n[repos.space]\nspace = "lemms/openllm"'
)
BOTH = {"HF_TOKEN": "hf_a", "GITHUB_TOKEN": "gh_a"}
SPACE, SOURCE = "https://huggingface.co/spaces/lemms/openllm", "https://github.com/louischua/openllm"


def test_each_service_gets_its_own_token_at_its_own_host() -> None:
    access = FamilyAccess(MANIFEST, environ=BOTH)
    assert access.credential(SPACE) == Credential(("https://huggingface.co", "https://hf.co"), "hf_user", "hf_a")
    assert access.credential("git@hf.co:spaces/lemms/openllm") == access.credential(SPACE)
    assert access.credential(SOURCE) == Credential(("https://github.com",), "x-access-token", "gh_a")
    assert access.credential("https://git.example.org/a/b") is None
    assert access.credential("file:///srv/huggingface.co/spaces/lemms/openllm") is None


def test_where_there_is_no_token_git_goes_on_as_it_does() -> None:
    access = FamilyAccess(MANIFEST, environ={"HOME": "/nowhere"})
    assert [access.credential(url) for url in (SPACE, SOURCE)] == [None, None]
    assert [access.advice(url) for url in (SPACE, SOURCE, "https://git.example.org/a/b")] == ["", "", ""]


def test_another_endpoint_keeps_the_token_from_the_usual_hub() -> None:
    credential = FamilyAccess(MANIFEST, environ=BOTH | {"HF_ENDPOINT": "http://127.0.0.1:8000"}).credential(SPACE)
    assert credential is not None
    assert credential.hosts == ("http://127.0.0.1:8000",)
    server = FamilyAccess(MANIFEST, environ=BOTH | {"GITHUB_SERVER_URL": "https://ghe.example.com"})
    found = server.credential("https://ghe.example.com/a/b")
    assert found is not None
    assert found.hosts == ("https://ghe.example.com",)


def test_advice_says_which_token_was_used_and_never_shows_it() -> None:
    access = FamilyAccess(MANIFEST, environ=BOTH)
    assert access.advice(SPACE).startswith("The token in HF_TOKEN was used: check with 'hf auth whoami' what it may do")
    assert access.advice(SOURCE).startswith(
        "The token in GITHUB_TOKEN was used: check with 'gh auth status' what it may do"
    )
    assert access.advice("https://git.example.org/a/b") == ""
    assert access.advice("git@hf.co:spaces/lemms/openllm") == ""  # over ssh no token is shown
    shown = repr(access.credential(SPACE)) + access.advice(SPACE)
    assert "hf_a" not in shown


def test_in_a_job_of_github_actions_advice_names_the_secret_that_is_missing_or_too_weak() -> None:
    job = {"GITHUB_ACTIONS": "true", "HOME": "/nowhere", "GITHUB_TOKEN": "ghs_a"}
    without = FamilyAccess(MANIFEST, environ=job | {"HF_TOKEN": ""})  # what a secret that is not there comes to
    assert "gh secret set HF_TOKEN  # for a job that pushes" in without.advice(SPACE)
    assert "gh secret set OPENLLM_REPOS_GITHUB_TOKEN" in without.advice("https://github.com/louischua/other")
    assert (
        FamilyAccess(MANIFEST, environ=job | BOTH).advice(SPACE)
        == "gh secret set HF_TOKEN  # the job's HF_TOKEN may not write there"
    )


def test_a_hub_of_the_manifests_own_gets_no_token_unless_it_is_trusted() -> None:
    url = OWN.repo("space").url
    assert url == "https://hub.example.com/spaces/lemms/openllm"
    assert FamilyAccess(OWN, hub_allowed=False, environ=BOTH).credential(url) is None
    trusted = FamilyAccess(OWN, environ=BOTH).credential(url)
    assert trusted is not None
    assert trusted.hosts == ("https://hub.example.com",)
    job = {"HF_OIDC_ID_TOKEN": "x"}
    assert FamilyAccess(OWN, hub_allowed=False, environ=job | {"HOME": "/nowhere"}).credential(url) is None


def test_a_library_that_asks_nobody_is_refused_or_goes_on(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository.open(clone.path)
    monkeypatch.setenv("HF_TOKEN", "hf_a")
    with pytest.raises(HostNotTrusted, match=r"repos.toml names https://hub.example.com as its Hub"):
        with_access(repository, OWN)
    assert with_access(repository, MANIFEST).reach(SPACE)
    clone.git("config", "openllm.https://hub.example.com.trusted", "yes")
    assert with_access(repository, OWN).reach(OWN.repo("space").url)
    assert replace(repository, access=None).reach(SPACE) == {}
    assert replace(repository, access=None).advice(SPACE) == ""


@pytest.mark.parametrize("variable", ["HF_ENDPOINT", "GITHUB_SERVER_URL"])
def test_an_endpoint_that_would_give_the_token_away_is_refused_where_it_counts(variable: str) -> None:
    environ = BOTH | {variable: "http://server.example.com"}
    with pytest.raises(UsageError):
        FamilyAccess(MANIFEST, environ=environ)
    elsewhere = Manifest.parse(
        'schema = 1\n[project]\nname = "x"\n[repos.main]\nurl = "https://git.example.org/a/b"\nrole = "source"'
    )
    access = FamilyAccess(elsewhere, environ=environ)
    assert access.credential(SPACE if variable == "HF_ENDPOINT" else SOURCE) is None


def test_only_what_is_on_the_hub_has_a_name_there() -> None:
    space = hub_repo_of(MANIFEST.repo("space"))
    assert space is not None
    assert (space.type, space.id) == (HubType.SPACE, "lemms/openllm")
    assert [hub_repo_of(MANIFEST.repo(name)) for name in ("main", "other")] == [None, None]
