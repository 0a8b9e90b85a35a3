"""The messages of a rollback's commits. Their trailers tell every clone what the target has, and that it is held."""

from __future__ import annotations

from openllm_repos.family.state import TargetState, list_maps
from openllm_repos.manifest.model import Repo
from openllm_repos.text import show


def rollback_message(source: Repo, target: Repo, state: TargetState, reason: str) -> str:
    """Return the message for a commit that takes a target back and holds it there.

    Args:
        source: the source's entry of the manifest.
        target: the target's entry.
        state: what it has then, and is held at.
        reason: why, in the person's words; may be empty.
    """
    why = f"Reason: {' '.join(show(reason).split())}\n\n" if reason.strip() else ""
    return (
        f"Roll back to {state.held}\n\n{list_maps(state.maps)}\n\n"
        f"The files above are as of {state.held} again; everything else is as it was.\n"
        f"Syncs leave this repository alone until 'openllm-repos rollback {target.name} --lift'.\n\n"
        f"{why}{state.trailers(source)}"
    )


def lift_message(source: Repo, held: str, state: TargetState) -> str:
    """Return the message for a commit that ends a hold.

    Args:
        source: the source's entry of the manifest.
        held: what the target was held at.
        state: what it has; that stays the same.
    """
    return (
        f"Lift the hold at {show(held)}\n\n{list_maps(state.maps)}\n\n"
        f"No file is changed: the next sync brings what the source has.\n\n{state.trailers(source)}"
    )
