"""A text that goes into a file which a person names, or to standard output."""

from __future__ import annotations

import contextlib
import os
import stat

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
    # Through a symbolic link, so that what it leads to is replaced and not the link.
    place = os.path.realpath(os.path.join(invocation.directory, name))
    try:
        _replace(place, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise EnvironmentProblem(
            f"{name} cannot be written: {error.strerror}.", hint="Name another file, or mend its folder's permissions."
        ) from None


def _replace(place: str, content: bytes) -> None:
    """Put `content` in the place of a file in one step; permissions stay, and what is no file is written to."""
    mode = None
    with contextlib.suppress(FileNotFoundError):
        found = os.stat(place)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
            with open(place, "wb") as device:  # noqa: PTH123 - as the rest of this module
                device.write(content)
            return
        mode = stat.S_IMODE(found.st_mode)
    folder, name = os.path.split(place)
    waiting = os.path.join(folder, f".{name}.{os.getpid()}.openllm-repos")
    try:
        slot = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with open(slot, "wb") as file:  # noqa: PTH123 - of a slot
            file.write(content)
            if mode is not None:
                os.fchmod(slot, mode)
        os.replace(waiting, place)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(waiting)
        raise
