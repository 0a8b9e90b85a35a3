"""The operation log: what is on disk before a ref moves, and what a reader finds, whatever happened to the writer."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from openllm_repos.errors import EnvironmentProblem, NameRefused
from openllm_repos.git.repository import Repository
from openllm_repos.journal import log
from openllm_repos.journal.log import HERE, Move, MoveOutcome, Operation, began, begun, find_operation, operations
from openllm_repos.journal.transaction import Transaction, forget, new_operation
from openllm_repos.names.objectid import ObjectId
from tests.support.repositories import Clone

MOVED, REFUSED, UNKNOWN = MoveOutcome.MOVED, MoveOutcome.REFUSED, MoveOutcome.UNKNOWN
URL = "https://huggingface.co/spaces/a/b"


@pytest.fixture
def push(clone: Clone) -> Move:
    """Return the push of a second commit over the first."""
    old, new = clone.commit("old", {"f": "old\n"}), clone.commit("new", {"f": "new\n"})
    return Move("space", URL, "refs/heads/main", ObjectId(old), ObjectId(new))


@pytest.fixture
def repository(clone: Clone, push: Move) -> Repository:
    assert push.old != push.new
    return Repository.open(clone.path)


def file_of(repository: Repository) -> Path:
    return repository.state_dir / "operations.jsonl"


def only(repository: Repository) -> Operation:
    (found,) = operations(repository)
    return found


def write(repository: Repository, command: str, *moves: Move, name: str = "", done: bool = True) -> str:
    """Write an operation that went through."""
    with Transaction(repository, command) as transaction:
        transaction.name = name or transaction.name
        transaction.begin(*moves)
        transaction.finish(MOVED, *moves)
        transaction.done = done
    return transaction.name


def kept(clone: Clone) -> dict[str, str]:
    """Return what is held, by the end of the refs' names."""
    prefix = "refs/openllm/keep/"
    return {ref.split("/", 4)[4]: tip for ref, tip in clone.tips().items() if ref.startswith(prefix)}


def test_what_was_done_is_read_back(repository: Repository, push: Move) -> None:
    before = int(time.time())
    name = write(repository, "sync", push)
    found = only(repository)
    assert (found.name, found.command, found.undoes, found.release) == (name, "sync", "", None)
    assert (found.ended, found.done, found.begun) == (True, True, ())
    assert [replace(move, at=0) for move in found.moves] == [replace(push, outcome=MOVED)]
    assert (found.moved, found.moves[0].here, replace(push, repo=HERE).here) == (found.moves, False, True)
    assert before <= found.began <= found.moves[0].at <= time.time()


def test_an_operation_without_an_end_is_what_was_begun(repository: Repository, push: Move) -> None:
    killed = Transaction(repository, "undo x", undoes="x")
    killed.begin(push)
    found = only(repository)
    assert (found.ended, found.done, found.undoes) == (False, False, "x")
    assert [replace(move, at=0) for move in found.begun] == [push]
    assert (found.moved, begun(repository)) == ((), (found,))
    resumed = Transaction(repository, found.command, resumes=found)
    resumed.finish(REFUSED, push)
    assert begun(repository)[0].moves[0].outcome is REFUSED
    with resumed:
        resumed.done = False
    assert (begun(repository), only(repository).ended, only(repository).done) == ((), True, False)


def test_what_moves_no_ref_is_not_in_the_log(repository: Repository) -> None:
    with Transaction(repository, "sync"):
        pass
    assert list(operations(repository)) == []
    assert not file_of(repository).exists()


def test_a_block_that_fails_ends_the_operation_undone_and_one_that_knows_no_outcome_leaves_it_begun(
    repository: Repository, push: Move
) -> None:
    refused = Transaction(repository, "sync")
    refused.begin(push)
    refused.finish(REFUSED, push)
    with pytest.raises(ZeroDivisionError), refused:
        raise ZeroDivisionError
    assert (only(repository).ended, only(repository).done) == (True, False)
    with Transaction(repository, "sync") as silent:
        silent.begin(push)
    assert [one.name for one in begun(repository)] == [silent.name]


def test_old_and_new_are_held_while_the_push_is_under_way(clone: Clone, repository: Repository, push: Move) -> None:
    Transaction(repository, "sync").begin(push)
    assert kept(clone) == {"space/0/old": push.old, "space/0/new": push.new}


@pytest.mark.parametrize(("outcome", "held"), [(MOVED, ["space/0/old"]), (UNKNOWN, ["space/0/old"]), (REFUSED, [])])
def test_what_a_push_replaced_or_may_have_replaced_is_held_on(
    clone: Clone, repository: Repository, push: Move, outcome: MoveOutcome, held: list[str]
) -> None:
    transaction = Transaction(repository, "sync")
    transaction.begin(push)
    transaction.finish(outcome, push)
    transaction.finish(outcome, push)
    assert list(kept(clone)) == held
    assert [move.outcome for move in only(repository).moves] == [outcome]


