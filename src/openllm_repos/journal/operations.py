"""The log of operations: which ref was moved when, by which command, and what came of it. One file an operation.

A file is only ever added to, a line at a time, and each line says the whole of one move. So a run that is killed
anywhere leaves a log that is true: a move that was begun and has no outcome may have landed or not, and the journal
(:mod:`openllm_repos.journal.records`) makes the next run ask. A last line that was torn is skipped. Who writes holds
the clone's lock; reading needs none.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from openllm_repos.errors import EnvironmentProblem, NameRefused
from openllm_repos.files import remedy
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.text import redact

SCHEMA = 1
HERE = ""
"""Stands in place of a repo's name where the ref is one of the clone itself."""

_BYTES = 1 << 20  # of one file, at most; a release of a thousand repos needs a third of it
_STAMP = "%Y%m%dT%H%M%SZ"


class Came(StrEnum):
    """What came of a move."""

    BEGUN = "begun"
    MOVED = "moved"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Move:
    """One ref that an operation moves.

    Attributes:
        repo: the repo's name in the manifest, :data:`HERE` for the clone itself.
        url: where it is, without credentials; empty for the clone itself.
        ref: its full name.
        old: where it was, zeros if it was not there.
        new: where it goes, zeros if it is deleted.
        came: what came of it: `begun` (not known yet), `moved`, `refused` (it did not move: the remote said no, or
            somebody else was quicker), `unknown` (nobody can say any more).
        at: when that was written, in seconds since 1970; 0 until it is.
    """

    repo: str
    url: str
    ref: str
    old: ObjectId
    new: ObjectId
    came: Came = Came.BEGUN
    at: int = 0

    @property
    def here(self) -> bool:
        """Whether it is a ref of the clone itself."""
        return self.repo == HERE


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as far as it is written down.

    Attributes:
        name: names it; begins with the time in UTC, as ``20261124T221501Z-a1f9``.
        command: the command that was given, without the program's name; ``sync``, ``release 1.2.0``.
        began: seconds since 1970.
        moves: the refs, in the order in which they were begun, each with the last word on it.
        undoes: the operation that it takes back, or an empty string.
    """

    name: str
    command: str
    began: int
    moves: tuple[Move, ...]
    undoes: str = ""

    @property
    def unfinished(self) -> bool:
        """Whether the outcome of a move is not written down yet."""
        return any(move.came is Came.BEGUN for move in self.moves)

    @property
    def moved(self) -> tuple[Move, ...]:
        """The moves that took place."""
        return tuple(move for move in self.moves if move.came is Came.MOVED)


def new_operation() -> str:
    """Return a name for an operation: UTC time to the second, and four random characters."""
    return time.strftime(_STAMP, time.gmtime()) + "-" + secrets.token_hex(2)


def began(name: str) -> int | None:
    """Return the time that an operation's name says, in seconds since 1970, or None where it is no such name."""
    stamp, _, rest = name.partition("-")
    try:
        when = time.strptime(stamp, _STAMP)
    except ValueError:
        return None
    import calendar

    return calendar.timegm(when) if rest.isalnum() else None


def note(
    repository: Repository,
    command: str,
    moves: Sequence[Move],
    *,
    outcome: Came = Came.MOVED,
    operation: str | None = None,
    undoes: str = "",
) -> str:
    """Write down what came of refs. The caller holds the clone's lock.

    A command that pushes calls it twice with one `operation`: with :attr:`Came.BEGUN` before the push, and with what
    came of it afterwards. One that moves refs of the clone, which is all or nothing, calls it once, afterwards.

    Args:
        repository: the clone.
        command: the command that was given, without the program's name.
        moves: the refs; their `came` and `at` do not count.
        outcome: what came of all of them.
        operation: the operation that they belong to; a new one by default.
        undoes: the operation that this one takes back.

    Returns:
        The operation's name.

    Raises:
        EnvironmentProblem: the clone cannot be written.
    """
    name = operation or new_operation()
    path = _path(repository, name)
    known = _read(path)
    if known is not None:
        last = {_key(move): move.came for move in known.moves}
        moves = [move for move in moves if last.get(_key(move)) is not outcome]
    now = int(time.time())
    lines: list[dict[str, Any]] = [_line(move, outcome, now) for move in moves]
    if known is None:
        lines.insert(0, {"schema": SCHEMA, "operation": name, "command": redact(command), "undoes": undoes, "at": now})
    if lines:
        _append(path, lines)
    return name


