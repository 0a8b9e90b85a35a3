"""history = "squash": one commit per sync; and going from one kind of history to the other."""

from __future__ import annotations

import pytest

from tests.support.family import Family, text
from tests.support.inprocess import RunCli
from tests.support.repositories import Clone

SQUASH = 'history = "squash"'


def _set(family: Family, settings: str) -> None:
    family.manifest(settings=settings)
    family.commit("Settings")


@pytest.fixture
def squashed(family: Family) -> Family:
    """Return a family whose Space has its own files and was synced once, squashed."""
    _set(family, SQUASH)
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    return family


@pytest.mark.slow
def test_every_sync_is_one_commit(squashed: Family) -> None:
    for number in range(3):
        squashed.clone.commit("Step", {"core/src/train.py": f"{number}\n"})
    squashed.commit("Last step", {"core/src/train.py": "last\n"})
    done = squashed.synced()
    assert "space: one commit" in done.out
    tip = squashed.clone.tip()
    subjects = squashed.space.log(form="%s")
    assert subjects[0] == f"Sync from main at {tip[:10]}"
    assert (len(subjects), subjects[-1]) == (3, "My Space")
    trailers = squashed.space.trailers("main")
    assert trailers["Source-Commit"] == tip
    assert set(trailers) == {"Source-Repo", "Source-Commit", "Projected-Commit", "Maps"}


def test_an_empty_space_gets_one_commit(family: Family) -> None:
    _set(family, SQUASH)
    family.synced()
    assert family.space.parents("main") == []
    assert "training/model.py" in family.space.paths()


def test_a_space_filled_by_copying_stops_a_squash_too(family: Family) -> None:
    _set(family, SQUASH)
    family.edit("Copied", {"training/train.py": "train\n"})
    done = family.sync()
    assert done.code == 3
    assert "next: openllm-repos adopt space" in done.out


def test_edits_on_both_sides_are_merged(squashed: Family) -> None:
    for number in (1, 2):
        there = squashed.space.read("training/model.py").decode()
        squashed.edit("Mine", {"training/model.py": there[: there.rindex("\n", 0, -1)] + f"\nmine {number}\n"})
        squashed.commit("Yours", {"core/src/model.py": text(l1=f"yours {number}")})
        squashed.synced()
        assert squashed.space.read("training/model.py") == text(l1=f"yours {number}", l20=f"mine {number}").encode()


@pytest.mark.slow
def test_a_conflict_changes_nothing(squashed: Family) -> None:
    squashed.edit("Mine", {"training/train.py": "mine\n"})
    squashed.commit("Yours", {"core/src/train.py": "yours\n"})
    before = squashed.persons_own()
    done = squashed.sync()
    assert done.code == 3
    assert "  training/train.py: modified in the source, modified in the target" in done.out.splitlines()
    assert squashed.persons_own() == before


@pytest.mark.slow
def test_a_fresh_clone_on_another_machine_goes_on(squashed: Family, run_cli: RunCli) -> None:
    squashed.edit("Mine", {"training/model.py": text(l20="mine")})
    squashed.commit("Yours", {"core/src/model.py": text(l1="yours"), "core/src/train.py": None})
    other = Clone.of(squashed.origin.url, squashed.folder / "other-machine")
    assert run_cli("sync", "--yes", cwd=other.path).code == 0
    assert squashed.space.read("training/model.py") == text(l1="yours", l20="mine").encode()
    assert "training/train.py" not in squashed.space.paths()
    assert "up to date" in squashed.synced().out


def take_back(squashed: Family) -> tuple[str, Clone]:
    """Let the source take back a commit that the Space has; return that, and a fresh clone, which lacks it."""
    lost = squashed.commit("Lost", {"core/src/train.py": "lost\n"})
    squashed.synced()
    squashed.clone.git("reset", "-q", "--hard", "HEAD^")
    squashed.commit("Instead", {"core/src/train.py": "instead\n"})
    fresh = Clone.of(f"file://{squashed.origin.path}", squashed.folder / "other-machine")
    assert fresh.run("cat-file", "-e", lost, ok=(0, 1, 128)).code
    return lost, fresh


