"""The benchmark of a fleet makes one, syncs it both ways, and derives a plan from what it counted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "fleet.py"


@pytest.mark.slow
def test_a_small_fleet_is_measured() -> None:
    options = ["--targets", "2", "--sample", "1", "--latency", "0"]
    done = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if line]
    assert lines[0].startswith("2 Spaces 0 ms away, one source of 21 commits; ")
    rows = {
        line[:24].strip(): re.findall(r"(\d+) ([a-zA-Z][a-zA-Z ]*)", line.partition(": ")[2]) for line in lines[2:6]
    }
    assert list(rows) == ["first sync of all", "sync, nothing new", "sync, one new commit", "status"]
    assert ("2", "push") in rows["sync, one new commit"]
    assert "push" not in [what for _, what in rows["sync, nothing new"]]
    assert lines[6] == "matrix: 2 jobs; 1 of one target each were run, one after another"
    assert lines[-1].startswith(
        "the Hub: 1.0 pushes a target and sync, of 128 an hour to a repository; one machine makes 2 API"
    )
