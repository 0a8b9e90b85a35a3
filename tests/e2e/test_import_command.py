"""`openllm-repos import`: what was changed in the Space comes home, with its author's name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.family import text
from tests.support.process import run_git
from tests.support.shim import Fault

if TYPE_CHECKING:
    from tests.support.family import Family
    from tests.support.process import Result, RunTool
    from tests.support.shim import GitShim

HISTORIES = pytest.mark.parametrize("history", ["full", pytest.param("squash", marks=pytest.mark.slow)])
BOTH = pytest.mark.parametrize("history", ["full", "squash"])


def bring(family: Family, *args: str) -> Result:
    """Run an import that must work."""
    done = family.run("import", "space", *args, cwd=family.clone.path)
    assert done.code == 0, (done.out, done.err)
    return done


def state(family: Family) -> str:
    """Return how the Space stands, as status says."""
    found = family.run("status", "--json", cwd=family.clone.path).json()["repos"]
    return next(str(repo["state"]) for repo in found if repo["name"] == "space")


def merged(family: Family, branch: str = "import/space") -> None:
    """Merge the branch into main and push it, as a person does."""
    family.clone.git("merge", "-q", "--no-edit", branch)
    family.push()


@BOTH
def test_a_hotfix_made_in_the_space_comes_home_with_its_authors_name(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    family.synced()
    start = family.clone.tip()
    hotfix = family.edit(
        "Stop at the end\n\nIt read on.\n\nSigned-off-by: Grace <g@example.org>",
        {"training/train.py": "fixed\n", "app.py": "print(1)\n"},
    )
    family.commit("Meanwhile", {"core/src/model.py": text(l3="three")})
    assert state(family) == "diverged"
    before = family.clone.tip()
    done = bring(family)
    assert family.clone.tip() == before
    assert family.clone.git("status", "--porcelain") == ""
    assert f"{hotfix[:10]} " in done.out
    clone = family.clone
    assert clone.parents("import/space") == [start]
    assert clone.git("diff", "--name-only", start, "import/space") == "core/src/train.py"
    assert clone.git("log", "-1", "--format=%B", "import/space").splitlines()[-2:] == [
        "Signed-off-by: Grace <g@example.org>",
        f"Imported-From: {family.space.url}@{hotfix}",
    ]
    people = "%an %ae %ad %cn %ce %cd"
    assert clone.log("import/space", "-1", form=people) == family.space.log(hotfix, "-1", form=people)
    again = bring(family)
    assert "already at" in again.out
    merged(family)
    assert state(family) == "behind"
    assert "Nothing to import" in bring(family).out
    own = family.space.files()
    family.synced()
    assert family.space.files() == {**own, "training/model.py": text(l3="three").encode()}
    assert state(family) == "in sync"
    assert "Nothing to import" in bring(family).out
    assert "up to date" in family.synced().out


def test_only_the_mapped_part_of_a_commit_comes_and_what_is_the_spaces_own_stays(family: Family) -> None:
    family.synced()
    start = family.clone.tip()
    family.edit("Only the app", {"app.py": "print(1)\n", "training/notes.txt": "no map writes this\n"})
    work = family.work
    work.link("training/link.py", "train.py")
    (work.path / "training/train.py").chmod(0o755)
    work.commit("Many", {"training/new.py": b"a\0b", "training/model.py": None, "configs/tiny.json": text(l3="{}")})
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    family.edit("Rename", {"training/new.py": None, "training/newer.py": b"a\0b", "README.md": "mine\n"})
    done = bring(family, "--json").json()
    assert [
        (made["subject"], [(file["path"], file["change"]) for file in made["files"]]) for made in done["commits"]
    ] == [
        (
            "Many",
            [
                ("configs/tiny.json", "added"),
                ("core/src/link.py", "added"),
                ("core/src/model.py", "deleted"),
                ("core/src/new.py", "added"),
                ("core/src/train.py", "modified"),
            ],
        ),
        ("Rename", [("core/src/new.py", "deleted"), ("core/src/newer.py", "added")]),
    ]
    changed = family.clone.git("diff", "--raw", "--no-renames", start, "import/space").splitlines()
    assert [(row.split(" ")[1], row.split("\t")[1]) for row in changed] == [
        ("100644", "configs/tiny.json"),
        ("120000", "core/src/link.py"),
        ("000000", "core/src/model.py"),
        ("100644", "core/src/newer.py"),
        ("100755", "core/src/train.py"),
    ]
    merged(family)
    family.synced()
    assert state(family) == "in sync"


@pytest.mark.slow
@HISTORIES
def test_drift_that_went_through_syncs_comes_home_beside_what_they_brought(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    family.synced()
    start = family.clone.tip()
    first = family.edit("First", {"training/model.py": text(l3="space")})
    here = family.commit("Meanwhile", {"core/src/model.py": text(l15="source"), "docs/guide.md": "more\n"})
    family.synced()
    joint = family.space.tip("main")
    second = family.edit("Second", {"training/model.py": text(l3="space", l15="source", l8="more")})
    bring(family)
    clone = family.clone
    assert clone.log(f"{start}..import/space", form="%s") == [
        "Second",
        f"Join {here[:10]} with what space changed",
        "Meanwhile",
        "First",
    ]
    origins = [
        line.rpartition("@")[2] for line in clone.log("import/space", form="%(trailers:key=Imported-From)") if line
    ]
    assert origins == [second, joint, first]
    assert clone.read("core/src/model.py", "import/space") == family.space.read("training/model.py")
    assert clone.read("docs/guide.md", "import/space") == b"more\n"
    clone.git("merge", "-q", "--ff-only", "import/space")
    family.push()
    assert "no drift" in bring(family).out
    family.synced()
    assert state(family) == "in sync"


@pytest.mark.slow
def test_what_a_person_decided_in_a_conflict_comes_home_too(family: Family) -> None:
    family.synced()
    family.edit("Theirs", {"training/train.py": "theirs\n"})
    family.commit("Ours", {"core/src/train.py": "ours\n"})
    assert family.sync().code == 3
    opened = family.run("sync", "space", "--resolve", cwd=family.clone.path)
    work = Path(opened.out.splitlines()[0].rpartition(" ")[2])
    (work / "training/train.py").write_text("both\n")
    run_git("add", "training/train.py", cwd=work)
    assert family.run("sync", "--yes", "space", "--continue", cwd=family.clone.path).code == 0
    assert bring(family, "--json").json()["overlaps"] == []
    merged(family)
    assert family.clone.read("core/src/train.py") == b"both\n"
    family.synced()
    assert state(family) == "in sync"


def test_a_branch_that_was_merged_in_the_space_stays_one(family: Family) -> None:
    family.synced()
    work = family.work
    work.switch("side", at="HEAD")
    work.commit("On the side", {"training/model.py": text(l3="side")})
    work.switch("main")
    work.commit("On main", {"training/model.py": text(l15="main")})
    work.merge("side", message="Both", files={"training/train.py": "evil\n"})
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    bring(family)
    clone = family.clone
    assert clone.log("main..import/space", "--topo-order") == ["Both", "On the side", "On main"]
    assert len(clone.parents("import/space")) == 2
    assert clone.read("core/src/train.py", "import/space") == b"evil\n"
    assert clone.read("core/src/model.py", "import/space") == text(l3="side", l15="main").encode()


@pytest.mark.slow
def test_what_the_source_cannot_hold_is_refused(family: Family) -> None:
    family.manifest(maps=(("core/src/*.py", "training/"), ("core/src/*.py", "copy/")))
    family.commit("Twice")
    family.synced()
    for files, said in (
        ({"training/train.py": "one of two\n"}, "the maps would make other files of it: copy/train.py"),
        (
            {"training/train.py": "one\n", "copy/train.py": "another\n"},
            "core/src/train.py of the source is written to several places there",
        ),
    ):
        family.edit("Edit", files)
        before = family.persons_own()
        done = family.run("import", "space", cwd=family.clone.path)
        assert (done.code, family.persons_own()) == (3, before)
        assert said in done.err, done.err
    family.edit("Equal", {"training/train.py": "one\n", "copy/train.py": "one\n"})
    bring(family)
    merged(family)
    assert family.clone.read("core/src/train.py") == b"one\n"
    family.synced()
    assert state(family) == "in sync"


def test_a_submodule_and_a_file_in_the_place_of_a_folder_are_refused(family: Family) -> None:
    family.manifest(maps=(("core/src/", "training/"), ("configs/*.json", "deep/")), never=[])
    family.commit("Whole folder", {"configs/x.json/own.txt": "a folder\n"})
    family.synced()
    family.edit("New", {"deep/x.json": "{}\n"})
    done = family.run("import", "space", cwd=family.clone.path)
    assert "configs/x.json is a file on the one side and a folder on the other" in done.err
    work = family.work
    work.git("rm", "-q", "deep/x.json")
    work.git("commit", "-q", "-m", "Away")
    work.git("update-index", "--add", "--cacheinfo", f"160000,{work.tip()},training/sub")
    work.git("commit", "-q", "-m", "Submodule")
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    done = family.run("import", "space", cwd=family.clone.path)
    assert (done.code, "training/sub is a submodule" in done.err) == (3, True), done.err


@pytest.mark.slow
@HISTORIES
def test_a_branch_that_was_squashed_into_the_source_is_not_imported_twice(family: Family, history: str) -> None:
    """GitHub's squash keeps the messages, and so the lines that say what came home; the commits are others."""
    family.manifest(settings=f'history = "{history}"')
    family.synced()
    family.edit("First", {"training/model.py": text(l3="one")})
    family.edit("Second", {"training/model.py": text(l3="one", l8="two")})
    bring(family)
    clone = family.clone
    family.commit("Meanwhile", {"core/src/model.py": text(l15="source")})
    clone.git("merge", "-q", "--squash", "import/space")
    body = clone.git("log", "--reverse", "--format=* %B", "main..import/space")
    family.commit(f"Squashed (#1)\n\n{body}")
    clone.git("branch", "-q", "-D", "import/space")
    assert "no drift" in bring(family).out
    third = family.edit("Third", {"training/model.py": text(l3="one", l8="two", l12="three")})
    bring(family)
    assert clone.log("main..import/space") == ["Third"]
    assert clone.trailers("import/space")["Imported-From"].endswith(third)
    assert (
        clone.read("core/src/model.py", "import/space") == text(l3="one", l8="two", l12="three", l15="source").encode()
    )
    merged(family)
    family.synced()
    assert (state(family), family.space.read("training/model.py")) == ("in sync", clone.read("core/src/model.py"))


