"""A push that sh decides alone costs milliseconds: no Python is started, and the figure is printed."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.gated import Gated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.inprocess import RunCli

RUNS = 100
QUICK = 0.010  # seconds; the promise, on a quiet machine
NOISE = 5  # what else a machine does may make the median so many times longer


def _seconds(command: Sequence[str], data: bytes, cwd: Path) -> list[float]:
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run(command, input=data, cwd=cwd, stderr=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - begin)
    return times


def test_a_push_without_release_tags_to_no_target_is_let_through_in_milliseconds(
    tmp_path: Path, run_cli: RunCli, capsys: pytest.CaptureFixture[str]
) -> None:
    gated = Gated.make(tmp_path / "gated", run_cli)
    gated.without_python()
    tip, zero = gated.family.clone.tip(), "0" * 40
    pushes = {
        "a branch": f"refs/heads/topic {tip} refs/heads/topic {zero}\n",
        "a tag that is no release": f"refs/tags/topic {tip} refs/tags/topic {zero}\n",
        "the source's branch": f"refs/heads/main {tip} refs/heads/main {tip}\n",
    }
    for what, line in pushes.items():
        hook = [str(gated.hooks / "pre-push"), "origin", gated.family.origin.url]
        times = _seconds(hook, line.encode(), gated.path)
        median, quickest = statistics.median(times), min(times)
        with capsys.disabled():
            figures = f"median {median * 1000:.1f} ms, quickest {quickest * 1000:.1f} ms"
            sys.stdout.write(f"\npre-push, {what}: {figures} ({RUNS} runs)\n")
        assert quickest <= QUICK
        assert median <= NOISE * QUICK
