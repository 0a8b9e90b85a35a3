"""Questions about ancestry, and single commits."""

from __future__ import annotations

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.history import (
    commits,
    commits_touching,
    count,
    files_below,
    is_ancestor,
    merge_base,
    write_commit,
)
from openllm_repos.git.process import GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.path import FolderPath
from tests.support.history import Spec, make_history
from tests.support.repositories import Clone


@pytest.fixture
def ids(clone: Clone) -> list[ObjectId]:
    """Return a root, two arms, their merge, and another root."""
    specs = [
        Spec(changes={"a/x": "1", "b": "1"}),
        Spec(parents=(0,), changes={"a/x": "2"}, message="left\n\nTold: yes\n"),
        Spec(parents=(0,), changes={"b": "2"}),
        Spec(parents=(1, 2), changes={"b": "2"}),
        Spec(changes={"c": "1"}),
    ]
    refs = {"refs/heads/main": 3, "refs/heads/other": 4}
    return [ObjectId(made) for made in make_history(clone, specs, refs=refs)]


def test_ancestry(clone: Clone, ids: list[ObjectId]) -> None:
    repository = Repository.open(clone.path)
    root, left, right, merged, other = ids
    assert is_ancestor(repository, root, merged)
    assert is_ancestor(repository, left, left)
    assert not is_ancestor(repository, merged, root)
    assert not is_ancestor(repository, other, merged)
    assert merge_base(repository, left, right) == root
    assert merge_base(repository, merged, other) is None
    with pytest.raises(GitFailed):
        is_ancestor(repository, ObjectId("1" * 40), merged)


def test_counts_and_lists_leave_out_what_is_known(clone: Clone, ids: list[ObjectId]) -> None:
    repository = Repository.open(clone.path)
    root, left, right, merged, _ = ids
    assert count(repository, merged, without=[]) == 4
    assert count(repository, merged, without=[left]) == 2
    assert set(commits(repository, merged, without=[left])) == {merged, right}
    assert list(commits(repository, root, without=[merged])) == []


def test_commits_that_touch_a_path(clone: Clone, ids: list[ObjectId]) -> None:
    repository = Repository.open(clone.path)
    root, left, right, merged, _ = ids

    def touching(*paths: bytes, without: tuple[ObjectId, ...] = (), saying: str = "^nothing$") -> list[ObjectId]:
        return list(commits_touching(repository, merged, paths, without=without, not_saying=saying))

    assert touching(b"a/x") == [left, root]
    assert touching(b"b", without=(root,)) == [right]
    assert touching(b"a/x", saying="^Told: yes$") == [root]
    assert touching(b"a/*") == [], "a path is no pattern"
    assert touching() == []
    assert touching(b"line\nend") == []


def test_files_of_a_folder(clone: Clone, ids: list[ObjectId]) -> None:
    repository = Repository.open(clone.path)
    assert list(files_below(repository, ids[3], FolderPath("a"))) == [b"a/x"]
    assert list(files_below(repository, ids[3], FolderPath("."))) == [b"a/x", b"b"]
    assert list(files_below(repository, ids[3], FolderPath("nowhere"))) == []


def test_a_commit_is_the_persons_own(clone: Clone, ids: list[ObjectId]) -> None:
    repository = Repository.open(clone.path)
    refs = clone.tips()
    tree = clone.git("rev-parse", f"{ids[3]}^{{tree}}")
    made = write_commit(repository, tree, [ids[1], ids[4]], "Subject\n\nKey: value\n")
    assert clone.parents(made) == [ids[1], ids[4]]
    assert clone.log(made, "-1", form="%an|%ce|%s") == ["Test User|test@example.org|Subject"]
    assert clone.trailers(made) == {"Key": "value"}
    assert clone.tips() == refs


def test_a_commit_needs_to_know_the_person(clone: Clone, ids: list[ObjectId], monkeypatch: pytest.MonkeyPatch) -> None:
    clone.git("config", "user.useConfigOnly", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(EnvironmentProblem, match="git does not know who you are"):
        write_commit(Repository.open(clone.path), clone.git("rev-parse", f"{ids[0]}^{{tree}}"), [], "x")


def test_a_commit_that_fails_for_another_reason_says_that(clone: Clone, ids: list[ObjectId]) -> None:
    assert ids
    with pytest.raises(GitFailed, match="commit-tree"):
        write_commit(Repository.open(clone.path), "1" * 40, [], "x")
