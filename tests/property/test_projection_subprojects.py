"""Histories in which `git subtree` brought another project, against `git subtree split --ignore-joins`."""

from __future__ import annotations

import itertools
import random
import shutil
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.project import project
from tests.support.examples import examples
from tests.support.repositories import Clone

ROOT = (Map.of("d/", "."),)
MOVED = (Map.of("d/", "training/"),)
SOME = (Map.of("d/*.py", "training/"), Map.of("docs/", "docs/"))


@dataclass(frozen=True, slots=True)
class Made:
    """A commit: its id, and the trees at its root and in the folder (None: it has no such folder)."""

    id: str
    tree: str
    folder: str | None = None


@dataclass(slots=True)
class World:
    """A source and another project in one clone, both growing at random; a project's commit has its files at the root.

    Attributes:
        clone: has both.
        opened: the same, for the projection.
        dice: decides.
        project: the other project's commits.
        before: the source's commits from before the project was added.
        source: those that have it.
    """

    clone: Clone
    opened: Repository
    dice: random.Random
    project: list[Made] = field(default_factory=list)
    before: list[Made] = field(default_factory=list)
    source: list[Made] = field(default_factory=list)
    _clock: itertools.count[int] = field(default_factory=lambda: itertools.count(1_700_000_000, 60))

    def _tree(self, *rows: str) -> str:
        return self.clone.git("mktree", data="".join(f"{row}\n" for row in rows).encode())

    def _file(self, name: str) -> str:
        blob = self.clone.git("hash-object", "-w", "--stdin", data=b"%d\n" % self.dice.randrange(4))
        return f"100644 blob {blob}\t{name}"

    def files(self) -> str:
        """Return a tree of the project."""
        return self._tree(
            *[self._file(name) for name in ("a.py", "b.txt") if name == "a.py" or self.dice.random() < 0.7]
        )

    def _commit(self, tree: str, parents: list[Made], message: str) -> str:
        above = [arg for parent in dict.fromkeys(one.id for one in parents) for arg in ("-p", parent)]
        when = f"{next(self._clock)} +0000"
        dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        return self.clone.git("commit-tree", *above, tree, data=message.encode(), env=dates)

    def grow_project(self, *parents: Made, tree: str | None = None) -> Made:
        """Make a commit of the project."""
        tree = tree or self.files()
        self.project.append(Made(self._commit(tree, list(parents), f"project {len(self.project)}\n"), tree))
        return self.project[-1]

    def grow_source(self, *parents: Made, folder: str | None, message: str = "", other: str = "") -> Made:
        """Make a commit of the source."""
        rows = [self._file("x"), f"040000 tree {self._tree(self._file('guide.md'))}\tdocs"]
        rows += [f"040000 tree {folder}\td"] if folder else []
        rows += [f"040000 tree {other}\te"] if other else []
        tree, number = self._tree(*rows), len(self.before) + len(self.source)
        commit = Made(self._commit(tree, list(parents), message or f"source {number}\n"), tree, folder)
        (self.source if folder else self.before).append(commit)
        return commit

    def add(self, mainline: Made, split: Made) -> Made:
        """Do what `git subtree add -P d` does."""
        said = f"git-subtree-dir: d\ngit-subtree-mainline: {mainline.id}\ngit-subtree-split: {split.id}\n"
        message = f"Add 'd/' from commit '{split.id}'\n\n{said}"
        return self.grow_source(mainline, split, folder=split.tree, message=message)

    def rejoin(self, at: Made) -> Made:
        """Do what `git subtree split --rejoin -P d` does."""
        split = str(project(self.opened, ObjectId(at.id), ROOT, use_cache=False).commit)
        said = f"git-subtree-dir: d\ngit-subtree-mainline: {at.id}\ngit-subtree-split: {split}\n"
        message = f"Split 'd/' into commit '{split}'\n\n{said}"
        return self.grow_source(at, Made(split, ""), folder=at.folder, message=message)

    def live(self, steps: int) -> Made:
        """Let both grow, the project added once; return the source's newest commit, which joins all lines."""
        pick = self.dice.choice
        self.grow_project()
        for _ in range(self.dice.randrange(4)):
            self.grow_project(pick(self.project))
        older = self.grow_source(folder=None)
        mainline = self.grow_source(older, folder=None)
        heads = [self.add(mainline, self.project[-1])]
        for _ in range(steps):
            at = self.dice.randrange(len(heads))
            head = heads[at]
            kind = pick(
                ["project", "project", "join", "edit", "edit", "outside", "merge", "merge", "fork", "old", "rejoin"]
            )
            if kind == "project":
                self.grow_project(pick(self.project[-3:]))
            elif kind == "join":
                one, two = pick(self.project), pick(self.project)
                self.grow_project(one, two, tree=pick([one.tree, two.tree, self.files()]))
            elif kind == "edit":
                heads[at] = self.grow_source(head, folder=self.files())
            elif kind == "outside":
                heads[at] = self.grow_source(head, folder=head.folder)
            elif kind == "merge":  # `git subtree merge -P d`
                brought = pick(self.project)
                heads[at] = self.grow_source(head, brought, folder=pick([brought.tree, head.folder]))
            elif kind == "fork":
                heads.append(self.grow_source(pick(self.source), folder=self.files()))
            elif kind == "old":  # a branch from before the add, which nobody has merged yet
                branch = self.grow_source(older, folder=None)
                heads[at] = self.grow_source(head, branch, folder=head.folder)
            else:
                heads[at] = self.rejoin(head)
        return self.grow_source(*heads, folder=pick([head.folder for head in heads]))


