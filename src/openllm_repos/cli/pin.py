"""`openllm-repos pin`: which commit of another repo the source pins as a submodule, moved without cloning that repo."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.completion import PINNED
from openllm_repos.cli.invocation import Invocation
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from openllm_repos.git.repository import Repository
    from openllm_repos.submodules.pinning import PinStep

SCHEMA = 1
_DIFFERS = 1


@click.command("pin")
@click.argument("repos", nargs=-1, metavar="[REPO]...", type=PINNED)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--to", metavar="TAG|BRANCH|COMMIT", help="What to pin (the tip of its branch).")
@click.option("--check", is_flag=True, help="As --dry-run; exit with 1 if anything would change.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def pin(
    invocation: Invocation, repos: tuple[str, ...], to: str | None, dry_run: bool, check: bool, as_json: bool
) -> int:
    """Pin a commit of each REPO (all that have a `submodule` in the manifest) in the source, as a git submodule.

    The commit goes into the index, with what .gitmodules has to say, as `git submodule add` does it; but nothing of
    what lies behind it is fetched. Nothing is committed. `git submodule update --init` gets the files.
    """
    from openllm_repos.cli.actions_further import report_pin
    from openllm_repos.cli.clone import open_family
    from openllm_repos.submodules.pinning import apply_pins, plan_pins

    manifest, repository, access = open_family(invocation)
    steps = plan_pins(manifest, repository, repos, to, hub=access.hub())
    problems = [step.problem for step in steps if step.problem is not None]
    changed = not (dry_run or check or problems) and apply_pins(manifest, repository, steps)
    if as_json:
        click.echo(json.dumps(facts(steps, changed=changed), indent=2))
    else:
        for line in _lines(steps, done=not (dry_run or check), quiet=invocation.quiet):
            click.echo(line)
        if not (dry_run or check or problems or invocation.quiet):
            for line in _next(invocation, repository, steps):
                click.echo(line)
    told = _lines(steps, done=changed, quiet=False)
    report_pin(steps, told, changed=changed, dry_run=dry_run or check)
    if problems:
        return max(problem.exit_code for problem in problems)
    return _DIFFERS if check and any(step.changes for step in steps) else 0


def _lines(steps: Sequence[PinStep], *, done: bool, quiet: bool) -> Iterator[str]:
    """Yield for people what became of each pin, or would; and what to type next."""
    failed = any(step.problem is not None for step in steps)
    for step in steps:
        if step.problem is not None:
            yield _safe(f"{step.repo.name}: {step.problem.message.removeprefix(f'{step.repo.name} ')}")
            if step.problem.hint:
                yield _safe(f"  next: {step.problem.hint}")
        elif not quiet or step.changes:
            yield _safe(f"{step.repo.name}: {_said(step, done=done and not failed)}")
            yield from (_safe(f"  note: {note}") for note in step.notes)
    if failed and len(steps) > 1:
        yield "Nothing was changed. Name the others to pin them alone."


def _next(invocation: Invocation, repository: Repository, steps: Sequence[PinStep]) -> Iterator[str]:
    """Yield what to type next: what is to be committed, the manifest with it, and how to get the files."""
    from openllm_repos.submodules.desk import uncommitted

    def typed(path: Path) -> str:
        return shlex.quote(os.path.relpath(path, invocation.directory))

    manifest = invocation.manifest_path()
    staged, own = uncommitted(repository, [step.path for step in steps], manifest)
    moved = [step for step in steps if step.moves]
    if not (moved or staged):
        return
    names = ", ".join(f"{step.repo.name} at {str(step.new)[:10]}" for step in moved or steps)
    before = f"git add -- {typed(manifest)} && " if own else ""
    yield _safe(f"next: {before}git commit -m {shlex.quote(f'Pin {names}')}")
    if moved and repository.top is not None:
        paths = " ".join(typed(repository.top / step.path) for step in moved)
        how = f"git submodule update --init -- {paths}"
        yield _safe(f"      {how}     to get the files (GIT_LFS_SKIP_SMUDGE=1: without LFS)")


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
