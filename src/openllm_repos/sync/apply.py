"""Doing what was planned: written down, pushed with the old value stated; then believing only what the remote says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

from openllm_repos.errors import ConflictError, EnvironmentProblem, RemoteRefused, ReposError
from openllm_repos.family.remotes import RemoteState, ask, bring, tip_after_push
from openllm_repos.git.children import stop_all
from openllm_repos.git.refs import read_refs
from openllm_repos.git.remote import Endpoint, Pushed, endpoints, push
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import Move, MoveOutcome
from openllm_repos.journal.transaction import Transaction
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.plan import Outcome, Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.advice import about_storage, advice
from openllm_repos.preflight.card import Validate
from openllm_repos.preflight.large import carry
from openllm_repos.sync.planning import SyncOptions, plan_target
from openllm_repos.sync.settle import contains, move_tracking

ATTEMPTS = 3
PUSHES = 8  # at once; each waits for its host most of the time


Again = Callable[[RemoteState, TargetPlan], TargetPlan | Stopped]
"""Plans a target once more that has moved meanwhile: what its remote has now, and the plan so far."""


def apply(
    plan: SyncPlan,
    manifest: Manifest,
    repository: Repository,
    told: Callable[[str], None] = lambda _: None,
    again: Again | None = None,
    validate: Validate | None = None,
    operation: Transaction | str = "sync",
) -> tuple[Outcome | Stopped, ...]:
    """Carry out a plan, several targets at once; what stops one does not stop the others.

    The caller holds the clone's lock (:func:`openllm_repos.journal.lock.exclusive`) since before the plan was made.

    Args:
        plan: what to do; made on this clone, not in a quarantine.
        manifest: the manifest that it was made from.
        repository: the clone.
        told: gets a line of progress before each push; with several pushes from threads, one line at a time.
        again: plans a target once more that has moved; by default as a sync of the same source commit.
        validate: asks the Hub about a card, where a target has moved and is planned again.
        operation: the operation that it belongs to, or the command that one of its own is called by in the log.

    Returns:
        For each target what came of it, in the order of the plan.
    """
    if isinstance(operation, str):
        with Transaction(repository, operation) as transaction:
            return apply(plan, manifest, repository, told, again, validate, transaction)
    options = SyncOptions(validate=validate)
    replanned = again or (lambda remote, step: plan_target(manifest, repository, remote, step.source_commit, options))
    steps = [step for step in plan.targets if isinstance(step, TargetPlan)]
    reached = endpoints(repository, {RepoName(step.target): manifest.target(step.target).url for step in steps})
    known = read_refs(repository, *{f"{endpoint.tracking}/" for endpoint in reached.values()}) if steps else {}
    work = _Work(manifest, repository, operation, told, replanned, reached, known)
    pushes = sum(step.update is not None for step in steps)
    return tuple(work.in_turn(plan.targets) if pushes <= 1 else work.at_once(plan.targets))


class _Work:
    """One application of a plan: what all its targets share.

    Only what asks a host, or sends to it, is done for several targets at once (:meth:`away`). All that touches the
    clone is done for one target at a time.
    """

    def __init__(
        self,
        manifest: Manifest,
        repository: Repository,
        transaction: Transaction,
        told: Callable[[str], None],
        again: Again,
        reached: Mapping[RepoName, Endpoint],
        known: Mapping[str, ObjectId],
    ) -> None:
        self.manifest = manifest
        self.repository = repository
        self.transaction = transaction
        self.again = again
        self.reached = reached
        self.known = known
        self._told = told
        self._telling = Lock()
        self._turn = Lock()
        self._ended = Event()

    def in_turn(self, steps: Sequence[TargetPlan | Stopped]) -> list[Outcome | Stopped]:
        """Apply one target after another."""
        return [self._one(step) for step in steps]

    def at_once(self, steps: Sequence[TargetPlan | Stopped]) -> list[Outcome | Stopped]:
        """Apply several targets at once. Interrupted, their gits end; the next run asks what landed."""
        pool = ThreadPoolExecutor(PUSHES)
        try:
            return list(pool.map(self._one, steps))
        except BaseException:
            self._ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def tell(self, line: str) -> None:
        """Tell of progress, one line at a time."""
        with self._telling:
            self._told(line)

    def go_on(self) -> None:
        """Begin nothing more where the run was interrupted: a host that does not answer would be asked once more."""
        if self._ended.is_set():
            raise _Ended

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Let other targets have their turn while a host is waited for."""
        self.go_on()
        self._turn.release()
        try:
            yield
        finally:
            self._turn.acquire()
        self.go_on()

    def _one(self, step: TargetPlan | Stopped) -> Outcome | Stopped:
        if isinstance(step, Stopped):
            return step
        try:
            with self._turn:
                return _apply_target(step, self)
        except ReposError as why:
            return Stopped(step.target, why.message, why.hint, why.exit_code)


