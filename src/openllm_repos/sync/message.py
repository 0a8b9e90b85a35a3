"""The messages of a sync's own commits: what people read, and the trailers that later syncs and status read."""

from __future__ import annotations

from collections.abc import Sequence

from openllm_repos.family.last_sync import (
    MANIFEST_DIGEST,
    PROJECTED_COMMIT,
    ROLLBACK_COMMIT,
    SOURCE_COMMIT,
    SOURCE_REPO,
)
from openllm_repos.manifest.maps import Map, maps_digest
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.text import show

_ADOPTED = "Adopt what was copied from"


def sync_message(
    source: Repo, target: Repo, source_commit: ObjectId, projected: ObjectId, rollback: ObjectId | None = None
) -> str:
    """Return the message for a commit that brings `source_commit` to `target`.

    Args:
        source: the source's entry of the manifest.
        target: the target's entry.
        source_commit: the source commit.
        projected: its projection.
        rollback: the rollback whose newest projections the target still has in its history and not in its files.
    """
    said = f"Sync from {source.repo_id or source.name} at {source_commit[:10]}\n\n{listed(target.maps)}"
    still = f"{ROLLBACK_COMMIT}: {rollback}\n" if rollback is not None else ""
    return f"{said}\n\n{trailers(source, source_commit, projected, maps_digest(target.maps))}{still}"


def adopt_message(source: Repo, target: Repo, source_commit: ObjectId, projected: ObjectId) -> str:
    """Return the message for a commit that records `source_commit` as what `target` was filled from.

    Its trailers are those of a sync, so that all that reads them takes it for the last one.

    Args:
        source: the source's entry of the manifest.
        target: the target's entry.
        source_commit: the source commit.
        projected: its projection.
    """
    return (
        f"{_ADOPTED} {source.repo_id or source.name} at {source_commit[:10]}\n\n"
        f"{listed(target.maps)}\n\n"
        "No file is changed: this records which commit of the source the files above\n"
        "came from, so that later syncs merge from there.\n\n"
        f"{trailers(source, source_commit, projected, maps_digest(target.maps))}"
    )


def is_adoption(commit: bytes) -> bool:
    """Whether a commit, as git stores it, is the record of an adoption."""
    return commit.partition(b"\n\n")[2].startswith(_ADOPTED.encode())


def listed(maps: Sequence[Map]) -> str:
    """Return maps as a commit's message lists them, from which they can be read again."""
    return "\n".join(f"    {show(a_map.source.text)} -> {show(a_map.written_to)}" for a_map in maps)


def trailers(source: Repo, source_commit: ObjectId, projected: ObjectId, digest: str) -> str:
    """Return the lines that all who read a target's history go by.

    Args:
        source: the source's entry of the manifest.
        source_commit: the source commit whose projection the target has.
        projected: that projection.
        digest: names the maps that it was made with.
    """
    return (
        f"{SOURCE_REPO}: {source.url}\n"
        f"{SOURCE_COMMIT}: {source_commit}\n"
        f"{PROJECTED_COMMIT}: {projected}\n"
        f"{MANIFEST_DIGEST}: {digest}\n"
    )
