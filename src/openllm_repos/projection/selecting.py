"""What patterns take of a folder, over all its versions: of each only the rows that are new are matched.

The rows of a tree are kept in blocks. Versions of one folder differ in a few rows, so nearly all blocks of a version
are those of the version before: found by comparing bytes, never parsed again, and shared in memory.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from openllm_repos.errors import ConflictError
from openllm_repos.names.glob import Component
from openllm_repos.names.pattern import opened, steps
from openllm_repos.projection.node import FOLDER_MODE, Entries, Node, Part

_DEEPEST = 400
_BLOCK_ROWS = 32
_MIDDLES = 1024
_ENOUGH = 60  # bytes of a block that are searched for
_REMEMBERED_BYTES = 64_000_000
_VERSION_BYTES = 5_000  # two new blocks, and what is taken of them
_Row = tuple[bytes, bytes, bytes, bytes, bytes]  # all of it; its mode if it is a file, or a folder; name, raw id


class Level(dict[bytes, tuple[bool, "Level | None"]]):
    """A place in some patterns: for each name, whether a file of that name is taken, and where a folder of it leads.

    Args:
        patterns: what matches below a folder, of each pattern.
        places: numbers of patterns, and how many of its components are matched so far.
        known: the levels that there are, by their places.
    """

    def __init__(
        self,
        patterns: Sequence[Sequence[Component]],
        places: frozenset[tuple[int, int]],
        known: dict[frozenset[tuple[int, int]], Level],
    ) -> None:
        self.whole = any(at == len(patterns[one]) - 1 and patterns[one][at].is_globstar for one, at in places)
        self.deep = any(at < len(patterns[one]) - 1 for one, at in places)
        self._patterns = patterns
        self._places = places
        self._known = known
        known[places] = self

    @classmethod
    def first(cls, patterns: Sequence[Sequence[Component]]) -> Level:
        """Return the place where nothing is matched yet."""
        return cls(patterns, frozenset((one, at) for one, rest in enumerate(patterns) for at in opened(rest, 0)), {})

    def __missing__(self, name: bytes) -> tuple[bool, Level | None]:
        patterns = self._patterns
        after = {(one, then) for one, at in self._places for then in steps(patterns[one], at, name)}
        further = frozenset((one, at) for one, at in after if at < len(patterns[one]))
        below = (self._known.get(further) or Level(patterns, further, self._known)) if further else None
        self[name] = found = (len(further) < len(after), below)
        return found


@dataclass(frozen=True, slots=True)
class _Block:
    """A few rows of a tree, one after another.

    Attributes:
        rows: their bytes.
        parts: what is taken of them.
        folders: the trees of the folders among them that are gone into, by name.
        ends: the names of its first and last row, as git orders them; None where its rows are not in order.
    """

    rows: bytes
    parts: tuple[Part, ...]
    folders: dict[bytes, bytes]
    ends: tuple[bytes, bytes] | None


@dataclass(frozen=True, slots=True)
class _Version:
    blocks: list[_Block]
    node: Node | None


class Selector:
    """Selects from folders, and remembers what came of each tree.

    Args:
        read: returns the content of a tree.
        id_bytes: 20 for SHA-1, 32 for SHA-256.
    """

    def __init__(self, read: Callable[[bytes], bytes], id_bytes: int) -> None:
        self._read = read
        self._row = re.compile(rb"((?:(1[02][0-7]{4})|(0*40000)|[0-7]+) ([^\0]+)\0(.{%d}))" % id_bytes, re.DOTALL)
        self._versions: OrderedDict[tuple[int, bytes], _Version] = OrderedDict()
        self._newest: dict[int, _Version] = {}
        self._weight = 0
        self._middle = lru_cache(_MIDDLES)(self._find_middle)

    def select(self, level: Level, tree: bytes, like: bytes | None = None, depth: int = 0) -> Node | None:
        """Return what is taken of a tree, None if nothing.

        Args:
            level: where the patterns stand.
            tree: its hex id.
            like: the tree of another version of the same folder.
            depth: how deep below the mapped folder it lies.

        Raises:
            ConflictError: folders are nested too deeply.
            MissingObject: a tree is not in the clone.
        """
        if level.whole:
            return Node(tree=tree)
        key = (id(level), tree)
        if key in self._versions:
            self._versions.move_to_end(key)
            return self._versions[key].node
        if depth > _DEEPEST:
            raise ConflictError(f"Folders nested deeper than {_DEEPEST} levels are not carried over.")
        data = self._read(tree)
        other = None if like is None else self._versions.get((id(level), like))
        if other is None and not depth:
            other = self._newest.get(id(level))
        blocks: list[_Block] = []
        for same, rows, gone in self._compared(data, [] if other is None else other.blocks):
            blocks += same
            blocks += self._matched(level, rows, gone, depth)
        node = self._node(blocks, level)
        if node is not None and other is not None and other.node is not None:
            node.like = other.node.id
        self._newest[id(level)] = self._versions[key] = _Version(blocks, node)
        self._weight += _VERSION_BYTES + 16 * len(blocks)
        while self._weight > _REMEMBERED_BYTES and len(self._versions) > 1:
            self._weight -= _VERSION_BYTES + 16 * len(self._versions.popitem(last=False)[1].blocks)
        return node

    def _compared(self, data: bytes, others: list[_Block]) -> Iterator[tuple[list[_Block], list[_Row], list[_Block]]]:
        """Yield blocks of another version that are in this one, too, the rows after them, and what these stand for."""
        at = begin = end = 0  # others[begin:end] were found last, and end at `at`
        for number, block in enumerate(others):
            if number == end:  # where it is not there, it was changed
                if data.startswith(block.rows, at):
                    at += len(block.rows)
                    end += 1
                continue
            start = data.find(block.rows[:_ENOUGH], at)
            if start < 0 or not data.startswith(block.rows, start):
                continue
            rows = self._row.findall(data, at, start)
            if sum([len(row[0]) for row in rows]) == start - at:  # else it stands within other rows by chance
                yield others[begin:end], rows, others[end:number]
                at, begin, end = start + len(block.rows), number, number + 1
        yield others[begin:end], self._row.findall(data, at), others[end:]

    def _matched(self, level: Level, rows: list[_Row], gone: Sequence[_Block], depth: int) -> list[_Block]:
        """Return new rows in blocks; `gone` is what another version has in their place."""
        before = {name: tree for block in gone for name, tree in block.folders.items()}
        blocks: list[_Block] = []
        size = -(-len(rows) // -(-len(rows) // _BLOCK_ROWS)) if rows else 1
        for start in range(0, len(rows), size):
            parts: list[Part] = []
            folders: dict[bytes, bytes] = {}
            files: list[bytes] = []
            some = rows[start : start + size]
            for row, is_file, is_folder, name, tree in some:
                if is_file:
                    if level[name][0]:
                        files.append(row)
                elif is_folder and (below := level[name][1]) is not None:
                    folders[name] = tree.hex().encode()
                    inner = self.select(below, folders[name], before.get(name), depth + 1)
                    if inner is not None:
                        parts += [b"".join(files), (name, inner)] if files else [(name, inner)]
                        files.clear()
            if files:
                parts.append(b"".join(files))
            order = [name + b"/" if is_folder else name for _, _, is_folder, name, _ in some] if level.deep else []
            in_order = all(one < two for one, two in pairwise(order))
            ends = (order[0], order[-1]) if order and in_order else None
            blocks.append(_Block(b"".join([row[0] for row in some]), tuple(parts), folders, ends))
        return blocks

    def _node(self, blocks: Sequence[_Block], level: Level) -> Node | None:
        parts = [part for block in blocks for part in block.parts]
        if not parts:
            return None
        if (
            level.deep and any(block.folders for block in blocks) and not _in_order(blocks)
        ):  # some early tools wrote such trees
            return Node(entries=self.entries(parts))
        return Node(parts=parts)

    def rows(self, data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Yield mode, name and hex id of each entry of a tree's content; folders always with mode ``40000``."""
        for row, _, is_folder, name, item in self._row.findall(data):
            yield FOLDER_MODE if is_folder else row[: row.index(b" ")].lstrip(b"0"), name, item.hex().encode()

    def entries(self, parts: Sequence[Part]) -> Entries:
        """Return the entries that parts of a tree hold."""
        found: Entries = {}
        for part in parts:
            if isinstance(part, bytes):
                found |= {name: (mode, item) for mode, name, item in self.rows(part)}
            else:
                found[part[0]] = (FOLDER_MODE, part[1])
        return found

    def inserted(self, parts: Sequence[Part], folders: Entries) -> list[Part] | None:
        """Return parts of a tree with more folders between them; None where something has such a name already."""
        taken = b"".join([part if isinstance(part, bytes) else b" %b\0" % part[0] for part in parts])
        found = list(parts)
        for name, (_, node) in folders.items():
            if not isinstance(node, Node) or b" %b\0" % name in taken:
                return None
            key = name + b"/"
            at = bisect_left(found, key, key=_place)
            before = found[at - 1] if at else None
            cut: list[Part] = [(name, node)]
            if isinstance(before, bytes):
                at -= 1
                middle = self._middle(before, key)
                cut = [part for part in (before[:middle], (name, node), before[middle:]) if part]
            found[at : at + isinstance(before, bytes)] = cut
        return found

    def _find_middle(self, rows: bytes, key: bytes) -> int:
        """Return the length of the rows that stand before a name."""
        return sum([len(row[0]) for row in self._row.findall(rows) if row[3] < key])


def _place(part: Part) -> bytes:
    """Return where the first row of a part stands in git's order."""
    return part[part.index(b" ") + 1 : part.index(b"\0")] if isinstance(part, bytes) else part[0] + b"/"


def _in_order(blocks: Sequence[_Block]) -> bool:
    ends = [block.ends for block in blocks]
    return (
        all(one is not None and two is not None and one[1] < two[0] for one, two in pairwise(ends))
        and ends[-1] is not None
    )
