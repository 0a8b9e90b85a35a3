"""Operations written into a clone's log, as commands write them that move refs by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import exclusive
from openllm_repos.journal.log import Move, MoveOutcome, Operation, begun
from openllm_repos.journal.transaction import Transaction

if TYPE_CHECKING:
    from pathlib import Path


def write_operation(
    clone: Path, command: str, *moves: Move, outcome: MoveOutcome | None = MoveOutcome.MOVED, name: str = ""
) -> str:
    """Write an operation and what came of its moves; without an outcome, one that was killed. Return its name."""
    repository = Repository.open(clone)
    with exclusive(repository, command), Transaction(repository, command) as transaction:
        transaction.name = name or transaction.name
        transaction.begin(*moves, hold=False)
        if outcome is not None:
            transaction.finish(outcome, *moves)
        return transaction.name


def unfinished(clone: Path) -> tuple[Operation, ...]:
    """Return the operations that have not ended, oldest first."""
    return begun(Repository.open(clone))
