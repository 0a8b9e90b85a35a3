"""A folder of a projected tree, before it is written."""

from __future__ import annotations

from collections.abc import Sequence

FOLDER_MODE = b"40000"
GITLINK_MODE = b"160000"


class Node:
    """A folder of a projected tree, in the cheapest of three forms.

    Attributes:
        entries: name -> (mode as git writes it, hex id or Node); None in the other forms.
        parts: its content as rows of files, and folders between them; None in the other forms.
        like: hex id of another version of this folder, if one was written.
        id: hex id, known from the start where a folder is taken whole, else once it was written.
    """

    __slots__ = ("entries", "id", "like", "parts")

    def __init__(
        self,
        *,
        entries: Entries | None = None,
        parts: Sequence[Part] | None = None,
        tree: bytes | None = None,
        like: bytes | None = None,
    ) -> None:
        self.entries = entries
        self.parts = parts
        self.like = like
        self.id = tree


Entries = dict[bytes, tuple[bytes, "bytes | Node"]]
Part = bytes | tuple[bytes, Node]
"""Some rows of files and symlinks as they stand in a tree; or a folder's name, and what is in it."""
