"""`openllm-repos import TARGET`: what a target changed, as commits on a branch of the source, and a pull request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from openllm_repos.cli.actions_further import report_import
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import TARGET
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.plan_text import SCHEMA, change_json, file_lines
from openllm_repos.cli.question import confirmed
from openllm_repos.importing.apply import publish, write_branch
from openllm_repos.importing.model import ImportedCommit, ImportPlan, Published
from openllm_repos.importing.planning import plan_import
from openllm_repos.journal.lock import exclusive
from openllm_repos.journal.operations import new_operation
from openllm_repos.manifest.model import Manifest
from openllm_repos.sync.apply import settle
from openllm_repos.text import show, show_path

_DIFFERS = 1


@click.command("import")
@click.argument("target", metavar="TARGET", type=TARGET)
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be done and change nothing, here or there.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the push of --pr.")
@click.option("--branch", metavar="NAME", help="The branch of the source that gets the commits (import/TARGET).")
@click.option("--pr", is_flag=True, help="Push the branch to GitHub, and open a pull request or say where to.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_obj
def import_(
    invocation: Invocation,
    target: str,
    branch: str | None,
    pr: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Bring home what a TARGET changed by itself: each of its commits becomes one on a branch of the source.

    Authors, dates and messages stay. The branch starts at the commit that the target got last, and holds exactly what
    the target has; merge it as you merge any branch, then sync. Nothing is checked out, and no file of yours changes.
    """
    manifest, repository, _ = open_family(invocation)
    if dry_run:
        with repository.quarantine() as quarantined:
            plan = plan_import(manifest, quarantined, target, branch)
        _show(plan, invocation, as_json=as_json)
        report_import(manifest, plan, None, _lines(plan, every_file=True), moved=False, dry_run=True)
        return 0
    published = None
    with exclusive(repository, f"import {target}"):
        settle(manifest, repository, _tell)
        plan = plan_import(manifest, repository, target, branch)
        if not as_json:
            _show(plan, invocation, as_json=False)
        operation = new_operation()
        moved = plan.tip is not None and write_branch(plan, repository, operation)
        if not as_json:
            for line in _branch_lines(plan, moved=moved):
                click.echo(line)
        if pr and plan.tip is not None:
            if not confirmed(f"Push {plan.branch} to {manifest.source.name}?", yes=yes or as_json):
                click.echo("Nothing was pushed.")
                return _DIFFERS
            silent = invocation.quiet or as_json
            published = publish(plan, manifest, repository, operation, (lambda _: None) if silent else _tell)
    told = (*_lines(plan, every_file=True), *_branch_lines(plan, moved=moved), *_end_lines(manifest, plan, published))
    report_import(manifest, plan, published, told, moved=moved, dry_run=False)
    if as_json:
        click.echo(json.dumps(import_json(plan, moved=moved, published=published), indent=2))
        return 0
    for line in _end_lines(manifest, plan, published):
        click.echo(line)
    return 0


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _show(plan: ImportPlan, invocation: Invocation, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(import_json(plan, moved=False, published=None), indent=2))
        return
    for line in _lines(plan, every_file=invocation.verbosity > 0):
        click.echo(line)


def _lines(plan: ImportPlan, *, every_file: bool) -> Iterator[str]:
    """Yield what would be imported."""
    for note in plan.notes:
        yield f"note: {show(note)}"
    if plan.base is None:
        yield f"Nothing to import: {plan.said}"
        return
    some = "1 commit" if len(plan.commits) == 1 else f"{len(plan.commits)} commits"
    yield f"{plan.target}: {some} for {plan.branch}, which starts at {plan.base[:10]} of {plan.source}"
    for made in plan.commits:
        yield _commit_line(made)
        yield from (f"  {line}" for line in file_lines(made.files, every_file=every_file))
        if made.stands_for:
            some = "1 older commit" if len(made.stands_for) == 1 else f"{len(made.stands_for)} older commits"
            yield f"    with what {some} of {plan.target} changed, which the source's history has no place for"
    if plan.large:
        files = "1 LFS file" if len(plan.large) == 1 else f"{len(plan.large)} LFS files"
        yield f"note: {files} among them; --pr brings the content along. By hand: git lfs fetch {show(plan.url)}"


def _commit_line(made: ImportedCommit) -> str:
    origin = made.origin
    who, subject = (show(text).replace("\n", "\\n").replace("\t", " ") for text in (origin.author, origin.subject))
    return f"  {origin.id[:10]} {origin.date[:10]} {who}: {subject}"


def _branch_lines(plan: ImportPlan, *, moved: bool) -> Iterator[str]:
    """Yield what became of the branch."""
    if plan.tip is not None:
        yield f"{plan.branch} is {'now' if moved else 'already'} at {plan.tip[:10]}; nothing was checked out"


def _end_lines(manifest: Manifest, plan: ImportPlan, published: Published | None) -> Iterator[str]:
    """Yield what to do next."""
    if plan.tip is None:
        return
    main = manifest.source.branch
    if published is not None:
        yield from (f"note: {show(note)}" for note in published.notes)
        yield f"Pull request: {published.link}" if published.opened else f"Open the pull request: {published.link}"
    if plan.overlaps:
        paths = ", ".join(show_path(path) for path in plan.overlaps)
        yield f"A merge into {main} will stop at what both sides changed: {paths}"
    if published is None:
        lift = f"openllm-repos rollback {plan.target} --lift   and: " if plan.held else ""
        yield f"Next, on {main}: git merge {plan.branch}   then push, and: {lift}openllm-repos sync {plan.target}"


def import_json(plan: ImportPlan, *, moved: bool, published: Published | None) -> dict[str, Any]:
    """Return an import as the JSON that the documentation describes."""
    return {
        "schema": SCHEMA,
        "source": {"name": plan.source, "commit": plan.source_commit},
        "notes": list(plan.notes),
        "target": plan.target,
        "url": plan.url,
        "action": "nothing" if plan.tip is None else "import",
        "reason": plan.said,
        "branch": plan.branch,
        "base": plan.base,
        "old": plan.old,
        "tip": plan.tip,
        "target_tip": plan.target_tip,
        "commits": [_commit_json(made) for made in plan.commits],
        "overlaps": [path.decode("utf-8", "surrogateescape") for path in plan.overlaps],
        "lfs": [{"oid": file.oid, "size": file.size} for file in plan.large],
        "moved": moved,
        "published": None
        if published is None
        else {
            "pushed": published.pushed,
            "link": published.link,
            "opened": published.opened,
            "notes": list(published.notes),
        },
    }


def _commit_json(made: ImportedCommit) -> dict[str, Any]:
    origin = made.origin
    return {
        "id": made.made,
        "origin": origin.id,
        "author": origin.author,
        "date": origin.date,
        "subject": origin.subject,
        "joins": made.joins,
        "stands_for": list(made.stands_for),
        "files": [change_json(change) for change in made.files],
    }
