"""`openllm-repos targets`: what receives maps, and the same shared out into the jobs of a GitHub Actions matrix.

Nothing here starts git or touches the network: a manifest is enough, so a first job can make the matrix of the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from openllm_repos.cli.completion import TARGET, by_group
from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.table import Column, Row, table_lines, terminal_columns
from openllm_repos.errors import UsageError

if TYPE_CHECKING:
    from openllm_repos.manifest import Manifest, Repo

SCHEMA = 1
_COLUMNS = (Column(), Column(yields=2, optional=True), Column(yields=1), Column(yields=3))
MOST_JOBS = 256  # what GitHub allows a matrix to have


@click.command("targets")
@click.argument("names", nargs=-1, metavar="[TARGET]...", type=TARGET)
@by_group
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.option("--matrix", is_flag=True, help="Print one line: the matrix of a GitHub Actions workflow.")
@click.option(
    "--jobs",
    type=click.IntRange(1, MOST_JOBS),
    metavar="N",
    help=f"With --matrix: share them out evenly over N jobs at the most ({MOST_JOBS}).",
)
@click.pass_obj
def targets(
    invocation: Invocation,
    names: tuple[str, ...],
    groups: tuple[str, ...],
    as_json: bool,
    matrix: bool,
    jobs: int | None,
) -> None:
    """Show the targets (all of them, or those named): what receives maps, where it is, and what it takes.

    With --matrix each job is one entry: `name`, and `targets` for the command line of `sync`. It asks no remote and
    needs no clone.
    """
    if as_json and matrix:
        raise UsageError("--json and --matrix exclude each other.")
    if jobs is not None and not matrix:
        raise UsageError("--jobs goes with --matrix.")
    from openllm_repos.manifest import Manifest
    from openllm_repos.manifest.selection import select

    manifest = Manifest.load(invocation.manifest_path())
    names = select(manifest, names, groups, manifest.targets, "target")
    chosen = [manifest.target(name) for name in names] if names else list(manifest.targets)
    if as_json:
        click.echo(json.dumps(facts(manifest, chosen), indent=2))
        return
    if not chosen:  # a matrix without any job is an error to GitHub
        raise UsageError(
            f"{manifest.origin} has no target: no repo in it has maps.", hint=manifest.how_to_get_a_target()
        )
    if matrix:
        click.echo(json.dumps({"include": entries(chosen, jobs or MOST_JOBS)}, separators=(",", ":")))
        return
    rows = [
        Row(
            [repo.name, repo.kind, repo.url, repo.branch],
            below=[f"{entry.source.text} → {entry.written_to}" for entry in repo.maps],
        )
        for repo in chosen
    ]
    for line in table_lines(_COLUMNS, rows, width=terminal_columns()):
        click.echo(line)


def facts(manifest: Manifest, chosen: Sequence[Repo]) -> dict[str, Any]:
    """Return targets as the JSON that docs/json.md describes."""
    return {
        "schema": SCHEMA,
        "source": str(manifest.source.name),
        "targets": [
            {
                "name": str(repo.name),
                "kind": str(repo.kind),
                "id": None if repo.repo_id is None else str(repo.repo_id),
                "url": str(repo.url),
                "branch": str(repo.branch),
                "maps": [{"from": entry.source.text, "to": entry.written_to} for entry in repo.maps],
            }
            for repo in chosen
        ],
    }


def entries(chosen: Sequence[Repo], jobs: int) -> list[dict[str, str]]:
    """Share targets out over jobs, neighbours together, so that no job has more than one target more than another.

    Args:
        chosen: the targets.
        jobs: the most jobs that there may be.

    Returns:
        One entry a job: `name`, unlike any other's, and `targets`, names with spaces between them. A name of a repo
        has letters, digits and ``._-`` only, and does not begin with ``-``: no shell makes anything else of it.
    """
    count = min(jobs, len(chosen))
    smallest, larger = divmod(len(chosen), count)
    found, start = [], 0
    for number in range(count):
        end = start + smallest + (number < larger)
        group = [str(repo.name) for repo in chosen[start:end]]
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        found.append({"name": group[0] + more, "targets": " ".join(group)})
        start = end
    return found
