"""What differs between two trees, file by file; folders with one id are not opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import PackWriter
from openllm_repos.manifest.maps import Map
from openllm_repos.plan import Change, FileChange
from openllm_repos.projection.editing import Entry, file_at, lay
from openllm_repos.projection.trees import FOLDER_MODE, Entries, Node, Placement, TreeProjector


class MappedPart:
    """The part of a target's trees that its maps can write; everything else is the target's own.

    Args:
        reader: reads the objects of both sides.
        maps: the target's maps.
        object_format: ``sha1`` or ``sha256``.
    """

    def __init__(self, reader: ObjectReader, maps: tuple[Map, ...], object_format: str) -> None:
        self._reader = reader
        self._maps = maps
        self._projector = TreeProjector(reader, [Placement.within_target(a_map) for a_map in maps], object_format)

    def of(self, tree: bytes | None) -> Node:
        """Return the mapped part of a tree (hex id; None is the empty tree)."""
        if tree is None:
            return Node(entries={})
        folders = [self._folder(tree, base) for base in self._projector.folders]
        return self._projector.build(tuple(folders)) or Node(entries={})

    def _folder(self, tree: bytes, base: bytes) -> bytes | None:
        found = self._reader.find(tree + b":" + base if base else tree)
        return found[0] if found is not None and found[1] == b"tree" else None

    def holds(self, path: bytes) -> bool:
        """Whether a map can write `path`."""
        return any(a_map.output.matches(path) for a_map in self._maps)

    def write(self, node: Node, writer: PackWriter) -> bytes:
        """Write a mapped part as a tree of its own and return its hex id."""
        return self._projector.write(node, writer, b"")

    def without(self, node: Node, paths: Sequence[bytes]) -> Node:
        """Return a mapped part less some of its files."""
        entries = dict(self._projector.expanded(node))
        below: dict[bytes, list[bytes]] = {}
        for path in paths:
            name, slash, rest = path.partition(b"/")
            if slash:
                below.setdefault(name, []).append(rest)
            else:
                del entries[name]
        for name, inner in below.items():
            item = entries[name][1]
            assert isinstance(item, Node)  # the paths are this part's own
            smaller = self.without(item, inner)
            if smaller.entries:
                entries[name] = (FOLDER_MODE, smaller)
            else:
                del entries[name]
        return Node(entries=entries)

    def file(self, node: Node, path: bytes) -> Entry | None:
        """Return a file of a mapped part, None where it has none there."""
        return file_at(self._projector, node, path)

    def with_files(self, node: Node, files: Mapping[bytes, Entry | None]) -> Node:
        """Return a mapped part with some of its files changed; None takes one away."""
        return lay(self._projector, node, files) if files else node

    def in_place(self, tree: bytes, node: Node) -> tuple[Node, tuple[bytes, ...]]:
        """Put a mapped part into a whole tree, in place of the one that is there.

        Args:
            tree: hex id of the whole tree.
            node: a mapped part.

        Returns:
            The tree that results, and the files of `node` that it has no room for: the rest of the tree has a folder in
            the place of the file, or a file in the place of one of its folders.
        """
        paths = [change.path for change in self.changes(Node(entries={}), self.of(tree))]
        crowded: list[bytes] = []
        return self._laid_into(self.without(Node(tree=tree), paths), node, b"", crowded), tuple(crowded)

    def _laid_into(self, own: Node, node: Node, path: bytes, crowded: list[bytes]) -> Node:
        entries = dict(self._projector.expanded(own))
        for name, (mode, item) in self._projector.expanded(node).items():
            there = entries.get(name)
            if there is None:
                entries[name] = (mode, item)
            elif isinstance(there[1], Node) and isinstance(item, Node):
                entries[name] = (mode, self._laid_into(there[1], item, path + name + b"/", crowded))
            else:
                part = Node(entries={name: (mode, item)})
                crowded += [change.path for change in self._changes(Node(entries={}), part, path)]
        return Node(entries=entries)

    def changes(self, old: Node, new: Node) -> tuple[FileChange, ...]:
        """Return what changes from one mapped part to another, by path."""
        return tuple(sorted(self._changes(old, new, b""), key=lambda change: change.path))

    def files(self, node: Node) -> tuple[FileChange, ...]:
        """Return all files of a mapped part, as additions to nothing, by path."""
        return self.changes(Node(entries={}), node)

    def tree_changes(self, old: bytes | None, new: bytes) -> tuple[FileChange, ...]:
        """Return what changes from one whole tree to another, mapped or not, by path."""
        return self.changes(Node(entries={}) if old is None else Node(tree=old), Node(tree=new))

    def _changes(self, old: Node, new: Node, path: bytes) -> Iterator[FileChange]:
        if (
            old is new
            or (old.id is not None and old.id == new.id)
            or (old.parts is not None and old.parts == new.parts)
        ):
            return
        before, after = self._projector.expanded(old), self._projector.expanded(new)
        for name in sorted(before.keys() | after.keys()):
            yield from self._entry_changes(before, after, name, path + name)

    def _entry_changes(self, before: Entries, after: Entries, name: bytes, path: bytes) -> Iterator[FileChange]:
        (_, one), (_, two) = before.get(name, (b"", b"")), after.get(name, (b"", b""))
        if isinstance(one, Node) or isinstance(two, Node):
            nothing = Node(entries={})
            yield from self._changes(
                one if isinstance(one, Node) else nothing, two if isinstance(two, Node) else nothing, path + b"/"
            )
        if isinstance(one, bytes) and isinstance(two, bytes) and not _same(before.get(name), after.get(name)):
            yield _change(path, before.get(name), after.get(name))
        elif isinstance(one, bytes) and one and isinstance(two, Node):
            yield _change(path, before[name], None)
        elif isinstance(two, bytes) and two and isinstance(one, Node):
            yield _change(path, None, after[name])


def _same(one: tuple[bytes, bytes | Node] | None, two: tuple[bytes, bytes | Node] | None) -> bool:
    """Whether two entries are the same for git. Old ones have modes such as 100664, which a merge writes as 100644."""
    if one is None or two is None or one[1] != two[1]:
        return one is two
    return _canonical(one[0]) == _canonical(two[0])


def _canonical(mode: bytes) -> bytes:
    if not mode.startswith(b"100"):
        return mode
    return b"100755" if int(mode, 8) & 0o100 else b"100644"


def _change(path: bytes, old: tuple[bytes, bytes | Node] | None, new: tuple[bytes, bytes | Node] | None) -> FileChange:
    kind = Change.ADDED if old is None else Change.DELETED if new is None else Change.MODIFIED
    return FileChange(path, kind, _blob(old), _blob(new))


def _blob(entry: tuple[bytes, bytes | Node] | None) -> tuple[bytes, bytes] | None:
    if entry is None or isinstance(entry[1], Node) or entry[0] == FOLDER_MODE:
        return None
    return entry[0], entry[1]
