"""Source and Space both change: what is merged, what is a conflict, and what is the Space's alone."""

from __future__ import annotations

import pytest

from tests.support.family import START, Family, text
from tests.support.process import Result
from tests.support.repositories import GRACE, Clone

pytestmark = pytest.mark.usefixtures("synced_once")


@pytest.fixture
def synced_once(family: Family) -> None:
    """Start from a Space with its own files that was synced once."""
    family.edit("My Space", {"app.py": "app\n", "README.md": "card\n", ".gitattributes": "*.bin filter=lfs\n"})
    family.synced()


def _stopped(family: Family, *args: str) -> Result:
    """Sync; it must stop with exit code 3 and change nothing here or there."""
    before = family.persons_own()
    done = family.sync(*args)
    assert done.code == 3, (done.out, done.err)
    assert family.persons_own() == before
    assert not family.unfinished()
    return done


def test_an_edit_in_the_space_and_a_change_in_the_source_both_survive(family: Family) -> None:
    edit = family.edit("Fix on the Space", {"training/model.py": text(l20="from the Space")})
    family.commit("Source goes on", {"core/src/model.py": text(l1="from the source")})
    done = family.synced()
    assert family.space.read("training/model.py") == text(l1="from the source", l20="from the Space").encode()
    assert "kept: 1 file that space changed itself" in done.out
    assert family.space.parents("main")[0] == edit
    assert "up to date; 1 drifted file there" in family.synced().out


@pytest.mark.slow
def test_an_edit_in_the_space_survives_many_syncs(family: Family) -> None:
    family.edit("Fix on the Space", {"training/model.py": text(l20="from the Space")})
    for number in range(1, 4):
        family.commit(f"Step {number}", {"core/src/model.py": text(l1=f"step {number}")})
        family.synced()
        assert family.space.read("training/model.py") == text(l1=f"step {number}", l20="from the Space").encode()


@pytest.mark.slow
def test_the_space_makes_the_same_change_as_the_source(family: Family) -> None:
    family.edit("Same fix", {"training/train.py": "fixed\n"})
    family.commit("Same fix", {"core/src/train.py": "fixed\n"})
    family.synced()
    assert family.synced().out.endswith("space: up to date\n")


def test_a_conflict_names_every_path_and_both_sides_and_changes_nothing(family: Family) -> None:
    family.edit("Mine", {"training/train.py": "mine\n", "training/new.py": "mine\n", "configs/small.json": None})
    family.commit("Yours", {"core/src/train.py": "yours\n", "core/src/new.py": "yours\n", "configs/small.json": "[]\n"})
    done = _stopped(family)
    lines = done.out.splitlines()
    assert "  training/train.py: modified in the source, modified in the target" in lines
    assert "  training/new.py: added in the source, added in the target" in lines
    assert "  configs/small.json: modified in the source, deleted in the target" in lines
    (following,) = [line for line in lines if line.startswith("  next: ")]
    assert following.startswith(
        "  next: openllm-repos sync space --resolve  # or take one side of a file: --keep-target"
    )
    (space,) = family.sync("--json").json()["targets"]
    assert (space["action"], space["exit_code"]) == ("stopped", 3)
    found = [(one["path"], one["source"], one["target"]) for one in space["conflicts"]]
    assert ("training/train.py", "modified", "modified") in found


@pytest.mark.slow
def test_a_file_the_space_edited_and_the_source_deleted_is_a_conflict(family: Family) -> None:
    family.edit("Mine", {"training/train.py": "mine\n"})
    family.commit("Gone", {"core/src/train.py": None})
    done = _stopped(family)
    assert "  training/train.py: deleted in the source, modified in the target" in done.out.splitlines()


@pytest.mark.slow
def test_a_folder_of_the_space_in_the_place_of_a_new_file_stops_the_sync(family: Family) -> None:
    family.edit("A folder", {"training/extra.py/inner.txt": "mine\n"})
    family.commit("A file", {"core/src/extra.py": "yours\n"})
    done = _stopped(family)
    assert "training/extra.py is added in the source, but space has files of its own in that place" in done.out


def test_a_file_of_the_space_in_the_place_of_a_mapped_folder_stops_the_sync(family: Family) -> None:
    family.edit("Training is a file", {"training": "mine\n"}, removed=["training"])
    family.commit("On", {"core/src/new.py": "yours\n"})
    done = _stopped(family)
    assert "training/new.py is added in the source, but space has files of its own in that place" in done.out


@pytest.mark.slow
def test_a_folder_of_the_space_in_the_place_of_an_unchanged_file_is_no_conflict(family: Family) -> None:
    family.edit("A folder", {"training/train.py/inner.txt": "mine\n"}, removed=["training/train.py"])
    family.commit("On", {"core/src/model.py": text(l1="on")})
    family.synced()
    assert family.space.read("training/train.py/inner.txt") == b"mine\n"
    assert family.space.read("training/model.py") == text(l1="on").encode()


