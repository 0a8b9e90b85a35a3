"""What old operations left in a clone and beside it: found first, so that a dry run says it, then cleared."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.files import TEMPORARY
from openllm_repos.git.refs import read_refs, update_refs
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import KEEP, began, begun, operations
from openllm_repos.journal.transaction import forget
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate
from openllm_repos.sync.resolve import open_resolutions
from openllm_repos.temporary import abandoned


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What can go.

    Attributes:
        refs: kept refs of old operations, with what they hold.
        log: names of old operations whose entries in the log go.
        files: projections that no map of today uses, half-written ones, notes of merges whose work tree is gone.
        folders: temporary folders of runs that were killed, however old.
        bytes: how much disk `files` and `folders` take.
        kept: how many kept refs stay.
    """

    refs: dict[str, ObjectId]
    log: tuple[str, ...]
    files: tuple[Path, ...]
    folders: tuple[Path, ...]
    bytes: int
    kept: int

    @property
    def operations(self) -> int:
        """How many operations the refs are of."""
        return len({_operation_of(ref) for ref in self.refs})


def find_leftovers(repository: Repository, manifest: Manifest, age: int) -> Leftovers:
    """Say what is older than an age, and what killed runs left. Nothing is changed.

    Args:
        repository: the clone.
        manifest: the family; its maps say which projections are in use.
        age: seconds.
    """
    before = time.time() - age
    busy = {operation.name for operation in begun(repository)}
    held = read_refs(repository, KEEP)
    refs = {ref: kept for ref, kept in held.items() if _is_old(_operation_of(ref), before, busy)}
    log = tuple(one.name for one in operations(repository) if _is_old(one.name, before, busy))
    files = tuple(_files(repository, manifest, before))
    folders = tuple(abandoned())
    size = sum(_size(path) for path in files) + sum(_size(one) for path in folders for one in path.rglob("*"))
    return Leftovers(refs, log, files, folders, size, len(held) - len(refs))


def clear(repository: Repository, found: Leftovers) -> None:
    """Let go of what was found. The caller holds the clone's lock since before.

    Raises:
        EnvironmentProblem: a file cannot be removed.
    """
    gone = [RefUpdate(ref, held, repository.zero) for ref, held in found.refs.items()]
    update_refs(repository, gone, reason="openllm-repos: gc")
    forget(repository, found.log)
    try:
        for path in found.files:
            path.unlink(missing_ok=True)
        for folder in found.folders:
            shutil.rmtree(folder)
    except OSError as error:
        raise EnvironmentProblem(
            f"Cannot remove {error.filename}: {error.strerror}.", hint="Mend its permissions, then run this again."
        ) from None
    repository.git.run("worktree", "prune")


def _operation_of(ref: str) -> str:
    return ref.split("/")[3]


def _is_old(operation: str, before: float, busy: set[str]) -> bool:
    """Whether an operation is old and has ended; a name that says no time is none of ours, and stays."""
    when = began(operation)
    return when is not None and when <= before and operation not in busy


def _files(repository: Repository, manifest: Manifest, before: float) -> Iterator[Path]:
    folder = repository.state_dir / "projections"
    used = {maps_digest(target.maps) for target in manifest.targets}
    for path in sorted(folder.glob("*.projection")):
        if path.stem not in used and _older(path, before):
            yield path
    yield from (path for path in sorted(folder.glob(f"{TEMPORARY}*")) if _older(path, before))
    for _, note, place in open_resolutions(repository):
        if place is not None and not place.exists() and _older(note, before):
            yield note


def _older(path: Path, before: float) -> bool:
    try:
        return path.lstat().st_mtime <= before
    except OSError:
        return False


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_file() else 0
    except OSError:
        return 0
