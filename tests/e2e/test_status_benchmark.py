"""The benchmark of `status` makes a family, asks it, and prints figures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "status.py"


@pytest.mark.slow
def test_a_small_family_is_measured() -> None:
    options = ["--repos", "3", "--targets", "1", "--latency", "1", "--runs", "1"]
    done = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    first, *rows = done.stdout.splitlines()
    assert first.startswith("3 repos over http, 1 of them targets in sync, 1.0 ms away")
    assert [re.sub(r" +\d+\.\d\d.*", "", row) for row in rows] == [
        "status --offline",
        "status",
        "status --json",
        "git ls-remote, one after another",
    ]
