"""One line on a terminal that says how far a transfer is, written again and again, and gone when it is over."""

from __future__ import annotations

import contextlib
import os
import sys
from threading import Lock

from openllm_repos.cli.invocation import Invocation
from openllm_repos.git.progress import OnProgress
from openllm_repos.text import show


def transfer_line(invocation: Invocation) -> OnProgress | None:
    """Return what shows the progress of git's transfers on standard error; None with -q and off a terminal."""
    if invocation.quiet or os.environ.get("TERM", "dumb") == "dumb" or not sys.stderr.isatty():
        return None
    return _Line().show


class _Line:
    def __init__(self) -> None:
        self._lock = Lock()  # several targets are pushed to at once
        self._shown = 0

    def show(self, text: str) -> None:
        try:
            width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        except OSError:
            width = 80
        with self._lock:
            line = show(text)[: width - 1]
            if line or self._shown:
                blank = " " * (self._shown - len(line))
                with contextlib.suppress(OSError):  # what is under way does not end because nobody can read that
                    sys.stderr.write(f"\r{line}{blank}" if line else f"\r{blank}\r")
                    sys.stderr.flush()
            self._shown = len(line)
