"""One line of what `doctor` says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: an error stops something that this manifest asks for, a warning may one day."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at, in one word; the same in every run.
        level: how it is.
        message: what was found, in a few words. Foreign text in it is not escaped yet.
        next: the command that mends it, or an empty string.
        repo: the repo of the manifest that it is about, or an empty string.
    """

    name: str
    level: Level
    message: str
    next: str = ""
    repo: str = ""


def ok(name: str, message: str, *, repo: str = "") -> Check:
    """Return a check that found all as it should be."""
    return Check(name, Level.OK, message, repo=repo)


def warning(name: str, message: str, following: str = "", *, repo: str = "") -> Check:
    """Return a check that found something which may one day be in the way."""
    return Check(name, Level.WARNING, message, following, repo)


def error(name: str, message: str, following: str = "", *, repo: str = "") -> Check:
    """Return a check that found something which is in the way."""
    return Check(name, Level.ERROR, message, following, repo)
