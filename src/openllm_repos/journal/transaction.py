"""Operations as they are written into the log (:mod:`openllm_repos.journal.log`). Who writes holds the clone's lock."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.files import append_durably, atomic_write, remedy
from openllm_repos.git.refs import read_refs, update_refs
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import (
    KEEP,
    SCHEMA,
    STAMP,
    Move,
    MoveOutcome,
    Operation,
    begun,
    fields_of,
    log_file,
)
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate
from openllm_repos.text import redact


class Transaction:
    """An operation while it is carried out. As a context manager it ends with the block, unless an outcome is missing.

    Nothing is written before the first move, so what moves no ref is not in the log. A release ends only where it is
    told to (:meth:`end`): what stopped it leaves it begun.

    Args:
        repository: the clone, whose lock the caller holds.
        command: the command that was given, without the program's name.
        undoes: the operation that it takes back.
        resumes: the operation that goes on.
    """

    def __init__(
        self, repository: Repository, command: str, *, undoes: str = "", resumes: Operation | None = None
    ) -> None:
        self.name = new_operation() if resumes is None else resumes.name
        self.command = command
        self.undoes = undoes
        self.done = True
        self._repository = repository
        self._outcomes = {} if resumes is None else {move.key: move.outcome for move in resumes.moves}
        self._held: dict[str, ObjectId] = {}  # by this process
        self._resumed = self._written = resumes is not None
        self._is_release = resumes is not None and resumes.release is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None and not self._is_release:
            self.end(done=self.done)
        elif not self._is_release:
            with contextlib.suppress(EnvironmentProblem):  # the first failure is told
                self.end(done=False)

    def begin(self, *moves: Move, hold: bool = True) -> None:
        """Write down what is about to move, and hold it. Only afterwards may it move.

        Args:
            moves: the refs.
            hold: whether the clone has the objects.

        Raises:
            EnvironmentProblem: the clone cannot be written; nothing may move.
        """
        self._note(MoveOutcome.BEGUN, moves)
        if hold:
            held = dict(pair for move in moves for pair in self._holds(move))
            there = read_refs(self._repository, *held) if self._resumed else {}
            wanted = [RefUpdate(ref, self._repository.zero, at) for ref, at in held.items() if ref not in there]
            update_refs(self._repository, wanted, reason="openllm-repos: hold")
            self._held |= held

    def finish(self, outcome: MoveOutcome, *moves: Move) -> None:
        """Write down what came of moves. What they replaced is held on, unless they did not take place."""
        held = [ref for move in moves if move.key in self._outcomes for ref, _ in self._holds(move)]
        if self._resumed:
            there = read_refs(self._repository, *held) if held else {}
        else:
            there = {ref: self._held.pop(ref) for ref in held if ref in self._held}
        kept = {ref for ref in there if ref.endswith("/old")} if outcome is not MoveOutcome.REFUSED else set()
        gone = [RefUpdate(ref, at, self._repository.zero) for ref, at in there.items() if ref not in kept]
        update_refs(self._repository, gone, reason="openllm-repos: done")
        self._note(outcome, moves)

    def prepare(self, release: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> None:
        """Write down what is to be released, or what has changed of that: fields of the release, and whole rows."""
        self._is_release = True
        self._append([*([{"release": release}] if release else []), *({"row": row} for row in rows)])

    def end(self, *, done: bool) -> None:
        """Write down that it is over, unless the outcome of a move is still to be asked for."""
        if self._written and MoveOutcome.BEGUN not in self._outcomes.values():
            self._append([{"done": done}])

    def _note(self, outcome: MoveOutcome, moves: Sequence[Move]) -> None:
        noted = [move for move in moves if self._outcomes.get(move.key) is not outcome]
        if noted:
            at = int(time.time())
            written = [replace(move, url=redact(move.url), outcome=outcome, at=at) for move in noted]
            self._append([{"move": asdict(move)} for move in written])
            self._outcomes |= dict.fromkeys((move.key for move in noted), outcome)

    def _holds(self, move: Move) -> tuple[tuple[str, ObjectId], ...]:
        """Return the refs that hold what a move replaces and what it brings."""
        place = f"{KEEP}/{self.name}/{move.repo or '@here'}/{list(self._outcomes).index(move.key)}"
        return (f"{place}/old", move.old), (f"{place}/new", move.new)

    def _append(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Add lines to the log, and wait until they are on the disk."""
        if not self._written:
            first = {"schema": SCHEMA, "command": redact(self.command), "undoes": self.undoes, "at": int(time.time())}
            lines = (first | {"open": [one.name for one in begun(self._repository)]}, *lines)
        path = log_file(self._repository)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "".join(json.dumps({"operation": self.name, **line}) + "\n" for line in lines)
            append_durably(path, text.encode())
        except OSError as error:
            raise _unwritable(path, error) from None
        self._written = True


def new_operation() -> str:
    """Return a name for an operation: UTC time to the second, and four random characters."""
    return time.strftime(STAMP, time.gmtime()) + "-" + secrets.token_hex(2)


def forget(repository: Repository, names: Container[str]) -> None:
    """Take operations out of the log. The caller holds the clone's lock.

    Raises:
        EnvironmentProblem: the clone cannot be written.
    """
    path = log_file(repository)
    try:
        rows = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        stays = [row for row in rows if fields_of(row).get("operation") not in names]
        if stays != rows:
            atomic_write(path, b"".join(stays), durable=True)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> EnvironmentProblem:
    message = f"Cannot write the log of operations, {path}: {error.strerror}."
    return EnvironmentProblem(message, hint=remedy(error, path.parent))