@pytest.mark.slow
def test_a_file_and_a_folder_that_are_both_mapped_are_a_conflict_in_their_own_name(family: Family) -> None:
    family.manifest(maps=[("core/src/", "training/")])
    family.commit("Whole folder")
    family.edit("A folder", {"training/extra/inner.txt": "mine\n"})
    family.commit("A file", {"core/src/extra": "yours\n"})
    done = _stopped(family)
    assert "  training/extra: a file in the source, a folder in the target" in done.out.splitlines()


@pytest.mark.slow
def test_a_file_deleted_in_the_source_is_deleted_in_the_space(family: Family) -> None:
    family.commit("Gone", {"core/src/train.py": None})
    assert "  D training/train.py" in family.synced().out
    assert "training/train.py" not in family.space.paths()
    assert family.space.read("training/model.py") == START["core/src/model.py"].encode()


@pytest.mark.slow
def test_all_mapped_folders_deleted_in_the_source_leaves_the_spaces_own_files(family: Family) -> None:
    family.commit("All gone", {"core/src/train.py": None, "core/src/model.py": None, "configs/small.json": None})
    family.synced("--allow-empty", "core/src/*.py", "--allow-empty", "configs/*.json")
    assert family.space.paths() == [".gitattributes", "README.md", "app.py"]
    family.commit("Back", {"core/src/model.py": "back\n"})
    family.synced()
    assert family.space.read("training/model.py") == b"back\n"


@pytest.mark.slow
def test_a_file_renamed_in_the_source_is_renamed_in_the_space_and_an_edit_follows(family: Family) -> None:
    family.edit("Mine", {"training/model.py": text(l20="from the Space")})
    family.commit("Renamed", {"core/src/model.py": None, "core/src/network.py": text(l2="from the source")})
    family.synced()
    assert family.space.read("training/network.py") == text(l2="from the source", l20="from the Space").encode()
    assert "training/model.py" not in family.space.paths()


@pytest.mark.slow
def test_owned_files_stay_byte_for_byte_though_a_rename_points_at_them(family: Family) -> None:
    family.edit("Moved to app.py", {"training/model.py": None, "app.py": text()})
    family.commit("Edit", {"core/src/model.py": text(l3="from the source")})
    done = _stopped(family)
    assert "  training/model.py: modified in the source, deleted in the target" in done.out.splitlines()
    assert family.space.read("app.py") == text().encode()


@pytest.mark.slow
def test_a_file_moved_out_of_the_mapped_folders_does_not_follow_the_source(family: Family) -> None:
    family.edit("Moved", {"training/model.py": None, "lib/model.py": text()})
    family.commit("Another", {"core/src/train.py": "more\n"})
    family.synced()
    assert family.space.read("lib/model.py") == text().encode()
    assert "training/model.py" not in family.space.paths()
    assert family.space.read("training/train.py") == b"more\n"


@pytest.mark.slow
def test_the_spaces_own_files_stay_as_they_are(family: Family) -> None:
    family.edit("Own", {"app.py": "app 2\n", "notes/x.txt": "x\n", "training/notes.txt": "no .py\n"})
    family.commit("On", {"core/src/train.py": "on\n"})
    done = family.synced()
    assert "kept" not in done.out
    files = family.space.files()
    assert (files["app.py"], files["notes/x.txt"], files["training/notes.txt"]) == (b"app 2\n", b"x\n", b"no .py\n")
    assert (files["README.md"], files[".gitattributes"]) == (b"card\n", b"*.bin filter=lfs\n")


@pytest.mark.slow
def test_a_gitattributes_of_the_space_has_no_say_in_the_merge(family: Family) -> None:
    family.edit("Ours", {".gitattributes": "*.py merge=ours text eol=crlf\n", "training/model.py": text(l20="mine")})
    family.commit("Yours", {"core/src/model.py": text(l1="yours")})
    family.synced()
    assert family.space.read("training/model.py") == text(l1="yours", l20="mine").encode()


@pytest.mark.slow
def test_drift_that_the_space_takes_back_is_gone(family: Family) -> None:
    family.edit("Mine", {"training/train.py": "mine\n"})
    assert "1 drifted file there" in family.synced().out
    family.edit("Taken back", {"training/train.py": "train\n"})
    assert family.synced().out.endswith("space: up to date\n")
    family.commit("On", {"core/src/train.py": "on\n"})
    assert "kept" not in family.synced().out
    assert family.space.read("training/train.py") == b"on\n"


