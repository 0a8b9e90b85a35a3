"""What happens to the ``.gitattributes`` of a target, nested ones included: which paths LFS has before and after."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from openllm_repos.git.attributes import changed_attributes, lfs_paths
from openllm_repos.git.incoming import files_at
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Finding, Rule
from openllm_repos.preflight.fixes import attributes_fix
from openllm_repos.preflight.limits import pointers
from openllm_repos.preflight.push import Push
from openllm_repos.text import show_path

TOP = b".gitattributes"
_LFS_LINE = re.compile(rb"^[^#\n]*\sfilter=lfs(\s|$)", re.MULTILINE)


class Attributes:
    """The attributes of a push's newest commit, held against those of the remote's tip.

    Args:
        repository: the clone.
        reader: reads it.
        push: the push.
    """

    def __init__(self, repository: Repository, reader: ObjectReader, push: Push) -> None:
        self._repository = repository
        self._reader = reader
        self._push = push

    @cached_property
    def files(self) -> dict[bytes, bytes]:
        """Path and blob of every file of the newest commit."""
        return dict(files_at(self._repository, self._push.new))

    def tracked(self, paths: Sequence[bytes]) -> set[bytes]:
        """Return those of `paths` that the newest commit gives to LFS."""
        return lfs_paths(self._repository, self._push.new, paths)

    def lost(self) -> list[Finding]:
        """Return what LFS would lose: the file itself, its lines, or the cover of files that are pointers."""
        tip = self._push.tip
        if tip is None:
            return []
        changed = self._push.changed
        if changed is None:
            changed = changed_attributes(self._repository, tip, self._push.new)
        changed = tuple(path for path in changed if path.rpartition(b"/")[2] == TOP)
        if not changed:
            return []
        by = ", ".join(show_path(path) for path in changed)
        found = [self._finding(TOP, problem, by) for problem in self._top_lost(tip) if TOP in changed]
        before = lfs_paths(self._repository, tip, list(self.files))
        bare = sorted(before - self.tracked(sorted(before)))
        return found + [
            self._finding(path, "is in LFS, and would not be any more", by) for path in self._pointers(bare)
        ]

    def _top_lost(self, tip: ObjectId) -> list[str]:
        if not _LFS_LINE.search(self._content(f"{tip}:".encode() + TOP)):
            return []
        if TOP not in self.files:
            return ["would be deleted, and with it what says which files are in LFS"]
        now = self._content(self.files[TOP])
        return [] if _LFS_LINE.search(now) else ["would keep none of its lines for LFS"]

    def _pointers(self, paths: Sequence[bytes]) -> list[bytes]:
        """Return those of the paths that are LFS pointers in the newest commit."""
        found = pointers(self._reader, (self.files[path] for path in paths))
        return [path for path in paths if self.files[path] in found]

    def _content(self, name: bytes) -> bytes:
        return b"" if self._reader.find(name) is None else self._reader.read(name).data

    def _finding(self, path: bytes, problem: str, by: str) -> Finding:
        size = len(self._content(self.files[path])) if path in self.files else 0
        return Finding(Rule.GITATTRIBUTES, self._push.newest, path, size, problem, attributes_fix(by))
