"""The projection of one tree: for each map the entries that match, placed where the map says.

A filtered tree is built per folder and remembered by the id of the folder it came from, so over a whole history each
distinct folder is read once. A whole folder is never opened at all, and no file content ever is.
"""

from __future__ import annotations

import hashlib
from binascii import unhexlify
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from openllm_repos.errors import ConflictError
from openllm_repos.git.objects import MissingObject, ObjectReader, ReadAhead
from openllm_repos.git.pack import TREE, PackWriter
from openllm_repos.manifest.maps import Map
from openllm_repos.names.pattern import Component
from openllm_repos.projection.node import FOLDER_MODE, GITLINK_MODE, Entries, Node
from openllm_repos.projection.selecting import Level, Selector
from openllm_repos.text import show_path

__all__ = ["FOLDER_MODE", "GITLINK_MODE", "Entries", "Node", "Placement", "TreeProjector"]

_RECENT = 8
_KEPT = 4096  # trees of one folder of a target


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


@dataclass(frozen=True, slots=True)
class _Group:
    """The maps from one folder to one folder: seen from there, one set of patterns.

    Attributes:
        base: number of the folder they come from.
        level: what matches below it.
        rename: the new name of a single file, or None.
    """

    base: int
    level: Level
    rename: bytes | None


_Folders = tuple[bytes | None, ...]
_Patterns = dict[tuple[bytes, bytes, bytes | None], list[tuple[Component, ...]]]  # to, base, rename -> patterns


class _Target:
    """A folder of the projected tree.

    Attributes:
        path: where it is; ends in a slash, but for the root.
        groups: the maps that end up in it.
        below: the folders in it that other maps end up in.
        bases: numbers of the folders that all of these come from.
        built: what came of the ids of these.
    """

    __slots__ = ("bases", "below", "built", "groups", "path")

    def __init__(self, path: bytes, patterns: _Patterns, folders: tuple[bytes, ...]) -> None:
        self.path = path
        self.groups: list[_Group] = []
        inner: dict[bytes, _Patterns] = {}
        for (to, base, rename), some in patterns.items():
            if to:
                name, _, rest = to.partition(b"/")
                inner.setdefault(name, {})[rest, base, rename] = some
            else:
                self.groups.append(_Group(folders.index(base), Level.first(some), rename))
        self.below = {name: _Target(path + name + b"/", some, folders) for name, some in inner.items()}
        numbers = {group.base for group in self.groups}.union(*(target.bases for target in self.below.values()))
        self.bases: tuple[int, ...] = tuple(sorted(numbers))
        self.built: dict[_Folders, Node | None] = {}


