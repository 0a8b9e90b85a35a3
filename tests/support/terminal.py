"""The tool on a terminal, as a person has it: colours, one line that is written again and again, no pipes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.process import Result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def run_on_terminal(*args: str, cwd: Path, env: Mapping[str, str] | None = None, typed: bytes = b"") -> Result:
    """Run the tool with a terminal for all three streams, on which somebody has typed; what both showed is `out`.

    The sealed environment says NO_COLOR and a dumb terminal; lay `env` over it for others. An empty value removes one.
    """
    laid = {**os.environ, **dict(env or {})}
    environment = {name: value for name, value in laid.items() if value or name not in dict(env or {})}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "openllm_repos", *args]
    shown = b""
    with subprocess.Popen(command, cwd=cwd, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, typed)
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # how Linux says that the other side of a terminal is closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return Result(process.returncode, shown.replace(b"\r\n", b"\n"), b"")
