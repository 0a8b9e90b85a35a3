"""A map that had files and has none any more: the target would lose them all, and mostly nobody wants that."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from tests.support.family import MAPS, Family, text

if TYPE_CHECKING:
    from tests.support.inprocess import RunCli

TRAINING = {"training/model.py": text().encode(), "training/train.py": b"train\n"}
SETTINGS = pytest.mark.parametrize("settings", ["", 'history = "squash"'], ids=["full", "squash"])


def begun(family: Family, settings: str = "", maps: tuple[tuple[str, str], ...] = MAPS) -> Family:
    family.manifest(settings=settings, maps=maps)
    family.commit("Settings")
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    return family


def renamed(family: Family, old: str = "core/src", new: str = "core/lib") -> str:
    """Rename a folder of the source, without its map."""
    family.clone.git("mv", old, new)
    return family.commit("Rename the folder")


def stopped(family: Family, *args: str) -> str:
    """Run a sync that must stop and change nothing; returns what it said, on one line."""
    before = family.space.tips()
    assert family.sync(*args, "--dry-run").code == 3
    done = family.sync(*args)
    assert (done.code, family.space.tips()) == (3, before)
    return " ".join(done.out.split())


@SETTINGS
def test_a_folder_that_was_renamed_without_its_map_stops_the_target(family: Family, settings: str) -> None:
    """The sentence names map, commit and new place; its command can be pasted, and with it nothing is deleted."""
    begun(family, settings)
    by = renamed(family)
    said = stopped(family)
    assert "repos.space.map[0].from (core/src/*.py) matches no file" in said
    assert f"emptied by {by[:10]} (Rename the folder), so its 2 files in space would be deleted" in said
    assert "git finds the files at core/lib/*.py." in said
    command = said.partition("next: ")[2].partition(" # ")[0]
    assert command == "openllm-repos manifest set 'repos.space.map[0].from' 'core/lib/*.py'"
    assert "sync space --allow-empty 'core/src/*.py'" in said
    assert family.run(*shlex.split(command)[1:], cwd=family.clone.path).code == 0
    family.synced()
    assert {path: data for path, data in family.mapped().items() if path.startswith("training/")} == TRAINING


def test_who_wants_the_files_gone_names_the_map(family: Family) -> None:
    begun(family)
    family.clone.git("rm", "-rq", "core/src", "configs")
    family.commit("All of it goes")
    said = stopped(family)
    assert "map[0].from (core/src/*.py)" in said
    assert "map[1].from (configs/*.json)" in said
    assert "sync space --allow-empty 'core/src/*.py' --allow-empty 'configs/*.json'" in said
    assert "map[1].from" in stopped(family, "--allow-empty", "core/src/*.py")
    refused = family.sync("--allow-empty", "core/source/*.py")
    assert (refused.code, "no map has that 'from'" in refused.err) == (2, True)
    family.synced("--allow-empty", "core/src/*.py", "--allow-empty", "configs/*.json")
    assert family.mapped() == {}
    assert family.space.read("app.py") == b"app\n"
    family.commit("Goes on", {"docs/guide.md": "more\n"})
    family.synced()


@pytest.mark.slow
def test_a_link_or_a_submodule_or_other_names_in_the_place_of_the_files(family: Family) -> None:
    begun(family)
    clone = family.clone
    clone.git("mv", "core/src", "core/lib")
    (clone.path / "core/src").symlink_to("lib")
    family.commit("A link")
    assert "git finds the files at core/lib/*.py" in stopped(family)
    clone.git("rm", "-q", "core/src")
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{clone.tip()},core/src")
    clone.git("commit", "-q", "-m", "A submodule")
    family.push()
    assert "map[0].from (core/src/*.py) matches no file" in stopped(family)
    clone.git("rm", "-q", "--cached", "core/src")
    family.commit("Other names", {"core/src/model.pyx": text(), "core/lib/model.py": None, "core/lib/train.py": None})
    assert "map[0].from (core/src/*.py) matches no file" in stopped(family)


@pytest.mark.slow
def test_one_map_of_several(family: Family) -> None:
    family.commit("More", {"core/extra/more.py": "more\n"})
    begun(family, maps=(*MAPS, ("core/extra/*.py", "training/extra/")))
    family.commit("A file goes, which is no reason to stop", {"core/src/train.py": None})
    family.synced()
    renamed(family, "core/extra", "core/other")
    said = stopped(family)
    assert "map[2].from (core/extra/*.py) matches no file" in said
    assert "its 1 file in space" in said
    assert "map[0]" not in said


def test_a_map_that_is_mistyped_takes_nothing_away(family: Family) -> None:
    begun(family)
    family.manifest(maps=(("core/scr/*.py", "training/"), MAPS[1]))
    family.commit("A slip")
    assert "map[0].from (core/scr/*.py) matches no file" in stopped(family)


def test_status_diff_and_json_say_it_too(family: Family, run_cli: RunCli) -> None:
    begun(family)
    by = renamed(family)
    for command in ("status", "diff"):
        done = run_cli(command, cwd=family.clone.path)
        said = " ".join(done.out.split())
        assert "repos.space.map[0].from (core/src/*.py) matches no file" in said, command
        assert "openllm-repos manifest set 'repos.space.map[0].from' 'core/lib/*.py'" in said, command
    assert run_cli("status", "--check", cwd=family.clone.path).code == 1
    (problem,) = run_cli("status", "--json", cwd=family.clone.path).json()["problems"]
    assert "openllm-repos manifest set" in problem["next"]
    (space,) = family.sync("--json").json()["targets"]
    (found,) = space["emptied"]
    assert (found["place"], found["from"], found["files"]) == ("repos.space.map[0].from", "core/src/*.py", 2)
    assert (found["commit"]["id"], found["moved_to"]) == (by, "core/lib/*.py")


@pytest.mark.slow
def test_a_conflict_does_not_open_a_merge_that_would_delete_the_rest(family: Family) -> None:
    begun(family)
    family.edit("Space: a line", {"training/model.py": text(l3="space")})
    family.clone.git("rm", "-rq", "core/src")
    family.commit("Gone")
    before = family.space.tips()
    done = family.sync("space", "--resolve")
    assert (done.code, "map[0].from (core/src/*.py) matches no file" in done.err) == (3, True)
    assert family.sync("space", "--resolve", "--allow-empty", "core/src/*.py").code == 0
    assert family.space.tips() == before


@pytest.mark.slow
def test_a_rollback_to_where_the_map_of_today_had_nothing(family: Family) -> None:
    """Then the files stood in another folder of the source; today's maps would find none, and delete all."""
    begun(family)
    first = family.clone.tip()
    renamed(family)
    family.manifest(maps=(("core/lib/*.py", "training/"), MAPS[1]))
    family.commit("The map follows", {"core/lib/train.py": "on\n"})
    family.synced()
    before = family.space.tips()
    words = ("rollback", "space", "--to", first[:10], "--yes")
    done = family.run(*words, cwd=family.clone.path)
    assert (done.code, family.space.tips()) == (3, before)
    said = " ".join(done.err.split())
    assert "repos.space.map[0].from (core/lib/*.py) matches no file" in said
    assert f"rollback space --to {first[:10]} --allow-empty 'core/lib/*.py'" in said
    assert family.run(*words, "--allow-empty", "core/lib/*.py", cwd=family.clone.path).code == 0
    assert family.mapped() == {"configs/small.json": b"{}\n"}


def test_a_release_stops_as_the_sync_in_it_does(family: Family) -> None:
    begun(family)
    renamed(family)
    before = family.space.tips()
    done = family.run("release", "0.1.0", "--yes", cwd=family.clone.path)
    assert (done.code, family.space.tips()) == (3, before)
    assert "repos.space.map[0].from (core/src/*.py) matches no file" in " ".join((done.out + done.err).split())


@pytest.mark.slow
def test_an_adopted_space_is_not_emptied_by_its_first_sync(family: Family) -> None:
    family.edit("Copied by hand", {**TRAINING, "configs/small.json": "{}\n", "app.py": "app\n"})
    assert family.run("adopt", "space", "--yes", cwd=family.clone.path).code == 0
    renamed(family)
    assert "map[0].from (core/src/*.py) matches no file" in stopped(family)
