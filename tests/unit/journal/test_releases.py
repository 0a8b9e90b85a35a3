"""The release that was begun in a clone, on disk: read back as it was written, or not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.repository import Repository
from openllm_repos.journal.releases import (
    ReleaseRecord,
    ReleaseRow,
    RowState,
    begin_release,
    begun_updates,
    end_release,
    read_release,
    write_release,
)
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.plan import RefUpdate
from tests.support.repositories import Clone


@pytest.fixture
def repository(clone: Clone) -> Repository:
    """Return a clone with one commit."""
    clone.commit("one", {"a": "1\n"})
    return Repository.open(clone.path)


@pytest.fixture
def record(clone: Clone, repository: Repository) -> ReleaseRecord:
    """Return a release of two repos; the tag of the first is made, the source's is not."""
    assert repository.top == clone.path
    commit = ObjectId(clone.tip())
    tag = TagName("v1.0.0")
    space = ReleaseRow(RepoName("space"), "target", "file:///x/space.git", tag, commit, "object …\n", commit)
    main = ReleaseRow(RepoName("main"), "source", "file:///x/main.git", tag, commit)
    return ReleaseRecord(
        "openllm",
        "1.0.0",
        tag,
        "A <a@b> 1 +0000",
        "schema = 1\n",
        False,
        "refs/heads/main",
        commit,
        commit,
        False,
        (space, main),
    )


def test_what_was_begun_is_read_back(repository: Repository, record: ReleaseRecord, clone: Clone) -> None:
    assert read_release(repository) is None
    begin_release(repository, record)
    assert read_release(repository) == record
    assert clone.tips()["refs/openllm/release/v1.0.0"] == record.commit
    later = record.with_row(replace(record.rows[0], state=RowState.VERIFIED))
    write_release(repository, later)
    assert read_release(repository) == later
    assert (later.rows[0].state, later.rows[1], later.source) == (RowState.VERIFIED, record.rows[1], record.rows[1])
    begin_release(repository, later)
    assert list(clone.tips()) == ["refs/heads/main", "refs/openllm/release/v1.0.0"]


def test_every_ref_that_it_moves_is_told(repository: Repository, record: ReleaseRecord) -> None:
    assert begun_updates(repository) == ()
    begin_release(repository, record)
    commit, zero = record.commit, repository.zero
    assert begun_updates(repository) == (
        ("file:///x/main.git", RefUpdate("refs/heads/main", commit, commit)),
        ("file:///x/space.git", RefUpdate("refs/tags/v1.0.0", zero, commit)),
    )
    write_release(repository, replace(record, in_tag=True))
    assert begun_updates(repository) == (("file:///x/space.git", RefUpdate("refs/tags/v1.0.0", zero, commit)),)


def test_what_has_ended_leaves_nothing(repository: Repository, record: ReleaseRecord, clone: Clone) -> None:
    begin_release(repository, record)
    end_release(repository)
    assert read_release(repository) is None
    assert list(clone.tips()) == ["refs/heads/main"]
    end_release(repository)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"rows": []}', '{"rows": [{}]}', '{"rows": 1}', "null"])
def test_a_damaged_record_was_never_begun(repository: Repository, text: str) -> None:
    repository.state_dir.mkdir()
    (repository.state_dir / "release.json").write_text(text)
    assert read_release(repository) is None


def test_a_clone_that_cannot_be_written_is_told(repository: Repository, record: ReleaseRecord, tmp_path: Path) -> None:
    (repository.state_dir / "release.json").mkdir(parents=True)
    (repository.state_dir / "release.json" / "x").touch()
    with pytest.raises(EnvironmentProblem, match="Cannot write the journal to"):
        begin_release(repository, record)
    with pytest.raises(EnvironmentProblem, match=r"Cannot remove .*release\.json"):
        end_release(repository)
    assert tmp_path.exists()
