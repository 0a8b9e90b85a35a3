"""What earlier publishes put into a repo: written in the repo itself, so that every clone and CI job reads the same.

The list of files does not fit into trailers, and a history of many commits is slow to ask for; a file is one request.
It starts with a dot, so loaders of datasets and models pass it by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from openllm_repos.errors import ConflictError
from openllm_repos.family.artifacts import RECORD
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoUrl, identity_of

PLACE = RECORD
_SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Record:
    """What the last publish left.

    Attributes:
        source: the URL of the source that it came from.
        commit: the source's commit.
        parent: the tip that the publish was made on.
        files: path -> what tells its content (``lfs:…``, ``git:…``); of the card without our block.
    """

    source: str = ""
    commit: str = ""
    parent: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def text(self, tool: str) -> bytes:
        """Return it as it stands in the repo, the same bytes for the same record."""
        said = {
            "schema": _SCHEMA,
            "about": "Files that openllm-repos published here. It deletes and replaces no others.",
            "tool": tool,
            "source": {"url": self.source, "commit": self.commit},
            "parent": self.parent,
            "files": dict(sorted(self.files.items())),
        }
        return json.dumps(said, indent=1, ensure_ascii=False).encode() + b"\n"

    def other_than(self, source: RepoUrl) -> str:
        """Return the source that it was left by a publish from, empty where that is this one, or nobody published."""
        return "" if not self.source or identity_of(self.source) == source.identity else self.source


def read_record(text: bytes, repo: str) -> Record:
    """Read a record.

    Args:
        text: the bytes of the file.
        repo: whose it is, for messages.

    Raises:
        ConflictError: it is none, or of a newer version of this tool.
    """
    damaged = ConflictError(
        f"{repo}: {PLACE} there is not as a publish leaves it, so what may be replaced is not known.",
        hint="Restore it there from an older commit, or delete it; then look at every file with --dry-run.",
    )
    try:
        said = json.loads(text)
        schema = said["schema"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged from None
    if schema != _SCHEMA:
        raise ConflictError(f"{repo}: {PLACE} there is of another openllm-repos.", hint="Update openllm-repos.")
    try:
        files: dict[str, str] = dict(said["files"])
        made = Record(str(said["source"]["url"]), str(said["source"]["commit"]), ObjectId(said["parent"]), files)
    except (ValueError, KeyError, TypeError):
        raise damaged from None
    if not all(isinstance(value, str) for value in files.values()):
        raise damaged
    return made
