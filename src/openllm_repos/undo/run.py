"""An operation taken back: tags first, then targets, then refs of the clone. Each is written down as it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openllm_repos.family.remotes import RemoteState
from openllm_repos.git.refs import update_refs
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import HERE, Move, MoveOutcome
from openllm_repos.journal.transaction import Transaction
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import Outcome, RefUpdate, Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.card import Validate
from openllm_repos.release.abort import Aborted, abort, plan_abort
from openllm_repos.release.desk import Desk
from openllm_repos.sync.apply import apply
from openllm_repos.undo.planning import UndoPlan, require_possible
from openllm_repos.undo.target import plan_target_undo


@dataclass(frozen=True, slots=True)
class Undoing:
    """What taking an operation back came to.

    Attributes:
        targets: what came of each target.
        here: refs of the clone that went back.
        aborted: what giving a release up came to, None where it was none.
    """

    targets: tuple[Outcome | Stopped, ...] = ()
    here: tuple[RefUpdate, ...] = ()
    aborted: Aborted | None = None


def carry_out(
    plan: UndoPlan,
    manifest: Manifest,
    desk: Desk,
    told: Callable[[str], None] = lambda _: None,
    validate: Validate | None = None,
) -> Undoing:
    """Take an operation back. The caller holds the clone's lock since before the plan was made.

    Args:
        plan: what to do; made on the desk's clone, not in a quarantine.
        manifest: the manifest that it was made from.
        desk: holds the clone.
        told: gets a line of progress before each push.
        validate: asks the Hub about a card, where a target has moved and is planned again.

    Raises:
        ConflictError: something stands against it; nothing was changed.
        ReposError: a release could not be given up; what is done stays, and the same command goes on from there.
    """
    require_possible(plan)
    operation, repository = plan.operation, desk.repository
    if plan.earlier is not None:
        with Transaction(repository, plan.earlier.command, resumes=plan.earlier):
            return Undoing()

    def again(remote: RemoteState, step: TargetPlan) -> TargetPlan | Stopped:
        """Take it back on top of what others pushed meanwhile."""
        move = next(one for one in operation.moved if one.repo == step.target and one.ref == remote.repo.branch.ref)
        return plan_target_undo(manifest, repository, remote, operation, move, validate)

    with Transaction(repository, f"undo {operation.name}", undoes=operation.name) as transaction:
        aborted = None
        if plan.release:
            aborted = abort(manifest, desk, plan_abort(manifest, desk, plan.release), told, transaction)
        synced = SyncPlan(manifest.source.name, repository.zero, plan.targets)
        targets = apply(synced, manifest, repository, told, again, validate, transaction)
        transaction.done = not any(isinstance(one, Stopped) for one in targets)
        _set_back(repository, plan.here, transaction)
    return Undoing(targets, plan.here, aborted)


def _set_back(repository: Repository, updates: tuple[RefUpdate, ...], transaction: Transaction) -> None:
    """Set refs of the clone back, all or none."""
    if updates:
        moves = [Move.of(HERE, "", one) for one in updates]
        transaction.begin(*moves)
        update_refs(repository, updates, reason=f"openllm-repos: {transaction.command}")
        transaction.finish(MoveOutcome.MOVED, *moves)
