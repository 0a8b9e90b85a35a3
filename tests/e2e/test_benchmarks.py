"""The benchmark runs on any clone, leaves it as it was, and compares commit ids."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.fingerprint import fingerprint
from tests.support.process import Result
from tests.support.repositories import Clone
from tests.support.sealed import SealedHome

SCRIPT = Path(__file__).parent.parent.parent / "benchmarks" / "split.py"


def _benchmark(*args: str | Path, programs: Path | None = None) -> Result:
    path = os.environ["PATH"] if programs is None else f"{programs}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, SCRIPT, *args, "--runs", "1", "--markdown"]
    done = subprocess.run(command, env=os.environ | {"PATH": path}, capture_output=True, timeout=120, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def _row(done: Result, name: str) -> list[str]:
    [line] = [line for line in done.out.splitlines() if line.startswith(f"| {name} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture
def lived_in(clone: Clone) -> Clone:
    """Return a clone of 14 commits with a merge, half of them in `core/src`."""
    for number in range(12):
        clone.commit(f"commit {number}", {f"{'core/src' if number % 2 else 'docs'}/{number}.txt": f"{number}\n"})
    clone.switch("topic", at="HEAD~3")
    clone.commit("topic", {"core/src/topic.txt": "topic\n"})
    clone.switch("main")
    clone.merge("topic")
    return clone


@pytest.mark.slow
def test_a_split_is_measured_beside_git_and_other_programs(
    lived_in: Clone, home: SealedHome, git_subtree: None
) -> None:
    """The fullest folder is taken where none is named; git subtree must give our id, the others may fail or differ."""
    del git_subtree
    programs = home.folder / "programs"
    programs.mkdir()
    for name, script in (("splitsh-lite", f"echo {'0' * 40}"), ("git-filter-repo", "echo 'cannot split' >&2; exit 1")):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    before = fingerprint(lived_in.path)
    done = _benchmark(lived_in.path, programs=programs)
    assert (done.code, done.err) == (0, "")
    assert fingerprint(lived_in.path) == before
    assert f"## core/ of clone, 14 commits, {lived_in.tip()}" in done.out
    rows = ("split, cold", "split, warm, nothing new", "split, warm, 11 new commits", "git subtree split")
    assert [_row(done, name)[-1] for name in rows] == ["ours"] * 4
    assert _row(done, "splitsh-lite")[-1] == "another"
    assert _row(done, "git-filter-repo")[-1] == "failed: cannot split"
    assert _row(done, "git log --full-history (floor)")[-2] == "1.00"
    head = lived_in.git("subtree", "split", "-q", "-P", "core")
    assert f"Our commit id: {head};" in done.out


@pytest.mark.slow
def test_a_program_that_takes_too_long_is_stopped_with_all_that_it_started(tmp_path: Path) -> None:
    marker = tmp_path / "came to its end"
    options = ["0.3", str(tmp_path / "out"), str(tmp_path / "err")]
    program = ["sh", "-c", f"(sleep 4; touch '{marker}'); true"]
    command = [sys.executable, "-I", "-S", str(SCRIPT.with_name("measured.py")), *options, *program]
    done = subprocess.run(command, capture_output=True, check=True, timeout=30)
    told = json.loads(done.stdout)
    assert told["code"] is None
    assert 0.3 <= told["wall"] < 3
    time.sleep(4)
    assert not marker.exists()


@pytest.mark.slow
def test_what_is_no_clone_or_no_folder_is_said(lived_in: Clone, tmp_path: Path) -> None:
    nothing = _benchmark(tmp_path)
    assert (nothing.code, nothing.out) == (2, "")
    assert "not a git repository" in nothing.err
    folder = _benchmark(lived_in.path, "core/scr")
    assert folder.code == 2
    assert folder.err.startswith("error: openllm-repos split failed: error: 'core/scr/' matches nothing")
