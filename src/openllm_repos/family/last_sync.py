"""What earlier syncs wrote into a target: the trailers of their commits, read from the target's own history."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from openllm_repos.errors import NameRefused
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoUrl, identity_of

SOURCE_REPO = "Source-Repo"
SOURCE_COMMIT = "Source-Commit"
PROJECTED_COMMIT = "Projected-Commit"
MANIFEST_DIGEST = "Manifest-Digest"

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
    """

    commit: ObjectId
    source_commit: ObjectId
    projected: ObjectId
    digest: str


def find_last_sync(repository: Repository, tip: ObjectId, source: RepoUrl) -> LastSync | None:
    """Return the last sync in the history of `tip`, or None. Only the history is asked: any clone answers the same."""
    keys = (SOURCE_REPO, SOURCE_COMMIT, PROJECTED_COMMIT, MANIFEST_DIGEST)
    form = "%H" + "".join(f"%x1f%(trailers:key={key},valueonly,separator=%x20)" for key in keys)
    asked = ("log", "--topo-order", "--extended-regexp", f"--grep={SAID_BY_SYNC}", f"--format={form}")
    with closing(repository.git.stream(*asked, tip, "--")) as lines:
        for line in lines:
            found = _read(line.decode("utf-8", "replace").rstrip("\n").split("\x1f"), source)
            if found is not None:
                return found
    return None


def _read(fields: list[str], source: RepoUrl) -> LastSync | None:
    """Read one commit's trailers; a commit that merely looks like a sync, or is one from elsewhere, is None."""
    try:
        commit, repo, source_commit, projected, digest = (field.strip() for field in fields)
        if identity_of(repo) != source.identity:
            return None
        return LastSync(ObjectId(commit), ObjectId(source_commit), ObjectId(projected), digest)
    except (ValueError, NameRefused):
        return None
