"""LFS objects: where they are, and bringing them to a target before any branch moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.errors import RemoteRefused
from openllm_repos.git import lfs
from openllm_repos.git.remote import endpoints
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Repo
from openllm_repos.plan import LargeFile
from openllm_repos.preflight.advice import about_storage
from openllm_repos.temporary import temporary_folder

# Seconds for a question that transfers nothing. git-lfs itself waits for ever where a server answers with nonsense.
_ANSWER = 120.0


@dataclass(frozen=True, slots=True)
class Nowhere:
    """The LFS files whose content was found in no place.

    Attributes:
        files: the pointers without content.
        said: git-lfs's own words about the last place that was asked.
    """

    files: tuple[LargeFile, ...] = ()
    said: str = ""


def find(repository: Repository, target: Repo, url: str, source: Repo | None, files: Sequence[LargeFile]) -> Nowhere:
    """Make sure that the content of LFS files can be brought to a target: it is here, there, or at the source.

    What is only at the source comes into the clone's own LFS store; in a quarantine, into a folder that is thrown away.
    Nothing is sent.

    Args:
        repository: the clone of the source.
        target: the repo that needs them.
        url: where it is pushed.
        source: the repo to fetch from.
        files: what the push points at.

    Raises:
        LfsMissing: git-lfs is not installed.
    """
    if not lfs.installed(repository):
        some = "a file" if len(files) == 1 else f"{len(files)} files"
        raise lfs.LfsMissing(f"{target.name} gets {some} kept in LFS")
    mine = lfs.store(repository)
    away = [file for file in files if not lfs.has(mine, file)]
    if not away:
        return Nowhere()
    with temporary_folder() as nothing:  # a store without objects: whatever is asked, nothing can be sent
        asked = lfs.upload(repository, url, away, nothing / "none", deadline=_ANSWER)
        if asked.code == 0:
            return Nowhere()
        said = asked.said
        if source is not None:
            place = nothing / "fetched" if repository.quarantined else mine
            endpoint = endpoints(repository, {source.name: source.url})[source.name]
            said = lfs.download(repository, endpoint, away, place).said or said
            away = [file for file in away if not lfs.has(place, file)]
        return Nowhere(tuple(_lacking(repository, url, away, nothing / "none")), said)


def _lacking(repository: Repository, url: str, files: Sequence[LargeFile], nothing: Path) -> list[LargeFile]:
    """Return the files that a remote's LFS does not have; git-lfs answers for all that it is asked, so by halves."""
    if not files or lfs.upload(repository, url, files, nothing, deadline=_ANSWER).code == 0:
        return []
    if len(files) == 1:
        return [*files]
    half = len(files) // 2
    return [*_lacking(repository, url, files[:half], nothing), *_lacking(repository, url, files[half:], nothing)]


def carry(
    repository: Repository,
    target: Repo,
    url: str,
    files: Sequence[LargeFile],
    told: Callable[[str], None] = lambda _: None,
) -> None:
    """Bring LFS objects to a target, and let its server confirm that it has every one of them.

    Args:
        repository: the clone.
        target: the repo that needs them.
        url: where it is pushed.
        files: what the commits to push point at; none is fine.
        told: gets a line of progress.

    Raises:
        RemoteRefused: its LFS did not take them, or does not have them afterwards. No branch has moved.
        LfsUnavailable: it could not do it now. No branch has moved.
    """
    if not files:
        return
    told(f"{target.name}: bringing {len(files)} LFS {'file' if len(files) == 1 else 'files'} to it first")
    done = lfs.upload(repository, url, files, lfs.store(repository))
    if done.code == 0:
        with temporary_folder() as nothing:
            done = lfs.upload(repository, url, files, nothing, deadline=_ANSWER)
    if done.code != 0:
        raise RemoteRefused(
            f"The LFS of {target.name} did not take what the push needs; no branch was moved:\n{done.said}",
            hint=about_storage(done.said, target.name, done.status)
            or "Check that you may write there, and its LFS storage, then run the same command again.",
        )
