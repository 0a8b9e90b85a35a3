"""The projection of a folder against `git subtree split` and the rule written down plainly, on random histories."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.cache import Cache
from openllm_repos.projection.project import project
from tests.property.projection_histories import FOLDER, SHAPES, TRUSTED, Files, History, histories, plain_rule
from tests.support.examples import examples
from tests.support.history import Spec, make_history
from tests.support.repositories import Clone

MAPS = [Map.of(FOLDER + "/", ".")]
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True, slots=True)
class Ground:
    """One clone that all examples of a module are written to, each on a branch of its own."""

    clone: Clone
    opened: Repository
    numbers: itertools.count[int]

    def write(self, history: History) -> list[str]:
        """Write a history and return its commit ids."""
        branch = f"refs/heads/example-{next(self.numbers)}"
        return make_history(self.clone, history.specs, refs={branch: len(history.specs) - 1})


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    clone = Clone.init(tmp_path_factory.mktemp("ground") / "clone")
    (clone.path / FOLDER).mkdir()  # git subtree wants to see the folder, whatever revision it is to split
    return Ground(clone, Repository.open(clone.path), itertools.count())


def _plainly(history: History, ids: list[str], clone: Clone) -> str | None:
    """Return the id of the projection of the last commit by the plain rule; ids are made with hashlib."""
    request = "".join(f"{commit}:{FOLDER}\n" for commit in ids).encode()
    answers = clone.git("cat-file", "--batch-check", data=request).splitlines()
    folders = [answer.split()[0] if answer.split()[1] == "tree" else None for answer in answers]

    def make(position: int, tree: str, above: list[str]) -> str:
        spec = history.specs[position]
        lines = [f"tree {tree}", *(f"parent {one}" for one in above)]
        lines += [f"{role} {spec.author.decode()}" for role in ("author", "committer") if spec.author]
        content = "\n".join([*lines, "", str(spec.message)]).encode()
        return hashlib.sha1(b"commit %d\0" % len(content) + content).hexdigest()  # noqa: S324 - git's own

    return plain_rule(history.parents, folders, EMPTY_TREE, make).get(len(ids) - 1)


def _subtree_images(clone: Clone, commit: str) -> dict[str, str]:
    """Let git subtree split a commit; return what every commit that it looked at became."""
    memory = clone.path / ".git/subtree-cache"
    shutil.rmtree(memory, ignore_errors=True)
    # From git 2.54 on it splits only what has the folder: one more commit on top does.
    blob = clone.git("hash-object", "-w", "--stdin", data=b"on top\n")
    folder = clone.git("mktree", data=f"100644 blob {blob}\ton-top\n".encode())
    tree = clone.git("mktree", data=f"040000 tree {folder}\t{FOLDER}\n".encode())
    top = clone.git("commit-tree", "-p", commit, "-m", "On top", tree)
    clone.run("subtree", "split", "-q", "-P", FOLDER, top)
    (files,) = memory.iterdir()
    return {file.name: file.read_text().strip() for file in files.iterdir() if len(file.name) == len(commit)}


def _our_images(opened: Repository, commit: str) -> dict[str, str]:
    """Project a commit from nothing; return what every commit in its history became."""
    shutil.rmtree(opened.state_dir, ignore_errors=True)
    project(opened, ObjectId(commit), MAPS)
    (file,) = (opened.state_dir / "projections").iterdir()
    memory = Cache(file.parent, file.stem, 20).load(EMPTY_TREE.encode())
    assert memory is not None
    return {source.decode(): memory.graph.ids[image].decode() for source, image in memory.graph.image.items()}


def _projected(ground: Ground, commit: str) -> tuple[str | None, set[str], str]:
    """Project without leaving anything behind; return the head, all commits that it reaches, and its tree."""
    with ground.opened.quarantine() as opened:
        head = project(opened, ObjectId(commit), MAPS, use_cache=False).commit
        if head is None:
            return None, set(), EMPTY_TREE
        listed = opened.git.text("log", "--format=%H %T", head).splitlines()
        return head, {line.split()[0] for line in listed}, listed[0].split()[1]


@pytest.mark.usefixtures("git_subtree")
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@examples(13)
@given(data=st.data())
def test_a_folder_has_the_ids_of_git_subtree(ground: Ground, shape: list[int], data: st.DataObject) -> None:
    """While the folder stays, git subtree's answer for every commit is ours, bit for bit.

    Four histories an example; a last commit without the folder joins them, so that git subtree starts once.
    """
    several = data.draw(
        st.lists(histories(shape=shape, longest=12, skewed=TRUSTED, keeps=True), min_size=4, max_size=4)
    )
    specs: list[Spec] = []
    tips: list[int] = []
    for history in several:
        start = len(specs)
        specs += [replace(spec, parents=[start + parent for parent in spec.parents]) for spec in history.specs]
        tips.append(len(specs) - 1)
    ids = make_history(ground.clone, [*specs, Spec(tips, {"x": "joined"}, whole=True)])
    theirs, ours = _subtree_images(ground.clone, ids[-1]), _our_images(ground.opened, ids[-1])
    assert {commit: ours.get(commit) for commit in ids[:-1]} == {commit: theirs.get(commit) for commit in ids[:-1]}
    assert not set(ours.values()) & set(ids)


@pytest.mark.usefixtures("git_subtree")
def test_clocks_that_ran_backwards_keep_no_merge_that_brings_nothing(ground: Ground) -> None:
    """git subtree keeps one where dates fall for more than six commits: its `git rev-list` does not look further."""
    for way in (6, 7):
        contents = ["0", "0", *(str(step) for step in range(1, way + 1)), str(way)]
        parents = [[], [0], [0], *([at] for at in range(2, way + 1)), [1, way + 1]]
        specs = []
        for position, (content, above) in enumerate(zip(contents, parents, strict=True)):
            who = b"Ada <ada@example.org> %d +0000" % (1_700_000_000 - 60 * position)
            files: Files = {"d/a": content, "x": str(position)}
            specs.append(Spec(above, files, whole=True, author=who, committer=who))
        ids = make_history(ground.clone, specs)
        theirs, ours = _subtree_images(ground.clone, ids[-1]), _our_images(ground.opened, ids[-1])
        assert ours[ids[-1]] == ours[ids[-2]]
        if way == 6:  # beyond that it depends on how far git looks
            assert theirs[ids[-1]] == ours[ids[-1]]


@examples(60)
@given(history=histories(odd=True))
def test_a_folder_that_comes_goes_and_changes_its_nature(ground: Ground, history: History) -> None:
    """Files, symlinks and submodules in its place count as absence, and no source commit is ever reached."""
    ids = ground.write(history)
    ours, reached, tree = _projected(ground, ids[-1])
    assert ours == _plainly(history, ids, ground.clone)
    assert not reached & set(ids)
    last = ground.clone.git("cat-file", "--batch-check", data=f"{ids[-1]}:{FOLDER}\n".encode()).split()
    assert tree == (last[0] if last[1] == "tree" else EMPTY_TREE)
