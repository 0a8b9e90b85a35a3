"""Releases beside repos: which repo has the tag of which version. Told from what the remotes have just said."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from openllm_repos.errors import NameRefused, ReposError
from openllm_repos.family.releases import FoundLock, TagState, named, tag_state
from openllm_repos.family.remotes import RemoteState
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.release.begun import find_lock
from openllm_repos.release.verify import known_tags

SHOWN = 20


class CellState(StrEnum):
    """How a repo has a version, in the words that people read."""

    TAGGED = "tagged"
    LIGHTWEIGHT = "lightweight"
    MISSING = "missing"
    MOVED = "moved"
    UNKNOWN = "not known"
    NO_PART = "no part"

    @property
    def settled(self) -> bool:
        """Whether nothing is to be done."""
        return self in {CellState.TAGGED, CellState.NO_PART}


@dataclass(frozen=True, slots=True)
class Cell:
    """One version in one repo.

    Attributes:
        state: how it is there.
        tag: its tag there; None where the repo has no part in that release.
        commit: the commit that the tag names, None where there is none or it is not known.
    """

    state: CellState
    tag: TagName | None = None
    commit: ObjectId | None = None


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release in all repos.

    Attributes:
        tag: its tag on the source.
        version: what that stands for.
        locked: whether it has a lock, so that commits were compared; without one, tags are only looked for.
        problem: why the lock cannot be read, or an empty string.
        cells: one a repo, in the order of the manifest.
    """

    tag: TagName
    version: str
    locked: bool
    problem: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Releases beside repos.

    Attributes:
        rows: the newest release first.
        older: how many more there are.
        told: whether the source's remote said which releases there are.
    """

    rows: tuple[ReleaseRow, ...] = ()
    older: int = 0
    told: bool = True


def release_matrix(
    manifest: Manifest, repository: Repository, remotes: Mapping[RepoName, RemoteState], *, shown: int = SHOWN
) -> Matrix:
    """Say which repo has which release. Nobody is asked again; tags that this clone lacks are fetched from the source.

    Args:
        manifest: says which repos there are.
        repository: a quarantine of the clone, which has the source's tip.
        remotes: what each remote said of its tags.
        shown: how many releases are looked at, from the newest on.
    """
    source = remotes[manifest.source.name]
    if source.problem or source.remembered:
        return Matrix(told=False)
    tags = known_tags(manifest, repository, source)
    rows = tuple(_row(manifest, repository, remotes, tag) for tag in tags[:shown])
    return Matrix(rows, max(0, len(tags) - shown))


def _row(
    manifest: Manifest, repository: Repository, remotes: Mapping[RepoName, RemoteState], tag: TagName
) -> ReleaseRow:
    found, problem = None, ""
    try:
        found = find_lock(repository, remotes[manifest.source.name], tag)
    except ReposError as why:
        problem = why.message
    version = manifest.project.tag.version_of(tag) or tag  # a lock may be named otherwise
    cells = tuple(_cell(manifest, repo, remotes[repo.name], found, version) for repo in manifest.repos)
    return ReleaseRow(tag, version, found is not None, problem, cells)


def _cell(manifest: Manifest, repo: Repo, remote: RemoteState, found: FoundLock | None, version: str) -> Cell:
    """Hold one repo against the lock; where that does not have it, its tag may be there and need not."""
    locked = found.lock.repo(repo.name) if found is not None else None
    if found is None or locked is None or locked.url != repo.url:
        with contextlib.suppress(NameRefused):
            tag = manifest.tag_form(repo).tag_for(version)
            held = named(remote, tag)
            if held is not None:
                return Cell(CellState.TAGGED, tag, held)
        return Cell(CellState.NO_PART)
    commit = found.commit if locked is found.lock.source else locked.commit
    state = {
        TagState.ABSENT: CellState.MISSING,
        TagState.AS_PLANNED: CellState.TAGGED,
        TagState.ELSEWHERE: CellState.MOVED,
        TagState.LIGHTWEIGHT: CellState.LIGHTWEIGHT,
        TagState.UNKNOWN: CellState.UNKNOWN,
    }[tag_state(remote, locked.tag, commit)]
    return Cell(state, locked.tag, named(remote, locked.tag))
