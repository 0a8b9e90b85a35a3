"""Doing what an import planned: the branch here, and on the source's remote with a pull request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from openllm_repos.errors import ConflictError, UsageError
from openllm_repos.family.remotes import RemoteState, bring, tip_after_push
from openllm_repos.family.remotes import ask as ask_remotes
from openllm_repos.git.history import is_ancestor
from openllm_repos.git.refs import read_ref, update_refs
from openllm_repos.git.remote import Pushed, push
from openllm_repos.git.repository import Repository
from openllm_repos.git.worktree import branches_in_use
from openllm_repos.github.pulls import GitHubRefused, PullRequest, api_of, open_pull
from openllm_repos.hint import command_line
from openllm_repos.hub.endpoint import github_server
from openllm_repos.hub.tokens import github_token
from openllm_repos.importing.model import ImportPlan, Published
from openllm_repos.journal.log import HERE, Move, MoveOutcome
from openllm_repos.journal.transaction import Transaction
from openllm_repos.manifest.model import Kind, Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate
from openllm_repos.preflight.advice import about_storage
from openllm_repos.preflight.inspect import WouldBeRefused, inspect, require_accepted
from openllm_repos.preflight.large import carry
from openllm_repos.preflight.push import Push
from openllm_repos.retry import RetryPolicy
from openllm_repos.text import redact, show


def write_branch(plan: ImportPlan, repository: Repository, transaction: Transaction) -> bool:
    """Let the branch name what was made; return whether it moved. No work tree is touched.

    The caller holds the clone's lock since before the plan was made.

    Args:
        plan: what to do, with commits; made on this clone, not in a quarantine.
        repository: the clone.
        transaction: the operation that it belongs to.

    Raises:
        ConflictError: the branch is checked out somewhere, where its files would no longer be those of its commit.
        GitFailed: the branch has moved meanwhile.
    """
    assert plan.tip is not None  # the caller looks first
    if plan.old == plan.tip:
        return False
    if plan.old is not None and plan.branch.ref in branches_in_use(repository):
        raise ConflictError(
            f"{plan.branch} is checked out, and has to move on from {plan.old[:10]} to {plan.tip[:10]}.",
            hint=f"git merge --ff-only {plan.tip}  # or switch to another branch first",
        )
    update = RefUpdate(plan.branch.ref, plan.old or repository.zero, plan.tip)
    move = Move.of(HERE, "", update)
    transaction.begin(move)
    update_refs(repository, [update], reason=f"openllm-repos: import {plan.target}")
    transaction.finish(MoveOutcome.MOVED, move)
    return True


def require_github(source: Repo, branch: str) -> None:
    """Refuse a source that has no pull requests.

    Raises:
        UsageError: it is not on GitHub.
    """
    if source.kind is not Kind.GITHUB or source.repo_id is None:
        raise UsageError(
            f"{source.name} is not on GitHub, so there is no pull request to open.",
            hint=command_line("git", "push", source.url, branch, remark="pushes the branch by hand"),
        )


def publish(
    plan: ImportPlan,
    manifest: Manifest,
    repository: Repository,
    transaction: Transaction,
    told: Callable[[str], None] = lambda _: None,
) -> Published:
    """Push the branch to the source's remote, believe only what that says afterwards, and open a pull request.

    The caller holds the clone's lock since before the plan was made.

    Args:
        plan: what was done; its branch is here.
        manifest: the manifest that it was made from.
        repository: the clone.
        transaction: the operation that it belongs to.
        told: gets a line of progress before each push.

    Raises:
        UsageError: the source is not on GitHub.
        WouldBeRefused: GitHub would not take it.
        ConflictError: the remote has a branch of that name with other commits.
        RemoteRefused: it said no.
        EnvironmentProblem: it fell silent; what is true is unknown until it answers.
    """
    source = manifest.source
    require_github(source, plan.branch)
    assert plan.tip is not None  # the caller looks first
    on_remote = replace(source, branch=plan.branch)
    here = bring(repository, list(ask_remotes(repository, [on_remote]).values()))[source.name]
    here.require()
    pushed = here.tip != plan.tip
    if pushed:
        if here.tip is not None and not is_ancestor(repository, here.tip, plan.tip):
            raise ConflictError(
                f"{source.name} has a branch {plan.branch} already, at {here.tip[:10]}, with other commits; nothing was"
                " pushed.",
                hint="Merge or delete it there, or import with another --branch.",
            )
        update = RefUpdate(plan.branch.ref, here.tip or repository.zero, plan.tip)
        _push(plan, repository, here, manifest.target(plan.target), update, transaction, told)
        mine = f"{here.endpoint.tracking}/{plan.branch}"
        update_refs(
            repository,
            [RefUpdate(mine, read_ref(repository, mine) or repository.zero, plan.tip)],
            reason="openllm-repos: import",
        )
    return _open(plan, source, Published(plan.branch, plan.tip, pushed), repository.retry)


def _push(
    plan: ImportPlan,
    repository: Repository,
    remote: RemoteState,
    target: Repo,
    update: RefUpdate,
    transaction: Transaction,
    told: Callable[[str], None],
) -> None:
    source, url, move = remote.repo, remote.endpoint.push_url, Move.of(remote.repo.name, remote.repo.url, update)
    there = None if update.old.is_zero else update.old
    known = (plan.base,) if plan.base is not None else ()
    try:
        inspection = inspect(repository, Push(source, url, update.new, there, known, source=target))
        require_accepted(source, inspection)
    except WouldBeRefused as why:
        why.hint = "Mend it in the branch, or in the target, then run the same command again."
        raise
    carry(repository, source, url, inspection.large, told)
    told(f"{source.name}: pushing {update.new[:10]} to {plan.branch}")
    transaction.begin(move)
    said = push(repository, url, [update], lfs=bool(inspection.large))
    tip = tip_after_push(repository, remote, update.old)
    transaction.finish(MoveOutcome.MOVED if tip == update.new else MoveOutcome.REFUSED, move)
    if tip != update.new:
        raise _not_landed(source, said, tip, update, repository.advice(url))


def _not_landed(source: Repo, said: Pushed, tip: ObjectId, update: RefUpdate, known: str) -> Exception:
    """Say why the branch is not what was pushed."""
    if tip != update.old:
        return ConflictError(
            f"{source.name}: somebody else moved {update.ref} meanwhile; nothing of ours was pushed.",
            hint="Run the same command again.",
        )
    return said.problem(
        f"The branch is in this clone, but {source.name} did not take it:\n{said.said}",
        hint=about_storage(said.said, source.name) or known or "Check your rights there, and your own pre-push hook.",
    )


def _open(plan: ImportPlan, source: Repo, published: Published, retry: RetryPolicy) -> Published:
    """Open the pull request where a token allows it; else say where a person can."""
    server, token = github_server(), github_token()
    assert source.repo_id is not None  # it is on GitHub
    pull = PullRequest(source.repo_id, plan.branch, source.branch, _title(plan), _body(plan))
    published = replace(published, link=pull.link(server))
    if token is None:
        return published
    try:
        return replace(published, link=open_pull(api_of(server), token.value, pull, retry=retry), opened=True)
    except GitHubRefused as why:
        return replace(published, notes=(f"No pull request was opened: {redact(why.message)}",))


def _title(plan: ImportPlan) -> str:
    if len(plan.changing) == 1:
        return show(plan.changing[0].origin.subject)[:200] or f"Import from {plan.target}"
    return f"Import {len(plan.changing)} commits from {plan.target}"


def _body(plan: ImportPlan) -> str:
    """Return the text of the pull request. Subjects are foreign: as code, so that they mention and link nothing."""
    rows = "\n".join(f"    {made.origin.id[:10]} {show(made.origin.subject)}" for made in plan.changing[:50])
    return (
        f"What was changed in {plan.url} at files that come from here:\n\n{rows}\n\n"
        "Merge it with a merge commit or by rebasing, and each commit keeps its author. If you squash it, keep the"
        " lines that begin with Imported-From: they say that these changes are here, and are not imported again.\n"
    )
