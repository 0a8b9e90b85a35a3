"""A release that was begun and has not ended: by this clone's log, or on any machine by its lock and tags."""

from __future__ import annotations

from dataclasses import replace

from openllm_repos.errors import ConflictError, EnvironmentProblem
from openllm_repos.family.releases import FoundLock, lock_of_tag, lock_on_branch
from openllm_repos.family.remotes import RemoteState, ask, bring
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Unreachable, fetch
from openllm_repos.git.repository import Repository
from openllm_repos.journal.releases import ReleaseRecord, read_release
from openllm_repos.lockfile.text import format_lock
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.ref import TagName
from openllm_repos.release.prepare import rows_of


def find_begun(manifest: Manifest, repository: Repository, version: str) -> ReleaseRecord | None:
    """Return the release of a version that was begun or is done, None where it was not begun.

    Raises:
        ConflictError: another version was begun in this clone and has not ended.
        EnvironmentProblem: the source's remote does not answer.
    """
    begun = read_release(repository)
    tag = manifest.project.tag.tag_for(version)
    if begun is not None and not _given_up(manifest, repository, begun):
        if begun.version != version:
            raise ConflictError(
                f"The release {begun.tag} was begun in this clone and has not ended.",
                hint=f"openllm-repos release {begun.version}  # finishes it\n"
                f"openllm-repos release abort {begun.version}  # or gives it up",
            )
        return begun
    found = find_lock(repository, source_state(manifest, repository), tag)
    return None if found is None else record_of(found)


def _given_up(manifest: Manifest, repository: Repository, begun: ReleaseRecord) -> bool:
    """Whether a release that was begun here was given up elsewhere since: its lock is not where it was pushed to.

    Raises:
        EnvironmentProblem: the source's remote does not answer.
    """
    if begun.in_tag or not begun.locked:
        return False
    found = find_lock(repository, source_state(manifest, repository), begun.tag)
    return found is None or found.commit != begun.commit


def source_state(manifest: Manifest, repository: Repository) -> RemoteState:
    """Ask the source's remote, and bring its tip.

    Raises:
        EnvironmentProblem: it does not answer.
    """
    (state,) = bring(repository, list(ask(repository, [manifest.source]).values())).values()
    state.require()
    return state


def find_lock(repository: Repository, source: RemoteState, tag: TagName) -> FoundLock | None:
    """Return the lock of a release: of the source's tag where it is there, else of its branch, or None.

    Args:
        repository: the clone, or a quarantine of it; the tag's objects are fetched into it.
        source: what the source's remote said, and its tip brought.
        tag: the source's tag.

    Raises:
        LockUnsound: it is there and cannot be read.
        EnvironmentProblem: the tag cannot be fetched.
    """
    held = source.tags.get(tag)
    with ObjectReader(repository.git) as reader:
        if held is not None:
            if reader.find(held.encode()) is None:
                reader.close()
                try:
                    fetch(repository, source.endpoint.url, tag.ref)
                except Unreachable as why:
                    raise EnvironmentProblem(
                        f"The tag {tag} cannot be fetched from {source.repo.name}: {why.message}.", hint=why.hint
                    ) from None
            found = lock_of_tag(repository, reader, tag, held)
            if found is not None:
                return found  # else it may have been moved, away from where the lock is
        return None if source.tip is None else lock_on_branch(repository, reader, source.tip, tag)


def record_of(found: FoundLock) -> ReleaseRecord:
    """Return a release as it is finished from its lock alone. Its tags are made anew, the same as they were."""
    lock = found.lock
    base = found.commit if found.in_tag else lock.source.commit
    return ReleaseRecord(
        project=lock.project,
        version=lock.version,
        tag=lock.tag,
        tagger=found.tagger,
        lock=format_lock(lock),
        in_tag=found.in_tag,
        branch=lock.source.branch.ref,
        base=base,
        commit=found.commit,
        locked=True,
        rows=tuple(replace(row, object=None) for row in rows_of(lock, found.commit)),
    )
