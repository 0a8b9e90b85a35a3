"""The git that the sandbox runs: one program, and an environment in which no person's configuration has a say."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_CONFIGURATION = """\
[init]
\tdefaultBranch = main
[core]
\thooksPath = {hooks}
\tfsync = none
\tquotePath = false
[http]
\treceivepack = true
[uploadpack]
\tallowFilter = true
\tallowAnySHA1InWant = true
[receive]
\tautogc = false
\tadvertisePushOptions = true
[transfer]
\thideRefs = refs/sandbox
[gc]
\tauto = 0
[maintenance]
\tauto = false
[safe]
\tdirectory = *
"""


class GitFailed(Exception):
    """git ended with an exit code that nobody expected: a fault of the sandbox."""


class Program:
    """Starts git.

    Args:
        executable: the git to run.
        home: a folder for its configuration; made here.
    """

    def __init__(self, executable: str, home: Path) -> None:
        self.executable = executable
        self.hooks = home / "hooks"
        self.hooks.mkdir(parents=True, exist_ok=True)
        config = home / "gitconfig"
        config.write_text(_CONFIGURATION.format(hooks=self.hooks), encoding="utf-8")
        self.environment: Mapping[str, str] = {
            "PATH": os.pathsep.join((str(Path(executable).parent), os.environ.get("PATH", os.defpath))),
            "HOME": str(home),
            "LC_ALL": "C",
            "TZ": "UTC",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(config),
            **{name: value for name, value in os.environ.items() if name in {"GIT_EXEC_PATH", "SYSTEMROOT", "TMPDIR"}},
        }

    def start(self, *args: str, extra: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start git with pipes for its input and output; its complaints go nowhere."""
        return subprocess.Popen(
            [self.executable, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**self.environment, **extra},
        )

    def ask(
        self, folder: Path, *args: str, data: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Run git on a repository and return its exit code and its output."""
        done = subprocess.run(
            [self.executable, f"--git-dir={folder}", *args],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**self.environment, **(extra or {})},
            check=False,
        )
        return done.returncode, done.stdout

    def run(self, folder: Path, *args: str, data: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        """Run git on a repository and return its output.

        Raises:
            GitFailed: it did not work.
        """
        code, out = self.ask(folder, *args, data=data, extra=extra)
        if code:
            raise GitFailed(f"git {args[0]} in {folder}: exit code {code}")
        return out
