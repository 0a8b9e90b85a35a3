"""`openllm-repos diff`: what a sync would change, and what a target changed by itself."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.family import START, Family, text
from tests.support.repositories import ADA, Clone
from tests.support.terminal import run_on_terminal

if TYPE_CHECKING:
    from tests.support.inprocess import RunCli
    from tests.support.process import Result


def diff(family: Family, *args: str) -> Result:
    return family.run("diff", *args, cwd=family.clone.path)


def lines(family: Family, *args: str) -> list[str]:
    """Return what is printed below the line that names the source commit."""
    done = diff(family, *args)
    assert (done.code, done.err) == (0, "")
    return done.out.splitlines()[1:]


@pytest.fixture
def changed(family: Family) -> Family:
    """Return a family that was synced, and whose source then added, changed and removed a mapped file."""
    family.commit("One more", {"configs/large.json": "{}\n"})
    family.synced()
    family.commit(
        "Changes",
        {
            "core/src/new.py": "new\n",
            "core/src/model.py": text(l3="changed"),
            "configs/small.json": None,
            "docs/guide.md": "not mapped\n",
        },
    )
    return family


def test_in_sync_there_is_nothing_to_change(family: Family) -> None:
    family.synced()
    assert lines(family) == ["space: a sync would change nothing"]
    assert lines(family, "--drift") == ["space: no drift"]
    assert lines(family, "--patch") == ["space: a sync would change nothing"]


def test_the_files_that_a_sync_would_change(changed: Family) -> None:
    done = diff(changed, "space")
    assert done.out.splitlines() == [
        f"main at {changed.clone.tip()[:10]}",
        "space: a sync would change 3 files of main",
        "  D configs/small.json",
        "  M training/model.py",
        "  A training/new.py",
    ]


@pytest.mark.slow
def test_it_changes_nothing_anywhere(changed: Family) -> None:
    changed.edit("Fix there", {"training/train.py": "fixed\n"})
    before = changed.everything()
    for args in ((), ("--patch",), ("--drift", "--patch"), ("--json",)):
        assert diff(changed, *args).code == 0
    assert changed.everything() == before


def test_the_patch_is_exactly_what_the_sync_then_does(changed: Family) -> None:
    """`git apply` in a clone of the Space gives the tree that the sync pushes; binary files too."""
    changed.clone.switch("main")
    changed.commit("Binary and executable", {"core/src/blob.py": b"\0\1\2" * 50, "core/src/no newline.py": b"x"})
    printed = diff(changed, "--patch")
    work = changed.work
    work.git("apply", "--index", "-", data=printed.out_bytes)
    applied = work.git("write-tree")
    work.git("reset", "-q", "--hard")
    changed.synced()
    assert changed.space.git("rev-parse", "main^{tree}") == applied


def test_commits_that_are_not_pushed_yet_count_too(family: Family) -> None:
    family.synced()
    family.clone.commit("Not pushed", {"core/src/train.py": "new\n"})
    assert lines(family) == ["space: a sync would change 1 file of main", "  M training/train.py"]


@pytest.mark.slow
def test_what_drifted_is_shown_with_its_commits(changed: Family) -> None:
    changed.edit("No drift: an owned file", {"app.py": "app\n"})
    work = changed.work
    fix = work.commit("Fix the training", {"training/train.py": "fixed\n"}, author=ADA, date="@1600000000 +0200")
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    drifted = [
        "space: changed 1 mapped file by itself",
        "  M training/train.py",
        f"  {fix[:10]} 2020-09-13 Ada Lovelace: Fix the training",
    ]
    assert lines(changed)[-3:] == drifted
    assert lines(changed, "--drift") == drifted


def test_the_patch_of_the_drift(family: Family) -> None:
    family.synced()
    family.edit("Fix there", {"training/train.py": "fixed\n"})
    shown = diff(family, "--drift", "--patch").out
    assert "--- a/training/train.py\n+++ b/training/train.py\n@@ -1 +1 @@\n-train\n+fixed\n" in shown
    assert "model.py" not in shown


@pytest.mark.slow
def test_drift_that_a_sync_would_merge_stays_out_of_what_it_changes(changed: Family) -> None:
    changed.edit("Fix there", {"training/model.py": text(l18="theirs")})
    shown = diff(changed, "--patch").out
    before, _, drift = shown.partition("space: changed 1 mapped file by itself")
    assert "+changed" in before
    assert "+theirs" not in before
    assert "+theirs" in drift
    assert "+changed" not in drift


@pytest.mark.slow
def test_a_conflict_names_each_path_with_both_sides(changed: Family) -> None:
    changed.edit("Their line 3", {"training/model.py": text(l3="theirs")})
    changed.edit("Theirs too", {"configs/small.json": "[1]\n"})
    before = changed.everything()
    done = diff(changed)
    assert done.code == 3
    assert "  training/model.py: modified in the source, modified in the target" in done.out
    assert "  configs/small.json: deleted in the source, modified in the target" in done.out
    assert "  next: openllm-repos sync space --resolve" in done.out
    assert changed.everything() == before


def test_a_target_that_refuses_drift_is_stopped_and_its_drift_shown(family: Family) -> None:
    family.manifest(settings='drift = "refuse"')
    family.synced()
    fix = family.edit("Fix there", {"training/train.py": "fixed\n"})
    family.commit("Fix here", {"core/src/model.py": "new\n"})
    done = diff(family)
    assert done.code == 3
    assert "space: stopped\n  space has drifted" in done.out
    assert f"  {fix[:10]} 2023-11-14 Test User: Fix there" in done.out
    assert done.out.count("M training/train.py") == 1


@pytest.mark.parametrize("args", [(), ("--drift",)])
def test_a_target_that_was_filled_by_copying_is_stopped(family: Family, args: tuple[str, ...]) -> None:
    family.edit("Copied by hand", {"training/model.py": START["core/src/model.py"]})
    done = diff(family, *args)
    assert done.code == 3
    assert "space: stopped\n  space already has 1 file at mapped paths, but no sync put them there." in done.out


def test_an_unreachable_target_is_stopped(family: Family) -> None:
    shutil.rmtree(family.space.path)
    done = diff(family)
    assert done.code == 30
    assert "space: stopped\n  space is unreachable: " in done.out


def test_without_the_source_s_remote_it_still_answers(family: Family) -> None:
    family.synced()
    shutil.rmtree(family.origin.path)
    done = diff(family)
    assert done.code == 0
    assert "note: main is unreachable" in done.out


@pytest.mark.slow
def test_the_json_of_a_diff(changed: Family) -> None:
    """The whole of it, as docs/json.md describes it."""
    fix = changed.edit("Fix there", {"training/train.py": "fixed\n"})
    shown = diff(changed, "--json").json()
    projected = changed.run("split", "space", cwd=changed.clone.path).out.strip()
    date = changed.work.git("log", "-1", "--format=%aI", fix).replace("Z", "+00:00")
    assert shown == {
        "schema": 1,
        "source": {"name": "main", "commit": changed.clone.tip()},
        "notes": [],
        "targets": [
            {
                "name": "space",
                "action": "merge",
                "url": changed.space.url,
                "projected": projected,
                "commits": 2,
                "lfs": [],
                "held": None,
                "settled": [],
                "changes": [
                    {"path": "configs/small.json", "change": "deleted"},
                    {"path": "training/model.py", "change": "modified"},
                    {"path": "training/new.py", "change": "added"},
                ],
                "drift": {
                    "commits": [{"id": fix, "author": "Test User", "date": date, "subject": "Fix there"}],
                    "files": [{"path": "training/train.py", "change": "modified"}],
                },
            }
        ],
    }


def test_a_conflict_as_json(changed: Family) -> None:
    changed.edit("Their line 3", {"training/model.py": text(l3="theirs")})
    done = diff(changed, "--json")
    target = done.json()["targets"][0]
    assert (done.code, target["action"], target["exit_code"]) == (3, "stopped", 3)
    (conflict,) = target["conflicts"]
    assert [one["subject"] for one in conflict.pop("source_commits")] == ["Changes"]
    assert [one["subject"] for one in conflict.pop("target_commits")] == ["Their line 3"]
    assert conflict == {
        "path": "training/model.py",
        "source": "modified",
        "target": "modified",
        "source_path": None,
        "target_path": None,
        "before": None,
        "crlf": None,
        "remembered": False,
    }


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["spcae"], "has no repo 'spcae'; did you mean 'space'?"),
        (["main"], "main has no maps, so nothing is synced to it."),
        (["--patch", "--json"], "--patch and --json exclude each other."),
    ],
)
def test_a_beginner_s_mistakes(family: Family, args: list[str], said: str) -> None:
    done = diff(family, *args)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_without_a_manifest_the_next_step_is_named(run_cli: RunCli, clone: Clone) -> None:
    done = run_cli("diff", cwd=clone.path)
    assert done.code == 2
    assert "repos.toml" in done.err


@pytest.mark.slow
def test_no_configured_program_is_run_for_a_patch(changed: Family) -> None:
    """An external diff, a text conversion and the target's own attributes have no say."""
    ran = changed.folder / "ran"
    changed.clone.git("config", "diff.external", f"touch {ran};")
    changed.clone.git("config", "diff.py.textconv", f"touch {ran}; cat")
    changed.clone.git("config", "color.ui", "always")
    changed.edit("Attributes", {".gitattributes": "*.py diff=py\n"})
    shown = diff(changed, "--patch").out
    assert "+changed\n" in shown
    assert "\x1b" not in shown
    assert not ran.exists()


@pytest.mark.slow
def test_on_a_terminal_a_patch_has_colours_and_cannot_act(family: Family) -> None:
    """What a file holds is foreign text: escape sequences are shown, not obeyed. In a pipe they stay what they are."""
    family.synced()
    family.commit("Odd", {"core/src/train.py": "odd \x1b[2J\n"})
    shown = run_on_terminal("diff", "--patch", cwd=family.clone.path, env={"NO_COLOR": "", "TERM": "xterm"}).out
    assert "\x1b[31m-train\x1b[0m\n" in shown
    assert "\x1b[32m+odd \\x1b[2J\x1b[0m\n" in shown
    assert "\x1b[1m--- a/training/train.py\x1b[0m\n" in shown
    plain = run_on_terminal("diff", "--patch", cwd=family.clone.path, env={"NO_COLOR": "1", "TERM": "xterm"}).out
    assert "+odd \\x1b[2J\n" in plain
    assert "\x1b" not in plain
    assert "+odd \x1b[2J\n" in diff(family, "--patch").out