def test_a_first_push_replaces_nothing_and_a_deletion_brings_nothing(
    clone: Clone, repository: Repository, push: Move
) -> None:
    zero = repository.zero
    first, deleted = replace(push, old=zero), Move(HERE, "", "refs/heads/import", push.new, zero)
    Transaction(repository, "sync").begin(first, deleted)
    assert kept(clone) == {"space/0/new": push.new, "@here/1/old": push.new}


def test_several_refs_of_one_repo_are_held_side_by_side(clone: Clone, repository: Repository, push: Move) -> None:
    write(repository, "sync", push, replace(push, ref="refs/heads/main/old"), replace(push, old=push.new))
    assert list(kept(clone)) == ["space/0/old", "space/1/old", "space/2/old"]


def test_what_the_clone_does_not_have_is_not_held(clone: Clone, repository: Repository, push: Move) -> None:
    transaction = Transaction(repository, "release 1")
    elsewhere = replace(push, old=ObjectId("1" * 40))
    transaction.begin(elsewhere, hold=False)
    transaction.finish(MOVED, elsewhere)
    assert kept(clone) == {}


def test_a_run_that_goes_on_holds_what_the_killed_one_had_no_time_to(
    clone: Clone, repository: Repository, push: Move
) -> None:
    Transaction(repository, "sync").begin(push, hold=False)
    resumed = Transaction(repository, "sync", resumes=only(repository))
    resumed.begin(push)
    resumed.begin(push)
    assert len(kept(clone)) == 2
    assert len(file_of(repository).read_bytes().splitlines()) == 2


def test_a_ref_that_moves_twice_in_one_operation_has_two_moves(repository: Repository, push: Move) -> None:
    transaction = Transaction(repository, "sync")
    transaction.begin(push)
    transaction.finish(REFUSED, push)
    merged = replace(push, new=push.old, old=push.new)
    transaction.begin(merged)
    transaction.finish(MOVED, merged)
    assert [move.outcome for move in only(repository).moves] == [REFUSED, MOVED]


def test_the_order_is_that_of_the_lines_whatever_the_clock_said(repository: Repository, push: Move) -> None:
    ahead, behind = "20991231T235959Z-aaaa", "19990101T000000Z-bbbb"
    for name in (ahead, behind, ""):
        write(repository, "sync", push, name=name)
    newest, *rest = (one.name for one in operations(repository))
    assert rest == [behind, ahead]
    assert newest not in rest


def test_what_was_begun_long_ago_is_found_again_until_it_has_ended(repository: Repository, push: Move) -> None:
    killed = []
    for number in range(2):
        transaction = Transaction(repository, f"undo {number}")
        transaction.begin(push)
        killed.append(transaction.name)
        for _ in range(3):
            write(repository, "sync", push)
    assert [one.name for one in begun(repository)] == killed
    older, newer = begun(repository)
    for one, left in ((newer, killed[:1]), (older, [])):
        resumed = Transaction(repository, one.command, resumes=one)
        resumed.finish(MOVED, push)
        resumed.end(done=False)
        assert [found.name for found in begun(repository)] == left
        write(repository, "sync", push)
        assert [found.name for found in begun(repository)] == left
    assert [one.command for one in operations(repository)][-4:] == ["sync"] * 3 + ["undo 0"]


