"""What a publish would do and did, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Change


@dataclass(frozen=True, slots=True)
class FileStep:
    """One file that changes in the repo.

    Attributes:
        path: in the repo.
        source: in the work tree; empty for one that is deleted, or that says where the others come from.
        change: what happens to it.
        size: of the new content, in bytes.
        large: whether it goes through LFS; what that has already is not sent again.
    """

    path: str
    source: str
    change: Change
    size: int = 0
    large: bool = False


@dataclass(frozen=True, slots=True)
class Clash:
    """A file that the Hub has otherwise than the last publish left it, or that no publish put there.

    Attributes:
        path: in the repo.
        here: what happened to it in the work tree since the last publish.
        there: what happened to it on the Hub.
        is_there: whether the Hub has it.
    """

    path: str
    here: str
    there: str
    is_there: bool = True


@dataclass(frozen=True, slots=True)
class PublishPlan:
    """What a publish would do with one repo.

    Attributes:
        repo: its name in the manifest.
        url: where it is.
        branch: that is written.
        tip: of that branch, that the plan was made on.
        steps: the files that change, in the order of their paths.
        unchanged: how many files the repo has already.
        ignored: paths that the repo's own .gitignore leaves out.
        left_out: files of the work tree that are no artifacts (git's own, a download's cache).
        overwritten: paths whose content on the Hub is replaced though no publish put it there.
        notes: what a person should know besides.
    """

    repo: str
    url: str
    branch: str
    tip: ObjectId
    steps: tuple[FileStep, ...] = ()
    unchanged: int = 0
    ignored: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    overwritten: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of the new contents."""
        return sum(step.size for step in self.steps)


@dataclass(frozen=True, slots=True)
class NotPublished:
    """A repo that cannot be published to now, and why; it was not changed.

    Attributes:
        repo: its name in the manifest.
        reason: one sentence.
        hint: what to do next.
        exit_code: what a run that ends here exits with.
        clashes: the files that the Hub has otherwise, where that is the reason.
        problems: each thing that is wrong with the files here, where that is the reason.
    """

    repo: str
    reason: str
    hint: str
    exit_code: int
    clashes: tuple[Clash, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """What came of one repo.

    Attributes:
        repo: its name in the manifest.
        tip: the tip of its branch afterwards.
        before: the tip of its branch before.
        committed: whether this run made a commit.
        attempts: how many commits were tried.
    """

    repo: str
    tip: ObjectId
    before: ObjectId
    committed: bool
    attempts: int = 0
