"""One operation at a time in a clone, its linked work trees included."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.files import remedy
from openllm_repos.git.repository import Repository


@contextlib.contextmanager
def exclusive(repository: Repository, operation: str) -> Iterator[None]:
    """Hold the clone's lock. The kernel frees it when the process ends, however it ends.

    Args:
        repository: the clone.
        operation: what is being done, for whoever finds the lock taken.

    Raises:
        EnvironmentProblem: another process holds it, or the clone cannot be written.
    """
    path = repository.state_dir / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EnvironmentProblem(
                f"Another openllm-repos works in this clone: {_holder(handle)}.", hint="Wait until it has finished."
            ) from None
        note = json.dumps({"pid": os.getpid(), "operation": operation, "since": int(time.time())})
        try:
            os.ftruncate(handle, 0)
            os.pwrite(handle, note.encode(), 0)
        except OSError as error:
            raise _unwritable(path, error) from None
        try:
            yield
        finally:
            os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _unwritable(path: Path, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(f"Cannot write {path}: {error.strerror}.", hint=remedy(error, path.parent))


def holder(repository: Repository) -> str | None:
    """Say who holds the clone's lock, or None where it is free. Nothing is written."""
    try:
        handle = os.open(repository.state_dir / "lock", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(handle)
    finally:
        os.close(handle)
    return None


def _holder(handle: int) -> str:
    """Say who holds the lock, from what the holder wrote into it; it may not have done so yet."""
    try:
        note = json.loads(os.pread(handle, 4096, 0))
        return f"process {int(note['pid'])}, {note['operation']}, for {max(0, int(time.time()) - int(note['since']))} s"
    except (ValueError, KeyError, TypeError):
        return "it has just started"
