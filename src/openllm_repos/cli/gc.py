"""`openllm-repos gc`: what was kept of old operations, and leftovers, let go of. Nothing does that by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from openllm_repos.cli.clone import open_clone
from openllm_repos.cli.frame import Change, Frame, Tell, changing
from openllm_repos.cli.plan_text import size_text
from openllm_repos.git.repository import Repository
from openllm_repos.hint import hint_lines
from openllm_repos.manifest.model import Manifest
from openllm_repos.setup.leftovers import Leftovers, clear, find_leftovers
from openllm_repos.text import show

SCHEMA = 1
_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_FORM = re.compile(r"([0-9]{1,6})([hdwy])")
_MANY = 1000  # with 2,000 loose refs, `git log --all` took 42 ms, packed 2 ms


def _seconds(_: click.Context, __: click.Parameter, value: str) -> int:
    """Read a length of time as people write it: 90d, 12w, 2y."""
    found = _FORM.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no length of time; write 90d, 12w, 2y or 36h.")
    return int(found[1]) * _SECONDS[found[2]]


@changing("gc", yes="Do not ask.")
@click.option(
    "--older-than",
    callback=_seconds,
    required=True,
    metavar="AGE",
    help="Let go of what is older: 90d (days), 12w (weeks), 2y (years), 36h (hours).",
)
def gc(frame: Frame, older_than: int) -> int:
    """Let go of what operations replaced that are older than AGE, of their entries in the log, and of leftovers.

    What a push replaced stays reachable in this clone (refs/openllm/keep/) until this is run; afterwards git's own gc
    may drop what no branch holds either. Operations that have not ended are never touched.
    """
    manifest, repository = open_clone(frame.invocation)
    return frame.run(_Gc(manifest, older_than), manifest, repository)


@dataclass
class _Gc(Change[Leftovers, Leftovers]):
    name = "gc"
    declined = "Nothing was removed."
    settles = False

    manifest: Manifest
    age: int

    def plan(self, repository: Repository) -> Leftovers:
        return find_leftovers(repository, self.manifest, self.age)

    def plan_lines(self, plan: Leftovers, *, every_file: bool) -> Iterator[str]:
        some = list(_lines(plan, "would go"))
        yield from some or ["Nothing is that old."]
        if every_file:
            yield from (f"  {show(name)}" for name in _names(plan))
        yield f"stays: {_count(plan.kept, 'kept ref')}"
        if plan.kept > _MANY:
            yield from hint_lines("git pack-refs --all  # so many are quicker to read packed", "  ")

    def question(self, plan: Leftovers) -> str:
        return "Remove this for good?" if any(_names(plan)) else ""

    def apply(self, plan: Leftovers, repository: Repository, tell: Tell) -> Leftovers:
        clear(repository, plan)
        return plan

    def result_lines(self, plan: Leftovers, result: Leftovers) -> Iterable[str]:
        return _lines(result, "gone")

    def facts(self, plan: Leftovers, result: Leftovers | None) -> dict[str, Any]:
        return _json(plan, done=result is not None)


def _names(found: Leftovers) -> Iterator[str]:
    yield from (*found.refs, *found.log, *map(str, (*found.files, *found.folders)))


def _lines(found: Leftovers, word: str) -> Iterator[str]:
    """Yield what goes, counted."""
    if found.refs:
        yield f"{word}: {_count(len(found.refs), 'kept ref')} of {_count(found.operations, 'operation')}"
    if found.log:
        yield f"{word}: {_count(len(found.log), 'entry', 'entries')} of the log"
    if found.files or found.folders:
        files, folders = _count(len(found.files), "file"), _count(len(found.folders), "folder")
        yield f"{word}: {files} and {folders}, {size_text(found.bytes)}"


def _json(found: Leftovers, *, done: bool) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "done": done,
        "refs": list(found.refs),
        "log": list(found.log),
        "files": [str(path) for path in found.files],
        "folders": [str(path) for path in found.folders],
        "bytes": found.bytes,
        "kept": found.kept,
    }


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"
