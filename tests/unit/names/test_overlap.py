"""Whether two patterns can meet, with an example of where."""

from __future__ import annotations

import time

import pytest

from openllm_repos.names.overlap import intersect
from openllm_repos.names.pattern import Pattern


@pytest.mark.parametrize(
    ("a", "b", "example"),
    [
        ("core/*.py", "core/*.py", "core/a.py"),
        ("core/*.py", "core/a*", "core/a.py"),
        ("core/", "core/src/main.py", "core/src/main.py"),
        ("core/**/*.py", "core/src/", "core/src/a.py"),
        ("*/main.py", "core/*", "core/main.py"),
        ("a/[a-m]x", "a/[m-z]?", "a/mx"),
        ("a/?b*", "a/*cd", "a/abcd"),
        ("a/**/z", "a/b/**/y/z", "a/b/y/z"),
        ("**/x/*.py", "core/**", "core/x/a.py"),
    ],
)
def test_patterns_that_meet_name_a_path_that_both_take(a: str, b: str, example: str) -> None:
    found = intersect(Pattern.parse(a), Pattern.parse(b))
    assert found == example
    assert Pattern.parse(a).matches(found.encode())
    assert Pattern.parse(b).matches(found.encode())


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("core/*.py", "core/*.json"),
        ("core/*.py", "core/*/*.py"),
        ("core/", "cores/"),
        ("core/", "core"),
        ("a/[a-f]", "a/[g-z]"),
        ("a/[!a-z]", "a/[b-y]"),
        ("a/?", "a/??"),
        ("a/b*", "a/c*"),
        ("a/**/x", "a/**/y"),
        ("a/*/x", "a/x"),
        ("a/[.x]", "a/[.y]"),
        ("a/[.x]?", "a/[.y][.z]y"),
    ],
)
def test_patterns_that_cannot_meet(a: str, b: str) -> None:
    assert intersect(Pattern.parse(a), Pattern.parse(b)) is None
    assert intersect(Pattern.parse(b), Pattern.parse(a)) is None


def test_names_of_one_or_two_dots_are_no_names() -> None:
    one = Pattern.parse("a/[.x][.x]")
    assert intersect(one, Pattern.parse("a/[.y][.y]")) is None
    assert intersect(Pattern.parse("a/[.x][.x][.x]"), Pattern.parse("a/[.y][.y][.y]")) == "a/..."


@pytest.mark.parametrize("safe", ["data", "data/", "d*", "**/raw"])
def test_a_protective_pattern_meets_what_lies_below_it(safe: str) -> None:
    found = intersect(Pattern.parse(safe, protective=True), Pattern.parse("data/*/raw/x.json"))
    assert found is not None
    assert Pattern.parse("data/*/raw/x.json").matches(found.encode())
    assert intersect(Pattern.parse("data/", protective=True), Pattern.parse("database/*")) is None
    assert intersect(Pattern.parse("app.py", protective=True), Pattern.parse("*.py")) == "app.py"


def test_long_hostile_patterns_are_decided_at_once() -> None:
    start = time.process_time()
    assert intersect(Pattern.parse("x/" + "**/a*/" * 40 + "b"), Pattern.parse("x/" + "**/*a/" * 40 + "c")) is None
    assert intersect(Pattern.parse("x/" + "*a" * 50), Pattern.parse("x/" + "*b" * 50)) is None
    assert time.process_time() - start < 5
