"""Commits written straight into a repository, as a website writes them: one process each, no work tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.repositories import ADA, Person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.support.repositories import Repository


def write_commit(
    repository: Repository,
    message: str,
    files: Mapping[str, str | bytes | None],
    *,
    at: int,
    branch: str = "main",
    start: str = "",
    merged: Sequence[str] = (),
    author: Person = ADA,
) -> str:
    """Write a commit on `branch` and return its id; a file that is None goes.

    Args:
        repository: where.
        message: of the commit.
        files: path -> content, None to remove it.
        at: seconds since 1970, of author and committer.
        branch: the branch that moves; it begins at `start` where it is not there yet.
        start: the first parent; by default the branch's own tip.
        merged: further parents.
        author: author and committer.
    """
    who = f"{author.name} <{author.email}> {at} +0000\n".encode()
    said = message.encode()
    parts = [f"commit refs/heads/{branch}\n".encode(), b"author ", who, b"committer ", who]
    parts += [b"data %d\n" % len(said), said, b"\n", f"from {start or f'refs/heads/{branch}^0'}\n".encode()]
    parts += [f"merge {one}\n".encode() for one in merged]
    for path, content in files.items():
        if content is None:
            parts.append(f"D {path}\n".encode())
            continue
        data = content.encode() if isinstance(content, str) else content
        parts += [f"M 100644 inline {path}\n".encode(), b"data %d\n" % len(data), data, b"\n"]
    repository.git("fast-import", "--quiet", "--force", data=b"".join(parts))
    return branch_tip(repository, branch)


def branch_tip(repository: Repository, branch: str = "main") -> str:
    """Return the commit of a branch; read as a file where it is one, which takes no process."""
    folder = repository.path if (repository.path / "HEAD").exists() else repository.path / ".git"
    loose = folder / "refs/heads" / branch
    return loose.read_text().strip() if loose.exists() else repository.tip(f"refs/heads/{branch}")
