"""Which files this clone published last: a status can then say, without reading any, that there are others by now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from openllm_repos.errors import ReposError
from openllm_repos.family.artifacts import LocalFile, find_files, own_links
from openllm_repos.files import atomic_write
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Repo

_MANY = 20_000  # files; to look at more takes longer than a status should


def remember_published(repository: Repository, repo: Repo, files: Iterable[LocalFile]) -> None:
    """Write down what a repo has of this work tree. Where that is not possible, a status says nothing of it."""
    rows = {file.target: _row(file) for file in files}
    text = json.dumps({"top": str(repository.top), "files": rows})
    place = _place(repository, repo)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(place, text.encode())
    except OSError:
        return


def has_published(repository: Repository, repo: Repo) -> bool:
    """Whether this work tree published to a repo before, as far as is written down."""
    return _remembered(repository, repo) is not None


def unpublished(repository: Repository, repo: Repo) -> int | None:
    """Return how many files are new, gone or of another size since this clone published them to a repo.

    None where it is not clear: never published from this work tree, too many files, or a file of the same size that was
    written since, which may or may not be the same.
    """
    if repository.top is None or not repo.publish:
        return None
    last = _remembered(repository, repo)
    if last is None:
        return None
    try:
        found = find_files(repository.top, repo, links=own_links(repository, repo), limit=_MANY)
    except (OSError, ReposError):
        return None
    now = {file.target: _row(file) for file in found.files}
    differing = [path for path in last.keys() | now.keys() if last.get(path) != now.get(path)]
    certain = [path for path in differing if not _same_size(last.get(path), now.get(path))]
    return len(certain) if certain or not differing else None


def _remembered(repository: Repository, repo: Repo) -> dict[str, Any] | None:
    """Return what this work tree published last, None where that is not known."""
    try:
        said = json.loads(_place(repository, repo).read_bytes())
        return dict(said["files"]) if said["top"] == str(repository.top) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _row(file: LocalFile) -> list[int]:
    return [file.size, file.stamp.modified]


def _same_size(last: object, now: object) -> bool:
    return isinstance(last, list) and isinstance(now, list) and last[:1] == now[:1]


def _place(repository: Repository, repo: Repo) -> Path:
    return repository.state_dir / "publish" / f"last-{repo.name}.json"
