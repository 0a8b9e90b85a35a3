"""The benchmark of the search for secrets makes contents, searches them, and prints figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "search.py"


@pytest.mark.slow
def test_every_kind_of_content_is_measured() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--size", "1", "--runs", "1"], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    _, _, *rows = done.stdout.splitlines()
    assert [row[:24].strip() for row in rows] == [
        "code",
        "numbers",
        "rows with a hash each",
        "Base64",
        "Base64 of URLs",
        "weights",
    ]
    assert all(len(row[24:].split()) == 3 for row in rows)
