"""Which commit of a projection a target's files came from, by the ids of the files alone.

One pass over the projected history: a tree is held against the target once, as what changed since its parent's tree, so
a long history costs about as much as git needs to compare it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from openllm_repos.family.copies import contents_ever, mapped_folders
from openllm_repos.git.compare import Row, compare_trees, content, empty_tree, first_touched
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import FileChange


@dataclass(frozen=True, slots=True)
class Copied:
    """A target's mapped files, as a copy of something.

    Attributes:
        now: path -> mode and hex id at the target's tip.
        ever: path -> the contents that it had at any time in the target's history, executable or not.
        since: when the first commit came that touched mapped folders, in seconds since 1970.
    """

    now: Mapping[bytes, tuple[bytes, bytes]]
    ever: Mapping[bytes, AbstractSet[bytes]]
    since: int

    @classmethod
    def at(cls, repository: Repository, target: Repo, tip: ObjectId, files: Iterable[FileChange]) -> Copied:
        """Read what a target has and had.

        Args:
            repository: the clone, which has the target's history.
            target: the manifest's entry.
            tip: the tip of its branch.
            files: its mapped files there, as additions to nothing.
        """
        now = {file.path: file.new for file in files if file.new is not None}
        since = first_touched(repository, tip, mapped_folders(target))
        return cls(now, contents_ever(repository, target, [tip]), since)


@dataclass(frozen=True, slots=True)
class Likest:
    """The projected commit that a target's files are most like.

    Attributes:
        projected: the commit.
        others: how many other states of the projection are just as much like them.
    """

    projected: ObjectId
    others: int


@dataclass(frozen=True, slots=True, order=True)
class _Score:
    """How much like the target a tree is; the greater, the more."""

    likeness: float
    known: int  # less the number of files: 0 where the target had each of them at some time
    exact: int


@dataclass(slots=True)
class _Count:
    """What a tree has in common with the target: files alike, those of one mode, files it ever had, all files."""

    alike: int = 0
    exact: int = 0
    known: int = 0
    files: int = 0

    def after(self, rows: Iterable[Row], copied: Copied) -> _Count:
        """Return the count for a tree that differs from this one's by `rows`."""
        count = replace(self)
        for row in rows:
            now, ever = copied.now.get(row.path), copied.ever.get(row.path, ())
            for side, sign in ((row.old, -1), (row.new, 1)):
                if side is not None:
                    count.files += sign
                    count.exact += sign * (side == now)
                    count.alike += sign * (now is not None and content(*side) == content(*now))
                    count.known += sign * (content(*side) in ever)
        return count

    def score(self, copied: Copied) -> _Score:
        # Equal ratios of integers give equal floats: division rounds correctly.
        return _Score(2 * self.alike / (self.files + len(copied.now)), self.known - self.files, self.exact)


def find_likest(repository: Repository, heads: Iterable[bytes], copied: Copied) -> Likest | None:
    """Find the projected commit that a target's files were most likely copied from.

    A commit is the more like the target the greater the share of files that are the same on both sides: twice their
    number over the files of both (Dice's coefficient). A file that only one side has counts against it. So a commit
    with files that came after the copy was made is not better than the one that was copied, though it has the same
    files too.

    Of commits that are equally alike, the one wins with fewer files that the target *never* had: an edited file was
    copied before it was edited, and mostly the target's history still knows as what. Then the one with more files that
    are executable on both sides or on neither. Of those that are still equal, the newest wins: most often they differ
    in nothing (a change that was taken back, a merge), and then a newer base leaves fewer commits to bring for the same
    files, and it is the one that people expect to read.

    Where they do differ, they do so in files that were edited before the target first had them, so that nothing says
    what they started from; `others` counts these states, so that a person can be told and choose. Then the newest of
    those wins that were there when the target was first filled: people copy what is current. From a base that is too
    new, a sync would take a change of the source for one that the target took back, and never bring it. From one that
    is too old, at worst both sides made the same change, and a merge knows what to do about that.

    Args:
        repository: the clone, which has the projected history; none of its blobs is needed.
        heads: projected commits (hex ids), whose histories are searched.
        copied: what the target has.

    Returns:
        The best commit, or None where no file of any commit is alike.
    """
    options = ("--date-order", "--reverse", "--no-commit-header", "--format=%H %T %ct %P")
    listed = repository.git.run(
        "rev-list", *options, "--stdin", stdin=b"".join(b"%b\n" % head for head in heads)
    ).stdout
    empty = empty_tree(repository)
    tree_of: dict[bytes, bytes] = {}
    pairs: dict[bytes, bytes] = {}  # tree -> the tree that it is compared with, parents first
    dates: dict[bytes, int] = {}  # tree -> when it was there first
    newest: dict[bytes, bytes] = {}  # tree -> the newest commit that has it
    for commit, tree, date, *parents in map(bytes.split, listed.splitlines()):
        tree_of[commit] = tree
        newest[tree] = commit
        dates[tree] = min(int(date), dates.get(tree, int(date)))
        pairs.setdefault(tree, tree_of[parents[0]] if parents else empty)
    counts = {empty: _Count()}
    compared = compare_trees(repository, [(before, tree) for tree, before in pairs.items()])
    for (tree, before), rows in zip(pairs.items(), compared, strict=True):
        counts[tree] = counts[before].after(rows, copied)
    scores = {tree: counts[tree].score(copied) for tree in pairs}
    place = {commit: number for number, commit in enumerate(tree_of)}
    best = max(scores, key=lambda tree: (scores[tree], dates[tree] <= copied.since, place[newest[tree]]))
    if not counts[best].alike:
        return None
    others = sum(score == scores[best] for score in scores.values()) - 1
    return Likest(ObjectId(newest[best].decode()), others)
