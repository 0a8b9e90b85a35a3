"""The message of a sync's own commit: what people read, and the trailers that later syncs and status read."""

from __future__ import annotations

from openllm_repos.family.last_sync import MANIFEST_DIGEST, PROJECTED_COMMIT, SOURCE_COMMIT, SOURCE_REPO
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.text import show


def sync_message(source: Repo, target: Repo, source_commit: ObjectId, projected: ObjectId) -> str:
    """Return the message for a commit that brings `source_commit` to `target`.

    Args:
        source: the source's entry of the manifest.
        target: the target's entry.
        source_commit: the source commit.
        projected: its projection.
    """
    maps = "\n".join(f"    {show(a_map.source.text)} -> {show(a_map.written_to)}" for a_map in target.maps)
    return (
        f"Sync from {source.repo_id or source.name} at {source_commit[:10]}\n\n{maps}\n\n"
        f"{SOURCE_REPO}: {source.url}\n"
        f"{SOURCE_COMMIT}: {source_commit}\n"
        f"{PROJECTED_COMMIT}: {projected}\n"
        f"{MANIFEST_DIGEST}: {maps_digest(target.maps)}\n"
    )
