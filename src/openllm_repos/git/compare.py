"""Many trees compared at once, by the ids of their files: no file content is read, a clone need not even have it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId

_AT_ONCE = 2_000  # comparisons a process; what it prints is held in memory
_PLAIN = ("-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=none")
_ABSENT = b"000000"


@dataclass(frozen=True, slots=True)
class Row:
    """One file that differs: mode and hex id before and after, None where it is absent."""

    path: bytes
    old: tuple[bytes, bytes] | None
    new: tuple[bytes, bytes] | None


def content(mode: bytes, found: bytes) -> bytes:
    """Return what a file is but for its executable bit, which most ways to copy a file lose: kind and hex id."""
    return mode[:3] + found


def compare_trees(repository: Repository, pairs: Sequence[tuple[bytes, bytes]]) -> Iterator[list[Row]]:
    """Yield what differs between the two trees (hex ids) of each pair, in the order of the pairs."""
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        asked = b"".join(b"%b %b\n" % pair for pair in some)
        said = repository.git.run("diff-tree", "--stdin", *_PLAIN, stdin=asked).stdout
        at = 0
        for one, two in some:
            at += len(one) + len(two) + 2  # a line that repeats the pair; rows follow it without one
            rows = []
            while said.startswith(b":", at):
                middle = said.index(b"\0", at)
                end = said.index(b"\0", middle + 1)
                rows.append(_row(said[at:middle], said[middle + 1 : end]))
                at = end + 1
            yield rows


def renames(repository: Repository, old: ObjectId, new: ObjectId) -> Iterator[tuple[bytes, bytes]]:
    """Yield each file that git takes for renamed between two commits: its path before and after."""
    options = ("-r", "-z", "--find-renames", "-l1000", "--diff-filter=R", "--name-status")
    fields = iter(repository.git.run("diff-tree", *options, old, new).stdout.split(b"\0")[:-1])
    for _ in fields:
        yield next(fields), next(fields)


def empty_tree(repository: Repository) -> bytes:
    """Return the hex id of the tree without entries, which git knows in every clone."""
    return repository.git.run("hash-object", "-t", "tree", "--stdin", stdin=b"").stdout.strip()


def files_ever(
    repository: Repository, tips: Sequence[ObjectId], folders: Sequence[str], *options: str
) -> Iterator[Row]:
    """Yield each file that any commit in the history of `tips` added, changed or removed, merges against each parent.

    Args:
        repository: the clone.
        tips: where to start.
        folders: look below these only; an empty one is the top.
        options: of git rev-list, to leave commits out.
    """
    below = _below(folders)
    commits = repository.git.run("rev-list", *options, *tips, "--").stdout.splitlines(keepends=True)
    for start in range(0, len(commits), _AT_ONCE):
        asked = b"".join(commits[start : start + _AT_ONCE])
        options = ("--stdin", "-m", "--root", "--no-commit-id", *_PLAIN)
        done = repository.git.run("--literal-pathspecs", "diff-tree", *options, *below, stdin=asked)
        fields = iter(done.stdout.split(b"\0")[:-1])
        for fact in fields:
            yield _row(fact, next(fields))


def first_touched(repository: Repository, tip: ObjectId, folders: Sequence[str]) -> int:
    """Return when the first commit in the history of `tip` touched one of `folders`: seconds since 1970, 0 for none."""
    asked = ("rev-list", "--no-commit-header", "--format=%ct", tip, *(_below(folders) or ("--",)))
    return min(map(int, repository.git.run("--literal-pathspecs", *asked).lines()), default=0)


def _below(folders: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments that limit git to folders; the top is no limit."""
    return () if "" in folders else ("--", *folders)


def _row(fact: bytes, path: bytes) -> Row:
    """Read ``:mode mode id id letter``."""
    old_mode, new_mode, old, new, _ = fact[1:].split(b" ")
    return Row(
        path,
        None if old_mode == _ABSENT else (old_mode, old),
        None if new_mode == _ABSENT else (new_mode, new),
    )
