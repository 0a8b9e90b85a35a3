"""Annotated tags as objects, and commits that are had without their history."""

from __future__ import annotations

from pathlib import Path

import pytest

from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Unreachable
from openllm_repos.git.repository import Repository
from openllm_repos.git.scratch import fetch_commit, open_scratch
from openllm_repos.git.single import add_file
from openllm_repos.git.tags import is_signed, message_of, signing_wanted, tag_object, tag_text, write_tag
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from tests.support.repositories import Bare, Clone
from tests.support.server import GitServer

TAGGER = "Ada Lovelace <ada@example.org> 1700000000 +0100"
TAG = TagName("v1.0.0")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_tag_is_the_object_that_git_makes_of_the_same_words(tmp_path: Path, object_format: str) -> None:
    clone = Clone.init(tmp_path / "clone", object_format=object_format)
    commit = ObjectId(clone.commit("one", {"a": "1\n"}))
    person = {"GIT_COMMITTER_NAME": "Ada Lovelace", "GIT_COMMITTER_EMAIL": "ada@example.org"}
    clone.git("tag", "-a", "-m", "Für alle", TAG, env=person | {"GIT_COMMITTER_DATE": "@1700000000 +0100"})
    made = tag_object(tag_text(commit, TAG, TAGGER, "Für alle\n"), object_format)
    assert made.id == clone.tips()[TAG.ref]
    assert message_of(made.text) == "Für alle\n"
    assert write_tag(Repository.open(clone.path), made.text) == made


def test_a_tag_can_be_written_where_its_commit_is_not(clone: Clone) -> None:
    text = tag_text(ObjectId("1" * 40), TAG, TAGGER, "x\n")
    made = write_tag(Repository.open(clone.path), text)
    assert clone.git("cat-file", "tag", made.id) == text.removesuffix("\n")


def test_a_signature_is_seen() -> None:
    assert is_signed("x\n-----BEGIN SSH SIGNATURE-----\n")
    assert is_signed("x\n-----BEGIN PGP SIGNATURE-----\n")
    assert not is_signed("we write -----BEGIN PGP SIGNATURE----- in a line\n")


def test_git_says_whether_tags_are_to_be_signed(clone: Clone) -> None:
    repository = Repository.open(clone.path)
    assert not signing_wanted(repository)
    clone.git("config", "tag.forceSignAnnotated", "yes")
    assert signing_wanted(repository)
    clone.git("config", "tag.forceSignAnnotated", "no")
    assert not signing_wanted(repository)
    clone.git("config", "tag.gpgSign", "true")
    assert signing_wanted(repository)


@pytest.fixture
def model(server: GitServer) -> Bare:
    """Return a model repository with two commits on its server."""
    return server.create("model.git")


def test_one_commit_is_had_without_history_and_files(
    clone: Clone, server: GitServer, model: Bare, tmp_path: Path
) -> None:
    work = Clone.init(tmp_path / "work")
    first = ObjectId(work.commit("one", {"weights.bin": "w" * 1000}))
    second = ObjectId(work.commit("two", {"weights.bin": "v" * 1000}))
    work.push(server.url("model.git"))
    repository = Repository.open(clone.path)
    scratch = open_scratch(repository, tmp_path / "scratch.git")
    assert fetch_commit(scratch, server.url("model.git"), second, "refs/heads/main", deadline=20)
    assert fetch_commit(scratch, server.url("model.git"), second, "refs/heads/main", deadline=20)
    counted = Clone(tmp_path / "scratch.git").git("count-objects", "-v")
    assert "in-pack: 1\n" in counted, "the commit alone"
    with ObjectReader(scratch.git) as reader:
        assert reader.read(f"{second}:weights.bin".encode()).data == b"v" * 1000, "and its files when they are read"
    assert fetch_commit(scratch, server.url("model.git"), first, "refs/heads/main", deadline=20)
    assert list((clone.path / ".git/objects").glob("??/*")) == []
    assert not (clone.path / ".git/shallow").exists()
    assert model.tips()


def test_a_commit_that_is_gone_and_a_server_that_is_gone(
    clone: Clone, server: GitServer, model: Bare, tmp_path: Path
) -> None:
    work = Clone.init(tmp_path / "work")
    work.commit("one", {"a": "1\n"})
    work.push(server.url("model.git"))
    assert model.tips()
    scratch = open_scratch(Repository.open(clone.path), tmp_path / "scratch.git")
    gone = ObjectId("1" * 40)
    assert not fetch_commit(scratch, server.url("model.git"), gone, "refs/heads/main", deadline=20)
    with pytest.raises(Unreachable):
        fetch_commit(scratch, server.url("other.git"), gone, "refs/heads/main", deadline=20)
    with pytest.raises(Unreachable, match="was not fetched within"):
        fetch_commit(scratch, server.url("model.git"), gone, "refs/heads/main", deadline=0.001)


def test_a_scratch_repository_sees_what_a_quarantine_has_made(clone: Clone, tmp_path: Path) -> None:
    start = ObjectId(clone.commit("one", {"a": "1\n"}))
    repository = Repository.open(clone.path)
    with repository.quarantine() as quarantined:
        made, who = add_file(quarantined, start, "manifest/x.toml", b"x\n", "Add\n")
        scratch = open_scratch(quarantined, tmp_path / "scratch.git")
        with ObjectReader(scratch.git) as reader:
            assert reader.read(f"{made}:manifest/x.toml".encode()).data == b"x\n"
            assert reader.find(start.encode()) is not None
    assert who.startswith("Test User <test@example.org> ")
    assert clone.run("cat-file", "-e", made, ok=(0, 1, 128)).code != 0


def test_a_file_is_added_and_taken_away_again(clone: Clone) -> None:
    start = ObjectId(clone.commit("one", {"a": "1\n", "manifest/keep": "k\n"}))
    repository = Repository.open(clone.path)
    added, _ = add_file(repository, start, "manifest/releases/v1.toml", b"x\n", "Add\n")
    removed, _ = add_file(repository, added, "manifest/releases/v1.toml", None, "Remove\n")
    assert clone.paths(added) == ["a", "manifest/keep", "manifest/releases/v1.toml"]
    assert clone.git("rev-parse", f"{removed}^{{tree}}") == clone.git("rev-parse", f"{start}^{{tree}}")
    assert clone.parents(removed) == [added]
    assert clone.git("status", "--porcelain") == ""
