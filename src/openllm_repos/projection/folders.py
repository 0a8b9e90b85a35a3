"""Where many folders stand in many trees.

Each question for one folder makes git read the tree once more. From a dozen folders on it is quicker to read each tree
once here, and to look only at the rows that differ from the tree before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openllm_repos.git.objects import ObjectReader
from openllm_repos.names.glob import Component
from openllm_repos.projection.node import Node
from openllm_repos.projection.selecting import Level, Selector

_Ids = Sequence[bytes | None]


class _Place:
    """A folder on the way to others.

    Attributes:
        below: the folders in it that are wanted, or on the way.
        number: of the folder among those that are wanted; None if it is only on the way.
    """

    __slots__ = ("below", "number")

    def __init__(self) -> None:
        self.below: dict[bytes, _Place] = {}
        self.number: int | None = None


def find_folders(
    reader: ObjectReader, trees: _Ids, parents: Sequence[int | None], folders: Sequence[bytes], id_bytes: int
) -> Iterator[tuple[bytes | None, ...]]:
    """Yield the hex ids of some folders in each of many trees, None where a tree has no such folder.

    Args:
        reader: reads the trees.
        trees: hex ids of the trees of commits, parents last.
        parents: for each, which of the trees is that of its first parent; None where it is not there.
        folders: paths; empty for the tree itself.
        id_bytes: 20 for SHA-1, 32 for SHA-256.

    Raises:
        MissingObject: a tree is not in the clone.
    """
    top = _Place()
    for number, folder in enumerate(folders):
        place = top
        for name in folder.split(b"/") if folder else []:
            place = place.below.setdefault(name, _Place())
        place.number = number
    columns = dict(_columns(reader, top, trees, parents, id_bytes))
    yield from zip(*[columns[number] for number in range(len(folders))], strict=True)


def _columns(
    reader: ObjectReader, place: _Place, trees: _Ids, parents: Sequence[int | None], id_bytes: int
) -> Iterator[tuple[int, _Ids]]:
    """Yield, for each wanted folder at or below a place, its number and its id in each of the trees there."""
    if place.number is not None:
        yield place.number, trees
    if not place.below:
        return
    content: dict[bytes, bytes] = {}
    selector = Selector(content.__getitem__, id_bytes)
    level = Level.first([(Component(name.decode()), Component("**")) for name in place.below])
    found: dict[bytes | None, dict[bytes, bytes | None]] = {None: {}}
    like: dict[bytes, bytes | None] = {}
    for tree, parent in zip(reversed(trees), reversed(parents), strict=True):
        if tree is not None and tree not in like:
            like[tree] = None if parent is None else trees[parent]
    for read in reader.read_many(like):
        content[read.id] = read.data
        node = selector.select(level, read.id, like[read.id])
        found[read.id] = {} if node is None else dict(_ids(node))
        content.clear()
    for name, below in place.below.items():
        yield from _columns(reader, below, [found[tree].get(name) for tree in trees], parents, id_bytes)


def _ids(node: Node) -> Iterator[tuple[bytes, bytes | None]]:
    """Yield name and id of the folders in a node."""
    for name, (_, folder) in (node.entries or {}).items():
        if isinstance(folder, Node):
            yield name, folder.id
    for part in node.parts or ():
        if not isinstance(part, bytes):
            yield part[0], part[1].id
