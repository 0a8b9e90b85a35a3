"""`sync TARGET --resolve`: source and Space changed the same line, and a person settles it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.family import text
from tests.support.process import run_git

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


def test_the_conflict_names_the_command_that_settles_it(torn: Family) -> None:
    done = torn.sync("--yes")
    assert done.code == 3
    assert "training/model.py: modified in the source, modified in the target" in done.out
    assert "next: Run: openllm-repos sync space --resolve" in done.out


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


def test_a_dropped_merge_leaves_nothing(torn: Family) -> None:
    before = torn.everything()
    folder = opened(torn)
    assert torn.sync("space", "--abort").code == 0
    assert not folder.exists()
    assert not folder.parent.exists()
    after = torn.everything()
    gone = {path for path in before if before[path] != after.get(path)}
    assert not {path for path in gone if not path.startswith("clone/.git/")}
    assert torn.sync("space", "--abort").code == 2


def test_a_space_that_moved_meanwhile_is_merged_anew(torn: Family) -> None:
    folder = opened(torn)
    torn.edit("Space: another edit", {"app.py": "new\n"})
    (folder / "training/model.py").write_text(text(l3="both"))
    run_git("add", "training/model.py", cwd=folder)
    done = torn.sync("space", "--continue", "--yes")
    assert done.code == 3
    assert "space has moved since the merge was opened" in done.err
    assert "--abort, then --resolve" in done.err


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


@pytest.mark.parametrize("options", [("--resolve",), ("space", "--resolve", "--dry-run"), ("main", "--resolve")])
def test_options_that_make_no_sense_are_refused(torn: Family, options: tuple[str, ...]) -> None:
    done = torn.sync(*options)
    assert done.code == 2
    assert done.err.startswith("error: ")


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
