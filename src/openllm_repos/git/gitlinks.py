"""Pins: the commits of other repositories that a tree or the index holds (mode 160000), read and written.

They are written into the index directly, by git itself under its own lock. No object of the other repository is needed,
and no command of `git submodule` runs: what a ``.gitmodules`` says is never carried out here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openllm_repos.git.process import Completed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId

GITLINK = b"160000"
PLAIN_FILE = b"100644"
_SKIPPED = b"S"  # `ls-files -t`: outside of what a sparse checkout has in the work tree


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One entry of the index.

    Attributes:
        path: as git stores it.
        mode: as six digits.
        id: hex id.
        stage: 0, or 1 to 3 while a merge is in conflict.
        skipped: whether a sparse checkout leaves it out of the work tree.
    """

    path: bytes
    mode: bytes
    id: bytes
    stage: int
    skipped: bool

    @property
    def is_gitlink(self) -> bool:
        """Whether it is a pin."""
        return self.mode == GITLINK


def pins_in_commit(repository: Repository, commit: ObjectId, paths: Sequence[str]) -> dict[str, ObjectId]:
    """Return which commit of another repository a commit of this one holds at each of `paths`; others are left out."""
    if not paths:
        return {}
    asked = ("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", *paths)
    rows = [row.partition(b"\t") for row in repository.git.run(*asked).stdout.split(b"\0") if row]
    links = {path.decode("utf-8", "surrogateescape"): what.split(b" ") for what, _, path in rows}
    return {path: ObjectId(what[2].decode()) for path, what in links.items() if what[0] == GITLINK}


def all_pins(repository: Repository, commit: ObjectId) -> dict[bytes, ObjectId]:
    """Return every pin of a commit, at any depth: path and the commit that is pinned there."""
    listed = repository.git.run("ls-tree", "-r", "-z", "--full-tree", commit).stdout
    rows = [row.partition(b"\t") for row in listed.split(b"\0") if row.startswith(GITLINK)]
    return {path: ObjectId(what.split(b" ")[2].decode()) for what, _, path in rows}


def index_entries(repository: Repository, paths: Sequence[str]) -> tuple[IndexEntry, ...]:
    """Return the entries of the index at, or below, each of `paths`."""
    asked = ("--literal-pathspecs", "ls-files", "--stage", "-t", "-z", "--full-name", "--", *paths)
    listed = repository.person().run(*asked).stdout
    return tuple(_entry(row) for row in listed.split(b"\0") if row)


def _entry(row: bytes) -> IndexEntry:
    """Read ``S 100644 <id> 0<TAB>path``."""
    what, _, path = row.partition(b"\t")
    letter, mode, found, stage = what.split(b" ")
    return IndexEntry(path, mode, found, int(stage), letter == _SKIPPED)


def write_index(
    repository: Repository,
    pins: Mapping[str, ObjectId],
    files: Mapping[str, tuple[bytes, bytes]],
    *,
    skipped: Sequence[str] = (),
) -> None:
    """Write entries into the index, all of them or none.

    Args:
        repository: the clone.
        pins: path -> the commit of another repository.
        files: path -> mode and content of a plain file.
        skipped: those of the paths that a sparse checkout leaves out of the work tree; git would forget that of them.

    Raises:
        GitFailed: another git holds the index; then nothing has changed.
    """
    rows = [b"%b %b\t%b\0" % (GITLINK, commit.encode(), path.encode()) for path, commit in pins.items()]
    for path, (mode, content) in files.items():
        blob = repository.git.run("hash-object", "-w", "--stdin", stdin=content).stdout.strip()
        rows.append(b"%b %b\t%b\0" % (mode, blob, path.encode()))
    if rows:
        repository.git.run("update-index", "-z", "--index-info", stdin=b"".join(rows))
    if skipped:
        given = b"".join(path.encode() + b"\0" for path in skipped)
        repository.git.run("update-index", "-z", "--skip-worktree", "--stdin", stdin=given)


def checked_out(repository: Repository, path: str) -> tuple[ObjectId | None, int]:
    """Say what is checked out in a submodule of the work tree.

    Returns:
        Its HEAD (None where it has none), and how many of its files are changed or new.
    """
    assert repository.top is not None  # whoever asks has looked into it
    from openllm_repos.git.process import Git

    folder = repository.top / path
    git = Git(folder / ".git", folder, {})
    said: Completed = git.run("rev-parse", "--verify", "--quiet", "HEAD", ok=(0, 1, 128))
    head = ObjectId(said.stdout.decode().strip()) if said.code == 0 else None
    rows = git.run("status", "--porcelain", "-z", "--no-renames").stdout.split(b"\0")
    return head, sum(1 for row in rows if row)