@pytest.mark.parametrize("taken", ["squashed and changed in review", "not merged, and others changed the same lines"])
def test_an_import_does_not_conflict_with_itself(family: Family, taken: str) -> None:
    """GitHub can squash under the title alone; then only what the commit has tells what it was made of."""
    family.synced()
    family.edit("First", {"training/model.py": text(l3="one", l5="two")})
    family.edit("Second", {"training/model.py": text(l3="one", l5="two", l8="three")})
    bring(family)
    if taken.startswith("squashed"):
        family.clone.git("merge", "-q", "--squash", "import/space")
        family.commit("Better (#1)", {"core/src/model.py": text(l3="one", l5="two", l8="three, better")})
        assert "training/model.py of space was imported, and the source took that over" in family.synced().out
        assert (state(family), family.space.read("training/model.py")) == (
            "in sync",
            family.clone.read("core/src/model.py"),
        )
        assert "no drift" in bring(family).out
    else:
        family.commit("On its own", {"core/src/model.py": text(l3="one", l8="else")})
        stopped = family.sync("--yes")
        assert (stopped.code, "training/model.py: modified in the source, modified in" in stopped.out) == (3, True)


@pytest.mark.slow
def test_what_the_source_undoes_after_an_import_is_undone_in_the_space(family: Family) -> None:
    family.synced()
    family.edit("Bad idea", {"training/train.py": "bad\n"})
    bring(family)
    merged(family)
    family.clone.git("revert", "--no-edit", "HEAD")
    family.push()
    family.synced()
    assert family.space.read("training/train.py") == b"train\n"


