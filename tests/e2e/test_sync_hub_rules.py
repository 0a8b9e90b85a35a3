"""What the Hub would refuse is refused before the push: said by the dry run, and gone after the fix that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.family import text
from tests.support.hub_family import PNG, HubFamily
from tests.support.inprocess import RunCli
from tests.support.sealed import SealedHome

WIDE = (("core/src/", "training/"), ("configs/*.json", "configs/"))


@pytest.fixture
def hub(sandbox: Any, tmp_path: Path, run_cli: RunCli, home: SealedHome) -> HubFamily:
    """Return a source and a Space on the sandbox's Hub, synced once."""
    family = HubFamily.on(sandbox, tmp_path / "family", run_cli, home)
    family.manifest(maps=WIDE)
    family.commit("Manifest")
    family.synced()
    return family


def _refused(hub: HubFamily) -> str:
    """Sync, dry and in earnest: refused by both in the same words, and nothing was pushed. Returns those words."""
    tips, pushes = hub.space.tips(), hub.pushes()
    dry = hub.sync("--dry-run")
    done = hub.sync("--yes")
    assert (dry.code, done.code) == (3, 3), (dry.err, done.err)
    assert dry.out == done.out
    assert (hub.space.tips(), hub.pushes()) == (tips, pushes)
    return done.out


def test_a_text_goes_through(hub: HubFamily) -> None:
    hub.commit("More", {"core/src/model.py": text(l1="a")})
    before = hub.pushes()
    hub.synced("--yes")
    assert hub.pushes() == before + 1


def test_a_binary_is_refused_and_a_narrower_pattern_helps(hub: HubFamily) -> None:
    made = hub.commit("Logo", {"core/src/logo.png": PNG})
    said = _refused(hub)
    projected = hub.run("split", "space", cwd=hub.clone.path).out.strip()
    assert f"training/logo.png (in {projected[:10]}, 1.0 KiB): is binary, which the Hub takes in LFS only" in said
    assert 'a narrower pattern than "core/src/" (repos.space.map[0])' in said
    assert made[:10] in said
    hub.manifest(maps=(("core/src/*.py", "training/"), WIDE[1]))
    hub.commit("Narrower")
    hub.synced("--yes")
    assert "training/logo.png" not in hub.space.paths()
