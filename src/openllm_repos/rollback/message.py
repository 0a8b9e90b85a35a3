"""The messages of a rollback's commits. Their trailers tell every clone what the target has, and that it is held."""

from __future__ import annotations

from openllm_repos.family.last_sync import HELD_AT, HOLD_LIFTED, ROLLBACK_COMMIT, LastSync
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import Repo
from openllm_repos.rollback.point import Point
from openllm_repos.sync.message import listed, trailers
from openllm_repos.text import show


def rollback_message(source: Repo, target: Repo, point: Point, reason: str) -> str:
    """Return the message for a commit that takes `target` back and holds it there.

    Args:
        source: the source's entry of the manifest.
        target: the target's entry.
        point: where it goes back to.
        reason: why, in the person's words; may be empty.
    """
    why = f"Reason: {' '.join(show(reason).split())}\n\n" if reason.strip() else ""
    return (
        f"Roll back to {point.label}\n\n{listed(target.maps)}\n\n"
        f"The files above are as of {point.label} again; everything else is as it was.\n"
        f"Syncs leave this repository alone until 'openllm-repos rollback {target.name} --lift'.\n\n"
        f"{why}{trailers(source, point.source_commit, point.projected, maps_digest(target.maps))}"
        f"{HELD_AT}: {point.label}\n"
    )


def lift_message(source: Repo, last: LastSync) -> str:
    """Return the message for a commit that ends a hold. It says again what the rollback said: that still holds.

    Args:
        source: the source's entry of the manifest.
        last: the rollback, as the target's history has it.
    """
    held = show(last.held)
    return (
        f"Lift the hold at {held}\n\n{listed(last.maps)}\n\n"
        "No file is changed: the next sync brings what the source has.\n\n"
        f"{trailers(source, last.source_commit, last.projected, last.digest)}"
        f"{HOLD_LIFTED}: {held}\n"
        f"{ROLLBACK_COMMIT}: {last.rollback}\n"
    )
