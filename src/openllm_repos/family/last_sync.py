"""What earlier syncs wrote into a target: the trailers of their commits, read from the target's own history."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from openllm_repos.errors import NameRefused
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import Map, maps_digest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoUrl, identity_of

SOURCE_REPO = "Source-Repo"
SOURCE_COMMIT = "Source-Commit"
PROJECTED_COMMIT = "Projected-Commit"
MANIFEST_DIGEST = "Manifest-Digest"
UNDONE_COMMIT = "Undone-Commit"
NOT_ADOPTED = "Not-Adopted"
HELD_AT = "Held-At"
HOLD_LIFTED = "Hold-Lifted"
ROLLBACK_COMMIT = "Rollback-Commit"

SAID_BY_SYNC = f"^{PROJECTED_COMMIT}: [0-9a-f]{{40,64}}$"
"""An extended regular expression that a sync's own commit has a line for."""


@dataclass(frozen=True, slots=True)
class LastSync:
    """The newest commit in a target's history that a sync from this source made.

    Attributes:
        commit: that commit.
        source_commit: the source commit that it carried over.
        projected: the projection of that commit through the maps of that time.
        digest: names those maps.
        maps: those maps; empty where somebody has rewritten the message, and it no longer says them.
        copied: where it says that the target has nothing of the source: its files at mapped paths were copied there.
        held: what the target was rolled back to and is held at since; empty where it is not held.
        rollback: the commit that rolled the target back or took a sync back, where this is that commit, the end of its
            hold, or a sync that brought less than was taken back; None elsewhere. Then the target's history has
            projections that are newer than `projected`, and its files do not.
        undone: the commit that this one took back, where it took one back; None elsewhere.
    """

    commit: ObjectId
    source_commit: ObjectId
    projected: ObjectId
    digest: str
    maps: tuple[Map, ...]
    copied: bool = False
    held: str = ""
    rollback: ObjectId | None = None
    undone: ObjectId | None = None

    @property
    def nothing(self) -> bool:
        """Whether it says that the target has nothing of the source: its first sync or its adoption was taken back."""
        return self.projected.is_zero


def find_last_sync(repository: Repository, reader: ObjectReader, tip: ObjectId, source: RepoUrl) -> LastSync | None:
    """Return the last sync in the history of `tip`, or None. Only the history is asked: any clone answers the same."""
    found = read_sync(reader, tip, reader.read(tip.encode()).data, source)
    if found is not None:
        return found  # mostly it is so, and then git need not search
    with closing(find_syncs(repository, reader, tip, source)) as syncs:
        return next(syncs, None)


def find_syncs(
    repository: Repository, reader: ObjectReader, tip: ObjectId, source: RepoUrl
) -> Generator[LastSync, None, None]:
    """Yield the syncs in the history of `tip`, the newest first.

    A sync from another URL counts where its source commit is in this clone: then the source has moved or was renamed.
    The trailers are read here, because git's own formats follow the person's ``trailer.*`` settings.
    """
    asked = ("rev-list", "--topo-order", "--extended-regexp", f"--grep={SAID_BY_SYNC}", tip, "--")
    with closing(repository.git.stream(*asked)) as lines:
        for line in lines:
            found = read_sync(reader, ObjectId(line.strip().decode()), reader.read(line.strip()).data, source)
            if found is not None:
                yield found


def read_sync(reader: ObjectReader, commit: ObjectId, content: bytes, source: RepoUrl) -> LastSync | None:
    """Read a commit of a target: the sync from this source that made it, or None where it is no such commit.

    Args:
        reader: reads the clone's objects.
        commit: its id.
        content: what it holds.
        source: where the source is.
    """
    repo, found = _read(commit, content)
    if found is None:
        return None
    known = identity_of(repo) == source.identity or reader.find(found.source_commit.encode()) is not None
    return found if known else None


def said_there(reader: ObjectReader, commit: ObjectId) -> tuple[str, ...]:
    """Return the trailers of a sync's own commit, line by line; what it took back is not among them."""
    message = reader.read(commit.encode()).data.partition(b"\n\n")[2].decode("utf-8", "replace").rstrip()
    rows = message.rpartition("\n\n")[2].splitlines()
    return tuple(row for row in rows if not row.startswith(f"{UNDONE_COMMIT}: "))


def _read(commit: ObjectId, content: bytes) -> tuple[str, LastSync | None]:
    """Read one commit's trailers: the source's URL and the sync, which is None where they only look like one."""
    message = content.partition(b"\n\n")[2].decode("utf-8", "replace").rstrip()
    rows = [row.partition(": ") for row in message.rpartition("\n\n")[2].splitlines()]
    said = {key: value.strip() for key, _, value in rows}
    if len(said) != len(rows):
        return "", None  # a sync says each of them once
    try:
        source_commit, projected = ObjectId(said[SOURCE_COMMIT]), ObjectId(said[PROJECTED_COMMIT])
        digest, held = said[MANIFEST_DIGEST], said.get(HELD_AT, "")
        earlier = ObjectId(said[ROLLBACK_COMMIT]) if ROLLBACK_COMMIT in said else None
        rollback = commit if held or UNDONE_COMMIT in said else earlier
        undone = ObjectId(said[UNDONE_COMMIT]) if UNDONE_COMMIT in said else None
        found = LastSync(
            commit,
            source_commit,
            projected,
            digest,
            _maps(message, digest),
            copied=NOT_ADOPTED in said,
            held=held,
            rollback=rollback,
            undone=undone,
        )
        return said[SOURCE_REPO], found
    except (KeyError, NameRefused):
        return "", None


def _maps(message: str, digest: str) -> tuple[Map, ...]:
    """Read the maps that a sync's message lists; the digest says whether that was understood."""
    rows = [row.strip().partition(" -> ") for row in message.splitlines() if row.startswith("    ")]
    try:
        maps = tuple(Map.of(source, to) for source, _, to in rows)
    except NameRefused:
        return ()
    return maps if maps_digest(maps) == digest else ()
