"""`openllm-repos undo`: a sync taken back on the target, and everything after it as if it had never been."""

from __future__ import annotations

import pytest

from tests.support.family import Family, text
from tests.support.process import Result

SQUASH_LATER = pytest.param("squash", marks=pytest.mark.slow)
each_history = pytest.mark.parametrize("synced", ["full", SQUASH_LATER], indirect=True)


@pytest.fixture
def synced(request: pytest.FixtureRequest, family: Family) -> Family:
    """Return a family whose Space has its own app and was synced twice, with whole histories or squashed."""
    family.manifest(settings=f'history = "{request.param}"')
    family.commit("Settings")
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    family.commit("Second", {"core/src/model.py": text(l1="second"), "core/src/new.py": "new\n"})
    family.synced()
    return family


def undo(family: Family, *args: str, code: int = 0) -> Result:
    """Take something back, and check what is true afterwards whatever came of it."""
    before = family.space.tip("main")
    done = family.run("undo", *args, cwd=family.clone.path)
    assert done.code == code, (done.out, done.err)
    family.space.git("merge-base", "--is-ancestor", before, "main")
    family.space.fsck()
    assert not family.unfinished()
    return done


def state(family: Family) -> str:
    """Return how the Space stands to the source."""
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    return str(next(repo["state"] for repo in facts["repos"] if repo["name"] == "space"))


def projection() -> dict[str, bytes]:
    return {
        "training/model.py": text(l1="second").encode(),
        "training/new.py": b"new\n",
        "training/train.py": b"train\n",
        "configs/small.json": b"{}\n",
    }


BEFORE = {"training/model.py": text().encode(), "training/train.py": b"train\n", "configs/small.json": b"{}\n"}


@each_history
def test_an_undone_sync_is_behind_again_and_the_next_sync_brings_it(synced: Family) -> None:
    assert "The next sync brings again what was taken back." in undo(synced, "--yes").out
    assert synced.mapped() == BEFORE
    assert synced.space.read("app.py") == b"app\n"
    assert state(synced) == "behind"
    synced.synced()
    assert synced.mapped() == projection()
    assert state(synced) == "in sync"


@pytest.mark.slow
@pytest.mark.parametrize("synced", ["full", "squash"], indirect=True)
def test_what_is_newer_than_the_undone_sync_comes_with_it(synced: Family) -> None:
    undo(synced, "--yes")
    synced.commit("Third", {"core/src/model.py": text(l1="second", l20="third")})
    assert state(synced) == "behind"
    synced.synced()
    assert synced.mapped() == projection() | {"training/model.py": text(l1="second", l20="third").encode()}
    assert state(synced) == "in sync"
    synced.commit("Fourth", {"core/src/new.py": None})
    synced.synced()
    assert "training/new.py" not in synced.mapped()


@each_history
def test_edits_made_since_stay_and_are_still_the_targets_own_afterwards(synced: Family) -> None:
    edit = synced.edit("Mine", {"training/model.py": text(l1="second", l20="mine"), "app.py": "app 2\n"})
    undo(synced, "--yes")
    assert synced.mapped() == BEFORE | {"training/model.py": text(l20="mine").encode()}
    facts = synced.run("status", "--json", cwd=synced.clone.path).json()
    (space,) = (repo for repo in facts["repos"] if repo["name"] == "space")
    assert (space["state"], space["drift"]["commits"]) == ("diverged", [edit])
    synced.synced()
    assert synced.mapped() == projection() | {"training/model.py": text(l1="second", l20="mine").encode()}
    assert (state(synced), synced.space.read("app.py")) == ("drift", b"app 2\n")


@pytest.mark.slow
@each_history
def test_an_undo_that_is_undone_has_it_all_again(synced: Family) -> None:
    undo(synced, "--yes")
    (name,) = [one["operation"] for one in logged(synced) if one["undoes"]]
    undo(synced, name, "--yes")
    assert synced.mapped() == projection()
    assert state(synced) == "in sync"
    synced.commit("Third", {"core/src/train.py": "third\n"})
    assert state(synced) == "behind"
    synced.synced()
    assert synced.mapped() == projection() | {"training/train.py": b"third\n"}


