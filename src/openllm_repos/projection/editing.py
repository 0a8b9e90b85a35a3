"""Single files looked up in, and laid into, a tree that may not be written yet."""

from __future__ import annotations

from collections.abc import Mapping

from openllm_repos.errors import ConflictError
from openllm_repos.projection.trees import FOLDER_MODE, Node, TreeProjector
from openllm_repos.text import show_path

Entry = tuple[bytes, bytes]
"""Mode and hex id of a file."""


def file_at(trees: TreeProjector, node: Node, path: bytes) -> Entry | None:
    """Return mode and hex id of the file at a path, or None where there is none."""
    *folders, name = path.split(b"/")
    for folder in folders:
        below = trees.expanded(node).get(folder, (b"", b""))[1]
        if not isinstance(below, Node):
            return None
        node = below
    mode, item = trees.expanded(node).get(name, (b"", b""))
    return (mode, item) if mode and isinstance(item, bytes) else None


def lay(trees: TreeProjector, node: Node, changes: Mapping[bytes, Entry | None]) -> Node:
    """Return a tree with some of its files changed; folders that are left empty go.

    Args:
        trees: reads folders.
        node: the tree.
        changes: path -> mode and hex id of the new file, None where it goes.

    Raises:
        ConflictError: a file and a folder want the same place.
    """
    gone = {path: None for path, entry in changes.items() if entry is None}
    new = {path: entry for path, entry in changes.items() if entry is not None}
    return _laid(trees, _laid(trees, node, gone, b""), new, b"")


def _laid(trees: TreeProjector, node: Node, changes: Mapping[bytes, Entry | None], place: bytes) -> Node:
    if not changes:
        return node
    entries = dict(trees.expanded(node))
    below: dict[bytes, dict[bytes, Entry | None]] = {}
    for path, entry in changes.items():
        name, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(name, {})[rest] = entry
        elif entry is None:
            entries.pop(name, None)
        elif isinstance(entries.get(name, entry)[1], Node):
            raise _crowded(place + name)
        else:
            entries[name] = (_plain(entry[0]), entry[1])
    for name, inner in below.items():
        item = entries.get(name, (FOLDER_MODE, Node(entries={})))[1]
        if not isinstance(item, Node):
            raise _crowded(place + name)
        changed = _laid(trees, item, inner, place + name + b"/")
        if trees.expanded(changed):
            entries[name] = (FOLDER_MODE, changed)
        else:
            entries.pop(name, None)
    return Node(entries=entries)


def _plain(mode: bytes) -> bytes:
    """Return the mode that git writes today: old trees have such as 100664."""
    if not mode.startswith(b"100"):
        return mode
    return b"100755" if int(mode, 8) & 0o100 else b"100644"


def _crowded(path: bytes) -> ConflictError:
    return ConflictError(
        f"{show_path(path)} is a file on the one side and a folder on the other; one path cannot be both.",
        hint="Rename the one or the other, in the source or in the target, then import again.",
    )
