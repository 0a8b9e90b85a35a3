"""What every command is told of how it was called."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

MANIFEST_NAME = "repos.toml"


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options that stand before the command; commands get it as `ctx.obj` (`@click.pass_obj`).

    Attributes:
        directory: absolute folder to work in: `-C DIR`, or the current one.
        manifest: absolute path from `--manifest FILE` (relative to `directory` as typed), or None.
        verbosity: -1 for `-q`, 0, 1 for `-v`, 2 for `-vv`.
        arguments: the whole command line as it was typed, without the program's name.
        patience: seconds of `--patience`, or None where the command decides.
    """

    directory: Path
    manifest: Path | None = None
    verbosity: int = 0
    arguments: tuple[str, ...] = field(default=(), compare=False)
    patience: float | None = None

    @property
    def quiet(self) -> bool:
        """Whether only results and errors are wanted."""
        return self.verbosity < 0

    def manifest_path(self) -> Path:
        """Return the manifest to read: the one named, else the nearest `repos.toml` from `directory` upwards.

        The search ends at the top of the repository. Where there is none, the answer is the place in `directory`
        where it would stand, so that reading it says that it is missing.
        """
        if self.manifest is not None:
            return self.manifest
        for folder in (self.directory, *self.directory.parents):
            if os.path.lexists(folder / MANIFEST_NAME):
                return folder / MANIFEST_NAME
            if os.path.lexists(folder / ".git"):
                break
        return self.directory / MANIFEST_NAME