@pytest.mark.slow
@each_history
def test_undo_after_undo_goes_back_further_to_before_the_first_sync(synced: Family) -> None:
    undo(synced, "--yes")
    undo(synced, "--yes")
    assert synced.mapped() == {}
    assert synced.space.files() == {"app.py": b"app\n"}
    assert state(synced) == "new"
    assert "There is nothing to take back" in undo(synced, "--yes", code=2).err
    synced.synced()
    assert synced.mapped() == projection()
    assert state(synced) == "in sync"


@pytest.mark.slow
@each_history
def test_what_was_undone_last_can_be_had_again_and_undone_again(synced: Family) -> None:
    undo(synced, "--yes")
    undo(synced, logged(synced)[0]["operation"], "--yes")
    undo(synced, "--yes")
    assert synced.mapped() == BEFORE
    assert state(synced) == "behind"
    undo(synced, "--yes")
    assert synced.mapped() == {}


@each_history
def test_a_later_edit_of_the_same_lines_is_a_conflict_and_nothing_changes(synced: Family) -> None:
    synced.edit("Mine", {"training/model.py": text(l1="mine")})
    before = synced.persons_own()
    done = undo(synced, "--yes", code=3)
    assert "training/model.py: modified since" in done.out
    assert synced.persons_own() == before


@pytest.mark.slow
def test_a_first_sync_into_an_empty_target_leaves_it_empty_again(family: Family) -> None:
    family.synced()
    undo(family, "--yes")
    assert family.space.files() == {}
    assert state(family) == "new"
    family.synced()
    assert family.mapped() == BEFORE


@pytest.mark.parametrize("synced", ["full"], indirect=True)
def test_a_sync_that_others_have_synced_after_is_not_undone(synced: Family) -> None:
    name = logged(synced)[0]["operation"]
    synced.commit("Third", {"core/src/train.py": "third\n"})
    synced.synced()
    done = undo(synced, name, "--yes", code=3)
    assert "space was synced again since" in done.out
    assert "taken back" not in done.out


@pytest.mark.slow
@pytest.mark.parametrize("synced", ["full"], indirect=True)
def test_without_yes_and_without_a_terminal_it_only_says_what_it_would_do(synced: Family) -> None:
    before = synced.persons_own()
    asked = undo(synced, code=2)
    dry = undo(synced, "--dry-run")
    assert asked.out == dry.out
    assert "  D training/new.py\n" in dry.out
    assert asked.err.endswith("so it takes --yes.\nnext: openllm-repos undo --yes\n")
    assert synced.persons_own() == before


@pytest.mark.slow
def test_an_undone_adoption_leaves_the_target_to_be_adopted_again(family: Family) -> None:
    family.edit("Copied", {"training/train.py": "train\n", "training/model.py": text(l20="mine")})
    assert family.run("adopt", "space", "--yes", cwd=family.clone.path).code == 0
    assert state(family) == "diverged"
    assert "The next sync" not in undo(family, "--yes").out
    assert state(family) == "not adopted"
    assert family.sync().code == 3
    assert family.run("adopt", "space", "--yes", cwd=family.clone.path).code == 0
    family.commit("Second", {"core/src/model.py": text(l1="second")})
    family.synced()
    configs = {path: data for path, data in family.clone.files().items() if path.startswith("configs/")}
    mapped = {"training/train.py": b"train\n", "training/model.py": text(l1="second", l20="mine").encode()}
    assert family.mapped() == {**mapped, **configs}


def logged(family: Family) -> list[dict[str, str]]:
    """Return the log, newest first."""
    found: list[dict[str, str]] = family.run("log", "--json", cwd=family.clone.path).json()["operations"]
    return found