def test_a_line_that_no_operation_has_is_not_read_into_memory_nor_what_is_before_it(
    repository: Repository, push: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_LONGEST", 1 << 17)
    write(repository, "sync", push)
    with file_of(repository).open("ab") as file:
        file.write(b"\0" * (1 << 19) + b"\n")
    name = write(repository, "sync", push)
    assert [one.name for one in operations(repository)] == [name]


def test_reading_the_newest_reads_no_more_than_them(repository: Repository, push: Move) -> None:
    """The log is behind a hole of a tebibyte, which nobody could read."""
    repository.state_dir.mkdir()
    with file_of(repository).open("wb") as file:
        file.truncate(1 << 40)
        file.seek(0, os.SEEK_END)
        file.write(b"\n")
    names = [write(repository, "sync", push) for _ in range(3)]
    assert [one.name for one in islice(operations(repository), 3)] == names[::-1]
    assert begun(repository) == ()


def test_what_was_begun_is_not_searched_for_beyond_what_the_last_operation_knew(
    repository: Repository, push: Move
) -> None:
    Transaction(repository, "sync").begin(push)
    head = {"operation": "x", "schema": 1, "command": "sync", "undoes": "", "at": 1, "open": []}
    with file_of(repository).open("a") as file:
        file.write(json.dumps(head) + "\n" + json.dumps({"operation": "x", "done": True}) + "\n")
    assert begun(repository) == ()
    assert len(list(operations(repository))) == 2


def test_lines_of_any_length_are_read_across_blocks(repository: Repository, push: Move) -> None:
    urls = [f"https://example.org/{'x' * size}" for size in (10, 65_300, 65_536, 300_000, 20)]
    for url in urls:
        write(repository, "sync", replace(push, url=url))
    assert [[move.url for move in one.moves] for one in operations(repository)] == [[url] for url in reversed(urls)]
    assert all(one.ended for one in operations(repository))


def test_no_credential_gets_into_the_log(repository: Repository, push: Move) -> None:
    secret = "https://user:hf_abcdefghijkl@huggingface.co/x"
    write(repository, f"publish {secret}", replace(push, url=secret))
    text = file_of(repository).read_text()
    assert "hf_abc" not in text
    assert "user" not in text


@pytest.mark.parametrize("cut", [1, 20, 90])
def test_a_line_that_was_torn_is_skipped_and_the_next_one_is_not(repository: Repository, push: Move, cut: int) -> None:
    transaction = Transaction(repository, "sync")
    transaction.begin(push)
    transaction.finish(MOVED, push)
    path = file_of(repository)
    path.write_bytes(path.read_bytes()[:-cut])
    (found,) = begun(repository)
    assert found.begun or cut == 1
    resumed = Transaction(repository, "sync", resumes=found)
    resumed.finish(MOVED, push)
    resumed.end(done=True)
    assert [move.outcome for move in only(repository).moves] == [MOVED]
    assert only(repository).ended


@pytest.mark.parametrize(
    "line",
    [b"", b"\xff\xfe", b"[1]", b"{}", b'{"operation": 1, "command": 2}', b'{"operation": "x", "move": 1}', b"x" * 99],
)
def test_a_line_that_nobody_can_read_hides_no_other(repository: Repository, push: Move, line: bytes) -> None:
    names = [write(repository, "sync", push)]
    with file_of(repository).open("ab") as file:
        file.write(line + b"\n")
    names.append(write(repository, "sync", push))
    assert [one.name for one in operations(repository)] == names[::-1]
    assert begun(repository) == ()


def test_a_word_that_nobody_knows_makes_no_move(repository: Repository, push: Move) -> None:
    write(repository, "sync", push)
    path = file_of(repository)
    rows = [json.loads(row) for row in path.read_bytes().splitlines()]
    for row in rows:
        if "move" in row:
            row["move"]["outcome"] = "elsewhere"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert only(repository).moves == ()


def test_an_operation_is_found_by_the_beginning_of_its_name(repository: Repository, push: Move) -> None:
    for name in ("20260101T000000Z-ffff", "20260101T000000Z-0000", "20250101T000000Z-aaaa", "20250101T000000Z-aaaab"):
        write(repository, "sync", push, name=name)
    for typed, name in (("20260101T000000Z-f", "20260101T000000Z-ffff"), ("20250101T000000Z-aaaa",) * 2):
        found = find_operation(repository, typed)
        assert found is not None
        assert found.name == name
    assert find_operation(repository, "2024") is None
    assert find_operation(repository, "") is None
    with pytest.raises(NameRefused, match="2 operations begin with 2026"):
        find_operation(repository, "2026")


def test_an_empty_log_says_nothing_and_is_not_made_by_reading(repository: Repository) -> None:
    assert (list(operations(repository)), begun(repository)) == ([], ())
    assert not repository.state_dir.exists()


def test_what_is_forgotten_is_gone_and_all_else_stays(
    repository: Repository, push: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(repository, ["x"])
    first, second, third = (write(repository, "sync", push) for _ in range(3))
    running = Transaction(repository, "sync")
    running.begin(push)
    durable: list[int] = []
    monkeypatch.setattr(os, "fsync", durable.append)
    forget(repository, [first, third])
    assert len(durable) == 2, "the new file and its name are on the disk"
    assert [one.name for one in operations(repository)] == [running.name, second]
    assert [one.name for one in begun(repository)] == [running.name]


def test_a_log_that_cannot_be_written_lets_nothing_move(clone: Clone, repository: Repository, push: Move) -> None:
    file_of(repository).mkdir(parents=True)
    with pytest.raises(EnvironmentProblem, match=r"Cannot write the log of operations, .*operations\.jsonl: "):
        Transaction(repository, "sync").begin(push)
    assert kept(clone) == {}
    with pytest.raises(EnvironmentProblem, match="Cannot write the log"):
        forget(repository, ["x"])


def test_a_log_is_no_way_to_write_elsewhere(repository: Repository, push: Move, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    repository.state_dir.mkdir()
    file_of(repository).symlink_to(victim)
    with pytest.raises(EnvironmentProblem):
        write(repository, "sync", push)
    assert victim.read_text() == "precious"


def test_a_name_says_its_time() -> None:
    made = [new_operation() for _ in range(5)]
    assert len(set(made)) > 1
    assert all(len(name) == len("20261122T103817Z-a1f9") for name in made)
    assert began("20261122T103817Z-a1f9") == 1_795_343_897
    assert [began(name) for name in ("x", "20261322T103817Z-a1f9", "20261122T103817Z-", "")] == [None] * 4


@pytest.mark.parametrize(
    ("command", "again"),
    [
        ("sync", "openllm-repos sync space"),
        ("release 1.0.0", "openllm-repos release 1.0.0"),
        ("rollback space --to v1;x", "openllm-repos rollback space --to 'v1;x'"),
    ],
)
def test_an_operation_names_the_command_that_goes_on_with_it(push: Move, command: str, again: str) -> None:
    assert Operation("x", command, 0, (push, replace(push, repo="other", outcome=MOVED))).again == again
