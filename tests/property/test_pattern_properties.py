"""Patterns against slower, plainer answers: a regular expression, git itself, and every path of a small world."""

from __future__ import annotations

import itertools
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given
from hypothesis import strategies as st

from openllm_repos.errors import NameRefused
from openllm_repos.names.overlap import intersect
from openllm_repos.names.pattern import Pattern
from tests.support.examples import examples

PIECES = ["a", "b", "*", "?", "[ab]", "[!a]", "[.b]", ".", "é"]
ALPHABET = "ab."
NAMES = [
    name
    for size in (1, 2)
    for chars in itertools.product(ALPHABET, repeat=size)
    if (name := "".join(chars)) not in (".", "..")
]
PATHS = ["/".join(names) for depth in (1, 2, 3) for names in itertools.product(NAMES, repeat=depth)]
ENCODED = [path.encode() for path in PATHS]


@st.composite
def patterns(draw: st.DrawFn, *, protective: bool = False) -> Pattern:
    component = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join) | st.just("**")
    text = "/".join(draw(st.lists(component, min_size=1, max_size=4))) + draw(st.sampled_from(["", "", "/"]))
    try:
        return Pattern.parse(text, protective=protective, whole=True)
    except NameRefused:
        assume(condition=False)
        raise


def as_regex(pattern: Pattern) -> re.Pattern[str]:
    """Translate a pattern as a whole, without states: an independent reading of the same rules."""
    *folders, last = [part.text for part in pattern.components]
    text = "".join("(?:[^/]+/)*" if name == "**" else component_regex(name) + "/" for name in folders)
    return re.compile(text + (".+" if last == "**" else component_regex(last)), re.DOTALL)


def component_regex(text: str) -> str:
    made = re.escape(text).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return made.replace(r"\[!a\]", "[^a/]").replace(r"\[", "[").replace(r"\]", "]")


@examples(300)
@given(patterns(), st.sampled_from(PATHS) | st.text(alphabet="ab./é", min_size=1, max_size=9))
def test_a_pattern_stands_for_what_its_regular_expression_says(pattern: Pattern, path: str) -> None:
    assume(not any(name in ("", ".", "..") for name in path.split("/")))
    assert pattern.matches(path.encode()) == (as_regex(pattern).fullmatch(path) is not None)


@examples(200)
@given(patterns(protective=True))
def test_what_is_below_a_match_is_protected_and_nothing_else(pattern: Pattern) -> None:
    for path in ENCODED[::7]:
        above = [path.rsplit(b"/", cut)[0] for cut in range(path.count(b"/") + 1)]
        assert pattern.protects(path) == any(pattern.matches(folder) for folder in above)


@examples(300)
@given(patterns(), patterns())
def test_two_patterns_meet_exactly_where_brute_force_says(a: Pattern, b: Pattern) -> None:
    found = intersect(a, b)
    assert (intersect(b, a) is None) == (found is None)
    if found is None:
        assert [path for path in ENCODED if a.matches(path) and b.matches(path)] == []
    else:
        assert a.matches(found.encode())
        assert b.matches(found.encode())
        assert not {"", ".", ".."} & set(found.split("/"))


@examples(200)
@given(patterns(protective=True), patterns())
@example(Pattern.parse("a", protective=True), Pattern.parse("a/b/c"))
def test_a_protective_pattern_meets_another_exactly_where_brute_force_says(safe: Pattern, other: Pattern) -> None:
    found = intersect(safe, other)
    if found is None:
        assert [path for path in ENCODED if safe.protects(path) and other.matches(path)] == []
    else:
        assert safe.protects(found.encode())
        assert other.matches(found.encode())


FOLDERS = ["a", "b", "ab", ".a"]
FILES = ["x", "ax", "xb", ".x", "a.x"]
TREE = [
    "/".join([*above, file])
    for depth in (0, 1, 2)
    for above in itertools.product(FOLDERS, repeat=depth)
    for file in FILES
]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository whose index holds the paths of TREE."""
    repo = tmp_path_factory.mktemp("indexed")
    subprocess.run(["git", "init", "-q", str(repo)], check=True)
    entries = "".join(f"100644 {'1' * 40}\t{path}\n" for path in TREE)
    subprocess.run(["git", "-C", str(repo), "update-index", "--index-info"], input=entries.encode(), check=True)
    return repo


@examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["**", "*", "a", "b", "?", "[ab]*", "[!a]"]), max_size=3),
    st.sampled_from(["*", "**", "?", "*x", "a*", "[ax]*", "[!a]?", "*.*", ".*"]),
)
def test_gits_own_glob_pathspecs_agree(indexed: Path, folders: list[str], last: str) -> None:
    try:
        pattern = Pattern.parse("/".join([*folders, last]), whole=True)
    except NameRefused:
        return
    listed = subprocess.run(
        ["git", "-C", str(indexed), "ls-files", "-z", "--", f":(glob){pattern.text}"], capture_output=True, check=True
    ).stdout.split(b"\0")[:-1]
    assert sorted(path.encode() for path in TREE if pattern.matches(path.encode())) == sorted(listed)
