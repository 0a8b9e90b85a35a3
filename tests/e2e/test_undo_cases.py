"""`openllm-repos undo` where something has happened since, happens meanwhile, or is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openllm_repos.journal.log import HERE, Move
from openllm_repos.names.objectid import ObjectId
from tests.support.family import MAPS, Family, text
from tests.support.logged import write_operation
from tests.support.repositories import Bare, Clone
from tests.support.terminal import run_on_terminal

if TYPE_CHECKING:
    from tests.support.hub_family import HubFamily
    from tests.support.process import Result


@pytest.fixture
def synced(family: Family) -> Family:
    """Return a family whose Space has its own app and was synced twice."""
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    family.commit("Second", {"core/src/model.py": text(l1="second"), "core/src/new.py": "new\n"})
    family.synced()
    return family


def undo(family: Family, *args: str) -> Result:
    return family.run("undo", *args, cwd=family.clone.path)


def state(family: Family) -> str:
    facts = family.run("status", "--json", cwd=family.clone.path).json()
    return str(next(repo["state"] for repo in facts["repos"] if repo["name"] == "space"))


def operations(family: Family) -> list[dict[str, Any]]:
    """Return the log, newest first."""
    found: list[dict[str, Any]] = family.run("log", "--json", cwd=family.clone.path).json()["operations"]
    return found


def somebody_pushes_meanwhile(family: Family, files: dict[str, str | bytes | None]) -> None:
    """Let somebody else push to the Space in the moment before the tool's own push."""
    work = family.work
    work.commit("Meanwhile", files)
    hook = family.clone.path / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\ncat > /dev/null\nunset $(git rev-parse --local-env-vars)\n"
        f"git -C '{work.path}' push -q origin HEAD:refs/heads/main\n"
    )
    hook.chmod(0o755)


def test_what_somebody_pushes_meanwhile_stays(synced: Family) -> None:
    somebody_pushes_meanwhile(synced, {"training/model.py": text(l1="second", l20="mine"), "app.py": "app 2\n"})
    done = undo(synced, "--yes")
    assert done.code == 0, (done.out, done.err)
    assert "its branch has moved meanwhile; merging again" in done.err
    assert synced.space.read("training/model.py") == text(l20="mine").encode()
    assert synced.space.read("app.py") == b"app 2\n"
    assert "training/new.py" not in synced.space.paths()
    assert [move["outcome"] for move in operations(synced)[0]["moves"]] == ["refused", "moved"]


@pytest.mark.slow
def test_what_somebody_changes_in_the_same_place_meanwhile_wins(synced: Family) -> None:
    somebody_pushes_meanwhile(synced, {"training/model.py": text(l1="mine")})
    done = undo(synced, "--yes", "--json")
    assert done.code == 3
    assert done.json()["targets"][0]["outcome"]["pushed"] is False
    assert synced.space.log("main")[0] == "Meanwhile"
    assert operations(synced)[1]["undone_by"] == []


def test_a_branch_that_was_rewritten_since_has_nothing_to_take_back(synced: Family) -> None:
    synced.work.git("push", "-q", "--force", "origin", "HEAD~1:refs/heads/main")
    before = synced.space.tip("main")
    done = undo(synced, "--yes", "--json")
    (target,) = done.json()["targets"]
    assert (done.code, target["action"], target["outcome"]) == (3, "stopped", None)
    assert "its branch was rewritten since" in target["reason"]
    assert synced.space.tip("main") == before


@pytest.mark.slow
def test_a_branch_that_is_gone_or_out_of_reach_is_told(synced: Family) -> None:
    synced.space.git("branch", "-m", "main", "old")
    gone = undo(synced, "--yes")
    assert (gone.code, "space has no branch main, but it has old." in gone.out) == (3, True)
    synced.space.path.rename(synced.folder / "away")
    away = undo(synced, "--yes")
    assert (away.code, "space is unreachable" in away.out) == (30, True)


def test_a_file_that_has_become_the_targets_own_is_not_taken_back(synced: Family) -> None:
    synced.manifest(maps=MAPS[1:], owned=["app.py", "training/new.py"])
    done = undo(synced, "--yes")
    assert (done.code, "taking it back would change training/new.py, which is the target's own" in done.out) == (
        3,
        True,
    )


@pytest.mark.slow
def test_what_the_person_took_back_by_hand_only_needs_to_be_written_down(synced: Family) -> None:
    synced.edit("By hand", {"training/model.py": text(), "training/new.py": None})
    assert state(synced) == "drift"
    assert undo(synced, "--yes").code == 0
    assert state(synced) == "behind"
    synced.synced()
    assert synced.space.read("training/new.py") == b"new\n"


def test_an_undo_that_a_remote_refused_in_part_is_gone_on_with(family: Family) -> None:
    other = Bare.init(family.folder / "other.git")
    entry = f'[repos.other]\nurl = "{other.url}"\nmap = [{{ from = "core/src/*.py", to = "training/" }}]\n'
    family.manifest(more=entry)
    family.synced()
    family.commit("Second", {"core/src/new.py": "new\n"})
    family.synced()
    second, first = (one["operation"] for one in operations(family))
    hook = other.refuse()
    assert undo(family, "--yes").code == 3
    tip = family.space.tip("main")
    assert "training/new.py" not in family.space.paths()
    hook.unlink()
    done = undo(family, "--yes")
    assert (done.code, f"{second}  sync" in done.out) == (0, True)
    assert (family.space.tip("main"), "training/new.py" in other.paths()) == (tip, False)
    assert f"{first}  sync" in undo(family, "--yes", "--dry-run").out


