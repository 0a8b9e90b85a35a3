"""A rollback, and the end of its hold, taken back by `openllm-repos undo`."""

from __future__ import annotations

import pytest

from tests.support.family import Family, text
from tests.support.process import Result


def run(family: Family, *args: str) -> Result:
    done = family.run(*args, cwd=family.clone.path)
    assert done.code == 0, (done.out, done.err)
    return done


def state(family: Family) -> tuple[str, bytes]:
    """Return how the Space stands, and a file of it."""
    facts = run(family, "status", "--json").json()
    (found,) = (repo["state"] for repo in facts["repos"] if repo["name"] == "space")
    return str(found), family.space.read("training/model.py")


@pytest.mark.parametrize("history", ["full", pytest.param("squash", marks=pytest.mark.slow)])
def test_a_rollback_and_its_end_are_taken_back_one_by_one(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    old = family.commit("Settings")
    family.synced()
    first = family.space.read("training/model.py")
    family.commit("Second", {"core/src/model.py": text(l1="second")})
    family.synced()
    second = text(l1="second").encode()
    run(family, "rollback", "space", "--to", "HEAD^", "--yes")
    held = state(family)
    assert held == ("held", first)
    run(family, "rollback", "space", "--lift", "--yes")
    assert state(family) == ("behind", first)
    run(family, "undo", "--yes")
    assert state(family) == held
    assert "The next sync brings" not in run(family, "undo", "--yes").out
    assert state(family) == ("in sync", second)
    run(family, "undo", "--yes")
    assert state(family) == ("behind", first)
    family.synced()
    assert state(family) == ("in sync", second)
    commands = [one["command"] for one in run(family, "log", "--json").json()["operations"]]
    assert commands[-4:-2] == ["rollback space --lift", f"rollback space --to {old[:10]}"]
