"""Which commits survive a projection: the rule of ``git subtree split``, for any set of maps.

contrib/subtree/git-subtree.sh, ``process_split_commit`` and ``copy_or_skip`` at git 2.54 (commit 1f70684b51 made the
rule and its ids a contract), with three differences, all where git subtree fails: no commit of the source's own stands
for itself (whose may, :mod:`openllm_repos.projection.subprojects` finds), so where the mapped folders are gone the
projection is the empty tree; a folder that is not a folder counts as absent; and ancestry is read from the graph alone.
git subtree asks `git rev-list`, which goes by dates too: where they run backwards for more than six commits between the
sides of a merge, it may keep one that brings nothing.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence


class Graph:
    """The projected commits of one projection, and which source commit each one stands for.

    A projected commit is a number; its parents have lower numbers. Ids are hex, as bytes.

    Attributes:
        image: source commit id -> number of the projected commit that stands for it; sources without one are absent.
        trees: per projected commit, the id of its tree.
        ids: per projected commit, its id; shorter than `trees` while new ones are not written yet.
        origins: per projected commit that is not written yet, the source commit to copy.
        kept: those of `origins` that stand for themselves.
        parents: per projected commit, its parents in order.
        heights: per projected commit, one more than the greatest height of its parents.
        chains: per projected commit, the first commit of the chain that it is on: a commit carries on the chain of its
            first parent unless a sibling did so before. Who is on one chain needs no search.
    """

    def __init__(self, empty_tree: bytes) -> None:
        self.image: MutableMapping[bytes, int] = {}
        self.trees: list[bytes] = []
        self.ids: list[bytes] = []
        self.origins: list[bytes] = []
        self.kept: set[bytes] = set()
        self.empty_tree = empty_tree
        self.parents: list[tuple[int, ...]] = []
        self.heights: list[int] = []
        self.chains: list[int] = []
        self._ends: dict[int, int] = {}

    def visit(self, commit: bytes, source_parents: Sequence[bytes], tree: bytes | None) -> None:
        """Decide about one source commit, after all its parents.

        Args:
            commit: its id.
            source_parents: the ids of its parents.
            tree: the projection of its tree, None where nothing is mapped.
        """
        image = self.image
        if len(source_parents) == 1:  # by far the most commits: nothing changed below the mapped folders
            only = image.get(source_parents[0])
            if only is not None and self.trees[only] == (tree or self.empty_tree):
                image[commit] = only
                return
            candidates = [] if only is None else [only]
        else:
            candidates = [image[parent] for parent in source_parents if parent in image]
        if tree is None:
            if not candidates:
                return
            tree = self.empty_tree
        kept = self._stand_in(candidates, tree)
        image[commit] = self._append(commit, tree, list(dict.fromkeys(candidates))) if kept is None else kept

    def keep(self, commit: bytes, source_parents: Sequence[bytes], tree: bytes) -> None:
        """Let a source commit stand for itself, its whole history with it.

        Args:
            commit: its id.
            source_parents: the ids of its parents; those that do not stand for themselves are not in the graph.
            tree: its own tree.
        """
        self.kept.add(commit)
        self.image[commit] = self._append(commit, tree, [self.image[one] for one in source_parents if one in self.kept])

    def _stand_in(self, candidates: list[int], tree: bytes) -> int | None:
        """Return the parent that can stand for a commit with this tree, or None if the commit must be copied.

        Candidates may repeat, and the repetition counts: of the others, git subtree looks at the last one only.
        """
        identical, other = None, None
        unrelated = False
        for candidate in candidates:
            if self.trees[candidate] != tree:
                other = candidate
            elif identical is None or self.reaches(candidate, identical):
                identical = candidate
            elif not self.reaches(identical, candidate):
                unrelated = True
        if identical is None or unrelated:
            return None
        if other is not None and not self.reaches(identical, other):
            return None  # the other side brings history that this one does not have
        return identical

    def _append(self, commit: bytes, tree: bytes, parents: list[int]) -> int:
        number = len(self.trees)
        self.trees.append(tree)
        self.origins.append(commit)
        self.grow(tuple(parents))
        return number

    def grow(self, *lineages: tuple[int, ...]) -> None:
        """Add the places of the next projected commits, given the parents of each."""
        heights, chains, ends = self.heights, self.chains, self._ends
        for number, parents in enumerate(lineages, len(heights)):
            chain, height = number, 0
            for parent in parents:
                if heights[parent] > height:  # noqa: PLR1730 - a call of max takes three times as long
                    height = heights[parent]
            if parents and ends[chains[parents[0]]] == parents[0]:
                chain = chains[parents[0]]
            heights.append(height + 1)
            chains.append(chain)
            ends[chain] = number
        self.parents += lineages

    def forget_newest(self) -> None:
        """Take back the newest projected commit, which is the same as an older one."""
        parents, chain = self.parents.pop(), self.chains.pop()
        self.heights.pop()
        self.trees.pop()
        self.ids.pop()
        if chain == len(self.trees):
            del self._ends[chain]
        else:
            self._ends[chain] = parents[0]

    def reaches(self, new: int, old: int) -> bool:
        """Whether `old` is `new` or in its history; a commit's height bounds the search."""
        if new == old:
            return True
        parents, heights, chains = self.parents, self.heights, self.chains
        floor, chain = heights[old], chains[old]
        if chains[new] == chain:
            return heights[new] > floor
        todo, seen = [new], {new}
        while todo:
            for parent in parents[todo.pop()]:
                if heights[parent] >= floor and parent not in seen:
                    if chains[parent] == chain:
                        return True
                    seen.add(parent)
                    todo.append(parent)
        return False
