"""A conflict told with the commits of both sides, and settled on the spot by naming a side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.family import Family, text

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.hub_family import HubFamily


@pytest.fixture
def torn(family: Family) -> Family:
    """Return a family where three files are in conflict; of one the Space changed a line, and the source deleted it."""
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    family.edit("Space: line 3", {"training/model.py": text(l3="space")})
    family.edit("Space: settings", {"configs/small.json": "[1]\n", "training/train.py": "mine\n"})
    family.commit("Source: line 3", {"core/src/model.py": text(l3="source")})
    family.commit("Source: line 3 again", {"core/src/model.py": text(l3="source", l4="source")})
    family.commit("Source: the rest", {"configs/small.json": "[2]\n", "core/src/train.py": None})
    return family


MINE = ("--keep-target", "training/train.py", "--take-source", "configs/small.json")


@pytest.mark.slow
def test_both_sides_commits_are_listed_path_by_path(torn: Family) -> None:
    lines = torn.sync("space").out.splitlines()
    at = lines.index("  training/model.py: modified in the source, modified in the target")
    sides = [line.split(" ", 7)[4:] for line in lines[at + 1 : at + 4]]
    ids = [torn.clone.tip("HEAD~1")[:10], torn.clone.tip("HEAD~2")[:10], torn.space.tip("main~1")[:10]]
    assert [side[:2] for side in sides] == [["source:", ids[0]], ["source:", ids[1]], ["target:", ids[2]]]
    assert [line.rpartition(": ")[2] for line in lines[at + 1 : at + 4]][1:] == ["line 3", "line 3"]
    (space,) = torn.sync("space", "--json").json()["targets"]
    (model,) = [conflict for conflict in space["conflicts"] if conflict["path"] == "training/model.py"]
    assert [one["id"] for one in model["source_commits"]] == [torn.clone.tip("HEAD~1"), torn.clone.tip("HEAD~2")]
    assert [one["subject"] for one in model["target_commits"]] == ["Space: line 3"]
    assert {"author", "date"} < model["target_commits"][0].keys()


@pytest.mark.slow
def test_a_renamed_file_is_followed_to_its_old_name(torn: Family) -> None:
    torn.commit("Source: renamed", {"core/src/model.py": None, "core/src/network.py": text(l3="source", l4="source")})
    (space,) = torn.sync("space", "--json").json()["targets"]
    (found,) = [conflict for conflict in space["conflicts"] if conflict["path"] == "training/network.py"]
    assert [one["subject"] for one in found["target_commits"]] == ["Space: line 3"]
    assert len(found["source_commits"]) == 3


@pytest.mark.slow
def test_with_a_side_for_every_path_the_sync_goes_on(torn: Family) -> None:
    """Ours is the Space's file, theirs the source's; a deletion is taken over or undone the same way."""
    trial = torn.sync("space", "--take-source", "training/model.py", *MINE, "--dry-run")
    assert trial.code == 0
    assert "  settled: training/train.py as the target has it" in trial.out
    done = torn.synced("space", "--take-source", "training/model.py", *MINE)
    assert "  settled: configs/small.json as the source has it" in done.out
    assert torn.mapped() == {
        "training/model.py": text(l3="source", l4="source").encode(),
        "training/train.py": b"mine\n",
        "configs/small.json": b"[2]\n",
    }
    assert torn.space.read("app.py") == b"app\n"
    assert "up to date; 1 drifted file there" in torn.synced().out
    torn.commit("Source goes on", {"core/src/model.py": text(l3="source", l4="source", l9="on")})
    torn.synced()


@pytest.mark.slow
def test_a_deletion_can_be_taken_over(torn: Family) -> None:
    """Git's own words for the sides, --ours and --theirs, do the same."""
    torn.synced(
        "space",
        "--theirs",
        "training/train.py",
        "--ours",
        "training/model.py",
        "--ours",
        "configs/small.json",
    )
    assert torn.mapped() == {"training/model.py": text(l3="space").encode(), "configs/small.json": b"[1]\n"}


@pytest.mark.slow
def test_what_is_left_is_listed(torn: Family) -> None:
    before = torn.persons_own()
    done = torn.sync("space", *MINE)
    assert done.code == 3
    assert "both changed 1 other file" in done.out
    assert "  training/model.py: modified in the source" in done.out
    assert "  configs/small.json: " not in done.out
    assert torn.persons_own() == before


@pytest.mark.slow
def test_a_side_that_makes_no_sense_is_refused(torn: Family) -> None:
    cases = {
        ("space", "--keep-target", "training/other.py"): "training/other.py is not in conflict",
        ("space", "--keep-target", "training/model.py", "--take-source", "training/model.py"): "Choose one side",
        ("--keep-target", "training/model.py"): "next: openllm-repos sync space --keep-target training/model.py\n",
        ("--continue",): "takes one TARGET; there are: space.\nnext: openllm-repos sync space --continue\n",
        ("space", "--keep-target", "training/model.py", "--resolve"): "leave out --resolve",
    }
    for args, said in cases.items():
        done = torn.sync(*args)
        assert (done.code, said in done.out + done.err) == (2, True), (done.out, done.err)
        if "other" in said:
            assert "  hint: In conflict: configs/small.json, training/model.py, training/train.py" in done.out


