"""`openllm-repos status`: the family in one table, and below it what is wrong with the next command to type."""

from __future__ import annotations

import itertools
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Thread
from typing import TYPE_CHECKING, Any, Self

import click

from openllm_repos.cli.actions import in_actions
from openllm_repos.cli.completion import FILE, REPO, by_group
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.table import PAGE, Column, Row, table_lines, terminal_columns
from openllm_repos.hint import hint_lines, next_steps
from openllm_repos.text import redact, show

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

    from openllm_repos.cli.markdown import Part
    from openllm_repos.git.repository import Repository
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.names.ref import RepoName
    from openllm_repos.plan import Stopped, TargetPlan
    from openllm_repos.status.family import FamilyStatus, RepoStatus, Standing
    from openllm_repos.status.problems import Problem

SCHEMA = 1
_DIFFERS = 1
# What gives way on a narrow terminal, the highest first; a branch that all share says the least.
_COLUMNS = (
    Column("repo"),
    Column("kind", yields=7, optional=True),
    Column("branch", yields=5, optional=True),
    Column("state", yields=1, wraps=True),
    Column("release", yields=2, optional=True),
    Column("pin", yields=4, optional=True, wraps=True),
    Column("space", yields=3, optional=True),
    Column("changed", yields=6, optional=True),
)
_STATE = 3
_BRANCH = 2
_SHARED = 8
_DATED = ("model", "dataset")  # kinds of which only the Hub knows the date
_NAMED = 3


@click.command("status")
@click.argument("names", nargs=-1, metavar="[REPO]...", type=REPO)
@by_group
@click.option("--offline", is_flag=True, help="Ask no remote: answer from what was fetched before.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--markdown", is_flag=True, help="Print it as Markdown.")
@click.option(
    "--html",
    "page",
    metavar="FILE",
    shell_complete=FILE,
    help="Write it as a page that a browser shows; - is standard output.",
)
@click.option(
    "--check", is_flag=True, help="Exit with 1 unless every repo is in sync or ok, has its release tags, and runs."
)
@click.option("--leave-held", is_flag=True, help="With --check: one that is held, and was not edited since, is fine.")
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    metavar="SECONDS",
    help="How long each remote may take to answer, and again to send what is new (10).",
)
@click.pass_obj
def status(
    invocation: Invocation,
    names: tuple[str, ...],
    groups: tuple[str, ...],
    offline: bool,
    as_json: bool,
    markdown: bool,
    page: str | None,
    check: bool,
    leave_held: bool,
    deadline: float | None,
) -> int:
    """Show the state of each repo (or of those named): in sync, behind, drifted, unreachable; and what to do about it.

    Remotes are queried in parallel, and nothing is changed, here or there.
    """
    if as_json + markdown + (page is not None) > 1:
        raise click.UsageError("--json, --markdown and --html exclude each other.")
    if leave_held and not check:
        raise click.UsageError("--leave-held goes with --check.")
    from openllm_repos.cli.clone import LOOKING, open_family
    from openllm_repos.family.remotes import DEADLINE
    from openllm_repos.manifest.selection import select
    from openllm_repos.picture.report import look_ahead
    from openllm_repos.retry import NEVER
    from openllm_repos.status.family import family_status

    manifest, repository, access = open_family(invocation, LOOKING)
    names = select(manifest, names, groups)
    manifest = manifest.narrowed(names)
    told = not (as_json or offline or invocation.quiet)
    with repository.quarantine() as clone:  # what is looked at further was fetched for the status
        with _Waiting(manifest, shown=told) as waiting:
            seconds = DEADLINE if deadline is None else deadline
            hub = access.hub(deadline=seconds, retry=NEVER)  # for columns that may stay empty
            family = family_status(manifest, clone, offline=offline, deadline=seconds, told=waiting.heard, hub=hub)
            family = look_ahead(manifest, clone, family).only(names)
        if in_actions():
            from openllm_repos.cli.actions_reports import report_status
            from openllm_repos.hint import gathered

            problems = list(gathered(family.problems, "repo", "message"))
            report_status(family, table_in_markdown(family), problems, map(problem_in_markdown, problems))
        if page is not None:
            from openllm_repos.cli.page import write_page

            write_page(invocation, page, manifest, clone, family)
        elif as_json:
            import json

            click.echo(json.dumps(facts(family), indent=2))
        else:
            for line in _markdown(family) if markdown else (*_lines(family), *_hook_lines(repository)):
                click.echo(line)
    differs = family.differs_unwanted if leave_held else family.differs
    return _DIFFERS if check and differs else 0