@pytest.mark.slow
def test_a_fresh_clone_lets_the_space_follow_a_rewritten_source(squashed: Family, run_cli: RunCli) -> None:
    """What the lost commit had is what the sync left in the Space, so nothing has to be fetched for it."""
    lost, fresh = take_back(squashed)
    before = squashed.space.tip("main")
    done = run_cli("sync", "--yes", cwd=fresh.path)
    assert done.code == 0, (done.out, done.err)
    said = f"The source was rewritten since space was synced from {lost[:10]}: space follows"
    assert said in " ".join(done.out.split())
    assert squashed.space.parents("main") == [before]
    assert squashed.space.read("training/train.py") == b"instead\n"
    assert "up to date" in squashed.synced().out


@pytest.mark.slow
@pytest.mark.parametrize("host", ["has it still", "has lost it"])
def test_what_a_lost_commit_had_is_told_apart_from_edits_of_the_space(
    squashed: Family, run_cli: RunCli, host: str
) -> None:
    """The host is asked for it by its id, where the Space's own tree and commits do not say it."""
    squashed.edit("Mine", {"training/model.py": text(l20="mine")})
    squashed.edit("Mine, too", {"training/model.py": text(l20="mine, better")})
    _, fresh = take_back(squashed)
    if host == "has lost it":
        squashed.origin.git("gc", "-q", "--prune=now")
    else:  # with other maps, what the Space has does not say it
        with (fresh.path / "repos.toml").open("a") as manifest:
            manifest.write('[[repos.space.map]]\nfrom = "tools/*.py"\nto = "tools/"\n')
    (space,) = (r for r in run_cli("status", "--json", cwd=fresh.path).json()["repos"] if r["name"] == "space")
    assert (space["state"], [file["path"] for file in space["drift"]["files"]]) == ("rewritten", ["training/model.py"])
    assert run_cli("sync", "--yes", cwd=fresh.path).code == 0
    assert squashed.space.read("training/train.py") == b"instead\n"
    assert squashed.space.read("training/model.py") == text(l20="mine, better").encode()


@pytest.mark.slow
def test_from_full_to_squash(family: Family) -> None:
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    _set(family, SQUASH)
    assert "space: up to date" in family.synced().out
    family.edit("Mine", {"training/model.py": text(l20="mine")})
    family.commit("Yours", {"core/src/model.py": text(l1="yours")})
    before = family.space.tip("main")
    family.synced()
    assert family.space.parents("main") == [before]
    assert family.space.read("training/model.py") == text(l1="yours", l20="mine").encode()


@pytest.mark.slow
def test_from_squash_to_full(squashed: Family) -> None:
    _set(squashed, "")
    squashed.edit("Mine", {"training/model.py": text(l20="mine")})
    squashed.commit("Yours", {"core/src/model.py": text(l1="yours")})
    squashed.synced()
    assert len(squashed.space.parents("main")) == 2
    assert "Start" in squashed.space.log()
    assert squashed.space.read("training/model.py") == text(l1="yours", l20="mine").encode()
    assert "up to date" in squashed.synced().out


@pytest.mark.slow
def test_from_full_to_squash_and_back(family: Family) -> None:
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    _set(family, SQUASH)
    family.commit("Squashed", {"core/src/train.py": "squashed\n"})
    family.synced()
    family.edit("Mine", {"training/model.py": text(l20="mine")})
    _set(family, "")
    family.commit("Full again", {"core/src/train.py": "full again\n"})
    done = family.synced()
    assert "kept: 1 file that space changed itself" in done.out
    assert family.space.read("training/train.py") == b"full again\n"
    assert family.space.read("training/model.py") == text(l20="mine").encode()
    assert "Squashed" in family.space.log()


@pytest.mark.slow
def test_from_squash_to_full_without_anything_new_joins_the_history(squashed: Family) -> None:
    _set(squashed, "")
    files = squashed.space.files()
    squashed.synced()
    assert squashed.space.files() == files
    assert "Start" in squashed.space.log()
