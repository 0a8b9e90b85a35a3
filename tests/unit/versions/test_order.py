"""Versions compared and raised."""

from __future__ import annotations

import random

import pytest

from openllm_repos.errors import NameRefused, UsageError
from openllm_repos.versions.order import (
    Part,
    bumped,
    is_prerelease,
    newest,
    order,
    require_version,
    same,
    spelt_for_npm,
)

IN_ORDER = [
    "main",
    "0.9",
    "1.0.0.dev0",
    "1.0.0-next.2",
    "1.0.0-next.10",
    "1.0.0-next.x",
    "1.0.0a1",
    "1.0.0-alpha.2",
    "1.0.0-beta",
    "1.0.0rc1",
    "1.0.0-rc.2",
    "1.0.0",
    "1.0.0.post1",
    "1.9",
    "1.10",
    "2.0.0+build.7",
]


def test_versions_are_ordered() -> None:
    mixed = IN_ORDER.copy()
    random.Random(7).shuffle(mixed)
    assert sorted(mixed, key=order) == IN_ORDER
    assert newest(mixed) == "2.0.0+build.7"
    assert newest([]) is None


def test_the_same_version_can_be_spelt_in_several_ways() -> None:
    assert same("1.0.0rc1", "1.0.0-rc.1")
    assert same("1.0", "1.0.0")
    assert same("1.0.0-next.1", "1.0.0-next.1")
    assert not same("1.0.0-next.1", "1.0.0-next.2")
    assert not same("1.0.0", "1.0.0rc1")


@pytest.mark.parametrize("text", ["1", "1.2.0", "1.2.0rc1", "1.2.0-rc.1", "2.0.0-next.1+b.5", "1!2.0", "1.0.dev3"])
def test_a_version_is_taken(text: str) -> None:
    assert require_version(text) == text


@pytest.mark.parametrize("text", ["", "v1.0", "1.0 ", "1.x", "latest", "1.2.0-", "01.2.0-x_y", "--force"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(NameRefused):
        require_version(text)


def test_a_prerelease_is_told_from_a_release() -> None:
    assert [is_prerelease(text) for text in ("1.0.0", "1.0.0rc1", "1.0.0-next.1", "1.0.post1")] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "npm"),
    [
        ("1.2.0rc1", "1.2.0-rc.1"),
        ("1.2", "1.2.0"),
        ("1.2a3.dev4+local", "1.2.0-alpha.3.dev.4+local"),
        ("1.2.0-rc.1", "1.2.0-rc.1"),
        ("1!2.0", "1!2.0"),
        ("1.2.3.4", "1.2.3.4"),
        ("1.0.post1", "1.0.post1"),
    ],
)
def test_package_json_gets_semantic_versions_where_it_can(text: str, npm: str) -> None:
    assert spelt_for_npm(text) == npm


@pytest.mark.parametrize(
    ("text", "part", "rc", "after"),
    [
        ("1.2.3", "patch", False, "1.2.4"),
        ("1.2.3", "minor", False, "1.3.0"),
        ("1.2.3", "major", False, "2.0.0"),
        ("1.2", "patch", False, "1.2.1"),
        ("1.2.3", "rc", False, "1.2.4rc1"),
        ("1.2.3", "minor", True, "1.3.0rc1"),
        ("1.3.0rc1", "rc", False, "1.3.0rc2"),
        ("1.3.0-rc.1", "rc", False, "1.3.0-rc.2"),
        ("1.3.0b2", "rc", False, "1.3.0rc1"),
        ("1.3.0.dev1", "rc", False, "1.3.0rc1"),
        ("1.3.0rc2", "patch", False, "1.3.0"),
        ("1.3.0rc2", "minor", False, "1.3.0"),
        ("1.3.1rc2", "minor", False, "1.4.0"),
        ("1.3.0rc2", "major", False, "2.0.0"),
        ("2.0.0rc2", "major", False, "2.0.0"),
        ("1.2.3+local", "patch", False, "1.2.4"),
    ],
)
def test_a_version_is_raised(text: str, part: str, rc: bool, after: str) -> None:
    assert bumped(text, Part(part), rc=rc) == after


def test_a_version_that_no_rule_counts_is_not_raised() -> None:
    with pytest.raises(UsageError, match="is not a version that can be raised by rule"):
        bumped("1.0.0-next.1", Part.PATCH)