@dataclass(frozen=True, slots=True)
class Ground:
    """One clone for all examples of the module."""

    clone: Clone
    opened: Repository

    def world(self, dice: random.Random) -> World:
        """Return an empty world; what is remembered starts empty, too."""
        shutil.rmtree(self.opened.state_dir, ignore_errors=True)
        return World(self.clone, self.opened, dice)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    clone = Clone.init(tmp_path_factory.mktemp("ground") / "clone")
    (clone.path / "d").mkdir()
    return Ground(clone, Repository.open(clone.path))


def _projected(world: World, commit: Made, maps: tuple[Map, ...], *, use_cache: bool = False) -> str | None:
    return project(world.opened, ObjectId(commit.id), maps, use_cache=use_cache).commit


@pytest.mark.usefixtures("git_subtree")
@examples(25)
@given(dice=st.randoms(use_true_random=False), steps=st.integers(0, 14))
def test_the_projects_own_commits_come_along_as_with_git_subtree(
    ground: Ground, dice: random.Random, steps: int
) -> None:
    world = ground.world(dice)
    tip = world.live(steps)
    ours = _projected(world, tip, ROOT)
    assert ours == ground.clone.git("subtree", "split", "-q", "--ignore-joins", "-P", "d", tip.id)
    reached = set(ground.clone.git("rev-list", str(ours)).splitlines())
    assert world.source[0].id not in reached
    assert not reached & {commit.id for commit in (*world.before, *world.source)}


@pytest.mark.slow
@examples(25)
@given(dice=st.randoms(use_true_random=False), steps=st.integers(0, 14), maps=st.sampled_from([ROOT, MOVED, SOME]))
def test_what_was_remembered_before_the_project_came_changes_nothing(
    ground: Ground, dice: random.Random, steps: int, maps: tuple[Map, ...]
) -> None:
    """Commit by commit, in any order, branches of the source and of the project among them."""
    world = ground.world(dice)
    world.live(steps)
    everything = [*world.before, *world.source, *world.project]
    dice.shuffle(everything)
    for commit in everything:
        assert _projected(world, commit, maps, use_cache=True) == _projected(world, commit, maps)


@examples(25)
@given(dice=st.randoms(use_true_random=False), steps=st.integers(0, 14), maps=st.sampled_from([MOVED, SOME]))
def test_a_map_to_another_place_takes_the_projects_commits_there(
    ground: Ground, dice: random.Random, steps: int, maps: tuple[Map, ...]
) -> None:
    """No commit has anything at its top but what the maps write, and the newest has what the source has."""
    world = ground.world(dice)
    tip = world.live(steps)
    head = str(_projected(world, tip, maps))
    trees = ground.clone.git("log", "--format=%T", head).splitlines()
    tops = {row for tree in set(trees) for row in ground.clone.git("ls-tree", "--name-only", tree).splitlines()}
    assert tops <= {"training", "docs"}
    wanted = [row for row in _rows(ground, f"{tip.id}:d") if maps is MOVED or row.endswith(".py")]
    assert _rows(ground, f"{head}:training") == wanted


def _rows(ground: Ground, tree: str) -> list[str]:
    return ground.clone.git("ls-tree", tree).splitlines()
