"""Operations that did not end: what came of their moves is asked of the remotes, and written down."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.family.remotes import RemoteState, ask, bring, doubted
from openllm_repos.git.history import is_ancestor
from openllm_repos.git.process import GitFailed
from openllm_repos.git.refs import read_ref, update_refs
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import Move, MoveOutcome, begun
from openllm_repos.journal.transaction import Transaction
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName
from openllm_repos.plan import RefUpdate
from openllm_repos.text import redact


def settle(manifest: Manifest, repository: Repository, told: Callable[[str], None] = lambda _: None) -> None:
    """Ask what came of the moves of operations that did not end; one that nobody can tell of stays begun.

    A release is left for the command that goes on with it, or gives it up.

    Args:
        manifest: the family of today.
        repository: the clone, whose lock the caller holds.
        told: gets a line for each move.
    """
    for operation in begun(repository):
        if operation.release is not None:
            continue
        transaction = Transaction(repository, operation.command, resumes=operation)
        for move in operation.begun:
            outcome, words = _outcome(manifest, repository, move)
            told(f"{move.repo or 'this clone'}: an earlier {operation.command} did not end; {words}")
            if outcome is not MoveOutcome.BEGUN:
                transaction.finish(outcome, move)
        transaction.end(done=False)


def _outcome(manifest: Manifest, repository: Repository, move: Move) -> tuple[MoveOutcome, str]:
    """Ask what came of a move; return it, and say it."""
    if move.here:
        landed = (read_ref(repository, move.ref) or repository.zero) == move.new
        return MoveOutcome.MOVED if landed else MoveOutcome.REFUSED, f"{move.ref} was {'' if landed else 'not '}moved"
    repo = next((repo for repo in manifest.repos if (repo.name, redact(repo.url)) == (move.repo, move.url)), None)
    if repo is None:
        return MoveOutcome.UNKNOWN, f"nobody is asked, since the manifest no longer names {move.url}"
    branch = move.ref.removeprefix("refs/heads/")
    if branch != move.ref:
        repo = replace(repo, branch=BranchName(branch))
    state = doubted(repository, ask(repository, [repo])[repo.name], move.old)
    try:
        state.require()
        there = state.held(move.ref) or repository.zero
        landed = there == move.new or (branch != move.ref and contains(repository, state, there, move.new))
    except EnvironmentProblem as why:
        return MoveOutcome.BEGUN, f"its remote does not say if its push landed: {why.message}"
    if landed and state.tip is not None:
        move_tracking(repository, state.tracking_ref, read_ref(repository, state.tracking_ref), state.tip)
    return (MoveOutcome.MOVED, "its push landed") if landed else (MoveOutcome.REFUSED, "its push had not landed")


def contains(repository: Repository, state: RemoteState, tip: ObjectId, made: ObjectId) -> bool:
    """Whether a remote's tip was built on ours by somebody who was quick.

    Raises:
        EnvironmentProblem: it cannot be fetched, so that is not known.
    """
    if tip.is_zero or made.is_zero:
        return False
    brought = bring(repository, [replace(state, tip=tip)])[state.repo.name]
    brought.require()
    return brought.tip is not None and is_ancestor(repository, made, brought.tip)


def move_tracking(repository: Repository, ref: str, known: ObjectId | None, tip: ObjectId) -> None:
    """Move a remote-tracking ref, as git does after a fetch or a push."""
    update = RefUpdate(ref, known or repository.zero, tip)
    # Somebody else's fetch may hold it, or an old ref be in its way; nothing that counts depends on it.
    with contextlib.suppress(GitFailed):
        update_refs(repository, [update], reason="openllm-repos: pushed")
