"""TAB offers what the manifest and the clone have, and asks nobody."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import ShellComplete

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.family import Family


def offered(folder: Path, *typed: str) -> list[str]:
    """Return what the shell offers for the last word of a command line."""
    from openllm_repos.cli.app import PROGRAM, group

    with contextlib.chdir(folder):
        shell = ShellComplete(group, {}, PROGRAM, "_OPENLLM_REPOS_COMPLETE")
        return [item.value for item in shell.get_completions(list(typed[:-1]), typed[-1])]


@pytest.mark.parametrize("command", ["sync", "diff", "adopt", "import", "rollback", "targets", "split"])
def test_the_targets_are_offered_where_one_is_to_be_named(family: Family, command: str) -> None:
    assert offered(family.clone.path, command, "") == ["space"]
    assert offered(family.clone.path, command, "m") == []


def test_a_target_that_was_typed_is_not_offered_again(family: Family) -> None:
    assert offered(family.clone.path, "sync", "space", "") == []


def test_every_repo_is_offered_for_a_status(family: Family) -> None:
    assert offered(family.clone.path, "status", "") == ["main", "space"]
    assert offered(family.folder, "-C", "clone", "status", "sp") == ["space"]


def test_tags_of_releases_are_offered_newest_first_and_no_others(family: Family) -> None:
    for tag in ("v0.1.0", "v0.2.0", "backup"):
        family.clone.git("tag", tag)
    assert offered(family.clone.path, "rollback", "space", "--to", "") == ["v0.2.0", "v0.1.0"]
    assert offered(family.clone.path, "release", "verify", "v0.1") == ["v0.1.0"]


def test_operations_of_the_log_are_offered_for_an_undo(family: Family) -> None:
    family.synced()
    (operation,) = offered(family.clone.path, "undo", "")
    assert operation == offered(family.clone.path, "log", "")[0]
    assert offered(family.clone.path, "log", operation[:12]) == [operation]


def test_the_paths_that_maps_write_are_offered_where_a_side_is_to_be_taken(family: Family) -> None:
    paths = ["configs/small.json", "training/model.py", "training/train.py"]
    assert offered(family.clone.path, "sync", "space", "--ours", "") == paths
    assert offered(family.clone.path, "sync", "--theirs", "training/t") == ["training/train.py"]


def test_places_of_the_manifest_are_offered_for_an_edit(family: Family) -> None:
    places = offered(family.clone.path, "manifest", "set", "repos.space.")
    assert "repos.space.branch" in places
    assert "repos.space.map[1].to" in places


def test_without_a_manifest_or_a_clone_nothing_is_offered_and_nothing_fails(tmp_path: Path) -> None:
    assert offered(tmp_path, "sync", "") == []
