"""Releases beside repos: which repo has the tag of which version. Told from what the remotes have just said."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from openllm_repos.errors import NameRefused, ReposError
from openllm_repos.family.releases import FoundLock, Read, known_tags, read_locks
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.tags import TagState, named, tags_of
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """One version in one repo.

    Attributes:
        state: how the repo holds the tag; None where it has no part in that release.
        commit: the commit that the tag names, None where there is none or it is not known.
    """

    state: TagState | None
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
    try:
        locks: Mapping[TagName, Read | ReposError] = read_locks(repository, source, tags[:shown])
    except ReposError as why:
        locks = dict.fromkeys(tags[:shown], why)
    rows = tuple(_row(manifest, remotes, tag, found) for tag, found in locks.items())
    return Matrix(rows, max(0, len(tags) - shown))


def _row(
    manifest: Manifest, remotes: Mapping[RepoName, RemoteState], tag: TagName, found: Read | ReposError
) -> ReleaseRow:
    version = manifest.project.tag.version_of(tag) or tag  # a lock may be named otherwise
    cells = {}
    if isinstance(found, FoundLock):
        held = tags_of(found, {remote.repo.url: remote for remote in remotes.values()})
        cells = {(one.repo.name, one.repo.url): Cell(one.state, one.held) for one in held}
    problem = found.message if isinstance(found, ReposError) else ""
    return ReleaseRow(
        tag,
        version,
        isinstance(found, FoundLock),
        problem,
        tuple(
            cells.get((repo.name, repo.url)) or _unlocked(manifest, repo, remotes[repo.name], version)
            for repo in manifest.repos
        ),
    )


def _unlocked(manifest: Manifest, repo: Repo, remote: RemoteState, version: str) -> Cell:
    """Look for the tag of a version where no lock says which commit it belongs to; it need not be there."""
    with contextlib.suppress(NameRefused):
        held = named(remote, manifest.tag_form(repo).tag_for(version))
        if held is not None:
            return Cell(TagState.GOOD, held)
    return Cell(None)
