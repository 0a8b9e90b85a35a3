"""Starting programs from a test: git itself, and the tool."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


def _find_git() -> str:
    found = shutil.which("git")
    if found is None:
        message = "the tests need git on the PATH"
        raise RuntimeError(message)
    return found


# Found once, so that a test's own git calls go round a GitShim on the PATH.
REAL_GIT = _find_git()


@dataclass(frozen=True, slots=True)
class Result:
    """What a program left behind: exit code, standard output and standard error (bytes)."""

    code: int
    out_bytes: bytes
    err_bytes: bytes

    @property
    def out(self) -> str:
        """Standard output as text; bytes that are not UTF-8 become surrogates."""
        return self.out_bytes.decode("utf-8", "surrogateescape")

    @property
    def err(self) -> str:
        """Standard error as text; bytes that are not UTF-8 become surrogates."""
        return self.err_bytes.decode("utf-8", "surrogateescape")

    def json(self) -> Any:
        """Standard output read as JSON."""
        return json.loads(self.out_bytes)


class RunTool(Protocol):
    """`run_tool("status", cwd=folder)`: `python -m openllm_repos`, in a process of its own."""

    def __call__(
        self,
        *args: str | Path,
        cwd: Path | None = None,
        data: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Result: ...


class GitFailed(AssertionError):
    """A git call that the test expected to work did not."""


def run_git(
    *args: str | bytes | Path,
    cwd: Path | str,
    data: bytes | None = None,
    env: Mapping[str, str] | None = None,
    ok: Collection[int] = (0,),
    timeout: float = 120,
) -> Result:
    """Run the real git in `cwd` with `data` on standard input and `env` laid over the sealed environment.

    Raises:
        GitFailed: the exit code is not in `ok`.
    """
    done = subprocess.run(
        [REAL_GIT, *args],
        cwd=cwd,
        input=b"" if data is None else data,
        env=os.environ | dict(env or {}),
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode not in ok:
        shown = " ".join(os.fsdecode(arg) for arg in args)
        message = f"git {shown} in {cwd}: exit {done.returncode}\n{os.fsdecode(done.stderr)}{os.fsdecode(done.stdout)}"
        raise GitFailed(message)
    return Result(done.returncode, done.stdout, done.stderr)


def run_tool(
    *args: str | Path,
    cwd: Path,
    data: bytes = b"",
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> Result:
    """Run `python -m openllm_repos` in a process of its own, with `env` laid over the sealed environment.

    Returns the exit code and both streams; a process that a signal ended has the negative signal number as its code.

    Raises:
        subprocess.TimeoutExpired: it did not end within `timeout` seconds.
    """
    done = subprocess.run(
        [sys.executable, "-m", "openllm_repos", *args],
        cwd=cwd,
        input=data,
        env=os.environ | dict(env or {}),
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)
