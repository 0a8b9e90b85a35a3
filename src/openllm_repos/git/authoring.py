"""What a person does in a clone: write files, commit, branch, merge, push. By GitPython; the engine never needs it.

Only for content of our own (the demo): GitPython's commands take their words as options if they look like some, so no
text from a manifest or a remote may come here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openllm_repos.git.environment import git_environment

if TYPE_CHECKING:
    import git


@dataclass(frozen=True, slots=True)
class Author:
    """Who commits, and when: seconds since 1970, UTC."""

    name: str
    mail: str
    when: int


class Workspace:
    """A clone with a work tree.

    Args:
        repo: GitPython's view of it.
        environment: what git gets beside our own environment, such as a credential for ``origin``.
    """

    def __init__(self, repo: git.Repo, environment: Mapping[str, str]) -> None:
        self._repo = repo
        self._repo.git.update_environment(**(git_environment() | dict(environment)))
        self.folder = Path(str(repo.working_tree_dir))

    @classmethod
    def create(
        cls, folder: Path, url: str, settings: Mapping[str, str], environment: Mapping[str, str] | None = None
    ) -> Workspace:
        """Make a new one on the branch ``main``.

        Args:
            folder: absolute; made if it is not there.
            url: of ``origin``.
            settings: of its own, such as ``user.name``.
            environment: see the class.
        """
        import git  # runs git as it is imported, so not before the environment is the sandbox's

        repo = git.Repo.init(folder, initial_branch="main")
        for key, value in settings.items():
            repo.git.config(key, value)
        repo.git.remote("add", "origin", url)
        return cls(repo, environment or {})

    def commit(self, message: str, author: Author, files: Mapping[str, str | bytes | None]) -> str:
        """Write files (None deletes one), commit them, and return the commit's id."""
        for path, content in files.items():
            place = self.folder / path
            if content is None:
                self._repo.index.remove([path], working_tree=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        self._repo.index.add([path for path, content in files.items() if content is not None])
        return self._committed(message, author, [self._repo.head.commit] if self._repo.head.is_valid() else [])

    def branch(self, name: str) -> None:
        """Start a branch here and stand on it."""
        self._repo.git.checkout("--quiet", "-b", name)

    def switch(self, name: str) -> None:
        """Stand on a branch that exists."""
        self._repo.git.checkout("--quiet", name)

    def merge(self, name: str, message: str, author: Author) -> str:
        """Merge a branch into the one stood on, without conflicts and never as a fast-forward, and delete it."""
        other = self._repo.heads[name].commit
        self._repo.git.merge("--quiet", "--no-commit", "--no-ff", name)
        merged = self._committed(message, author, [self._repo.head.commit, other])
        self._repo.git.branch("--quiet", "--delete", "--force", name)
        return merged

    def _committed(self, message: str, author: Author, parents: Sequence[git.Commit]) -> str:
        from git import Actor

        who, when = Actor(author.name, author.mail), f"{author.when} +0000"
        made = self._repo.index.commit(
            message, parent_commits=list(parents), author=who, committer=who, author_date=when, commit_date=when
        )
        (Path(str(self._repo.git_dir)) / "MERGE_HEAD").unlink(missing_ok=True)
        return made.hexsha

    def push(self) -> None:
        """Push ``main`` to ``origin``."""
        self._repo.git.push("--quiet", "origin", "main")

    def pull(self) -> None:
        """Take over what ``origin`` has; there is nothing of our own to merge it with."""
        self._repo.git.fetch("--quiet", "origin")
        self._repo.git.merge("--quiet", "--ff-only", "origin/main")

    def graph(self, folder: str) -> str:
        """Return the history of one folder as a picture, newest first."""
        form = "%h %an, %ad: %s"
        return str(self._repo.git.log("--graph", "--date=short", f"--format={form}", "origin/main", "--", folder))
