"""A pin that is hurt at any of its git calls: index and `.gitmodules` stay readable, and the next pin finishes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.inprocess import RunCli
from tests.support.pinned import PATH, Pinned
from tests.support.shim import Fault, GitShim
from tests.support.zygote import Zygote

CALLS = 17
"""How many times a pin of one repo calls git. With the code the number changes."""

THEIRS = '# theirs\n[submodule "lib"]\n\tpath = third/lib\n\turl = ../lib.git\n'


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Return a loaded tool that forks for each run."""
    with Zygote() as made:
        yield made


@pytest.fixture
def source(tmp_path: Path, run_cli: RunCli) -> Pinned:
    """Return a source with a `.gitmodules` of its people's own."""
    made = Pinned.make(tmp_path, run_cli)
    made.commit("Theirs", {".gitmodules": THEIRS})
    return made


@pytest.mark.slow
def test_a_pin_calls_git_so_often(source: Pinned, shim: GitShim, zygote: Zygote) -> None:
    assert zygote.run("pin", cwd=source.clone.path).code == 0
    assert len(shim.calls()) == CALLS


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.KILL_BEFORE, Fault.KILL_AFTER])
def test_hurt_at_any_call_it_is_finished_by_the_next(
    source: Pinned, shim: GitShim, zygote: Zygote, fault: Fault
) -> None:
    whole = f'{THEIRS}[submodule "{PATH}"]\n\tpath = {PATH}\n\turl = {source.model.url}\n\tbranch = main\n'
    plain = {"PATH": os.environ["PATH"].removeprefix(shim.path(""))}
    for call in range(1, CALLS + 1):
        source.clone.git("reset", "-q", "--hard")
        shim.arm(call, fault)
        hurt = zygote.run("pin", cwd=source.clone.path)
        assert hurt.code != 0 or fault is Fault.FAIL, (call, hurt)
        assert source.modules() in {THEIRS, whole}, call
        assert source.index in {"", f"160000 {source.commits[-1]} 0\t{PATH}"}, call
        if hurt.code == 30:  # told, and not killed
            assert (source.modules(), source.index) == (THEIRS, ""), call
        again = zygote.run("pin", cwd=source.clone.path, env=plain)
        assert again.code == 0, (call, again)
        assert source.clone.git("status", "--porcelain") == f"M  .gitmodules\nA  {PATH}", call
        assert source.modules() == whole, call
        source.clone.fsck()
