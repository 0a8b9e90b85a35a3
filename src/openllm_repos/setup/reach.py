"""What `doctor` asks the remotes, all at once: whether they answer, have their branch, and take pushes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from openllm_repos.errors import UsageError
from openllm_repos.family.access import FamilyAccess, hub_repo_of
from openllm_repos.family.remotes import CONNECTIONS, RemoteState, ask_one, bring, name_a_branch
from openllm_repos.family.source import OtherSource, hold_against_remote, source_commit
from openllm_repos.git.refs import read_ref
from openllm_repos.git.remote import Endpoint, Unreachable, endpoints, require_writable
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.hub.client import HubClient
from openllm_repos.hub.failures import Cause, HubError
from openllm_repos.hub.tokens import TrustedPublishing, github_token, hub_token
from openllm_repos.manifest.model import Kind, Manifest, Repo, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate
from openllm_repos.setup.check import Check, error, ok, warning

_NAMED = 3
_PROBE = "refs/heads/openllm-repos/doctor"  # a name of our own: no branch or tag that anybody has could be in its way
_READ_ONLY = "read"


def check_remotes(
    manifest: Manifest, repository: Repository, access: FamilyAccess | None, *, deadline: float
) -> Iterator[Check]:
    """Ask every repo of the manifest, and the Hub whose token it is. Nothing is changed, here or there.

    Args:
        manifest: the manifest.
        repository: the clone.
        access: with what the repos are reached; None where that could not be told.
        deadline: seconds for each question; a repo is asked two.
    """
    reached = endpoints(repository, {repo.name: repo.url for repo in manifest.repos})
    commit = read_ref(repository, "HEAD")  # any will do to ask with; before the first one nobody is asked
    hub = None if access is None else access.hub(deadline=deadline)

    def ask(repo: Repo) -> tuple[Check, ...]:
        return _ask(repository, repo, reached[repo.name], commit, hub, deadline)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        tokens = pool.submit(check_tokens, manifest, hub, access)
        asked = [(repo, pool.submit(ask, repo)) for repo in manifest.repos]
        try:
            yield from tokens.result()
            useless = any(check.level == "error" for check in tokens.result())
            for repo, future in asked:
                for check in future.result():
                    # Without a token that is taken nothing on the Hub can be written: that was told, once.
                    if not (useless and check.name == "write" and hub_repo_of(repo)):
                        yield check
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def check_tokens(manifest: Manifest, hub: HubClient | None, access: FamilyAccess | None) -> tuple[Check, ...]:
    """Say which tokens there are, and what the Hub's may do; what it reaches, each repo's own check says."""
    checks = []
    if any(repo.kind is Kind.GITHUB for repo in manifest.repos):
        token = github_token()
        said = "none in the environment; git's own credentials are used" if token is None else f"from {token.origin}"
        checks.append(ok("token", f"GitHub: {said}"))
    there = next((repo for repo in manifest.repos if hub_repo_of(repo)), None)
    if hub is not None and access is not None and there is not None:
        checks.append(_hub_token(hub, access.login(str(there.url))[1]))
    return tuple(checks)


def _hub_token(hub: HubClient, another: str) -> Check:
    """Say what the Hub's token is; `another` is the step to one that is taken."""
    token = hub_token()
    if token is None:
        if TrustedPublishing(hub.endpoint).offered:
            return ok("token", "Hub: trusted publishing, a token for each repository")
        return warning("token", "Hub: none; git's own credentials are used", "hf auth login")
    try:
        account = hub.whoami()
    except HubError as why:
        if why.cause is Cause.BAD_TOKEN:
            return error("token", f"Hub: {token.origin}, which the Hub does not take: {why.said}", another)
        if why.cause is Cause.CONNECTION:
            return warning("token", f"Hub: {token.origin}; the Hub was not reached")  # each repo there says more
        return warning("token", f"Hub: {why.message}", why.hint)
    said = f"Hub: {token.origin}, of {account.name}, role {account.role}"
    if account.role == _READ_ONLY:
        return warning("token", f"{said}: it can only read", "hf auth login  # with a token that may write")
    return ok("token", said)


