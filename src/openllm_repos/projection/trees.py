"""The projection of one tree: for each map the entries that match, placed where the map says.

A filtered tree is built per folder and remembered by the id of the folder it came from, so over a whole history each
distinct folder is read once. A whole folder is never opened at all, and no file content ever is.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openllm_repos.errors import ConflictError
from openllm_repos.git.objects import MissingObject, ObjectReader
from openllm_repos.git.pack import TREE, PackWriter
from openllm_repos.manifest.maps import Map
from openllm_repos.names.pattern import Component
from openllm_repos.text import show_path

FOLDER_MODE = b"40000"
GITLINK_MODE = b"160000"
_DEEPEST = 400
_REMEMBERED_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Placement:
    """Where entries come from and where they go: a map, ready for the trees.

    Attributes:
        base: the folder they come from; empty for the root.
        rest: what matches below it.
        to: the folder they go to; empty for the root.
        rename: the new name of a single file, or None.
        label: the map as people wrote it.
    """

    base: bytes
    rest: tuple[Component, ...]
    to: bytes
    rename: bytes | None
    label: str

    @classmethod
    def of(cls, a_map: Map) -> Placement:
        """Source to target, as the map says."""
        rename = None if a_map.rename is None else a_map.rename.encode()
        label = f"{a_map.source.text} -> {a_map.written_to}"
        return cls(a_map.source.base.encode(), a_map.source.rest, a_map.to.encode(), rename, label)

    @classmethod
    def within_target(cls, a_map: Map) -> Placement:
        """Target to target: what the map can write, left where it is. A target's tree is restricted this way."""
        base = a_map.output.base.encode()
        return cls(base, a_map.output.rest, base, None, a_map.output.text)


class Node:
    """A folder of a projected tree, in the cheapest of three forms.

    Attributes:
        entries: name -> (mode as git writes it, hex id or Node); None in the other forms.
        data: the content of its tree object, where it holds files only; None in the other forms.
        id: hex id, known from the start where a folder is taken whole, else once it was written.
    """

    __slots__ = ("data", "entries", "id")

    def __init__(self, *, entries: Entries | None = None, data: bytes | None = None, tree: bytes | None = None) -> None:
        self.entries = entries
        self.data = data
        self.id = tree


Entries = dict[bytes, tuple[bytes, "bytes | Node"]]
_Remembered = OrderedDict[tuple[int, bytes, tuple[Component, ...]], Node | None]


