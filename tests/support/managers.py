"""Real hook managers in a clone: pre-commit, prek, lefthook and husky, each with a hook that leaves a trace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.needs import need_program
from tests.support.process import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.gated import Gated

ROOT = Path(__file__).parents[2]
TRACE = "../hook-ran"
_TOOLS = Path(sys.executable).parent
_PRE_COMMIT = """\
default_install_hook_types: [pre-push]
repos:
- repo: local
  hooks:
  - {id: trace, name: trace, entry: sh -c 'echo ran >> ../hook-ran', language: system, stages: [pre-push],
     always_run: true, pass_filenames: false}
"""
_LEFTHOOK = """\
pre-push:
  scripts:
    "trace.sh": {runner: sh}
"""


def path_with_tools() -> dict[str, str]:
    """Return the PATH of a shell in which the tool and the hook managers are installed."""
    return {"PATH": f"{_TOOLS}{os.pathsep}{os.environ['PATH']}"}


def traces(gated: Gated) -> int:
    """Return how often the hook of a manager ran."""
    trace = gated.path / TRACE
    return len(trace.read_text().splitlines()) if trace.exists() else 0


def run(gated: Gated, *command: str | Path, env: Mapping[str, str] | None = None, ok: tuple[int, ...] = (0,)) -> Result:
    """Run a program in the clone, with the tools on the PATH."""
    done = subprocess.run(
        command,
        cwd=gated.path,
        env=os.environ | path_with_tools() | dict(env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in ok, (command, done.stdout, done.stderr)
    return Result(done.returncode, done.stdout, done.stderr)


def pre_commit(gated: Gated, *args: str, program: str = "pre-commit") -> Result:
    """Run pre-commit (or prek, which reads the same file)."""
    need_program(program)
    (gated.path / ".pre-commit-config.yaml").write_text(_PRE_COMMIT)
    return run(gated, program, *args)


def lefthook(gated: Gated, *args: str) -> Result:
    """Run lefthook; its configuration is written where there is none."""
    need_program("lefthook")
    if not (gated.path / "lefthook.yml").exists():
        (gated.path / "lefthook.yml").write_text(_LEFTHOOK)
        script = gated.path / ".lefthook/pre-push/trace.sh"
        script.parent.mkdir(parents=True)
        script.write_text(f"echo ran >> {TRACE}\n")
    return run(gated, "lefthook", *args)


def husky(gated: Gated, module: Path) -> None:
    """Install husky, as `npm install` of a package with `"prepare": "husky"` does."""
    node = shutil.which("node")
    assert node is not None
    (gated.path / "package.json").write_text(json.dumps({"scripts": {"prepare": "husky"}}))
    run(gated, node, module / "bin.js")
