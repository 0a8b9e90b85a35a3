"""URLs of repositories, their ids on the hosts, and when two spellings mean one repository."""

from __future__ import annotations

import pytest

from openllm_repos.errors import NameRefused
from openllm_repos.names.url import HostUrl, RepoId, RepoUrl, identity_of

BAD_URLS = [
    # transports, options, other schemes, paths
    *(
        "ext::sh -c touch% x",
        "ext://x",
        "EXT::sh",
        "::x",
        "fd::7",
        "file:///etc",
        "/etc",
        "../x",
        "",
        "https://",
        "openllm",
    ),
    *(
        "--upload-pack=x",
        "-oProxyCommand=x",
        "ssh://-oProxyCommand=x/y",
        "git://github.com/a/b",
        "http://github.com/a/b",
    ),
    *("git@github.com:a/b", "HTTPS://github.com/a/b", "git+ssh://github.com/a/b", "https:/github.com/a/b"),
    # credentials, lookalikes, hosts
    *("https://u:t@github.com/a/b", "https://hf_x@huggingface.co/a/b", "https://github.com@evil.example/a/b"),
    *("ssh://git:pw@example.org/a/b", "https://github.com.evil.example/a/b", "https://notgithub.com/a/b"),
    *(
        "https://huggingface.co.evil.example/a/b",
        "https://GITHUB.com/a/b",
        "https://github.com:1/a/b",
        "https://-x.org/a",
    ),
    *("https://example.org:0/a", "https://example.org:65536/a", "https://example.org:/a", "https://exa_mple.org/a"),
    # paths
    *("https://github.com/a/b?x", "https://github.com/a/b#x", "https://github.com/../b", "https://github.com/a/-b"),
    *("https://github.com/$HOME/b", "https://github.com/%2e%2e/b", "https://github.com/a", "https://github.com/a/b/c"),
    *(
        "https://github.com/a/b\n",
        "https://github.com/a/b\x1b[31m",
        "https://GITHUB.com/a\u200b/b",
        "https://github.com/a/.git",
    ),
    *(
        "https://huggingface.co/spaces/a/b/c",
        "https://huggingface.co/spaces/a",
        "https://huggingface.co/b",
        "https://hf.co/a",
    ),
    *(
        "https://example.org",
        "https://example.org/",
        "https://example.org//a",
        "https://example.org/a//b",
        "https://e.org/a/.",
    ),
    *("https://example.org/a\\b", "https://example.org/a b", "https://example.org/é"),
    # files
    *("file://server/srv/x", "file:///", "file:///srv/../x", "file:////srv/x", "file:///srv//x", "file:///srv/-x"),
    *("file:///srv/$HOME", "file:///srv/`x`", "file:///srv/a;b", "file://localhost/srv/x", "file:srv/x", "file:///C:"),
]


@pytest.mark.parametrize("text", BAD_URLS)
def test_whatever_could_run_steal_or_mislead_is_refused(text: str) -> None:
    with pytest.raises(NameRefused):
        RepoUrl(text)


@pytest.mark.parametrize(
    ("text", "scheme", "host", "path"),
    [
        ("https://github.com/a/b", "https", "github.com", "/a/b"),
        ("https://github.com/a/b.git", "https", "github.com", "/a/b.git"),
        ("https://huggingface.co/spaces/o/n", "https", "huggingface.co", "/spaces/o/n"),
        ("https://huggingface.co/datasets/o/n/", "https", "huggingface.co", "/datasets/o/n/"),
        ("https://huggingface.co/o/n", "https", "huggingface.co", "/o/n"),
        ("https://git.example.org:8443/~me/x.git", "https", "git.example.org", "/~me/x.git"),
        ("https://openllm.github.com/x/y", "https", "openllm.github.com", "/x/y"),
        ("ssh://git@github.com/a/b.git", "ssh", "github.com", "/a/b.git"),
        ("ssh://localhost:2222/srv/x", "ssh", "localhost", "/srv/x"),
        ("file:///srv/x", "file", "", "/srv/x"),
        ("file:///x.git", "file", "", "/x.git"),
        ("file:///C:/repos/x", "file", "", "/C:/repos/x"),
        ("file:///home/a b/größe.git", "file", "", "/home/a b/größe.git"),
    ],
)
def test_https_ssh_and_file_urls_come_apart(text: str, scheme: str, host: str, path: str) -> None:
    url = RepoUrl(text)
    assert (url.scheme, url.host, url.path) == (scheme, host, path)


