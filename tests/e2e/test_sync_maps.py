"""Maps that change between syncs, and a source whose history was rewritten."""

from __future__ import annotations

import pytest

from tests.support.family import MAPS, START, Family, text
from tests.support.inprocess import RunCli
from tests.support.repositories import Clone

SETTINGS = pytest.mark.parametrize("settings", ["", 'history = "squash"'], ids=["full", "squash"])


def _start(family: Family, settings: str, maps: tuple[tuple[str, str], ...] = MAPS) -> None:
    family.manifest(settings=settings, maps=maps)
    family.commit("Settings")
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()


@pytest.mark.slow
@SETTINGS
def test_a_map_that_is_added_brings_its_files_and_disturbs_nothing_else(family: Family, settings: str) -> None:
    _start(family, settings, MAPS[:1])
    family.edit("Mine", {"training/model.py": text(l20="mine")})
    family.manifest(settings=settings)
    family.commit("Add configs", {"core/src/model.py": text(l1="yours")})
    family.synced()
    assert family.space.read("configs/small.json") == b"{}\n"
    assert family.space.read("training/model.py") == text(l1="yours", l20="mine").encode()
    assert "up to date; 1 drifted file there" in family.synced().out


@pytest.mark.slow
@SETTINGS
def test_a_map_that_is_added_where_the_space_has_another_file_is_a_conflict(family: Family, settings: str) -> None:
    _start(family, settings, MAPS[:1])
    family.edit("Own config", {"configs/small.json": '"mine"\n'})
    family.manifest(settings=settings)
    family.commit("Add configs")
    done = family.sync()
    assert done.code == 3
    assert "  configs/small.json: added in the source, added in the target" in done.out.splitlines()
    assert family.space.read("configs/small.json") == b'"mine"\n'


@pytest.mark.slow
@SETTINGS
def test_a_map_that_is_removed_leaves_its_files_to_the_space(family: Family, settings: str) -> None:
    _start(family, settings)
    family.manifest(settings=settings, maps=MAPS[:1])
    family.commit("No configs", {"core/src/train.py": "on\n", "configs/small.json": "[]\n"})
    family.synced()
    assert family.space.read("configs/small.json") == b"{}\n"
    assert family.space.read("training/train.py") == b"on\n"
    family.edit("Now it is mine", {"configs/small.json": "mine\n"})
    assert family.synced().out.endswith("space: up to date\n")


@SETTINGS
@pytest.mark.parametrize("machine", ["same", pytest.param("other", marks=pytest.mark.slow)])
def test_a_map_that_is_taken_away_and_put_back_goes_on_from_where_it_was(
    family: Family, run_cli: RunCli, settings: str, machine: str
) -> None:
    _start(family, settings)
    family.edit("Tune", {"training/model.py": text(l10="tuned")})
    family.manifest(settings=settings, maps=[("core/src/train.py", "training/")])
    family.commit("Only train.py", {"core/src/model.py": text(l1="not carried"), "core/src/train.py": "on\n"})
    family.synced()
    family.edit("Mine for now", {"training/model.py": text(l10="tuned", l20="mine"), "configs/small.json": None})
    family.manifest(settings=settings)
    family.commit("All again")
    clone = family.clone if machine == "same" else Clone.of(family.origin.url, family.folder / "other")
    done = run_cli("sync", "--yes", cwd=clone.path)
    assert done.code == 0, done.out
    assert family.space.read("training/model.py") == text(l1="not carried", l10="tuned", l20="mine").encode()
    assert "configs/small.json" not in family.space.paths()
    assert run_cli("import", "space", cwd=clone.path).code == 0
    assert clone.log("main..import/space") == ["Mine for now", "Tune"]
    clone.git("merge", "-q", "--no-edit", "import/space")
    clone.push(family.origin.url)
    assert run_cli("sync", "--yes", cwd=clone.path).code == 0
    assert run_cli("status", "--check", cwd=clone.path).code == 0


@pytest.mark.slow
def test_a_map_that_is_put_back_where_nobody_can_say_what_it_had_is_a_conflict(family: Family, run_cli: RunCli) -> None:
    settings = 'history = "squash"'
    _start(family, settings)
    family.manifest(settings=settings, maps=[("core/src/train.py", "training/")])
    family.commit("Only train.py", {"core/src/model.py": text(l1="not carried"), "core/src/train.py": "on\n"})
    family.synced()
    family.manifest(settings=settings)
    family.commit("All again")
    trailers = "".join(f"{key}: {value}\n" for key, value in family.space.trailers("main").items())
    work = family.work
    work.git("commit", "-q", "--amend", "-m", f"Squashed by hand\n\n{trailers}")
    work.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
    clone = Clone.of(family.origin.url, family.folder / "other").path
    done = run_cli("sync", "--yes", cwd=clone)
    assert done.code == 3
    assert "  training/model.py: added in the source, added in the target" in done.out.splitlines()
    assert family.space.read("training/model.py") == text().encode()
    family.edit("Take it over", {"training/model.py": text(l1="not carried")})
    assert run_cli("sync", "--yes", cwd=clone).code == 0
    assert run_cli("status", "--check", cwd=clone).code == 0


