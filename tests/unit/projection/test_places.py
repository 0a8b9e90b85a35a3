"""The projection in every sort of clone: bare, linked, partial, shallow, borrowing, of SHA-256, on a full disk."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.objects import MissingObject
from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.project import project
from tests.support.history import Spec, make_history, symlink
from tests.support.process import run_git
from tests.support.repositories import Bare, Clone

FOLDER = (Map.of("d/", "."),)
SEVERAL = (Map.of("d/**/*.py", "training/"), Map.of("x", "README"))
BOTH = pytest.mark.parametrize("maps", [FOLDER, SEVERAL], ids=["folder", "patterns"])


def _project(clone: Path, maps: tuple[Map, ...] = FOLDER, rev: str = "main") -> str:
    opened = Repository.open(clone)
    head = project(opened, opened.resolve(rev), maps).commit
    assert head is not None
    return head


def _history(clone: Clone) -> None:
    clone.commit("c0", {"d/a.py": "1\n", "x": "1\n"})
    clone.commit("c1", {"d/e/b.py": "2\n", "y": "1\n"})
    clone.switch("side", at="HEAD~1")
    clone.commit("c2", {"d/a.py": "3\n"})
    clone.switch("main")
    clone.merge("side", message="c3")


@BOTH
def test_a_bare_clone_and_a_linked_work_tree_give_the_same(clone: Clone, tmp_path: Path, maps: tuple[Map, ...]) -> None:
    _history(clone)
    expected = _project(clone.path, maps)
    run_git("clone", "-q", "--bare", clone.path, tmp_path / "bare", cwd=tmp_path)
    assert _project(tmp_path / "bare", maps) == expected
    clone.git("worktree", "add", "-q", tmp_path / "linked", "side")
    assert _project(tmp_path / "linked", maps) == expected
    (shared,) = {file.parent for file in clone.path.glob(".git/**/*.projection")}
    assert shared == clone.path / ".git/openllm-repos/projections"


def test_from_a_folder_below_the_top(clone: Clone) -> None:
    _history(clone)
    assert _project(clone.path / "d") == _project(clone.path)


@BOTH
def test_objects_in_an_alternate_are_found(clone: Clone, tmp_path: Path, maps: tuple[Map, ...]) -> None:
    _history(clone)
    expected = _project(clone.path, maps)
    borrower = Clone.of(str(clone.path), tmp_path / "borrower", "--shared")
    shutil.rmtree(clone.path / ".git/openllm-repos")
    assert _project(borrower.path, maps) == expected


@BOTH
def test_a_sha_256_repository(tmp_path: Path, maps: tuple[Map, ...]) -> None:
    clone = Clone.init(tmp_path / "clone", object_format="sha256")
    _history(clone)
    head = _project(clone.path, maps)
    assert len(head) == 64
    assert _project(clone.path, maps) == head
    assert clone.log(head) == ["c3", "c2", "c1", "c0"]
    clone.git("rm", "-rq", "d", "x")
    clone.commit("gone")
    assert clone.paths(_project(clone.path, maps)) == []
    clone.fsck()


def test_a_sha_256_repository_has_the_ids_of_git_subtree(git_subtree: None, tmp_path: Path) -> None:
    del git_subtree
    clone = Clone.init(tmp_path / "clone", object_format="sha256")
    _history(clone)
    assert _project(clone.path) == clone.git("subtree", "split", "-q", "-P", "d")


@pytest.fixture
def partial(clone: Clone, tmp_path: Path) -> Clone:
    """Return a partial clone without any blob, whose origin is gone; the folder was a file and a symlink once."""
    origin = Bare.init(tmp_path / "origin.git")
    odd = [Spec([], {"d": "a file\n"}), Spec([0], {"d": symlink(b"x")}), Spec([1], {"d/a.py": "0\n", "x": "0\n"})]
    clone.switch("main", at=make_history(clone, odd)[-1])
    clone.commit("c4", {"d/e/b.py": "2\n"})
    clone.push(origin.url)
    made = Clone.of(origin.url, tmp_path / "partial", "--filter=blob:none", "--no-checkout")
    shutil.rmtree(origin.path)
    return made


@BOTH
def test_a_partial_clone_needs_no_blob_and_no_remote(clone: Clone, partial: Clone, maps: tuple[Map, ...]) -> None:
    types = partial.git("cat-file", "--batch-all-objects", "--batch-check=%(objecttype)", "--unordered").split()
    assert set(types) == {"commit", "tree"}
    assert _project(partial.path, maps) == _project(clone.path, maps)


@BOTH
def test_a_blob_that_is_missing_is_no_concern(clone: Clone, maps: tuple[Map, ...]) -> None:
    _history(clone)
    expected = _project(clone.path, maps)
    shutil.rmtree(clone.path / ".git/openllm-repos")
    for blob in {clone.git("rev-parse", f"main:{path}") for path in ("d/a.py", "d/e/b.py", "x")}:
        (clone.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    assert _project(clone.path, maps) == expected


@pytest.mark.parametrize("what", ["main:d", "main:d/e", "main^{tree}", "main~1:d", "main~1^{tree}", "main~1"])
def test_a_tree_or_commit_that_is_missing_is_named(clone: Clone, what: str) -> None:
    """It is never taken for a folder that went away."""
    _history(clone)
    lost = clone.git("rev-parse", what)
    opened = Repository.open(clone.path)
    tip = opened.resolve("main")
    (clone.path / ".git/objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(EnvironmentProblem, match=lost):
        project(opened, tip, SEVERAL)
    assert not opened.state_dir.exists()


@pytest.mark.parametrize("rev", ["main", "main~1"])
def test_a_missing_tree_above_a_whole_folder_is_named(clone: Clone, rev: str) -> None:
    clone.commit("c0", {"core/src/a": "1\n"})
    clone.commit("c1", {"core/src/a": "2\n"})
    opened = Repository.open(clone.path)
    first = project(opened, opened.resolve("main~1"), [Map.of("core/src/", ".")]).commit
    lost = clone.git("rev-parse", f"{rev}:core")
    (clone.path / ".git/objects" / lost[:2] / lost[2:]).unlink()
    tip = opened.resolve("main")
    if rev == "main":  # from where the memory ends, and from nothing
        with pytest.raises(MissingObject, match=lost):
            project(opened, tip, [Map.of("core/src/", ".")])
    with pytest.raises(MissingObject, match=lost):
        project(opened, tip, [Map.of("core/src/", ".")], use_cache=False)
    assert project(opened, opened.resolve("main~1"), [Map.of("core/src/", ".")]).commit == first


def test_a_missing_tree_is_not_taken_for_a_folder_that_never_was(clone: Clone) -> None:
    clone.commit("c0", {"core/src/a": "1\n"})
    opened = Repository.open(clone.path)
    lost = clone.git("rev-parse", "main:core/src")
    (clone.path / ".git/objects" / lost[:2] / lost[2:]).unlink()
    with pytest.raises(MissingObject, match=lost):
        project(opened, opened.resolve("main"), [Map.of("core/src/", ".")])


def test_a_missing_tree_has_a_next_step() -> None:
    assert "git fsck" in MissingObject(b"1" * 40).hint


def test_a_shallow_clone_is_refused(clone: Clone, tmp_path: Path) -> None:
    _history(clone)
    shallow = Clone.of(clone.url, tmp_path / "shallow", "--depth=1")
    with pytest.raises(EnvironmentProblem, match="shallow: its history is cut off") as refused:
        _project(shallow.path)
    assert "git fetch --unshallow" in refused.value.hint
    shallow.git("fetch", "-q", "--unshallow")
    assert _project(shallow.path) == _project(clone.path)


@pytest.mark.filterwarnings("default")
def test_replace_refs_and_grafts_are_ignored(clone: Clone) -> None:
    """They are one machine's own view of the history; ids would differ from everybody else's."""
    _history(clone)
    expected = _project(clone.path)
    shutil.rmtree(clone.path / ".git/openllm-repos")
    clone.git("replace", clone.tip("main~1"), clone.tip("side"))
    (clone.path / ".git/info").mkdir(exist_ok=True)
    (clone.path / ".git/info/grafts").write_text(clone.tip("main") + "\n")
    assert clone.log("main") == ["c3"]
    assert _project(clone.path) == expected


def test_a_commit_graph_and_packed_objects_change_nothing(clone: Clone) -> None:
    _history(clone)
    expected = _project(clone.path)
    shutil.rmtree(clone.path / ".git/openllm-repos")
    clone.git("repack", "-adq")
    clone.git("commit-graph", "write", "--reachable", "--changed-paths")
    assert _project(clone.path) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("log.showSignature", "true"),
        ("i18n.logOutputEncoding", "UTF-16"),
        ("log.date", "relative"),
        ("core.quotePath", "true"),
        ("pack.packSizeLimit", "1m"),
        ("core.warnAmbiguousRefs", "false"),
        ("rev-list.abbrevCommit", "true"),
        ("log.abbrevCommit", "true"),
        ("core.abbrev", "4"),
        ("color.ui", "always"),
        ("format.pretty", "oneline"),
        ("log.follow", "true"),
    ],
)
def test_a_persons_own_settings_change_nothing(clone: Clone, key: str, value: str) -> None:
    _history(clone)
    expected = _project(clone.path)
    shutil.rmtree(clone.path / ".git/openllm-repos")
    clone.git("config", key, value)
    assert _project(clone.path) == expected


def test_a_branch_that_is_called_like_a_commit_id_is_not_taken_for_it(clone: Clone) -> None:
    _history(clone)
    first, tip = clone.tip("main~1"), clone.tip("main")
    clone.git("update-ref", f"refs/heads/{tip}", first)
    opened = Repository.open(clone.path)
    answer = project(opened, ObjectId(tip), FOLDER)
    assert clone.log(str(answer.commit)) == ["c3", "c2", "c1", "c0"]


@contextlib.contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """Let no file of this process, or of one that it starts, grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("commits", "size"), [(1, 50_000), (6, 300_000)])
def test_a_disk_without_space_is_said_and_leaves_nothing_behind(clone: Clone, commits: int, size: int) -> None:
    """Found when the end of what is small is written out, or in the middle of what is large."""
    message = "".join(f"{os.urandom(20).hex()}\n" for _ in range(5_000))
    for number in range(commits):
        clone.commit(message, {"d/a": f"{number}\n"})
    opened = Repository.open(clone.path)
    tip = opened.resolve("main")
    with _files_up_to(size), pytest.raises(EnvironmentProblem, match="Cannot write objects") as failed:
        project(opened, tip, FOLDER)
    assert "run the same command again" in failed.value.hint
    assert not list((clone.path / ".git/objects/pack").iterdir())
    assert project(opened, tip, FOLDER).written == commits
