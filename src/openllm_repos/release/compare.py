"""What changed between two releases, repo by repo, and what of it a person wants to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from openllm_repos.errors import UsageError
from openllm_repos.family.releases import FoundLock, known_tags
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.state import PROJECTED_COMMIT
from openllm_repos.git.describe import Touching, describe_touching
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Unreachable, endpoints, fetch
from openllm_repos.git.repository import Repository
from openllm_repos.lockfile.model import FOLDER, LockedRepo
from openllm_repos.manifest.model import Manifest, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from openllm_repos.release.begun import find_lock
from openllm_repos.versions.order import is_prerelease, order


class Difference(StrEnum):
    """What became of a repo between two releases."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class RepoDifference:
    """One repo between two releases.

    Attributes:
        repo: as the later release that has it says.
        difference: what became of it.
        old: its commit in the earlier release, None where it was not part of it.
        new: its commit in the later one, None where it is not.
        commits: what came in between, newest first; those that a release or a sync made by itself are left out.
        known: whether `commits` could be told: not of models and datasets, whose history nobody fetches for this.
    """

    repo: LockedRepo
    difference: Difference
    old: ObjectId | None
    new: ObjectId | None
    commits: tuple[Touching, ...] = ()
    known: bool = False


def compare(repository: Repository, old: FoundLock, new: FoundLock) -> tuple[RepoDifference, ...]:
    """Return what changed between two releases, in the order of the later one; what is gone comes last.

    Args:
        repository: a quarantine of the clone; what it lacks of the source and the targets is fetched into it.
        old: the earlier release.
        new: the later one.
    """
    found = [
        _difference(repository, repo, _at(old, old.lock.repo(repo.name)), _at(new, repo)) for repo in new.lock.repos
    ]
    gone = [repo for repo in old.lock.repos if new.lock.repo(repo.name) is None]
    return (*found, *(RepoDifference(repo, Difference.REMOVED, _at(old, repo), None) for repo in gone))


def _at(found: FoundLock, repo: LockedRepo | None) -> ObjectId | None:
    """Return the commit that a release tags in a repo."""
    return None if repo is None else found.commit_of(repo)


def _difference(repository: Repository, repo: LockedRepo, old: ObjectId | None, new: ObjectId | None) -> RepoDifference:
    assert new is not None  # it is a repo of the later release
    if old == new:
        return RepoDifference(repo, Difference.SAME, old, new, known=True)
    change = Difference.ADDED if old is None else Difference.CHANGED
    if repo.role == Role.MEMBER or not _brought(repository, repo, [new] if old is None else [old, new]):
        return RepoDifference(repo, change, old, new)
    made = tuple(
        one for one in describe_touching(repository, new, without=[] if old is None else [old]) if not _by_itself(one)
    )
    return RepoDifference(repo, change, old, new, made, known=True)


def _by_itself(one: Touching) -> bool:
    """Whether a release or a sync made a commit: it says nothing that a person wrote."""
    locks = bool(one.paths) and all(path.startswith(f"{FOLDER}/") for path in one.paths)
    return locks or one.trailer(PROJECTED_COMMIT)


def _brought(repository: Repository, repo: LockedRepo, commits: Sequence[ObjectId]) -> bool:
    """Make sure that a repo's commits are here; return whether they are."""

    def here() -> bool:
        with ObjectReader(repository.git) as reader:
            return all(reader.find(commit.encode()) is not None for commit in commits)

    if not here():
        url = endpoints(repository, {repo.name: repo.url})[repo.name].url
        try:
            fetch(repository, url, repo.tag.ref, known=[])
        except Unreachable:
            return False
    return here()


def release_before(manifest: Manifest, repository: Repository, source: RemoteState, tag: TagName) -> FoundLock | None:
    """Return the release that came before one, by its version; None where it is the first.

    Release candidates do not count for a version that is none: people read what is new since the last one they had.
    """
    form = manifest.project.tag
    version = form.version_of(tag) or tag
    for other in known_tags(manifest, repository, source):  # newest first
        earlier = form.version_of(other) or other
        if is_prerelease(earlier) and not is_prerelease(version):
            continue
        if other != tag and order(earlier) < order(version):
            found = find_lock(repository, source, other)
            if found is not None:
                return found
    return None


def grouped(manifest: Manifest, commits: Sequence[Touching]) -> Iterator[tuple[str, list[Touching]]]:
    """Yield the commits of the source by the folders that maps carry, and last what no map carries.

    A commit that touches several folders is in each of them.
    """
    maps = [(a_map.source, target.name) for target in manifest.targets for a_map in target.maps]
    rows: dict[str, list[Touching]] = {}
    for pattern, target in maps:
        title = f"{pattern.text} → {target}"
        rows[title] = [one for one in commits if any(pattern.matches(path.encode()) for path in one.paths)]
    rest = [
        one for one in commits if not any(pattern.matches(path.encode()) for path in one.paths for pattern, _ in maps)
    ]
    yield from ((title, found) for title, found in rows.items() if found)
    if rest:
        yield "Elsewhere", rest


def require_two(old: FoundLock, new: FoundLock) -> None:
    """Refuse to compare a release with itself.

    Raises:
        UsageError: both are the same.
    """
    if old.lock.tag == new.lock.tag:
        raise UsageError(
            f"{old.lock.tag} is the same release twice.", hint="openllm-repos release list  # name two of them"
        )
