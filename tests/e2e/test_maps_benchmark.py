"""The benchmark of patterns and many maps prints a row and a goal for each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repositories import Clone

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "maps.py"


def _benchmark(clone: Clone, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(clone.path), "--runs", "1", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.slow
def test_patterns_and_many_maps_are_measured_beside_git(clone: Clone) -> None:
    clone.commit("c0", {"core/a.py": "1\n", "core/b.txt": "2\n", "docs/c.md": "3\n"})
    done = _benchmark(clone, "--pattern", "core/**/*.py", "--maps", "2", "--maps", "3")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split("  ")[0] for line in done.stdout.splitlines()]
    assert rows[5:10] == ["git log --full-history core", "core/", "core/**/*.py", "2 maps", "3 maps"]
    assert rows[12:15] == ["core/**/*.py / git log, CPU", "2 maps / git log, CPU", "3 maps / git log, CPU"]


def test_more_maps_than_there_are_kinds_of_files_cannot_be_measured(clone: Clone) -> None:
    clone.commit("c0", {"core/a.py": "1\n", ".github/b.yml": "2\n"})
    done = _benchmark(clone, "--maps", "2")
    assert (done.returncode, done.stderr) == (2, "error: HEAD has only 1 pairs of a folder and an extension.\n")
