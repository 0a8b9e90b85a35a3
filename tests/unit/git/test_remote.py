"""Remotes: how they are reached, what they have, fetching and pushing."""

from __future__ import annotations

import time

import pytest

from openllm_repos.git import remote
from openllm_repos.git.remote import Endpoint, Unreachable, endpoints, fetch, list_refs, push
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoUrl
from openllm_repos.plan import RefUpdate
from tests.support.repositories import Bare, Clone
from tests.support.server import GitServer

NAME = RepoName("space")
URL = RepoUrl("https://huggingface.co/spaces/lemms/openllm")


def _endpoint(clone: Clone) -> Endpoint:
    return endpoints(Repository.open(clone.path), {NAME: URL})[NAME]


def test_without_a_remote_of_the_persons_the_manifests_url_is_used(clone: Clone) -> None:
    assert _endpoint(clone) == Endpoint(URL, URL, "refs/remotes/space")


def test_a_remote_of_the_person_for_the_same_place_is_used_with_its_name(clone: Clone) -> None:
    mine = "git@hf.co:spaces/lemms/openllm.git"
    clone.git("remote", "add", "hub", mine)
    assert _endpoint(clone) == Endpoint(mine, mine, "refs/remotes/hub", "hub")


def test_a_push_url_of_the_person_is_used_if_it_is_the_same_place(clone: Clone) -> None:
    clone.git("remote", "add", "hub", URL)
    clone.git("config", "remote.hub.pushurl", "ssh://git@huggingface.co/spaces/lemms/openllm")
    assert _endpoint(clone).push_url == "ssh://git@huggingface.co/spaces/lemms/openllm"
    clone.git("config", "remote.hub.pushurl", "https://example.org/elsewhere")
    assert _endpoint(clone).push_url == URL


def test_a_remote_of_that_name_for_another_place_is_left_alone(clone: Clone) -> None:
    clone.git("remote", "add", "space", "https://example.org/elsewhere")
    assert _endpoint(clone) == Endpoint(URL, URL, "refs/openllm/remotes/space")


def test_branches_and_tags_are_listed_as_they_are(clone: Clone, bare: Bare) -> None:
    commit = clone.commit("one", {"f": "1"})
    clone.git("tag", "-a", "-m", "x", "v1")
    for ref in ("main", "v1", "HEAD:refs/heads/a/b", "HEAD:refs/elsewhere/x"):
        clone.git("push", "-q", bare.url, ref)
    tag = clone.git("rev-parse", "v1")
    found = list_refs(Repository.open(clone.path), bare.url, deadline=10)
    assert found == {"refs/heads/a/b": commit, "refs/heads/main": commit, "refs/tags/v1": tag}
    assert list_refs(Repository.open(clone.path), bare.url, ["refs/heads/main"], deadline=10) == {
        "refs/heads/main": commit
    }


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://github.com/nobody/nothing", "Check the network"),
        ("https://huggingface.co/nobody/nothing", "Check the network"),
        ("file:///nowhere/at-all.git", "git ls-remote"),
        ("https://me:secret@huggingface.co/x/y", "Take the password or token out"),
    ],
)
def test_a_remote_that_cannot_be_reached_says_what_to_check(clone: Clone, url: str, hint: str) -> None:
    with pytest.raises(Unreachable) as refused:
        list_refs(Repository.open(clone.path), url, deadline=20)
    assert refused.value.message
    assert "secret" not in refused.value.message
    assert hint in refused.value.hint
    with pytest.raises(Unreachable) as refused:
        fetch(Repository.open(clone.path), url, "refs/heads/main")
    assert hint in refused.value.hint


def test_a_remote_that_does_not_answer_is_given_up(clone: Clone, server: GitServer) -> None:
    server.create("dead")
    server.on("dead", dead=True)
    began = time.monotonic()
    with pytest.raises(Unreachable, match=r"no answer within 0\.3 seconds"):
        list_refs(Repository.open(clone.path), server.url("dead"), deadline=0.3)
    with pytest.raises(Unreachable, match=r"not fetched within 0\.3 seconds"):
        fetch(Repository.open(clone.path), server.url("dead"), "refs/heads/main", deadline=0.3)
    assert time.monotonic() - began < 60


def test_a_fetch_brings_objects_and_writes_no_ref(
    clone: Clone, bare: Bare, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clone.commit("here", {"f": "1"})
    other = Clone.init(tmp_path_factory.mktemp("other") / "clone")
    commit = other.commit("there", {"g": "1"})
    other.git("tag", "v1")
    other.git("push", "-q", bare.url, "main", "v1")
    clone.git("remote", "add", "space", bare.url)
    refs = clone.tips()
    fetch(Repository.open(clone.path), bare.url, "refs/heads/main")
    assert clone.read("g", commit) == b"1"
    assert clone.tips() == refs
    assert not (clone.path / ".git/FETCH_HEAD").exists()


def test_a_push_states_what_it_replaces(clone: Clone, bare: Bare) -> None:
    repository = Repository.open(clone.path)
    one, two, three = (ObjectId(clone.commit(name, {"f": name})) for name in ("one", "two", "three"))
    push(repository, bare.url, [RefUpdate("refs/heads/main", repository.zero, one)])
    assert bare.tips() == {"refs/heads/main": one}
    said = push(repository, bare.url, [RefUpdate("refs/heads/main", two, three)])
    assert bare.tips() == {"refs/heads/main": one}
    assert (said.done, said.refused) == (False, True)
    push(repository, bare.url, [RefUpdate("refs/heads/main", repository.zero, three)])
    assert bare.tips() == {"refs/heads/main": one}
    push(repository, bare.url, [RefUpdate("refs/heads/main", one, three)])
    assert bare.tips() == {"refs/heads/main": three}


def test_several_refs_are_pushed_all_or_none(clone: Clone, bare: Bare) -> None:
    repository = Repository.open(clone.path)
    one, two = (ObjectId(clone.commit(name, {"f": name})) for name in ("one", "two"))
    push(repository, bare.url, [RefUpdate("refs/heads/main", repository.zero, one)])
    tag = RefUpdate("refs/tags/v1", repository.zero, two)
    push(repository, bare.url, [RefUpdate("refs/heads/main", two, two), tag])
    assert bare.tips() == {"refs/heads/main": one}
    push(repository, bare.url, [RefUpdate("refs/heads/main", one, two), tag])
    assert bare.tips() == {"refs/heads/main": two, "refs/tags/v1": two}


def test_a_push_that_never_ends_is_given_up(clone: Clone, server: GitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.create("dead")
    server.on("dead", dead=True)
    monkeypatch.setattr(remote, "TRANSFER_DEADLINE", 0.3)
    repository = Repository.open(clone.path)
    update = RefUpdate("refs/heads/main", repository.zero, ObjectId(clone.commit("one", {"f": "1"})))
    assert "no answer within 0.3 seconds" in push(repository, server.url("dead"), [update]).said


def test_a_push_whose_git_dies_gives_its_last_words(clone: Clone, bare: Bare) -> None:
    hook = clone.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'last words' >&2\nkill -9 $PPID\n")
    hook.chmod(0o755)
    repository = Repository.open(clone.path)
    update = RefUpdate("refs/heads/main", repository.zero, ObjectId(clone.commit("one", {"f": "1"})))
    said = push(repository, bare.url, [update])
    assert "last words" in said.said
    assert not said.done
    assert bare.tips() == {}
