"""Histories that tools disagree about, one scenario each; held against `git subtree split` where it answers."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openllm_repos.git import progress
from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.project import project
from tests.support.history import Entry, Spec, executable, gitlink, make_history, symlink
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def _ours(clone: Clone, commit: str) -> str:
    head = project(Repository.open(clone.path), ObjectId(commit), [Map.of("d/", ".")]).commit
    assert head is not None
    return head


def _theirs(clone: Clone, commit: str, *options: str) -> str:
    (clone.path / "d").mkdir(exist_ok=True)
    return clone.git("subtree", "split", "-q", *options, "-P", "d", commit)


def _subjects(clone: Clone, head: str) -> list[str]:
    return clone.git("log", "--reverse", "--topo-order", "--format=%s", head).splitlines()


Tree = dict[str | bytes, str | bytes | Entry | None]


def _steps(*trees: Tree) -> list[Spec]:
    """Return a history in one line whose commits have these trees."""
    return [Spec([at - 1] if at else [], tree, f"c{at}\n", whole=True) for at, tree in enumerate(trees)]


A: Tree = {"d/a": "1\n"}
B: Tree = {"d/a": "2\n"}
OUT: Tree = {"x": "private\n"}

# Histories for which git subtree's answer is right: the specs, and the subjects that are left, oldest first.
EQUAL: dict[str, tuple[Sequence[Spec], list[str]]] = {
    "commits that change nothing in the folder disappear": (
        _steps(OUT, A, A, A | OUT, B | OUT, B),
        ["c1", "c4"],
    ),
    "a commit that changes nothing at all disappears": (_steps(A, A, B), ["c0", "c2"]),
    "a changed mode is a change": (_steps(A, {"d/a": executable(b"1\n")}, A), ["c0", "c1", "c2"]),
    "a symlink is carried as it is": (_steps(A, {"d/a": symlink(b"../x")}), ["c0", "c1"]),
    "a submodule inside the folder is carried as it is": (_steps(A, A | {"d/m": gitlink("1" * 40)}), ["c0", "c1"]),
    "a submodule that becomes the folder": (_steps({"d": gitlink("1" * 40)}, A), ["c1"]),
    "a file moves in and out across the border": (
        _steps(OUT | A, A | {"d/x": "private\n"}, OUT | A),
        ["c0", "c1", "c2"],
    ),
    "content that comes back is a change each time": (_steps(A, B, A), ["c0", "c1", "c2"]),
    "a merge whose sides did not touch the folder disappears": (
        [Spec([], A, "c0\n"), Spec([0], OUT, "c1\n"), Spec([0], {"y": "1\n"}, "c2\n"), Spec([1, 2], B, "c3\n")],
        ["c0", "c3"],
    ),
    "a merge stays when both sides carry something": (
        [
            Spec([], A, "c0\n"),
            Spec([0], {"d/b": "1\n"}, "c1\n"),
            Spec([0], {"d/c": "1\n"}, "c2\n"),
            Spec([1, 2], {"d/c": "1\n"}, "c3\n"),
        ],
        ["c0", "c1", "c2", "c3"],
    ),
    "a merge that throws one side's work away stays": (
        [Spec([], A, "c0\n"), Spec([0], B, "c1\n"), Spec([0], {"d/c": "1\n"}, "c2\n"), Spec([1, 2], {}, "c3\n")],
        ["c0", "c1", "c2", "c3"],
    ),
    "two sides that came to the same content apart from each other": (
        [Spec([], A, "c0\n"), Spec([0], B, "c1\n"), Spec([0], B | OUT, "c2\n"), Spec([1, 2], {}, "c3\n")],
        ["c0", "c1", "c2", "c3"],
    ),
    "one side is the other's past: the newer one stands": (
        [Spec([], A, "c0\n"), Spec([0], B, "c1\n"), Spec([1], A, "c2\n"), Spec([0, 2], A, "c3\n")],
        ["c0", "c1", "c2"],
    ),
    "an evil merge keeps what only it changed": (
        [
            Spec([], A, "c0\n"),
            Spec([0], {"d/b": "1\n"}, "c1\n"),
            Spec([0], {"d/c": "1\n"}, "c2\n"),
            Spec([1, 2], {"d/c": "1\n", "d/evil": "1\n"}, "c3\n"),
        ],
        ["c0", "c1", "c2", "c3"],
    ),
    "an octopus": (
        [
            Spec([], A, "c0\n"),
            *(Spec([0], {f"d/{at}": "1\n"}, f"c{at}\n") for at in (1, 2, 3)),
            Spec([1, 2, 3], {"d/2": "1\n", "d/3": "1\n"}, "c4\n"),
        ],
        ["c0", "c1", "c2", "c3", "c4"],
    ),
    # the side whose content stayed speaks twice, and last: git subtree looks at the last of the others only
    "an octopus with one side twice": (
        [
            Spec([], A, "c0\n"),
            Spec([0], B, "c1\n"),
            Spec([0], {"d/a": "3\n"}, "c2\n"),
            Spec([0], OUT, "c3\n"),
            Spec([0], {"y": "1\n"}, "c4\n"),
            Spec([3, 1, 2, 4], B, "c5\n"),
        ],
        ["c0", "c1"],
    ),
    "an octopus of two strangers and their merge": (
        [
            Spec([], A, "c0\n"),
            Spec([], A, "c1\n"),
            Spec([0, 1], {}, "c2\n"),
            Spec([0, 1, 2], {}, "c3\n"),
            Spec([2, 0, 1], {}, "c4\n"),
            Spec([3, 4], B, "c5\n"),
        ],
        ["c0", "c1", "c2", "c3", "c5"],
    ),
    "a criss-cross": (
        [
            Spec([], A, "c0\n"),
            Spec([0], {"d/1": "1\n"}, "c1\n"),
            Spec([0], {"d/2": "1\n"}, "c2\n"),
            Spec([1, 2], {"d/2": "1\n"}, "c3\n"),
            Spec([2, 1], {"d/1": "1\n"}, "c4\n"),
            Spec([3, 4], {"d/3": "1\n"}, "c5\n"),
        ],
        ["c0", "c1", "c2", "c3", "c4", "c5"],
    ),
    "several roots, one without the folder": (
        [Spec([], OUT, "c0\n"), Spec([], A, "c1\n"), Spec([], {"d/b": "1\n"}, "c2\n"), Spec([0, 1, 2], A, "c3\n")],
        ["c1", "c2", "c3"],
    ),
    "a child that is older than its parent": (
        [
            Spec([], A, "c0\n", committer=b"T <t@example.org> 1700009000 +0000"),
            Spec([0], B, "c1\n", committer=b"T <t@example.org> 1600000000 +0000"),
            Spec([0], {"d/b": "1\n"}, "c2\n", committer=b"T <t@example.org> 1500000000 +0000"),
            Spec([1, 2], {"d/b": "1\n"}, "c3\n", committer=b"T <t@example.org> 1400000000 +0000"),
        ],
        ["c0", "c1", "c2", "c3"],
    ),
}


@pytest.mark.usefixtures("git_subtree")
@pytest.mark.parametrize(("specs", "left"), EQUAL.values(), ids=EQUAL.keys())
def test_as_git_subtree(clone: Clone, specs: Sequence[Spec], left: list[str]) -> None:
    tip = make_history(clone, specs)[-1]
    ours = _ours(clone, tip)
    assert ours == _theirs(clone, tip)
    assert sorted(_subjects(clone, ours)) == left


def test_a_folder_that_went_and_came_back_brings_no_private_history(clone: Clone) -> None:
    """With git subtree the unsplit commit that removed the folder, and all before it, are below the new one."""
    private: Tree = {"q/secret": "1\n"}
    ids = make_history(clone, _steps(A | private, private, private, B | private))
    ours = _ours(clone, ids[-1])
    assert _subjects(clone, ours) == ["c0", "c1", "c3"]
    assert [clone.paths(rev) for rev in (ours, f"{ours}~1", f"{ours}~2")] == [["a"], [], ["a"]]
    assert not set(clone.git("rev-list", ours).splitlines()) & set(ids)


def test_a_folder_that_went_for_good_leaves_an_empty_tree(clone: Clone) -> None:
    """So that the deletion reaches the target."""
    ids = make_history(clone, _steps(A, OUT, OUT))
    ours = _ours(clone, ids[-1])
    assert _subjects(clone, ours) == ["c0", "c1"]
    assert clone.git("rev-parse", f"{ours}^{{tree}}") == EMPTY_TREE
    # git itself knows this tree without having it; others that read the repository do not
    assert f"{EMPTY_TREE} tree 0" in clone.git("cat-file", "--batch-all-objects", "--batch-check").splitlines()
    clone.fsck()


@pytest.mark.parametrize(
    "thing", ["a file\n", symlink(b"elsewhere"), gitlink("1" * 40)], ids=["file", "link", "submodule"]
)
def test_something_else_in_the_folders_place_is_an_absence(clone: Clone, thing: str | Entry) -> None:
    """With git subtree the first two end in failure, and the third leaks."""
    ids = make_history(clone, _steps({"d": thing}, A, {"d": thing}, B))
    ours = _ours(clone, ids[-1])
    assert _subjects(clone, ours) == ["c1", "c2", "c3"]
    assert [clone.paths(rev) for rev in (ours, f"{ours}~1", f"{ours}~2")] == [["a"], [], ["a"]]


def test_a_history_that_never_had_the_folder_has_no_projection(clone: Clone) -> None:
    tip = make_history(clone, _steps(OUT, OUT, {"d": "a file\n"}, {"dd/a": "1\n"}))[-1]
    answer = project(Repository.open(clone.path), ObjectId(tip), [Map.of("d/", ".")])
    assert (answer.source, answer.commit, answer.written) == (tip, None, 0)


@pytest.mark.usefixtures("git_subtree")
def test_joins_in_the_history_do_not_matter(clone: Clone) -> None:
    """The answer is the one of --ignore-joins: a merge that git subtree left as a mark is a commit like any other."""
    for number in range(3):
        clone.commit(f"c{number}", {"d/a": f"{number}\n", "x": f"{number}\n"})
    clone.git("subtree", "split", "-q", "--rejoin", "-P", "d")
    tip = clone.commit("c4", {"d/a": "4\n"})
    assert _ours(clone, tip) == _theirs(clone, tip, "--ignore-joins")


def _added(mainline: int, split: int, folder: Tree, *, said: str = "Add 'd/' from commit '{}'") -> Spec:
    """Return the merge that `git subtree add -P d` makes; nobody looks whether the ids are right."""
    trailers = f"git-subtree-dir: d\ngit-subtree-mainline: {'1' * 40}\ngit-subtree-split: {'2' * 40}\n"
    return Spec([mainline, split], folder, f"{said.format('2' * 40)}\n\n{trailers}")


PROJECT = [Spec([], {"a": "1\n"}, "project 1\n"), Spec([0], {"a": "2\n"}, "project 2\n")]


@pytest.mark.usefixtures("git_subtree")
def test_a_project_that_git_subtree_added_keeps_its_own_commits(clone: Clone) -> None:
    """The one that was added, what it had before, and what `git subtree merge` brought later; the joins are gone."""
    clone.commit("private", {"x": "private\n"})
    other = Clone.init(clone.path.parent / "other")
    own = [other.commit(f"project {number}", {"a": f"{number}\n"}) for number in range(2)]
    clone.git("subtree", "add", "-q", "-P", "d", other.url, "main")
    clone.commit("ours", {"d/b": "1\n", "x": "2\n"})
    own.append(other.commit("project 2", {"a": "2\n"}))
    clone.git("reset", "-q", "--hard")
    clone.git("subtree", "pull", "-q", "-P", "d", "-m", "Joined", other.url, "main")
    tip = clone.commit("ours too", {"d/b": "2\n"})
    ours = _ours(clone, tip)
    assert ours == _theirs(clone, tip, "--ignore-joins")
    assert sorted(_subjects(clone, ours)) == ["Joined", "ours", "ours too", "project 0", "project 1", "project 2"]
    assert set(own) <= set(clone.git("rev-list", ours).splitlines())


def test_a_project_that_moves_to_another_place_comes_with_its_history(clone: Clone) -> None:
    specs = [*PROJECT, Spec([], OUT, "private\n"), _added(2, 1, {"d/a": "2\n"})]
    tip = make_history(clone, specs)[-1]
    head = project(Repository.open(clone.path), ObjectId(tip), [Map.of("d/", "training/")]).commit
    assert _subjects(clone, str(head)) == ["project 1", "project 2"]
    assert [clone.paths(rev) for rev in (f"{head}", f"{head}~1")] == [["training/a"], ["training/a"]]


# What git subtree takes for commits of the project, the source's own among them: the specs after the project's two.
NOT_THE_PROJECTS: dict[str, tuple[Sequence[Spec], list[str]]] = {
    "a branch that left the source right before the add": (
        [
            Spec([], OUT, "private 1\n"),
            _added(2, 1, {"d/a": "2\n"}),
            Spec([2], {"y": "private\n"}, "private 2\n"),
            Spec([3, 4], {"y": "private\n"}, "joined\n"),
        ],
        ["project 1", "project 2"],
    ),
    "the same project in another folder first": (
        [
            Spec([], OUT, "private 1\n"),
            Spec([2, 1], {"e/a": "2\n"}, "elsewhere\n"),
            Spec([2], {"y": "private\n"}, "private 2\n"),
            _added(4, 1, {"d/a": "2\n"}),
            Spec([5, 3], {"e/a": "2\n"}, "joined\n"),
        ],
        ["project 1", "project 2"],
    ),
    "a commit of the source that was added to a folder of itself": (
        [Spec([], OUT, "private 1\n"), Spec([2], {"y": "1\n"}, "private 2\n"), _added(3, 2, {"d/x": "private\n"})],
        ["Add 'd/' from commit '2222222222222222222222222222222222222222'"],
    ),
    "a join with words of its own": (
        [Spec([], OUT, "private 1\n"), _added(2, 1, {"d/a": "2\n"}, said="Vendored")],
        ["Vendored"],
    ),
}


@pytest.mark.parametrize(("specs", "left"), NOT_THE_PROJECTS.values(), ids=NOT_THE_PROJECTS.keys())
def test_no_commit_of_the_source_comes_along_for_one_of_the_project(
    clone: Clone, specs: Sequence[Spec], left: list[str]
) -> None:
    ids = make_history(clone, [*PROJECT, *specs])
    ours = _ours(clone, ids[-1])
    assert _subjects(clone, ours) == left
    assert not set(clone.git("rev-list", ours).splitlines()) & set(ids[2:])


def test_a_folder_with_a_tree_object_that_lists_nothing(clone: Clone) -> None:
    """An empty folder, which git itself never writes, is a folder all the same."""
    tree = clone.git("mktree", "--missing", data=f"040000 tree {EMPTY_TREE}\td\n".encode())
    clone.git("hash-object", "-t", "tree", "-w", "--stdin")
    commit = clone.git("commit-tree", "-m", "c0", tree)
    assert clone.git("rev-parse", f"{_ours(clone, commit)}^{{tree}}") == EMPTY_TREE


@pytest.mark.slow
def test_a_line_of_200_000_commits(clone: Clone) -> None:
    """Nothing recurses, nothing is quadratic; every tenth commit touches the folder."""
    count = 200_000
    stream = [b"feature done\nblob\nmark :1\ndata 2\n1\nblob\nmark :2\ndata 2\n2\n"]
    for at in range(count):
        path = b"d/a" if at % 10 == 0 else b"x"
        mark = 1 + at // 10 % 2 if at % 10 == 0 else 1 + at % 2
        head = b"commit refs/heads/main\ncommitter T <t@example.org> %d +0000\ndata 0\n" % at
        stream.append(head + b"M 100644 :%d %b\n" % (mark, path))
    clone.run("fast-import", "--quiet", data=b"".join([*stream, b"done\n"]))
    opened = Repository.open(clone.path)
    tip = ObjectId(clone.tip("main"))
    started = time.process_time()
    first = project(opened, tip, [Map.of("d/", ".")])
    assert first.written == count // 10
    assert clone.git("rev-list", "--count", str(first.commit)) == str(count // 10)
    again = project(opened, tip, [Map.of("d/", ".")])
    assert (again.commit, again.written) == (first.commit, 0)
    assert time.process_time() - started < 60


def test_names_that_are_not_utf_8_beside_and_inside_the_folder(clone: Clone) -> None:
    odd: Tree = {
        b"d/caf\xe9": "1\n",
        b"d/\xff\xfe/a": "2\n",
        b"caf\xe9/x": "3\n",
        b"d\xe9/a": "4\n",
        b'd/"\n\t\\': "5\n",
    }
    tip = make_history(clone, [Spec([], odd)])[-1]
    listed = clone.run("ls-tree", "-r", "-z", "--name-only", _ours(clone, tip)).out_bytes
    assert sorted(listed.split(b"\0")[:-1]) == sorted([b"caf\xe9", b"\xff\xfe/a", b'"\n\t\\'])


def test_names_that_git_reads_as_revisions_are_only_names(clone: Clone) -> None:
    """A folder may be called HEAD, or hold a colon, a caret or braces beside it."""
    tip = make_history(clone, [Spec([], {"HEAD/a": "1\n", "d:HEAD/b": "2\n", "HEAD^{tree}/c": "3\n"})])[-1]
    head = project(Repository.open(clone.path), ObjectId(tip), [Map.of("HEAD/", ".")]).commit
    assert clone.paths(str(head)) == ["a"]


def test_the_projection_passes_gits_strictest_check(clone: Clone) -> None:
    specs, _ = EQUAL["a criss-cross"]
    tip = make_history(clone, specs)[-1]
    _ours(clone, tip)
    clone.fsck()
    (pack,) = (clone.path / ".git/objects/pack").glob("*.pack")
    verified = clone.git("verify-pack", "-v", pack)
    assert re.search(rf"^{re.escape(str(pack))}: ok$", verified, re.MULTILINE)


def test_each_part_of_a_long_projection_says_how_far_it_is(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_AFTER", 0.0)
    monkeypatch.setattr(progress, "_EVERY", 0.0)
    for number in range(3):
        clone.commit(f"Commit {number}", {"core/src/model.py": f"{number}\n"})
    seen: list[str] = []
    opened = Repository.open(clone.path)
    watched = replace(opened, git=replace(opened.git, on_progress=seen.append))
    project(watched, watched.resolve("main"), [Map.of("core/src/", "training/")])
    for what in ("Reading commits: 3", "Projecting commits:  66% (2/3)", "Writing commits: 100% (3/3)"):
        assert what in seen
    assert seen[-1] == ""
