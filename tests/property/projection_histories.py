"""Random histories of a small repository with a folder `d/`, for the tests of the projection.

They have what makes projections hard: merges, octopuses, criss-cross, evil merges, several roots, a parent named twice,
a folder that goes and comes back (also as it was before), files that cross its border, changed modes, symlinks, commits
that change nothing, clocks that stand still, jump, or run backwards; and, where asked for, something else than a folder
in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from hypothesis import strategies as st

from tests.support.history import Entry, Spec, executable, gitlink, symlink

if TYPE_CHECKING:
    from collections.abc import Sequence

Name = TypeVar("Name", bound=int | str)

FOLDER = "d"
INSIDE = ("d/a", "d/b.py", "d/s/c.py", "d/s/t/e")
# Neighbours that sort right beside the folder, where git compares folders as if their name ended in "/".
OUTSIDE = ("x", "d.py", "d0", "e/y.py")
CONTENTS = (b"1\n", b"2\n", b"3\n")
OTHER_THINGS: tuple[bytes | Entry, ...] = (b"1\n", symlink(b"x"), gitlink("1" * 40))

Tree = dict[str, bytes | Entry]
Files = dict[str | bytes, str | bytes | Entry | None]


@dataclass(frozen=True, slots=True)
class History:
    """A history and what is known of it without asking git: the tree of each commit, by path."""

    specs: tuple[Spec, ...]
    trees: tuple[Tree, ...]

    @property
    def parents(self) -> list[tuple[int, ...]]:
        """The positions of each commit's parents."""
        return [tuple(spec.parents) for spec in self.specs]


def has_folder(tree: Tree) -> bool:
    """Whether the folder exists in a tree."""
    return any(path.startswith(FOLDER + "/") for path in tree)


def _put(tree: Tree, path: str, content: bytes | Entry) -> None:
    """Write one path; what stands in its way goes."""
    for other in [old for old in tree if path.startswith(old + "/") or old.startswith(path + "/")]:
        del tree[other]
    tree[path] = content


@st.composite
def _changed(draw: st.DrawFn, before: Tree, earlier: list[Tree], *, odd: bool) -> Tree:
    """Return a tree after one small change."""
    tree = dict(before)
    kinds = ["inside", "inside", "outside", "nothing", "remove", "drop", "restore", "cross", "mode", "link"]
    kind = draw(st.sampled_from([*kinds, "odd"] if odd else kinds))
    if kind == "inside":
        _put(tree, draw(st.sampled_from(INSIDE)), draw(st.sampled_from(CONTENTS)))
    elif kind == "outside":
        _put(tree, draw(st.sampled_from(OUTSIDE)), draw(st.sampled_from(CONTENTS)))
    elif kind == "remove" and tree:
        del tree[draw(st.sampled_from(sorted(tree)))]
    elif kind == "drop":
        tree = {path: content for path, content in tree.items() if not path.startswith(FOLDER + "/")}
    elif kind == "restore" and earlier:
        old = draw(st.sampled_from(earlier))
        tree = {path: content for path, content in tree.items() if not path.startswith(FOLDER)}
        tree |= {path: content for path, content in old.items() if path.startswith(FOLDER)}
    elif kind == "cross":
        one, two = draw(st.sampled_from(INSIDE)), draw(st.sampled_from(OUTSIDE))
        old_path, new_path = (one, two) if one in tree else (two, one)
        if old_path in tree:
            _put(tree, new_path, tree.pop(old_path))
    elif kind == "mode":
        _put(tree, draw(st.sampled_from(INSIDE)), executable(b"1\n"))
    elif kind == "link":
        _put(tree, draw(st.sampled_from(INSIDE)), symlink(b"a"))
    elif kind == "odd":
        _put(tree, FOLDER, draw(st.sampled_from(OTHER_THINGS)))
    return tree


@st.composite
def _merged(draw: st.DrawFn, sides: list[Tree]) -> Tree:
    """Return the tree of a merge: the folder from one side, the rest from another, or both laid over each other."""
    inside, outside = draw(st.sampled_from(sides)), draw(st.sampled_from(sides))
    tree = {path: content for path, content in outside.items() if path.split("/")[0] != FOLDER}
    both = draw(st.booleans())
    for side in sides if both else [inside]:
        for path, content in side.items():
            if path.split("/")[0] == FOLDER:
                _put(tree, path, content)
    return tree


# How many parents commits have, by the look of the history.
SHAPES = {
    "lines": [1, 1, 1, 1, 1, 2],
    "branches": [1, 1, 2],
    "criss-cross": [2, 2, 1],
    "roots and octopuses": [0, 1, 1, 2, 3, 4],
}
ANY_SHAPE = [0, 1, 1, 1, 1, 2, 2, 3]

