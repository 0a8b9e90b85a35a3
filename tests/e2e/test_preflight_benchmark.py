"""The benchmark of the check before a push makes a history, inspects it, and prints figures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "preflight.py"


@pytest.mark.slow
def test_a_short_history_is_measured() -> None:
    options = ["--commits", "20", "--runs", "1"]
    done = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    all_of_it, newest, peak = done.stdout.splitlines()
    assert re.match(r"all of it: 20 commits, 219 files: \d+\.\d\d s, 0 findings; load ", all_of_it)
    assert re.match(r"its newest commit: 1 commits, 1 files: \d+\.\d\d s, 0 findings; load ", newest)
    assert re.match(r"peak: \d+ MiB, and \d+ MiB for the largest git", peak)
