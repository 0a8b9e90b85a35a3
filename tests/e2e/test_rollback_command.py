"""`rollback TARGET --to …`: the Space goes back to a release, is held there, and goes on from there without a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.family import Family, text
from tests.support.repositories import Clone
from tests.support.terminal import run_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.process import Result

OWN = {"app.py": b"app\n", "README.md": b"card\n", "notes/x.txt": b"x\n"}
each_history = pytest.mark.parametrize("history", ["full", pytest.param("squash", marks=pytest.mark.slow)])


def model(family: Family) -> str:
    return family.space.read("training/model.py").decode()


def rolled(family: Family, *args: str) -> Result:
    """Roll back; it must work, and what the Space owns must be as before, byte for byte."""
    before, own = family.space.tip("main"), {path: family.space.read(path) for path in OWN}
    done = family.run("rollback", "--yes", "space", *args, cwd=family.clone.path)
    assert done.code == 0, (done.out, done.err)
    assert {path: family.space.read(path) for path in OWN} == own
    family.space.git("merge-base", "--is-ancestor", before, "main")
    family.space.fsck()
    assert not family.unfinished()
    return done


def state(family: Family) -> str:
    (_, space) = family.run("status", "--json", cwd=family.clone.path).json()["repos"]
    return str(space["state"])


@pytest.fixture
def first(family: Family) -> str:
    """Make three versions of the source in the Space, which has files of its own; return the first one's commit."""
    family.edit("My Space", dict(OWN))
    return family.clone.tip("HEAD")


def three_versions(family: Family, history: str = "full") -> None:
    family.manifest(settings=f'history = "{history}"')
    family.synced()
    for number in (2, 3):
        family.commit(f"Version {number}", {"core/src/model.py": text(**{f"l{n}": "new" for n in range(1, number)})})
    family.commit("Version 3: a file", {"core/src/extra.py": "extra\n"})
    family.synced()


@each_history
def test_after_the_hold_the_space_gets_all_that_was_taken_back(family: Family, first: str, history: str) -> None:
    """What the rollback took back comes again with what is newer, and an edit that was made meanwhile stays."""
    three_versions(family, history)
    done = rolled(family, "--to", first)
    assert "  M training/model.py" in done.out
    assert "  D training/extra.py" in done.out
    assert model(family) == text()
    assert "training/extra.py" not in family.space.paths()
    family.edit("Hotfix while held", {"training/model.py": text(l20="hotfix")})
    family.commit("Version 4", {"core/src/model.py": text(l1="new", l2="new", l4="newer")})
    held = family.sync()
    assert (held.code, "space: held at" in held.out) == (0, True)
    assert model(family) == text(l20="hotfix")
    rolled(family, "--lift")
    assert model(family) == text(l20="hotfix")
    assert state(family) == "diverged"
    family.synced("space")
    assert model(family) == text(l1="new", l2="new", l4="newer", l20="hotfix")
    assert family.space.read("training/extra.py") == b"extra\n"
    assert "up to date; 1 drifted file there" in family.synced().out
    family.commit("Version 5", {"core/src/model.py": text(l1="new", l2="new", l5="newest")})
    family.synced()
    assert model(family) == text(l1="new", l2="new", l5="newest", l20="hotfix")


@pytest.mark.slow
@each_history
def test_lifted_without_anything_new_the_space_is_as_before(family: Family, first: str, history: str) -> None:
    three_versions(family, history)
    before = family.mapped()
    rolled(family, "--to", first)
    rolled(family, "--lift")
    assert state(family) == "behind"
    family.synced()
    assert family.mapped() == before
    assert state(family) == "in sync"
    assert family.synced().out.endswith("space: up to date\n")