def operations(repository: Repository, *, most: int | None = None) -> Iterator[Operation]:
    """Yield the operations that are written down, newest first. Nothing is changed.

    Args:
        repository: the clone.
        most: how many files are read at the most.
    """
    for path in _newest(repository)[:most]:
        found = _read(path)
        if found is not None:
            yield found


def find_operation(repository: Repository, name: str) -> Operation | None:
    """Return one operation by its name or the beginning of it; None where there is none, or more than one.

    Raises:
        NameRefused: more than one begins so.
    """
    paths = [path for path in _newest(repository) if path.stem.startswith(name)] if name else []
    exact = [path for path in paths if path.stem == name]
    paths = exact or paths
    if len(paths) > 1:
        raise NameRefused(
            f"{len(paths)} operations begin with {name}.", hint="openllm-repos log  # lists the full names"
        )
    return _read(paths[0]) if paths else None


def names(repository: Repository) -> tuple[str, ...]:
    """Return the names of all operations that are written down, newest first."""
    return tuple(path.stem for path in _newest(repository))


def forget(repository: Repository, name: str) -> None:
    """Take an operation out of the log. The caller holds the clone's lock.

    Raises:
        EnvironmentProblem: the clone cannot be written.
    """
    path = _path(repository, name)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def _line(move: Move, came: Came, now: int) -> dict[str, Any]:
    return {
        "repo": move.repo,
        "url": redact(move.url),
        "ref": move.ref,
        "old": move.old,
        "new": move.new,
        "came": came.value,
        "at": now,
    }


def _key(move: Move) -> tuple[str, str, str, str]:
    return move.repo, move.ref, move.old, move.new


def _append(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Add lines, and wait until they are on the disk; after a line that was torn, on a line of their own."""
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            size = os.fstat(handle).st_size
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            _write_all(handle, b"\n" + text if torn else text)
            os.fsync(handle)
        finally:
            os.close(handle)
        if size == 0:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as error:
        raise _unwritable(path, error) from None


def _write_all(handle: int, data: bytes) -> None:
    """Write all of it: a disk that is nearly full takes a part, and says so only when asked to take the rest."""
    while data:
        data = data[os.write(handle, data) :]


def _unwritable(path: Path, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"Cannot write the log of operations to {path.parent}: {error.strerror}.",
        hint=remedy(error, path.parent),
    )


def _read(path: Path) -> Operation | None:
    """Read one operation. Lines that cannot be read are skipped; a file without a single good one is none."""
    try:
        with path.open("rb") as file:
            rows = file.read(_BYTES).split(b"\n")
    except OSError:
        return None
    head: dict[str, Any] = {}
    moves: dict[tuple[str, str, str, str], Move] = {}
    for row in rows:
        with contextlib.suppress(ValueError, KeyError, TypeError, NameRefused):
            fields = json.loads(row)
            if "command" in fields:
                head = head or fields
                continue
            move = Move(
                str(fields["repo"]),
                str(fields["url"]),
                str(fields["ref"]),
                ObjectId(fields["old"]),
                ObjectId(fields["new"]),
                Came(fields["came"]),
                int(fields["at"]),
            )
            moves[_key(move)] = move
    if not head and not moves:
        return None
    when = began(path.stem) or int(head.get("at", 0))
    return Operation(path.stem, str(head.get("command", "?")), when, tuple(moves.values()), str(head.get("undoes", "")))


def _newest(repository: Repository) -> list[Path]:
    """The files, newest first; of operations of the same second, the one that was written to last."""
    folder = _folder(repository)
    try:
        with os.scandir(folder) as found:
            stamps = [
                (entry.name.partition("-")[0], entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
                for entry in found
                if entry.name.endswith(".jsonl")
            ]
    except OSError:
        return []
    return [folder / name for _, _, name in sorted(stamps, reverse=True)]


def _folder(repository: Repository) -> Path:
    return repository.state_dir / "operations"


def _path(repository: Repository, name: str) -> Path:
    return _folder(repository) / f"{name}.jsonl"
