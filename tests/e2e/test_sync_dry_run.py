"""What a sync leaves alone: everything in a dry run, and always what the person has checked out and staged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.family import Family, text
from tests.support.fingerprint import listing
from tests.support.inprocess import RunCli
from tests.support.process import Result
from tests.support.repositories import Bare, Clone


def _unchanged(family: Family, *args: str) -> Result:
    before = family.everything()
    done = family.sync("--dry-run", *args)
    assert family.everything() == before
    return done


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["", 'history = "squash"'], ids=["full", "squash"])
def test_a_dry_run_prints_the_plan_and_leaves_every_byte(family: Family, settings: str) -> None:
    family.manifest(settings=settings)
    family.commit("Settings")
    first = _unchanged(family)
    assert first.code == 0
    assert family.synced().out.startswith(first.out)
    family.edit("Mine", {"training/model.py": text(l20="mine"), "app.py": "app\n"})
    family.commit("Yours", {"core/src/model.py": text(l1="yours")})
    second = _unchanged(family)
    assert "training/model.py" in second.out
    assert family.synced().out.startswith(second.out)
    assert "up to date" in _unchanged(family).out


@pytest.mark.slow
def test_a_dry_run_of_a_conflict_leaves_every_byte(family: Family) -> None:
    family.synced()
    family.edit("Mine", {"training/train.py": "mine\n"})
    family.commit("Yours", {"core/src/train.py": "yours\n"})
    done = _unchanged(family)
    assert done.code == 3
    assert "  training/train.py: modified in the source, modified in the target" in done.out.splitlines()


def test_a_dry_run_as_json_has_no_outcome(family: Family) -> None:
    (space,) = _unchanged(family, "--json").json()["targets"]
    assert (space["action"], space["outcome"]) == ("create", None)


@pytest.mark.parametrize("wanted", ["blob:none", "tree:0"])
@pytest.mark.parametrize("command", [("sync", "--dry-run"), ("diff",), ("status",)], ids=" ".join)
def test_a_partial_clone_fetches_what_it_lacks_for_a_plan_elsewhere(
    family: Family, run_cli: RunCli, wanted: str, command: tuple[str, ...]
) -> None:
    family.origin.git("config", "uploadpack.allowFilter", "true")
    clone = Clone.of(family.origin.url, family.folder / "partial", f"--filter={wanted}", "--no-checkout")
    clone.write({"repos.toml": (family.clone.path / "repos.toml").read_text()})
    before = listing(clone.path)
    assert run_cli(*command, cwd=clone.path).code == 0
    assert listing(clone.path) == before


def test_a_dry_run_does_not_wait_for_a_sync_that_is_running(family: Family) -> None:
    import fcntl

    state = family.clone.path / ".git/openllm-repos"
    state.mkdir()
    with (state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert _unchanged(family).code == 0


def _at_work(clone: Clone) -> None:
    """Leave the clone as a person leaves it in the middle of work: staged, changed, untracked, stashed, ignored."""
    clone.git("checkout", "-q", "-b", "topic")
    clone.write({"core/src/train.py": "stashed\n"})
    clone.git("stash", "-q")
    clone.write({"untracked.txt": "x\n", ".git/info/exclude": "ignored\n", "ignored": "y\n"})
    clone.write({"core/src/train.py": "staged\n"})
    clone.git("add", "core/src/train.py")
    clone.write({"core/src/train.py": "changed\n"})
    clone.git("tag", "mine")


def _own(folder: Path) -> dict[str, str]:
    """Return a fingerprint of a clone but for objects, remote branches, and the tool's own folder and refs."""
    ours = ("objects", "refs/remotes", "logs/refs/remotes", "openllm-repos", "refs/openllm")
    skipped = tuple(f".git/{place}" for place in ours)
    return {path: data for path, data in listing(folder).items() if not path.startswith(skipped)}


def test_a_sync_touches_neither_work_tree_nor_index_nor_branches(family: Family) -> None:
    _at_work(family.clone)
    before, refs = _own(family.clone.path), family.clone.tips()
    family.synced()
    assert _own(family.clone.path) == before
    after = family.clone.tips()
    new = {ref: tip for ref, tip in after.items() if refs.get(ref) != tip}
    assert new == {"refs/remotes/space/main": family.space.tip("main")}
    family.clone.fsck()


def test_a_sync_with_a_detached_head(family: Family) -> None:
    family.clone.git("checkout", "-q", "--detach", "HEAD")
    before = _own(family.clone.path)
    family.synced()
    assert _own(family.clone.path) == before


def test_a_sync_from_a_folder_below_the_top(family: Family) -> None:
    assert family.sync(cwd=family.clone.path / "core/src").code == 0
    assert "training/model.py" in family.space.paths()


def test_a_sync_from_a_linked_work_tree(family: Family) -> None:
    linked = family.folder / "linked"
    family.clone.git("worktree", "add", "-q", "-b", "topic", linked)
    before = _own(family.clone.path), listing(linked)
    done = family.sync(cwd=linked)
    assert done.code == 0, done.err
    assert (_own(family.clone.path), listing(linked)) == before
    assert "training/model.py" in family.space.paths()
    assert "up to date" in family.synced().out


def test_a_sync_from_a_bare_clone_reads_the_manifest_of_head(family: Family, run_cli: RunCli) -> None:
    family.clone.git("clone", "-q", "--bare", family.origin.url, family.folder / "bare.git")
    bare = Bare(family.folder / "bare.git")
    before = listing(bare.path)
    dry = run_cli("sync", "--dry-run", cwd=bare.path)
    assert listing(bare.path) == before
    done = run_cli("sync", "--yes", cwd=bare.path)
    assert (dry.code, done.code) == (0, 0), done.err
    assert done.out.startswith(dry.out)
    assert "training/model.py" in family.space.paths()
    assert bare.tips() == {"refs/heads/main": family.clone.tip(), "refs/remotes/space/main": family.space.tip("main")}


def test_a_bare_clone_without_a_manifest_says_so(bare: Bare, run_cli: RunCli) -> None:
    done = run_cli("sync", "--yes", cwd=bare.path)
    assert done.code == 2
    assert "repos.toml" in done.err


def test_what_a_sync_replaced_can_be_found_again(family: Family) -> None:
    old = family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    kept = {ref: tip for ref, tip in family.clone.tips().items() if ref.startswith("refs/openllm/keep/")}
    assert list(kept.values()) == [old]
    assert all(ref.endswith("/space/0/old") for ref in kept)
    family.clone.git("gc", "-q", "--prune=now")
    assert family.clone.read("app.py", old) == b"app\n"
