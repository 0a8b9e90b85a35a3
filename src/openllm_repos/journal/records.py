"""The journal: one file a pushed ref, written before the push and removed when the remote has confirmed it.

A record is small: the operation can be made anew from the remotes alone. What it adds is that a run which was killed is
noticed, told and cleaned up after, and that what the push replaced stays reachable under ``refs/openllm/keep/``, until
``openllm-repos gc`` lets go of it. What was begun, and what came of it, goes into the log of operations too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem, NameRefused
from openllm_repos.files import atomic_write, remedy, sync_folder
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.refs import read_refs, update_refs
from openllm_repos.git.repository import Repository
from openllm_repos.journal.operations import Came, Move, note
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import RefUpdate

KEEP = "refs/openllm/keep"


@dataclass(frozen=True, slots=True)
class Record:
    """One push that was begun.

    Attributes:
        operation: names the operation; sorts by time.
        target: the repo's name in the manifest.
        url: where it is pushed, without credentials.
        ref: the ref that moves.
        old: where it was, zeros if it was not there.
        new: where it goes.
        source_commit: the source commit that the target gets.
        command: the command that does it, for the log of operations.
        undoes: the operation that it takes back, or an empty string.
    """

    operation: str
    target: str
    url: str
    ref: str
    old: ObjectId
    new: ObjectId
    source_commit: ObjectId
    command: str = "sync"
    undoes: str = ""

    @property
    def update(self) -> RefUpdate:
        """The ref's move."""
        return RefUpdate(self.ref, self.old, self.new)

    @property
    def keep_prefix(self) -> str:
        """Where old and new are held until nobody needs them."""
        return f"{KEEP}/{self.operation}/{self.target}"


def begin(repository: Repository, record: Record) -> None:
    """Hold the objects by refs and write the record to disk. Only then may the push start.

    The record waits under another name while the refs are made: where a run is killed between, it names them.

    Raises:
        EnvironmentProblem: the clone cannot be written.
    """
    held = [("old", record.old), ("new", record.new)]
    zero = repository.zero
    updates = [RefUpdate(f"{record.keep_prefix}/{side}", zero, commit) for side, commit in held if not commit.is_zero]
    path = _path(repository, record)
    waiting = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(waiting, json.dumps(asdict(record), indent=1).encode(), durable=True)
        update_refs(repository, updates, reason=f"openllm-repos: {record.command}")
        os.replace(waiting, path)
        sync_folder(path.parent)
    except OSError as error:
        raise EnvironmentProblem(
            f"Cannot write the journal to {path.parent}: {error.strerror}.",
            hint=f"Nothing was pushed. {remedy(error, path.parent)}",
        ) from None
    _log(repository, record, Came.BEGUN)


def finish(repository: Repository, record: Record, *, landed: bool | None) -> None:
    """Close a record. If the push landed, what it replaced stays reachable; if not, nothing is kept.

    Args:
        repository: the clone.
        record: what was begun.
        landed: whether the push landed; None where nobody can say any more, and then what it may have replaced is kept.
    """
    refs = read_refs(repository, record.keep_prefix)
    zero = repository.zero
    kept = landed is not False
    gone = [RefUpdate(ref, held, zero) for ref, held in refs.items() if not (kept and ref.endswith("/old"))]
    update_refs(repository, gone, reason="openllm-repos: done")
    _log(repository, record, {True: Came.MOVED, False: Came.REFUSED, None: Came.UNKNOWN}[landed])
    _remove(_path(repository, record))


def keep(repository: Repository, operation: str, moves: Sequence[Move]) -> None:
    """Hold what refs are before they are moved by other means than a record, as far as this clone has it.

    Args:
        repository: the clone, whose lock the caller holds.
        operation: its name in the log (:func:`openllm_repos.journal.operations.note`).
        moves: the refs; what is held already is left.

    Raises:
        GitFailed: the refs cannot be written.
    """
    prefix, zero = f"{KEEP}/{operation}", repository.zero
    there = read_refs(repository, prefix)
    with ObjectReader(repository.git) as reader:
        held = [move for move in moves if not move.old.is_zero and reader.find(move.old.encode()) is not None]
    wanted = {f"{prefix}/{move.repo or '@here'}/{move.ref.removeprefix('refs/')}/old": move.old for move in held}
    updates = [RefUpdate(ref, zero, old) for ref, old in wanted.items() if ref not in there]
    update_refs(repository, updates, reason="openllm-repos: kept")


def unfinished(repository: Repository) -> Iterator[Record]:
    """Yield the records of runs that did not end, oldest first. One that cannot be read was never begun."""
    for path in _paths(repository):
        record = _read(path)
        if record is None:
            _remove(path)
        else:
            yield record


def sweep(repository: Repository) -> None:
    """Remove what runs left behind that were killed before their record was complete; nothing was pushed by them."""
    for path in sorted(_folder(repository).glob("*.tmp")):
        record = _read(path)
        if record is not None:  # else it was killed before it made a ref
            refs = read_refs(repository, record.keep_prefix)
            gone = [RefUpdate(ref, held, repository.zero) for ref, held in refs.items()]
            update_refs(repository, gone, reason="openllm-repos: swept")
        _remove(path)


def glimpse(repository: Repository) -> tuple[Record, ...]:
    """Return the records that are there now, oldest first, and change nothing; their runs may still be at work."""
    return tuple(record for record in map(_read, _paths(repository)) if record is not None)


def _read(path: Path) -> Record | None:
    try:
        fields = json.loads(path.read_bytes())
        for name in ("old", "new", "source_commit"):
            fields[name] = ObjectId(fields[name])
        return Record(**fields)
    except (OSError, ValueError, KeyError, TypeError, NameRefused):
        return None


def _log(repository: Repository, record: Record, came: Came) -> None:
    move = Move(record.target, record.url, record.ref, record.old, record.new)
    note(repository, record.command, [move], outcome=came, operation=record.operation, undoes=record.undoes)


def _paths(repository: Repository) -> list[Path]:
    return sorted(_folder(repository).glob("*.json"))


def _folder(repository: Repository) -> Path:
    return repository.state_dir / "journal"


def _path(repository: Repository, record: Record) -> Path:
    return _folder(repository) / f"{record.operation}-{record.target}.json"


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"Cannot remove {path}: {error.strerror}.", hint="Mend the permissions of the clone's git folder."
        ) from None
