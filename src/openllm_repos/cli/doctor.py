"""`openllm-repos doctor`: one line a check, and below what is wrong the command that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.table import PAGE, Column, Row, table_lines, terminal_columns
from openllm_repos.hint import gathered, hint_lines
from openllm_repos.text import redact

if TYPE_CHECKING:
    from openllm_repos.setup.check import Check

SCHEMA = 1
_BAD = 1
_COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}
_COLUMNS = (Column(least=7), Column(least=8), Column(yields=1, wraps=True))
_INSET = 19  # where the messages stand
_ROOMY = 60


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Ask no remote.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True, max=86_400),
    metavar="SECONDS",
    help="How long a remote may take for each answer (10).",
)
@click.pass_obj
def doctor(invocation: Invocation, offline: bool, as_json: bool, deadline: float | None) -> int:
    """Say what is missing on this machine, in this clone or at the remotes, and the command that mends it.

    Nothing is changed anywhere. Ends with exit code 1 if there is an error; warnings do not count.
    """
    from openllm_repos.cli.clone import LOOKING, policy
    from openllm_repos.setup.check import Level
    from openllm_repos.setup.doctor import DEADLINE, examine

    seconds = DEADLINE if deadline is None else deadline
    checks = []
    retry = policy(invocation, LOOKING)
    place = invocation.manifest_path()
    for check in examine(invocation.directory, place, offline=offline, deadline=seconds, retry=retry):
        checks.append(check)
        told_last = check.repo and check.level is not Level.OK  # others may have the same trouble
        if not as_json and not told_last and not (invocation.quiet and check.level is Level.OK):
            _print(check)
    told = list(gathered(checks, "repo", "message"))
    for check in told if not as_json else ():
        if check.repo and check.level is not Level.OK:
            _print(check)
    errors = sum(check.level is Level.ERROR for check in told)
    if as_json:
        import json

        click.echo(json.dumps(facts(checks), indent=2))
    elif not invocation.quiet:
        warnings = sum(check.level is Level.WARNING for check in told)
        click.echo(f"\n{_counted(errors, 'error')}, {_counted(warnings, 'warning')}.")
    return _BAD if errors else 0


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"


def _print(check: Check) -> None:
    message = f"{check.repo}: {check.message}" if check.repo else check.message
    width = terminal_columns(PAGE)
    for line in table_lines(
        _COLUMNS, [Row([check.level, check.name, message], (), [_COLOURS[check.level]])], width=width
    ):
        click.echo(line)
    for line in hint_lines(check.next, " " * (_INSET if width >= _ROOMY else 2), columns=width):
        click.echo(line)


def facts(checks: list[Check]) -> dict[str, Any]:
    """Return it as the JSON that docs/json.md describes."""
    from openllm_repos.setup.check import Level

    return {
        "schema": SCHEMA,
        "ok": all(check.level is not Level.ERROR for check in checks),
        "checks": [
            {
                "name": check.name,
                "repo": check.repo or None,
                "level": check.level.value,
                "message": redact(check.message),
                "next": redact(check.next),
            }
            for check in checks
        ],
    }
