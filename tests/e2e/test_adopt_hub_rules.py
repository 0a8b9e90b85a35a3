"""An adoption brings history along: what the Hub would refuse of that is said before, and has a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from openllm_repos.sandbox import Sandbox
from tests.support.adopting import adopt, adopted, copied, state
from tests.support.family import text
from tests.support.inprocess import RunCli
from tests.support.sealed import SealedHome
from tests.support.served import PNG, ServedFamily, login

WIDE = (("core/src/", "training/"),)


@pytest.mark.slow
def test_a_binary_in_the_past_stops_it_and_one_commit_a_sync_goes_through(
    sandbox: Sandbox, tmp_path: Path, run_cli: RunCli, home: SealedHome
) -> None:
    login(home, sandbox)
    family = ServedFamily.on(sandbox, tmp_path / "family", run_cli)
    family.manifest(maps=WIDE)
    logo = family.commit("Logo", {"core/src/logo.png": PNG})
    family.commit("No logo", {"core/src/logo.png": None})
    family.edit("Upload by hand", {**copied(family), "training/model.py": text(l20="mine")})
    pushes = family.pushes()
    done = adopt(family, "--yes")
    assert done.code == 3
    assert f"  training/logo.png (in {logo[:10]}, 1.0 KiB): is binary" in done.out
    assert "next: openllm-repos adopt space --dry-run  # looks again\n" in done.out
    assert adopt(family, "--dry-run", "--json").json()["findings"][0]["path"] == "training/logo.png"
    assert family.pushes() == pushes
    family.manifest(maps=WIDE, settings='history = "squash"')
    family.commit("As the fix says", {"core/src/model.py": text(l1="source")})
    adopted(family)
    assert state(family) == "diverged"
    family.synced("--yes")
    assert family.space.read("training/model.py") == text(l1="source", l20="mine").encode()
