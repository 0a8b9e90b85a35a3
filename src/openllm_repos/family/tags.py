"""How remotes hold the tags of releases: one collection of repo, tag and state, from what each remote has listed.

Whoever asks after tags (a release, `status`, `verify`, the page) asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from openllm_repos.family.releases import FoundLock
from openllm_repos.family.remotes import CONNECTIONS, DEADLINE
from openllm_repos.git.remote import Endpoint, Unreachable, list_refs
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.lockfile.model import LockedRepo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.names.url import RepoUrl


class TagState(StrEnum):
    """How a remote holds the tag of a release."""

    GOOD = "good"
    FOREIGN = "foreign"  # annotated and at the right commit, but not the object that the release made
    MISSING = "missing"
    MOVED = "moved"
    LIGHTWEIGHT = "lightweight"
    UNSIGNED = "unsigned"
    UNPINNED = "pinned elsewhere"
    UNKNOWN = "unreachable"

    @property
    def settled(self) -> bool:
        """Whether nothing is to be done."""
        return self in {TagState.GOOD, TagState.FOREIGN}

    @property
    def wrong(self) -> bool:
        """Whether the tag is there, and not as a release makes it."""
        return self in {TagState.MOVED, TagState.LIGHTWEIGHT}


class Tags(Protocol):
    """What a remote listed: a :class:`~openllm_repos.family.remotes.RemoteState`, or tags alone."""

    @property
    def tags(self) -> Mapping[str, ObjectId]:
        """Tag names and what they point at."""

    @property
    def peeled(self) -> Mapping[str, ObjectId]:
        """Of annotated tags, the commit that they name in the end."""

    @property
    def problem(self) -> str:
        """Why it did not answer, or an empty string."""

    @property
    def hint(self) -> str:
        """What to do about that."""


@dataclass(frozen=True, slots=True)
class RemoteTags:
    """The tags of one remote, or why it did not list them."""

    tags: Mapping[str, ObjectId] = field(default_factory=dict)
    peeled: Mapping[str, ObjectId] = field(default_factory=dict)
    problem: str = ""
    hint: str = ""

    @classmethod
    def of(cls, refs: Mapping[str, ObjectId]) -> RemoteTags:
        """Return the tags among refs, some of them peeled."""
        tags = {ref.removeprefix("refs/tags/"): at for ref, at in refs.items()}
        peeled = {name.removesuffix("^{}"): at for name, at in tags.items() if name.endswith("^{}")}
        return cls({name: at for name, at in tags.items() if not name.endswith("^{}")}, peeled)


def tag_state(remote: Tags, tag: str, commit: ObjectId | None, made: ObjectId | None = None) -> TagState:
    """Return how a remote holds a tag.

    Args:
        remote: what it listed.
        tag: short name.
        commit: what the tag is to name, None where that is a commit which nobody has yet.
        made: the tag object that the release made, where it is known.
    """
    if remote.problem:
        return TagState.UNKNOWN
    if tag not in remote.tags:
        return TagState.MISSING
    if named(remote, tag) != commit:
        return TagState.MOVED
    if tag not in remote.peeled:
        return TagState.LIGHTWEIGHT
    return TagState.GOOD if made in {None, remote.tags[tag]} else TagState.FOREIGN


def named(remote: Tags, tag: str) -> ObjectId | None:
    """Return the commit that a remote's tag names in the end, None where it has no such tag."""
    return remote.peeled.get(tag, remote.tags.get(tag))


def ask_tags(
    repository: Repository, reached: Mapping[RepoUrl, Endpoint], only: Mapping[RepoUrl, TagName] | None = None
) -> dict[RepoUrl, RemoteTags]:
    """Ask remotes for their tags, many at a time; one that does not answer is an answer too.

    Args:
        repository: the clone.
        reached: whom to ask.
        only: the one tag of each that matters; all of them by default.
    """

    def one(url: RepoUrl) -> RemoteTags:
        patterns = ("refs/tags/*",) if only is None else (only[url].ref, f"{only[url].ref}^{{}}")
        try:
            return RemoteTags.of(list_refs(repository, reached[url].url, patterns, deadline=DEADLINE, peeled=True))
        except Unreachable as why:
            return RemoteTags(problem=why.message, hint=why.hint)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return dict(zip(reached, pool.map(one, reached), strict=True))


@dataclass(frozen=True, slots=True)
class RepoTag:
    """One repo's tag of a release, as its remote has it.

    Attributes:
        repo: as the lock has it.
        commit: the commit that the tag must name.
        state: how the remote holds it.
        held: the commit that it names now, None where there is none or it is not known.
        object: what the ref points at: the tag object, unless it is lightweight.
        problem: why that is not known, or an empty string.
        hint: what to do about it.
    """

    repo: LockedRepo
    commit: ObjectId
    state: TagState
    held: ObjectId | None = None
    object: ObjectId | None = None
    problem: str = ""
    hint: str = ""

    @property
    def wrong_said(self) -> str:
        """How a tag is there that is not as the release has it (``v1.0 at 1234567890, and the release has ...``)."""
        if self.state is TagState.LIGHTWEIGHT:
            return f"{self.repo.tag} at {self.commit[:10]}, but lightweight: a release has annotated tags"
        return f"{self.repo.tag} at {str(self.held)[:10]}, and the release has {self.commit[:10]}"


@dataclass(frozen=True, slots=True)
class ReleaseTags:
    """One release held against remotes.

    Attributes:
        tag: its tag on the source.
        found: its lock, None where it has none.
        repos: one entry a repo, in the order of the lock.
        fault: why the lock cannot be read, or an empty string.
    """

    tag: TagName
    found: FoundLock | None
    repos: tuple[RepoTag, ...] = ()
    fault: str = ""

    @property
    def good(self) -> bool:
        """Whether every tag is as the lock says."""
        return self.found is not None and all(one.state.settled for one in self.repos)

    @property
    def out(self) -> bool:
        """Whether the source has its tag, so that the release is there for others."""
        return not self.repos or self.repos[0].state is not TagState.MISSING

    @property
    def tagged(self) -> int:
        """How many repos have the tag where it belongs."""
        return sum(one.state not in {TagState.MISSING, TagState.MOVED, TagState.UNKNOWN} for one in self.repos)


def tags_of(
    found: FoundLock, remotes: Mapping[RepoUrl, Tags], made: Mapping[RepoName, ObjectId | None] | None = None
) -> tuple[RepoTag, ...]:
    """Hold a lock against what remotes listed; repos that are not among them are left out.

    Args:
        found: the lock.
        remotes: what each listed.
        made: the tag objects that the release made, by the repo's name, where they are known.
    """
    return tuple(
        RepoTag(
            repo,
            found.commit_of(repo),
            tag_state(remote, repo.tag, found.commit_of(repo), (made or {}).get(repo.name)),
            named(remote, repo.tag),
            remote.tags.get(repo.tag),
            remote.problem,
            remote.hint,
        )
        for repo in found.lock.repos
        if (remote := remotes.get(repo.url)) is not None
    )


def without_tag(url: str, tag: TagName) -> str:
    """Return the command that takes a wrong tag off a remote. It is for a person: we never move or remove one."""
    return command_line("git", "push", url, f":{tag.ref}", remark="if it was pushed by mistake")
