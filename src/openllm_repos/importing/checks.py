"""What the source's tree must be able to hold before commits of a target come home."""

from __future__ import annotations

import os
from collections.abc import Collection

from openllm_repos.errors import ConflictError
from openllm_repos.git.attributes import lfs_paths
from openllm_repos.git.incoming import files_at
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.importing.model import ImportPlan
from openllm_repos.names.twins import find_twins
from openllm_repos.plan import Change
from openllm_repos.preflight.fixes import lfs_line, track
from openllm_repos.text import show_path


def check_twins(repository: Repository, plan: ImportPlan) -> None:
    """Check that no file comes home that Windows or macOS take for another one of the source.

    Raises:
        ConflictError: one does.
    """
    if not any(change.change is Change.ADDED for made in plan.commits for change in made.files):
        return
    before, after, now = (
        {os.fsdecode(path) for path, _ in files_at(repository, str(commit))}
        for commit in (plan.base, plan.tip, plan.source_commit)
    )
    for twins in find_twins(after - before - now, now - (before - after)):
        raise ConflictError(
            f"{plan.target}: {twins}; nothing was imported.",
            hint=f"Rename one of them, in {plan.source} or in {plan.target}, then import again.",
        )


def check_pointers(repository: Repository, plan: ImportPlan) -> None:
    """Check that no LFS pointer comes home as text.

    Raises:
        ConflictError: the source's attributes do not give a path to LFS at which one comes.
    """
    pointers = {file.pointer.encode() for file in plan.large}
    if not pointers:
        return
    paths = sorted(path for path, blob in files_at(repository, str(plan.tip)) if blob in pointers)
    bare = _untracked(repository, paths, plan)
    if bare:
        are = "is an LFS pointer" if len(bare) == 1 else "are LFS pointers"
        patterns = list(dict.fromkeys(track(path) for path in bare))
        lines = "\n".join(map(lfs_line, patterns))
        raise ConflictError(
            f"{plan.target}: {', '.join(map(show_path, bare))} {are} there, and would be text in {plan.source}: its"
            " .gitattributes does not give that to LFS. Nothing was imported.",
            hint=f"{command_line('git', 'lfs', 'track', *patterns, remark='then commit .gitattributes')}\n"
            f"{command_line('openllm-repos', 'import', plan.target)}\n"
            f"This is what the first writes to .gitattributes:\n{lines}",
        )


def _untracked(repository: Repository, paths: Collection[bytes], plan: ImportPlan) -> list[bytes]:
    """Return the paths that are text both in what is imported and in what it is merged into."""
    left = sorted(paths)
    for commit in (plan.tip, plan.source_commit):
        tracked = lfs_paths(repository, str(commit), left)
        left = [path for path in left if path not in tracked]
    return left
