"""Our patterns in GitHub's words: nothing that a map takes is held back, and hardly anything else let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.errors import NameRefused
from openllm_repos.manifest import Manifest
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.ref import BranchName, TagTemplate
from openllm_repos.workflow.filters import branch_filter, path_filter, source_paths, tag_filter
from tests.support.github_filters import lets_through

MANIFEST = """
schema = 1
[project]
name = "openllm"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "lemms/openllm"
[[repos.space.map]]
from = "core/src/*.py"
to = "training/"
[repos.twin]
space = "lemms/twin"
[[repos.twin.map]]
from = "core/src/*.py"
to = "code/"
[[repos.twin.map]]
from = "configs/"
to = "configs/"
"""


@pytest.mark.parametrize(
    ("pattern", "filter_"),
    [
        ("core/src/*.py", "core/src/*.py"),
        ("core/src/", "core/src/**"),
        ("core/src/**/*.py", "core/src/**/*.py"),
        ("core/README.md", "core/README.md"),
        ("a/x?.py", "a/x*.py"),  # GitHub would take ? for "x or nothing"
        ("a/*?.py", "a/*.py"),  # and two stars would cross folders
        ("a/[a-c5].py", "a/[5a-c].py"),
        ("a/[ab].py", "a/[ab].py"),
        ("a/[!a].py", "a/*.py"),
        ("a/[_-].py", "a/*.py"),
        ("a/[[]x].py", r"a/\[x\].py"),
        ("c++/!x/it's (1).py", r"c\+\+/\!x/it's (1).py"),
        ("!x/a.py", r"\!x/a.py"),
        ("dé/a.py", "dé/a.py"),
        ("a/${{ x }}/*.py", "a/${* x }}/*.py"),
    ],
)
def test_a_pattern_in_the_words_of_github(pattern: str, filter_: str) -> None:
    assert path_filter(Pattern.parse(pattern)) == filter_


NAMES = st.text("ab+!.[]*?-[]é ${", min_size=1, max_size=5)


@given(st.lists(st.one_of(NAMES, st.just("**")), min_size=1, max_size=4), st.data())
def test_whatever_a_pattern_stands_for_is_let_through(parts: list[str], data: st.DataObject) -> None:
    try:
        pattern = Pattern.parse("/".join(parts))
    except NameRefused:
        return
    words = {"*": ["", "ab", "+"], "?": ["a", "é"]}
    names: list[str] = []
    for part in parts:
        if part == "**":
            names += data.draw(st.lists(st.sampled_from(["a", "b+", ".é"]), max_size=2))
        else:
            names.append("".join(data.draw(st.sampled_from(words.get(char, [char]))) for char in part))
    path = "/".join(names)
    if pattern.matches(path.encode()):
        assert lets_through(path_filter(pattern), path)


def test_other_folders_are_held_back() -> None:
    for pattern, path in (("core/src/*.py", "core/src/deep/x.py"), ("a/*?.py", "a/b/c.py"), ("a/[[]x]/*", "a/x/y")):
        assert not lets_through(path_filter(Pattern.parse(pattern)), path)


def test_the_paths_of_all_targets_each_once_and_what_the_workflow_stands_on() -> None:
    paths = source_paths(Manifest.parse(MANIFEST), "family/repos.toml")
    written = (".github/workflows/openllm-repos.yml", ".github/workflows/openllm-repos.txt")
    assert paths == ("family/repos.toml", *written, "configs/**", "core/src/*.py")


@pytest.mark.parametrize(
    ("form", "tag", "through"),
    [
        ("v{version}", "v1.0.0-rc.1", True),
        ("v{version}", "v2/other", False),
        ("v{version}", "version-1", False),
        ("rel+{version}#x", "rel+1.0#x", True),
        ("rel+{version}#x", "rell1.0#x", False),
        ("a/{version}", "a/1", True),
    ],
)
def test_release_tags_and_no_others(form: str, tag: str, through: bool) -> None:
    assert lets_through(tag_filter(TagTemplate(form)), tag) is through


def test_a_branch_is_itself() -> None:
    assert lets_through(branch_filter(BranchName("feature/c++")), "feature/c++")
    assert not lets_through(branch_filter(BranchName("feature/c++")), "feature/ccc")
