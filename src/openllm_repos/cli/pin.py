"""`openllm-repos pin`: which commit of another repo the source pins as a submodule, moved without cloning that repo."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.actions_further import report_pin
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import PINNED, TAG, by_group
from openllm_repos.cli.frame import DIFFERS, Change, Frame, Tell, changing
from openllm_repos.cli.invocation import Invocation
from openllm_repos.errors import ReposError
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line, hint_lines, note_lines
from openllm_repos.manifest.model import Manifest
from openllm_repos.manifest.selection import select
from openllm_repos.submodules.desk import uncommitted
from openllm_repos.submodules.pinning import PinStep, apply_pins, plan_pins
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from openllm_repos.family.access import FamilyAccess

SCHEMA = 1


@changing("pin")
@click.argument("repos", nargs=-1, metavar="[REPO]...", type=PINNED)
@by_group
@click.option("--to", metavar="TAG|BRANCH|COMMIT", type=TAG, help="What to pin (the tip of its branch).")
@click.option("--check", is_flag=True, help="As --dry-run; exit with 1 if anything would change.")
def pin(frame: Frame, repos: tuple[str, ...], groups: tuple[str, ...], to: str | None, check: bool) -> int:
    """Pin a commit of each REPO (all that have a `submodule` in the manifest) in the source, as a git submodule.

    The commit goes into the index, with what .gitmodules has to say, as `git submodule add` does it; but nothing of
    what lies behind it is fetched. Nothing is committed. `git submodule update --init` gets the files.
    """
    manifest, repository, access = open_family(frame.invocation)
    repos = select(manifest, repos, groups, [repo for repo, _ in manifest.pinned], "pinned repo")
    change = _Pin(frame.invocation, manifest, repository, access, repos, to, check=check)
    return replace(frame, dry_run=frame.dry_run or check).run(change, manifest, repository)


@dataclass
class _Pin(Change[Sequence[PinStep], bool]):
    """It changes the index alone, which git shows and takes back; `apply_pins` takes the lock itself."""

    asks = settles = shows_plan = False

    invocation: Invocation
    manifest: Manifest
    repository: Repository
    access: FamilyAccess
    repos: Sequence[str]
    to: str | None
    check: bool

    def plan(self, repository: Repository) -> Sequence[PinStep]:
        return plan_pins(self.manifest, repository, self.repos, self.to, hub=self.access.hub())

    def plan_lines(self, plan: Sequence[PinStep], *, every_file: bool) -> Iterator[str]:
        return _lines(plan, done=False, quiet=self.invocation.quiet and not every_file)

    def apply(self, plan: Sequence[PinStep], repository: Repository, tell: Tell) -> bool:
        return not _problems(plan) and apply_pins(self.manifest, repository, plan)

    def result_lines(self, plan: Sequence[PinStep], result: bool) -> Iterator[str]:
        yield from _lines(plan, done=True, quiet=self.invocation.quiet)
        if not (_problems(plan) or self.invocation.quiet):
            yield from _next(self.invocation, self.repository, plan)

    def facts(self, plan: Sequence[PinStep], result: bool | None) -> dict[str, Any]:
        return facts(plan, changed=bool(result))

    def report(self, plan: Sequence[PinStep], result: bool | None) -> None:
        lines = _lines(plan, done=bool(result), quiet=False)
        report_pin(plan, lines, changed=bool(result), dry_run=result is None)

    def exit_code(self, plan: Sequence[PinStep], result: bool | None) -> int:
        if problems := _problems(plan):
            return max(problem.exit_code for problem in problems)
        return DIFFERS if self.check and any(step.changes for step in plan) else 0


def _problems(steps: Sequence[PinStep]) -> list[ReposError]:
    return [step.problem for step in steps if step.problem is not None]


def _lines(steps: Sequence[PinStep], *, done: bool, quiet: bool) -> Iterator[str]:
    """Yield for people what became of each pin, or would; and what to type next."""
    failed = any(step.problem is not None for step in steps)
    for step in steps:
        if step.problem is not None:
            yield _safe(f"{step.repo.name}: {step.problem.message.removeprefix(f'{step.repo.name} ')}")
            yield from hint_lines(step.problem.hint, "  ")
        elif not quiet or step.changes:
            yield _safe(f"{step.repo.name}: {_said(step, done=done and not failed)}")
            for note in step.notes:
                yield from note_lines(note, "  ")
    if failed and len(steps) > 1:
        yield "Nothing was changed. Name the others to pin them alone."


def _next(invocation: Invocation, repository: Repository, steps: Sequence[PinStep]) -> Iterator[str]:
    """Yield what to type next: what is to be committed, the manifest with it, and how to get the files."""

    def typed(path: Path) -> str:
        return os.path.relpath(path, invocation.directory)

    manifest = invocation.manifest_path()
    staged, own = uncommitted(repository, [step.path for step in steps], manifest)
    moved = [step for step in steps if step.moves]
    if not (moved or staged):
        return
    names = ", ".join(f"{step.repo.name} at {str(step.new)[:10]}" for step in moved or steps)
    if own:
        yield from hint_lines(command_line("git", "add", "--", typed(manifest)))
    yield from hint_lines(command_line("git", "commit", "-m", f"Pin {names}"))
    if moved and repository.top is not None:
        paths = [typed(repository.top / step.path) for step in moved]
        remark = "gets the files; with GIT_LFS_SKIP_SMUDGE=1 without LFS content"
        yield from hint_lines(command_line("git", "submodule", "update", "--init", "--", *paths, remark=remark))


def _said(step: PinStep, *, done: bool) -> str:
    place = f"{step.path} at {str(step.new)[:10]}"
    far = step.distance.said(step.repo.branch)
    behind = "" if far == "same" else f", {far} {step.repo.branch}" if far.endswith("behind") else f", {far}"
    if step.moves:
        was = f" (was {step.old[:10]})" if step.old is not None else ""
        return f"{'pinned' if done else 'would pin'} {place}{was}{behind}"
    also = f"; {'brought' if done else 'would bring'} .gitmodules up to date" if step.section else ""
    return f"{step.path} is at {str(step.new)[:10]} already{behind}{also}"


def facts(steps: Sequence[PinStep], *, changed: bool) -> dict[str, Any]:
    """Return it as the JSON that docs/json.md describes."""
    return {"schema": SCHEMA, "changed": changed, "pins": [_step_facts(step) for step in steps]}


def _step_facts(step: PinStep) -> dict[str, Any]:
    problem = step.problem
    return {
        "repo": step.repo.name,
        "path": step.path,
        "url": step.repo.url,
        "old": step.old,
        "new": step.new,
        "tip": step.tip,
        "behind": step.distance.behind if problem is None else None,
        "on_branch": step.distance.on_branch if problem is None else None,
        "moves": step.moves,
        "gitmodules": step.section,
        "notes": [redact(note) for note in step.notes],
        "problem": None if problem is None else redact(problem.message),
        "next": None if problem is None else redact(problem.hint),
        "exit_code": 0 if problem is None else problem.exit_code,
    }


def _safe(line: str) -> str:
    return show(redact(line))
