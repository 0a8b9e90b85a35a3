"""Names of branches, tags and repos, and the form of release tags."""

from __future__ import annotations

import pytest

from openllm_repos.errors import NameRefused
from openllm_repos.names.ref import BranchName, RepoName, TagName, TagTemplate

BAD_REFS = [
    *("", "-x", "a/-x", "refs/heads/x", "HEAD", "head", "FETCH_HEAD", "a..b", "a.lock", "a.lock/b", "a.LOCK"),
    *("a/", "/a", "a//b", ".a", "a/.b", "a.", "@", "a@{1}", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a b"),
    *("$(x)", "`x`", "a;b", "a|b", "a'b", 'a"b', "${{x}}", "a\x7f", "a\u009b", "a\u202e", "v1\n", "größe", "x" * 201),
    *("6a8f633eb27147ccd34ad13f89370566941b4617", "a" * 64),
]


@pytest.mark.parametrize("text", BAD_REFS)
@pytest.mark.parametrize("kind", [BranchName, TagName])
def test_a_name_that_git_or_a_shell_would_misread_is_refused(kind: type[BranchName | TagName], text: str) -> None:
    with pytest.raises(NameRefused):
        kind(text)


@pytest.mark.parametrize(
    "text", ["main", "release/1.2", "v1.0.0+abc", "_x", "feature/#12", "npm/@types/node", "a-b_c=d"]
)
def test_ordinary_names_are_taken_as_they_are(text: str) -> None:
    assert BranchName(text).ref == f"refs/heads/{text}"
    assert TagName(text).ref == f"refs/tags/{text}"


def test_the_refusal_says_what_is_allowed_on_one_line() -> None:
    with pytest.raises(NameRefused) as refused:
        BranchName("two words")
    assert str(refused.value).startswith("'two words' is not a branch name; allowed are letters, digits and")
    with pytest.raises(NameRefused) as refused:
        BranchName("line\n\x1b[31mred")
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize("text", ["main", "small-7k", "0", "a.b_c", "x" * 64])
def test_names_of_repos(text: str) -> None:
    assert RepoName(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "Main", "a/b", "a b", "-a", ".a", "_a", "a.", "a..b", "a.lock", "aux", "con.x", "é", "a\n", "x" * 65, "*"],
)
def test_what_cannot_be_a_remote_is_no_name_of_a_repo(text: str) -> None:
    with pytest.raises(NameRefused):
        RepoName(text)


@pytest.mark.parametrize(
    ("template", "version", "tag"),
    [
        ("v{version}", "1.2.0", "v1.2.0"),
        ("{version}", "2026.1", "2026.1"),
        ("rel/{version}-x", "1.0rc1+a", "rel/1.0rc1+a-x"),
    ],
)
def test_a_template_makes_tags_and_reads_them_back(template: str, version: str, tag: str) -> None:
    form = TagTemplate(template)
    assert form.tag_for(version) == tag
    assert form.version_of(tag) == version


@pytest.mark.parametrize("tag", ["v", "vault", "v1..2", "x1.2", "v1.2.lock", "1.2", "", "v1 2", "v1/2"])
def test_other_tags_are_not_release_tags(tag: str) -> None:
    assert TagTemplate("v{version}").version_of(tag) is None


def test_a_tag_with_another_end_than_the_templates_is_no_release() -> None:
    form = TagTemplate("{version}-code")
    assert [form.version_of(tag) for tag in ("1.0-code", "1.0-data", "1.0", "-code", "code")] == ["1.0", *[None] * 4]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v",
        "v{version}{version}",
        "v{Version}",
        "{version}.lock",
        "-{version}",
        "v {version}",
        "refs/{version}",
        "HEAD",
    ],
)
def test_a_template_holds_the_version_once_and_makes_tags(text: str) -> None:
    with pytest.raises(NameRefused):
        TagTemplate(text)


@pytest.mark.parametrize("version", ["", "latest", "1.2\n", "1 2", "1/2", "1..2", "$(x)"])
def test_what_is_no_version_makes_no_tag(version: str) -> None:
    with pytest.raises(NameRefused):
        TagTemplate("v{version}").tag_for(version)