class TreeProjector:
    """Projects trees through one target's maps.

    Args:
        reader: reads the source's objects.
        placements: the maps of one target, in any order.
        object_format: ``sha1`` or ``sha256``.

    Attributes:
        folders: the folders that have to be looked up in a commit; :meth:`project` takes their ids in this order.
        is_whole_folder: whether the projection is one folder as it is, at the root, which ``git subtree split`` makes.
    """

    def __init__(self, reader: ObjectReader, placements: Sequence[Placement], object_format: str) -> None:
        self._reader = reader
        self._ahead: ReadAhead | None = None
        self._labels = ", ".join(placement.label for placement in placements)
        digest = hashlib.new(object_format, b"tree 0\0")
        self._empty_tree = digest.hexdigest().encode()
        self._read = lru_cache(_RECENT)(self._read_now)  # maps to several places want the same folder
        self._selector = Selector(self._read, digest.digest_size)
        self._placed: dict[_Folders, bytes | None] = {}
        patterns: _Patterns = {}
        for placement in placements:
            patterns.setdefault((placement.to, placement.base, placement.rename), []).append(placement.rest)
        self.folders = tuple(dict.fromkeys(placement.base for placement in placements))
        self._root = _Target(b"", patterns, self.folders)
        self.is_whole_folder = len(placements) == 1 and any(group.level.whole for group in self._root.groups)

    def read_ahead(self, reader: ObjectReader, folders: Iterable[_Folders]) -> None:
        """Let folders that will be asked for be read before; the reader is used for nothing else from then on."""
        opened = [at for at, base in enumerate(self.folders) if self._opens(self._root, at)]
        self._ahead = ReadAhead(reader, (tree for some in folders for at in opened if (tree := some[at]) is not None))

    def _opens(self, target: _Target, base: int) -> bool:
        """Whether a folder is ever read."""
        here = any(group.base == base and not group.level.whole for group in target.groups)
        return here or any(self._opens(below, base) for below in target.below.values())

    def project(self, folders: _Folders, writer: PackWriter, like: _Folders | None = None) -> bytes | None:
        """Return the hex id of the projected tree, or None where nothing is mapped at all.

        Args:
            folders: hex ids of the trees at :attr:`folders`, None where there is no such folder.
            writer: gets the trees that have to be made.
            like: the folders of a commit that was projected before and differs in little.

        Raises:
            ConflictError: two maps put different content at one path.
            MissingObject: a tree is not in the clone.
        """
        if folders in self._placed:
            return self._placed[folders]
        node = self._build(self._root, folders, like or folders)
        if node is not None and like is not None:
            node.like = node.like or self._placed.get(like)
        tree = None if node is None else self.write(node, writer, b"")
        self._placed[folders] = tree
        return tree

    def build(self, folders: _Folders) -> Node | None:
        """Return the projected tree as nodes that are not written yet, or None where nothing is mapped."""
        return self._build(self._root, folders, folders)

    def _build(self, target: _Target, folders: _Folders, like: _Folders) -> Node | None:
        result: Node | None = None
        for group in target.groups:
            folder = folders[group.base]
            if folder is None or (target.path and folder == self._empty_tree):
                continue
            selected = self._selector.select(group.level, folder, like[group.base])
            if selected is not None and group.rename is not None:
                ((mode, item),) = self.expanded(selected).values()
                selected = Node(entries={group.rename: (mode, item)})
            if selected is not None:
                result = selected if result is None else self._overlay(result, selected, target.path)
        below: Entries = {}
        for name, inner in target.below.items():
            key = tuple([folders[base] for base in inner.bases])
            if key not in inner.built:
                if len(inner.built) == _KEPT:
                    inner.built.clear()
                inner.built[key] = built = self._build(inner, folders, like)
                before = inner.built.get(tuple([like[base] for base in inner.bases]))
                if built is not None and before is not None:
                    built.like = built.like or before.id
            node = inner.built[key]
            if node is not None:
                below[name] = (FOLDER_MODE, node)
        if not below:
            return result
        return Node(entries=below) if result is None else self._overlay(result, Node(entries=below), target.path)

    def _read_now(self, tree: bytes) -> bytes:
        """Return the content of a tree."""
        found = None if self._ahead is None else self._ahead.take(tree)
        found = found or self._reader.read(tree)
        if found.type != b"tree":
            raise MissingObject(tree)
        return found.data

    def expanded(self, node: Node) -> Entries:
        """Return a node's entries; a folder taken whole is read now."""
        if node.entries is not None:
            return node.entries
        if node.parts is not None:
            return self._selector.entries(node.parts)
        assert node.id is not None  # a node has one of the three forms
        return {
            name: (mode, Node(tree=item) if mode == FOLDER_MODE else item) for mode, name, item in self.entries(node.id)
        }

    def entries(self, tree: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Yield mode, name and hex id of each entry of a tree; folders always with mode ``40000``."""
        return self._selector.rows(self._read(tree))

    def _overlay(self, one: Node, two: Node, path: bytes) -> Node:
        """Lay two trees over each other; the same path twice is fine only with the same content."""
        if one is two or (one.id is not None and one.id == two.id):
            return one
        if one.parts is not None and two.entries is not None:
            parts = self._selector.inserted(one.parts, two.entries)
            if parts is not None:
                return Node(parts=parts)
        merged = dict(self.expanded(one))
        for name, (mode, item) in self.expanded(two).items():
            other_mode, other = merged.get(name, (b"", b""))
            if isinstance(other, Node) and isinstance(item, Node):
                merged[name] = (FOLDER_MODE, self._overlay(other, item, path + name + b"/"))
            elif not other_mode or (mode, item) == (other_mode, other):
                merged[name] = (mode, item)
            else:
                clash = show_path(path + name)
                raise ConflictError(
                    f"Two maps put different content at {clash}: {self._labels}.",
                    hint="Narrow one of the patterns, or map to another folder.",
                )
        return Node(entries=merged)

    def write(self, node: Node, writer: PackWriter, path: bytes) -> bytes:
        """Write a node and the nodes below it, and return its hex id."""
        if node.id is None:
            node.id = writer.add(TREE, *self._rows(node, writer, path), place=path, like=node.like)
        return node.id

    def _rows(self, node: Node, writer: PackWriter, path: bytes) -> list[bytes]:
        """Return the content of a node, in pieces."""
        if node.parts is not None:
            pieces = [part if isinstance(part, bytes) else b"" for part in node.parts]
            for at, part in enumerate(node.parts) if b"" in pieces else ():
                if not isinstance(part, bytes):
                    pieces[at] = _row(FOLDER_MODE, part[0], self.write(part[1], writer, path + part[0] + b"/"))
            return pieces
        assert node.entries is not None  # a node has one of the three forms
        rows: dict[bytes, bytes] = {}
        for name, (mode, item) in node.entries.items():
            if isinstance(item, Node):
                rows[name + b"/"] = _row(mode, name, self.write(item, writer, path + name + b"/"))
            else:
                rows[name] = _row(mode, name, item)
        return [rows[name] for name in sorted(rows)]  # git's order: folders compare as if their name ended in a slash


def _row(mode: bytes, name: bytes, item: bytes) -> bytes:
    return b"%b %b\0%b" % (mode, name, unhexlify(item))
