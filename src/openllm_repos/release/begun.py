"""A release that was begun and has not ended: by this clone's log, or on any machine by its lock and tags."""

from __future__ import annotations

from dataclasses import replace

from openllm_repos.errors import ConflictError
from openllm_repos.family.releases import FoundLock, read_locks
from openllm_repos.family.remotes import RemoteState, ask, bring
from openllm_repos.git.repository import Repository
from openllm_repos.journal.releases import ReleaseRecord, read_release
from openllm_repos.lockfile.text import LockUnsound, format_lock
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.ref import TagName
from openllm_repos.release.prepare import rows_of


def find_begun(manifest: Manifest, repository: Repository, version: str) -> ReleaseRecord | None:
    """Return the release of a version that was begun or is done, None where it was not begun.

    Raises:
        ConflictError: another version was begun in this clone, and is not out.
        EnvironmentProblem: the source's remote does not answer.
    """
    begun = read_release(repository)
    tag = manifest.project.tag.tag_for(version)
    if begun is not None and begun.version == version and (begun.in_tag or not begun.locked):
        return begun
    source = source_state(manifest, repository)
    if begun is not None and begun.version == version and not _given_up(repository, source, begun):
        return begun
    out = begun is not None and begun.tag in source.tags
    if begun is not None and begun.version != version and not (out or _given_up(repository, source, begun)):
        raise ConflictError(
            f"The release {begun.tag} was begun in this clone and has not ended.",
            hint=f"openllm-repos release {begun.version}  # finishes it\n"
            f"openllm-repos release abort {begun.version}  # or gives it up",
        )
    found = find_lock(repository, source, tag)
    return None if found is None else record_of(found)


def _given_up(repository: Repository, source: RemoteState, begun: ReleaseRecord) -> bool:
    """Whether a release that was begun here was given up elsewhere since: its lock is not where it was pushed to."""
    if begun.in_tag or not begun.locked:
        return False
    found = find_lock(repository, source, begun.tag)
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
    found = read_locks(repository, source, [tag])[tag]
    if isinstance(found, LockUnsound):
        raise found
    return found


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
