"""Doing what was planned: journal, push with the old value stated, and then believing only what the remote says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event, Lock

from openllm_repos.errors import ConflictError, EnvironmentProblem, RemoteRefused, ReposError
from openllm_repos.family.remotes import DEADLINE, RemoteState, answered, ask, bring
from openllm_repos.git.children import stop_all
from openllm_repos.git.history import is_ancestor
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.process import GitFailed
from openllm_repos.git.refs import read_ref, read_refs, update_refs
from openllm_repos.git.remote import Endpoint, Pushed, Unreachable, endpoints, list_refs, push
from openllm_repos.git.repository import Repository
from openllm_repos.journal.operations import new_operation
from openllm_repos.journal.records import Record, begin, finish, sweep, unfinished
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName, RepoName
from openllm_repos.plan import Outcome, RefUpdate, Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.advice import advice
from openllm_repos.preflight.card import Validate
from openllm_repos.preflight.large import carry
from openllm_repos.sync.planning import SyncOptions, plan_target

ATTEMPTS = 3
PUSHES = 8  # at once; each waits for its host most of the time


@dataclass(frozen=True, slots=True)
class Named:
    """What a run is called in the log of operations.

    Attributes:
        command: the command that was given, without the program's name.
        operation: the operation that it belongs to; a new one by default.
        undoes: the operation that it takes back, or an empty string.
    """

    command: str = "sync"
    operation: str = field(default_factory=new_operation)
    undoes: str = ""


Again = Callable[[RemoteState, TargetPlan], TargetPlan | Stopped]
"""Plans a target once more that has moved meanwhile: what its remote has now, and the plan so far."""


def apply(
    plan: SyncPlan,
    manifest: Manifest,
    repository: Repository,
    told: Callable[[str], None] = lambda _: None,
    again: Again | None = None,
    validate: Validate | None = None,
    named: Named | None = None,
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
        named: what the log of operations calls it; a sync by default.

    Returns:
        For each target what came of it, in the order of the plan.
    """
    options = SyncOptions(validate=validate)
    replanned = again or (lambda remote, step: plan_target(manifest, repository, remote, step.source_commit, options))
    steps = [step for step in plan.targets if isinstance(step, TargetPlan)]
    reached = endpoints(repository, {RepoName(step.target): manifest.target(step.target).url for step in steps})
    known = read_refs(repository, *{f"{endpoint.tracking}/" for endpoint in reached.values()}) if steps else {}
    work = _Work(manifest, repository, named or Named(), told, replanned, reached, known)
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
        named: Named,
        told: Callable[[str], None],
        again: Again,
        reached: Mapping[RepoName, Endpoint],
        known: Mapping[str, ObjectId],
    ) -> None:
        self.manifest = manifest
        self.repository = repository
        self.named = named
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
        """Apply several targets at once. Where this is interrupted, their gits end, and their records stay open."""
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
        record = Record(
            operation=work.named.operation,
            target=step.target,
            url=target.url,
            ref=update.ref,
            old=update.old,
            new=update.new,
            source_commit=step.source_commit,
            command=work.named.command,
            undoes=work.named.undoes,
        )
        begin(repository, record)
        with work.away():
            said = push(repository, state.endpoint.push_url, [update], lfs=bool(step.large))
            work.go_on()
            tip = _true_tip(repository, state)
        if tip == update.new or _contains(repository, state, tip, update.new):
            finish(repository, record, landed=True)
            _remember(work, state, tip)
            return Outcome(step.target, step.action, tip, pushed=True, attempts=attempt)
        finish(repository, record, landed=False)
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
            hint=advice(pushed.said, target) + (f"\n{known}" if known else ""),
        )
    if pushed.done:
        return EnvironmentProblem(
            f"git says that the push to {target.name} went through, but {target.url} has not moved.",
            hint="git config --get-regexp push  # is there a pushurl or url.*.pushInsteadOf that sends it elsewhere?",
        )
    return pushed.problem(
        f"The push did not get through to {target.name}, and nothing was changed there:\n{pushed.said}",
        hint=known or "Check your rights there, the connection, and your own pre-push hook and push.* settings.",
    )


def _true_tip(repository: Repository, state: RemoteState) -> ObjectId:
    """Ask the remote what its branch is now.

    Raises:
        EnvironmentProblem: it does not say; whether the push landed is unknown until it does.
    """
    try:
        refs = list_refs(repository, state.endpoint.url, deadline=DEADLINE)
    except Unreachable as why:
        raise EnvironmentProblem(
            f"{state.repo.name}: the push was sent, then the remote fell silent ({why.message}). It may have landed.",
            hint="Run the same command again: it asks the remote what is true and goes on from there.",
        ) from None
    return answered(state.repo, state.endpoint, refs).tip or repository.zero


def _contains(repository: Repository, state: RemoteState, tip: ObjectId, made: ObjectId) -> bool:
    """Whether the remote's tip was built on ours by somebody who was quick."""
    if tip.is_zero:
        return False
    brought = bring(repository, [replace(state, tip=tip)])[state.repo.name]
    return not brought.problem and brought.tip is not None and is_ancestor(repository, made, brought.tip)


def _remember(work: _Work, state: RemoteState, tip: ObjectId | None) -> None:
    known = work.known.get(state.tracking_ref)
    if tip is not None and known != tip:
        _move(work.repository, state, known, tip)


def _move(repository: Repository, state: RemoteState, known: ObjectId | None, tip: ObjectId) -> None:
    """Move the remote-tracking ref, as git does after a fetch or a push."""
    update = RefUpdate(state.tracking_ref, known or repository.zero, tip)
    # Somebody else's fetch may hold it, or an old ref be in its way; nothing that counts depends on it.
    with contextlib.suppress(GitFailed):
        update_refs(repository, [update], reason="openllm-repos: sync")


def settle(manifest: Manifest, repository: Repository, told: Callable[[str], None] = lambda _: None) -> None:
    """Look after runs that did not end: ask the remotes whether their pushes landed, and close their records."""
    names = {str(repo.name): repo for repo in manifest.repos}
    for record in unfinished(repository):
        repo = names.get(record.target)
        if repo is None or repo.url != record.url:
            told(f"{record.target}: an earlier run to {record.url} did not end; that repo is gone from the manifest")
            finish(repository, record, landed=None)
            continue
        if record.ref != repo.branch.ref:  # an import's
            repo = replace(repo, branch=BranchName(record.ref.removeprefix("refs/heads/")))
        (state,) = ask(repository, [repo]).values()
        if state.problem:
            told(f"{record.target}: an earlier sync did not end; its remote does not say if it landed: {state.problem}")
            continue
        landed = state.tip is not None and (
            state.tip == record.new or _contains(repository, state, state.tip, record.new)
        )
        told(f"{record.target}: an earlier sync did not end; its push {'landed' if landed else 'had not landed'}")
        finish(repository, record, landed=landed)
        if landed and state.tip is not None and _has(repository, state.tip):
            _move(repository, state, read_ref(repository, state.tracking_ref), state.tip)
    sweep(repository)


def _has(repository: Repository, commit: ObjectId) -> bool:
    with ObjectReader(repository.git) as reader:
        return reader.find(commit.encode()) is not None
