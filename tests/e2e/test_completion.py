"""TAB offers what the manifest and the clone have, and asks nobody."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click
import pytest
from click.shell_completion import ShellComplete

from openllm_repos.cli.completion import Value
from tests.support.family import MAPS
from tests.support.releases import Releases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.family import Family
    from tests.support.inprocess import RunCli


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


@pytest.mark.parametrize("command", ["sync", "status", "release 1.0.0", "manifest add x"])
def test_the_groups_of_the_manifest_are_offered(family: Family, command: str) -> None:
    family.manifest(settings='groups = ["eu", "prod"]', more='[repos.us]\nspaces = ["o/a"]\ngroups = ["prod"]')
    assert offered(family.clone.path, *command.split(), "--group", "") == ["eu", "prod", "us"]
    assert offered(family.clone.path, *command.split(), "--group", "p") == ["prod"]


def test_the_maps_of_a_group_are_offered_where_it_was_typed(family: Family) -> None:
    family.manifest(settings='groups = ["eu"]')
    assert offered(family.clone.path, "sync", "--group", "eu", "--allow-empty", "conf") == ["configs/*.json"]
    assert offered(family.clone.path, "sync", "s*", "--allow-empty", "conf") == ["configs/*.json"]
    assert offered(family.clone.path, "sync", "--group", "us", "--allow-empty", "") == []


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


@pytest.mark.parametrize(
    "command", ["sync space --rev", "adopt space --at", "pin --to", "release notes v0.1.0 --since"]
)
def test_the_tags_of_releases_are_offered_wherever_a_commit_is_to_be_named(family: Family, command: str) -> None:
    family.clone.git("tag", "v0.2.0")
    assert offered(family.clone.path, *command.split(), "") == ["v0.2.0"]


def test_repos_with_artifacts_and_with_pins_are_offered_where_only_those_make_sense(family: Family) -> None:
    entry = '[repos.{0}]\nmodel = "lemms/{0}"\n{1}\n'
    publish = 'publish = [{ from = "exports/small/", to = "." }]'
    family.manifest(more=entry.format("small", publish) + entry.format("pinned", 'submodule = "models/pinned"'))
    assert offered(family.clone.path, "publish", "") == ["small"]
    assert offered(family.clone.path, "pin", "") == ["pinned"]
    assert offered(family.clone.path, "manifest", "remove", "p") == ["pinned"]
    assert offered(family.clone.path, "release", "abort", "1.0.0", "--leave", "s") == ["space", "small"]


@pytest.mark.parametrize("command", ["sync space", "sync", "rollback space"])
def test_the_maps_are_offered_where_one_may_be_empty(family: Family, command: str) -> None:
    assert offered(family.clone.path, *command.split(), "--allow-empty", "") == [one for one, _ in MAPS]
    assert offered(family.clone.path, *command.split(), "--allow-empty", "conf") == ["configs/*.json"]


@pytest.mark.slow
def test_the_version_to_release_is_the_one_that_was_begun_else_that_of_the_work_tree(
    tmp_path: Path, run_cli: RunCli
) -> None:
    made = Releases.make(tmp_path, run_cli)
    assert "1.0.0" in offered(made.clone.path, "release", "")
    assert "show" in offered(made.clone.path, "release", "")
    assert offered(made.clone.path, "release", "--allow-drift", "") == ["1.0.0"]
    assert offered(made.clone.path, "release", "--resume", "") == []
    assert offered(made.clone.path, "release", "abort", "") == []
    made.remotes["small-8k"].refuse(refs="refs/tags/*")
    made.release("1.0.0")
    made.clone.write({"pyproject.toml": '[project]\nname = "openllm"\nversion = "2.0.0"\n'})
    for command in ("release", "release --resume", "release abort"):
        assert [one for one in offered(made.clone.path, *command.split(), "") if one[0].isdigit()] == ["1.0.0"]


# What only the person knows. A commit without a tag has no short list, and a name that is to be made has none at all.
FREE = {
    *(f"init {one}" for one in ("stray", "github", "space", "models", "datasets", "maps", "never", "owned")),
    *(f"manifest add {one}" for one in ("name", "github", "space", "model", "dataset", "url")),
    *(f"manifest add {one}" for one in ("branch", "maps", "owned", "submodule")),
    *("manifest set value", "version set new", "import branch", "rollback reason", "gc older_than"),
    *("ci cron", "ci install"),
}


def test_every_value_that_is_typed_is_offered_or_known_to_the_person_alone() -> None:
    from openllm_repos.cli.app import group

    free = set()
    waiting: list[tuple[str, click.Command]] = [("", group)]
    for name, command in waiting:
        if isinstance(command, click.Group):
            context = click.Context(command)
            below = {one: command.get_command(context, one) for one in command.list_commands(context)}
            waiting += [(f"{name} {one}".strip(), found) for one, found in below.items() if found is not None]
        typed = [one for one in command.params if isinstance(one.type, click.types.StringParamType | click.Tuple)]
        free |= {
            f"{name} {one.name}"
            for one in typed
            if not isinstance(one.type, Value) and one._custom_shell_complete is None and name != "hooks run"  # by git
        }
    assert free == FREE


def test_without_a_manifest_or_a_clone_nothing_is_offered_and_nothing_fails(tmp_path: Path) -> None:
    assert offered(tmp_path, "sync", "") == []
