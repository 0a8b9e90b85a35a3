"""Questions about ancestry, and writing single commits."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from datetime import UTC, datetime

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.process import GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.path import FolderPath

_NEAR = 30  # commits that are read one by one before git is asked


def near_line(reader: ObjectReader, tip: ObjectId, ends: Container[ObjectId]) -> tuple[list[ObjectId], bool] | None:
    """Return a branch's own line down to one of some commits, newest first, and whether no merge stands on it.

    Mostly a few commits are new, and then this needs no process. None where the commit is further away, or elsewhere.
    """
    line: list[ObjectId] = []
    alone = True
    while tip not in ends:
        parents = parents_of(reader, tip)
        if not parents or len(line) == _NEAR:
            return None
        line.append(tip)
        alone = alone and len(parents) == 1
        tip = parents[0]
    return line, alone


def is_ancestor(repository: Repository, old: ObjectId, new: ObjectId, reader: ObjectReader | None = None) -> bool:
    """Whether `old` is `new` or in its history; with a reader, what is near needs no process."""
    if old == new or (reader is not None and near_line(reader, new, {old}) is not None):
        return True
    return repository.git.run("merge-base", "--is-ancestor", old, new, ok=(0, 1)).code == 0


def merge_base(repository: Repository, one: ObjectId, two: ObjectId) -> ObjectId | None:
    """Return git's best common ancestor, or None for unrelated histories."""
    done = repository.git.run("merge-base", one, two, ok=(0, 1))
    return ObjectId(done.stdout.decode().split()[0]) if done.code == 0 else None


def fork_point(repository: Repository, tracking: str, commit: ObjectId) -> ObjectId | None:
    """Return the newest commit in the history of `commit` that a ref has, or once had as its reflog knows."""
    done = repository.git.run("merge-base", "--fork-point", tracking, commit, ok=(0, 1, 128))  # 128: no such ref
    return ObjectId(done.stdout.decode().strip()) if done.code == 0 else None


def count(
    repository: Repository, tip: ObjectId, *, without: Sequence[ObjectId], reader: ObjectReader | None = None
) -> int:
    """Return the number of commits in the history of `tip` that are in the history of none of `without`."""
    near = None if reader is None else near_line(reader, tip, without)
    if near is not None and near[1] and len(without) == 1:
        return len(near[0])
    return int(repository.git.text("rev-list", "--count", tip, *(f"^{commit}" for commit in without), "--"))


def commits(repository: Repository, tip: ObjectId, *, without: Sequence[ObjectId]) -> Iterator[ObjectId]:
    """Yield the commits in the history of `tip` that are in the history of none of `without`, newest first."""
    for line in repository.git.stream("rev-list", tip, *(f"^{commit}" for commit in without), "--"):
        yield ObjectId(line.decode().strip())


def commits_touching(
    repository: Repository, tip: ObjectId, paths: Sequence[bytes], *, without: Sequence[ObjectId], not_saying: str
) -> tuple[ObjectId, ...]:
    """Return the commits that changed one of `paths`, newest first.

    Args:
        repository: the clone.
        tip: where to start.
        paths: as git stores them. git takes them a line each, so one with a line end in its name is left out.
        without: commits whose history does not count.
        not_saying: an extended regular expression; commits with a line that matches it do not count.
    """
    named = [path for path in paths if b"\n" not in path]
    if not named:
        return ()
    given = b"\n".join((tip.encode(), *(b"^" + commit.encode() for commit in without), b"--", *named, b""))
    options = ("--extended-regexp", "--invert-grep", f"--grep={not_saying}")
    done = repository.git.run("--literal-pathspecs", "rev-list", *options, "--stdin", stdin=given)
    return tuple(ObjectId(line) for line in done.lines())


def own_commits(
    repository: Repository, tip: ObjectId, patterns: Sequence[str], since: ObjectId | None
) -> list[tuple[ObjectId, bool]]:
    """Return the commits that changed a path of one of the patterns, oldest first, and whether each is a merge.

    Args:
        repository: the clone.
        tip: where to start.
        patterns: their canonical texts (:class:`~openllm_repos.names.pattern.Pattern`).
        since: its history does not count; None counts all.
    """
    rows = [tip, *([] if since is None else [f"^{since}"]), "--", *(f":(top,glob){pattern}" for pattern in patterns)]
    asked = ("log", "--format=%H %P", "--full-history", "--date-order", "--reverse", "--stdin")
    found = (line.split() for line in repository.git.run(*asked, stdin=("\n".join(rows) + "\n").encode()).lines())
    return [(ObjectId(commit), len(parents) > 1) for commit, *parents in found]


