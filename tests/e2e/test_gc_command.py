"""`openllm-repos gc`: only it lets go of what operations replaced, and never of what has not ended."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from openllm_repos import temporary
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import Move, MoveOutcome, operations
from openllm_repos.journal.transaction import Transaction, new_operation
from openllm_repos.names.objectid import ObjectId
from openllm_repos.temporary import temporary_folder
from tests.support.family import Family
from tests.support.process import Result


def gc(family: Family, *args: str) -> Result:
    done = family.run("gc", "--yes", *args, cwd=family.clone.path)
    assert done.code == 0, (done.out, done.err)
    return done


def kept(family: Family) -> set[str]:
    return {ref.split("/")[3] for ref in family.clone.tips() if ref.startswith("refs/openllm/keep/")}


OLD = "20241101T000000Z-aaaa"


def write(family: Family, name: str, outcome: MoveOutcome | None) -> None:
    """Write an operation of that name, which moved the Space."""
    tip = ObjectId(family.clone.tip())
    move = Move("space", family.space.url, "refs/heads/main", tip, tip)
    with Transaction(Repository.open(family.clone.path), "sync") as transaction:
        transaction.name = name
        transaction.begin(move)
        if outcome is not None:
            transaction.finish(outcome, move)


def names(family: Family) -> list[str]:
    return [one.name for one in operations(Repository.open(family.clone.path))]


@pytest.fixture
def old(family: Family) -> str:
    """Return an operation of two years ago that has ended; the family was synced twice since."""
    family.synced()
    family.commit("More", {"core/src/more.py": "more\n"})
    family.synced()
    write(family, OLD, MoveOutcome.MOVED)
    return OLD


@pytest.mark.slow
def test_a_dry_run_says_what_would_go_and_changes_nothing(family: Family, old: str) -> None:
    before = family.everything()
    told = gc(family, "--older-than", "90d", "--dry-run").out
    assert told == ("would go: 1 kept ref of 1 operation\nwould go: 1 entry of the log\nstays: 1 kept ref\n")
    assert family.everything() == before
    assert old in kept(family)


def test_where_nothing_is_that_old_one_sentence_says_it(family: Family) -> None:
    family.synced()
    assert gc(family, "--older-than", "90d").out == "Nothing is that old.\nstays: 0 kept refs\n"


@pytest.mark.parametrize("age", ["90d", "12w", "1y", "2000h"])
def test_what_is_older_goes_and_the_rest_stays(family: Family, old: str, age: str) -> None:
    told = gc(family, "--older-than", age, "--json").json()
    assert (told["refs"], told["log"]) == ([f"refs/openllm/keep/{old}/space/0/old"], [old])
    assert len(kept(family)) == told["kept"] == 1
    assert len(names(family)) == 2
    gc(family, "--older-than", "3y")
    assert len(kept(family)) == 1
    gc(family, "--older-than", "0d")
    assert kept(family) == set()
    assert names(family) == []


def test_what_has_not_ended_stays_whatever_its_age(family: Family, old: str) -> None:
    assert old in names(family)
    begun = "20230101T000000Z-bbbb"
    write(family, begun, None)
    gc(family, "--older-than", "0d")
    assert kept(family) == {begun}
    assert names(family) == [begun]
    family.synced()
    gc(family, "--older-than", "1y")
    assert kept(family) == set()


def test_leftovers_of_runs_that_were_killed_go_and_what_is_a_persons_stays(
    family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family.synced()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    state = family.clone.path / ".git/openllm-repos"
    projections = state / "projections"
    (used,) = projections.glob("*.projection")
    (projections / "0000.projection").write_bytes(b"of other maps")
    (projections / ".openllm-repos-abc").write_bytes(b"half written")
    (state / "resolve").mkdir()
    note = '{"path": "%s", "source_commit": "%s", "tip": "%s"}'
    tip = family.clone.tip()
    (state / "resolve/gone.json").write_text(note % (tmp_path / "gone/gone", tip, tip))
    (state / "resolve/open.json").write_text(note % (tmp_path, tip, tip))
    persons = {
        "openllm-repos-persons1": "thesis.txt",
        "openllm-repos-space-12345678": "space/.git",
        "openllm-repos-demo-12345678": "openllm/README.md",
    }
    killed = {"openllm-repos-tmp-quarant1": "objects/pack/x", "openllm-repos-tmp-desk_abc": "space.git/HEAD"}
    for name, inner in (persons | killed).items():
        place = tmp_path / "tmp" / name / inner
        place.parent.mkdir(parents=True)
        place.write_text("content")
    for path in sorted([tmp_path, *tmp_path.rglob("*")]):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    folder = tmp_path / "tmp"
    monkeypatch.setattr(temporary, "_remove_abandoned_once", lambda: None)
    with temporary_folder() as in_use:
        told = gc(family, "--older-than", "0d", "-n").out
        assert "would go: 3 files and 2 folders, " in told
        listed = family.run("-v", "gc", "--yes", "--older-than", "0d", cwd=family.clone.path).out
        assert str(folder / "openllm-repos-tmp-quarant1") in listed
        assert {path.name for path in folder.iterdir()} == {*persons, in_use.name}
    assert [path.name for path in projections.iterdir()] == [used.name]
    assert [path.name for path in (state / "resolve").iterdir()] == ["open.json"]


def test_many_kept_refs_are_better_packed(family: Family) -> None:
    tip, name = family.clone.tip(), new_operation()
    lines = "".join(f"create refs/openllm/keep/{name}/r{number}/old {tip}\n" for number in range(1001))
    family.clone.run("update-ref", "--stdin", data=lines.encode())
    assert (
        "  next: git pack-refs --all  # so many are quicker to read packed\n" in gc(family, "--older-than", "90d").out
    )


@pytest.mark.parametrize("age", ["90", "d", "-1d", "1m", "1.5d", ""])
def test_an_age_that_is_none_is_refused(family: Family, age: str) -> None:
    done = family.run("gc", "--yes", "--older-than", age, cwd=family.clone.path)
    assert (done.code, "is no length of time; write 90d" in done.err) == (2, True)