@pytest.mark.slow
def test_drift_can_be_refused(family: Family) -> None:
    family.manifest(settings='drift = "refuse"')
    family.commit("No drift", {"core/src/model.py": text(l1="on")})
    family.synced()
    family.edit("Mine", {"training/model.py": text(l1="on", l20="mine"), "training/own.py": "mine\n"})
    family.commit("On", {"core/src/train.py": "on\n"})
    done = _stopped(family)
    assert 'space has drifted: 2 mapped files changed there, and its manifest says drift = "refuse".' in done.out
    assert "  space itself changed:\n  M training/model.py\n  A training/own.py\n" in done.out
    family.edit("Taken back", {"training/model.py": text(l1="on"), "training/own.py": None})
    family.synced()
    assert family.space.read("training/train.py") == b"on\n"


@pytest.mark.slow
def test_drift_without_anything_new_in_the_source_is_told_and_left(family: Family) -> None:
    edit = family.edit("Mine", {"training/train.py": "mine\n"})
    (space,) = family.synced("--json").json()["targets"]
    assert space["drift"] == {"commits": [edit], "files": [{"path": "training/train.py", "change": "modified"}]}
    assert family.space.tip("main") == edit


def test_drift_that_the_source_took_over_by_hand_is_no_drift_any_more(family: Family) -> None:
    family.edit("Mine", {"training/train.py": "mine\n"})
    family.commit("Take it over", {"core/src/train.py": "mine\n"})
    assert "kept" not in family.synced().out
    assert family.synced().out.endswith("space: up to date\n")


@pytest.mark.slow
def test_a_sync_that_was_reverted_in_the_space_is_drift_and_stays_reverted(family: Family) -> None:
    family.commit("Bad idea", {"core/src/train.py": "bad\n"})
    family.synced()
    work = family.work
    work.git("revert", "--no-edit", "-m", "1", "HEAD")
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    family.commit("Something else", {"core/src/model.py": text(l1="on")})
    family.synced()
    assert family.space.read("training/train.py") == b"train\n"
    assert family.space.read("training/model.py") == text(l1="on").encode()


@pytest.mark.slow
def test_a_pull_in_the_space_clone_that_merged_a_sync_is_no_drift(family: Family) -> None:
    work = family.work
    work.commit("Own work", {"app.py": "app 2\n"}, author=GRACE)
    family.commit("On", {"core/src/train.py": "on\n"})
    family.synced()
    work.git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    assert family.synced().out.endswith("space: up to date\n")
    family.commit("On", {"core/src/train.py": "on and on\n"})
    assert "kept" not in family.synced().out
    assert family.space.read("app.py") == b"app 2\n"


@pytest.mark.slow
def test_a_file_that_becomes_a_folder_and_a_folder_that_becomes_a_file(family: Family) -> None:
    family.manifest(maps=[("core/", "core/")])
    family.commit("Whole folder", {"core/tool": "tool\n", "core/kit/one": "one\n"})
    family.synced()
    family.clone.git("rm", "-rq", "core/tool", "core/kit")
    family.commit("The other way round", {"core/tool/inner": "tool\n", "core/kit": "one\n"})
    out = family.synced().out.splitlines()
    assert {"  D core/tool", "  A core/tool/inner", "  A core/kit", "  D core/kit/one"} <= set(out)
    files = family.space.files()
    assert (files["core/tool/inner"], files["core/kit"]) == (b"tool\n", b"one\n")
    assert family.synced().out.endswith("space: up to date\n")


def _with_old_modes(repository: Clone) -> str:
    """Commit what HEAD has once more, with the mode that early gits gave to group-writable files."""

    def rewritten(tree: str) -> str:
        rows = []
        for row in repository.git("ls-tree", "-z", tree).split("\0")[:-1]:
            (mode, kind, found), name = row.partition("\t")[0].split(), row.partition("\t")[2]
            mode, found = ("40000", rewritten(found)) if kind == "tree" else ("100664", found)
            rows.append(f"{mode} {name}\0".encode() + bytes.fromhex(found))
        return repository.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=b"".join(rows))

    made = repository.git("commit-tree", rewritten("HEAD^{tree}"), "-p", "HEAD", "-m", "Old modes")
    repository.git("reset", "-q", "--soft", made)
    return made


@pytest.mark.slow
def test_modes_of_old_gits_are_no_drift_and_in_nobodys_way(family: Family) -> None:
    """git reads 100664 as 100644, and a merge writes it so."""
    family.edit("My Space", {"app.py": "app\n"})
    family.work.git("push", "-q", "--force", "origin", f"{_with_old_modes(family.work)}:refs/heads/main")
    family.synced()
    family.commit("Yours", {"core/src/model.py": text(l1="yours")})
    _with_old_modes(family.clone)
    family.push()
    family.edit("Mine", {"training/train.py": "mine\n"})
    done = family.synced()
    assert "kept: 1 file" in done.out
    assert "training/train.py" in done.out
    assert family.space.read("training/model.py") == text(l1="yours").encode()
    assert family.space.read("app.py") == b"app\n"
    assert "up to date; 1 drifted file there" in family.synced().out