@pytest.mark.parametrize(
    "text",
    [
        "https://u:s3cret@github.com/a/b",
        "https://s3cret@x/a",
        "https://u:s3/cret@x/a",
        "https://u:s3cret\n@x/a",
        "https://u:s3cr%et@x",
    ],
)
def test_a_secret_in_a_refused_url_is_not_repeated(text: str) -> None:
    with pytest.raises(NameRefused) as refused:
        RepoUrl(text)
    assert "s3" not in str(refused.value)


def test_the_short_form_of_ssh_is_answered_with_its_long_form() -> None:
    with pytest.raises(NameRefused, match=r"write ssh://git@github\.com/a/b\.git$"):
        RepoUrl("git@github.com:a/b.git")


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/louischua/openllm",
        "https://github.com/louischua/openllm.git",
        "https://github.com/LouisChua/OpenLLM/",
        "https://token@GitHub.com:443/louischua/openllm.git/",
        "ssh://git@github.com/louischua/openllm.git",
        "ssh://git@ssh.github.com/louischua/openllm.git",
        "git@github.com:louischua/openllm.git",
        "github.com:/louischua/openllm",
        "git://github.com/louischua/openllm",
    ],
)
def test_spellings_of_one_github_repository_agree(text: str) -> None:
    assert identity_of(text) == "github.com/louischua/openllm"


@pytest.mark.parametrize(
    "text",
    [
        "https://huggingface.co/spaces/lemms/openllm",
        "https://hf.co/spaces/lemms/openllm",
        "git@hf.co:spaces/lemms/openllm",
        "ssh://git@hf.co/spaces/lemms/openllm.git",
    ],
)
def test_spellings_of_one_space_agree(text: str) -> None:
    assert identity_of(text) == "huggingface.co/spaces/lemms/openllm"


def test_different_repositories_differ() -> None:
    spellings = [
        "https://huggingface.co/lemms/openllm",
        "https://huggingface.co/spaces/lemms/openllm",
        "https://huggingface.co/datasets/lemms/openllm",
        "https://github.com/lemms/openllm",
        "https://example.org:8443/lemms/openllm",
        "https://example.org/lemms/openllm",
        "https://example.org/Lemms/openllm",
        "file:///lemms/openllm",
        "file:///lemms/openllm.git",
    ]
    assert len({identity_of(text) for text in spellings}) == len(spellings)


@pytest.mark.parametrize(
    "text", ["/srv/x.git", "file:///srv/x.git", "file:///srv/x.git/", "file://localhost/srv/x.git/.git"]
)
def test_a_path_and_its_file_url_agree(text: str) -> None:
    assert identity_of(text) == "file:///srv/x.git"


@pytest.mark.parametrize(
    "text",
    ["", "../x", "x", "C:\\x", "ext::sh -c x", "https://github.com", "file://server/x", "foo://a/b", "/", "a\nb", ":"],
)
def test_what_names_no_fixed_place_has_no_identity(text: str) -> None:
    assert identity_of(text) is None


def test_ids_make_the_urls_of_their_hosts() -> None:
    repo = RepoId("lemms/openllm")
    assert repo.github_url() == "https://github.com/lemms/openllm"
    assert repo.space_url() == "https://huggingface.co/spaces/lemms/openllm"
    assert repo.model_url() == "https://huggingface.co/lemms/openllm"
    assert repo.dataset_url() == "https://huggingface.co/datasets/lemms/openllm"
    assert repo.space_url().identity == "huggingface.co/spaces/lemms/openllm"
    own = HostUrl("https://hub.example.com:8443")
    assert repo.space_url(own) == "https://hub.example.com:8443/spaces/lemms/openllm"
    assert repo.model_url(own) == "https://hub.example.com:8443/lemms/openllm"
    assert repo.dataset_url(own) == "https://hub.example.com:8443/datasets/lemms/openllm"


def test_the_url_of_a_host_is_its_name_alone() -> None:
    assert HostUrl("https://hub.example.com/") == HostUrl("https://hub.example.com") == "https://hub.example.com"
    for text in (
        "hub.example.com",
        "http://h.org",
        "https://h.org/x",
        "https://H.org",
        "https://a:b@h.org",
        "https://",
    ):
        with pytest.raises(NameRefused):
            HostUrl(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a/",
        "/a",
        "a/b/c",
        "a//b",
        "-a/b",
        "a/-b",
        "a/b.git",
        "a/..",
        "a/b..c",
        ".a/b",
        "a b/c",
        "a/b\n",
        "a/é",
        "spaces/b",
    ],
)
def test_what_is_not_owner_and_name_is_no_id(text: str) -> None:
    with pytest.raises(NameRefused):
        RepoId(text)
