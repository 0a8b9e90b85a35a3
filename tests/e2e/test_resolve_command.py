"""`sync TARGET --resolve`: source and Space changed the same line, and a person settles it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.family import text
from tests.support.process import Result, run_git
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from tests.support.family import Family


@pytest.fixture
def torn(family: Family) -> Family:
    """Return a family whose source and Space both changed line 3 of a file, differently."""
    family.synced("--yes")
    family.edit("Space: its own line 3", {"training/model.py": text(l3="space")})
    family.commit("Source: another line 3", {"core/src/model.py": text(l3="source")})
    return family


def opened(family: Family) -> Path:
    """Open the merge and return its work tree."""
    done = family.sync("space", "--resolve")
    assert done.code == 0, done.err
    assert "training/model.py" in done.out
    state = family.clone.path / ".git/openllm-repos/resolve/space.json"
    return Path(json.loads(state.read_text())["path"])


@pytest.mark.slow
def test_the_conflict_names_the_command_that_settles_it(torn: Family) -> None:
    done = torn.sync("--yes")
    assert done.code == 3
    assert "training/model.py: modified in the source, modified in the target" in done.out
    assert "next: openllm-repos sync space --resolve  # or" in done.out


def test_a_settled_merge_is_pushed_with_both_histories(torn: Family) -> None:
    """The person edits the file in the work tree, adds it, and carries on: one merge commit, nothing left over."""
    before, head = torn.space.tip("main"), torn.clone.tip("HEAD")
    folder = opened(torn)
    assert "<<<<<<<" in (folder / "training/model.py").read_text()
    (folder / "training/model.py").write_text(text(l3="both"))
    run_git("add", "training/model.py", cwd=folder)
    done = torn.sync("space", "--continue", "--yes")
    assert done.code == 0, done.err
    assert torn.space.read("training/model.py").decode() == text(l3="both")
    assert torn.space.parents("main")[0] == before
    assert torn.space.trailers("main")["Source-Commit"] == head
    assert not folder.exists()
    assert torn.clone.tip("HEAD") == head
    assert len(torn.clone.git("worktree", "list").splitlines()) == 1
    assert "up to date" in torn.sync("--yes").out


def test_carrying_on_too_early_says_which_files_are_not_settled(torn: Family) -> None:
    folder = opened(torn)
    before = torn.space.tip("main")
    done = torn.sync("space", "--continue", "--yes")
    assert done.code == 3
    assert "Not settled yet: training/model.py" in done.err
    (folder / "training/model.py").write_text(text(l3="both"))
    run_git("add", "training/model.py", cwd=folder)
    (folder / "training/train.py").write_text("changed, but not added\n")
    assert "Not settled yet: training/train.py" in torn.sync("space", "--continue", "--yes").err
    assert torn.space.tip("main") == before


def test_only_mapped_files_may_be_changed_while_settling(torn: Family) -> None:
    """An edit of the Space's own app.py in that work tree is refused: it is not the source's to write."""
    folder = opened(torn)
    (folder / "training/model.py").write_text(text(l3="both"))
    (folder / "app.py").write_text("slipped in\n")
    run_git("add", "--all", cwd=folder)
    done = torn.sync("space", "--continue", "--yes")
    assert done.code == 3
    assert "app.py, which belongs to the target" in done.err


@pytest.mark.slow
def test_a_dropped_merge_leaves_nothing(torn: Family) -> None:
    """No work tree, no ref, no note, no memory of what was not settled: only objects that nothing needs."""

    def all_but_objects() -> dict[str, str]:
        return {path: seen for path, seen in torn.everything().items() if not path.startswith("clone/.git/objects/")}

    torn.sync("--dry-run")  # opens the clone's memory of projections, which later runs only read
    assert torn.sync("space").code == 3
    before = all_but_objects()
    folder = opened(torn)
    assert torn.sync("space", "--abort").code == 0
    assert not folder.exists()
    assert not folder.parent.exists()
    assert all_but_objects() == before
    assert torn.sync("space", "--abort").code == 2


@pytest.mark.slow
def test_the_persons_own_merge_tool_works_in_the_work_tree(torn: Family) -> None:
    """`git mergetool` gets the three versions of the file, and what it writes is what is pushed."""
    folder = opened(torn)
    tool = 'sed "s/^space$/both/" "$LOCAL" > "$MERGED"; grep -q "^source$" "$REMOTE" && grep -q "^line 3$" "$BASE"'
    settings = ("-c", f"mergetool.mine.cmd={tool}", "-c", "mergetool.mine.trustExitCode=true")
    run_git(*settings, "-c", "mergetool.keepBackup=false", "mergetool", "--no-prompt", "--tool=mine", cwd=folder)
    assert torn.sync("space", "--continue", "--yes").code == 0
    assert torn.space.read("training/model.py").decode() == text(l3="both")


def settle(family: Family, folder: Path) -> None:
    (folder / "training/model.py").write_text(text(l3="both"))
    run_git("add", "training/model.py", cwd=folder)
    assert family.clone.git("worktree", "list").count("\n") == 1


def test_what_was_settled_once_is_settled_the_next_time(torn: Family) -> None:
    """The Space moved before --continue: started again, the file is filled in as before, shown, and then pushed.

    A plain sync says that it knows, and does not push what nobody has looked at in its new place.
    """
    folder = opened(torn)
    settle(torn, folder)
    torn.edit("Space: another edit", {"app.py": "new\n", "training/train.py": "theirs\n"})
    assert torn.sync("space", "--continue", "--yes").code == 3
    assert torn.sync("space", "--abort").code == 0
    assert not (torn.clone.path / ".git/rr-cache").exists()  # it would switch rerere on for the person's own merges
    stopped = torn.sync("--yes")
    assert stopped.code == 3
    assert "modified in the target; settled before" in stopped.out
    assert "--resolve  # to take over what was settled before, then --continue" in stopped.out
    again = torn.sync("space", "--resolve")
    assert "  settled as before: training/model.py" in again.out
    assert "hint: Look at what was settled there.\nnext: openllm-repos sync space --continue" in again.out
    note = json.loads((torn.clone.path / ".git/openllm-repos/resolve/space.json").read_text())
    assert (Path(note["path"]) / "training/model.py").read_text() == text(l3="both")
    assert torn.sync("space", "--continue", "--yes").code == 0
    assert torn.space.read("training/model.py").decode() == text(l3="both")
    assert torn.space.read("training/train.py") == b"theirs\n"


@pytest.mark.slow
def test_a_second_target_with_the_same_conflict(torn: Family) -> None:
    other = Bare.init(torn.folder / "other.git")
    entry = f'[repos.other]\nurl = "{other.url}"\n[[repos.other.map]]\nfrom = "core/src/*.py"\nto = "code/"'
    torn.manifest(more=entry)
    first = torn.clone.tip("HEAD~1")
    assert torn.sync("other", "--rev", first).code == 0
    work = Clone.of(other.url, torn.folder / "other-work")
    work.commit("The same edit", {"code/model.py": text(l3="space")})
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    settle(torn, opened(torn))
    assert torn.sync("space", "--continue", "--yes").code == 0
    (_, stopped) = torn.sync("--json").json()["targets"]
    assert [conflict["remembered"] for conflict in stopped["conflicts"]] == [True]
    assert "settled as before: code/model.py" in torn.sync("other", "--resolve").out
    assert torn.sync("other", "--continue", "--yes").code == 0
    assert other.read("code/model.py").decode() == text(l3="both")


@pytest.mark.slow
def test_who_settles_it_another_way_the_second_time_is_remembered_for_that(torn: Family) -> None:
    settle(torn, opened(torn))
    for words in ("better", "best"):
        torn.edit(f"Space: not {words}", {"app.py": f"{words}\n"})
        assert torn.sync("space", "--continue", "--yes").code == 3
        assert torn.sync("space", "--abort").code == 0
        folder = opened(torn)
        (folder / "training/model.py").write_text(text(l3=words))
        run_git("add", "training/model.py", cwd=folder)
    torn.edit("Space: once more", {"app.py": "more\n"})
    assert torn.sync("space", "--continue", "--yes").code == 3
    assert torn.sync("space", "--abort").code == 0
    assert "settled as before" in torn.sync("space", "--resolve").out
    assert torn.sync("space", "--continue", "--yes").code == 0
    assert torn.space.read("training/model.py").decode() == text(l3="best")


@pytest.mark.slow
def test_a_memory_that_the_person_keeps_is_used_and_stays_where_it_is(torn: Family) -> None:
    """Who has rerere on for their own merges has one memory for both."""
    memory = torn.clone.path / ".git/rr-cache"
    memory.mkdir()
    settle(torn, opened(torn))
    assert torn.sync("space", "--continue", "--yes").code == 0
    assert len(list(memory.glob("*/postimage"))) == 1
    assert not (torn.clone.path / ".git/openllm-repos/rr-cache").exists()


@pytest.mark.slow
def test_a_space_that_moved_meanwhile_is_merged_anew(torn: Family) -> None:
    folder = opened(torn)
    torn.edit("Space: another edit", {"app.py": "new\n"})
    (folder / "training/model.py").write_text(text(l3="both"))
    run_git("add", "training/model.py", cwd=folder)
    done = torn.sync("space", "--continue", "--yes")
    assert done.code == 3
    assert "space has moved since the merge was opened" in done.err
    assert "next: openllm-repos sync space --abort\nnext: openllm-repos sync space --resolve" in done.err


def test_a_work_tree_that_was_deleted_by_hand_is_told(torn: Family) -> None:
    folder = opened(torn)
    shutil.rmtree(folder)
    done = torn.sync("space", "--continue", "--yes")
    assert done.code == 2
    assert "is gone" in done.err
    assert torn.sync("space", "--abort").code == 0
    assert opened(torn).exists()


def test_without_a_conflict_there_is_nothing_to_settle(family: Family) -> None:
    family.synced("--yes")
    done = family.sync("space", "--resolve")
    assert (done.code, "has no conflict to settle" in done.err) == (2, True)
    family.commit("Source alone", {"core/src/model.py": text(l3="source")})
    assert "has no conflict to settle" in family.sync("space", "--resolve").err


def test_one_merge_at_a_time(torn: Family) -> None:
    opened(torn)
    again = torn.sync("space", "--resolve")
    assert again.code == 2
    assert "is open already" in again.err
    stopped = torn.sync("space", "--yes")
    assert stopped.code == 3
    assert "--resolve" not in stopped.out + stopped.err
    assert "next: openllm-repos sync space --continue  # once all is settled" in stopped.out + stopped.err


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--resolve",), ("space", "--resolve", "--dry-run"), ("main", "--resolve")])
def test_options_that_make_no_sense_are_refused(torn: Family, options: tuple[str, ...]) -> None:
    done = torn.sync(*options)
    assert done.code == 2
    assert done.err.startswith("error: ")


@pytest.mark.slow
def test_settling_in_a_squashed_target(torn: Family) -> None:
    """With one commit a sync, the settled merge is that one commit."""
    torn.manifest(settings='history = "squash"')
    folder = opened(torn)
    (folder / "training/model.py").write_text(text(l3="both"))
    run_git("add", "training/model.py", cwd=folder)
    before = torn.space.tip("main")
    assert torn.sync("space", "--continue", "--yes").code == 0
    assert torn.space.parents("main") == [before]
    assert torn.space.read("training/model.py").decode() == text(l3="both")


def carry_on(family: Family, *more: str) -> Result:
    """Carry on with whatever is in the work tree; the Space must not move where that is refused."""
    before = family.space.tips()
    done = family.sync("space", "--continue", "--yes", *more)
    assert done.code in {0, 3}, done.err
    assert done.code == 0 or family.space.tips() == before
    return done


def test_a_file_that_was_added_with_its_conflict_markers_never_reaches_the_space(torn: Family) -> None:
    """`git add` of the untouched file, or of one that was settled in part: refused by name, until it is whole."""
    folder = opened(torn)
    file = folder / "training/model.py"
    marked = file.read_text()
    assert [line for line in marked.splitlines() if line[:7] in {"<<<<<<<", ">>>>>>>"}] == [
        "<<<<<<< space",
        ">>>>>>> main",
    ]
    halves = [
        marked,
        marked.replace("<<<<<<< space\n", ""),
        marked.replace("<<<<<<< space\n", "").replace(">>>>>>> main\n", ""),
        marked.replace("=======\n", "").replace(">>>>>>> main\n", ""),
    ]
    for half in halves:
        file.write_text(half)
        run_git("add", "training/model.py", cwd=folder)
        done = carry_on(torn)
        assert (done.code, "Conflict markers are left in training/model.py" in done.err) == (3, True), half
        assert f"Edit them away in {folder}" in done.err
    assert not list((torn.clone.path / ".git/openllm-repos").glob("rr-cache/*/postimage*"))  # nor is it remembered
    file.write_text(text(l3="both"))
    run_git("add", "training/model.py", cwd=folder)
    assert carry_on(torn).code == 0
    assert torn.space.read("training/model.py").decode() == text(l3="both")


GUIDE = "Solve it:\n\n<<<<<<< HEAD\nmine\n=======\nyours\n>>>>>>> main\n\nInstall\n=======\n"


@pytest.mark.slow
def test_a_text_about_conflicts_keeps_its_markers(family: Family) -> None:
    """What both sides had stays, in a merge by git and in one by hand; and a heading may be underlined anew."""
    family.commit("A guide", {"core/src/guide.py": GUIDE + text()})
    family.synced("--yes")
    family.edit("Space: two lines", {"training/guide.py": GUIDE + text(l3="space", l20="space")})
    family.commit("Source: a line", {"core/src/guide.py": "first\n" + GUIDE + text()})
    family.synced("--yes")
    source = text(l3="source", l9="History").replace("line 10", "=======")
    family.commit("Source: line 3, a heading", {"core/src/guide.py": "first\n" + GUIDE + source})
    assert family.sync("space", "--resolve").code == 0
    folder = Path(json.loads((family.clone.path / ".git/openllm-repos/resolve/space.json").read_text())["path"])
    file = folder / "training/guide.py"
    assert file.read_text().startswith("first\n" + GUIDE)
    run_git("add", "training/guide.py", cwd=folder)
    assert "Conflict markers are left in training/guide.py" in carry_on(family).err
    settled = "first\n" + GUIDE + "License\n=======\n" + source
    file.write_text(settled)
    run_git("add", "training/guide.py", cwd=folder)
    assert carry_on(family).code == 0
    assert family.space.read("training/guide.py").decode() == settled


def test_a_file_that_is_as_the_merge_left_it_needs_a_side_that_a_person_names(family: Family) -> None:
    """A binary and a file that one side deleted have no markers: added untouched they would be one side's by chance."""
    family.commit("A picture", {"core/src/logo.py": b"\0one"})
    family.synced("--yes")
    family.edit("Space", {"training/logo.py": b"\0space", "training/train.py": "mine\n"})
    family.commit("Source", {"core/src/logo.py": b"\0source", "core/src/train.py": None})
    assert family.sync("space", "--resolve").code == 0
    folder = Path(json.loads((family.clone.path / ".git/openllm-repos/resolve/space.json").read_text())["path"])
    run_git("add", "--all", cwd=folder)
    done = carry_on(family)
    assert done.code == 3
    assert "As the merge left it: training/logo.py, training/train.py" in done.err
    (line,) = [line for line in done.err.splitlines() if line.startswith("next: ")]
    typed = line.removeprefix("next: openllm-repos sync ").partition("  #")[0].split()
    assert typed == ["space", "--continue", "--keep-target", "training/logo.py", "--keep-target", "training/train.py"]
    assert carry_on(family, "--take-source", "training/logo.py", "--keep-target", "training/train.py").code == 0
    assert family.space.read("training/logo.py") == b"\0source"
    assert family.space.read("training/train.py") == b"mine\n"


def test_what_was_remembered_half_settled_is_not_filled_in_as_good(torn: Family) -> None:
    """A person's own git remembers a resolution with a marker in it: it is listed as still to do, and refused."""
    memory = torn.clone.path / ".git/rr-cache"
    memory.mkdir()
    settle(torn, opened(torn))
    torn.edit("Space: another edit", {"app.py": "new\n"})
    assert torn.sync("space", "--continue", "--yes").code == 3
    assert torn.sync("space", "--abort").code == 0
    (kept,) = memory.glob("*/postimage")
    kept.write_text(text(l3="space\n=======\nsource\n>>>>>>> main"))
    again = torn.sync("space", "--resolve")
    assert "settled as before" not in again.out
    assert "  training/model.py\n" in again.out
    assert "Conflict markers are left in training/model.py" in carry_on(torn).err