@pytest.mark.slow
def test_a_clock_that_was_ahead_once_reorders_nothing(synced: Family) -> None:
    tip = ObjectId(synced.clone.tip())
    synced.clone.git("branch", "side", tip)
    made = Move(HERE, "", "refs/heads/side", ObjectId("0" * 40), tip)
    write_operation(synced.clone.path, "import space", made, name="20991231T235959Z-aaaa")
    synced.commit("Third", {"core/src/third.py": "third\n"})
    synced.synced()
    assert [one["command"] for one in operations(synced)] == ["sync", "import space", "sync", "sync"]
    assert undo(synced, "--yes").code == 0
    assert "training/third.py" not in synced.space.paths()
    assert "refs/heads/side" in synced.clone.tips()
    assert undo(synced, "--yes").code == 0
    assert "refs/heads/side" not in synced.clone.tips()
    assert "training/new.py" in synced.space.paths()


def test_an_operation_is_taken_back_once(synced: Family) -> None:
    name = operations(synced)[0]["operation"]
    assert undo(synced, name, "--yes").code == 0
    taker = operations(synced)[0]["operation"]
    again = undo(synced, name, "--yes")
    assert (again.code, f"(sync) was taken back by {taker}." in again.err) == (2, True)
    assert f"next: openllm-repos undo {taker}  # brings it back" in again.err
    assert f"taken back by {taker}\n" in synced.run("log", cwd=synced.clone.path).out


@pytest.mark.slow
def test_a_fresh_clone_knows_that_a_sync_was_taken_back(synced: Family) -> None:
    undo(synced, "--yes")
    synced.clone = Clone.of(synced.origin.url, synced.folder / "fresh")
    synced.manifest()
    assert state(synced) == "behind"
    synced.synced()
    assert synced.space.read("training/model.py") == text(l1="second").encode()


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "code", "paths"), [(b"n\n", 1, True), (b"y\n", 0, False)])
def test_on_a_terminal_it_asks(synced: Family, typed: bytes, code: int, paths: bool) -> None:
    done = run_on_terminal("undo", cwd=synced.clone.path, typed=typed)
    assert (done.code, "Take this back? [y/N]" in done.out) == (code, True)
    assert ("Nothing was taken back." in done.out) == paths
    assert ("training/new.py" in synced.space.paths()) == paths


@pytest.mark.slow
def test_what_no_sync_brought_is_taken_back_without_a_word_on_the_source(synced: Family) -> None:
    old = synced.space.tip("main")
    new = synced.edit("Published", {"training/model.py": text(l1="second", l20="published")})
    move = Move("space", synced.space.url, "refs/heads/main", ObjectId(old), ObjectId(new))
    name = write_operation(synced.clone.path, "publish space", move)
    assert undo(synced, "--yes").code == 0
    assert synced.space.read("training/model.py") == text(l1="second").encode()
    assert "Projected-Commit" not in synced.space.git("log", "-1", "--format=%B", "main")
    assert state(synced) == "in sync"
    taker = operations(synced)[0]["operation"]
    assert undo(synced, taker, "--yes").code == 0
    synced.edit("By hand", {"training/model.py": text(l1="second")})
    done = undo(synced, name, "--yes")
    assert (done.code, "space: is as it was before already" in done.out) == (3, True)


@pytest.mark.slow
@pytest.mark.parametrize("history", ["full", "squash"])
def test_maps_that_changed_with_the_undone_sync_count_again(family: Family, history: str) -> None:
    family.manifest(settings=f'history = "{history}"')
    family.commit("Settings")
    family.synced()
    before = family.mapped()
    family.manifest(maps=(("core/src/", "training/"), MAPS[1]), settings=f'history = "{history}"')
    family.commit("Wider", {"core/src/deep/er.txt": "deep\n", "core/src/model.py": text(l1="second")})
    family.synced()
    after = family.mapped()
    assert "training/deep/er.txt" in after
    assert undo(family, "--yes").code == 0
    assert family.mapped() == before
    assert state(family) == "behind"
    family.synced()
    assert family.mapped() == after


@pytest.mark.slow
def test_a_sync_is_taken_back_on_the_hub(hub_family: HubFamily) -> None:
    hub_family.synced()
    hub_family.commit("Second", {"core/src/new.py": "new\n"})
    hub_family.synced()
    done = undo(hub_family, "--yes")
    assert done.code == 0, (done.out, done.err)
    assert "training/new.py" not in hub_family.space.paths()
    assert "app.py" in hub_family.space.paths()
    hub_family.synced()
    assert "training/new.py" in hub_family.space.paths()


@pytest.mark.slow
def test_every_commit_that_a_remote_ever_had_is_reachable_there_or_kept(synced: Family) -> None:
    """Syncs, undos and redos, with edits between them and a remote that says no in the middle."""
    ever = {synced.space.tip("main")}
    hook = synced.space.path / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    for number in range(6):
        ever.add(synced.edit(f"Edit {number}", {"app.py": f"app {number}\n"}))
        hook.write_text(f"#!/bin/sh\nexit {number % 3 == 1:d}\n")
        hook.chmod(0o755)
        assert undo(synced, *([operations(synced)[0]["operation"]] if number % 2 else []), "--yes").code in {0, 2, 3}
        ever.add(synced.space.tip("main"))
        hook.unlink()
        synced.commit(f"Commit {number}", {"core/src/train.py": f"{number}\n"})
        synced.synced()
        ever.add(synced.space.tip("main"))
    kept = [tip for ref, tip in synced.clone.tips().items() if ref.startswith("refs/openllm/keep/")]
    assert ever <= set(synced.space.git("rev-list", "main").split())
    assert len(kept) >= 6
    assert set(kept) <= set(synced.clone.git("rev-list", "refs/remotes/space/main").split())
