"""The signals that end a run: Ctrl-C, SIGTERM, SIGHUP and SIGQUIT alike.

What a run started ends with it, what it made for itself is removed, and its exit code is 128 and the signal's number.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")


class Interrupted(KeyboardInterrupt):
    """A signal asked this run to end."""


class _State:
    received: signal.Signals | None = None
    deferred = 0  # of the main thread; no other one runs handlers


_stops: list[Callable[[], None]] = []


def on_interrupt(stop: Callable[[], None]) -> None:
    """Have a function called when a signal ends the run: what other threads wait for must end, too."""
    _stops.append(stop)


def received() -> signal.Signals | None:
    """Return the signal that ends this run, None as long as there was none."""
    return _State.received


def check() -> None:
    """Begin nothing new once the run is to end.

    Raises:
        Interrupted: a signal was received.
    """
    if _State.received is not None:
        raise Interrupted


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Do a few quick things as one: a signal in between ends the run after them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = _State.received
    _State.deferred += 1
    try:
        yield
    finally:
        _State.deferred -= 1
    if _State.received is not before:
        check()


@contextlib.contextmanager
def handled() -> Iterator[None]:
    """Let the signals raise :class:`Interrupted` in the main thread; what was set before is back afterwards.

    A signal that is ignored stays so: ``nohup`` means it.
    """
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.Signals[name] for name in _ENDING if name in signal.Signals.__members__):
            set_to = signal.getsignal(number)
            if set_to in {signal.SIG_DFL, signal.default_int_handler}:
                before[number] = set_to
                signal.signal(number, _handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _State.received = None


def _handle(number: int, _: FrameType | None) -> None:
    """End the run. Only Ctrl-C, said again, ends the tidying as well: supervisors send several signals at once."""
    first = _State.received is None
    if first:
        _State.received = signal.Signals(number)
        for stop in _stops:
            stop()
    if (first or number == signal.SIGINT) and not _State.deferred:
        raise Interrupted
