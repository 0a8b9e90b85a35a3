"""The release that was begun in a clone: read back from the log as it was written, or not there."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import Move, MoveOutcome, begun, operations
from openllm_repos.journal.releases import (
    ReleaseRecord,
    ReleaseRow,
    begin_release,
    end_release,
    read_release,
    release_transaction,
    write_row,
)
from openllm_repos.journal.transaction import Transaction
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from tests.support.repositories import Clone


@pytest.fixture
def record(clone: Clone) -> ReleaseRecord:
    """Return a release of two repos; the tag of the first is made, the source's is not."""
    base, commit = (ObjectId(clone.commit(name, {"a": name})) for name in ("base", "lock"))
    tag = TagName("v1.0.0")
    space = ReleaseRow(RepoName("space"), "target", "file:///x/space.git", tag, base, "object …\n", commit)
    main = ReleaseRow(RepoName("main"), "source", "file:///x/main.git", tag, commit)
    tagger, lock = "A <a@b> 1 +0000", "schema = 1\n"
    return ReleaseRecord(
        "openllm", "1.0.0", tag, tagger, lock, False, "refs/heads/main", base, commit, False, (space, main)
    )


@pytest.fixture
def repository(clone: Clone, record: ReleaseRecord) -> Repository:
    assert record.rows
    return Repository.open(clone.path)


def test_what_was_begun_is_read_back_with_the_tags_that_were_made_since(
    repository: Repository, record: ReleaseRecord
) -> None:
    assert read_release(repository) is None
    with Transaction(repository, "release 1.0.0") as transaction:
        begin_release(transaction, record)
    assert read_release(repository) == record
    changed = replace(record.rows[1], text="object …\n", object=record.base)
    write_row(transaction, changed)
    assert read_release(repository) == record.with_row(changed)
    assert record.source == record.rows[1]


def test_the_lock_is_held_until_it_is_known_to_be_there(
    clone: Clone, repository: Repository, record: ReleaseRecord
) -> None:
    transaction = Transaction(repository, "release 1.0.0")
    begin_release(transaction, record)
    assert {record.base, record.commit} == {at for ref, at in clone.tips().items() if ref.startswith("refs/openllm")}
    (move,) = begun(repository)[0].begun
    assert move.update == record.lock_move.update
    transaction.finish(MoveOutcome.MOVED, record.lock_move)
    assert read_release(repository) == replace(record, locked=True)
    assert [at for ref, at in clone.tips().items() if ref.startswith("refs/openllm")] == [record.base]


def test_a_release_that_was_stopped_goes_on_in_the_same_operation(
    repository: Repository, record: ReleaseRecord
) -> None:
    stopped = Transaction(repository, "release 1.0.0")
    begin_release(stopped, replace(record, locked=True))
    with pytest.raises(ZeroDivisionError), stopped:
        raise ZeroDivisionError
    for _ in range(2):  # nor does it end with a block that did go well, of the run that began it or of the next
        with stopped:
            pass
        assert not next(operations(repository)).ended
        stopped = release_transaction(repository, "1.0.0")
    resumed = release_transaction(repository, "1.0.0")
    assert resumed.name == stopped.name
    begin_release(resumed, replace(record, locked=True))
    resumed.end(done=True)
    (operation,) = operations(repository)
    assert (operation.ended, operation.done, read_release(repository)) == (True, True, None)
    assert release_transaction(repository, "1.0.0").name != stopped.name


def test_of_a_release_that_is_given_up_only_what_was_asked_is_known(
    clone: Clone, repository: Repository, record: ReleaseRecord
) -> None:
    transaction = Transaction(repository, "release 1.0.0")
    begin_release(transaction, record)
    tag = record.rows[0].move(repository.zero)
    transaction.begin(tag, hold=False)
    end_release(repository, landed={(tag.repo, tag.new)})
    (operation,) = operations(repository)
    assert [move.outcome for move in operation.moves] == [MoveOutcome.UNKNOWN, MoveOutcome.MOVED]
    assert (operation.ended, operation.done, read_release(repository)) == (True, False, None)
    assert [at for ref, at in clone.tips().items() if ref.startswith("refs/openllm")] == [record.base]
    end_release(repository)


@pytest.mark.parametrize(
    "damage",
    [{"release": {"tag": "-x"}}, {"release": {"base": 5}}, {"release": {"more": 1}}, {"row": {"repo": "main"}}],
)
def test_what_cannot_be_read_was_never_begun(
    repository: Repository, record: ReleaseRecord, damage: dict[str, object]
) -> None:
    transaction = Transaction(repository, "release 1.0.0")
    begin_release(transaction, record)
    with (repository.state_dir / "operations.jsonl").open("a") as file:
        file.write(json.dumps({"operation": transaction.name, **damage}) + "\n")
    assert read_release(repository) is None


def test_a_sync_that_did_not_end_is_no_release(repository: Repository, record: ReleaseRecord) -> None:
    pushed = Move("space", "file:///x/space.git", "refs/heads/main", record.base, record.commit)
    Transaction(repository, "release 1.0.0").begin(pushed)
    assert read_release(repository) is None