def test_where_nothing_is_in_conflict_a_side_is_refused(family: Family) -> None:
    first = family.sync("space", "--keep-target", "training/model.py")
    assert (first.code, "next: openllm-repos sync space" in first.out) == (2, True)


@pytest.mark.slow
def test_a_file_against_a_folder_needs_more_than_a_side(family: Family) -> None:
    family.manifest(maps=[("core/src/", "training/")])
    family.commit("Whole folder")
    family.synced()
    family.edit("A folder", {"training/extra/inner.txt": "mine\n"})
    family.commit("A file", {"core/src/extra": "yours\n"})
    done = family.sync("space", "--keep-target", "training/extra")
    assert (done.code, "is a file on one side and a folder on the other" in done.out) == (2, True)
    assert "  training/extra: a file in the source, a folder in the target\n" in family.sync().out
    (space,) = family.sync("--json").json()["targets"]
    (conflict,) = space["conflicts"]
    assert (conflict["source"], conflict["target"]) == ("added", "folder")
    assert [one["subject"] for one in conflict["target_commits"]] == ["A folder"]


@pytest.mark.slow
def test_the_sides_hold_when_the_space_moves_meanwhile(hub_family: HubFamily, sandbox: Sandbox) -> None:
    hub_family.synced()
    hub_family.edit("Theirs", {"training/train.py": "theirs\n"})
    hub_family.commit("Ours", {"core/src/train.py": "ours\n"})
    sandbox.hub.fault("POST */git-receive-pack", before=lambda: hub_family.edit("Meanwhile", {"app.py": "app 2\n"}))
    done = hub_family.synced("space", "--take-source", "training/train.py")
    assert "after 2 attempts" in done.out
    assert hub_family.space.read("training/train.py") == b"ours\n"
    assert hub_family.space.read("app.py") == b"app 2\n"


def test_a_file_that_both_sides_renamed_is_one_conflict_and_one_side_settles_it(family: Family) -> None:
    """In the sync, its JSON and on the page; the side gives the file its name, edits that go together stay."""
    family.synced()
    family.edit("Space: renamed", {"training/model.py": None, "training/ours.py": text(l3="space")})
    family.commit("Source: renamed", {"core/src/model.py": None, "core/src/theirs.py": text(l9="source")})
    said = "renamed to training/theirs.py in the source, to training/ours.py in the target"
    done = family.sync("space")
    assert f"  training/model.py: {said}" in done.out.splitlines()
    assert "both changed 1 file in ways" in done.out
    (space,) = family.sync("space", "--json").json()["targets"]
    (found,) = space["conflicts"]
    names = [found[key] for key in ("path", "source_path", "target_path")]
    assert names == ["training/model.py", "training/theirs.py", "training/ours.py"]
    assert [one["subject"] for one in found["target_commits"]] == ["Space: renamed"]
    family.run("status", "--html", family.folder / "page.html", cwd=family.clone.path)
    assert said in (family.folder / "page.html").read_text(encoding="utf-8")
    family.synced("space", "--take-source", "training/model.py")
    assert {path for path in family.space.paths() if path.startswith("training/")} == {
        "training/theirs.py",
        "training/train.py",
    }
    assert family.space.read("training/theirs.py") == text(l3="space", l9="source").encode()


@pytest.mark.slow
def test_line_ends_that_an_editor_of_the_space_changed_are_told_as_such(family: Family) -> None:
    family.synced()
    family.edit("Space: from Windows", {"training/model.py": text().replace("\n", "\r\n")})
    family.commit("Source: line 3", {"core/src/model.py": text(l3="source")})
    said = "modified in the source, changed in line ends alone in the target (CRLF in the target)"
    assert f"  training/model.py: {said}" in family.sync("space").out.splitlines()
    (space,) = family.sync("space", "--json").json()["targets"]
    (found,) = space["conflicts"]
    assert [found[key] for key in ("source", "target", "crlf")] == ["modified", "line ends", "ours"]


@pytest.mark.slow
def test_a_file_that_both_sides_renamed_is_taken_as_a_side_has_it_without_markers(family: Family) -> None:
    """git keeps the two merged, with markers, as "the file of a side"; what is meant is that side's own file."""
    family.synced()
    family.edit("Space: renamed", {"training/model.py": None, "training/ours.py": text(l3="space")})
    family.commit("Source: renamed", {"core/src/model.py": None, "core/src/theirs.py": text(l3="source")})
    both = ("--keep-target", "training/ours.py", "--take-source", "training/theirs.py")
    family.synced("space", "--keep-target", "training/model.py", *both)
    assert family.space.read("training/ours.py").decode() == text(l3="space")
    assert family.space.read("training/theirs.py").decode() == text(l3="source")
    assert "training/model.py" not in family.space.paths()