def first_parents(repository: Repository, tip: ObjectId, path: bytes, *, without: ObjectId | None) -> list[ObjectId]:
    """Return the commits of a branch's own line that changed a file, newest first.

    Args:
        repository: the clone.
        tip: where to start.
        path: as git stores it; without a line end.
        without: its history does not count.
    """
    rows = b"\n".join((tip.encode(), *([] if without is None else [b"^" + without.encode()]), b"--", path, b""))
    done = repository.git.run("--literal-pathspecs", "rev-list", "--first-parent", "--stdin", stdin=rows)
    return [ObjectId(line) for line in done.lines()]


def knows_object(repository: Repository, tip: ObjectId, path: bytes, blob: bytes) -> bool:
    """Whether a file (its path as git stores it) ever was a blob (hex id) in the history of `tip`."""
    asked = (
        "log",
        "--full-history",
        "-m",
        "--max-count=1",
        "--format=%H",
        "--no-renames",
        f"--find-object={blob.decode()}",
    )
    rows = b"\n".join((tip.encode(), b"--", path, b""))
    return bool(
        repository.git.run(
            "--literal-pathspecs", *asked, f"--find-object={blob.decode()}", "--stdin", stdin=rows
        ).stdout
    )


def parents_of(reader: ObjectReader, commit: ObjectId) -> list[ObjectId]:
    """Return the parents of a commit."""
    head = reader.read(commit.encode()).data.partition(b"\n\n")[0].split(b"\n")
    return [ObjectId(line[7:].decode()) for line in head if line.startswith(b"parent ")]


def root_of(repository: Repository, tip: ObjectId) -> ObjectId:
    """Return the first commit of a branch's own line."""
    return ObjectId(repository.git.text("rev-list", "--first-parent", "--max-parents=0", tip, "--").split("\n")[-1])


def last_touching(
    repository: Repository, tip: ObjectId, pattern: str, *, without: Sequence[ObjectId]
) -> ObjectId | None:
    """Return the newest commit that changed a path of a pattern (:class:`~openllm_repos.names.pattern.Pattern`).

    Args:
        repository: the clone.
        tip: where to start.
        pattern: its canonical text.
        without: commits whose history does not count.
    """
    excluded = [f"^{commit}" for commit in without]
    found = repository.git.text("rev-list", "--max-count=1", tip, *excluded, "--", f":(top,glob){pattern}")
    return ObjectId(found) if found else None


def files_below(repository: Repository, commit: ObjectId, folder: FolderPath) -> Iterator[bytes]:
    """Yield the paths of all files of a commit that lie below a folder (``""`` is the top)."""
    below = ("--", f"{folder}/") if folder else ()
    listed = repository.git.run(
        "--literal-pathspecs", "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, *below
    )
    yield from listed.stdout.split(b"\0")[:-1]


def write_commit(repository: Repository, tree: str, parents: Sequence[ObjectId], message: str) -> ObjectId:
    """Write a commit by the person at this machine, dated now, and return its id. No ref moves.

    Raises:
        EnvironmentProblem: git does not know who the person is.
    """
    args = [arg for parent in parents for arg in ("-p", parent)]
    try:
        done = repository.git.run("commit-tree", *args, "-F", "-", tree, stdin=message.encode())
    except GitFailed:
        if repository.git.run("var", "GIT_COMMITTER_IDENT", ok=(0, 128)).code == 0:
            raise
        raise EnvironmentProblem(
            "git does not know who you are, and a sync writes a commit in your name.",
            hint='git config --global user.name "Your Name"\ngit config --global user.email you@example.com',
        ) from None
    return ObjectId(done.stdout.decode().strip())


def committed_at(reader: ObjectReader, tip: ObjectId | None) -> datetime | None:
    """Return when a commit was made, if it is here."""
    if tip is None or reader.find(tip.encode()) is None:
        return None
    headers = reader.read(tip.encode()).data.partition(b"\n\n")[0].split(b"\n")
    stamp = next((line.split(b" ")[-2] for line in headers if line.startswith(b"committer ")), b"")
    try:
        return datetime.fromtimestamp(int(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None  # a date that no calendar has
