"""Ctrl-C while hosts are waited for, in whichever thread."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from openllm_repos import retry


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end the waits of all threads: Python raises it in the main one, which then waits for the others."""
    retry.rearm()
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield  # somebody else's business: ignored by who started us, or a program that runs us inside itself
        return
    signal.signal(signal.SIGINT, _end_waits)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end_waits(number: int, frame: FrameType | None) -> None:
    retry.interrupt()
    signal.default_int_handler(number, frame)
