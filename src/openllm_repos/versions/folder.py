"""The work tree as a place of version files: read, and written without a moment in which a file is half there."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Mapping
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.files import atomic_write, read_file, within_clone
from openllm_repos.text import show
from openllm_repos.versions.stated import ReadFile

_LARGEST = 8 << 20


def files_in(folder: Path) -> ReadFile:
    """Return what reads files below a folder.

    A symbolic link, a folder and a file of more than 8 MiB read as if they were not there: a version stands in none.
    """

    def read(path: str) -> bytes | None:
        place = folder / path
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = place.lstat()
            if stat.S_ISREG(found.st_mode) and found.st_size <= _LARGEST:
                return read_file(place, _LARGEST)
        return None

    return read


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace files below a folder, each in one step; its permissions stay.

    Raises:
        EnvironmentProblem: one cannot be written; those before it in the order of `files` are.
    """
    for path, content in files.items():
        try:
            atomic_write(within_clone(folder / path), content)
        except OSError as error:
            raise EnvironmentProblem(
                f"{show(path)} cannot be written: {error.strerror}.",
                hint="Mend its permissions, then run the same command again.",
            ) from None
