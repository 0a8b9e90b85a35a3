"""`openllm-repos import TARGET`: what a target changed, as commits on a branch of the source, and a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click

from openllm_repos.cli.actions_further import report_import
from openllm_repos.cli.clone import open_family
from openllm_repos.cli.completion import TARGET
from openllm_repos.cli.frame import Change, Frame, Tell, changing
from openllm_repos.cli.plan_text import SCHEMA, change_json, file_lines
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line, hint_lines, note_lines
from openllm_repos.importing.apply import publish, require_github, write_branch
from openllm_repos.importing.model import ImportedCommit, ImportPlan, Published
from openllm_repos.importing.planning import plan_import
from openllm_repos.journal.transaction import Transaction
from openllm_repos.manifest.model import Manifest
from openllm_repos.text import show, show_path


@changing("import", yes="Do not ask before the push of --pr.")
@click.argument("target", metavar="TARGET", type=TARGET)
@click.option("--branch", metavar="NAME", help="The branch of the source that gets the commits (import/TARGET).")
@click.option("--pr", is_flag=True, help="Push the branch to GitHub, and open a pull request or say where to.")
def import_(frame: Frame, target: str, branch: str | None, pr: bool) -> int:
    """Bring home what a TARGET changed by itself: each of its commits becomes one on a branch of the source.

    Authors, dates and messages stay. The branch starts at the commit that the target got last, and holds exactly what
    the target has; merge it as you merge any branch, then sync. Nothing is checked out, and no file of yours changes.
    """
    manifest, repository, _ = open_family(frame.invocation)
    return frame.run(_Import(manifest, target, branch, pr=pr), manifest, repository)


@dataclass(frozen=True, slots=True)
class _Imported:
    """What came of an import: whether the branch moved, and what was published of it."""

    moved: bool = False
    published: Published | None = None


@dataclass
class _Import(Change[ImportPlan, _Imported]):
    """The branch is this clone's own, and nothing is checked out: only a push is asked."""

    manifest: Manifest
    target: str
    branch: str | None
    pr: bool

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"import {self.target}"

    @property
    def asks(self) -> bool:  # type: ignore[override]
        return self.pr

    def plan(self, repository: Repository) -> ImportPlan:
        return plan_import(self.manifest, repository, self.target, self.branch)

    def plan_lines(self, plan: ImportPlan, *, every_file: bool) -> Iterable[str]:
        return _lines(plan, every_file=every_file)

    def require(self, plan: ImportPlan) -> None:
        if self.pr:
            require_github(self.manifest.source, plan.branch)

    def question(self, plan: ImportPlan) -> str:
        return f"Push {plan.branch} to {self.manifest.source.name}?" if self.asks and plan.tip is not None else ""

    def apply(self, plan: ImportPlan, repository: Repository, tell: Tell) -> _Imported:
        if plan.tip is None:
            return _Imported()
        with Transaction(repository, f"import {plan.target}") as transaction:
            moved = write_branch(plan, repository, transaction)
            published = publish(plan, self.manifest, repository, transaction, tell) if self.asks else None
        return _Imported(moved, published)

    def result_lines(self, plan: ImportPlan, result: _Imported) -> Iterator[str]:
        if plan.tip is not None:
            where = "now" if result.moved else "already"
            yield f"{plan.branch} is {where} at {plan.tip[:10]}; nothing was checked out"
            yield from _end_lines(self.manifest, plan, result.published)

    def facts(self, plan: ImportPlan, result: _Imported | None) -> dict[str, Any]:
        result = result or _Imported()
        return import_json(plan, moved=result.moved, published=result.published)

    def report(self, plan: ImportPlan, result: _Imported | None) -> None:
        lines, done = self.all_lines(plan, result), result or _Imported()
        report_import(self.manifest, plan, done.published, lines, moved=done.moved, dry_run=result is None)


def _lines(plan: ImportPlan, *, every_file: bool) -> Iterator[str]:
    """Yield what would be imported."""
    for note in plan.notes:
        yield from note_lines(note)
    if plan.base is None:
        yield f"Nothing to import: {plan.said}"
        return
    some = "1 commit" if len(plan.changing) == 1 else f"{len(plan.changing)} commits"
    yield f"{plan.target}: {some} for {plan.branch}, which starts at {plan.base[:10]} of {plan.source}"
    for made in plan.changing:
        yield _commit_line(made)
        yield from (f"  {line}" for line in file_lines(made.files, every_file=every_file))
        if made.stands_for:
            some = "1 older commit" if len(made.stands_for) == 1 else f"{len(made.stands_for)} older commits"
            yield f"    with what {some} of {plan.target} changed, which would not apply without it"
    if plan.large:
        files = "1 LFS file" if len(plan.large) == 1 else f"{len(plan.large)} LFS files"
        by_hand = command_line("git", "lfs", "fetch", plan.url, remark="by hand")
        yield from note_lines(f"{files} among them; --pr brings the content along\n{by_hand}")


def _commit_line(made: ImportedCommit) -> str:
    origin = made.origin
    who, subject = (show(text).replace("\n", "\\n").replace("\t", " ") for text in (origin.author, origin.subject))
    return f"  {origin.id[:10]} {origin.date[:10]} {who}: {subject}"


def _end_lines(manifest: Manifest, plan: ImportPlan, published: Published | None) -> Iterator[str]:
    """Yield what to do next."""
    main = manifest.source.branch
    if published is not None:
        yield from (f"note: {show(note)}" for note in published.notes)
        yield f"Pull request: {published.link}" if published.opened else f"Open the pull request: {published.link}"
    if plan.overlaps:
        paths = ", ".join(show_path(path) for path in plan.overlaps)
        yield f"A merge into {main} will stop at what both sides changed: {paths}"
    if published is None:
        yield from hint_lines(f"git merge {plan.branch}  # on {main}; then push it")
        if plan.held:
            yield from hint_lines(f"openllm-repos rollback {plan.target} --lift")
        yield from hint_lines(f"openllm-repos sync {plan.target}")


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
