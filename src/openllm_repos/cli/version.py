"""`openllm-repos version`: where the version stands and whether all places agree; writing it into all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from openllm_repos.cli.invocation import Invocation
from openllm_repos.cli.table import Column, Row, table_lines, terminal_columns
from openllm_repos.text import show

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.manifest.model import Manifest
    from openllm_repos.versions.stated import ReadFile, Stated

SCHEMA = 1
_DIFFERS = 1
_COLUMNS = (Column(), Column(yields=1, wraps=True))


@click.group("version", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def version(ctx: click.Context, as_json: bool) -> int:
    """Show the version at each place that [project] version names; exit with 1 where they do not agree."""
    if ctx.invoked_subcommand is not None:
        return 0
    from openllm_repos.versions.stated import agreed, stated

    manifest, _, read = _places(ctx.obj)
    found = stated(manifest.project.version, read)
    said = agreed(found)
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "version": said, "places": [_facts(one) for one in found]}, indent=2))
    else:
        click.echo("\n".join(_lines(found, said)))
    return 0 if said is not None or all(one.by_tag for one in found) else _DIFFERS


@version.command("set")
@click.argument("new", metavar="VERSION")
@click.pass_obj
def set_(invocation: Invocation, new: str) -> None:
    """Write VERSION into every place, and change nothing else."""
    _write(invocation, lambda _: new)


@version.command("bump", short_help="Raise the version: patch, minor, major or rc.")
@click.argument("part", type=click.Choice(["patch", "minor", "major", "rc"]))
@click.argument("candidate", type=click.Choice(["rc"]), required=False)
@click.pass_obj
def bump(invocation: Invocation, part: str, candidate: str | None) -> None:
    """Raise the version: patch, minor, major, or rc for the next release candidate.

    `bump minor rc` goes to the first candidate of the next minor version; `bump minor` from there to that version.
    """
    from openllm_repos.errors import ConflictError, UsageError
    from openllm_repos.versions.order import Part, bumped
    from openllm_repos.versions.stated import agreed, stated

    if part == "rc" and candidate:
        raise UsageError("rc stands alone, or after patch, minor or major.")

    def next_version(read: ReadFile) -> str:
        manifest, _, _ = _places(invocation)
        found = stated(manifest.project.version, read)
        said = agreed(found)
        if said is None:
            listed = "\n".join(_lines(found, said))
            raise ConflictError(
                f"The places do not agree, so there is no version to raise:\n{listed}",
                hint="openllm-repos version set 1.2.3  # writes one version into all of them",
            )
        return bumped(said, Part(part), rc=candidate is not None)

    _write(invocation, next_version)


def _write(invocation: Invocation, choose: Callable[[ReadFile], str]) -> None:
    from openllm_repos.versions.folder import write_files
    from openllm_repos.versions.written import written

    manifest, folder, read = _places(invocation)
    new = choose(read)
    changed = written(manifest.project.version, read, new)
    if (
        not invocation.quiet
    ):  # before anything is written: run again after a kill, `bump` would mean the version after it
        files = ", ".join(changed) or "every place says it already"
        click.echo(show(f"{new}: {files}"))
    write_files(folder, changed)


def _places(invocation: Invocation) -> tuple[Manifest, Path, ReadFile]:
    """Return the manifest, the folder that its places start from, and what reads files there.

    Raises:
        UsageError: the manifest names no place.
    """
    from openllm_repos.errors import UsageError
    from openllm_repos.manifest.model import Manifest
    from openllm_repos.versions.folder import files_in

    path = invocation.manifest_path()
    manifest = Manifest.load(path)
    if not manifest.project.version:
        raise UsageError(
            f"{manifest.origin} does not say where the version stands.",
            hint="openllm-repos manifest set project.version pyproject.toml  # names the file",
        )
    return manifest, path.parent, files_in(path.parent)


def _facts(one: Stated) -> dict[str, object]:
    return {
        "place": str(one.place),
        "file": one.file,
        "version": one.version,
        "by_tag": one.by_tag,
        "problem": one.problem or None,
    }


def _lines(found: tuple[Stated, ...], said: str | None) -> list[str]:
    rows = []
    for one in found:
        where = "" if one.file == one.place.path else f"  (in {one.file})"
        what = "made from the tag" if one.by_tag else one.version or f"{one.file} {one.problem}"
        rows.append(Row([str(one.place), f"{what}{where}"]))
    lines = list(table_lines(_COLUMNS, rows, width=terminal_columns()))
    if said is None and not all(one.by_tag for one in found):
        lines.append("They do not agree." if all(not one.problem for one in found) else "Not every place says one.")
    return lines
