"""How a remote holds a tag, and where locks are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from openllm_repos.family.releases import TagState, lock_in_commit, lock_of_tag, locked_tags, tag_state
from openllm_repos.family.remotes import RemoteState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Endpoint
from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Manifest
from openllm_repos.names.objectid import ObjectId
from tests.support.repositories import Clone

HERE, THERE, TAG = (ObjectId(digit * 40) for digit in "123")
MAIN = Manifest.load(Path(__file__).parents[3] / "repos.toml").source
ENDPOINT = Endpoint(MAIN.url, MAIN.url, "refs/remotes/origin")


@pytest.mark.parametrize(
    ("remote", "state"),
    [
        (RemoteState(MAIN, ENDPOINT), TagState.ABSENT),
        (RemoteState(MAIN, ENDPOINT, problem="no answer"), TagState.UNKNOWN),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": TAG}, peeled={"v1": HERE}), TagState.AS_PLANNED),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": TAG}, peeled={"v1": THERE}), TagState.ELSEWHERE),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": HERE}), TagState.LIGHTWEIGHT),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": THERE}), TagState.ELSEWHERE),
        (RemoteState(MAIN, ENDPOINT, tags={"v2": HERE}), TagState.ABSENT),
    ],
)
def test_a_tag_is_in_one_of_five_states(remote: RemoteState, state: TagState) -> None:
    assert tag_state(remote, "v1", HERE) is state


def test_locks_are_listed_by_the_names_of_their_files(clone: Clone) -> None:
    files = ("v1.0.0.toml", "release/2.0.toml", "README.md", "-f.toml", "HEAD.toml")
    commit = ObjectId(clone.commit("locks", {f"manifest/releases/{name}": "x\n" for name in files}))
    repository = Repository.open(clone.path)
    assert sorted(locked_tags(repository, commit)) == ["release/2.0", "v1.0.0"]


def test_what_holds_no_lock_has_none(clone: Clone) -> None:
    commit = ObjectId(clone.commit("one", {"manifest/releases/v2/x": "x\n"}))
    clone.git("tag", "-a", "-m", "by hand", "v1")
    clone.git("tag", "-a", "-m", "of a tree", "tree", "HEAD^{tree}")
    tips = clone.tips()
    repository = Repository.open(clone.path)
    with ObjectReader(repository.git) as reader:
        assert lock_in_commit(reader, commit, "v1") is None
        assert lock_of_tag(repository, reader, "v1", ObjectId(tips["refs/tags/v1"])) is None
        assert lock_of_tag(repository, reader, "v1", commit) is None
        assert lock_of_tag(repository, reader, "tree", ObjectId(tips["refs/tags/tree"])) is None
