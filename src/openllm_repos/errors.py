"""What can go wrong, said to people: one sentence, where, and what to do next.

Every failure that we expect is a :class:`ReposError`. Its class says whose move it is and therefore the exit code;
the command line prints it without a traceback. Any other exception is a bug of ours (exit code 31).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from openllm_repos.text import redact, show


@dataclass(frozen=True, slots=True)
class Passing:
    """Why a failure may pass by itself (:mod:`openllm_repos.retry` waits for that).

    Attributes:
        what: in a few words: ``HTTP 503``, ``the connection broke off``.
        after: seconds that the host asks to wait, None where it does not say.
        tries: how often it is worth another try, None for as often as the policy has it.
    """

    what: str
    after: float | None = None
    tries: int | None = None


class ReposError(Exception):
    """An expected failure.

    Args:
        message: one sentence: what happened and where. Foreign text in it is escaped here, and loses its secrets.
        hint: what to do next, or an empty string where nothing sensible can be advised.

    Attributes:
        passing: why it may pass by itself; None where it will not.
    """

    exit_code: ClassVar[int] = 30

    def __init__(self, message: str, *, hint: str = "", passing: Passing | None = None) -> None:
        self.message = show(redact(message))
        self.hint = show(redact(hint))
        self.passing = passing
        super().__init__(self.message)


class UsageError(ReposError):
    """The command line asks for something that does not exist or makes no sense."""

    exit_code = 2


class NameRefused(UsageError, ValueError):
    """A value from a manifest, a remote or a user is not of its form; nothing was started with it."""


class ManifestError(ReposError):
    """The manifest is missing, cannot be read, or is unsound.

    Args:
        message: a headline.
        faults: every fault found, in the order of the file.
        line_of: finds the line of the fault with that number (of a file that is no TOML, of number 0), counted from 1;
            None where it has none. It reads the file again, so it is asked only where somebody wants to know.

    Attributes:
        path: the file, None where it was no file.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        faults: tuple[str, ...] = (),
        hint: str = "",
        line_of: Callable[[int], int | None] = lambda _: None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.faults = tuple(show(fault) for fault in faults)
        self.line_of = line_of
        self.path: Path | None = None


class ConflictError(ReposError):
    """Two sides disagree, or a check before a push failed; nothing was changed."""

    exit_code = 3


class RemoteRefused(ReposError):
    """A remote said no."""

    exit_code = 3


class EnvironmentProblem(ReposError):
    """Network, disk, lock, permissions, a missing or failing git: the surroundings, not the content."""

    exit_code = 30
