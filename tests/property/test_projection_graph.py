"""The graph of a projection against the plain rule, on thousands of small histories without any git."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.projection.cache import Cache, Memory
from openllm_repos.projection.graph import Graph
from tests.property.projection_histories import plain_rule
from tests.support.examples import examples

EMPTY = b"0" * 40
Commits = list[tuple[list[int], str | None]]


@st.composite
def commits(draw: st.DrawFn) -> Commits:
    """Draw commits: the positions of the parents, and one of few trees, so that commits are often alike."""
    drawn: Commits = []
    for position in range(draw(st.integers(1, 16))):
        nearest = draw(st.permutations(range(max(0, position - 5), position)))
        parents = nearest[: draw(st.sampled_from([0, 1, 1, 1, 2, 2, 3, 4]))]
        drawn.append((parents, draw(st.sampled_from([None, "a" * 40, "b" * 40, "c" * 40]))))
    return drawn


def _source(position: int) -> bytes:
    return b"%040d" % (position + 1)


def _visit(graph: Graph, drawn: Commits, start: int = 0) -> None:
    for position, (parents, tree) in enumerate(drawn[start:], start):
        graph.visit(_source(position), [_source(parent) for parent in parents], tree.encode() if tree else None)


@examples(400)
@given(drawn=commits())
def test_the_graph_is_the_one_of_the_plain_rule(drawn: Commits) -> None:
    made: list[tuple[str, list[int]]] = []

    def make(_: int, tree: str, above: list[int]) -> int:
        made.append((tree, above))
        return len(made) - 1

    expected = plain_rule([parents for parents, _ in drawn], [tree for _, tree in drawn], EMPTY.decode(), make)
    graph = Graph(EMPTY)
    _visit(graph, drawn)
    assert graph.image == {_source(position): number for position, number in expected.items()}
    assert [(tree.decode(), list(up)) for tree, up in zip(graph.trees, graph.parents, strict=True)] == made


@examples(150)
@given(drawn=commits())
def test_ancestry_is_the_one_that_a_plain_search_finds(drawn: Commits) -> None:
    graph = Graph(EMPTY)
    for parents, _ in drawn:
        graph.grow(tuple(parents))
    for new in range(len(drawn)):
        found, todo = set[int](), [new]
        while todo:
            found.add(number := todo.pop())
            todo += drawn[number][0]
        assert {old for old in range(len(drawn)) if graph.reaches(new, old)} == found


@examples(150)
@given(drawn=commits(), cut=st.integers(0, 16))
def test_a_remembered_graph_goes_on_as_if_it_had_never_been_put_away(drawn: Commits, cut: int) -> None:
    whole, part = Graph(EMPTY), Graph(EMPTY)
    _visit(whole, drawn)
    _visit(part, drawn[:cut])
    part.ids = [b"%040x" % (0xF00 + number) for number in range(len(part.trees))]
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder), "d1", 20)
        cache.save(Memory(part, [_source(0)]))
        read = cache.load(EMPTY)
    assert read is not None
    assert (read.tips, read.graph.ids) == ([_source(0)], part.ids)
    _visit(read.graph, drawn, min(cut, len(drawn)))
    for name in ("image", "trees", "parents", "heights", "chains"):
        assert getattr(read.graph, name) == getattr(whole, name), name


def test_an_octopus_of_two_strangers_and_their_merge_is_kept() -> None:
    """git subtree compares the sides in their order, so the third, which knows both, comes too late."""
    graph = Graph(EMPTY)
    _visit(graph, [([], "a" * 40), ([], "a" * 40), ([0, 1], "a" * 40), ([0, 1, 2], "a" * 40), ([2, 0, 1], "a" * 40)])
    assert graph.parents == [(), (), (0, 1), (0, 1, 2)]
    assert graph.image[_source(4)] == 2  # here it comes first, and the others are in its history
