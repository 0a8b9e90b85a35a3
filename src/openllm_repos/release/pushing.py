"""One ref of a release that is pushed: written down before, and what is true is asked afterwards."""

from __future__ import annotations

from collections.abc import Callable

from openllm_repos.family.remotes import DEADLINE
from openllm_repos.git.remote import Endpoint, Pushed, Unreachable, list_refs, push
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import Move, MoveOutcome
from openllm_repos.journal.transaction import Transaction
from openllm_repos.names.objectid import ObjectId


def push_move(
    repository: Repository,
    transaction: Transaction,
    move: Move,
    endpoint: Endpoint,
    *,
    where: Repository | None = None,
    hold: bool = False,
    landed: Callable[[ObjectId], bool] = lambda _: False,
) -> tuple[Pushed, dict[str, ObjectId]]:
    """Push one ref of a repo, and return what its remote holds then.

    Args:
        repository: the clone.
        transaction: the operation that it belongs to.
        move: the ref.
        endpoint: how the repo is reached.
        where: has the objects; the clone by default.
        hold: whether the clone has the objects and is to hold them until the outcome is known.
        landed: says of another value than the new one whether ours is in it.

    Raises:
        Unreachable: the remote does not say; the next run asks.
    """
    transaction.begin(move, hold=hold)
    place = where or repository
    hooks = place is repository and not move.new.is_zero  # another has none, and a deletion brings no commit along
    pushed = push(place, endpoint.push_url, [move.update], hooks=hooks)
    refs = refs_now(repository, move, endpoint)
    now = refs.get(move.ref, repository.zero)
    transaction.finish(MoveOutcome.MOVED if now == move.new or landed(now) else MoveOutcome.REFUSED, move)
    return pushed, refs


def refs_now(repository: Repository, move: Move, endpoint: Endpoint) -> dict[str, ObjectId]:
    """Return what a remote holds of the ref that a move is of.

    Raises:
        Unreachable: the remote does not say, or no longer has what was there before: so does a server without its disk.
    """
    refs = list_refs(repository, endpoint.url, (move.ref, f"{move.ref}^{{}}"), deadline=DEADLINE, peeled=True)
    if move.ref not in refs and not move.old.is_zero and not move.new.is_zero:
        raise Unreachable(f"it shows no {move.ref} any more")
    return refs
