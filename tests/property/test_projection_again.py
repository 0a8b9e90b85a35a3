"""Same source, same ids: with or without what an earlier run remembered, in one run or in many, come what may."""

from __future__ import annotations

import itertools
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection import cache
from openllm_repos.projection.project import project
from tests.property.projection_histories import History, histories
from tests.support.examples import examples
from tests.support.fingerprint import fingerprint
from tests.support.history import make_history
from tests.support.repositories import Clone

FOLDER = (Map.of("d/", "."),)
SEVERAL = (Map.of("d/*.py", "training/"), Map.of("e/*.py", "training/e/"), Map.of("x", "README"))


@dataclass(frozen=True, slots=True)
class Ground:
    """One clone for all examples of the module; what is remembered in it starts empty for each."""

    clone: Clone
    opened: Repository
    numbers: itertools.count[int]

    def write(self, history: History) -> list[ObjectId]:
        """Write a history, forget everything remembered, and return the commit ids."""
        shutil.rmtree(self.opened.state_dir, ignore_errors=True)
        branch = f"refs/heads/example-{next(self.numbers)}"
        ids = make_history(self.clone, history.specs, refs={branch: len(history.specs) - 1})
        return [ObjectId(commit) for commit in ids]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    clone = Clone.init(tmp_path_factory.mktemp("ground") / "clone")
    return Ground(clone, Repository.open(clone.path), itertools.count())


def _memory(opened: Repository) -> list[Path]:
    return sorted((opened.state_dir / "projections").iterdir())


@examples(30)
@given(history=histories(), maps=st.sampled_from([FOLDER, SEVERAL]), order=st.randoms(use_true_random=False))
def test_commit_by_commit_in_any_order_gives_what_one_run_gives(
    ground: Ground, history: History, maps: tuple[Map, ...], order: random.Random
) -> None:
    """As branches come and go; each answer of the growing memory is the one without any memory."""
    ids = ground.write(history)
    several = order.sample(ids, min(4, len(ids)))
    grown = {commit: project(ground.opened, commit, maps).commit for commit in several}
    again = {commit: project(ground.opened, commit, maps[::-1]).commit for commit in several}
    alone = {commit: project(ground.opened, commit, maps, use_cache=False).commit for commit in several}
    assert grown == again == alone


