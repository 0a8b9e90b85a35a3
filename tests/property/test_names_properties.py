"""Whatever text comes: what a name's type lets through is safe, and git agrees."""

from __future__ import annotations

import subprocess
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from openllm_repos.errors import NameRefused
from openllm_repos.names.path import FilePath, FolderPath
from openllm_repos.names.ref import BranchName, RepoName, TagName, TagTemplate
from openllm_repos.names.url import RepoUrl, identity_of
from openllm_repos.text import INVISIBLE
from tests.support.examples import examples

REF_TEXT = st.text(max_size=30) | st.text(alphabet="abv1._/+-@{}~^:#=,lock", min_size=1, max_size=14)
PATH_TEXT = st.text(max_size=20) | st.text(alphabet="aB./~1- git", min_size=1, max_size=14)
URL_TEXT = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["https://", "ssh://", "file:///", "git@", "", "http://", "ext::"]),
        st.sampled_from(["github.com", "hf.co", "example.org", "u@example.org", "u:p@x.org:22", "srv", "-x"]),
        st.text(alphabet="/a.b-:%$@~ git", max_size=12) | st.text(max_size=8),
    ),
)


def accepted_by_git(*args: str) -> bool:
    return subprocess.run(["git", "check-ref-format", *args], capture_output=True, check=False).returncode == 0


def is_plain(text: str) -> bool:
    return not text.startswith("-") and not any(unicodedata.category(char) in INVISIBLE for char in text)


@examples(300)
@given(REF_TEXT)
@example("a@b")
@example("_/#,")
def test_git_takes_every_branch_and_tag_that_we_take(text: str) -> None:
    try:
        branch, tag = BranchName(text), TagName(text)
    except NameRefused:
        return
    assert accepted_by_git("--branch", branch)
    assert accepted_by_git(branch.ref)
    assert accepted_by_git(tag.ref)
    assert is_plain(text)


@examples(200)
@given(st.text(alphabet="ab0._-", min_size=1, max_size=10) | st.text(max_size=10))
@example("a.b_c-d")
def test_git_takes_every_repo_name_as_a_part_of_a_ref(text: str) -> None:
    try:
        name = RepoName(text)
    except NameRefused:
        return
    assert accepted_by_git(f"refs/remotes/{name}/main")
    assert accepted_by_git(f"refs/openllm/keep/{name}")


@given(PATH_TEXT)
@example("a b/c")
def test_a_folder_that_we_take_stays_inside_and_is_read_back_the_same(text: str) -> None:
    try:
        folder = FolderPath(text)
    except NameRefused:
        return
    assert FolderPath(folder) == folder
    assert not folder or FolderPath(folder + "/") == folder
    assert all(part.strip(". ") and part.lower() != ".git" for part in folder.parts)
    assert is_plain(folder)


@given(PATH_TEXT)
@example("a b/c.d")
def test_a_file_that_we_take_is_also_a_folder_path_and_no_shorter_spelling_of_another(text: str) -> None:
    try:
        file = FilePath(text)
    except NameRefused:
        return
    assert str(FolderPath(file)) == str(file) == text


@given(URL_TEXT)
@example("https://github.com/a/b")
@example("file:///srv/a b")
def test_a_url_that_we_take_names_one_place_without_credentials(text: str) -> None:
    try:
        url = RepoUrl(text)
    except NameRefused:
        return
    assert url.scheme in ("https", "ssh", "file")
    assert f"{url.scheme}://" in text
    assert url.path.startswith("/")
    assert ".." not in url.path.split("/")
    assert is_plain(url)
    assert ":" not in url.partition("://")[2].partition("/")[0].rpartition("@")[0]
    assert identity_of(url) == url.identity
    assert identity_of(url + "/") == url.identity


@given(st.text(max_size=40) | URL_TEXT)
def test_no_text_of_a_configuration_makes_identity_fail(text: str) -> None:
    found = identity_of(text)
    assert found is None or found


@given(
    st.sampled_from(["v{version}", "{version}", "release/{version}", "{version}-final", "a{version}b"]),
    st.from_regex(r"[0-9][A-Za-z0-9._+-]{0,8}", fullmatch=True),
)
def test_a_tag_gives_back_the_version_that_it_was_made_of(form: str, version: str) -> None:
    template = TagTemplate(form)
    try:
        tag = template.tag_for(version)
    except NameRefused:
        return
    assert template.version_of(tag) == version
