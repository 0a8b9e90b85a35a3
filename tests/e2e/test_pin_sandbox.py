"""A model of the Hub pinned without a clone, bytes counted; and plain `git submodule update` on what comes of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.support.counted import Counted
from tests.support.repositories import Clone
from tests.support.sealed import lead_to
from tests.support.served import LFS_LINE, login, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli
    from tests.support.sealed import SealedHome

PATH = "models/small-8k"
MODEL = "https://huggingface.co/lemms/small-8k"
WEIGHTS = random.Random(8).randbytes(20_000_000)
VOCABULARY = random.Random(5).randbytes(2_500_000).hex()
MANIFEST = f"""\
schema = 1
[project]
name = "openllm"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.small-8k]
model = "lemms/small-8k"
submodule = "{PATH}"
"""


@pytest.fixture
def wire(git_lfs: None, sandbox: Sandbox, home: SealedHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    """Put a meter between this machine and the Hub."""
    del git_lfs
    with Counted(sandbox.hub.url) as counted:
        lead_to(sandbox, monkeypatch, hub=counted.url)
        home.set(f"credential.{counted.url}.helper", '!f() { echo username=x; echo "password=$HF_TOKEN"; }; f')
        login(home, sandbox)
        yield counted


@pytest.fixture
def model(sandbox: Sandbox, wire: Counted, tmp_path: Path) -> Clone:
    """Return a clone of a model with 20 MB in LFS and 5 MB beside it, in each of two versions; v1 is the first."""
    sandbox.hub.create("model", "lemms/small-8k")
    work = Clone.of(MODEL, tmp_path / "model")
    work.git("lfs", "install", "--skip-repo")  # for this person, in every repository
    for number, tag in enumerate(("v1", "v2")):
        work.commit(
            f"Weights {tag}",
            {".gitattributes": LFS_LINE, "model.bin": WEIGHTS[number:], "vocabulary.txt": VOCABULARY[number:]},
        )
        work.git("tag", "-a", "-m", tag, tag)
    work.git("push", "-q", "origin", "main", "v1", "v2")
    wire.reset()
    return work


@pytest.fixture
def source(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return the source's clone, with the model in its manifest."""
    sandbox.github.create("louischua/openllm")
    clone = Clone.init(tmp_path / "source")
    clone.git("remote", "add", "origin", "https://github.com/louischua/openllm")
    clone.commit("Start", {"repos.toml": MANIFEST, "app.py": "print()\n"})
    return clone


@pytest.mark.slow
def test_a_pin_costs_kilobytes_and_git_submodule_update_gets_the_rest(
    source: Clone, model: Clone, wire: Counted, sandbox: Sandbox, run_cli: RunCli, tmp_path: Path
) -> None:
    before = len(sandbox.hub.log)
    first = run_cli("pin", "--to", model.tip("v1"), cwd=source.path)
    assert first.code == 0, (first.out, first.err)
    assert f"pinned {PATH} at {model.tip('v1')[:10]}, 1 behind main" in first.out
    by_id = wire.received
    assert run_cli("pin", cwd=source.path).code == 0
    by_tip = wire.received - by_id
    assert (0 < by_id < 20_000, 0 < by_tip < 20_000) == (True, True), (by_id, by_tip)
    assert not [seen for seen in sandbox.hub.log[before:] if "lfs" in seen.path]
    assert source.git("ls-files", "--stage", "--", PATH) == f"160000 {model.tip('v2')} 0\t{PATH}"
    source.commit("Pin the model")
    source.push("origin")

    wire.reset()
    clone = Clone.of("https://github.com/louischua/openllm", tmp_path / "pointers")
    clone.git("submodule", "--quiet", "update", "--init", env={"GIT_LFS_SKIP_SMUDGE": "1"})
    assert Clone(clone.path / PATH).tip() == model.tip("v2")
    assert (clone.path / PATH / "model.bin").read_text() == pointer(WEIGHTS[1:])
    assert (clone.path / PATH / "vocabulary.txt").read_text() == VOCABULARY[1:]
    assert wire.received > 2_500_000
    assert not [seen for seen in sandbox.hub.log if "_lfs/download" in seen.path]

    clone = Clone.of("https://github.com/louischua/openllm", tmp_path / "content")
    clone.git("submodule", "--quiet", "update", "--init", "--depth=1")
    assert (clone.path / PATH / "model.bin").read_bytes() == WEIGHTS[1:]
    assert clone.git("status", "--porcelain") == ""
