"""Releases as the remotes and the source's history have them: how each repo holds a tag, and the locks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from openllm_repos.errors import NameRefused
from openllm_repos.family.remotes import RemoteState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.git.tags import message_of
from openllm_repos.lockfile.model import FOLDER, Lock, lock_path
from openllm_repos.lockfile.text import lock_in_message, parse_lock
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName


class TagState(StrEnum):
    """How a remote holds a tag that is to name a certain commit."""

    ABSENT = "absent"
    AS_PLANNED = "as planned"
    ELSEWHERE = "elsewhere"
    LIGHTWEIGHT = "lightweight"
    UNKNOWN = "unknown"


def tag_state(remote: RemoteState, tag: str, commit: ObjectId | None) -> TagState:
    """Return how a remote holds a tag.

    Args:
        remote: what it said.
        tag: short name.
        commit: what the tag is to name, None where that is a commit which nobody has yet.
    """
    if remote.problem:
        return TagState.UNKNOWN
    if tag not in remote.tags:
        return TagState.ABSENT
    if named(remote, tag) != commit:
        return TagState.ELSEWHERE
    return TagState.AS_PLANNED if tag in remote.peeled else TagState.LIGHTWEIGHT


def named(remote: RemoteState, tag: str) -> ObjectId | None:
    """Return the commit that a remote's tag names in the end, None where it has no such tag."""
    return remote.peeled.get(tag, remote.tags.get(tag))


@dataclass(frozen=True, slots=True)
class FoundLock:
    """A lock, and where it stands.

    Attributes:
        lock: what it says.
        text: its own text.
        commit: the commit that the source's tag names, or is to name.
        in_tag: whether it stands in the tag's message rather than in that commit.
        tagger: who released, and when: the committer of that commit, or the tagger.
    """

    lock: Lock
    text: str
    commit: ObjectId
    in_tag: bool
    tagger: str


def lock_on_branch(repository: Repository, reader: ObjectReader, tip: ObjectId, tag: str) -> FoundLock | None:
    """Return the lock of a release in the history of a commit of the source; None where that commit holds none.

    It is read from the commit that added it, which is what the release's tag names: later edits do not count.

    Args:
        repository: the clone of the source, which has the objects of `tip`.
        reader: reads its objects.
        tip: the commit: the tip of the branch, or what a tag names now.
        tag: the release's tag.

    Raises:
        LockUnsound: there is one that cannot be read.
    """
    path = lock_path(tag)
    if reader.find(f"{tip}:{path}".encode()) is None:
        return None
    asked = ("log", "-1", "--diff-filter=A", "--no-renames", "--format=%H", tip, "--", path)
    added = repository.git.text("--literal-pathspecs", *asked)
    return lock_in_commit(reader, ObjectId(added), tag) if added else None


def lock_in_commit(reader: ObjectReader, commit: ObjectId, tag: str) -> FoundLock | None:
    """Return the lock of a release that a commit of the source holds.

    Raises:
        LockUnsound: there is one that cannot be read.
    """
    found = reader.find(f"{commit}:{lock_path(tag)}".encode())
    if found is None or found[1] != b"blob":
        return None
    text = reader.read(found[0]).data.decode("utf-8", "replace")
    lock = parse_lock(text, f"{lock_path(tag)} of {commit[:10]}")
    return FoundLock(lock, text, commit, in_tag=False, tagger=_header(reader, commit, "committer"))


def lock_of_tag(repository: Repository, reader: ObjectReader, tag: str, tag_object: ObjectId) -> FoundLock | None:
    """Return the lock of a release by the source's tag, whose objects must be in the clone: of its commit or message.

    The tag may have been moved; the commit that the release tagged is then still the one that added the lock.

    Raises:
        LockUnsound: there is one that cannot be read.
    """
    peeled = reader.find(tag_object.encode() + b"^{commit}")
    if peeled is None:
        return None
    commit = ObjectId(peeled[0].decode())
    found = lock_on_branch(repository, reader, commit, tag)
    if found is not None or tag_object == commit:
        return found
    text = message_of(reader.read(tag_object.encode()).data.decode("utf-8", "replace"))
    lock = lock_in_message(text, f"the message of {tag}")
    if lock is None:
        return None
    return FoundLock(lock, text, commit, in_tag=True, tagger=_header(reader, tag_object, "tagger"))


def locked_tags(repository: Repository, commit: ObjectId) -> Iterator[TagName]:
    """Yield the tags that a commit of the source holds locks of."""
    listed = repository.git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", f"{FOLDER}/")
    for path in listed.stdout.decode("utf-8", "replace").split("\0")[:-1]:
        if path.endswith(".toml"):
            try:
                yield TagName(path.removeprefix(f"{FOLDER}/").removesuffix(".toml"))
            except NameRefused:
                continue


def _header(reader: ObjectReader, found: ObjectId, key: str) -> str:
    content = reader.read(found.encode()).data.decode("utf-8", "replace")
    rows = content.partition("\n\n")[0].split("\n")
    return next((row.removeprefix(f"{key} ") for row in rows if row.startswith(f"{key} ")), "")