@pytest.mark.slow
def test_who_takes_over_a_later_commit_alone_has_not_brought_the_earlier_home(family: Family) -> None:
    family.synced()
    family.edit("First", {"training/train.py": "first\n"})
    family.edit("Second", {"training/model.py": text(l3="second")})
    bring(family)
    family.clone.git("cherry-pick", "import/space")
    family.push()
    family.synced()
    assert family.space.read("training/train.py") == b"first\n"
    assert state(family) == "drift"


@pytest.mark.slow
def test_a_commit_that_meets_other_lines_of_a_squashed_import_stops(family: Family) -> None:
    family.synced()
    family.edit("First", {"training/model.py": text(l3="one")})
    bring(family)
    line = family.clone.git("log", "-1", "--format=%B", "import/space").splitlines()[-1]
    family.commit(f"Taken over, and better\n\n{line}", {"core/src/model.py": text(l3="better")})
    family.edit("Second", {"training/model.py": text(l3="worse")})
    before = family.persons_own()
    done = family.run("import", "space", cwd=family.clone.path)
    assert (done.code, family.persons_own()) == (3, before)
    assert "does not go together with what the source has by now: training/model.py" in done.err
    assert "next: openllm-repos sync space  #" in done.err
    stopped = family.sync("--yes")
    assert (stopped.code, "next: openllm-repos sync space --resolve" in stopped.out) == (3, True)


