"""The benchmark that tells the story: every way is really run, and the table says what the Space holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "story.py"


@pytest.mark.slow
@pytest.mark.usefixtures("git_subtree")
def test_only_our_way_keeps_both_sides_work() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--markdown"], capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()]
    table = {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}
    assert table["hf upload --delete"]["its own files kept"] == "0 of 3"
    assert {way: row["its edit of a mapped file"] for way, row in table.items()} == {
        "plain push": "never arrived",
        "force push": "never arrived",
        "hf upload --delete": "lost",
        "git subtree push": "never arrived",
        "git subtree, forced": "lost",
        "openllm-repos sync": "kept",
    }
    assert table["git subtree, forced"]["commits lost"] != "0"
    assert {way for way, row in table.items() if row["three syncs"] == "done"} == {
        "hf upload --delete",
        "git subtree, forced",
        "openllm-repos sync",
    }
