"""The journal: what is on disk before a push, and what is left of it afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.repository import Repository
from openllm_repos.journal.operations import HERE, Move, new_operation, operations
from openllm_repos.journal.records import Record, begin, finish, glimpse, keep, sweep, unfinished
from openllm_repos.names.objectid import ObjectId
from tests.support.repositories import Clone


@pytest.fixture
def old(clone: Clone) -> ObjectId:
    return ObjectId(clone.commit("old", {"f": "old\n"}))


@pytest.fixture
def repository(clone: Clone, old: ObjectId) -> Repository:
    assert old
    return Repository.open(clone.path)


@pytest.fixture
def record(clone: Clone, old: ObjectId) -> Record:
    """Return a record of a push from one commit to the next."""
    new = ObjectId(clone.commit("new", {"f": "new\n"}))
    return Record(new_operation(), "space", "https://example.org/space", "refs/heads/main", old, new, new)


def _kept(clone: Clone) -> dict[str, str]:
    return {ref: tip for ref, tip in clone.tips().items() if ref.startswith("refs/openllm/")}


def _files(repository: Repository) -> list[Path]:
    return sorted((repository.state_dir / "journal").iterdir())


def test_what_was_begun_can_be_read_by_the_next_run(repository: Repository, record: Record) -> None:
    begin(repository, record)
    assert list(unfinished(repository)) == [record]
    assert glimpse(repository) == (record,)
    assert (record.update.old, record.update.new) == (record.old, record.new)


def test_old_and_new_are_held_while_the_push_is_under_way(clone: Clone, repository: Repository, record: Record) -> None:
    begin(repository, record)
    assert _kept(clone) == {f"{record.keep_prefix}/old": record.old, f"{record.keep_prefix}/new": record.new}


def test_after_a_push_that_landed_what_it_replaced_is_kept(
    clone: Clone, repository: Repository, record: Record
) -> None:
    begin(repository, record)
    finish(repository, record, landed=True)
    assert _kept(clone) == {f"{record.keep_prefix}/old": record.old}
    assert (_files(repository), list(unfinished(repository))) == ([], [])


def test_after_a_push_that_did_not_land_nothing_is_kept(clone: Clone, repository: Repository, record: Record) -> None:
    begin(repository, record)
    finish(repository, record, landed=False)
    assert (_kept(clone), _files(repository)) == ({}, [])


def test_a_first_push_replaces_nothing(clone: Clone, repository: Repository, record: Record) -> None:
    first = replace(record, old=repository.zero)
    begin(repository, first)
    assert list(_kept(clone)) == [f"{record.keep_prefix}/new"]
    finish(repository, first, landed=True)
    assert _kept(clone) == {}


def test_a_record_can_be_closed_twice(clone: Clone, repository: Repository, record: Record) -> None:
    begin(repository, record)
    finish(repository, record, landed=True)
    finish(repository, record, landed=True)
    assert len(_kept(clone)) == 1


def test_records_come_oldest_first(repository: Repository, record: Record) -> None:
    later = replace(record, operation="99991231T000000Z-0000", target="other")
    earlier = replace(record, operation="20000101T000000Z-ffff")
    for one in (later, record, earlier):
        begin(repository, one)
    assert list(unfinished(repository)) == [earlier, record, later]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda _: b"",
        lambda _: b"[1, 2]",
        lambda _: b"\xff\xfe",
        lambda text: _with(text, old="zzz"),
        lambda text: _with(text, new=5),
        lambda text: _with(text, more="key"),
    ],
    ids=["cut", "empty", "list", "not text", "no id", "number", "unknown key"],
)
def test_a_damaged_record_is_dropped(repository: Repository, record: Record, damage: Callable[[bytes], bytes]) -> None:
    begin(repository, record)
    (file,) = _files(repository)
    file.write_bytes(damage(file.read_bytes()))
    assert glimpse(repository) == ()
    assert _files(repository) == [file], "a glimpse changes nothing"
    assert list(unfinished(repository)) == []
    assert _files(repository) == []


def _with(text: bytes, **fields: Any) -> bytes:
    return json.dumps(json.loads(text) | fields).encode()


def test_refs_and_files_of_runs_that_were_killed_before_their_record_was_complete_are_swept(
    clone: Clone, repository: Repository, record: Record
) -> None:
    done = replace(record, operation="20000101T000000Z-0000")
    begin(repository, done)
    finish(repository, done, landed=True)
    begin(repository, replace(record, target="running"))
    begin(repository, record)
    (file,) = [path for path in _files(repository) if path.name.endswith("-space.json")]
    file.rename(file.with_suffix(".tmp"))
    (file.parent / "torn.tmp").write_bytes(b'{"operation": "2026')
    sweep(repository)
    assert [path.name for path in _files(repository)] == [f"{record.operation}-running.json"]
    assert set(_kept(clone)) == {
        f"{done.keep_prefix}/old",
        f"refs/openllm/keep/{record.operation}/running/old",
        f"refs/openllm/keep/{record.operation}/running/new",
    }


def test_what_was_replaced_is_kept_however_many_operations_follow(
    clone: Clone, repository: Repository, record: Record
) -> None:
    names = [f"2000{number:02}01T000000Z-0000" for number in range(1, 13)]
    for name in names:
        begin(repository, replace(record, operation=name))
        finish(repository, replace(record, operation=name), landed=True)
    assert [ref.split("/")[3] for ref in _kept(clone)] == names


def test_what_a_push_may_have_replaced_is_kept_where_nobody_can_say(
    clone: Clone, repository: Repository, record: Record
) -> None:
    begin(repository, record)
    finish(repository, record, landed=None)
    assert _kept(clone) == {f"{record.keep_prefix}/old": record.old}
    assert _came(repository) == ["unknown"]


@pytest.mark.parametrize(("landed", "came"), [(True, "moved"), (False, "refused")])
def test_the_log_says_what_was_begun_and_what_came_of_it(
    repository: Repository, record: Record, landed: bool, came: str
) -> None:
    begin(repository, record)
    assert _came(repository) == ["begun"]
    finish(repository, record, landed=landed)
    assert _came(repository) == [came]


def test_what_other_means_replace_is_kept_too_as_far_as_the_clone_has_it(
    clone: Clone, repository: Repository, record: Record
) -> None:
    moves = [
        Move(HERE, "", "refs/heads/import", record.old, record.new),
        Move("main", "file:///x", "refs/heads/import", record.new, record.old),
        Move("small", "file:///y", "refs/heads/main", ObjectId("1" * 40), record.new),
        Move("main", "file:///x", "refs/heads/new", repository.zero, record.new),
    ]
    for _ in range(2):
        keep(repository, record.operation, moves)
    prefix = f"refs/openllm/keep/{record.operation}"
    assert _kept(clone) == {
        f"{prefix}/@here/heads/import/old": record.old,
        f"{prefix}/main/heads/import/old": record.new,
    }


def _came(repository: Repository) -> list[str]:
    return [move.came.value for one in operations(repository) for move in one.moves]


def test_a_journal_that_cannot_be_written_stops_before_the_push(repository: Repository, record: Record) -> None:
    repository.state_dir.mkdir()
    (repository.state_dir / "journal").write_text("a file in the place of the folder")
    with pytest.raises(EnvironmentProblem, match=r"Cannot write the journal to .*/journal: ") as refused:
        begin(repository, record)
    assert refused.value.hint.startswith("Nothing was pushed")


def test_a_record_that_cannot_be_removed_is_a_clear_failure(repository: Repository) -> None:
    (repository.state_dir / "journal/x.json").mkdir(parents=True)
    with pytest.raises(EnvironmentProblem, match=r"Cannot remove .*x\.json: "):
        list(unfinished(repository))
