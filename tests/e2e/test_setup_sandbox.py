"""Setting up against a Hub and a GitHub that ask for tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openllm_repos.manifest import Manifest
from tests.support.hosts import SOURCE, SOURCE_FILES, SPACE
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli
    from tests.support.sealed import SealedHome


@pytest.fixture
def clone(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of a source on GitHub."""
    held = sandbox.github.create(SOURCE)
    made = Clone.init(tmp_path / "clone")
    made.commit("Start", SOURCE_FILES)
    made.push(held.as_uri())
    made.git("remote", "add", "origin", f"https://github.com/{SOURCE}")
    return made


def test_a_space_as_the_hub_makes_it(run_cli: RunCli, sandbox: Sandbox, clone: Clone) -> None:
    sandbox.hub.create("space", SPACE, sdk="gradio")
    done = run_cli("init", "--space", SPACE, cwd=clone.path)
    assert (done.code, done.err) == (0, "")
    target = Manifest.load(clone.path / "repos.toml").target("space")
    assert [pattern.text for pattern in target.owned] == [".gitattributes", "README.md"]
    assert "adopt" not in done.out


def test_a_space_that_does_not_exist(run_cli: RunCli, clone: Clone) -> None:
    done = run_cli("init", "--space", "lemms/opnllm", cwd=clone.path)
    assert done.code == 30
    assert "space lemms/opnllm does not answer" in done.err
    assert not (clone.path / "repos.toml").exists()
