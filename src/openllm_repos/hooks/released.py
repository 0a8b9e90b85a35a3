"""What a commit says of a release: its lock. Read from objects alone.

A work tree may be dirty, on another branch, or not there at all; what counts is the commit that a tag names.
"""

from __future__ import annotations

from openllm_repos.git.objects import ObjectReader
from openllm_repos.hooks.gate import Found
from openllm_repos.lockfile.model import lock_path
from openllm_repos.lockfile.text import LockUnsound, lock_in_message, parse_lock
from openllm_repos.names.objectid import ObjectId
from openllm_repos.versions.commit import files_of


def lock_in_tree(reader: ObjectReader, commit: ObjectId, tag: str) -> Found:
    """Return the lock of a release that a commit holds.

    Args:
        reader: reads its objects.
        commit: a commit of the source.
        tag: the source's tag of that release.
    """
    path = lock_path(tag)
    place = f"{path} of {commit[:10]}"
    content = files_of(reader, commit)(path)
    if content is None:
        return Found()
    try:
        return Found(parse_lock(content, place), place)
    except LockUnsound as why:
        return Found(None, place, why.message)


def lock_of_tag(message: str, tag: str) -> Found:
    """Return the lock that the message of an annotated tag carries."""
    place = f"the message of {tag}"
    try:
        lock = lock_in_message(message, place)
    except LockUnsound as why:
        return Found(None, place, why.message)
    return Found() if lock is None else Found(lock, place)