@pytest.mark.slow
def test_a_source_that_was_rewritten_is_synced_first(family: Family) -> None:
    family.synced()
    family.edit("Fix", {"training/train.py": "fixed\n"})
    family.clone.git("commit", "-q", "--amend", "-m", "Start anew")
    family.clone.git("reset", "-q", "--soft", family.clone.git("commit-tree", "-m", "Another root", "HEAD^{tree}"))
    family.commit("On it", {"core/src/model.py": text(l3="new")})
    done = family.run("import", "space", cwd=family.clone.path)
    assert (done.code, "which main no longer has" in done.err) == (3, True)
    assert "openllm-repos sync space" in done.err
    family.synced()
    bring(family)
    merged(family)
    family.synced()
    assert state(family) == "in sync"
    assert family.clone.read("core/src/train.py") == b"fixed\n"


@pytest.mark.slow
def test_new_maps_bring_their_files_and_no_deletion_home(family: Family) -> None:
    family.synced()
    family.edit("Fix", {"training/train.py": "fixed\n"})
    family.manifest(maps=(("core/src/*.py", "training/"), ("configs/*.json", "settings/")))
    family.commit("Maps")
    bring(family)
    assert family.clone.git("diff", "--name-only", "HEAD^", "import/space") == "core/src/train.py"
    merged(family)
    family.synced()
    assert state(family) == "in sync"


@pytest.mark.slow
def test_odd_people_and_messages_come_as_they_are_and_forge_nothing(family: Family) -> None:
    family.synced()
    work = family.work
    zero = "0" * 40
    message = f"Fix\n\nProjected-Commit: {zero}\nImported-From: {family.space.url}@{zero}\n\x1b[31m".encode()
    (work.path / "training/train.py").write_text("1\n")
    work.git("add", "-A")
    tree = work.git("write-tree")
    raw = b"tree %b\nparent %b\nauthor  <> 1700000000 +0000\ncommitter Zo\xeb <z@e> 5 -0000\nencoding ISO-8859-1\n\n"
    odd = raw % (tree.encode(), work.tip().encode()) + message + b" caf\xe9\n"
    made = work.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", data=odd)
    work.git("reset", "-q", "--hard", made)
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    (work.path / "training/model.py").write_text(text(l3="no words"))
    work.git("commit", "-q", "-a", "--allow-empty-message", "-m", "")
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    done = bring(family)
    assert "\x1b" not in done.out
    raw_made = family.clone.run("cat-file", "commit", "import/space^").out_bytes
    assert b"author  <> 1700000000 +0000\ncommitter Zo\xc3\xab <z@e> 5 +0000\n\nFix\n\n> Projected-Commit: " in raw_made
    assert b"\n> Imported-From: " in raw_made
    assert raw_made.endswith(f" caf\u00e9\n\nImported-From: {family.space.url}@{made}\n".encode())
    family.clone.fsck()
    merged(family)
    family.synced()
    assert state(family) == "in sync"


