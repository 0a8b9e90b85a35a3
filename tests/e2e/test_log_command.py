"""`openllm-repos log`, and `undo` of what is no sync: releases, refs of the clone, what cannot be taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import exclusive
from openllm_repos.journal.log import HERE, Move, MoveOutcome
from openllm_repos.names.objectid import ObjectId
from openllm_repos.sandbox import Sandbox
from tests.support.family import Family
from tests.support.inprocess import RunCli
from tests.support.logged import unfinished, write_operation
from tests.support.published import Publishing
from tests.support.releases import ORDER, Releases
from tests.support.repositories import Clone
from tests.support.shim import Fault, GitShim
from tests.support.zygote import Zygote

ZERO = ObjectId("0" * 40)


def logged(family: Family | Releases, *args: str) -> list[dict[str, Any]]:
    """Return the log, newest first."""
    found: list[dict[str, Any]] = family.run("log", "--json", *args, cwd=family.clone.path).json()["operations"]
    return found


def moves(operation: dict[str, Any]) -> list[tuple[str | None, str, str]]:
    """Return the moves of an operation in short: repo, ref, outcome."""
    return [(move["repo"], move["ref"], move["outcome"]) for move in operation["moves"]]


def here(ref: str, old: str, new: str) -> Move:
    return Move(HERE, "", ref, ObjectId(old), ObjectId(new))


def write(family: Family, command: str, *moves: Move, outcome: MoveOutcome | None = MoveOutcome.MOVED) -> str:
    return write_operation(family.clone.path, command, *moves, outcome=outcome)


def test_a_sync_and_an_adoption_are_in_the_log_with_what_they_moved(family: Family) -> None:
    assert family.run("log", cwd=family.clone.path).out == "No operation is written down yet.\n"
    source = family.clone.tip()
    first = family.edit("Copied", {"training/train.py": "train\n", "configs/small.json": "{}\n"})
    assert family.run("adopt", "space", "--yes", cwd=family.clone.path).code == 0
    adopted = family.space.tip("main")
    family.commit("More", {"core/src/more.py": "more\n"})
    family.synced()
    family.synced()
    synced, adoption = logged(family)
    assert (synced["command"], adoption["command"]) == ("sync", f"adopt space --at {source[:10]}")
    assert (adoption["moves"][0]["old"], adoption["moves"][0]["new"]) == (first, adopted)
    assert (synced["moves"][0]["old"], synced["moves"][0]["new"]) == (adopted, family.space.tip("main"))
    assert synced["moves"][0]["url"] == family.space.url
    told = family.run("log", "-n", "1", cwd=family.clone.path).out
    assert f"moved      space  refs/heads/main  {adopted[:10]} -> {family.space.tip('main')[:10]}\n" in told
    assert f"next: openllm-repos undo {synced['operation']}  # takes it back\n" in told
    assert adoption["operation"] not in told
    assert adopted in family.run("log", adoption["operation"], cwd=family.clone.path).out
    assert logged(family, adoption["operation"][:-1])[-1]["command"] == adoption["command"]


@pytest.mark.slow
def test_an_import_is_in_the_log_and_undone_the_branch_is_gone(family: Family) -> None:
    family.synced()
    family.edit("Hotfix", {"training/train.py": "fixed\n"})
    assert family.run("import", "space", cwd=family.clone.path).code == 0
    imported = logged(family)[0]
    assert imported["command"] == "import space"
    assert moves(imported) == [(None, "refs/heads/import/space", "moved")]
    assert family.run("undo", "--yes", cwd=family.clone.path).code == 0
    assert "refs/heads/import/space" not in family.clone.tips()


def test_a_publish_is_in_the_log_and_cannot_be_undone(sandbox: Sandbox, tmp_path: Path, run_cli: RunCli) -> None:
    publishing = Publishing.on(sandbox, tmp_path / "family", run_cli)
    before = publishing.model.tip("main")
    publishing.publish("small-7k")
    published = logged(publishing.family)[0]
    assert published["command"] == "publish"
    (move,) = published["moves"]
    assert (move["repo"], move["old"], move["new"]) == ("small-7k", before, publishing.model.tip("main"))
    told = publishing.family.run("undo", "--yes", cwd=publishing.family.clone.path)
    assert told.code == 3
    assert publishing.model.tip("main") == move["new"]


def test_a_push_that_is_refused_is_in_the_log_as_refused(family: Family) -> None:
    family.synced()
    family.space.refuse()
    family.commit("More", {"core/src/more.py": "more\n"})
    assert family.sync().code == 3
    refused, _ = logged(family)
    assert moves(refused) == [("space", "refs/heads/main", "refused")]
    told = family.run("undo", refused["operation"], "--yes", cwd=family.clone.path)
    assert (told.code, "moved no ref" in told.err) == (2, True)


def test_a_run_that_was_killed_has_not_ended_until_the_next_one_asks(family: Family, shim: GitShim) -> None:
    family.synced()
    family.commit("More", {"core/src/more.py": "more\n"})
    with Zygote() as zygote:
        shim.arm_when("push --porcelain", Fault.KILL_AFTER)
        assert zygote.run("sync", "--yes", cwd=family.clone.path).code == -9
        shim.disarm()
    (name,) = family.unfinished()
    begun, _ = logged(family)
    assert (begun["unfinished"], begun["operation"]) == (True, name)
    told = family.run("log", cwd=family.clone.path).out
    assert "not ended  space" in told
    assert "  it did not end\n  next: openllm-repos sync space  # asks" in told
    asked = family.run("undo", begun["operation"], "--dry-run", cwd=family.clone.path)
    assert (asked.code, "has not ended" in asked.err) == (30, True)
    family.synced()
    assert [one["unfinished"] for one in logged(family)] == [False] * len(logged(family))


def test_at_work_is_told_from_not_ended(family: Family) -> None:
    move = Move("space", family.space.url, "refs/heads/main", ZERO, ObjectId(family.clone.tip()))
    write(family, "publish space", move, outcome=None)
    repository = Repository.open(family.clone.path)
    with exclusive(repository, "publish"):
        assert "it is at work now" in family.run("log", cwd=family.clone.path).out
    assert "next: openllm-repos publish space  #" in family.run("log", cwd=family.clone.path).out
    write(family, "release 1.0.0", move, outcome=None)
    assert "next: openllm-repos release 1.0.0  #" in family.run("log", "-n", "1", cwd=family.clone.path).out


def test_a_broken_manifest_hides_only_what_can_be_taken_back(family: Family) -> None:
    family.synced()
    family.clone.write({"repos.toml": "schema = 9\n"})
    told = family.run("log", cwd=family.clone.path)
    assert (told.code, "moved      space" in told.out, "undo:" in told.out) == (0, True, False)
    assert logged(family)[0]["moves"][0]["undo"] is None


def test_a_ref_of_the_clone_goes_back_exactly_and_can_be_had_again(family: Family) -> None:
    clone = family.clone
    old, new = clone.tip(), clone.commit("Imported", {"core/src/train.py": "theirs\n"})
    clone.git("branch", "import", new)
    clone.git("reset", "-q", "--hard", old)
    clone.git("branch", "gone", old)
    clone.git("branch", "-D", "gone")
    name = write(
        family,
        "import space",
        here("refs/heads/import", ZERO, new),
        here("refs/heads/gone", old, ZERO),
    )
    done = family.run("undo", "--yes", cwd=clone.path)
    assert (done.code, done.out) == (
        0,
        f"{name}  import space\n" + 2 * f"refs/heads/import: goes\nrefs/heads/gone: back to {old[:10]}\n",
    )
    tips = clone.tips()
    assert (tips["refs/heads/gone"], "refs/heads/import" in tips) == (old, False)
    assert new in tips.values(), "what was dropped is kept"
    assert family.run("undo", logged(family)[0]["operation"], "--yes", cwd=clone.path).code == 0
    assert clone.tips()["refs/heads/import"] == new


def test_a_ref_of_the_clone_that_has_moved_or_is_stood_on_stays(family: Family) -> None:
    clone = family.clone
    old, new = clone.tip(), clone.commit("Imported", {"core/src/train.py": "theirs\n"})
    clone.git("branch", "import", old)
    name = write(family, "import space", here("refs/heads/import", ZERO, new), here("refs/heads/main", old, new))
    done = family.run("undo", name, "--yes", cwd=clone.path)
    assert done.code == 3
    assert "stays: refs/heads/import of this clone: it has moved since" in done.out
    assert f"it is checked out in {clone.path}\n  next: git -C {clone.path} reset --keep {old[:10]}\n" in done.out
    assert clone.tip() == new


def test_what_cannot_be_taken_back_is_said_and_the_rest_is_taken_back(family: Family) -> None:
    clone = family.clone
    tip = clone.tip()
    clone.git("branch", "side", tip)
    name = write(
        family,
        "publish all",
        Move("gone", "https://example.org/gone", "refs/heads/main", ZERO, ObjectId(tip)),
        Move("main", family.origin.url, "refs/heads/side", ZERO, ObjectId(tip)),
        Move("main", family.origin.url, "refs/heads/main", ObjectId("1" * 40), ObjectId(tip)),
        Move("main", family.origin.url, "refs/heads/old", ObjectId("2" * 40), ZERO),
        here("refs/heads/side", ZERO, tip),
    )
    done = family.run("undo", "--yes", cwd=clone.path)
    assert done.code == 1
    assert "of gone: the manifest does not name this repo any more" in done.out
    assert f"git push {family.origin.url} :refs/heads/side  # by hand" in done.out
    assert f"git revert {tip[:10]}  # in your clone; then push it" in done.out
    assert "old was deleted there\n  hint: It was at 2222222222" in done.out
    assert "refs/heads/side: goes" in done.out
    again = family.run("undo", name, "--yes", cwd=clone.path)
    assert (again.code, "cannot be taken back" in again.err) == (3, True)
    assert "  taken back by 2" in family.run("log", name, cwd=clone.path).out


def test_an_operation_that_nobody_knows_is_told(family: Family) -> None:
    for command in ("log", "undo"):
        done = family.run(command, "2020", cwd=family.clone.path)
        assert (done.code, "The log has no operation 2020." in done.err) == (2, True)
    done = family.run("undo", cwd=family.clone.path)
    assert (done.code, "There is nothing to take back." in done.err) == (2, True)


def test_a_release_that_is_out_stays_and_one_that_is_not_is_taken_back_with_its_sync(
    tmp_path: Path, run_cli: RunCli
) -> None:
    releases = Releases.make(tmp_path / "releases", run_cli)
    hook = releases.remotes["training-data"].refuse()
    assert releases.release("1.0.0").code == 3
    (stopped,) = logged(releases)
    assert stopped["command"] == "release 1.0.0"
    assert moves(stopped) == [
        ("space", "refs/heads/main", "moved"),
        ("main", "refs/heads/main", "moved"),
        (None, "refs/heads/main", "moved"),
        ("space", "refs/tags/v1.0.0", "moved"),
        ("small-7k", "refs/tags/v1.0.0", "moved"),
        ("small-8k", "refs/tags/v1.0.0", "moved"),
        ("training-data", "refs/tags/v1.0.0", "refused"),
    ]
    dry = releases.run("undo", "--dry-run", cwd=releases.clone.path)
    assert "release 1.0.0 is given up: its tag goes (space, small-7k, small-8k), its lock too\n" in dry.out
    tag = releases.remotes["space"].tip("refs/tags/v1.0.0")
    done = releases.run("undo", "--yes", cwd=releases.clone.path)
    assert done.code == 1, (done.out, done.err)
    assert "stays: refs/heads/main of this clone: it follows the source's remote\n  next: git pull --tags" in done.out
    assert set(releases.tags("v1.0.0").values()) == {None}
    assert releases.remotes["space"].files() == {}
    assert releases.remotes["main"].log("main")[0] == "Give up release openllm 1.0.0"
    assert tag in releases.clone.tips().values(), "a tag that was taken back is kept"
    undone, _ = logged(releases)
    assert undone["command"] == f"undo {stopped['operation']}"
    assert [(repo, came) for repo, ref, came in moves(undone) if "tags" in ref] == [
        ("space", "moved"),
        ("small-7k", "moved"),
        ("small-8k", "moved"),
    ]
    again = releases.run("undo", undone["operation"], "--dry-run", cwd=releases.clone.path)
    assert "v1.0.0 was deleted there\n  next: openllm-repos release 1.0.0" in again.out

    hook.unlink()
    releases.clone.git("pull", "-q", "--ff-only", releases.remotes["main"].url, "main")
    releases.released("1.0.0")
    assert {repo for repo, ref, came in moves(logged(releases)[0]) if "tags" in ref and came == "moved"} == {
        *ORDER,
        None,
    }
    out = releases.run("log", "-n", "1", cwd=releases.clone.path).out
    assert "  stays (space, main, small-7k, small-8k, training-data): the release 1.0.0 is out" in out
    assert "  stays (this clone): it follows the source's remote\n" in out
    done = releases.run("undo", "--yes", cwd=releases.clone.path)
    assert (done.code, "the release 1.0.0 is out: main has its tag" in done.out) == (3, True)
    assert None not in releases.tags("v1.0.0").values()
    assert releases.remotes["space"].paths() == ["training/model.py", "training/train.py"]


def test_a_release_that_came_too_late_for_the_source_has_ended(tmp_path: Path, run_cli: RunCli) -> None:
    releases = Releases.make(tmp_path / "releases", run_cli)
    theirs = Clone.of(releases.remotes["main"].url, tmp_path / "theirs")
    theirs.commit("Theirs", {"README.md": "hi\n"})
    hook = releases.clone.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    unset = "unset $(git rev-parse --local-env-vars)"
    main = releases.remotes["main"].url
    hook.write_text(f'#!/bin/sh\n{unset}\n[ "$2" = "{main}" ] && git -C "{theirs.path}" push -q origin main\nexit 0\n')
    hook.chmod(0o755)
    done = releases.release("1.0.0")
    assert (done.code, "main has moved to" in done.err) == (3, True)
    (operation,) = logged(releases)
    assert (operation["unfinished"], operation["done"]) == (False, False)
    assert moves(operation) == [("space", "refs/heads/main", "moved"), ("main", "refs/heads/main", "refused")]
    kept = [ref for ref in releases.clone.tips() if ref.startswith("refs/openllm/keep/")]
    assert kept == [], "neither the first sync of an empty Space nor a lock that is nowhere"


@pytest.mark.slow
def test_an_undo_of_a_release_that_was_killed_is_finished_by_the_next(
    tmp_path: Path, run_cli: RunCli, shim: GitShim
) -> None:
    releases = Releases.make(tmp_path / "releases", run_cli)
    releases.remotes["training-data"].refuse()
    assert releases.release("1.0.0").code == 3
    (stopped,) = logged(releases)
    with Zygote() as zygote:
        for kept in (3, 2):  # killed by its own push, once for each of two tags
            shim.arm_when("push --porcelain", Fault.KILL_AFTER)
            assert zygote.run("undo", "--yes", cwd=releases.clone.path).code == -9
            assert sum(tag is not None for tag in releases.tags("v1.0.0").values()) == kept - 1
            assert logged(releases)[0]["undoes"] == stopped["operation"]
        shim.disarm()
        done = zygote.run("undo", "--yes", cwd=releases.clone.path)
    assert (done.code, f"{stopped['operation']}  release 1.0.0" in done.out) == (1, True)
    assert set(releases.tags("v1.0.0").values()) == {None}
    assert releases.remotes["space"].files() == {}
    assert not unfinished(releases.clone.path)
    asked = releases.run("undo", "--yes", cwd=releases.clone.path)
    assert (asked.code, "There is nothing to take back." in asked.err) == (2, True)


@pytest.mark.slow
def test_an_undo_in_this_clone_that_was_killed_is_known_by_the_ref_itself(family: Family, shim: GitShim) -> None:
    tip = family.clone.tip()
    for name in ("one", "two", "three"):
        family.clone.git("branch", name, tip)
        write(family, f"import {name}", here(f"refs/heads/{name}", ZERO, tip))
    with Zygote() as zygote:
        assert zygote.run("undo", "--yes", cwd=family.clone.path).code == 0
        shim.arm_when("update-ref -m openllm-repos: undo", Fault.KILL_AFTER)
        assert zygote.run("undo", "--yes", cwd=family.clone.path).code == -9
        shim.disarm()
        again = zygote.run("undo", "--yes", cwd=family.clone.path)
    assert "this clone: an earlier undo " in again.err
    assert "did not end; refs/heads/two was moved\n" in again.err
    assert (again.code, "import two\nwas taken back already, by " in again.out) == (0, True)
    assert [ref for ref in family.clone.tips() if ref.startswith("refs/heads/")] == [
        "refs/heads/main",
        "refs/heads/one",
    ]
