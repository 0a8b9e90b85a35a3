"""Path patterns: which paths they stand for."""

from __future__ import annotations

import time

import pytest

from openllm_repos.errors import NameRefused
from openllm_repos.names import glob
from openllm_repos.names.glob import Component
from openllm_repos.names.pattern import Pattern


@pytest.mark.parametrize(
    ("text", "base", "rest"),
    [
        ("core/src/*.py", "core/src", ["*.py"]),
        ("core/src/**/*.py", "core/src", ["**", "*.py"]),
        ("core/src/", "core/src", ["**"]),
        ("core/src/**", "core/src", ["**"]),
        ("core/src/**/**/", "core/src", ["**"]),
        ("core/src/main.py", "core/src", ["main.py"]),
        ("app.py", "", ["app.py"]),
        ("*.py", "", ["*.py"]),
        ("packages/*/src/", "packages", ["*", "src", "**"]),
        ("a[b]/c/d.py", "", ["a[b]", "c", "d.py"]),
    ],
)
def test_a_pattern_is_a_folder_and_what_to_take_in_it(text: str, base: str, rest: list[str]) -> None:
    pattern = Pattern.parse(text)
    assert pattern.text == text
    assert pattern.base == base
    assert [part.text for part in pattern.rest] == rest


@pytest.mark.parametrize(
    ("text", "taken", "left"),
    [
        (
            "core/src/*.py",
            ["core/src/a.py", "core/src/.py", "core/src/.a.py"],
            ["core/src/x/a.py", "a.py", "core/src", "core/srcs/a.py"],
        ),
        ("core/**/*.py", ["core/a.py", "core/x/a.py", "core/x/y/a.py"], ["core/a.txt", "a.py", "core"]),
        ("core/src/", ["core/src/a", "core/src/x/.y"], ["core/src", "core/srcs/a", "core"]),
        ("core/**/x/**", ["core/x/a", "core/y/x/a", "core/x/x", "core/x/x/x"], ["core/x", "core/y/x", "core/a/b"]),
        ("core/main.py", ["core/main.py"], ["core/main.py/x", "main.py", "core/main.pyc"]),
        ("*/x/", ["a/x/1", "a/x/b/2"], ["x/1", "a/b/x/1", "a/x"]),
        ("a/?.py", ["a/b.py", "a/é.py", "a/..py"], ["a/bb.py", "a/.py"]),
        ("a/[a-c_].py", ["a/b.py", "a/_.py"], ["a/d.py", "a/-.py", "a/A.py"]),
        ("a/[!a-c]", ["a/d", "a/é", "a/\n"], ["a/a", "a/dd"]),
        ("a/[]x-]", ["a/]", "a/x", "a/-"], ["a/y"]),
        ("a/[!]]", ["a/x"], ["a/]"]),
        ("a/[[]b]", ["a/[b]"], ["a/b"]),
        ("a/[+-9]", ["a/5", "a/."], ["a//", "a/a"]),
        ("a/*b*c", ["a/bc", "a/xbxbxc"], ["a/bcx", "a/cb"]),
    ],
)
def test_what_a_pattern_stands_for(text: str, taken: list[str], left: list[str]) -> None:
    pattern = Pattern.parse(text)
    assert [path for path in taken if not pattern.matches(path.encode())] == []
    assert [path for path in left if pattern.matches(path.encode())] == []


def test_names_that_are_not_utf8_have_one_character_per_odd_byte() -> None:
    assert Pattern.parse("a/?.txt").matches(b"a/\xff.txt")
    assert Pattern.parse("a/é?").matches("a/é".encode() + b"\xff")
    assert Pattern.parse("a/*").matches(b"a/\xc3\x28")
    assert not Pattern.parse("a/?").matches(b"a/\xff\xfe")
    assert not Pattern.parse("a/[a-z]").matches(b"a/\xff")


def test_asked_again_a_component_answers_the_same() -> None:
    part = Component("*.py")
    assert [part.matches(name) for name in (b"a.py", b"a.txt", b"a.py", b"a.txt")] == [True, False, True, False]


def test_a_component_that_has_seen_too_many_names_forgets_them_and_answers_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(glob, "_MEMO_LIMIT", 2)
    part = Component("a*")
    names = [b"a1", b"b1", b"a2", b"b2", b"a3", b"a1"]
    assert [part.matches(name) for name in names] == [name.startswith(b"a") for name in names]
    assert len(part._memo) <= 2


def test_whole_folders_and_single_files_are_known_as_such() -> None:
    assert Pattern.parse("core/").is_whole_folder
    assert not Pattern.parse("core/*").is_whole_folder
    assert Pattern.parse("core/a.py").is_single_file
    assert Pattern.parse("core/a.py").literal_name == "a.py"
    assert Pattern.parse("core/*.py").literal_name is None
    assert Component("**").is_globstar
    assert not Component("*").is_globstar


@pytest.mark.parametrize("text", ["data", "data/", "data/**"])
def test_a_protective_pattern_keeps_everything_below_safe(text: str) -> None:
    pattern = Pattern.parse(text, protective=True)
    assert pattern.protects(b"data/x")
    assert pattern.protects(b"data/x/y")
    assert not pattern.protects(b"database")
    assert not pattern.protects(b"x/data/y")


def test_a_protective_pattern_keeps_a_file_and_a_folder_found_by_wildcard_safe() -> None:
    assert Pattern.parse("app.py", protective=True).protects(b"app.py")
    assert Pattern.parse("**/tests", protective=True).protects(b"core/tests/unit/a.py")
    assert not Pattern.parse("**/tests", protective=True).protects(b"core/test/a.py")
    assert not Pattern.parse("data/", protective=True).protects(b"other")


@pytest.mark.parametrize("text", [".gitattributes", ".gitignore", ".github/", "*/.gitkeep", ".git*"])
def test_files_for_git_may_be_owned_but_not_mapped(text: str) -> None:
    assert Pattern.parse(text, protective=True).text == text
    with pytest.raises(NameRefused, match="steers git"):
        Pattern.parse(text)


@pytest.mark.parametrize("text", [".", "./", "**", "**/", "*/", "**/*", "*/**", "**/**/", "*/**/*"])
def test_a_map_takes_a_folder_not_the_whole_repository(text: str) -> None:
    with pytest.raises(NameRefused, match="takes the whole repository"):
        Pattern.parse(text)
    assert Pattern.parse(text, whole=True).matches(b"a/b/c") == (text != "*/*")


@pytest.mark.parametrize(
    "text",
    [
        *("", "/", "/a", "..", "../a", "a/../b", "./a", "a//b", "a//", "-a", "a/-b", "a\\b", "a:b", "a\nb", "a\u200b*"),
        *(
            ".git/hooks",
            "x/.GIT/*",
            "git~1/",
            "aux/",
            "a./*",
            "a /b",
            ".openllm/*",
            "a*b ",
            "e\u0301*",
            "a<b",
            'a"*',
            "a|b",
        ),
        *("a**", "**a/b", "a/***", "a/[b", "a/[]", "a/[!]", "a/[^b]", "a/[z-a]", "a/[[:alpha:]]", "a" * 1025),
    ],
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(NameRefused):
        Pattern.parse(text)


def test_a_pattern_that_would_make_a_backtracking_matcher_hang_answers_at_once() -> None:
    hostile = Component("*a" * 60 + "*b")
    start = time.process_time()
    assert not hostile.matches(b"a" * 255)
    assert not Pattern.parse("x/" + "**/a*/" * 60 + "b").matches(b"x/" + b"a/" * 250 + b"c")
    assert time.process_time() - start < 1