@pytest.mark.slow
@SETTINGS
def test_a_map_that_reads_another_folder_brings_that_instead(family: Family, settings: str) -> None:
    family.commit("Next", {"core/next/model.py": "next\n", "core/next/train.py": "train\n"})
    _start(family, settings)
    family.manifest(settings=settings, maps=[("core/next/*.py", "training/"), MAPS[1]])
    family.commit("The next folder")
    assert "kept" not in family.synced().out
    assert family.space.read("training/model.py") == b"next\n"
    assert family.synced().out.endswith("space: up to date\n")


@pytest.mark.slow
@SETTINGS
def test_what_the_space_deleted_stays_deleted_when_maps_change(family: Family, settings: str) -> None:
    _start(family, settings, MAPS[:1])
    family.edit("Not here", {"training/train.py": None})
    family.manifest(settings=settings)
    family.commit("Add configs")
    family.synced()
    assert "training/train.py" not in family.space.paths()
    assert family.space.read("configs/small.json") == b"{}\n"


@pytest.mark.slow
@SETTINGS
def test_a_map_to_another_folder_fills_that_and_leaves_the_old_one_to_the_space(family: Family, settings: str) -> None:
    _start(family, settings)
    family.manifest(settings=settings, maps=[("core/src/*.py", "lib/"), MAPS[1]])
    family.commit("Another folder", {"core/src/train.py": "on\n"})
    family.synced()
    assert family.space.read("lib/train.py") == b"on\n"
    assert family.space.read("training/train.py") == b"train\n"
    assert family.synced().out.endswith("space: up to date\n")


@pytest.mark.slow
@SETTINGS
def test_new_maps_alone_are_synced_without_a_new_commit_of_the_files(family: Family, settings: str) -> None:
    _start(family, settings)
    family.manifest(settings=settings, maps=[*MAPS, ("core/*.md", "about/")])
    family.commit("About", {"core/about.md": "about\n"})
    family.synced()
    family.manifest(settings=settings, maps=[*MAPS, ("core/*.md", "info/")])
    family.commit("Settings only")
    family.synced()
    assert family.space.read("info/about.md") == b"about\n"
    assert family.synced().out.endswith("space: up to date\n")


@pytest.mark.slow
@SETTINGS
def test_a_source_whose_last_commits_were_rewritten(family: Family, settings: str) -> None:
    _start(family, settings)
    good = family.clone.tip()
    family.commit("Bad", {"core/src/train.py": "bad\n", "core/src/bad.py": "bad\n"})
    family.synced()
    family.edit("Mine", {"training/model.py": text(l20="mine")})
    family.clone.git("reset", "-q", "--hard", good)
    family.commit("Good", {"core/src/train.py": "good\n"})
    family.synced()
    assert family.space.read("training/train.py") == b"good\n"
    assert "training/bad.py" not in family.space.paths()
    assert family.space.read("training/model.py") == text(l20="mine").encode()


@pytest.mark.slow
@SETTINGS
def test_a_rewritten_source_that_goes_back_to_what_it_was(family: Family, settings: str) -> None:
    _start(family, settings)
    start = family.clone.tip()
    one = family.commit("One", {"core/src/train.py": "one\n"})
    family.synced()
    family.clone.git("reset", "-q", "--hard", start)
    family.commit("Two", {"core/src/train.py": "two\n"})
    family.synced()
    assert family.space.read("training/train.py") == b"two\n"
    family.clone.git("reset", "-q", "--hard", one)
    family.push()
    family.synced()
    assert family.space.read("training/train.py") == b"one\n"
    assert family.synced().out.endswith("space: up to date\n")


@pytest.mark.slow
@SETTINGS
def test_an_older_commit_takes_nothing_back(family: Family, settings: str) -> None:
    _start(family, settings)
    old = family.clone.tip()
    family.commit("New", {"core/src/train.py": "new\n"})
    family.synced()
    tip = family.space.tip("main")
    assert "space: up to date" in family.synced("--rev", old).out
    assert (family.space.tip("main"), family.space.read("training/train.py")) == (tip, b"new\n")
    family.commit("Newer", {"core/src/model.py": text(l1="newer")})
    family.synced()
    assert family.space.read("training/train.py") == b"new\n"


@pytest.mark.slow
@SETTINGS
def test_a_commit_in_the_middle_can_be_named(family: Family, settings: str) -> None:
    _start(family, settings)
    middle = family.commit("Middle", {"core/src/train.py": "middle\n"})
    family.commit("End", {"core/src/train.py": "end\n"})
    family.synced("--rev", "main~1")
    assert family.space.read("training/train.py") == b"middle\n"
    assert family.space.trailers("main")["Source-Commit"] == middle
    family.synced()
    assert family.space.read("training/train.py") == b"end\n"


@pytest.mark.slow
def test_a_source_that_starts_over_with_the_same_files(family: Family) -> None:
    _start(family, "")
    family.clone.orphan("again")
    family.manifest()
    family.clone.commit("All in one", START)
    family.clone.git("branch", "-M", "again", "main")
    family.commit("On", {"core/src/train.py": "on\n"})
    family.synced()
    assert family.space.read("training/train.py") == b"on\n"
    assert family.synced().out.endswith("space: up to date\n")
