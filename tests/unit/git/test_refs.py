"""Refs, read and changed with their old values stated."""

from __future__ import annotations

import pytest

from openllm_repos.git.process import GitFailed
from openllm_repos.git.refs import read_ref, read_refs, update_refs
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate
from tests.support.repositories import Clone


@pytest.fixture
def one(clone: Clone) -> ObjectId:
    return ObjectId(clone.commit("one", {"f": "1"}))


@pytest.fixture
def two(clone: Clone, one: ObjectId) -> ObjectId:
    assert one
    return ObjectId(clone.commit("two", {"f": "2"}))


def test_a_ref_is_made_moved_and_removed(clone: Clone, one: ObjectId, two: ObjectId) -> None:
    repository = Repository.open(clone.path)
    ref = "refs/openllm/x/y"
    for old, new in ((repository.zero, one), (one, two), (two, repository.zero)):
        update_refs(repository, [RefUpdate(ref, old, new)], reason="test")
        assert read_ref(repository, ref) == (None if new.is_zero else new)


def test_refs_are_listed_below_a_folder(clone: Clone, one: ObjectId, two: ObjectId) -> None:
    repository = Repository.open(clone.path)
    names = ("refs/openllm/a/x", "refs/openllm/a/y/z", "refs/openllm/b")
    update_refs(repository, [RefUpdate(name, repository.zero, one) for name in names], reason="test")
    assert read_refs(repository, "refs/openllm/a") == dict.fromkeys(names[:2], one)
    assert read_refs(repository, "refs/openllm/none") == {}
    assert read_refs(repository, "refs/heads", "refs/openllm/b") == {"refs/heads/main": two, "refs/openllm/b": one}


def test_one_wrong_old_value_changes_nothing_at_all(clone: Clone, one: ObjectId, two: ObjectId) -> None:
    repository = Repository.open(clone.path)
    updates = [RefUpdate("refs/openllm/new", repository.zero, one), RefUpdate("refs/heads/main", one, one)]
    with pytest.raises(GitFailed):
        update_refs(repository, updates, reason="test")
    assert clone.tips() == {"refs/heads/main": two}


def test_nothing_to_change_starts_no_git(clone: Clone, one: ObjectId) -> None:
    repository = Repository.open(clone.path)
    clone.path.joinpath(".git").rename(clone.path / "gone")
    update_refs(repository, [], reason="test")
    assert one
