"""The tool on a terminal, as a person has it: colours, one line that is written again and again, no pipes."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.process import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_END = b"\x04"  # Ctrl-D
_LONGEST = 120.0  # seconds without a word until a test has failed


def run_on_terminal(
    *args: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    typed: bytes = b"",
    at: bytes = b"",
    piped: bool = False,
    dialogue: Sequence[tuple[str, str]] = (),
) -> Result:
    """Run the tool on a terminal, on which somebody types; what the terminal showed is `err`, and `out` unless piped.

    The sealed environment says NO_COLOR and a dumb terminal; lay `env` over it for others. An empty value removes one.

    Args:
        args: the command line.
        cwd: where it runs.
        env: laid over the environment.
        typed: what is typed.
        at: the text that it is typed at; at once by default.
        piped: standard output is a pipe, as in `openllm-repos sync | tee log`; then what it got is `out`.
        dialogue: what is typed at which text, one after the other. After the last the input ends, so that a question
            too many is not waited at.
    """
    lines = [(text.encode(), answer.encode()) for text, answer in dialogue]
    steps = [*lines[:-1], *((text, answer + _END) for text, answer in lines[-1:])] if lines else [(at, typed)]
    seen = 0
    laid = {**os.environ, **dict(env or {})}
    environment = {name: value for name, value in laid.items() if value or name not in dict(env or {})}
    ours, theirs = pty.openpty()
    # A session's first process that opens a terminal is the one that its keys reach, Ctrl-C too.
    shell = ["sh", "-c", 'exec "$@" <"$0"', os.ttyname(theirs), sys.executable, "-m", "openllm_repos", *args]
    shown = b""
    out = subprocess.PIPE if piped else theirs
    with subprocess.Popen(
        shell, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        while True:
            while steps and (found := shown.find(steps[0][0], seen)) >= 0:
                seen = found + len(steps[0][0])
                os.write(ours, steps.pop(0)[1])
            if not select.select([ours], [], [], _LONGEST)[0]:
                os.killpg(process.pid, signal.SIGKILL)
                pytest.fail(f"waited in vain for {steps[:1]} after:\n{shown.decode(errors='replace')}")
            try:
                part = os.read(ours, 4096)
            except OSError:  # how Linux says that the other side of a terminal is closed
                break
            if not part:
                break
            shown += part
        through = process.stdout.read() if process.stdout is not None else b""
    os.close(ours)
    shown = shown.replace(b"\r\n", b"\n")
    return Result(process.returncode, through if piped else shown, shown)
