"""Plans and outcomes of a publish as lines for people and as JSON for programs, and its progress on a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import click

from openllm_repos.hint import hint_lines
from openllm_repos.plan import Change
from openllm_repos.publish.model import NotPublished, Published, PublishPlan
from openllm_repos.text import show

SCHEMA = 1
_LETTER = {Change.ADDED: "A", Change.MODIFIED: "M", Change.DELETED: "D"}
_SHOWN = 20
_EVERY = 0.2  # seconds between two lines of progress
_EVERY_IN_LOG = 30.0  # the same where each stays, as in CI


class Progress:
    """Says how far it is on standard error: one line that changes on a terminal, now and then a new line in a log.

    Args:
        shown: False for a person who wants it quiet.
    """

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._told = shown
        self._every = _EVERY if self._shown else _EVERY_IN_LOG
        self._lock = threading.Lock()
        self._what = ""
        self._done = self._total = 0
        self._last = 0.0

    @contextlib.contextmanager
    def of(self, what: str, total: int = 0) -> Iterator[None]:
        """Show the progress of one thing, of so many bytes (0: nobody knows) while it goes on."""
        self._what, self._done, self._total, self._last = what, 0, total, time.monotonic()
        try:
            yield
        finally:
            self._clear()

    def read(self, count: int) -> None:
        """Count bytes that were read; in the line only while nothing is sent yet."""
        if not self._total:
            self.sent(count)

    def sent(self, count: int) -> None:
        """Count bytes."""
        with self._lock:
            self._done += count
            if not self._told or time.monotonic() - self._last < self._every:
                return
            self._last = time.monotonic()
            share = f" of {_size(self._total)} ({100 * self._done // self._total} %)" if self._total else ""
            start = "\r\x1b[K" if self._shown else ""
            click.echo(f"{start}{show(self._what)} {_size(self._done)}{share}", err=True, nl=not self._shown)

    def tell(self, line: str) -> None:
        """Print a line for people."""
        if self._told:
            self._clear()
            click.echo(show(line), err=True)

    def _clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)


def plan_lines(plan: PublishPlan | NotPublished, *, every_file: bool) -> Iterator[str]:
    """Yield a plan as lines; long lists of files are cut unless `every_file`."""
    if isinstance(plan, NotPublished):
        yield from stopped_lines(plan, every_file=every_file)
        return
    if plan.steps:
        large = sum(step.size for step in plan.steps if step.large)
        some = _count(len(plan.steps), "file")
        through = f" ({_size(large)} through LFS)" if large else ""
        yield f"{plan.repo}: {some} to {show(plan.url)}, {_size(plan.size)}{through}"
        yield from _cut([_step(step.path, _LETTER[step.change], step.size) for step in plan.steps], every_file)
    else:
        yield f"{plan.repo}: up to date ({_count(plan.unchanged, 'file')})"
    for word, paths in (
        ("replaced, though no publish left it so", plan.overwritten),
        ("left out by the repo's own .gitignore", plan.ignored),
        ("left out: no artifact", plan.left_out),
    ):
        yield from _cut([f"  {show(path)}: {word}" for path in paths], every_file)
    for note in plan.notes:
        yield f"  note: {show(note)}"


def stopped_lines(stopped: NotPublished, *, every_file: bool = False) -> Iterator[str]:
    """Yield why a repo cannot be published to, the files concerned, and the next step."""
    yield f"{stopped.repo}: stopped"
    yield f"  {show(stopped.reason)}"
    yield from _cut([f"  {show(c.path)}: {c.here} here, {c.there} on the Hub" for c in stopped.clashes], every_file)
    yield from _cut([f"  {show(problem)}" for problem in stopped.problems], every_file)
    if stopped.hint:
        yield from hint_lines(stopped.hint, "  ")


def outcome_lines(plan: PublishPlan, outcome: Published | NotPublished) -> Iterator[str]:
    """Yield what came of one repo."""
    if isinstance(outcome, NotPublished):
        yield from stopped_lines(outcome)
    elif outcome.committed:
        again = f" after {outcome.attempts} attempts" if outcome.attempts > 1 else ""
        yield f"{outcome.repo}: published{again}, now at {outcome.tip[:10]}: {show(plan.url)}"
    elif plan.steps:
        yield f"{outcome.repo}: up to date; somebody else brought the same meanwhile"


def publish_json(
    plans: Sequence[PublishPlan | NotPublished], outcomes: Sequence[Published | NotPublished]
) -> dict[str, Any]:
    """Return plans and what came of them as the JSON that docs/json.md describes."""
    came = {outcome.repo: outcome for outcome in outcomes}
    return {
        "schema": SCHEMA,
        "repos": [{**_plan_json(plan), "outcome": _outcome_json(came.get(plan.repo))} for plan in plans],
    }


def _plan_json(plan: PublishPlan | NotPublished) -> dict[str, Any]:
    if isinstance(plan, NotPublished):
        return {"name": plan.repo, "state": "stopped", **_stopped_json(plan)}
    return {
        "name": plan.repo,
        "state": "changed" if plan.steps else "up to date",
        "url": plan.url,
        "branch": plan.branch,
        "tip": plan.tip,
        "size": plan.size,
        "files": [
            {
                "path": step.path,
                "from": step.source or None,
                "change": step.change.value,
                "size": step.size,
                "lfs": step.large,
            }
            for step in plan.steps
        ],
        "unchanged": plan.unchanged,
        "overwritten": list(plan.overwritten),
        "ignored": list(plan.ignored),
        "left_out": list(plan.left_out),
        "notes": list(plan.notes),
    }


def _outcome_json(outcome: Published | NotPublished | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    if isinstance(outcome, NotPublished):
        return {"committed": False, **_stopped_json(outcome)}
    return {"committed": outcome.committed, "tip": outcome.tip, "attempts": outcome.attempts, "exit_code": 0}


def _stopped_json(stopped: NotPublished) -> dict[str, Any]:
    return {
        "reason": stopped.reason,
        "next": stopped.hint,
        "exit_code": stopped.exit_code,
        "conflicts": [{"path": one.path, "here": one.here, "there": one.there} for one in stopped.clashes],
        "problems": list(stopped.problems),
    }


def _step(path: str, letter: str, size: int) -> str:
    return f"  {letter} {show(path)}" + (f"  {_size(size)}" if letter != "D" else "")


def _cut(lines: list[str], every_file: bool) -> list[str]:
    if every_file or len(lines) <= _SHOWN:
        return lines
    return [*lines[:_SHOWN], f"  and {len(lines) - _SHOWN} more; -v shows all"]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _size(size: int) -> str:
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 1 << power:
            return f"{size / (1 << power):.1f} {unit}"
    return f"{size} bytes"
