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
    if name == STANDARD_OUTPUT:
        click.echo(text, nl=False)
        return
    try:
        # Through a symbolic link, so that what it leads to is replaced and not the link.
        _replace((invocation.directory / name).resolve(), text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise EnvironmentProblem(
            f"{name} cannot be written: {error.strerror}.", hint="Name another file, or mend its folder's permissions."
        ) from None


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
    waiting = place.with_name(f".{place.name}.{os.getpid()}.openllm-repos")
    try:
        with waiting.open("xb") as file:
            file.write(content)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
        os.replace(waiting, place)
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise
