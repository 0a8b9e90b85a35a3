"""The test against the real Hub, run here against the sandbox: what a person starts with `make live` works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openllm_repos.sandbox import Sandbox

ROOT = Path(__file__).parents[2]


def _live(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.live.hub"],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
def test_one_sync_and_one_tag_and_nothing_is_left(sandbox: Sandbox) -> None:
    done = _live(OPENLLM_LIVE_NAMESPACE="lemms")
    assert (done.returncode, done.stderr) == (0, "")
    verbs = [line.split()[0] for line in done.stdout.splitlines()]
    assert verbs == ["made", "synced", "holds", "has", "is", "agrees", "tagged", "deleted"]
    assert not list((sandbox.root / "hub/git/spaces/lemms").iterdir())


@pytest.mark.slow
def test_the_space_goes_even_where_something_was_not_true(sandbox: Sandbox) -> None:
    """The Hub refuses the push; the script says so, and what it made is deleted all the same."""
    sandbox.hub.fault("POST /spaces/*/git-receive-pack", status=403, count=100)
    done = _live(OPENLLM_LIVE_NAMESPACE="lemms")
    assert done.returncode == 1
    assert "NOT TRUE: synced" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("deleted")


@pytest.mark.slow
@pytest.mark.usefixtures("sandbox")
def test_without_a_namespace_it_says_what_it_needs() -> None:
    done = _live()
    assert (done.returncode, done.stdout) == (2, "")
    assert "OPENLLM_LIVE_NAMESPACE=your-name" in done.stderr
