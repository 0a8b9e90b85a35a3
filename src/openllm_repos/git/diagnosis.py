"""Why git failed, where the reason lies on this machine: the disk, a permission, the configuration.

It is asked of the system and of exit codes, after the failure; git's English decides nothing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.files import remedy

Probe = Callable[..., tuple[int, str]]
"""Runs git with some arguments; returns its exit code and what it said to people."""

_READING = frozenset({"cat-file", "config", "diff-tree", "for-each-ref", "log", "ls-files", "ls-remote", "ls-tree"})
_READING |= {"merge-base", "push", "rev-list", "rev-parse", "var", "version"}
_NETWORK = frozenset({"fetch", "ls-remote", "push"})
_HTTP = {
    "http.sslVerify": "bool",
    "http.postBuffer": "int",
    "http.maxRequests": "int",
    "http.minSessions": "int",
    "http.saveCookies": "bool",
    "http.emptyAuth": "bool-or-str",
}
_BAD_VALUE = 128
_ROOM = 1 << 16  # bytes; git cleans up after itself, so a disk that was too full may have a little room again
_NEARLY_FULL = 4 << 20


def local_problem(verb: str, git_dir: Path | None, extra: Mapping[str, str], probe: Probe) -> EnvironmentProblem | None:
    """Return what is wrong on this machine, None where nothing is seen that would make git fail.

    Args:
        verb: the subcommand that failed.
        git_dir: the repository's git folder, if it had one.
        extra: its environment beyond our own; it may name another folder for objects.
        probe: runs git in that repository.
    """
    if verb not in _READING:
        for folder in _written(git_dir, extra):
            if (problem := _unwritable(folder)) is not None:
                return problem
    if git_dir is not None and not git_dir.is_dir():
        return None  # what git says of a ".git" that leads nowhere looks like a bad configuration
    return _bad_setting(verb, probe)


def _written(git_dir: Path | None, extra: Mapping[str, str]) -> Iterator[Path]:
    if "GIT_OBJECT_DIRECTORY" in extra:
        yield Path(extra["GIT_OBJECT_DIRECTORY"])
    elif git_dir is not None:
        yield git_dir / "objects" if (git_dir / "objects").is_dir() else git_dir
    yield Path(tempfile.gettempdir())


def _unwritable(folder: Path) -> EnvironmentProblem | None:
    """Write a little to a folder, in a file without a name, and say why that does not work."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as trial:
            os.write(trial.fileno(), bytes(_ROOM))
            os.fsync(trial.fileno())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return EnvironmentProblem(f"Cannot write to {folder}: {error.strerror}.", hint=remedy(error, folder))
    disk = os.statvfs(folder)
    if disk.f_blocks * disk.f_frsize > 0 and disk.f_bavail * disk.f_frsize < _NEARLY_FULL:
        return EnvironmentProblem(
            f"The disk of {folder} is all but full.",
            hint="Free some space there, then run the same command again: it goes on from what is true.",
        )
    return None


def _bad_setting(verb: str, probe: Probe) -> EnvironmentProblem | None:
    """Ask git for its help, for which it reads the same configuration, and for values as what they must be."""
    asked: list[tuple[str, ...]] = [(verb, "-h"), ("hash-object", "--stdin")]
    asked.append(("config", "--type=int", "--get", "core.bigFileThreshold"))  # git 2.55 reads it where it needs it
    if verb in _NETWORK:
        asked += [("config", f"--type={kind}", "--get", key) for key, kind in _HTTP.items()]
    for args in asked:
        code, said = probe(*args)
        if code == _BAD_VALUE:
            return EnvironmentProblem(
                f"git cannot work with its configuration: {said}",
                hint="Mend it, then run the same again.\ngit config --list --show-origin  # names the files",
            )
    return None