@pytest.mark.slow
def test_a_dry_run_makes_the_same_ids_and_leaves_everything_as_it_was(family: Family) -> None:
    family.synced()
    family.edit("Fix", {"training/train.py": "fixed\n"})
    before = family.everything()
    planned = bring(family, "--dry-run", "--json").json()
    assert family.everything() == before
    assert bring(family, "--json").json()["tip"] == planned["tip"] == family.clone.tip("import/space")


@pytest.mark.slow
def test_a_branch_in_use_is_not_moved_under_a_person(family: Family) -> None:
    family.synced()
    family.edit("Fix", {"training/train.py": "fixed\n"})
    bring(family)
    family.clone.switch("import/space")
    family.edit("Another", {"training/train.py": "again\n"})
    done = family.run("import", "space", cwd=family.clone.path)
    assert (done.code, "import/space is checked out" in done.err) == (3, True)
    family.clone.switch("main")
    assert "is now at" in bring(family).out
    assert family.run("import", "space", "--branch", "main", cwd=family.clone.path).code == 2


@pytest.mark.slow
def test_killed_anywhere_the_same_command_finishes(family: Family, shim: GitShim, run_tool: RunTool) -> None:
    family.synced()
    family.edit("Fix", {"training/train.py": "fixed\n"})
    tip = bring(family, "--dry-run", "--json").json()["tip"]
    shim.disarm()
    bring(family)
    for number in range(2, len(shim.calls()) + 1, 6):
        family.clone.git("branch", "-q", "-D", "import/space")
        shim.arm(number, Fault.KILL_AFTER)
        assert run_tool("import", "space", cwd=family.clone.path).code == -9
        shim.disarm()
        bring(family)
        assert family.clone.tip("import/space") == tip


def test_a_file_that_a_map_renames_goes_home_under_its_own_name(family: Family) -> None:
    family.manifest(maps=(("core/src/*.py", "training/"), ("configs/small.json", "settings.json")))
    family.synced()
    family.edit("Settings", {"settings.json": "[1]\n"})
    bring(family)
    assert family.clone.read("configs/small.json", "import/space") == b"[1]\n"


def test_a_space_that_git_subtree_pushes_to_is_imported_from_as_well(family: Family) -> None:
    family.manifest(maps=(("core/src/", "."),), owned=[])
    family.commit("Whole folder")
    split = family.run("split", "core/src/", cwd=family.clone.path).out.strip()
    family.clone.push(family.space.url, f"{split}:refs/heads/main")
    family.edit("Fix", {"train.py": "fixed\n"})
    family.commit("Not pushed yet by anybody")
    family.clone.commit("Only here", {"docs/here.md": "here\n"})
    assert bring(family, "--json").json()["source"]["commit"] == family.clone.tip()
    assert family.clone.git("diff", "--name-only", "import/space^", "import/space") == "core/src/train.py"


def test_a_branch_that_was_renamed_in_the_space_is_missing_not_empty(family: Family) -> None:
    family.synced()
    family.edit("Fix", {"training/train.py": "fixed\n"})
    family.space.git("branch", "-m", "main", "trunk")
    done = family.run("import", "space", cwd=family.clone.path)
    assert (done.code, "space has no branch main, but it has trunk." in done.err) == (2, True), done.err


def test_what_cannot_be_asked_is_said(family: Family) -> None:
    assert "Nothing to import: space is empty." in bring(family).out
    family.commit("More", {"core/src/more.py": "more\n"})
    family.synced()
    family.edit("Fix", {"training/train.py": "fixed\n"})
    family.origin.path.rename(family.folder / "away.git")
    assert "note: main is unreachable" in bring(family).out
    family.clone.git("reset", "-q", "--hard", "HEAD^")  # a clone that lags, for all that is known
    done = family.run("import", "space", cwd=family.clone.path)
    assert (done.code, "main is unreachable" in done.err, "bring that back" in done.err) == (30, True, False)
    family.space.path.rename(family.folder / "gone.git")
    done = family.run("import", "space", cwd=family.clone.path)
    assert (done.code, "space is unreachable" in done.err) == (30, True)
