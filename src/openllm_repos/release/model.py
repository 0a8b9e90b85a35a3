"""What a release would do, and what came of it, as frozen values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openllm_repos.errors import ConflictError, EnvironmentProblem, ReposError
from openllm_repos.family.tags import TagState
from openllm_repos.hint import gathered, hint_lines
from openllm_repos.manifest.model import LockPlace, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from openllm_repos.plan import SyncPlan


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands against a release.

    Attributes:
        repo: the repo's name in the manifest.
        message: one sentence.
        next: what to do about it.
        exit_code: 3 where two sides disagree, 30 where the surroundings fail.
        final: whether no command makes this version possible, but only another version.
    """

    repo: str
    message: str
    next: str
    exit_code: int = 3
    final: bool = False

    @classmethod
    def of(cls, repo: str, why: ReposError) -> Obstacle:
        """Return what a failure says, without the repo's name if it begins with that."""
        message = why.message.removeprefix(f"{repo}: ").removeprefix(f"{repo} ")
        return cls(repo, message, why.hint, 3 if why.exit_code == 2 else why.exit_code)


class ReleaseRefused(ConflictError):
    """A release cannot be made now; what stands against it is listed, and nothing was changed."""


class ReleaseUnreachable(EnvironmentProblem):
    """A release cannot be made now, for no other reason than the surroundings; nothing was changed."""


def refusal(message: str, obstacles: Sequence[Obstacle], *, hint: str) -> ReposError:
    """Return the failure that says everything which stands against a release.

    Args:
        message: a headline.
        obstacles: at least one.
        hint: what to do when they are gone.
    """
    lines = [message]
    for one in gathered(obstacles, "repo", "message"):
        lines.append(f"  {one.repo}: {one.message}")
        lines += hint_lines(one.next, "    ")
    outside = all(one.exit_code == EnvironmentProblem.exit_code for one in obstacles)
    return (ReleaseUnreachable if outside else ReleaseRefused)("\n".join(lines), hint=hint)


@dataclass(frozen=True, slots=True)
class RepoPlan:
    """What a release would do with one repo.

    Attributes:
        repo: the manifest's entry.
        url: where the tag is pushed.
        tag: the tag that it gets.
        commit: the commit that the tag names; None for the source where that is the lock's own commit.
        tree: that commit's tree, None where it is not known.
        state: how the remote holds the tag now.
    """

    repo: Repo
    url: str
    tag: TagName
    commit: ObjectId | None
    tree: ObjectId | None
    state: TagState


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What a release would do.

    Attributes:
        project: the family's name.
        version: the version.
        tag: the source's tag.
        source_commit: the commit of the source that is released.
        source_tree: its tree.
        manifest: the digest of the manifest that this commit holds.
        lock: where the lock goes.
        signed: whether the tags get a signature.
        sync: what is synced first.
        repos: one a repo, in the order in which they are tagged.
        obstacles: what stands against it; without any it can be carried out.
        notes: what a person should know besides.
        after: what to type once nothing stands against it: this release again, or that of the next free version.
    """

    project: str
    version: str
    tag: TagName
    source_commit: ObjectId
    source_tree: ObjectId
    manifest: str
    lock: LockPlace
    signed: bool
    sync: SyncPlan
    repos: tuple[RepoPlan, ...]
    obstacles: tuple[Obstacle, ...] = ()
    notes: tuple[str, ...] = ()
    after: str = ""


@dataclass(frozen=True, slots=True)
class Tagged:
    """One repo after a release.

    Attributes:
        repo: its name.
        url: where it is.
        tag: the tag.
        commit: the commit that it names, as the remote says.
        pushed: whether this run pushed it.
    """

    repo: str
    url: str
    tag: TagName
    commit: ObjectId
    pushed: bool
