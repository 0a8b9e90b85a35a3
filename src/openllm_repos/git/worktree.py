"""A temporary work tree in which a person settles a merge. The only place where foreign content is checked out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from openllm_repos.git.merge import Sides
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

    def open(self, sides: Sides) -> None:
        """Check the target's side out and begin the merge; conflicts are left in the files for the person.

        Files that were settled before are settled the same way, and added.
        """
        self._repository.git.run("worktree", "add", "--quiet", "--detach", "--", str(self.path), sides.ours)
        begin = ("merge", "--quiet", "--no-commit", "--no-ff", "--no-verify", sides.theirs)
        with self._rerere():
            self._git.run(*begin, ok=(0, 1), settings=SETTINGS)

    def exists(self) -> bool:
        """Whether its folder is still there."""
        return (self.path / ".git").exists()

    def unsettled(self) -> Sequence[bytes]:
        """Return the paths that are still in conflict, or changed but not added."""
        unmerged = self._git.run("ls-files", "-z", "--unmerged").stdout.split(b"\0")[:-1]
        changed = self._git.run("diff-files", "-z", "--name-only").stdout.split(b"\0")[:-1]
        return sorted({row.partition(b"\t")[2] for row in unmerged} | set(changed))

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

    def tree(self) -> ObjectId:
        """Write what is added as a tree and return its id."""
        return ObjectId(self._git.text("write-tree"))

    def close(self) -> None:
        """Remove it, with everything in it; conflicts that nobody settled are not remembered."""
        if self.exists():
            with self._rerere():
                self._git.run("rerere", "clear", settings=SETTINGS)
            self._repository.git.run("worktree", "remove", "--force", "--force", "--", str(self.path))
        self._repository.git.run("worktree", "prune")
