"""The operation log: which refs were moved, by which command, and what came of it. One file that is only added to.

Each line says one whole thing: an operation begins, a ref is about to move, what came of that, the operation has ended.
The order of the lines is the order of the operations, whatever a clock said. An operation without an end is what was
begun: a move of it that has no outcome may have landed or not, and the next run asks
(:func:`openllm_repos.sync.apply.settle`). A line that was torn is skipped. Who writes holds the clone's lock; reading
needs none, and reads no more than it yields.

What a move replaces stays reachable below ``refs/openllm/keep/`` until ``openllm-repos gc``, what it brings until its
outcome is known.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from openllm_repos.errors import NameRefused
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate

SCHEMA = 1
KEEP = "refs/openllm/keep"
HERE = ""
"""Stands in place of a repo's name where the ref is one of the clone itself."""

_BLOCK = 1 << 16
_LONGEST = 1 << 24  # bytes of a line; a release of a thousand repos needs a tenth of it
STAMP = "%Y%m%dT%H%M%SZ"


class MoveOutcome(StrEnum):
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
        outcome: `begun` (not known yet), `moved`, `refused` (it did not move: the remote said no, or somebody else was
            quicker), `unknown` (nobody can say any more).
        at: when that was written, in seconds since 1970; 0 until it is.
    """

    repo: str
    url: str
    ref: str
    old: ObjectId
    new: ObjectId
    outcome: MoveOutcome = MoveOutcome.BEGUN
    at: int = 0

    @classmethod
    def of(cls, repo: str, url: str, update: RefUpdate) -> Self:
        """Return the move that an update of a ref is."""
        return cls(repo, url, update.ref, update.old, update.new)

    @property
    def here(self) -> bool:
        """Whether it is a ref of the clone itself."""
        return self.repo == HERE

    @property
    def update(self) -> RefUpdate:
        """The ref, with its old and its new value."""
        return RefUpdate(self.ref, self.old, self.new)

    @property
    def key(self) -> tuple[str, RefUpdate]:
        """What makes it the same move."""
        return self.repo, self.update


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as far as it is written down.

    Attributes:
        name: names it, and says when it began: ``20261124T221501Z-a1f9``.
        command: the command that was given, without the program's name; ``sync``, ``release 1.2.0``.
        began: seconds since 1970.
        moves: the refs, in the order in which they were begun, each with the last word on it.
        undoes: the operation that it takes back, or an empty string.
        ended: whether it is over.
        done: whether it came to its own end: it was not killed, and nothing stopped it.
        release: what is to be released (:mod:`openllm_repos.journal.releases`), None where it is no release.
    """

    name: str
    command: str
    began: int
    moves: tuple[Move, ...]
    undoes: str = ""
    ended: bool = False
    done: bool = False
    release: Mapping[str, Any] | None = None

    @property
    def moved(self) -> tuple[Move, ...]:
        """The moves that took place."""
        return tuple(move for move in self.moves if move.outcome is MoveOutcome.MOVED)

    @property
    def again(self) -> str:
        """The command that goes on with it."""
        if self.command == "sync":
            return command_line("openllm-repos", "sync", *dict.fromkeys(move.repo for move in self.begun))
        return command_line("openllm-repos", *self.command.split())

    @property
    def begun(self) -> tuple[Move, ...]:
        """The moves of which nobody has asked yet what came of them."""
        return tuple(move for move in self.moves if move.outcome is MoveOutcome.BEGUN)


def began(name: str) -> int | None:
    """Return the time that an operation's name says, in seconds since 1970, or None where it is no such name."""
    stamp, _, rest = name.partition("-")
    try:
        when = time.strptime(stamp, STAMP)
    except ValueError:
        return None
    import calendar

    return calendar.timegm(when) if rest.isalnum() else None


def operations(repository: Repository) -> Iterator[Operation]:
    """Yield the operations that are written down, newest first. Nothing is changed."""
    for operation, _ in _operations(repository):
        yield operation


def begun(repository: Repository) -> tuple[Operation, ...]:
    """Return the operations that have not ended, oldest first; one may still be at work. Nothing is changed."""
    found: list[Operation] = []
    older: set[str] | None = None
    for operation, still_open in _operations(repository):
        older = set(still_open) if older is None else older - {operation.name}
        if not operation.ended:
            found.insert(0, operation)
        if not older:
            break
    return tuple(found)


def find_operation(repository: Repository, name: str) -> Operation | None:
    """Return one operation by its name or the beginning of it; None where there is none.

    Raises:
        NameRefused: more than one begins so.
    """
    found = [one for one in operations(repository) if name and one.name.startswith(name)]
    found = [one for one in found if one.name == name] or found
    if len(found) > 1:
        raise NameRefused(
            f"{len(found)} operations begin with {name}.", hint="openllm-repos log  # lists the full names"
        )
    return found[0] if found else None


def _operations(repository: Repository) -> Iterator[tuple[Operation, Sequence[str]]]:
    """Yield each operation, newest first, and which others had not ended when it began."""
    later: dict[str, list[dict[str, Any]]] = {}
    for line in _last_first(log_file(repository)):
        fields = fields_of(line)
        name = str(fields.get("operation"))
        later.setdefault(name, []).append(fields)
        if fields.get("schema") == SCHEMA:
            first, *rows = reversed(later.pop(name))
            yield _read(name, first, rows), first["open"]


def _read(name: str, first: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Operation:
    moves: dict[tuple[str, RefUpdate], Move] = {}
    release: dict[str, Any] = {}
    repos: dict[str, Any] = {}
    for row in rows:
        with contextlib.suppress(ValueError, KeyError, TypeError, NameRefused):
            if "move" in row:
                move = _move(row["move"])
                moves[move.key] = move
            elif "row" in row:
                repos[row["row"]["repo"]] = row["row"]
            else:
                release |= row.get("release", {})
    ends = [row["done"] for row in rows if "done" in row]
    return Operation(
        name,
        first["command"],
        first["at"],
        tuple(moves.values()),
        undoes=first["undoes"],
        ended=bool(ends),
        done=ends[-1:] == [True],
        release={**release, "rows": tuple(repos.values())} if release else None,
    )


def _move(fields: Mapping[str, Any]) -> Move:
    old, new, outcome = ObjectId(fields["old"]), ObjectId(fields["new"]), MoveOutcome(fields["outcome"])
    return Move(**{**fields, "old": old, "new": new, "outcome": outcome})


def fields_of(line: bytes) -> dict[str, Any]:
    """Return what a line of the log says; nothing where it was torn."""
    try:
        fields = json.loads(line)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _last_first(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, the last one first; no more of it is read than that takes."""
    try:
        file = path.open("rb")
    except OSError:
        return
    with file:
        at, rest = file.seek(0, os.SEEK_END), b""
        while at and len(rest) < _LONGEST:
            size = min(at, max(_BLOCK, len(rest)))
            at = file.seek(at - size)
            rest, *lines = (file.read(size) + rest).split(b"\n")
            yield from reversed(lines)
        if not at:
            yield rest


def log_file(repository: Repository) -> Path:
    """Return where the log is."""
    return repository.state_dir / "operations.jsonl"