@pytest.mark.slow
@each_history
def test_brought_forward_by_steps_nothing_is_skipped(family: Family, first: str, history: str) -> None:
    """A middle version after the hold, then the newest: git's merge base is ahead of what the files are."""
    three_versions(family, history)
    second = family.clone.tip("HEAD~2")
    rolled(family, "--to", first)
    rolled(family, "--lift")
    family.synced("--rev", second)
    assert model(family) == text(l1="new")
    family.commit("Version 4", {"core/src/model.py": text(l1="new", l2="new", l4="newer")})
    family.synced()
    assert model(family) == text(l1="new", l2="new", l4="newer")
    assert family.space.read("training/extra.py") == b"extra\n"


@pytest.mark.slow
def test_every_clone_knows_of_the_hold(family: Family, first: str, tmp_path: Path, run_cli: RunCli) -> None:
    """The hold stands in the Space's own history: another clone, and CI, leave it alone too, and can lift it."""
    three_versions(family, "squash")
    rolled(family, "--to", first, "--reason", "Training\n    diverges")
    trailers = family.space.trailers("main")
    assert (trailers["Held-At"], trailers["Source-Commit"]) == (first[:10], first)
    assert "Reason: Training diverges" in family.space.git("log", "-1", "--format=%B", "main")
    other = Clone.of(family.origin.url, tmp_path / "other")
    other.write({"repos.toml": (family.clone.path / "repos.toml").read_text()})
    named = run_cli("sync", "--yes", "space", cwd=other.path)
    assert named.code == 3
    assert f"space is held at {first[:10]} since it was rolled back" in named.out
    assert "next: openllm-repos rollback space --lift  # once the source is good again" in named.out
    assert run_cli("sync", "space", "--resolve", cwd=other.path).code == 3
    checked = run_cli("status", "--check", cwd=other.path)
    assert checked.code == 1
    assert f"held at {first[:10]}" in checked.out
    assert "lacks 3 commits of the source" in " ".join(checked.out.split())
    assert f"| held at {first[:10]} |" in run_cli("status", "--markdown", cwd=other.path).out
    assert f"space: held at {first[:10]}" in run_cli("diff", cwd=other.path).out
    assert run_cli("rollback", "--yes", "space", "--lift", cwd=other.path).code == 0
    assert run_cli("sync", "--yes", "space", cwd=other.path).code == 0
    assert family.space.read("training/extra.py") == b"extra\n"


@pytest.mark.slow
def test_what_the_space_changed_itself_is_undone_and_told_and_kept_in_its_history(family: Family, first: str) -> None:
    three_versions(family)
    edit = family.edit("Drift", {"training/model.py": text(l1="new", l2="new", l20="mine"), "training/train.py": None})
    done = rolled(family, "--to", first)
    assert "  undone: 2 files that space changed itself; its history keeps that" in done.out
    assert family.mapped() == {
        "training/model.py": text().encode(),
        "training/train.py": b"train\n",
        "configs/small.json": b"{}\n",
    }
    family.space.git("merge-base", "--is-ancestor", edit, "main")
    rolled(family, "--lift")
    family.synced()
    assert model(family) == text(l1="new", l2="new")


@pytest.mark.slow
@pytest.mark.usefixtures("first")
def test_back_to_a_commit_of_the_space_keeps_what_it_had_edited_by_then(family: Family) -> None:
    """Its own edit of that time is drift again, and is merged with what the source brings later."""
    family.synced()
    edit = family.edit("Early edit", {"training/model.py": text(l20="mine")})
    family.commit("Version 2", {"core/src/model.py": text(l1="new")})
    family.synced()
    done = rolled(family, "--to", edit[:12])
    assert "undone" not in done.out
    assert model(family) == text(l20="mine")
    rolled(family, "--lift")
    assert state(family) == "diverged"
    family.synced()
    assert model(family) == text(l1="new", l20="mine")


@pytest.mark.slow
def test_a_rollback_of_a_rollback(family: Family, first: str) -> None:
    three_versions(family)
    second = family.clone.tip("HEAD~2")
    rolled(family, "--to", first)
    rolled(family, "--to", second)
    assert model(family) == text(l1="new")
    again = family.space.tip("main")
    assert "is held at" in rolled(family, "--to", second).out
    assert family.space.tip("main") == again
    rolled(family, "--lift")
    assert "is not held" in rolled(family, "--lift").out
    family.synced()
    assert model(family) == text(l1="new", l2="new")


