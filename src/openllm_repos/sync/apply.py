"""Doing what was planned: journal, push with the old value stated, and then believing only what the remote says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from openllm_repos.errors import ConflictError, EnvironmentProblem, RemoteRefused, ReposError
from openllm_repos.family.remotes import DEADLINE, RemoteState, answered, ask, bring
from openllm_repos.git.history import is_ancestor
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.process import GitFailed
from openllm_repos.git.refs import read_ref, update_refs
from openllm_repos.git.remote import Pushed, Unreachable, endpoints, list_refs, push
from openllm_repos.git.repository import Repository
from openllm_repos.journal.records import Record, begin, finish, new_operation, sweep, unfinished
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Action, Outcome, RefUpdate, Stopped, SyncPlan, TargetPlan
from openllm_repos.sync.planning import plan_target

ATTEMPTS = 3


def apply(
    plan: SyncPlan, manifest: Manifest, repository: Repository, told: Callable[[str], None] = lambda _: None
) -> tuple[Outcome | Stopped, ...]:
    """Carry out a plan, target by target; what stops one does not stop the others.

    The caller holds the clone's lock (:func:`openllm_repos.journal.lock.exclusive`) since before the plan was made.

    Args:
        plan: what to do; made on this clone, not in a quarantine.
        manifest: the manifest that it was made from.
        repository: the clone.
        told: gets a line of progress before each push.

    Returns:
        For each target what came of it, in the order of the plan.
    """
    operation = new_operation()
    results: list[Outcome | Stopped] = []
    for step in plan.targets:
        if isinstance(step, Stopped):
            results.append(step)
            continue
        try:
            results.append(_apply_target(step, manifest, repository, operation, told))
        except ReposError as why:
            results.append(Stopped(step.target, why.message, why.hint, why.exit_code))
    return tuple(results)


def _apply_target(
    step: TargetPlan, manifest: Manifest, repository: Repository, operation: str, told: Callable[[str], None]
) -> Outcome | Stopped:
    target = manifest.target(step.target)
    state = RemoteState(target, endpoints(repository, {target.name: target.url})[target.name], step.tip)
    for attempt in range(1, ATTEMPTS + 1):
        if step.update is None:
            _remember(repository, state, step.tip)
            return Outcome(
                step.target, Action.UP_TO_DATE, step.tip or repository.zero, pushed=False, attempts=attempt - 1
            )
        told(f"{step.target}: pushing {step.update.new[:10]} to {target.branch}")
        update = step.update
        record = Record(operation, step.target, target.url, update.ref, update.old, update.new, step.source_commit)
        begin(repository, record)
        said = push(repository, state.endpoint.push_url, [update])
        tip = _true_tip(repository, state)
        if tip == update.new or _contains(repository, state, tip, update.new):
            finish(repository, record, landed=True)
            _remember(repository, state, tip)
            return Outcome(step.target, step.action, tip, pushed=True, attempts=attempt)
        finish(repository, record, landed=False)
        if tip == update.old:
            raise _not_landed(target, said, repository.advice(state.endpoint.push_url))
        told(f"{step.target}: its branch has moved meanwhile; merging again")
        again = _planned_again(step, manifest, repository, state)
        if isinstance(again, Stopped):
            return again
        step = again
    raise ConflictError(
        f"{step.target}: its branch moved {ATTEMPTS} times while it was being synced; nothing of ours was pushed.",
        hint="Run the same command again when it is quieter.",
    )


def _not_landed(target: Repo, pushed: Pushed, advice: str) -> ReposError:
    """Say why a push is not there: the remote refused, something on this side stopped it, or it went elsewhere.

    `advice` is what is known of the token that was used.
    """
    if pushed.refused:
        return RemoteRefused(
            f"{target.name} refused the push, and nothing was changed there:\n{pushed.said}",
            hint="Do what its own words above ask for: rights, branch protection, or what it does not take."
            + (f" {advice}" if advice else ""),
        )
    if pushed.done:
        return EnvironmentProblem(
            f"git says that the push to {target.name} went through, but {target.url} has not moved.",
            hint="Look for a pushurl or url.*.pushInsteadOf that sends it elsewhere: git config --get-regexp push",
        )
    return RemoteRefused(
        f"The push did not get through to {target.name}, and nothing was changed there:\n{pushed.said}",
        hint=advice or "Check your rights there, the connection, and your own pre-push hook and push.* settings.",
    )


def _planned_again(
    step: TargetPlan, manifest: Manifest, repository: Repository, state: RemoteState
) -> TargetPlan | Stopped:
    """Fetch what others pushed and merge once more."""
    fresh = bring(repository, list(ask(repository, [state.repo]).values()))
    return plan_target(manifest, repository, fresh[state.repo.name], step.source_commit)


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
            finish(repository, record, landed=False)
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
