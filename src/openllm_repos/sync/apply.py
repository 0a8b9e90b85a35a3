"""Doing what was planned: journal, push with the old value stated, and then believing only what the remote says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from openllm_repos.errors import ConflictError, EnvironmentProblem, RemoteRefused, ReposError
from openllm_repos.family.remotes import DEADLINE, RemoteState, answered, ask, bring
from openllm_repos.git.history import is_ancestor
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.process import GitFailed
from openllm_repos.git.refs import read_ref, update_refs
from openllm_repos.git.remote import AGAIN, Pushed, Unreachable, endpoints, list_refs, may_pass, push
from openllm_repos.git.repository import Repository
from openllm_repos.journal.operations import new_operation
from openllm_repos.journal.records import Record, begin, finish, sweep, unfinished
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Outcome, RefUpdate, Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.advice import advice
from openllm_repos.preflight.card import Validate
from openllm_repos.preflight.large import carry
from openllm_repos.sync.planning import plan_target

ATTEMPTS = 3


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
    """Carry out a plan, target by target; what stops one does not stop the others.

    The caller holds the clone's lock (:func:`openllm_repos.journal.lock.exclusive`) since before the plan was made.

    Args:
        plan: what to do; made on this clone, not in a quarantine.
        manifest: the manifest that it was made from.
        repository: the clone.
        told: gets a line of progress before each push.
        again: plans a target once more that has moved; by default as a sync of the same source commit.
        validate: asks the Hub about a card, where a target has moved and is planned again.
        named: what the log of operations calls it; a sync by default.

    Returns:
        For each target what came of it, in the order of the plan.
    """
    named = named or Named()
    replanned = again or (lambda remote, step: plan_target(manifest, repository, remote, step.source_commit, validate))
    results: list[Outcome | Stopped] = []
    for step in plan.targets:
        if isinstance(step, Stopped):
            results.append(step)
            continue
        try:
            results.append(_apply_target(step, manifest, repository, named, told, replanned))
        except ReposError as why:
            results.append(Stopped(step.target, why.message, why.hint, why.exit_code))
    return tuple(results)


def _apply_target(
    step: TargetPlan,
    manifest: Manifest,
    repository: Repository,
    named: Named,
    told: Callable[[str], None],
    again: Again,
) -> Outcome | Stopped:
    target = manifest.target(step.target)
    state = RemoteState(target, endpoints(repository, {target.name: target.url})[target.name], step.tip)
    for attempt in range(1, ATTEMPTS + 1):
        if step.update is None:
            _remember(repository, state, step.tip)
            return Outcome(step.target, step.action, step.tip or repository.zero, pushed=False, attempts=attempt - 1)
        carry(repository, target, state.endpoint.push_url, step.large, told)
        told(f"{step.target}: pushing {step.update.new[:10]} to {target.branch}")
        update = step.update
        record = Record(
            operation=named.operation,
            target=step.target,
            url=target.url,
            ref=update.ref,
            old=update.old,
            new=update.new,
            source_commit=step.source_commit,
            command=named.command,
            undoes=named.undoes,
        )
        begin(repository, record)
        said = push(repository, state.endpoint.push_url, [update], lfs=bool(step.large))
        tip = _true_tip(repository, state)
        if tip == update.new or _contains(repository, state, tip, update.new):
            finish(repository, record, landed=True)
            _remember(repository, state, tip)
            return Outcome(step.target, step.action, tip, pushed=True, attempts=attempt)
        finish(repository, record, landed=False)
        if tip == update.old:
            raise _not_landed(target, said, repository.advice(state.endpoint.push_url))
        if tip.is_zero:  # merging again would begin a second history there, without the target's own files
            raise ConflictError(
                f"{step.target}: its branch {target.branch} was deleted while it was being synced; nothing was pushed.",
                hint=f"What it held is {update.old}, in this clone. Once it is clear why, run the same command again.",
            )
        told(f"{step.target}: its branch has moved meanwhile; merging again")
        fresh = bring(repository, list(ask(repository, [target]).values()))[target.name]
        replanned = again(fresh, step)
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
            hint=advice(pushed.said, target) + (f" {known}" if known else ""),
        )
    if pushed.done:
        return EnvironmentProblem(
            f"git says that the push to {target.name} went through, but {target.url} has not moved.",
            hint="Look for a pushurl or url.*.pushInsteadOf that sends it elsewhere: git config --get-regexp push",
        )
    return RemoteRefused(
        f"The push did not get through to {target.name}, and nothing was changed there:\n{pushed.said}",
        hint=AGAIN
        if may_pass(pushed.said)
        else known or "Check your rights there, the connection, and your own pre-push hook and push.* settings.",
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


def _remember(repository: Repository, state: RemoteState, tip: ObjectId | None) -> None:
    """Move the remote-tracking ref, as git does after a fetch or a push."""
    known = read_ref(repository, state.tracking_ref)
    if tip is not None and known != tip:
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
        (state,) = ask(repository, [repo]).values()
        if state.problem:
            told(f"{record.target}: an earlier sync did not end; its remote does not say if it landed: {state.problem}")
            continue
        landed = state.tip is not None and (
            state.tip == record.new or _contains(repository, state, state.tip, record.new)
        )
        told(f"{record.target}: an earlier sync did not end; its push {'landed' if landed else 'had not landed'}")
        finish(repository, record, landed=landed)
        if landed and _has(repository, state.tip):
            _remember(repository, state, state.tip)
    sweep(repository)


def _has(repository: Repository, commit: ObjectId | None) -> bool:
    if commit is None:
        return False
    with ObjectReader(repository.git) as reader:
        return reader.find(commit.encode()) is not None