@pytest.mark.slow
@pytest.mark.usefixtures("first")
@each_history
def test_a_space_that_is_right_already_is_only_held(family: Family, history: str) -> None:
    three_versions(family, history)
    before, now = family.mapped(), family.clone.tip("HEAD")
    rolled(family, "--to", now)
    assert state(family) == "held"
    assert family.mapped() == before
    rolled(family, "--lift")
    assert state(family) == "in sync"
    assert family.synced().out.endswith("space: up to date\n")


@pytest.mark.slow
@pytest.mark.usefixtures("first")
@each_history
def test_a_source_commit_that_changed_nothing_of_the_spaces(family: Family, history: str) -> None:
    """No sync was made for it, and it stands for the same files as the one before."""
    three_versions(family, history)
    back = family.commit("Not carried", {"docs/guide.md": "more\n"})
    assert family.synced().out.endswith("space: up to date\n")
    rolled(family, "--to", back)
    assert family.space.trailers("main")["Held-At"] == back[:10]


@pytest.mark.slow
@each_history
def test_maps_that_changed_while_it_is_held(family: Family, first: str, history: str) -> None:
    """The files are found at their new place with all that the source has."""
    three_versions(family, history)
    rolled(family, "--to", first)
    family.manifest(maps=[("core/src/*.py", "lib/"), ("configs/*.json", "configs/")], settings=f'history = "{history}"')
    assert state(family) == "held"
    rolled(family, "--lift")
    family.synced()
    assert family.space.read("lib/model.py") == text(l1="new", l2="new").encode()
    assert family.space.read("lib/extra.py") == b"extra\n"


@pytest.mark.slow
@pytest.mark.usefixtures("first")
def test_maps_that_changed_before_the_rollback(family: Family) -> None:
    """A commit of the Space had the files elsewhere: the source commit of that time is carried by the maps of today."""
    family.synced()
    old = family.space.tip("main")
    family.manifest(maps=[("core/src/*.py", "lib/"), ("configs/*.json", "configs/")])
    family.commit("Version 2", {"core/src/model.py": text(l1="new")})
    family.synced()
    done = rolled(family, "--to", old)
    assert "The maps of space were others at" in done.out
    assert family.space.read("lib/model.py") == text().encode()
    rolled(family, "--lift")
    family.synced()
    assert family.space.read("lib/model.py") == text(l1="new").encode()


@pytest.mark.slow
def test_a_space_that_was_adopted(family: Family, first: str) -> None:
    """Back to the source commit it was adopted at: what it had edited then is undone, and told."""
    copied = {"training/model.py": text(l20="mine"), "training/train.py": "train\n", "configs/small.json": "{}\n"}
    family.edit("Copied", copied)
    assert family.run("adopt", "space", "--yes", cwd=family.clone.path).code == 0
    adopted = family.space.tip("main")
    family.commit("Version 2", {"core/src/model.py": text(l1="new")})
    family.synced()
    assert "undone: 1 file" in rolled(family, "--to", first).out
    assert model(family) == text()
    rolled(family, "--to", adopted)
    assert model(family) == text(l20="mine")
    rolled(family, "--lift")
    family.synced()
    assert model(family) == text(l1="new", l20="mine")


@pytest.mark.slow
def test_a_dry_run_changes_nothing_and_says_it_all(family: Family, first: str) -> None:
    three_versions(family)
    before = family.everything()
    done = family.run("rollback", "space", "--to", first, "--dry-run", cwd=family.clone.path)
    assert done.code == 0
    assert f"space: back to {first[:10]}, 1 commit and 2 changed files to main" in done.out
    assert "note: This takes back 3 commits of the source" in done.out
    facts = family.run("rollback", "space", "--to", first, "--dry-run", "--json", cwd=family.clone.path).json()
    assert (facts["action"], facts["held"], facts["outcome"]) == ("rollback", first[:10], None)
    assert family.everything() == before


