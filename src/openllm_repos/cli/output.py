"""A text that goes into a file which a person names, or to standard output."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

import click

from openllm_repos.cli.invocation import Invocation
from openllm_repos.errors import EnvironmentProblem
from openllm_repos.files import LeadsOut, atomic_write, within_clone
from openllm_repos.text import show_path

STANDARD_OUTPUT = "-"


def progress(line: str) -> OSError | None:
    """Print how far it is on standard error. What is under way does not end because nobody can read that.

    Returns:
        Why it cannot be written.
    """
    try:
        click.echo(line, err=True)
    except OSError as why:
        return why
    return None


def write_output(invocation: Invocation, name: str, text: str) -> None:
    """Write a text, all of it or nothing: whoever reads the file meanwhile sees the old one or the new one.

    Args:
        invocation: says from which folder `name` counts.
        name: of the file; ``-`` is standard output.
        text: what to write, in UTF-8.

    Raises:
        EnvironmentProblem: the file cannot be written.
    """
    content = text.encode("utf-8", "backslashreplace")
    if name == STANDARD_OUTPUT:
        click.echo(content, nl=False)  # as bytes: pages and SVG are UTF-8, whatever the terminal's own encoding is
        return
    if not name:
        raise click.UsageError("The name of the file is empty; - is standard output.")
    try:
        _replace(within_clone(invocation.directory.resolve() / name), content)
    except LeadsOut:
        raise EnvironmentProblem(
            f"{shown_name(name)} leads out of the clone by a symbolic link; nothing was written.",
            hint="Name another file.",
        ) from None
    except OSError as error:
        raise EnvironmentProblem(
            f"{shown_name(name)} cannot be written: {error.strerror}.", hint=_hint(error)
        ) from None


def shown_name(name: str) -> str:
    """Return the name of a file in one line that is safe to print."""
    return show_path(os.fsencode(name))


def _hint(error: OSError) -> str:
    steps = {
        errno.ENOENT: "Make its folder first, or name a file in one that is there.",
        errno.EISDIR: "Name a file in it.",
        errno.EACCES: "Name another file, or mend the permissions of its folder.",
        errno.ENXIO: "Nobody reads from that pipe; name a file.",
    }
    return steps.get(error.errno or 0, "Name another file.")


def _replace(place: Path, content: bytes) -> None:
    """Put `content` in the place of a file in one step; its permissions stay. A pipe or a device is written to."""
    with contextlib.suppress(FileNotFoundError):
        found = place.stat().st_mode
        if not stat.S_ISREG(found) and not stat.S_ISDIR(found):
            handle = os.open(place, os.O_WRONLY | os.O_NONBLOCK)  # without it, a pipe that nobody reads is waited for
            os.set_blocking(handle, True)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            return
    atomic_write(place, content)
