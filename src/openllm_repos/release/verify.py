"""Releases held against the remotes: what every lock says, and what the tags say now. Any clone can ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from openllm_repos.errors import EnvironmentProblem, ReposError, UsageError
from openllm_repos.family.releases import FoundLock, locked_tags
from openllm_repos.family.remotes import CONNECTIONS, DEADLINE, RemoteState
from openllm_repos.git.gitlinks import pins_in_commit
from openllm_repos.git.network import ask_host
from openllm_repos.git.process import DeadlineExceeded, GitFailed
from openllm_repos.git.remote import Unreachable, endpoints, list_refs
from openllm_repos.git.repository import Repository
from openllm_repos.git.tags import is_signed
from openllm_repos.lockfile.model import LockedRepo
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.names.url import RepoUrl
from openllm_repos.release.begun import find_lock, source_state
from openllm_repos.release.desk import Desk
from openllm_repos.versions.order import order


class Verdict(StrEnum):
    """What a remote's tag is, held against the lock."""

    GOOD = "good"
    MISSING = "missing"
    MOVED = "moved"
    LIGHTWEIGHT = "lightweight"
    UNSIGNED = "unsigned"
    UNPINNED = "pinned elsewhere"
    UNREACHABLE = "unreachable"


_TAGGED = frozenset({Verdict.GOOD, Verdict.LIGHTWEIGHT, Verdict.UNSIGNED, Verdict.UNPINNED})


@dataclass(frozen=True, slots=True)
class VerifiedRepo:
    """One repo of a release.

    Attributes:
        repo: as the lock has it.
        commit: the commit that the tag must name.
        verdict: what was found.
        held: the commit that the tag names now, None where there is none or it is not known.
        said: why it is unreachable, or an empty string.
    """

    repo: LockedRepo
    commit: ObjectId
    verdict: Verdict
    held: ObjectId | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class VerifiedRelease:
    """One release held against the remotes.

    Attributes:
        tag: its tag on the source.
        found: its lock, None where it has none.
        repos: one entry a repo, in the order of the lock.
        fault: why the lock cannot be read, or an empty string.
    """

    tag: TagName
    found: FoundLock | None
    repos: tuple[VerifiedRepo, ...] = ()
    fault: str = ""

    @property
    def good(self) -> bool:
        """Whether every tag is as the lock says."""
        return self.found is not None and all(one.verdict is Verdict.GOOD for one in self.repos)

    @property
    def out(self) -> bool:
        """Whether the source has its tag, so that the release is there for others."""
        return not self.repos or self.repos[0].verdict is not Verdict.MISSING

    @property
    def tagged(self) -> int:
        """How many repos have the tag where it belongs."""
        return sum(one.verdict in _TAGGED for one in self.repos)


def known_tags(manifest: Manifest, repository: Repository, source: RemoteState) -> list[TagName]:
    """Return the tags of all releases, newest first: tags on the source that look like one, and locks on its branch."""
    form = manifest.project.tag
    tags = {TagName(tag) for tag in source.tags if form.version_of(tag) is not None}
    if source.tip is not None:
        tags.update(locked_tags(repository, source.tip))
    return sorted(tags, key=lambda tag: order(form.version_of(tag) or tag), reverse=True)


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
) -> tuple[VerifiedRelease, ...]:
    """Hold releases against the remotes, all of them asked once.

    Args:
        repository: the clone, or a quarantine of it; what has to be fetched goes into it.
        tags: the releases, as the source's tags.
        source: what the source's remote said.
        signed: whether a tag without a signature is a fault. Then every tag is fetched.

    Returns:
        One entry a release, in the order of `tags`.
    """
    locks: list[tuple[TagName, FoundLock | None, str]] = []
    for tag in tags:
        try:
            locks.append((tag, find_lock(repository, source, tag), ""))
        except ReposError as why:
            locks.append((tag, None, why.message))
    urls = {(repo.name, repo.url) for _, found, _ in locks if found is not None for repo in found.lock.repos}
    answers = _ask(repository, sorted(urls))
    with Desk(repository) as desk:
        return tuple(
            VerifiedRelease(tag, found, tuple(_held(desk, found, answers, signed=signed)), fault)
            if found is not None
            else VerifiedRelease(tag, None, (), fault)
            for tag, found, fault in locks
        )


_Answer = Mapping[str, ObjectId] | Unreachable


def _ask(repository: Repository, places: Sequence[tuple[RepoName, RepoUrl]]) -> dict[RepoUrl, _Answer]:
    """Ask every remote for all its tags, many at a time."""

    def one(place: tuple[RepoName, RepoUrl]) -> _Answer:
        url = endpoints(repository, {place[0]: place[1]})[place[0]].url
        try:
            return list_refs(repository, url, ("refs/tags/*",), deadline=DEADLINE, peeled=True)
        except Unreachable as why:
            return why

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return {url: answer for (_, url), answer in zip(places, pool.map(one, places), strict=True)}


def _held(desk: Desk, found: FoundLock, answers: Mapping[RepoUrl, _Answer], *, signed: bool) -> Iterator[VerifiedRepo]:
    paths = [repo.submodule for repo in found.lock.repos if repo.submodule is not None]
    pins = pins_in_commit(desk.repository, found.commit, paths)
    for repo in found.lock.repos:
        wanted = found.commit if repo is found.lock.source else repo.commit
        answer = answers[repo.url]
        if isinstance(answer, Unreachable):
            yield VerifiedRepo(repo, wanted, Verdict.UNREACHABLE, said=answer.message)
            continue
        ref = repo.tag.ref
        held = answer.get(f"{ref}^{{}}", answer.get(ref))
        verdict = _verdict(answer, ref, held, wanted)
        if verdict is Verdict.GOOD and signed:
            try:
                verdict = Verdict.GOOD if _signed(desk, repo, answer[ref]) else Verdict.UNSIGNED
            except EnvironmentProblem as why:
                yield VerifiedRepo(repo, wanted, Verdict.UNREACHABLE, held, why.message)
                continue
        if verdict is Verdict.GOOD and repo.submodule is not None and pins.get(repo.submodule) != repo.commit:
            verdict = Verdict.UNPINNED
        yield VerifiedRepo(repo, wanted, verdict, held)


def _verdict(answer: Mapping[str, ObjectId], ref: str, held: ObjectId | None, wanted: ObjectId) -> Verdict:
    if held is None:
        return Verdict.MISSING
    if held != wanted:
        return Verdict.MOVED
    return Verdict.GOOD if f"{ref}^{{}}" in answer else Verdict.LIGHTWEIGHT


def _signed(desk: Desk, repo: LockedRepo, tag: ObjectId) -> bool:
    """Whether a remote's tag carries a signature. The tag is fetched without what it names.

    Raises:
        EnvironmentProblem: it cannot be fetched.
    """
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
        text = scratch.git.run("cat-file", "tag", tag).stdout.decode("utf-8", "replace")
    except (GitFailed, DeadlineExceeded) as why:
        raise EnvironmentProblem(f"its tag cannot be fetched: {why.message}") from None
    return is_signed(text)