@pytest.mark.slow
def test_on_a_terminal_the_person_is_asked(family: Family, first: str) -> None:
    family.synced()
    before = family.space.tip("main")
    for answer, code in ((b"n\n", 1), (b"y\n", 0)):
        assert family.space.tip("main") == before
        done = run_on_terminal("rollback", "space", "--to", first, cwd=family.clone.path, typed=answer)
        assert (done.code, "Roll space back? [y/N]" in done.out) == (code, True), done.out
    assert family.space.tip("main") != before


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ((), 2, "either --to TAG or --lift"),
        (("--to", "v9", "--lift"), 2, "either --to TAG or --lift"),
        (("--lift", "--reason", "x"), 2, "--reason goes with --to"),
        (("--to", "v9"), 2, "v9 is no release, no tag of space or the source"),
        (("--to", "HEAD"), 2, "space is empty"),
    ],
)
def test_what_makes_no_sense_is_refused(family: Family, args: tuple[str, ...], code: int, said: str) -> None:
    if "v9" in args:
        family.synced()
    done = family.run("rollback", "--yes", "space", *args, cwd=family.clone.path)
    assert (done.code, said in done.err) == (code, True), done.err


@pytest.mark.slow
def test_a_space_that_never_had_it(family: Family, first: str) -> None:
    """Filled by copying, or synced only up to an older commit: the next step is named."""
    unsynced = family.run("rollback", "--yes", "space", "--to", first, cwd=family.clone.path)
    assert (unsynced.code, "was never synced" in unsynced.err) == (2, True), unsynced.err
    family.edit("Copied", {"training/model.py": "x\n"})
    copied = family.run("rollback", "--yes", "space", "--to", first, cwd=family.clone.path)
    assert (copied.code, "next: openllm-repos adopt space" in copied.err) == (3, True), copied.err
    family.edit("Gone", {"training/model.py": None})
    own = family.space.tip("main")
    family.synced()
    newer = family.commit("Newer", {"core/src/model.py": text(l1="new")})
    ahead = family.run("rollback", "--yes", "space", "--to", newer, cwd=family.clone.path)
    assert (ahead.code, f"never had {newer[:10]}" in ahead.err) == (2, True), ahead.err
    before = family.run("rollback", "--yes", "space", "--to", own, cwd=family.clone.path)
    assert (before.code, "No sync had reached space" in before.err) == (2, True), before.err
    side = Clone.of(family.space.url, family.folder / "side")
    stray = side.commit("Elsewhere", {"stray": "x"})
    family.clone.git("fetch", "-q", str(side.path))
    foreign = family.run("rollback", "--yes", "space", "--to", stray, cwd=family.clone.path)
    assert (foreign.code, "is neither in the history of main of space" in foreign.err) == (2, True), foreign.err


def test_a_folder_of_the_space_in_the_place_of_an_old_file(family: Family, first: str) -> None:
    family.synced()
    family.commit("Gone", {"core/src/train.py": None})
    family.synced()
    family.edit("A folder", {"training/train.py/inner.txt": "mine\n"})
    done = family.run("rollback", "--yes", "space", "--to", first, cwd=family.clone.path)
    assert (done.code, "training/train.py of" in done.err) == (3, True), done.err


@pytest.mark.slow
@pytest.mark.usefixtures("first")
def test_by_a_commit_that_the_source_brought_to_the_space(family: Family) -> None:
    """The Space's own log shows the source's commits as projected ones; they can be named, too."""
    three_versions(family)
    (projected,) = family.space.git("log", "--format=%H", "--grep=^Version 2$", "main").split()
    rolled(family, "--to", projected)
    assert model(family) == text(l1="new")
    assert family.space.trailers("main")["Source-Commit"] == family.clone.tip("HEAD~2")
