"""Files: written whole or not at all, never through a link out of a clone; and read only where they are files.

Whoever writes a clone's history chooses what lies in its work tree: a tracked link may lead to any file of the person
who works there, and a name may stand for a pipe on which a reader waits for ever.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

TEMPORARY = ".openllm-repos-"
"""How the names of files begin that wait to be put in their place; what a kill left of them hinders nobody."""

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


_AGAIN = "then run the same command again: it goes on from what is true."
_REMEDIES = {
    errno.ENOSPC: f"Free some space on the disk of {{place}}, {_AGAIN}",
    errno.EDQUOT: f"Your quota on the disk of {{place}} is used up: remove files or ask for more, {_AGAIN}",
    errno.EROFS: f"The disk of {{place}} is mounted read-only: mount it writable or work elsewhere, {_AGAIN}",
    errno.EACCES: f"Let whoever owns {{place}} give you the right to it (ls -ld shows who that is), {_AGAIN}",
    errno.EPERM: f"Let whoever owns {{place}} give you the right to it (ls -ld shows who that is), {_AGAIN}",
    errno.EFBIG: f"Files may not be that large here (ulimit -f, or the disk's own limit): raise it, {_AGAIN}",
    errno.EMFILE: "ulimit -n 4096  # in this shell; then run the same command again",
    errno.ENFILE: f"This machine has too many files open: end some programs, {_AGAIN}",
    errno.EAGAIN: f"You may start no more processes (ulimit -u): end some programs, {_AGAIN}",
    errno.ENOMEM: f"There is not enough memory: end some programs, {_AGAIN}",
    errno.EIO: "The disk of {place} fails: look at the system's log (dmesg) and save what is there.",
    errno.ESTALE: f"The network disk of {{place}} was lost: mount it again, {_AGAIN}",
}


def remedy(error: OSError, place: object = None) -> str:
    """Return what a person can do about a file, a folder or a process that the system does not give us.

    Args:
        error: the system's word.
        place: the file or folder, where the error does not name it.
    """
    name = place if place is not None else error.filename
    shown = os.fsdecode(name) if isinstance(name, str | bytes | Path) else "that file"
    return _REMEDIES.get(error.errno or 0, f"Mend that, {_AGAIN}").format(place=shown)


class LeadsOut(OSError):
    """A path in a clone leads out of it by a symbolic link."""

    def __init__(self) -> None:
        super().__init__(errno.EPERM, "it leads out of the clone by a symbolic link")


def atomic_write(path: Path, data: bytes, *, durable: bool = False, mode: int | None = None) -> None:
    """Put a new file in the place of `path`: whoever reads it sees the old one or the new one, whole.

    A link at `path` is replaced, not followed; see :func:`within_clone`.

    Args:
        path: the file; its folder is there.
        data: what it is to hold.
        durable: whether it must survive a power failure.
        mode: its permissions; by default those of the old file, for a new one what the umask leaves.

    Raises:
        OSError: it cannot be written; then all is as it was.
    """
    if mode is None:
        with contextlib.suppress(FileNotFoundError):
            found = path.lstat().st_mode
            if stat.S_ISDIR(found):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            mode = stat.S_IMODE(found) if stat.S_ISREG(found) else None
    # Short, since the name may be as long as a name can be.
    waiting = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        with waiting.open("xb") as file:
            file.write(data)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(waiting, path)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def append_durably(path: Path, data: bytes) -> None:
    """Add to a file, which is made where it is not there, and wait until that is on the disk; a link is not followed.

    After a line that was torn, it begins on a line of its own.

    Raises:
        OSError: it cannot be written.
    """
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            data = b"\n" + data
        while data:  # a disk that is nearly full takes a part, and says so only when asked to take the rest
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    if not size:
        sync_folder(path.parent)
        sync_folder(path.parent.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def within_clone(path: Path) -> Path:
    """Return where a path leads by symbolic links, so that a file is replaced and not the link to it.

    Raises:
        LeadsOut: it lies in a clone, and leads out of it.
        OSError: its links lead in a circle.
    """
    try:
        real = path.resolve()
    except RuntimeError:  # what Python before 3.13 says of links that lead in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
    for folder in Path(os.path.abspath(path)).parents:
        if os.path.lexists(folder / ".git") and not real.is_relative_to(os.path.realpath(folder)):
            raise LeadsOut
    return real


def read_file(path: Path, limit: int) -> bytes:
    """Return what a file holds, `limit` + 1 bytes of it at the most.

    Raises:
        OSError: it cannot be read, or is no file: reading from a pipe or a device might never end.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle).st_mode
        if not stat.S_ISREG(found):
            if stat.S_ISDIR(found):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            kind = next((name for test, name in _KINDS if test(found)), "something else")
            raise OSError(errno.EINVAL, f"it is {kind}, not a file")
        return file.read(limit + 1)