def _ask(
    repository: Repository,
    repo: Repo,
    endpoint: Endpoint,
    commit: ObjectId | None,
    hub: HubClient | None,
    deadline: float,
) -> tuple[Check, ...]:
    state = ask_one(repository, repo, endpoint, deadline=deadline)
    if state.problem:
        return (error("remote", state.problem, state.hint, repo=repo.name),)
    through = f", through your remote {endpoint.name}" if endpoint.name not in {None, repo.name} else ""
    if state.tip is not None:
        answer = ok("remote", f"answers{through}; {repo.branch} is at {state.tip[:10]}", repo=repo.name)
    elif state.branches:
        branches = ", ".join(sorted(state.branches)[:_NAMED])
        said = f"has no branch {repo.branch}; it has {branches}"
        answer = error("remote", said, name_a_branch(repo, state.branches), repo=repo.name)
    else:
        answer = ok("remote", f"answers{through}; it is still empty", repo=repo.name)
    if commit is None:
        return (answer,)
    if repo.role is Role.SOURCE and (other := _other_source(repository, state, commit, deadline)) is not None:
        return (other,)
    said = _why_not(repository, endpoint.push_url, commit, deadline)
    return (answer, _writable(repo, endpoint, said, hub if repository.reach(endpoint.push_url) else None))


def _other_source(repository: Repository, state: RemoteState, commit: ObjectId, deadline: float) -> Check | None:
    """Say that this is a clone of something else, where it is; without the source's branch, `commit` tells that."""
    with contextlib.suppress(UsageError):  # it has no such branch
        commit = source_commit(repository, state.repo, state, None)
    try:
        with repository.quarantine() as quarantined:
            brought = bring(quarantined, [state], deadline=deadline)[state.repo.name]
            if not brought.problem:  # else it answers, but sends nothing: nobody can say
                hold_against_remote(quarantined, commit, brought)
    except OtherSource as why:
        return error("remote", why.message, why.hint, repo=state.repo.name)
    return None


def _why_not(repository: Repository, url: str, commit: ObjectId, deadline: float) -> str:
    """Return why git may not push there, in its words, or an empty string."""
    try:
        require_writable(repository, url, RefUpdate(_PROBE, repository.zero, commit), deadline=deadline)
    except Unreachable as why:
        return why.message
    return ""


def _writable(repo: Repo, endpoint: Endpoint, said: str, hub: HubClient | None) -> Check:
    """Say whether a repo takes pushes: syncs need it for targets, releases for all that they tag.

    The Hub is asked as well as git: it lets anybody begin a push to what they can read, and says no at its end.

    Args:
        repo: the manifest's entry.
        endpoint: how it is reached.
        said: git's words where it may not be pushed to, else an empty string.
        hub: the Hub, where it is reached with a token that the Hub can be asked about.
    """
    message, fix = "", ""
    if said:
        message, fix = f"you may not push: {said}", _credentials(repo, endpoint)
    place = hub_repo_of(repo)
    if hub is not None and place is not None:
        with contextlib.suppress(HubError):
            access = hub.write_access(place)
            if not access.allowed:
                message, fix = access.why, access.hint
    if not message:
        return ok("write", "you may push", repo=repo.name)
    if repo.role is Role.TARGET:
        return error("write", message, fix, repo=repo.name)
    return warning("write", message, fix, repo=repo.name)


def _credentials(repo: Repo, endpoint: Endpoint) -> str:
    """Return the command that gives git what it needs to write there, or that shows what it lacks."""
    if not endpoint.push_url.startswith("https://"):
        return command_line("git", "push", "--dry-run", "--", endpoint.push_url, "HEAD", remark="shows all of it")
    if repo.kind is Kind.GITHUB:
        return "gh auth login\ngh auth setup-git"
    if hub_repo_of(repo) is not None:
        return "hf auth login --add-to-git-credential  # with a token that may write"
    return "git help credentials  # how to store one for it"
