"""What came home: commits of the source that say which commits of a target they were made of.

Only the source's history is asked, so any clone answers the same. A line counts wherever it stands in a message: a host
that squashes a branch into one commit keeps the lines, but no longer at the end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing

from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import identity_of

IMPORTED_FROM = "Imported-From"

_SAID = f"^{IMPORTED_FROM}: [^ ]+@[0-9a-f]{{40,64}}\r?$"
_LINE = re.compile(rf"^{IMPORTED_FROM}: (\S+)@([0-9a-f]{{64}}|[0-9a-f]{{40}})\r?$".encode(), re.MULTILINE)

Imports = Mapping[ObjectId, tuple[ObjectId, ...]]
"""Commit of the target -> the commits of the source that say they were made of it, newest first; in that order, too."""


def imported_from(target: Repo, commit: ObjectId) -> str:
    """Return the line that an imported commit's message has."""
    return f"{IMPORTED_FROM}: {target.url}@{commit}"


def find_imports(
    repository: Repository,
    reader: ObjectReader,
    manifest: Manifest,
    target: Repo,
    commit: ObjectId,
    *,
    without: ObjectId | None = None,
) -> Imports:
    """Return what the history of a source commit says to have of a target.

    A line that names a URL which is no longer in the manifest counts: that repo has moved or was renamed, and a commit
    that is not in the target's history is of no use to anybody.

    Args:
        repository: the clone of the source.
        reader: reads its objects.
        manifest: says which repos there are.
        target: the target.
        commit: the source commit.
        without: a source commit whose history does not count.
    """
    others = {repo.url.identity for repo in manifest.repos} - {target.url.identity}
    found: dict[ObjectId, tuple[ObjectId, ...]] = {}
    asked = ("rev-list", "--topo-order", "--extended-regexp", f"--grep={_SAID}", commit)
    with closing(repository.git.stream(*asked, *([] if without is None else [f"^{without}"]), "--")) as lines:
        made = [ObjectId(line.decode().strip()) for line in lines]
    for one in made:
        message = reader.read(one.encode()).data.partition(b"\n\n")[2]
        for url, named in reversed(_LINE.findall(message)):  # the newest stands last
            if identity_of(url.decode("utf-8", "replace")) not in others:
                origin = ObjectId(named.decode())
                found[origin] = (*found.get(origin, ()), one)
    return found
