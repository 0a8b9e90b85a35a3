"""A text that goes into a file which a person names, or to standard output."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

import click

from openllm_repos.cli.invocation import Invocation
from openllm_repos.errors import EnvironmentProblem
from openllm_repos.text import show_path

STANDARD_OUTPUT = "-"


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
        _replace(_followed(invocation.directory / name), content)
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
    }
    return steps.get(error.errno or 0, "Name another file.")


def _followed(place: Path) -> Path:
    """Return where symbolic links lead to, so that the file is replaced and not the link."""
    try:
        return place.resolve()
    except RuntimeError:  # what Python before 3.13 says of links that lead in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None


def _replace(place: Path, content: bytes) -> None:
    """Put `content` in the place of a file in one step; its permissions stay. What is no file is written to."""
    mode = None
    with contextlib.suppress(FileNotFoundError):
        found = place.stat().st_mode
        if stat.S_ISDIR(found):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(found):
            place.write_bytes(content)
            return
        mode = stat.S_IMODE(found)
    # Short, since the name may be as long as a name can be; another each time, so that what a kill left hinders nobody.
    waiting = place.with_name(f".openllm-repos-{secrets.token_hex(8)}")
    try:
        with waiting.open("xb") as file:
            file.write(content)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
        os.replace(waiting, place)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