class _Waiting:
    """One line on a terminal that says whom we wait for; it is gone when the answer comes.

    What draws it takes a tenth of a second to import: time that the remotes need anyway.
    """

    def __init__(self, manifest: Manifest, *, shown: bool) -> None:
        self._names = [repo.name for repo in manifest.repos]
        self._shown = shown and sys.stderr.isatty()
        self._drawing = Thread(target=self._draw) if self._shown else None
        self._line: Live | None = None

    def __enter__(self) -> Self:
        if self._drawing:
            self._drawing.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawing:
            self._drawing.join()
        if self._line:
            self._line.stop()

    def heard(self, name: RepoName) -> None:
        """One repo has answered."""
        self._names.remove(name)

    def _draw(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        console = Console(stderr=True)
        if console.is_interactive:
            line = Spinner("line", text=self)
            self._line = Live(line, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)
            self._line.start(refresh=True)
            console.show_cursor()  # who is killed could not bring it back

    def __rich__(self) -> Text:
        """Return what the line says now."""
        from rich.text import Text

        names = self._names[:]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        said = f"waiting for {', '.join(names[:_NAMED])}{more}" if names else ""
        return Text(said, no_wrap=True, overflow="ellipsis")


def _lines(family: FamilyStatus) -> Iterator[str]:
    """Yield the table and the problems for people."""
    from openllm_repos.hint import gathered

    columns = terminal_columns(PAGE)
    yield from _table(family.repos, columns)
    if family.remembered:
        yield from ("", "Nobody was asked: this is what was fetched before, and it does not know of releases.")
    for problem in gathered(family.problems, "repo", "message"):
        yield ""
        yield from _problem_lines(problem, columns)


def _hook_lines(repository: Repository) -> Iterator[str]:
    """Say where another tool took the place of the hook that was installed into this clone."""
    from openllm_repos.hooks.standing import displaced
    from openllm_repos.status.problems import Problem

    if fault := displaced(repository):
        yield ""
        yield from _problem_lines(Problem("pre-push hook", fault.message, fault.next), terminal_columns(PAGE))


def _rows(repos: Sequence[RepoStatus]) -> tuple[tuple[Column, ...], list[tuple[str, ...]]]:
    """Return columns and rows; what a Space does, and when repos changed, only where the Hub has told of any."""
    spaces = any(status.runtime for status in repos)
    dates = spaces or any(status.changed and str(status.repo.kind) in _DATED for status in repos)
    shown = [True, True, True, True, True, any(status.pin for status in repos), spaces, dates]
    columns = list(_COLUMNS)
    if len({status.repo.branch for status in repos}) == 1:
        columns[_BRANCH] = replace(columns[_BRANCH], yields=_SHARED)
    rows = [tuple(itertools.compress(_row(status), shown)) for status in repos]
    return tuple(itertools.compress(columns, shown)), rows


def _table(repos: Sequence[RepoStatus], width: int) -> Iterator[str]:
    columns, rows = _rows(repos)
    yield from table_lines(
        columns,
        [Row(row, colours=[""] * _STATE + [_colour(status.standing)]) for status, row in zip(repos, rows, strict=True)],
        width=width,
    )


def _row(status: RepoStatus) -> tuple[str, ...]:
    repo = status.repo
    space = status.runtime.said if status.runtime else "-"
    changed = f"{status.changed:%Y-%m-%d}" if status.changed else "-"
    return (repo.name, str(repo.kind), repo.branch, status.said, status.release or "-", _pin(status), space, changed)


def _pin(status: RepoStatus) -> str:
    if status.pin is None:
        return "-"
    commit, far = status.pin.commit, status.pin.distance
    if commit is None:
        return "none"
    return f"{commit[:7]} {far.said(status.repo.branch) if far else ''}".rstrip()


def _colour(standing: Standing) -> str:
    """Green for what is as it should be, red for what nobody knows, yellow for what is to be done."""
    if standing.settled:
        return "green"
    return "red" if standing.bad else "yellow"


def _problem_lines(problem: Problem, columns: int) -> Iterator[str]:
    message = show(redact(f"{problem.repo}: {problem.message}"))
    yield from textwrap.wrap(message, columns, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    yield from hint_lines(problem.next, "  ", columns=columns)


def _markdown(family: FamilyStatus) -> Iterator[str]:
    """Yield the same as a Markdown table and a list."""
    from openllm_repos.hint import gathered

    table = table_in_markdown(family)
    yield from (*table.head, *table.lines)
    if family.problems:
        yield ""
    for problem in gathered(family.problems, "repo", "message"):
        yield problem_in_markdown(problem)


def table_in_markdown(family: FamilyStatus) -> Part:
    """Return the family as a table."""
    from openllm_repos.cli.markdown import plain, table

    columns, rows = _rows(family.repos)
    return table([column.heading for column in columns], ([plain(cell) for cell in row] for row in rows))


def problem_in_markdown(problem: Problem) -> str:
    """Return a problem as an entry of a list; of its next steps, commands are code."""
    from openllm_repos.cli.markdown import plain

    after = ""
    for step in next_steps(problem.next):
        shown = f"`{step.text}`" if step.is_command and "`" not in step.text else plain(step.text)
        remark = step.remark.removeprefix("or ")
        joined = ", then " if remark == step.remark else ", or "
        after += f"{joined if after else ' Next: '}{shown}" + (f" ({plain(remark)})" if remark else "")
    return f"- **{plain(problem.repo)}**: {plain(problem.message)}{after}"


def facts(family: FamilyStatus) -> dict[str, Any]:
    """Return a status as the JSON that docs/json.md describes."""
    return {
        "schema": SCHEMA,
        "project": family.project,
        "source": {"name": family.source, "commit": family.source_commit},
        "remembered": family.remembered,
        "differs": family.differs,
        "repos": [_repo_facts(status, family.steps.get(status.repo.name)) for status in family.repos],
        "problems": [
            {"repo": problem.repo, "message": redact(problem.message), "next": redact(problem.next)}
            for problem in family.problems
        ],
    }


def _repo_facts(status: RepoStatus, step: TargetPlan | Stopped | None) -> dict[str, Any]:
    from openllm_repos.cli.plan_text import drift_json, step_json
    from openllm_repos.plan import Stopped

    repo = status.repo
    return {
        "name": repo.name,
        "kind": repo.kind.value,
        "role": repo.role.value,
        "url": repo.url,
        "branch": repo.branch,
        "state": status.standing.value,
        "tip": status.tip,
        "behind": status.behind,
        "ahead": status.ahead,
        "drift": drift_json(status.drift),
        "release": status.release,
        "changed": status.changed.isoformat() if status.changed else None,
        "space": _space_facts(status),
        "held": status.held or None,
        "pin": _pin_facts(status),
        "stopped": step_json(step) if isinstance(step, Stopped) else None,
    }


def _pin_facts(status: RepoStatus) -> dict[str, Any] | None:
    pin = status.pin
    if pin is None:
        return None
    far = pin.distance
    known = {"behind": far.behind if far else None, "on_branch": far.on_branch if far else None}
    return {"path": pin.path, "commit": pin.commit, **known}


def _space_facts(status: RepoStatus) -> dict[str, Any] | None:
    runtime = status.runtime
    if runtime is None:
        return None
    return {"stage": runtime.said, "commit": runtime.commit, "message": redact(runtime.message)}
