"""The tool in a process of its own without the wait for Python to start: a loaded process that forks for each run.

For tests that kill the tool dozens of times. The fork is a process like any other: git's parent, and nobody else's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.process import Result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

# Reads one request a line (arguments, folder, environment, file for the output) and answers with the exit code.
_PROGRAM = """\
import json, os, sys
from openllm_repos.cli import main
import openllm_repos.cli.sync, openllm_repos.git.process as process
for line in sys.stdin:
    args, cwd, environ, out, err = json.loads(line)
    child = os.fork()
    if child == 0:
        os.environ.clear()
        os.environ.update(environ)
        os.chdir(cwd)
        for number, place in ((0, os.devnull), (1, out), (2, err)):
            os.dup2(os.open(place, os.O_RDWR), number)
        process.program.cache_clear()
        code = 31
        try:
            code = main(args)
            sys.stdout.flush()
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class Zygote:
    """A loaded tool, ready to run. Use it as a context manager."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-c", _PROGRAM]
        # A fork that is killed leaves no coverage behind, so none of them is slowed down by measuring it.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def run(self, *args: str, cwd: Path, env: Mapping[str, str] | None = None) -> Result:
        """Run the tool with `env` laid over the environment of this moment.

        A run that a signal ended has the negative number of the signal as its code.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            request = json.dumps([args, str(cwd), os.environ | dict(env or {}), out.name, err.name])
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
            code = int(self._process.stdout.readline())
            return Result(code, Path(out.name).read_bytes(), Path(err.name).read_bytes())
