"""Opening clones of every sort, and the questions that are asked of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openllm_repos.errors import EnvironmentProblem, UsageError
from openllm_repos.git import process
from openllm_repos.git.repository import Repository
from tests.support.repositories import Bare, Clone
from tests.support.sealed import SealedHome


def test_a_clone_from_anywhere_inside_it(clone: Clone) -> None:
    clone.commit("c0", {"a/b/c": "1\n"})
    top, below = Repository.open(clone.path), Repository.open(clone.path / "a/b")
    assert top == below
    assert (top.top, top.git_dir, top.common_dir) == (clone.path, clone.path / ".git", clone.path / ".git")
    assert top.objects_dir == clone.path / ".git/objects"
    assert top.state_dir == clone.path / ".git/openllm-repos"
    assert (top.object_format, top.id_length, top.shallow) == ("sha1", 40, False)
    assert top.zero == "0" * 40
    assert top.person().text("rev-parse", "--show-toplevel") == str(clone.path)


def test_a_bare_clone_has_no_work_tree(bare: Bare) -> None:
    opened = Repository.open(bare.path)
    assert (opened.top, opened.git_dir) == (None, bare.path)
    assert opened.person() == opened.git


def test_the_git_folder_itself_has_no_work_tree_to_speak_of(clone: Clone) -> None:
    assert Repository.open(clone.path / ".git").top is None


def test_a_linked_work_tree_shares_objects_and_our_state(clone: Clone, tmp_path: Path) -> None:
    clone.commit("c0")
    clone.git("worktree", "add", "-q", tmp_path / "linked", "-b", "side")
    linked = Repository.open(tmp_path / "linked")
    assert linked.top == tmp_path / "linked"
    assert linked.git_dir == clone.path / ".git/worktrees/linked"
    assert linked.state_dir == Repository.open(clone.path).state_dir
    assert linked.objects_dir == clone.path / ".git/objects"


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    clone = Clone.init(tmp_path / 'a "b":c \u0085 é')
    tip = clone.commit("c0", {"a": "1\n"})
    opened = Repository.open(clone.path)
    assert (opened.top, opened.resolve("HEAD")) == (clone.path, tip)
    with opened.quarantine() as inside:
        assert inside.git.text("cat-file", "-t", tip) == "commit"


def test_sha_256_and_shallow_are_seen(clone: Clone, tmp_path: Path) -> None:
    clone.commit("c0")
    clone.commit("c1")
    assert Repository.open(Clone.init(tmp_path / "long", object_format="sha256").path).zero == "0" * 64
    shallow = Clone.of(clone.url, tmp_path / "shallow", "--depth=1")
    assert Repository.open(shallow.path).shallow


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere: no such folder") as refused:
        Repository.open(tmp_path / "nowhere")
    assert "-C DIR" in refused.value.hint


def test_a_folder_in_no_clone(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not inside a git clone") as refused:
        Repository.open(tmp_path)
    assert "-C DIR" in refused.value.hint


def test_a_clone_that_git_refuses_to_open(clone: Clone) -> None:
    clone.git("config", "core.repositoryFormatVersion", "99")
    with pytest.raises(EnvironmentProblem, match=rf"git does not open the clone at {re.escape(str(clone.path))}: .*99"):
        Repository.open(clone.path)


@pytest.mark.parametrize("revision", ["HEAD", "main", "refs/heads/main", "v1", "main@{0}", "side~0"])
def test_revisions_that_name_a_commit(clone: Clone, revision: str) -> None:
    tip = clone.commit("c0")
    clone.git("tag", "-a", "-m", "one", "v1")
    clone.git("branch", "side")
    assert Repository.open(clone.path).resolve(revision) == tip


@pytest.mark.parametrize("revision", ["nothing", "", "main:a", "--all", "-n1", "main~5", "0" * 40, "a\nb"])
def test_revisions_that_name_none(clone: Clone, revision: str) -> None:
    clone.commit("c0", {"a": "1\n"})
    with pytest.raises(UsageError, match="no such commit in this clone") as refused:
        Repository.open(clone.path).resolve(revision)
    assert "a branch, a tag or a commit id" in refused.value.hint


def test_a_clone_without_any_commit(clone: Clone) -> None:
    with pytest.raises(UsageError, match="HEAD: no such commit"):
        Repository.open(clone.path).resolve("HEAD")


def test_what_is_made_in_quarantine_is_seen_there_only(clone: Clone) -> None:
    tip = clone.commit("c0", {"a": "1\n"})
    opened = Repository.open(clone.path)
    assert not opened.quarantined
    with opened.quarantine() as inside:
        assert inside.quarantined
        made = inside.git.run("hash-object", "-w", "--stdin", stdin=b"new\n").stdout.decode().strip()
        assert inside.git.text("cat-file", "-p", made) == "new"
        assert inside.git.text("cat-file", "-t", tip) == "commit"
        place = inside.objects_dir
    assert not place.exists()
    assert opened.git.run("cat-file", "-e", made, ok=(0, 1)).code == 1


@pytest.mark.parametrize("said", ["git version 2.30.2", "git version 1.9", "git", "git version unknown"])
def test_a_git_that_cannot_merge_without_a_work_tree(clone: Clone, home: SealedHome, said: str) -> None:
    opened = Repository.open(clone.path)
    opened.require_merge()
    old = home.folder / "old/git"
    old.parent.mkdir()
    old.write_text(f"#!/bin/sh\necho '{said}'\n")
    old.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "program", lambda: str(old))
        with pytest.raises(EnvironmentProblem, match=f"^{said} is too old") as refused:
            opened.require_merge()
    assert "2.38" in refused.value.hint