# The seconds between a commit's place in the list and its date; mostly a minute each, as on a good machine.
CLOCKS: dict[str, Callable[[int], int]] = {
    "runs": lambda position: 60 * position,
    "stands still": lambda _: 0,
    "jumps": lambda position: position * 7919 % 6007,
    "runs backwards": lambda position: -60 * position,
}
# git subtree counts with `git rev-list`, which stops to look a few commits after the dates say that it may. Where
# clocks are wrong over a longer way it counts commits that are not there, and git subtree keeps a merge for them. The
# smallest history that this can happen in has ten commits: a side of seven, one beside it, the root and the merge.
TRUSTED = 9


@st.composite
def histories(
    draw: st.DrawFn,
    *,
    shape: list[int] = ANY_SHAPE,
    longest: int = 11,
    skewed: int = 11,
    keeps: bool = False,
    odd: bool = False,
) -> History:
    """Draw a history of 4 to `longest` commits whose last one joins all the others.

    Args:
        draw: hypothesis'.
        shape: the numbers of parents to choose from.
        longest: the most commits.
        skewed: the most commits where the clock does not run as it should.
        keeps: whether the folder, once there, never goes.
        odd: whether a file, a symlink or a submodule may stand where the folder should be.
    """
    count = draw(st.integers(4, longest))
    clocks = ["runs"] * 5 + list(CLOCKS) if count <= skewed else ["runs"]
    clock = CLOCKS[draw(st.sampled_from(clocks))]
    specs: list[Spec] = []
    trees: list[Tree] = []
    for position in range(count):
        heads = [at for at in range(position) if not any(at in spec.parents for spec in specs)]
        if position == count - 1:
            chosen = draw(st.permutations(heads))
        else:
            wanted = draw(st.sampled_from(shape)) if position else 0
            recent = draw(st.permutations(range(max(0, position - 5), position)))
            chosen = recent[:wanted]
            if chosen and draw(st.integers(0, 9)) == 9:
                chosen = [*chosen, draw(st.sampled_from(chosen))]
        tree: Tree = dict(trees[chosen[0]]) if chosen else {}
        if len(chosen) > 1:
            tree = draw(_merged([trees[parent] for parent in chosen]))
        changes = draw(st.sampled_from([0, 0, 1])) if len(chosen) > 1 else draw(st.sampled_from([1, 1, 2]))
        for _ in range(changes):
            tree = draw(_changed(tree, trees, odd=odd))
        if keeps and not has_folder(tree) and any(has_folder(trees[parent]) for parent in chosen):
            _put(tree, INSIDE[0], CONTENTS[0])
        person = b"Ada <ada@example.org> %d +0100" % (1_700_000_000 + clock(position))
        files = cast("Files", dict(tree))
        specs.append(Spec(chosen, files, f"commit {position}\n", whole=True, author=person, committer=person))
        trees.append(tree)
    return History(tuple(specs), tuple(trees))


def plain_rule(
    parents: Sequence[Sequence[int]],
    trees: Sequence[str | None],
    empty_tree: str,
    make: Callable[[int, str, list[Name]], Name],
) -> dict[int, Name]:
    """Say what each commit becomes by the rule of `git subtree split`, with no commit standing for itself.

    This is the rule without any shortcut: all ancestors of every projected commit are kept as a set.

    Args:
        parents: per commit, the positions of its parents.
        trees: per commit, the projected tree, or None where nothing is mapped.
        empty_tree: what None means where an ancestor had something.
        make: makes a projected commit of (position, tree, projected parents) and names it.
    """
    image: dict[int, Name] = {}
    tree_of: dict[Name, str] = {}
    ancestors: dict[Name, set[Name]] = {}
    for position, sources in enumerate(parents):
        above = [image[parent] for parent in sources if parent in image]
        tree = trees[position] or empty_tree
        if trees[position] is None and not above:
            continue
        newest: Name | None = None
        copy = False
        for one in [one for one in above if tree_of[one] == tree]:
            if newest is None or newest in ancestors[one]:
                newest = one
            elif one not in ancestors[newest]:
                copy = True  # two sides that do not know of each other came to the same content
        others = [one for one in above if tree_of[one] != tree]
        if newest is not None and not copy and (not others or others[-1] in ancestors[newest]):
            image[position] = newest
            continue
        above = list(dict.fromkeys(above))
        made = make(position, tree, above)
        image[position], tree_of[made] = made, tree
        ancestors[made] = {made}.union(*(ancestors[one] for one in above))
    return image
