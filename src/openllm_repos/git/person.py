"""What a person would do in their clone by hand, with their own hooks and settings: commit one file."""

from __future__ import annotations

from openllm_repos.git.process import GitFailed
from openllm_repos.git.repository import Repository

_LITERAL = "--literal-pathspecs"


def is_changed(repository: Repository, path: str) -> bool:
    """Whether a file differs from what is committed, or is not committed at all; an unreadable work tree says no.

    Args:
        repository: the clone.
        path: the file, absolute or from the top of the work tree.
    """
    listed = ("status", "--porcelain=v2", "-z", "--untracked-files=all", "--", path)
    done = repository.person().run(_LITERAL, *listed, ok=(0, 128))
    return done.code == 0 and bool(done.stdout)


def commit_file(repository: Repository, path: str, message: str) -> None:
    """Commit one file on the branch that is checked out; whatever else is staged stays so.

    Args:
        repository: a clone with a work tree.
        path: the file, absolute or from the top of the work tree.
        message: of the commit.

    Raises:
        GitFailed: git, or a hook of the person's, did not want it. What was staged for it is unstaged.
    """
    git = repository.person()
    git.run(_LITERAL, "add", "--", path)
    try:
        git.run(_LITERAL, "commit", "--quiet", "--only", f"--message={message}", "--", path, hooks=True)
    except GitFailed:
        git.run(_LITERAL, "reset", "--quiet", "--", path, ok=range(256))
        raise
