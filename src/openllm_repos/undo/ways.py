"""What of an operation can be taken back, and how; which operations were taken back already. No remote is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from openllm_repos.hint import command_line
from openllm_repos.journal.log import Move, Operation
from openllm_repos.manifest.model import Manifest, Repo, Role


class How(StrEnum):
    """How a move is taken back."""

    HERE = "here"
    COMMIT = "commit"
    RELEASE = "release"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Way:
    """How one move can be taken back.

    Attributes:
        move: what was done.
        how: `here` (a ref of the clone goes back), `commit` (a new commit on top of a target's branch), `release` (what
            giving a release up takes back), `not`.
        reason: why it cannot be; empty where it can.
        hint: what can be done instead, or an empty string.
    """

    move: Move
    how: How
    reason: str = ""
    hint: str = ""


def released_version(operation: Operation) -> str:
    """Return the version that an operation released, or an empty string where it was something else."""
    words = operation.command.split()
    return words[1] if len(words) == 2 and words[0] == "release" else ""


def ways(manifest: Manifest, operation: Operation) -> tuple[Way, ...]:
    """Say for each move that took place how it can be taken back.

    Args:
        manifest: the family of today; a repo that it no longer names is out of reach.
        operation: the operation.
    """
    return tuple(_way(manifest, operation, move) for move in operation.moved)


def _way(manifest: Manifest, operation: Operation, move: Move) -> Way:
    version = released_version(operation)
    if move.here:
        if version:
            return Way(move, How.NOT, "it follows the source's remote", "git pull --tags")
        return Way(move, How.HERE)
    repo = next((repo for repo in manifest.repos if repo.name == move.repo and repo.url == move.url), None)
    if repo is None:
        return Way(move, How.NOT, "the manifest does not name this repo any more")
    source = manifest.source.name
    mended = operation.release is None and move.ref.startswith("refs/tags/")  # a tag of a release that was out before
    if version and (mended or any(one.repo == source and one.ref.startswith("refs/tags/") for one in operation.moved)):
        return Way(
            move,
            How.NOT,
            f"the release {version} is out: {source} has its tag, and others may have built on it",
            "Take the next version.",
        )
    if repo.role is Role.TARGET and move.ref == repo.branch.ref:
        return Way(move, How.COMMIT)
    return Way(move, How.RELEASE) if version else _elsewhere(manifest, repo, move)


def _elsewhere(manifest: Manifest, repo: Repo, move: Move) -> Way:
    name = move.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    if move.new.is_zero:
        released = manifest.tag_form(repo).version_of(name) if move.ref.startswith("refs/tags/") else None
        anew = command_line("openllm-repos", "release", released or "", remark="makes that release anew")
        return Way(move, How.NOT, f"{name} was deleted there", anew if released else f"It was at {move.old}.")
    if move.old.is_zero:
        return Way(
            move,
            How.NOT,
            f"{name} was made there, and is not deleted",
            command_line("git", "push", move.url, f":{move.ref}", remark="by hand"),
        )
    if repo.role is Role.SOURCE:
        commit = f"git revert {move.new[:10]}"
        return Way(move, How.NOT, "it is the source's own history", f"{commit}  # in your clone; then push it")
    return Way(move, How.NOT, "what was published stays in its history", f"Its state before was {move.old}.")


@dataclass(frozen=True, slots=True)
class Undone:
    """Which operations were taken back, by which others that still count.

    Attributes:
        by: for an operation's name, those that take it back and were not taken back themselves, newest first.
        depth: 0 for an operation that undoes none, 1 for one that undoes such a one, 2 for one that brings it again.
    """

    by: dict[str, tuple[Operation, ...]]
    depth: dict[str, int]

    @classmethod
    def among(cls, found: Sequence[Operation]) -> Undone:
        """Look through operations, newest first."""
        by: dict[str, tuple[Operation, ...]] = {}
        for one in found:
            if one.undoes and one.moved and one.name not in by:
                by[one.undoes] = (*by.get(one.undoes, ()), one)
        depth: dict[str, int] = {}
        for one in reversed(found):
            depth[one.name] = depth.get(one.undoes, 0) + 1 if one.undoes else 0
        return cls(by, depth)

    def refs(self, name: str) -> frozenset[tuple[str, str]]:
        """Return the refs of an operation that were taken back: the repo's name, and the ref."""
        return frozenset((move.repo, move.ref) for one in self.by.get(name, ()) for move in one.moved)


def last_to_undo(found: Sequence[Operation]) -> Operation | None:
    """Return the newest operation that stands: it moved something, takes nothing back, and was not taken back.

    Args:
        found: all operations, newest first.
    """
    undone = Undone.among(found)
    standing = (one for one in found if one.moved and one.name not in undone.by)
    return next((one for one in standing if undone.depth[one.name] % 2 == 0), None)
