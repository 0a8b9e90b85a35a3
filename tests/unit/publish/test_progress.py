"""One line of progress: on a terminal, now and then, and gone when the work is done."""

from __future__ import annotations

import io
import sys

import pytest

from openllm_repos.cli import publish_text
from openllm_repos.cli.publish_text import Progress


class Terminal(io.StringIO):
    """Standard error, as a terminal."""

    def isatty(self) -> bool:
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return what stands in for standard error; not from a fixture: pytest changes it once more before the test."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setattr(publish_text, "_EVERY", 0)
    monkeypatch.setenv("TERM", "xterm")
    return made


def test_it_counts_what_is_read_and_then_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_a_terminal(monkeypatch)
    progress = Progress(shown=True)
    with progress.of("reading"):
        progress.read(3 << 20)
    with progress.of("small: sending", 4 << 20):
        progress.sent(1 << 20)
        progress.read(1 << 20)  # a file that is read again while others are sent
        progress.tell("a line")
        progress.sent(1 << 20)
    lines = [part.removeprefix("\x1b[K") for part in screen.getvalue().split("\r")]
    assert lines == [
        "",
        "reading 3.0 MiB",
        "",
        "small: sending 1.0 MiB of 4.0 MiB (25 %)",
        "a line\n",
        "small: sending 2.0 MiB of 4.0 MiB (50 %)",
        "",
    ]


def test_quiet_is_quiet_and_a_pipe_gets_lines_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_a_terminal(monkeypatch)
    quiet = Progress(shown=False)
    with quiet.of("reading"):
        quiet.read(1)
        quiet.tell("a line")
    assert screen.getvalue() == ""
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    piped = Progress(shown=True)
    with piped.of("reading"):
        piped.read(1)
        piped.tell("a line")
    assert pipe.getvalue() == "a line\n"


def test_the_log_of_a_job_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    monkeypatch.setattr(publish_text, "_EVERY_IN_LOG", 0)
    progress = Progress(shown=True)
    with progress.of("small: sending", 4 << 20):
        progress.sent(1 << 20)
    assert log.getvalue() == "small: sending 1.0 MiB of 4.0 MiB (25 %)\n"
