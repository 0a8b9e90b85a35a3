"""Which paths a tree's own ``.gitattributes`` gives to LFS."""

from __future__ import annotations

import os
from collections.abc import Sequence

from openllm_repos.git.bench import bench
from openllm_repos.git.repository import Repository

# Only what the tree says counts, and as the remote reads it: not the person's own file of attributes, and `*.bin` is
# not `*.BIN`, though a clone on Windows or macOS takes them for one.
_NOT_MINE = (f"core.attributesFile={os.devnull}", "core.ignoreCase=false")


def lfs_paths(repository: Repository, tree: str, paths: Sequence[bytes]) -> set[bytes]:
    """Return those of `paths` whose ``filter`` is ``lfs`` by the attributes in a tree, nested files included.

    git itself answers, from an index of that tree in a folder of its own (``check-attr --source`` needs git 2.40).

    Args:
        repository: the clone.
        tree: names the tree.
        paths: as git stores them; they need not exist in the tree.
    """
    if not paths:
        return set()
    with bench(repository) as empty:
        empty.git.run("read-tree", tree)
        asked = ("check-attr", "--cached", "-z", "--stdin", "filter")
        done = empty.git.run(*asked, stdin=b"\0".join((*paths, b"")), settings=_NOT_MINE)
    fields = done.stdout.split(b"\0")
    return {path for path, value in zip(fields[0::3], fields[2::3], strict=False) if value == b"lfs"}


def changed_attributes(repository: Repository, old: str, new: str) -> tuple[bytes, ...]:
    """Return the paths of the ``.gitattributes`` files, nested ones too, that differ between two trees."""
    asked = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new, "--", ":(top,glob)**/.gitattributes")
    return tuple(repository.git.run(*asked).stdout.split(b"\0")[:-1])
