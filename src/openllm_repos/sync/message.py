"""The messages of a sync's own commits: what people read, and the trailers that state what the target has."""

from __future__ import annotations

from openllm_repos.family.state import TargetState, list_maps
from openllm_repos.manifest.model import Repo


def sync_message(source: Repo, state: TargetState) -> str:
    """Return the message for a commit that brings the source up to what a state says."""
    return (
        f"Sync from {source.repo_id or source.name} at {str(state.source_commit)[:10]}\n\n"
        f"{list_maps(state.maps)}\n\n{state.trailers(source)}"
    )


def adopt_message(source: Repo, state: TargetState) -> str:
    """Return the message for a commit that records what a target was filled from."""
    return (
        f"Adopt what was copied from {source.repo_id or source.name} at {str(state.source_commit)[:10]}\n\n"
        f"{list_maps(state.maps)}\n\n"
        "No file is changed: this records which commit of the source the files above\n"
        f"came from, so that later syncs merge from there.\n\n{state.trailers(source)}"
    )
