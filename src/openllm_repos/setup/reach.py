"""What `doctor` asks the remotes, all at once: whether they answer, have their branch, and take pushes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from openllm_repos.errors import UsageError
from openllm_repos.family.remotes import CONNECTIONS
from openllm_repos.family.source import source_commit
from openllm_repos.git.peek import may_push
from openllm_repos.git.remote import Endpoint, Unreachable, endpoints, list_refs
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Kind, Manifest, Repo, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.setup.check import Check, error, ok, warning

_NAMED = 3
_HUB = frozenset({Kind.SPACE, Kind.MODEL, Kind.DATASET})


def check_remotes(manifest: Manifest, repository: Repository, *, deadline: float) -> Iterator[Check]:
    """Ask every repo of the manifest. Nothing is changed, here or there.

    Args:
        manifest: the manifest.
        repository: the clone.
        deadline: seconds for each question; a repo is asked two.
    """
    reached = endpoints(repository, {repo.name: repo.url for repo in manifest.repos})
    try:
        commit = source_commit(repository, manifest.source, None, None)
    except UsageError:  # nothing to push yet; the answer of the source's remote says what to do
        commit = None
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        asked = [pool.submit(_ask, repository, repo, reached[repo.name], commit, deadline) for repo in manifest.repos]
        try:
            for future in asked:
                yield from future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _ask(
    repository: Repository, repo: Repo, endpoint: Endpoint, commit: ObjectId | None, deadline: float
) -> tuple[Check, ...]:
    try:
        refs = list_refs(repository, endpoint.url, ("refs/heads/*",), deadline=deadline)
    except Unreachable as why:
        return (error("remote", why.message, why.hint, repo=repo.name),)
    through = f", through your remote {endpoint.name}" if endpoint.name not in {None, repo.name} else ""
    if repo.branch.ref in refs:
        answer = ok("remote", f"answers{through}; {repo.branch} is at {refs[repo.branch.ref][:10]}", repo=repo.name)
    elif refs:
        branches = ", ".join(sorted(ref.removeprefix("refs/heads/") for ref in refs)[:_NAMED])
        fix = f"openllm-repos manifest set repos.{repo.name}.branch BRANCH"
        answer = error("remote", f"has no branch {repo.branch}; it has {branches}", fix, repo=repo.name)
    else:
        answer = ok("remote", f"answers{through}; it is still empty", repo=repo.name)
    if commit is None:
        return (answer,)
    return (answer, _writable(repository, repo, endpoint, commit, deadline))


def _writable(repository: Repository, repo: Repo, endpoint: Endpoint, commit: ObjectId, deadline: float) -> Check:
    """Ask for write access: syncs need it for targets, releases for all that they tag."""
    said = may_push(repository, endpoint.push_url, commit, deadline=deadline)
    if not said:
        return ok("write", "you may push", repo=repo.name)
    message, fix = f"you may not push: {_first_line(said)}", _credentials(repo, endpoint)
    if repo.role is Role.TARGET:
        return error("write", message, fix, repo=repo.name)
    return warning("write", message, fix, repo=repo.name)


def _first_line(said: str) -> str:
    """Return the line of git's and the remote's words that says most: the remote's own first."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    remote = [line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:")]
    fatal = [line.removeprefix("fatal:").strip() for line in lines if line.startswith("fatal:")]
    return next((line for line in (*remote, *fatal, *lines) if line), "git gave no reason")


def _credentials(repo: Repo, endpoint: Endpoint) -> str:
    """Return the command that gives git what it needs to write there."""
    if not endpoint.push_url.startswith("https://"):
        return f"git push --dry-run -- {endpoint.push_url} HEAD   shows all of it"
    if repo.kind is Kind.GITHUB:
        return "gh auth login && gh auth setup-git"
    if repo.kind in _HUB:
        return "hf auth login --add-to-git-credential   (a token with write access)"
    return "Store a credential for it: git help credentials"
