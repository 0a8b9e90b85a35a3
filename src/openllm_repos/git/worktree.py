"""A temporary work tree in which a person settles a merge. The only place where foreign content is checked out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from openllm_repos.git.markers import relabel
from openllm_repos.git.merge import SETTINGS as MERGE_SETTINGS
from openllm_repos.git.merge import Merged, Sides, index_rows
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.process import Git
from openllm_repos.git.remembered import SETTINGS, memory
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId

# Large files stay pointers: a merge of text does not need them, and filters of foreign content need not run.
_ENVIRONMENT = {"GIT_LFS_SKIP_SMUDGE": "1"}


class MergeWorktree:
    """A linked work tree with a merge in progress in it.

    Args:
        repository: the clone that it is linked to.
        path: its folder.
    """

    def __init__(self, repository: Repository, path: Path) -> None:
        self._repository = repository
        self.path = path
        self._git = Git(None, path, _ENVIRONMENT)

    def open(self, sides: Sides, merged: Merged, ours: str, theirs: str) -> None:
        """Check the target's side out and begin the merge; conflicts are left in the files for the person.

        Files that were settled before are settled the same way, and added.

        Args:
            sides: what is merged.
            merged: what came of it in the object store.
            ours: the name of our side, for the markers in files.
            theirs: the name of the other.
        """
        self._repository.git.run("worktree", "add", "--quiet", "--detach", "--", str(self.path), sides.ours)
        begin = ("merge", "--quiet", "--no-commit", "--no-ff", "--no-verify", "--no-verify-signatures", sides.theirs)
        with self._rerere():
            self._git.run(*begin, ok=(0, 1), settings=(*SETTINGS, *MERGE_SETTINGS))
        labels = {sides.ours.encode(): ours.encode(), sides.theirs.encode(): theirs.encode()}
        with ObjectReader(self._repository.git) as reader:
            for path in self._unmerged():
                file = self._file(path)
                name = f"{merged.conflicted}:".encode() + path
                found = None if b"\n" in path or not _is_regular(file) else reader.find(name)
                if found is not None and found[1] == b"blob":
                    conflicted = reader.read(found[0]).data
                    file.write_bytes(relabel(file.read_bytes(), conflicted, labels, sides.ours.encode()))

    def exists(self) -> bool:
        """Whether its folder is still there."""
        return (self.path / ".git").exists()

    def unsettled(self) -> Sequence[bytes]:
        """Return the paths that are still in conflict, or changed but not added."""
        changed = self._git.run("diff-files", "-z", "--name-only").stdout.split(b"\0")[:-1]
        return sorted({*self._unmerged(), *changed})

    def _unmerged(self) -> Sequence[bytes]:
        rows = self._git.run("ls-files", "-z", "--unmerged").stdout.split(b"\0")[:-1]
        return sorted({row.partition(b"\t")[2] for row in rows})

    def _file(self, path: bytes) -> Path:
        return self.path / os.fsdecode(path)

    def read(self, path: bytes) -> bytes:
        """Return what a file holds; nothing where there is none."""
        file = self._file(path)
        return file.read_bytes() if _is_regular(file) else b""

    def fingerprints(self, paths: Sequence[bytes]) -> dict[bytes, str]:
        """Return what tells whether a file was touched since, for those of `paths` that are files or links."""
        found = {}
        for path in paths:
            file = self._file(path)
            if file.is_symlink():
                found[path] = f"link {file.readlink()}"
            elif _is_regular(file):
                mode = "x" if file.stat().st_mode & stat.S_IXUSR else "-"
                found[path] = f"{mode} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        return found

    def added(self, paths: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return what is added at some paths: mode and blob, for those that are there."""
        done = self._git.run("--literal-pathspecs", "ls-files", "-z", "--stage", "--", *map(os.fsdecode, paths))
        rows = (row.partition(b"\t") for row in done.stdout.split(b"\0")[:-1])
        return {path: fields.rpartition(b" ")[0] for fields, _, path in rows}

    def remember(self, instead: Sequence[bytes] = ()) -> None:
        """Remember how the conflicts were settled, for the next merge that has the same.

        Args:
            instead: paths that were settled as before, and then by the person in another way.
        """
        with self._rerere():
            if instead:
                self._git.run(
                    "--literal-pathspecs", "rerere", "forget", "--", *map(os.fsdecode, instead), settings=SETTINGS
                )
            self._git.run("rerere", settings=SETTINGS)

    @contextlib.contextmanager
    def _rerere(self) -> Iterator[None]:
        """Let git use its memory. Outside of this, the list of conflicts that it watches is out of sight.

        Where `git mergetool` sees that list it asks rerere what is left to merge; switched off, that says: nothing.
        """
        watched = Path(self._git.text("rev-parse", "--absolute-git-dir")) / "MERGE_RR"
        aside = watched.with_name("MERGE_RR.openllm-repos")
        if aside.exists():
            aside.rename(watched)
        with memory(self._repository):
            yield
        if watched.exists():
            watched.rename(aside)

    def tree(self, instead: Mapping[bytes, tuple[bytes, bytes] | None]) -> ObjectId:
        """Write what is added as a tree and return its id.

        Args:
            instead: mode and blob to take for some paths, whatever is added there; None leaves the path out.
        """
        if not instead:
            return ObjectId(self._git.text("write-tree"))
        with tempfile.TemporaryDirectory(prefix="openllm-repos-") as place:
            index = Path(place, "index")
            shutil.copyfile(Path(self._git.text("rev-parse", "--absolute-git-dir")) / "index", index)
            git = replace(self._git, extra={**self._git.extra, "GIT_INDEX_FILE": str(index)})
            git.run("update-index", "-z", "--index-info", stdin=index_rows(instead, self._repository.id_length))
            return ObjectId(git.text("write-tree", "--missing-ok"))

    def close(self) -> None:
        """Remove it, with everything in it; conflicts that nobody settled are not remembered."""
        if self.exists():
            with self._rerere():
                self._git.run("rerere", "clear", settings=SETTINGS)
            self._repository.git.run("worktree", "remove", "--force", "--force", "--", str(self.path))
        self._repository.git.run("worktree", "prune")


def _is_regular(file: Path) -> bool:
    return not file.is_symlink() and file.is_file()


def branches_in_use(repository: Repository) -> frozenset[str]:
    """Return the branches (full ref names) that are checked out in the clone or a work tree linked to it."""
    rows = repository.git.run("worktree", "list", "--porcelain", "-z").stdout.split(b"\0")
    return frozenset(row[7:].decode("utf-8", "surrogateescape") for row in rows if row.startswith(b"branch "))
