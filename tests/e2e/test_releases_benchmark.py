"""The benchmark of many releases makes sound ones, asks after them, and prints figures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "releases.py"


@pytest.mark.slow
def test_a_few_releases_are_measured() -> None:
    options = ["--releases", "3", "--runs", "1"]
    done = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    first, *rows = done.stdout.splitlines()
    assert first.startswith("3 releases of 4 repos")
    assert [re.sub(r" +\d+\.\d\d.*", "", row) for row in rows] == [
        "release list",
        "release list -n 0",
        "status --check",
    ]
