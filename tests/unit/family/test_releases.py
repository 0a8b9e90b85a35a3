"""How a remote holds a tag, and where locks are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from openllm_repos.family.releases import FoundLock, locked_tags, read_locks
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.tags import RemoteTags, TagState, tag_state
from openllm_repos.git.remote import Endpoint
from openllm_repos.git.repository import Repository
from openllm_repos.lockfile.text import LockUnsound
from openllm_repos.manifest import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from tests.support.repositories import Clone

HERE, THERE, TAG = (ObjectId(digit * 40) for digit in "123")
MAIN = Manifest.load(Path(__file__).parents[3] / "repos.toml").source
ENDPOINT = Endpoint(MAIN.url, MAIN.url, "refs/remotes/origin")
LOCK = f"""\
schema = 1
project = "openllm"
version = "1.0"
tag = "v1"
manifest = "sha256:{"0" * 64}"

[repos.main]
role = "source"
kind = "github"
id = "louischua/openllm"
url = "https://github.com/louischua/openllm"
branch = "main"
tag = "v1"
commit = "{"1" * 40}"
"""


@pytest.mark.parametrize(
    ("remote", "made", "state"),
    [
        (RemoteState(MAIN, ENDPOINT), None, TagState.MISSING),
        (RemoteState(MAIN, ENDPOINT, problem="no answer"), None, TagState.UNKNOWN),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": TAG}, peeled={"v1": HERE}), None, TagState.GOOD),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": TAG}, peeled={"v1": HERE}), TAG, TagState.GOOD),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": TAG}, peeled={"v1": HERE}), THERE, TagState.FOREIGN),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": TAG}, peeled={"v1": THERE}), TAG, TagState.MOVED),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": HERE}), None, TagState.LIGHTWEIGHT),
        (RemoteState(MAIN, ENDPOINT, tags={"v1": THERE}), None, TagState.MOVED),
        (RemoteState(MAIN, ENDPOINT, tags={"v2": HERE}), None, TagState.MISSING),
    ],
)
def test_a_remote_holds_a_tag_in_one_of_six_ways(remote: RemoteState, made: ObjectId | None, state: TagState) -> None:
    assert tag_state(remote, "v1", HERE, made) is state


def test_tags_are_read_from_a_listing_with_what_they_name() -> None:
    listed = RemoteTags.of({"refs/tags/v1": TAG, "refs/tags/v1^{}": HERE, "refs/tags/v2": THERE})
    assert (listed.tags, listed.peeled) == ({"v1": TAG, "v2": THERE}, {"v1": HERE})


def test_locks_are_listed_by_the_names_of_their_files(clone: Clone) -> None:
    files = ("v1.0.0.toml", "release/2.0.toml", "README.md", "-f.toml", "HEAD.toml")
    commit = ObjectId(clone.commit("locks", {f"manifest/releases/{name}": "x\n" for name in files}))
    repository = Repository.open(clone.path)
    assert sorted(locked_tags(repository, commit)) == ["release/2.0", "v1.0.0"]


def test_what_holds_no_lock_has_none(clone: Clone) -> None:
    commit = ObjectId(clone.commit("one", {"manifest/releases/v2/x": "x\n"}))
    clone.git("tag", "-a", "-m", "by hand", "v1")
    clone.git("tag", "-a", "-m", "of a tree", "tree", "HEAD^{tree}")
    tips = {ref.removeprefix("refs/tags/"): ObjectId(at) for ref, at in clone.tips().items()}
    source = RemoteState(MAIN, ENDPOINT, tip=commit, tags=tips | {"light": commit})
    tags = [TagName(name) for name in ("v1", "light", "tree", "v2", "v3")]
    assert read_locks(Repository.open(clone.path), source, tags) == dict.fromkeys(tags)


def test_locks_are_read_from_the_commits_that_added_them_however_they_are_found(clone: Clone) -> None:
    """By a tag, by a tag that was moved on, or by the branch alone; later edits do not count."""
    path = "manifest/releases"
    texts = {name: LOCK.replace("v1", name) for name in ("v1", "v2", "v3")}
    added = {}
    for name, text in texts.items():
        added[name] = ObjectId(clone.commit(f"Release {name}", {f"{path}/{name}.toml": text}))
        clone.git("tag", "-a", "-m", name, name)
    tip = ObjectId(clone.commit("Later", {f"{path}/v2.toml": "edited", f"{path}/v4.toml": "[[", "other": "x"}))
    clone.git("tag", "-f", "-a", "-m", "moved on", "v2")
    tags = {ref.removeprefix("refs/tags/"): ObjectId(at) for ref, at in clone.tips().items() if "tags" in ref}
    tags.pop("v3")
    source = RemoteState(MAIN, ENDPOINT, tip=tip, tags=tags)
    found = read_locks(Repository.open(clone.path), source, [TagName(name) for name in (*texts, "v4")])
    assert isinstance(found.pop(TagName("v4")), LockUnsound)
    locks = {name: (one.commit, one.text) for name, one in found.items() if isinstance(one, FoundLock)}
    assert locks == {name: (added[name], text) for name, text in texts.items()}
