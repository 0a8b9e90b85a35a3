"""Import, rollback, undo and sync one after another: which state do both sides start from, and is anything lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.family import MAPS, text

if TYPE_CHECKING:
    from tests.support.family import Family
    from tests.support.process import Result

FULL, SQUASH = "full", pytest.param("squash", marks=pytest.mark.slow)
HISTORIES = pytest.mark.parametrize("history", [FULL, SQUASH])
AS_WELL = pytest.mark.parametrize("history", [pytest.param("full", marks=pytest.mark.slow), SQUASH])
MODEL, THERE = "core/src/model.py", "training/model.py"


@pytest.fixture
def both(family: Family, history: str) -> Family:
    """A family that is in step."""
    family.manifest(settings=f'history = "{history}"')
    family.synced()
    return family


def run(family: Family, *args: str, code: int = 0) -> Result:
    done = family.run(*args, cwd=family.clone.path)
    assert done.code == code, (args, done.code, done.out, done.err)
    return done


def state(family: Family) -> str:
    found = run(family, "status", "--json").json()["repos"]
    return next(str(repo["state"]) for repo in found if repo["name"] == "space")


def bring_home(family: Family) -> Result:
    """Import, merge the branch and push."""
    done = run(family, "import", "space")
    clone = family.clone
    if "refs/heads/import/space" in clone.tips():
        clone.git("merge", "-q", "--no-ff", "--no-edit", "import/space")
        clone.git("branch", "-q", "-D", "import/space")
        family.push()
    return done


def model(family: Family) -> tuple[str, str]:
    """Return a file as the source and as the Space has it, told by the lines that are not as at the start."""

    def told(data: bytes) -> str:
        lines = data.decode().splitlines()
        return " ".join(line for at, line in enumerate(lines, 1) if line != f"line {at}")

    return told(family.clone.read(MODEL)), told(family.space.read(THERE))


@pytest.mark.slow
@HISTORIES
def test_a_revert_reaches_a_space_with_new_drift_where_older_drift_came_home_before(both: Family) -> None:
    both.edit("X", {THERE: text(l2="x")})
    bring_home(both)
    both.commit("V2", {MODEL: text(l2="x", l8="v2")})
    both.synced()
    both.edit("E", {THERE: text(l2="x", l8="v2", l15="e")})
    both.commit("Revert V2", {MODEL: text(l2="x")})
    both.synced()
    assert model(both) == ("x", "x e")


@AS_WELL
def test_what_came_home_around_a_sync_is_taken_back_in_the_space_too(both: Family) -> None:
    both.edit("X", {THERE: text(l2="x")})
    run(both, "import", "space")
    both.commit("V2", {MODEL: text(l8="v2")})
    both.synced()
    clone = both.clone
    clone.git("merge", "-q", "--no-ff", "--no-edit", "import/space")
    both.push()
    assert model(both) == ("x v2", "x v2")
    both.commit("Revert X", {MODEL: text(l8="v2")})
    both.synced()
    assert model(both) == ("v2", "v2")


@pytest.mark.slow
@HISTORIES
def test_a_revert_reaches_a_space_whose_edit_came_home_around_the_sync_of_it(both: Family) -> None:
    both.edit("X", {THERE: text(l2="x")})
    run(both, "import", "space")
    both.commit("V2", {MODEL: text(l8="v2")})
    both.synced()
    clone = both.clone
    clone.git("merge", "-q", "--no-ff", "--no-edit", "import/space")
    both.push()
    both.commit("Revert V2", {MODEL: text(l2="x")})
    both.synced()
    assert model(both) == ("x", "x")


@AS_WELL
def test_a_rollback_to_an_edit_that_came_home_is_no_drift_and_lifted_all_comes_back(both: Family) -> None:
    first = both.edit("F", {THERE: text(l2="f")})
    both.edit("E", {THERE: text(l2="f", l8="e")})
    bring_home(both)
    both.synced()
    run(both, "rollback", "space", "--to", first, "--yes")
    assert model(both) == ("f e", "f")
    bring_home(both)
    assert model(both) == ("f e", "f")
    run(both, "rollback", "space", "--lift", "--yes")
    both.synced()
    assert model(both) == ("f e", "f e")
    bring_home(both)
    assert model(both) == ("f e", "f e")
    assert state(both) == "in sync"


@AS_WELL
def test_a_rollback_before_the_sync_that_joins_an_import(both: Family) -> None:
    first = both.edit("F", {THERE: text(l2="f")})
    both.edit("E", {THERE: text(l2="f", l8="e")})
    bring_home(both)
    run(both, "rollback", "space", "--to", first, "--yes")
    assert model(both) == ("f e", "f")
    bring_home(both)
    assert model(both) == ("f e", "f")
    run(both, "rollback", "space", "--lift", "--yes")
    both.synced()
    assert model(both) == ("f e", "f e")
    bring_home(both)
    both.synced()
    assert model(both) == ("f e", "f e")
    assert state(both) == "in sync"


@pytest.mark.slow
@HISTORIES
def test_a_hotfix_of_a_held_space_comes_home(both: Family) -> None:
    old = both.clone.tip()
    both.commit("V2", {MODEL: text(l8="v2")})
    both.synced()
    run(both, "rollback", "space", "--to", old, "--yes")
    both.edit("Hotfix", {THERE: text(l2="fix")})
    done = bring_home(both)
    assert "next: openllm-repos rollback space --lift\nnext: openllm-repos sync space" in done.out
    assert model(both) == ("fix v2", "fix")
    assert "Nothing to import" in run(both, "import", "space").out
    assert state(both) == "held"
    run(both, "rollback", "space", "--lift", "--yes")
    both.synced()
    assert model(both) == ("fix v2", "fix v2")
    assert state(both) == "in sync"


@AS_WELL
def test_a_hotfix_of_a_held_space_that_is_merged_after_the_hold_has_ended(both: Family) -> None:
    old = both.clone.tip()
    both.commit("V2", {MODEL: text(l8="v2")})
    both.synced()
    run(both, "rollback", "space", "--to", old, "--yes")
    both.edit("Hotfix", {THERE: text(l2="fix")})
    run(both, "import", "space")
    run(both, "rollback", "space", "--lift", "--yes")
    both.synced()
    assert model(both) == ("v2", "fix v2")
    bring_home(both)
    both.synced()
    assert model(both) == ("fix v2", "fix v2")
    assert state(both) == "in sync"


@AS_WELL
def test_what_came_home_while_a_rollback_took_it_away_is_brought_again(both: Family) -> None:
    old = both.clone.tip()
    both.edit("E", {THERE: text(l2="e")})
    run(both, "import", "space")
    run(both, "rollback", "space", "--to", old, "--yes")
    assert model(both) == ("", "")
    both.clone.git("merge", "-q", "--no-ff", "--no-edit", "import/space")
    both.push()
    assert model(both) == ("e", "")
    assert "Nothing to import" in run(both, "import", "space").out
    run(both, "rollback", "space", "--lift", "--yes")
    both.synced()
    assert model(both) == ("e", "e")
    assert state(both) == "in sync"


@AS_WELL
def test_a_sync_that_joined_an_import_is_taken_back(both: Family) -> None:
    both.edit("E", {THERE: text(l2="e")})
    bring_home(both)
    both.commit("V2", {MODEL: text(l2="e", l8="v2")})
    both.synced()
    run(both, "undo", "--yes")
    assert model(both) == ("e v2", "e")
    assert "Nothing to import" in run(both, "import", "space").out
    both.synced()
    assert model(both) == ("e v2", "e v2")
    assert state(both) == "in sync"


@AS_WELL
def test_an_import_after_a_sync_was_taken_back(both: Family) -> None:
    both.edit("E", {THERE: text(l2="e")})
    both.commit("V2", {MODEL: text(l8="v2")})
    both.synced()
    run(both, "undo", "--yes")
    assert model(both) == ("v2", "e")
    bring_home(both)
    assert model(both) == ("e v2", "e")
    both.synced()
    assert model(both) == ("e v2", "e v2")
    assert state(both) == "in sync"


@pytest.mark.slow
@HISTORIES
def test_a_rollback_that_was_taken_back_hides_no_drift(both: Family) -> None:
    old = both.clone.tip()
    both.edit("X", {THERE: text(l2="x")})
    bring_home(both)
    both.commit("V2", {MODEL: text(l2="x", l8="v2")})
    both.synced()
    both.edit("E", {THERE: text(l2="x", l8="v2", l15="e")})
    run(both, "rollback", "space", "--to", old, "--yes")
    run(both, "undo", "--yes")
    assert model(both) == ("x v2", "x v2 e")
    assert state(both) == "drift"
    both.commit("Revert V2", {MODEL: text(l2="x")})
    both.synced()
    assert model(both) == ("x", "x e")
    bring_home(both)
    both.synced()
    assert model(both) == ("x e", "x e")
    assert state(both) == "in sync"


@pytest.mark.slow
@HISTORIES
def test_after_a_hold_all_that_came_home_before_comes_back_beside_new_drift(both: Family) -> None:
    old = both.clone.tip()
    both.edit("X", {THERE: text(l2="x")})
    bring_home(both)
    both.commit("V2", {MODEL: text(l2="x", l8="v2")})
    both.synced()
    run(both, "rollback", "space", "--to", old, "--yes")
    both.edit("E", {THERE: text(l15="e")})
    run(both, "rollback", "space", "--lift", "--yes")
    both.synced()
    assert model(both) == ("x v2", "x v2 e")
    bring_home(both)
    assert model(both) == ("x v2 e", "x v2 e")
    both.commit("Revert", {MODEL: text(l2="x", l8="v2")})
    both.synced()
    assert model(both) == ("x v2", "x v2")
    assert state(both) == "in sync"


@pytest.mark.slow
@HISTORIES
@pytest.mark.parametrize("how", ["undo", pytest.param("rollback", marks=pytest.mark.slow)])
def test_an_edit_that_was_restored_comes_home_beside_a_newer_one(both: Family, how: str) -> None:
    edit = both.edit("Hotfix", {THERE: text(l2="e")})
    both.commit("V2", {MODEL: text(l8="v2")})
    both.synced()
    run(both, "undo", "--yes") if how == "undo" else run(both, "rollback", "space", "--to", edit, "--yes")
    both.edit("Other", {THERE: text(l2="e", l15="other")})
    drift = run(both, "status", "--json").json()["repos"][1]["drift"]
    assert len(drift["commits"]) == 2, "what the source had brought is no drift"
    bring_home(both)
    assert model(both) == ("e v2 other", "e other")
    if how == "rollback":
        run(both, "rollback", "space", "--lift", "--yes")
    both.synced()
    assert model(both) == ("e v2 other", "e v2 other")
    assert state(both) == "in sync"


@AS_WELL
def test_an_import_whose_branch_was_merged_and_deleted_stands_in_nobodys_way(both: Family) -> None:
    both.edit("E", {THERE: text(l2="e")})
    bring_home(both)
    done = run(both, "undo", "--yes", code=3)
    assert "refs/heads/import/space of this clone: it is gone already" in done.out
    assert "next: openllm-repos log  # lists older ones to name" in done.err


@HISTORIES
def test_back_to_where_the_first_sync_was_taken_back_is_refused(both: Family) -> None:
    run(both, "undo", "--yes")
    there = both.space.tip("main")
    both.synced()
    done = run(both, "rollback", "space", "--to", there, "--yes", code=2)
    assert f"No sync had reached space at {there[:10]}, or it was taken back" in done.err
    assert state(both) == "in sync"


@pytest.mark.slow
@HISTORIES
def test_maps_that_changed_around_what_came_home(both: Family, history: str) -> None:
    both.edit("E", {THERE: text(l2="e")})
    run(both, "import", "space")
    both.manifest(maps=(*MAPS, ("docs/*.md", "docs/")), never=("data/",), settings=f'history = "{history}"')
    both.synced()
    both.clone.git("merge", "-q", "--no-ff", "--no-edit", "import/space")
    both.push()
    both.commit("Revert E", {MODEL: text(l8="v2")})
    both.synced()
    assert model(both) == ("v2", "v2")
    assert both.space.read("docs/guide.md") == b"guide\n"


@AS_WELL
def test_a_space_that_must_not_drift_goes_on_once_its_drift_came_home(both: Family, history: str) -> None:
    both.manifest(settings=f'history = "{history}"\ndrift = "refuse"')
    first = both.edit("F", {THERE: text(l2="f")})
    both.edit("G", {THERE: text(l2="f", l15="g")})
    both.commit("V2", {MODEL: text(l8="v2")})
    run(both, "sync", "--yes", code=3)
    bring_home(both)
    both.synced()
    run(both, "rollback", "space", "--to", first, "--yes")
    run(both, "rollback", "space", "--lift", "--yes")
    both.synced()
    assert model(both) == ("f v2 g", "f v2 g")


@AS_WELL
def test_edits_below_a_hold_that_changed_no_file_come_home_after_it(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    start = family.commit("Settings")
    copied = {THERE: text(), "training/train.py": "train\n", "configs/small.json": "{}\n"}
    family.edit("Copied by hand", copied)
    family.edit("Edited before the adoption", {THERE: text(l3="edited")})
    run(family, "adopt", "space", "--at", start, "--yes")
    family.edit("Edited after it", {THERE: text(l3="edited", l9="more")})
    run(family, "rollback", "space", "--to", family.space.tip("main"), "--yes")
    run(family, "rollback", "space", "--lift", "--yes")
    bring_home(family)
    family.synced()
    assert model(family) == ("edited more", "edited more")
    assert state(family) == "in sync"
