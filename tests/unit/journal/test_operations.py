"""The log of operations: what a reader finds in it, whatever happened to whoever wrote."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from openllm_repos.errors import EnvironmentProblem, NameRefused
from openllm_repos.git.repository import Repository
from openllm_repos.journal.operations import (
    HERE,
    Came,
    Move,
    Operation,
    began,
    find_operation,
    forget,
    names,
    new_operation,
    note,
    operations,
)
from openllm_repos.names.objectid import ObjectId
from tests.support.repositories import Clone

SPACE = Move("space", "https://huggingface.co/spaces/a/b", "refs/heads/main", ObjectId("1" * 40), ObjectId("2" * 40))
BRANCH = Move(HERE, "", "refs/heads/import", ObjectId("0" * 40), ObjectId("3" * 40))


@pytest.fixture
def repository(clone: Clone) -> Repository:
    return Repository.open(clone.path)


def only(repository: Repository) -> Operation:
    (found,) = operations(repository)
    return found


def file_of(repository: Repository, name: str) -> Path:
    return repository.state_dir / "operations" / f"{name}.jsonl"


def test_what_is_noted_is_read_back(repository: Repository) -> None:
    before = int(time.time())
    name = note(repository, "import space", [BRANCH])
    found = only(repository)
    assert (found.name, found.command, found.undoes) == (name, "import space", "")
    assert before <= found.moves[0].at <= time.time()
    assert [replace(move, at=0) for move in found.moves] == [replace(BRANCH, came=Came.MOVED)]
    assert (found.moves[0].here, found.moved, found.unfinished) == (True, found.moves, False)
    assert abs(found.began - before) <= 1


def test_a_push_is_noted_before_and_after(repository: Repository) -> None:
    name = note(repository, "publish small", [SPACE], outcome=Came.BEGUN)
    assert only(repository).unfinished
    other = replace(SPACE, repo="other")
    note(repository, "publish small", [other], outcome=Came.REFUSED, operation=name)
    note(repository, "publish small", [SPACE], operation=name)
    assert [(move.repo, move.came) for move in only(repository).moves] == [
        ("space", Came.MOVED),
        ("other", Came.REFUSED),
    ]
    assert only(repository).moved == only(repository).moves[:1]


def test_the_same_word_twice_is_written_once(repository: Repository) -> None:
    name = note(repository, "sync", [SPACE])
    note(repository, "sync", [SPACE], operation=name)
    assert len(file_of(repository, name).read_bytes().splitlines()) == 2


def test_no_credential_gets_into_the_log(repository: Repository) -> None:
    secret = "https://user:hf_abcdefghijkl@huggingface.co/x"
    name = note(repository, f"publish {secret}", [replace(SPACE, url=secret)])
    text = file_of(repository, name).read_text()
    assert "hf_abc" not in text
    assert "user" not in text


@pytest.mark.parametrize("cut", [2, 20, 90])
def test_a_line_that_was_torn_is_skipped_and_the_next_one_is_not(repository: Repository, cut: int) -> None:
    name = note(repository, "sync", [SPACE], outcome=Came.BEGUN)
    note(repository, "sync", [SPACE], operation=name)
    path = file_of(repository, name)
    path.write_bytes(path.read_bytes()[:-cut])
    assert only(repository).unfinished
    note(repository, "sync", [SPACE], operation=name)
    assert [move.came for move in only(repository).moves] == [Came.MOVED]


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\n", b"[1]\n", b'{"repo": "space"}\n', b"{}"])
def test_a_file_without_a_good_line_is_no_operation(repository: Repository, text: bytes) -> None:
    note(repository, "sync", [SPACE], operation="20260101T000000Z-aaaa")
    file_of(repository, "20260102T000000Z-bbbb").write_bytes(text)
    assert only(repository).name == "20260101T000000Z-aaaa"


def test_moves_without_a_first_line_still_count(repository: Repository) -> None:
    name = note(repository, "sync", [SPACE], operation="20260101T000000Z-aaaa")
    path = file_of(repository, name)
    path.write_bytes(path.read_bytes().partition(b"\n")[2])
    assert (only(repository).command, len(only(repository).moves)) == ("?", 1)


def test_the_newest_comes_first_within_a_second_too(repository: Repository) -> None:
    for number, name in enumerate(("20260101T000000Z-ffff", "20260101T000000Z-0000", "20250101T000000Z-aaaa")):
        note(repository, name, [SPACE], operation=name)
        os.utime(file_of(repository, name), ns=(0, number))
    in_order = ["20260101T000000Z-0000", "20260101T000000Z-ffff", "20250101T000000Z-aaaa"]
    assert [one.command for one in operations(repository)] == in_order
    assert [one.name for one in operations(repository, most=1)] == in_order[:1]
    assert names(repository) == tuple(in_order)


def test_an_operation_is_found_by_the_beginning_of_its_name(repository: Repository) -> None:
    for name in ("20260101T000000Z-ffff", "20260101T000000Z-0000", "20250101T000000Z-aaaa"):
        note(repository, "sync", [SPACE], operation=name)
    found = find_operation(repository, "2025")
    assert found is not None
    assert found.name == "20250101T000000Z-aaaa"
    assert find_operation(repository, "2024") is None
    assert find_operation(repository, "") is None
    assert find_operation(repository, "../operations/2025") is None
    with pytest.raises(NameRefused, match="2 operations begin with 2026"):
        find_operation(repository, "2026")


def test_an_empty_log_says_nothing_and_is_not_made_by_reading(repository: Repository) -> None:
    assert list(operations(repository)) == []
    assert not repository.state_dir.exists()


def test_what_is_forgotten_is_gone(repository: Repository) -> None:
    name = note(repository, "sync", [SPACE])
    forget(repository, name)
    forget(repository, name)
    assert names(repository) == ()


def test_a_log_that_cannot_be_written_is_told(repository: Repository) -> None:
    repository.state_dir.mkdir()
    (repository.state_dir / "operations").write_text("a file in the place of the folder")
    with pytest.raises(EnvironmentProblem, match=r"Cannot write the log of operations to .*/operations: "):
        note(repository, "sync", [SPACE])
    with pytest.raises(EnvironmentProblem, match="Cannot write the log"):
        forget(repository, "x")


def test_a_log_is_no_way_to_write_elsewhere(repository: Repository, tmp_path: Path) -> None:
    name = note(repository, "sync", [SPACE])
    victim = tmp_path / "victim"
    victim.write_text("precious")
    file_of(repository, name).unlink()
    file_of(repository, name).symlink_to(victim)
    with pytest.raises(EnvironmentProblem):
        note(repository, "sync", [SPACE], operation=name)
    assert victim.read_text() == "precious"


def test_a_reader_takes_no_more_than_a_mebibyte(repository: Repository) -> None:
    name = note(repository, "sync", [SPACE])
    row = json.dumps({"repo": "x" * 100_000, "came": "moved"}).encode() + b"\n"
    with file_of(repository, name).open("ab") as file:
        for _ in range(30):
            file.write(row)
    note(repository, "sync", [replace(SPACE, repo="late")], operation=name)
    assert [move.repo for move in only(repository).moves] == ["space"]


def test_a_name_says_its_time() -> None:
    made = [new_operation() for _ in range(5)]
    assert len(set(made)) > 1
    assert all(len(name) == len("20261122T103817Z-a1f9") for name in made)
    assert began("20261122T103817Z-a1f9") == 1_795_343_897
    assert [began(name) for name in ("x", "20261322T103817Z-a1f9", "20261122T103817Z-", "")] == [None] * 4
