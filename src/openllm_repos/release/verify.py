"""Releases held against the remotes: what every lock says, and what the tags say now. Any clone can ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from openllm_repos.errors import EnvironmentProblem, UsageError
from openllm_repos.family.releases import FoundLock, known_tags, read_locks
from openllm_repos.family.remotes import DEADLINE, RemoteState
from openllm_repos.family.tags import ReleaseTags, RepoTag, TagState, ask_tags, tags_of
from openllm_repos.git.gitlinks import pins_in_commit
from openllm_repos.git.network import ask_host
from openllm_repos.git.process import DeadlineExceeded, GitFailed
from openllm_repos.git.remote import endpoints
from openllm_repos.git.repository import Repository
from openllm_repos.git.tags import is_signed
from openllm_repos.lockfile.text import LockUnsound
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.ref import TagName
from openllm_repos.release.begun import find_lock, source_state
from openllm_repos.release.desk import Desk


def read_release_lock(manifest: Manifest, repository: Repository, name: str) -> FoundLock:
    """Return the lock of a release that a person names by its tag or its version.

    Raises:
        UsageError: there is no such release, or it has no lock.
    """
    source = source_state(manifest, repository)
    tag = tag_named(manifest, repository, source, name)
    found = find_lock(repository, source, tag)
    if found is None:
        raise UsageError(
            f"{tag} has no lock: it was not made by a release.", hint="openllm-repos release list  # lists them"
        )
    return found


def tag_named(manifest: Manifest, repository: Repository, source: RemoteState, name: str) -> TagName:
    """Return the tag of the release that a person names by its tag or its version.

    Raises:
        UsageError: there is none.
    """
    known = known_tags(manifest, repository, source)
    for tag in known:
        if name in {tag, manifest.project.tag.version_of(tag)}:
            return tag
    newest = f" The newest is {known[0]}." if known else " There is none yet."
    raise UsageError(f"There is no release {name}.{newest}", hint="openllm-repos release list  # lists them all")


def verify(
    repository: Repository, tags: Sequence[TagName], source: RemoteState, *, signed: bool = False
) -> tuple[ReleaseTags, ...]:
    """Hold releases against the remotes, each of them asked once.

    Args:
        repository: the clone, or a quarantine of it; what has to be fetched goes into it.
        tags: the releases, as the source's tags.
        source: what the source's remote said.
        signed: whether a tag without a signature is a fault. Then every tag is fetched.

    Returns:
        One entry a release, in the order of `tags`.
    """
    locks = read_locks(repository, source, tags)
    read = [found for found in locks.values() if isinstance(found, FoundLock)]
    places = {repo.url: repo.name for found in read for repo in found.lock.repos}
    reached = {url: endpoints(repository, {name: url})[name] for url, name in sorted(places.items())}
    remotes = {url: source for url in reached if url == source.repo.url}
    asked = remotes | ask_tags(repository, {url: at for url, at in reached.items() if url not in remotes})
    with Desk(repository) as desk:

        def one(tag: TagName) -> ReleaseTags:
            found = locks[tag]
            if not isinstance(found, FoundLock):
                return ReleaseTags(tag, None, fault=found.message if isinstance(found, LockUnsound) else "")
            return ReleaseTags(tag, found, tuple(_closely(desk, found, tags_of(found, asked), signed=signed)))

        return tuple(map(one, tags))


def _closely(desk: Desk, found: FoundLock, repos: Sequence[RepoTag], *, signed: bool) -> Iterator[RepoTag]:
    """Look closer at what is good: whether it is signed, and pinned by the release as its lock says."""
    paths = [one.repo.submodule for one in repos if one.repo.submodule is not None]
    pins: Mapping[str, str] = pins_in_commit(desk.repository, found.commit, paths) if paths else {}
    for one in repos:
        state, problem, path = one.state, one.problem, one.repo.submodule
        if state is TagState.GOOD and signed:
            try:
                state = state if _signed(desk, one) else TagState.UNSIGNED
            except EnvironmentProblem as why:
                state, problem = TagState.UNKNOWN, why.message
        if state is TagState.GOOD and path is not None and pins.get(path) != one.repo.commit:
            state = TagState.UNPINNED
        yield replace(one, state=state, problem=problem)


def _signed(desk: Desk, one: RepoTag) -> bool:
    """Whether a remote's tag carries a signature. The tag is fetched without what it names.

    Raises:
        EnvironmentProblem: it cannot be fetched.
    """
    repo = one.repo
    scratch = desk.scratch(repo.name)
    url = endpoints(desk.repository, {repo.name: repo.url})[repo.name].url
    try:
        ask_host(
            scratch,
            url,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
            *("--depth=1", "--filter=tree:0", "--", url, repo.tag.ref),
            deadline=6 * DEADLINE,
        )
        text = scratch.git.run("cat-file", "tag", str(one.object)).stdout.decode("utf-8", "replace")
    except (GitFailed, DeadlineExceeded) as why:
        raise EnvironmentProblem(f"its tag cannot be fetched: {why.message}") from None
    return is_signed(text)
