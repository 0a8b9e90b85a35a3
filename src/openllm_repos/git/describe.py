"""What people read of commits and of changed files: who, when, the subject line; and patches, made by git itself."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from openllm_repos.git.bench import bench
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Described as Described  # noqa: PLC0414  # also for those that import it from here
from openllm_repos.plan import FileChange
from openllm_repos.temporary import temporary_folder

# Not %aI: what it prints for UTC depends on git's version.
_FIELDS = "%H%x1f%an%x1f%ad%x1f%s"
_RAW = "--date=raw"


def describe(repository: Repository, commits: Sequence[ObjectId]) -> tuple[Described, ...]:
    """Return commits with who, when and what for, in the order given."""
    if not commits:
        return ()
    asked = ("log", "--no-walk=unsorted", "-z", _RAW, f"--format={_FIELDS}", "--no-show-signature", "--stdin")
    done = repository.git.run(*asked, stdin="".join(f"{commit}\n" for commit in commits).encode())
    rows = done.stdout.decode("utf-8", "surrogateescape").removesuffix("\0").split("\0")
    found = {one.id: one for one in (_described(*row.split("\x1f", 3)) for row in rows)}
    return tuple(found[commit] for commit in commits)  # git lists a commit once that is asked for twice


def _described(found: str, author: str, date: str, subject: str) -> Described:
    return Described(ObjectId(found), author, iso_date(date), subject)


def iso_date(raw: str) -> str:
    """Return a date in git's own form (``1700000000 +0100``) as ISO 8601, ``2023-11-14T23:13:20+01:00``.

    One that no calendar has becomes the beginning of time, as git shows it.
    """
    seconds, _, zone = raw.partition(" ")
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    try:
        at = time.gmtime(int(seconds) + (-60 if zone.startswith("-") else 60) * minutes)
    except (OverflowError, ValueError, OSError):
        at, zone = time.gmtime(0), "+0000"
    return f"{at.tm_year:04}-{time.strftime('%m-%dT%H:%M:%S', at)}{zone[:3]}:{zone[3:]}"


@dataclass(frozen=True, slots=True)
class Touching:
    """A commit, with the paths that it changed. All texts are foreign.

    Attributes:
        described: the commit in one line.
        paths: what it changed, held against its only parent; none for a merge.
        body: its message below the first line.
    """

    described: Described
    paths: tuple[str, ...]
    body: str = ""

    def trailer(self, key: str) -> bool:
        """Whether a line of its message begins with this key and a colon."""
        return any(line.startswith(f"{key}: ") for line in self.body.splitlines())


def describe_touching(repository: Repository, tip: ObjectId, *, without: Sequence[ObjectId]) -> Iterator[Touching]:
    """Yield the commits in the history of `tip` and in that of none of `without`, newest first, with their paths."""
    shape = f"--format=%x01{_FIELDS}%x1f%b%x02"
    asked = ("log", "-z", _RAW, "--topo-order", "--name-only", "--no-renames", "--no-show-signature", shape)
    done = repository.git.run(*asked, tip, *(f"^{commit}" for commit in without), "--")
    for entry in done.stdout.decode("utf-8", "surrogateescape").split("\x01")[1:]:
        header, _, names = entry.partition("\x02")
        *line, body = header.split("\x1f", 4)
        paths = tuple(name.lstrip("\n") for name in names.strip("\n").split("\0") if name)
        yield Touching(_described(*line), paths, body)


def describe_by_path(
    repository: Repository, tip: ObjectId, paths: Sequence[bytes], *, without: Sequence[ObjectId], not_saying: str = ""
) -> Iterator[tuple[Described, frozenset[bytes]]]:
    """Yield the commits that changed one of `paths`, newest first, each with the files there that it changed.

    A merge counts where it differs from all of its parents.

    Args:
        repository: the clone.
        tip: where to start.
        paths: files, or folders, as git stores them; one with a line end in its name is left out.
        without: commits whose history does not count.
        not_saying: an extended regular expression; commits with a line that matches it do not count.
    """
    named = [path for path in paths if b"\n" not in path]
    if not named:
        return
    options = ["-z", _RAW, "-c", "--name-only", "--no-renames", "--no-show-signature", f"--format=%x01{_FIELDS}%x02"]
    if not_saying:
        options += ["--extended-regexp", "--invert-grep", f"--grep={not_saying}"]
    given = b"\n".join((tip.encode(), *(b"^" + commit.encode() for commit in without), b"--", *named, b""))
    done = repository.git.run("--literal-pathspecs", "log", *options, "--stdin", stdin=given)
    for entry in done.stdout.split(b"\x01")[1:]:
        header, _, names = entry.partition(b"\x02")
        changed = (name.lstrip(b"\n") for name in names.split(b"\0"))
        yield (
            _described(*header.decode("utf-8", "surrogateescape").split("\x1f", 3)),
            frozenset(name for name in changed if name),
        )


def patch(repository: Repository, changes: Sequence[FileChange]) -> bytes:
    """Return changed files as one patch, byte for byte what git makes of it; `git apply` takes it.

    No program, attribute or setting of the person or a repository has a say: no external diff, no text conversion, no
    colour.

    Args:
        repository: the clone, which has the files' content; two trees are written to it.
        changes: the files, with what they were and are.
    """
    before = _tree(repository, [(change.path, *change.old) for change in changes if change.old is not None])
    after = _tree(repository, [(change.path, *change.new) for change in changes if change.new is not None])
    plain = ("--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--find-renames")
    shape = ("-l1000", "--unified=3", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic")
    with bench(repository, keep=True) as apart:
        return apart.git.run(
            *("diff-tree", "-r", "-p", "--binary", "--full-index", *plain, *shape, before, after),
            settings=(f"core.attributesFile={os.devnull}", "diff.suppressBlankEmpty=false"),
        ).stdout


def _tree(repository: Repository, entries: Sequence[tuple[bytes, bytes, bytes]]) -> ObjectId:
    """Write a tree of (path, mode, id) entries through an index of its own."""
    rows: Iterator[bytes] = (b"%b %b\t%b\0" % (mode, found, path) for path, mode, found in entries)
    with temporary_folder() as place:
        extra = {**repository.git.extra, "GIT_INDEX_FILE": str(place / "index")}
        git = replace(repository.git, extra=extra)
        git.run("update-index", "-z", "--index-info", stdin=b"".join(rows))
        return ObjectId(git.text("write-tree", "--missing-ok"))
