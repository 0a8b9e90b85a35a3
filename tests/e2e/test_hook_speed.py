"""A push that sh decides alone costs next to nothing: no Python is started, and git is asked once at most."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.gated import Gated

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.shim import GitShim


@pytest.mark.parametrize("what", ["a branch", "a tag that is no release", "the source's branch"])
def test_a_push_without_release_tags_to_no_target_is_let_through_by_sh_alone(
    what: str, shim: GitShim, tmp_path: Path, run_cli: RunCli
) -> None:
    gated = Gated.make(tmp_path / "gated", run_cli)
    gated.without_python()
    tip, zero = gated.family.clone.tip(), "0" * 40
    pushes = {
        "a branch": f"refs/heads/topic {tip} refs/heads/topic {zero}\n",
        "a tag that is no release": f"refs/tags/topic {tip} refs/tags/topic {zero}\n",
        "the source's branch": f"refs/heads/main {tip} refs/heads/main {tip}\n",
    }
    shim.disarm()
    hook = [str(gated.hooks / "pre-push"), "origin", gated.family.origin.url]
    subprocess.run(hook, input=pushes[what].encode(), cwd=gated.path, check=True)
    assert [call.split()[0] for call in shim.calls()] == (["diff-tree"] if what == "the source's branch" else [])
