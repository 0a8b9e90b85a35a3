"""How long a git may stand still before it counts as hung.

A long walk is fine as long as it moves: bytes reach us, or processor time and read or written bytes grow in the
processes of its session. Time is counted in ticks that were waited through, so a machine that slept, or a tool that
was suspended with Ctrl-Z, is no hung git.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.interrupts import check

TICK = 1.0  # seconds
STALLED_AFTER = 300.0  # seconds; as long as http.lowSpeedTime, see environment.CONFIGURATION
_BLIND_FACTOR = 6  # without /proc (macOS) only bytes are seen, and git may compute for long without a word
_LOOK_EVERY = 15  # ticks


class DeadlineExceeded(EnvironmentProblem):
    """git did not finish in the time it was given, and was stopped; what it did is not known.

    Args:
        message: what happened.
        after: how many seconds were waited.
    """

    def __init__(self, message: str, after: float, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.after = after


@dataclass(frozen=True, slots=True)
class Monitor:
    """How a caller watches a git of its own.

    Attributes:
        files: the numbers of open files that git inherits, to write down what it does.
        look: called every second in which it says nothing; what it raises stops git.
    """

    files: tuple[int, ...] = ()
    look: Callable[[], None] = lambda: None


UNMONITORED = Monitor()


class Watch:
    """Watches one git while it is waited for.

    Args:
        verb: the subcommand, for messages.
        session: its process id, and that of the session of all it starts.
        deadline: seconds until it is given up whatever it does; None for as long as it moves.
        patient: whether it may stand still until the deadline: a person's hook may wait for anything.
        look: called at each tick; what it raises ends the wait.
    """

    def __init__(
        self,
        verb: str,
        session: int,
        *,
        deadline: float | None,
        patient: bool = False,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._look_too = look
        self._verb = verb
        self._session = session
        self._deadline = deadline
        self._patient = patient and deadline is not None
        self._ends = None if deadline is None else time.monotonic() + deadline
        self._idle = 0
        self._activity: object = None

    def patience(self) -> float:
        """Return for how many seconds to wait before the next :meth:`tick`."""
        return TICK if self._ends is None else max(0.0, min(TICK, self._ends - time.monotonic()))

    def moved(self) -> None:
        """Count from anew: bytes came or went."""
        self._idle = 0

    def tick(self) -> None:
        """Count a tick in which no byte moved.

        Raises:
            DeadlineExceeded: it took too long, or stood still for too long.
            Interrupted: the run is to end.
        """
        check()
        self._look_too()
        if self._ends is not None and self._deadline is not None and time.monotonic() >= self._ends:
            raise DeadlineExceeded(
                f"git {self._verb} gave no answer within {self._deadline:g} seconds.", self._deadline
            )
        self._idle += 1
        if self._idle % _LOOK_EVERY == 0 or self._idle * TICK >= STALLED_AFTER:
            self._look()

    def _look(self) -> None:
        activity = _activity(self._session)
        if activity and activity != self._activity:
            self._activity = activity
            self._idle = 0
            return
        limit = STALLED_AFTER if activity else STALLED_AFTER * _BLIND_FACTOR
        if not self._patient and self._idle * TICK >= limit:
            raise DeadlineExceeded(
                f"git {self._verb} stood still for {limit:g} seconds and was stopped.",
                limit,
                hint="Check the disk that this clone is on, and the network; then run the same command again.",
            )


def _activity(session: int) -> dict[str, tuple[bytes, ...]]:
    """Return what each process of a session has used and read and written so far; empty where this cannot be seen."""
    seen: dict[str, tuple[bytes, ...]] = {}
    with contextlib.suppress(OSError):
        for place in Path("/proc").iterdir():
            if not place.name.isdigit():
                continue
            with contextlib.suppress(OSError, ValueError):  # it has just ended
                fields = (place / "stat").read_bytes().rpartition(b")")[2].split()
                if int(fields[3]) == session:
                    seen[place.name] = (*fields[11:15], _transferred(place))
    return seen


def _transferred(process: Path) -> bytes:
    try:
        return b" ".join((process / "io").read_bytes().split()[1:4:2])
    except OSError:  # not everywhere, and not of a process with other rights
        return b""
