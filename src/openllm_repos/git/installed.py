"""What is installed on this machine: git and git-lfs."""

from __future__ import annotations

import re
from pathlib import Path

from openllm_repos.git.process import Git

Version = tuple[int, ...]
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_ANYWHERE = Git(None, Path("/"), {})


def git_version() -> Version:
    """Return the version of git: (2, 39, 5). Empty where it does not say.

    Raises:
        EnvironmentProblem: there is no git.
    """
    return _version(_ANYWHERE.text("version"))


def lfs_version() -> Version | None:
    """Return the version of git-lfs, or None where it is not installed."""
    done = _ANYWHERE.run("lfs", "version", ok=(0, 1, 2, 128))
    return _version(done.stdout.decode("utf-8", "replace")) if done.code == 0 else None


def _version(said: str) -> Version:
    found = _NUMBER.search(said)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