@examples(25)
@given(history=histories(longest=8), data=st.data())
def test_a_damaged_memory_costs_time_and_never_a_wrong_answer(
    ground: Ground, history: History, data: st.DataObject
) -> None:
    """Cut off, one bit turned, or replaced by the memory of another projection."""
    ids = ground.write(history)
    right = project(ground.opened, ids[-1], FOLDER)
    (file,) = _memory(ground.opened)
    content = bytearray(file.read_bytes())
    harm = data.draw(st.sampled_from(["cut", "bit", "other"]))
    if harm == "cut":
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    elif harm == "bit":
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        content[bit // 8] ^= 1 << bit % 8
    else:
        project(ground.opened, ids[-1], SEVERAL)
        (other,) = (one for one in _memory(ground.opened) if one != file)
        content = bytearray(other.read_bytes())
    file.write_bytes(content)
    assert project(ground.opened, ids[-1], FOLDER) == right  # all of it was written anew
    assert project(ground.opened, ids[-1], FOLDER).written == 0  # the memory was mended


@examples(6)
@given(history=histories(longest=8), more=st.booleans())
def test_projected_commits_that_git_pruned_are_made_again(
    tmp_path_factory: pytest.TempPathFactory, history: History, more: bool
) -> None:
    """Nothing refers to them until a sync does, so `git gc --prune=now` takes them away."""
    clone = Clone.init(tmp_path_factory.mktemp("pruned") / "clone")
    opened = Repository.open(clone.path)
    ids = [ObjectId(commit) for commit in make_history(clone, history.specs)]
    first = project(opened, ids[-2 if more else -1], FOLDER)
    clone.git("gc", "-q", "--prune=now")
    if first.commit:
        assert clone.run("cat-file", "-e", first.commit, ok=(0, 1)).code == 1
    second = project(opened, ids[-1], FOLDER)
    assert second.commit == project(opened, ids[-1], FOLDER, use_cache=False).commit
    if second.commit:
        clone.run("rev-list", "--objects", second.commit)


@pytest.mark.parametrize("content", ["2\n", "1\n"], ids=["a new commit on top", "nothing new in the folder"])
def test_new_commits_never_stand_on_pruned_ones(clone: Clone, content: str) -> None:
    opened = Repository.open(clone.path)
    first = project(opened, ObjectId(clone.commit("c0", {"d/a": "1\n"})), FOLDER).commit
    clone.git("gc", "-q", "--prune=now")
    second = project(opened, ObjectId(clone.commit("c1", {"d/a": content, "x": "1\n"})), FOLDER).commit
    assert clone.git("rev-list", str(second)).splitlines()[-1] == first


def test_only_what_is_new_is_written(clone: Clone) -> None:
    tips = [ObjectId(clone.commit(f"c{at}", {"d/a.py": f"{at}\n", "y": f"{at}\n"})) for at in range(3)]
    opened = Repository.open(clone.path)
    assert [project(opened, tip, FOLDER).written for tip in tips] == [1, 1, 1]
    elsewhere = ObjectId(clone.commit("c3", {"y": "elsewhere\n"}))
    assert project(opened, elsewhere, FOLDER).written == 0
    assert project(opened, elsewhere, FOLDER, use_cache=False).written == 3


def test_more_branches_than_tips_are_remembered(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the walk meets commits again whose images are known."""
    monkeypatch.setattr(cache, "_KEPT_TIPS", 1)
    opened = Repository.open(clone.path)
    clone.commit("c0", {"d/a": "0\n"})
    for branch in ("one", "two"):
        clone.switch(branch, at="main")
        project(opened, ObjectId(clone.commit(branch, {"d/a": f"{branch}\n"})), FOLDER)
    clone.switch("one")
    last = project(opened, ObjectId(clone.commit("on one", {"d/a": "3\n"})), FOLDER)
    assert last.written == 1
    assert clone.log(str(last.commit)) == ["on one", "one", "c0"]


def test_a_branch_that_was_reset_does_not_bring_back_the_undone_commit(clone: Clone) -> None:
    kept = ObjectId(clone.commit("kept", {"d/a": "1\n"}))
    opened = Repository.open(clone.path)
    before = project(opened, kept, FOLDER).commit
    undone = project(opened, ObjectId(clone.commit("undone", {"d/a": "2\n"})), FOLDER).commit
    clone.git("reset", "-q", "--hard", "HEAD~1")
    assert project(opened, kept, FOLDER).commit == before != undone
    instead = project(opened, ObjectId(clone.commit("instead", {"d/a": "3\n"})), FOLDER).commit
    assert clone.log(str(instead)) == ["instead", "kept"]


def test_two_ways_to_write_the_same_maps_share_one_memory(clone: Clone) -> None:
    tip = ObjectId(clone.commit("c0", {"d/a.py": "1\n", "e/a.py": "2\n"}))
    opened = Repository.open(clone.path)
    first = project(opened, tip, [Map.of("d/*.py", "t/"), Map.of("e/", "u")])
    second = project(opened, tip, [Map.of("e/**", "u/"), Map.of("d/*.py", "t/*.py")])
    assert (first.written, second.written) == (1, 0)
    assert first.commit == second.commit
    assert len(_memory(opened)) == 1


def test_a_folder_that_never_was_is_remembered_too(clone: Clone) -> None:
    tip = ObjectId(clone.commit("c0", {"x": "1\n"}))
    opened = Repository.open(clone.path)
    assert [project(opened, tip, FOLDER).commit for _ in range(2)] == [None, None]
    later = ObjectId(clone.commit("c1", {"d/a": "1\n"}))
    assert clone.log(str(project(opened, later, FOLDER).commit)) == ["c1"]


def test_without_the_cache_nothing_is_read_or_remembered(clone: Clone) -> None:
    tip = ObjectId(clone.commit("c0", {"d/a": "1\n"}))
    opened = Repository.open(clone.path)
    project(opened, tip, FOLDER, use_cache=False)
    assert not opened.state_dir.exists()


def test_a_quarantined_run_leaves_the_clone_byte_for_byte_as_it_was(clone: Clone) -> None:
    tip = ObjectId(clone.commit("c0", {"d/a": "1\n"}))
    opened = Repository.open(clone.path)
    project(opened, tip, FOLDER)
    later = ObjectId(clone.commit("c1", {"d/a": "2\n"}))
    before = fingerprint(clone.path)
    with opened.quarantine() as inside:
        answer = project(inside, later, FOLDER)
        assert inside.git.text("log", "--format=%s", str(answer.commit)) == "c1\nc0"
    assert fingerprint(clone.path) == before
    assert clone.run("cat-file", "-e", str(answer.commit), ok=(0, 1)).code == 1


def test_a_memory_that_cannot_be_kept_is_no_failure(clone: Clone) -> None:
    tip = ObjectId(clone.commit("c0", {"d/a": "1\n"}))
    opened = Repository.open(clone.path)
    opened.state_dir.write_text("a file where the folder should be\n")
    assert [project(opened, tip, FOLDER).written for _ in range(2)] == [1, 1]
    opened.state_dir.unlink()
    (opened.state_dir / "projections").mkdir(parents=True)
    project(opened, tip, FOLDER)
    (file,) = _memory(opened)
    file.unlink()
    file.mkdir()  # what was written cannot be put in its place
    assert project(opened, tip, FOLDER).written == 1
    assert _memory(opened) == [file]
