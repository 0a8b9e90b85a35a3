"""Temporary folders of a run: gone when it is left or interrupted; after a kill, the next run removes them.

Each is locked as long as its run lives, and the system lets go of a lock when a process ends, however it ends. So a
folder that nobody has locked belongs to nobody.

What costs is imported where it is used: most commands need no folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
from collections.abc import Iterator
from pathlib import Path

from openllm_repos.interrupts import deferred

_PREFIX = "openllm-repos-tmp-"


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a new empty folder, which is removed afterwards."""
    _remove_abandoned_once()
    with contextlib.ExitStack() as stack:
        with deferred():
            place = _made(stack)
        yield place


def abandoned() -> Iterator[Path]:
    """Yield the temporary folders of this person's runs that were killed."""
    import tempfile

    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
        with _locked(folder) as mine:
            if mine:
                yield folder


def remove_abandoned() -> None:
    """Remove what killed runs left behind; what cannot be removed stays."""
    from shutil import rmtree

    for folder in abandoned():
        rmtree(folder, ignore_errors=True)


@functools.cache
def _remove_abandoned_once() -> None:
    remove_abandoned()


def _made(stack: contextlib.ExitStack) -> Path:
    import tempfile
    from shutil import rmtree

    while True:
        place = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, lock)
        with contextlib.suppress(OSError):  # some network file systems lock no folders: nobody else can lock it either
            fcntl.flock(lock, fcntl.LOCK_EX)
        if place.exists():  # in the moment before the lock, another run may have taken it for abandoned
            stack.callback(rmtree, place, ignore_errors=True)
            return place


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder and yield True; False where its run lives, it is another person's, or it is no folder."""
    with contextlib.ExitStack() as stack:
        mine = False
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            stack.callback(os.close, lock)
            if os.fstat(lock).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                mine = True
        yield mine
