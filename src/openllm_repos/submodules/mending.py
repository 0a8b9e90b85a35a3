"""``.gitmodules`` made equal to the manifest, as far as that is a matter of what it says."""

from __future__ import annotations

import os
from collections.abc import Sequence

from openllm_repos.family.modules import Difference, differences
from openllm_repos.git.gitmodules import NAME
from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest
from openllm_repos.submodules.desk import look, write


def plan_modules(manifest: Manifest, repository: Repository) -> tuple[Difference, ...]:
    """Hold the submodules of the work tree and the index against the manifest. Where there are none, git is not asked.

    Raises:
        ConflictError: ``.gitmodules`` cannot be read.
    """
    top = repository.top
    if top is None or not (manifest.pinned or os.path.lexists(top / NAME)):
        return ()
    held = look(repository, [path for _, path in manifest.pinned])
    return differences(manifest, held.modules, held.pins.keys())


def apply_modules(manifest: Manifest, repository: Repository, found: Sequence[Difference]) -> tuple[Difference, ...]:
    """Write into ``.gitmodules`` (the index's and the work tree's) what would mend it; all else in it stays.

    Returns:
        What was mended.

    Raises:
        EnvironmentProblem: another run or another git is at work, or it cannot be written.
    """
    due = tuple(one for one in found if one.settings)
    if due:
        names = {one.repo for one in due}
        with exclusive(repository, "remotes sync"):
            held = look(repository, [path for _, path in manifest.pinned])
            write(repository, manifest, held, [entry for entry in manifest.pinned if entry[0].name in names], {})
    return due
