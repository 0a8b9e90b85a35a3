"""`openllm-repos log`: which refs were moved when, by which command, what came of it, and how to take it back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from openllm_repos.cli.clone import open_clone
from openllm_repos.cli.completion import OPERATION
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.table import Column, Row, prose_lines, table_lines, terminal_columns
from openllm_repos.errors import ManifestError, UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.hint import hint_lines
from openllm_repos.journal.lock import holder
from openllm_repos.journal.log import Move, MoveOutcome, Operation, find_operation, operations
from openllm_repos.manifest.model import Manifest
from openllm_repos.text import show
from openllm_repos.undo.ways import How, Undone, Way, ways

SCHEMA = 1
_SHOWN = 20
_COLUMNS = (Column(least=9), Column(), Column(yields=1), Column(yields=2))
_OUTCOMES = {outcome: outcome.value for outcome in MoveOutcome} | {MoveOutcome.BEGUN: "not ended"}


@click.command("log")
@click.argument("operation", metavar="[OP]", required=False, type=OPERATION)
@click.option(
    "-n", "most", type=click.IntRange(min=1), default=_SHOWN, metavar="N", help=f"Show N at the most ({_SHOWN})."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def log(invocation: Invocation, operation: str | None, most: int, as_json: bool) -> int:
    """Show the operations of this clone that moved refs, here or on a remote, newest first; or OP with all ids.

    OP is an operation's name or the beginning of it. What others did, and other clones, is not in it.
    """
    try:
        manifest, repository = open_clone(invocation)
    except ManifestError:  # then nothing is said of taking back; all else stands in the log
        manifest, repository = None, Repository.open(invocation.directory)
    found = list(itertools.islice(operations(repository), None if operation else most))
    undone = Undone.among(found)
    if operation is not None:
        chosen = find_operation(repository, operation)
        if chosen is None:
            raise UsageError(f"The log has no operation {operation}.", hint="openllm-repos log")
        found = [chosen]
    if as_json:
        facts = [_operation_json(one, manifest, undone) for one in found]
        click.echo(json.dumps({"schema": SCHEMA, "operations": facts}, indent=2))
        return 0
    if not found:
        click.echo("No operation is written down yet.")
    at_work = not all(one.ended for one in found) and holder(repository) is not None
    for one in found:
        for line in _lines(one, manifest, undone, whole=operation is not None, at_work=at_work):
            click.echo(line)
    return 0


def _lines(one: Operation, manifest: Manifest | None, undone: Undone, *, whole: bool, at_work: bool) -> Iterator[str]:
    """Yield an operation as lines: what, when, every move, and what can be done about it."""
    width = terminal_columns()
    yield from prose_lines(show(f"{one.name}  {_time(one.began)}  {one.command}"), width)
    digits = None if whole else 10
    rows = [
        Row(
            [_OUTCOMES[move.outcome], _name(move), move.ref, f"{_id(move.old, digits)} -> {_id(move.new, digits)}"],
            below=[f"{move.url}, {_time(move.at)}"] if whole and move.url else [],
        )
        for move in one.moves
    ]
    yield from table_lines(_COLUMNS, rows, width=width, indent=2)
    if not one.ended and at_work:
        yield "  it is at work now"
    elif not one.ended:
        yield "  it did not end"
        yield from hint_lines(f"{one.again}  # asks the remotes what is true, and goes on", "  ")
    by = undone.by.get(one.name, ())
    if by:
        yield from prose_lines(f"taken back by {', '.join(other.name for other in by)}", width, 2)
    elif manifest is not None and one.moved:
        yield from _advice(one, ways(manifest, one), width, whole=whole)


def _advice(one: Operation, found: Sequence[Way], width: int, *, whole: bool) -> Iterator[str]:
    stays = [way for way in found if way.how is How.NOT]
    if len(stays) < len(found):
        yield from hint_lines(f"openllm-repos undo {one.name}  # takes it back", "  ")
    told = dict.fromkeys((way.reason, way.hint) for way in stays)
    for reason, hint in told if whole or len(stays) == len(found) else ():
        of = dict.fromkeys(way.move.repo or "this clone" for way in stays if (way.reason, way.hint) == (reason, hint))
        yield from prose_lines(show(f"stays ({', '.join(of)}): {reason}"), width, 2)
        yield from hint_lines(hint, "    ", columns=width)


def _operation_json(one: Operation, manifest: Manifest | None, undone: Undone) -> dict[str, Any]:
    means = {} if manifest is None else {id(way.move): way for way in ways(manifest, one)}
    return {
        "operation": one.name,
        "command": one.command,
        "began": _iso(one.began),
        "unfinished": not one.ended,
        "done": one.done,
        "undoes": one.undoes or None,
        "undone_by": [other.name for other in undone.by.get(one.name, ())],
        "moves": [{**move_json(move), "undo": _way_json(means.get(id(move)))} for move in one.moves],
    }


def move_json(move: Move) -> dict[str, Any]:
    """Return one move as the JSON that docs/json.md describes."""
    return {
        "repo": move.repo or None,
        "url": move.url or None,
        "ref": move.ref,
        "old": move.old,
        "new": move.new,
        "outcome": move.outcome.value,
        "at": _iso(move.at),
    }


def _way_json(way: Way | None) -> dict[str, str] | None:
    return None if way is None else {"how": way.how.value, "reason": way.reason, "next": way.hint}


def _name(move: Move) -> str:
    return move.repo or "(this clone)"


def _id(commit: str, digits: int | None) -> str:
    return "nothing" if not commit.strip("0") else commit[:digits]


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
