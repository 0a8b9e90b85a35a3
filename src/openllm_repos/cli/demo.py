"""`openllm-repos demo`: the whole story on this machine. Each command is printed and then really run."""

from __future__ import annotations

import os
import shlex
import shutil
import sysconfig
from pathlib import Path

import click

from openllm_repos.cli.app import run
from openllm_repos.demo.family import Family, change_source, edit_space, make_family
from openllm_repos.errors import UsageError
from openllm_repos.hint import command_line, hint_lines
from openllm_repos.sandbox import Sandbox


class StoryEnded(click.exceptions.Exit):
    """A command of the story did not succeed; what it said is on the screen."""


@click.command("demo")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path))
def demo(folder: Path | None) -> None:
    """Make a family like OpenLLM's in DIR (a new temporary folder by default) and sync it.

    A source on "GitHub", a Space, two models and a dataset on the "Hub": both hosts are the sandbox, which runs on this
    machine while the story lasts. No account and no network is needed, and nothing outside DIR is touched.
    """
    place = _place(folder)
    click.echo(f"A family like OpenLLM's, in {place}")
    click.echo(
        "Its URLs are the real ones, but what answers is a GitHub and a Hub on this machine, which refuse what the real"
        "\nones refuse: nothing leaves this machine."
    )
    with Sandbox(place / "remotes") as sandbox, sandbox.entered():
        _story(make_family(place, sandbox))
    click.echo(
        "\nEverything is still there. To go on, start both hosts again, and do what they say in another terminal:"
    )
    start = command_line("openllm-repos", "sandbox", "--root", place / "remotes")
    enter = command_line("cd", place / "openllm", remark="after the lines that it prints")
    look = "openllm-repos diff space  # or edit a file in ../space, push it, and sync"
    for line in hint_lines(f"{_path_line()}{start}\n{enter}\n{look}"):
        click.echo(line)


def _path_line() -> str:
    """Return the line after which a shell finds the tool: after `make demo` it is in the clone's .venv alone."""
    if shutil.which("openllm-repos"):
        return ""
    return f'export PATH={shlex.quote(sysconfig.get_path("scripts"))}:"$PATH"  # in both terminals\n'


def _story(family: Family) -> None:
    source = family.source.folder
    _step(source, "How does the family stand?", "status")
    _step(source, "What would a sync do? (This changes nothing.)", "sync", "--dry-run")
    _step(source, "Do it. (docs/ has a picture for which the Hub refuses a plain push.)", "sync", "--yes")
    _step(source, "Now the Space has the mapped folders, and its own files as before.", "status")
    click.echo(
        "\n# Somebody edits the Space: app.py, which is its own, and training/data_loader.py,"
        " which came from the source."
    )
    family.space.pull()
    edit_space(family.space)
    click.echo("# Meanwhile the source changes core/src/model.py, adds a file and deletes a configuration.")
    change_source(family)
    _step(source, "Both sides have moved.", "status")
    _step(source, "A sync merges them; nobody's work is lost.", "sync", "--yes")
    _history(family)
    _step(
        source,
        "One version of the whole family: checked, written down, tagged everywhere (with the Space's edit as it is).",
        "release",
        "0.2.0",
        "--allow-drift",
        "--yes",
    )
    _step(source, "The remotes themselves are asked whether it is so.", "release", "verify", "v0.2.0")
    _step(source, "What is left is the Space's edit, which the source does not have yet.", "status")


def _place(folder: Path | None) -> Path:
    if folder is None:
        import tempfile

        return Path(os.path.realpath(tempfile.mkdtemp(prefix="openllm-repos-demo-")))
    place = Path(os.path.abspath(folder))
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise UsageError(f"{place} is not empty.", hint="Name a folder that does not exist yet.")
    return place


def _step(source: Path, why: str, *command: str) -> None:
    """Say why, print the command as a person would type it, and run it."""
    click.echo(f"\n# {why}\n$ openllm-repos {' '.join(command)}")
    code = run(["-C", str(source), *command])
    if code:
        raise StoryEnded(code)


def _history(family: Family) -> None:
    """Show that the Space has the history of the folder, with its authors and dates."""
    family.space.pull()
    click.echo(
        "\n# The Space's training/ has the source's history, authors and dates."
        "\n$ git -C ../space log --graph training/"
    )
    click.echo(family.space.graph("training/"))