class _Ended(Exception):
    """The run was interrupted while a host was waited for; the next one asks that host what is true."""


def _apply_target(step: TargetPlan, work: _Work) -> Outcome | Stopped:
    repository, target = work.repository, work.manifest.target(step.target)
    state = RemoteState(target, work.reached[target.name], step.tip)
    for attempt in range(1, ATTEMPTS + 1):
        if step.update is None:
            _remember(work, state, step.tip)
            return Outcome(step.target, step.action, step.tip or repository.zero, pushed=False, attempts=attempt - 1)
        with work.away():
            carry(repository, target, state.endpoint.push_url, step.large, work.tell)
        work.tell(f"{step.target}: pushing {step.update.new[:10]} to {target.branch}")
        update = step.update
        move = Move.of(target.name, target.url, update)
        work.transaction.begin(move)
        with work.away():
            said = push(repository, state.endpoint.push_url, [update], lfs=bool(step.large))
            work.go_on()
            tip = tip_after_push(repository, state, update.old)
        if tip == update.new or contains(repository, state, tip, update.new):
            work.transaction.finish(MoveOutcome.MOVED, move)
            _remember(work, state, tip)
            return Outcome(step.target, step.action, tip, pushed=True, attempts=attempt)
        work.transaction.finish(MoveOutcome.REFUSED, move)
        if tip == update.old:
            raise _not_landed(target, said, repository.advice(state.endpoint.push_url))
        if tip.is_zero:  # merging again would begin a second history there, without the target's own files
            raise ConflictError(
                f"{step.target}: its branch {target.branch} was deleted while it was being synced; nothing was pushed.",
                hint=f"What it held is {update.old}, in this clone. Once it is clear why, run the same command again.",
            )
        work.tell(f"{step.target}: its branch has moved meanwhile; merging again")
        fresh = bring(repository, list(ask(repository, [target]).values()))[target.name]
        replanned = work.again(fresh, step)
        if isinstance(replanned, Stopped):
            return replanned
        step = replanned
    raise ConflictError(
        f"{step.target}: its branch moved {ATTEMPTS} times while it was being synced; nothing of ours was pushed.",
        hint="Run the same command again when it is quieter.",
    )


def _not_landed(target: Repo, pushed: Pushed, known: str) -> ReposError:
    """Say why a push is not there: the remote refused, something on this side stopped it, or it went elsewhere.

    `known` is what is known of the token that was used.
    """
    if pushed.refused:
        return RemoteRefused(
            f"{target.name} refused the push, and nothing was changed there:\n{pushed.said}",
            hint=advice(pushed.said, target, known),
        )
    if pushed.done:
        return EnvironmentProblem(
            f"git says that the push to {target.name} went through, but {target.url} has not moved.",
            hint="git config --get-regexp push  # is there a pushurl or url.*.pushInsteadOf that sends it elsewhere?",
        )
    return pushed.problem(
        f"The push did not get through, and nothing was changed there:\n{pushed.said}",
        hint=about_storage(pushed.said, target.name)
        or known
        or "Check your rights there, the connection, and your own pre-push hook and push.* settings.",
    )


def _remember(work: _Work, state: RemoteState, tip: ObjectId | None) -> None:
    known = work.known.get(state.tracking_ref)
    if tip is not None and known != tip:
        move_tracking(work.repository, state.tracking_ref, known, tip)
