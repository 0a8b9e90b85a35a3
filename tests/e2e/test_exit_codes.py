"""The exit code says what came of a command, whatever becomes of its output."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.family import Family

TOOL = [sys.executable, "-m", "openllm_repos"]
FULL = "/dev/full"

pytestmark = pytest.mark.skipif(not os.path.exists(FULL), reason="this system has no /dev/full")


def run(family: Family, *args: str, full: str, actions: bool = False) -> subprocess.CompletedProcess[bytes]:
    """Run the tool with a full disk behind standard output, standard error, or both."""
    with open(FULL, "wb") as nowhere:
        streams = {name: nowhere if name in full else subprocess.PIPE for name in ("stdout", "stderr")}
        env = os.environ | ({"GITHUB_ACTIONS": "true"} if actions else {})
        return subprocess.run(
            [*TOOL, *args],
            cwd=family.clone.path,
            stdin=subprocess.DEVNULL,
            stdout=streams["stdout"],
            stderr=streams["stderr"],
            env=env,
            check=False,
        )


@pytest.mark.parametrize("actions", [False, True])
@pytest.mark.parametrize(
    "args", [("--version",), ("--help",), ("targets",), ("status", "--check"), ("diff",)], ids=" ".join
)
def test_what_could_not_be_printed_is_neither_done_nor_differs(
    family: Family, args: tuple[str, ...], actions: bool
) -> None:
    done = run(family, *args, full="stdout", actions=actions)
    assert done.returncode == 30, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    if args != ("--version",):
        assert b"No space left on device" in done.stderr


@pytest.mark.parametrize("full", ["stderr", "stdout stderr"])
@pytest.mark.parametrize(
    ("args", "code"), [(("nonsense",), 2), (("rollback", "space", "--to", "v9"), 2), (("release", "list", "x"), 2)]
)
def test_a_failure_that_nobody_can_read_keeps_its_code(
    family: Family, args: tuple[str, ...], code: int, full: str
) -> None:
    assert run(family, *args, full=full).returncode == code


@pytest.mark.slow
def test_a_push_goes_on_where_its_progress_cannot_be_written(family: Family) -> None:
    done = run(family, "sync", "--yes", full="stderr")
    assert (done.returncode, bool(family.space.tips())) == (30, True)
    assert b"space: synced" in done.stdout


@pytest.mark.slow
def test_a_plan_that_cannot_be_shown_is_not_carried_out(family: Family) -> None:
    assert run(family, "-v", "sync", "--yes", full="stdout").returncode == 30
    assert family.space.tips() == {}
