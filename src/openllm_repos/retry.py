"""The one retry policy: which answers of a host may pass by themselves, and how long they are waited for.

git's network calls, LFS, the Hub and GitHub all use it. Whoever calls it has proven that nothing landed: a question may
always be asked again, a push only after the remote has said that the old value is still there.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TypeVar, cast

from openllm_repos.errors import Passing, ReposError
from openllm_repos.interrupts import check

PATIENCE = 120.0  # seconds for which a failing host is asked again, if nobody says otherwise
MOST_PATIENCE = 86_400.0  # that anybody may say
_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
_LIMITED = frozenset({403, 429})  # GitHub says 403 where its rate limit is used up
_FIRST = 0.5  # seconds before the second try; each further pause is twice as long
_LONGEST = 30.0
_SLICE = 0.1
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)
_RATE_LIMIT = re.compile(r";\s*r\s*=\s*0\s*;\s*t\s*=\s*([0-9]{1,9})\b", re.ASCII)  # "api";r=0;t=55
_T = TypeVar("_T")


def pause(seconds: float) -> None:
    """Sleep, in whichever thread.

    Raises:
        Interrupted: the run is to end.
    """
    end = time.monotonic() + seconds
    check()
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(_SLICE, left))
        check()


class TimeIsUp(Exception):
    """Work did not end in the time that it had."""


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """Return what `work` returns, or raise what it raises, within a time.

    It runs in a thread of its own, which is left behind when the time is up: no library that waits (for a name to be
    looked up, for headers that come byte by byte) can hold us, and no such thread keeps the program from ending.

    Raises:
        TimeIsUp: it took longer.
        Interrupted: the run is to end.
    """
    outcome: SimpleQueue[tuple[_T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put((work(), None))
        except BaseException as why:  # noqa: BLE001 - raised where it is waited for
            outcome.put((None, why))

    threading.Thread(target=run, daemon=True).start()
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            result, why = outcome.get(timeout=min(_SLICE, left))
        except Empty:
            check()
            continue
        if why is not None:
            raise why
        return cast("_T", result)
    raise TimeIsUp


def passing_status(status: int, headers: Mapping[str, str], *, now: float | None = None) -> Passing | None:
    """Say whether an HTTP answer may pass by itself, and how long its host asks to wait.

    Args:
        status: of the answer.
        headers: of the answer, by lower-case name.
        now: seconds since the epoch, for limits that name a time of day (default: this machine's clock).
    """
    after = _asked_to_wait(headers, time.time() if now is None else now)
    if status in _STATUSES or (status in _LIMITED and after is not None):
        return Passing(f"HTTP {status}", after)
    return None


def _asked_to_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Return how many seconds a host asks to wait: ``Retry-After``, the Hub's ``RateLimit``, GitHub's own headers."""
    if found := _RATE_LIMIT.search(headers.get("ratelimit", "")):
        return float(found[1])
    after = headers.get("retry-after", "").strip()
    if _DIGITS.fullmatch(after):
        return float(after)
    if after:
        from email.utils import parsedate_to_datetime

        try:
            return max(0.0, parsedate_to_datetime(after).timestamp() - now)
        except (ValueError, OverflowError):
            return None
    reset = headers.get("x-ratelimit-reset", "").strip()
    if headers.get("x-ratelimit-remaining", "").strip() == "0" and re.fullmatch(r"[0-9]{1,11}", reset, re.ASCII):
        return max(0.0, float(reset) - now)
    return None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient a run is.

    Attributes:
        patience: seconds for which a failing host is asked again, counted from its first failure; 0 never does.
        notify: gets a line for people before each wait.
    """

    patience: float = 0.0
    notify: Callable[[str], object] = lambda _: None

    def run(self, host: str, work: Callable[[], _T]) -> _T:
        """Do `work` until it succeeds, fails for good, or the patience has ended.

        Args:
            host: whom it asks, for people.
            work: may be done again; it raises an error with `passing` where that makes sense.

        Raises:
            ReposError: its last failure.
        """
        tries = Tries(self, host)
        while True:
            try:
                return work()
            except ReposError as why:
                if why.passing is None or not tries.wait(why.passing):
                    raise


NEVER = RetryPolicy()
"""Asks nobody twice."""


@dataclass(slots=True)
class Tries:
    """The tries of one piece of work: how many there were, and since when it fails."""

    policy: RetryPolicy
    host: str
    _failures: int = 0
    _since: float = field(default_factory=time.monotonic)

    def wait(self, passing: Passing) -> bool:
        """Wait before another try; False where there shall be none."""
        if not self._failures:
            self._since = time.monotonic()
        self._failures += 1
        step = min(_LONGEST, _FIRST * 2 ** (self._failures - 1))
        seconds = step if passing.after is None else max(passing.after, step)
        left = self.policy.patience - (time.monotonic() - self._since)
        if seconds > left or (passing.tries is not None and self._failures > passing.tries):
            return False
        from random import uniform

        seconds = min(left, seconds + uniform(0, min(1.0, seconds / 4)))  # noqa: S311 - spreads those that were cut off
        asked = f"{self.host} asked for it ({passing.what})" if passing.after else f"{self.host}: {passing.what}"
        self.policy.notify(f"waiting {max(1, round(seconds))} s: {asked}")
        pause(seconds)
        return True


def next_step(host: str, passing: Passing, *, waited: float | None = None) -> str:
    """Return what a person can do about a failure that may pass, after the patience for it has ended.

    Args:
        host: who failed, for people.
        passing: why.
        waited: the patience, where the host asks to wait for longer and does not say for how long.
    """
    if waited is not None:
        asked, then, enough = f" longer than {waited:.0f} s" if waited else "", "later", max(PATIENCE, 2 * waited)
    elif passing.after is not None and passing.after >= 1:
        asked, then, enough = f" {passing.after:.0f} s", "after that", passing.after + 60
    else:
        return "It may pass: check the network, and run the same command again in a minute."
    wait = f", or let it wait: --patience {enough:.0f}" if enough <= MOST_PATIENCE else "."
    return f"{host} asks to wait{asked}. Run the same command again {then}{wait}"
