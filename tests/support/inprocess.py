"""The command line in the test's own process: quick, and seen by the coverage and the debugger."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import TYPE_CHECKING, Protocol
from unittest import mock

from tests.support.next_steps import require_pasteable
from tests.support.process import Result

if TYPE_CHECKING:
    from pathlib import Path


class RunCli(Protocol):
    """`run_cli("status", "--json", cwd=folder)`: the command line, in this process."""

    def __call__(self, *args: str | Path, cwd: Path | None = None, data: bytes = b"") -> Result: ...


def run_in_process(*args: str | Path, cwd: Path, data: bytes = b"") -> Result:
    """Call `openllm_repos.cli.main` with `args`, standing in `cwd`, with `data` on standard input.

    Neither stream is a terminal. An exception that gets out of `main` fails the test: `main` answers with exit codes.
    """
    from openllm_repos.cli import main

    out, err = io.BytesIO(), io.BytesIO()
    out_text, err_text = _stream(out), _stream(err)
    stdin = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out_text),
        contextlib.redirect_stderr(err_text),
        mock.patch.object(sys, "stdin", stdin),
    ):
        code = main([str(arg) for arg in args])
        out_text.flush()
        err_text.flush()
    result = Result(code, out.getvalue(), err.getvalue())
    require_pasteable(result)
    return result


def _stream(below: io.BytesIO) -> io.TextIOWrapper:
    return io.TextIOWrapper(below, encoding="utf-8", errors="surrogateescape", write_through=True)