class TreeProjector:
    """Projects trees through one target's maps.

    Args:
        reader: reads the source's objects.
        placements: the maps of one target, in any order.
        object_format: ``sha1`` or ``sha256``.
    """

    def __init__(self, reader: ObjectReader, placements: Sequence[Placement], object_format: str) -> None:
        self._reader = reader
        self._placements = tuple(placements)
        digest = hashlib.new(object_format, b"tree 0\0")
        self._empty_tree = digest.hexdigest().encode()
        self._entry = re.compile(rb"([0-7]+) ([^\0]+)\0(.{%d})" % digest.digest_size, re.DOTALL)
        # Rows of files and symlinks are captured; folders and gitlinks only stepped over.
        self._file = re.compile(
            rb"(1[02][0-7]{4} ([^\0]+)\0.{%d})|[0-7]+ [^\0]+\0.{%d}" % (digest.digest_size, digest.digest_size),
            re.DOTALL,
        )
        self._remembered: _Remembered = OrderedDict()
        self._weight = 0
        self._placed: dict[tuple[bytes | None, ...], bytes | None] = {}

    @property
    def folders(self) -> tuple[bytes, ...]:
        """The folders that have to be looked up in a commit; :meth:`project` takes their ids in this order."""
        return tuple(dict.fromkeys(placement.base for placement in self._placements))

    @property
    def is_whole_folder(self) -> bool:
        """Whether the projection is one folder as it is, at the root: what ``git subtree split`` makes."""
        first = self._placements[0]
        return len(self._placements) == 1 and not first.to and len(first.rest) == 1 and first.rest[0].is_globstar

    def project(self, folders: tuple[bytes | None, ...], writer: PackWriter) -> bytes | None:
        """Return the hex id of the projected tree, or None where nothing is mapped at all.

        Args:
            folders: hex ids of the trees at :attr:`folders`, None where there is no such folder.
            writer: gets the trees that have to be made.

        Raises:
            ConflictError: two maps put different content at one path.
            MissingObject: a tree is not in the clone.
        """
        if folders in self._placed:
            return self._placed[folders]
        node = self.build(folders)
        tree = None if node is None else self.write(node, writer, b"")
        self._placed[folders] = tree
        return tree

    def build(self, folders: tuple[bytes | None, ...]) -> Node | None:
        """Return the projected tree as nodes that are not written yet, or None where nothing is mapped."""
        by_base = dict(zip(self.folders, folders, strict=True))
        result: Node | None = None
        for number, placement in enumerate(self._placements):
            folder = by_base[placement.base]
            if folder is None or (placement.to and folder == self._empty_tree):
                continue
            selected = self._select(number, folder, placement.rest, 0)
            if selected is None:
                continue
            if placement.rename is not None:
                ((mode, item),) = self.expanded(selected).values()
                selected = Node(entries={placement.rename: (mode, item)})
            for name in reversed(placement.to.split(b"/") if placement.to else []):
                selected = Node(entries={name: (FOLDER_MODE, selected)})
            result = selected if result is None else self._overlay(result, selected, b"")
        return result

    def _select(self, number: int, tree: bytes, rest: tuple[Component, ...], depth: int) -> Node | None:
        """Return what the components `rest` match below a folder; None if nothing."""
        if len(rest) == 1 and rest[0].is_globstar:
            return Node(tree=tree)
        key = (number, tree, rest)
        if key in self._remembered:
            self._remembered.move_to_end(key)
            return self._remembered[key]
        if depth > _DEEPEST:
            raise ConflictError(f"Folders nested deeper than {_DEEPEST} levels are not carried over.")
        node = self._match(number, tree, rest, depth)
        self._remembered[key] = node
        self._weight += _weight(node)
        while self._weight > _REMEMBERED_BYTES and len(self._remembered) > 1:
            self._weight -= _weight(self._remembered.popitem(last=False)[1])
        return node

    def _match(self, number: int, tree: bytes, rest: tuple[Component, ...], depth: int) -> Node | None:
        first, further = rest[0], rest[1:]
        if not further:
            data = self._files(tree, first)
            return Node(data=data) if data else None
        found: Entries = {}
        below = rest if first.is_globstar else further
        for mode, name, item in self.entries(tree):
            if mode == FOLDER_MODE and first.matches(name):
                inner = self._select(number, item, below, depth + 1)
                if inner is not None:
                    found[name] = (FOLDER_MODE, inner)
        node = Node(entries=found) if found else None
        here = self._select(number, tree, further, depth + 1) if first.is_globstar else None
        if node is None or here is None:
            return node or here
        return self._overlay(node, here, b"")

    def _files(self, tree: bytes, wanted: Component) -> bytes:
        """Return the content of a tree with only the files and symlinks of a folder whose name is wanted."""
        found = self._reader.read(tree)
        matches = wanted.matches
        return b"".join([row for row, name in self._file.findall(found.data) if row and matches(name)])

    def entries(self, tree: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Yield mode, name and hex id of each entry of a tree; folders always with mode ``40000``."""
        found = self._reader.read(tree)
        if found.type != b"tree":
            raise MissingObject(tree)
        return self._parsed(found.data)

    def _parsed(self, data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        for mode, name, item in self._entry.findall(data):
            yield (mode.lstrip(b"0"), name, item.hex().encode())

    def expanded(self, node: Node) -> Entries:
        """Return a node's entries; a folder taken whole is read now."""
        if node.entries is not None:
            return node.entries
        if node.data is not None:
            rows = self._parsed(node.data)
        else:
            assert node.id is not None  # a node has one of the three forms
            rows = self.entries(node.id)
        return {name: (mode, Node(tree=item) if mode == FOLDER_MODE else item) for mode, name, item in rows}

    def _overlay(self, one: Node, two: Node, path: bytes) -> Node:
        """Lay two trees over each other; the same path twice is fine only with the same content."""
        if one is two or (one.id is not None and one.id == two.id):
            return one
        merged = dict(self.expanded(one))
        for name, (mode, item) in self.expanded(two).items():
            other_mode, other = merged.get(name, (b"", b""))
            if isinstance(other, Node) and isinstance(item, Node):
                merged[name] = (FOLDER_MODE, self._overlay(other, item, path + name + b"/"))
            elif not other_mode or (mode, item) == (other_mode, other):
                merged[name] = (mode, item)
            else:
                clash = show_path(path + name)
                wanting = ", ".join(placement.label for placement in self._placements)
                raise ConflictError(
                    f"Two maps put different content at {clash}: {wanting}.",
                    hint="Narrow one of the patterns, or map to another folder.",
                )
        return Node(entries=merged)

    def write(self, node: Node, writer: PackWriter, path: bytes) -> bytes:
        """Write a node and the nodes below it, and return its hex id."""
        if node.id is None:
            node.id = writer.add(TREE, self._content(node, writer, path), place=path)
        return node.id

    def _content(self, node: Node, writer: PackWriter, path: bytes) -> bytes:
        if node.data is not None:
            return node.data
        assert node.entries is not None  # a node has one of the three forms
        rows: list[tuple[bytes, bytes]] = []
        for name, (mode, item) in node.entries.items():
            inner = self.write(item, writer, path + name + b"/") if isinstance(item, Node) else item
            order = name + b"/" if isinstance(item, Node) else name
            rows.append((order, b"%b %b\0%b" % (mode, name, bytes.fromhex(inner.decode()))))
        rows.sort()  # git's order: folders compare as if their name ended in a slash
        return b"".join(row for _, row in rows)


def _weight(node: Node | None) -> int:
    """About how many bytes a remembered node takes."""
    if node is None:
        return 200
    return 400 + (len(node.data) if node.data is not None else 0) + 150 * len(node.entries or ())
