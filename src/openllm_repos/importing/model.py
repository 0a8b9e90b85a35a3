"""What an import would do, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from openllm_repos.errors import ConflictError
from openllm_repos.git.describe import Described
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName
from openllm_repos.plan import Conflict, FileChange, LargeFile
from openllm_repos.text import show_path


class ImportConflict(ConflictError):
    """A commit of the target does not go together with what the source has made of the ones before it."""

    def __init__(self, target: Repo, commit: ObjectId, conflicts: tuple[Conflict, ...]) -> None:
        paths = ", ".join(show_path(conflict.path) for conflict in conflicts)
        super().__init__(
            f"{target.name}: commit {commit[:10]} does not go together with what the source has by now: {paths};"
            " nothing was changed.",
            hint=f"openllm-repos sync {target.name}  # merges both sides, or says how to settle what it cannot\n"
            f"openllm-repos import {target.name}",
        )
        self.commit = commit
        self.conflicts = conflicts


@dataclass(frozen=True, slots=True)
class ImportedCommit:
    """One commit that an import makes.

    Attributes:
        made: its id in the source.
        origin: the commit of the target, in one line.
        files: what it changes, at the places of the source, held against the parent that it continues; nothing where it
            only joins, as git would.
        joins: whether it joins two lines of history.
        stands_for: older commits of the target whose changes it brings, because they had no place of their own.
    """

    made: ObjectId
    origin: Described
    files: tuple[FileChange, ...]
    joins: bool = False
    stands_for: tuple[ObjectId, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do.

    Attributes:
        source: the source's name in the manifest.
        target: the target's name.
        url: where the target is.
        branch: the branch of the source that gets the commits.
        source_commit: the source's newest commit.
        base: the source commit that the branch starts from.
        target_tip: the target's tip.
        held: what the target is held at, so that syncs leave it alone; empty where it is not held.
        commits: what is made, parents first; empty where there is nothing to import.
        tip: the newest of them; None where there is nothing to import.
        old: what the branch names now; None where it is not there.
        said: why there is nothing to import; empty where there is.
        overlaps: files in which a merge of the branch into the source's would stop.
        large: LFS files that come along, by their pointers.
        notes: what a person should know besides.
    """

    source: str
    target: str
    url: str
    branch: BranchName
    source_commit: ObjectId
    base: ObjectId | None = None
    target_tip: ObjectId | None = None
    held: str = ""
    commits: tuple[ImportedCommit, ...] = ()
    tip: ObjectId | None = None
    old: ObjectId | None = None
    said: str = ""
    overlaps: tuple[bytes, ...] = ()
    large: tuple[LargeFile, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def changing(self) -> tuple[ImportedCommit, ...]:
        """The commits that change something: not what a sync merged by itself, which is nobody's own."""
        return tuple(made for made in self.commits if made.files or not made.joins)


@dataclass(frozen=True, slots=True)
class Published:
    """What became of the branch on the source's remote.

    Attributes:
        branch: the branch.
        tip: what it names there.
        pushed: whether this run moved it.
        link: where to open a pull request, or the one that is open; empty where the source is not on GitHub.
        opened: whether `link` is a pull request.
        notes: why none was opened, where a token was at hand.
    """

    branch: BranchName
    tip: ObjectId
    pushed: bool
    link: str = ""
    opened: bool = False
    notes: tuple[str, ...] = field(default=())
