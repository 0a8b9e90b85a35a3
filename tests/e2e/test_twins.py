"""Files that Windows or macOS take for one: refused on the way to a target, and on the way home."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.adopting import APP, adopt, copied

if TYPE_CHECKING:
    from tests.support.family import Family
    from tests.support.process import Result

WHOLE = [("core/src/", "training/")]
HOW = "differ only in upper and lower case, and are one path on Windows or macOS"


def _refused(family: Family, *args: str) -> str:
    before = family.space.tips()
    done: Result = family.run(*args, cwd=family.clone.path)
    assert (done.code, family.space.tips()) == (3, before), (done.code, done.out, done.err)
    return done.out + done.err


@pytest.fixture
def whole(family: Family) -> Family:
    family.manifest(maps=WHOLE)
    family.commit("Maps")
    family.synced()
    return family


def test_a_file_of_the_source_that_is_the_twin_of_one_of_the_space_is_refused(whole: Family) -> None:
    """In the mapped folder, and where the Space owns the other one; renamed, it goes through."""
    whole.edit("Own", {"training/Utils.py": "own\n"})
    whole.commit("Theirs", {"core/src/utils.py": "source\n"})
    assert f"space: training/utils.py and training/Utils.py {HOW}; nothing was pushed." in _refused(
        whole, "sync", "--yes"
    )
    whole.commit("Renamed", {"core/src/utils.py": None, "core/src/helpers.py": "source\n"})
    whole.synced()
    whole.manifest(maps=[*WHOLE, ("configs/app.json", ".")], owned=["App.json"])
    whole.edit("App", {"App.json": "{}\n"})
    whole.commit("Map", {"configs/app.json": "{}\n"})
    assert f"app.json and App.json {HOW}" in _refused(whole, "sync", "--yes")


@pytest.mark.slow
def test_names_that_differ_in_how_an_accent_is_coded_are_twins_too(whole: Family) -> None:
    whole.edit("Own", {"training/caf\u00e9.py": "own\n"})
    whole.commit("Theirs", {"core/src/cafe\u0301.py": "source\n"})
    said = _refused(whole, "sync", "--yes")
    assert r"training/cafe\u0301.py and training/caf\xe9.py differ only in how accents are coded" in said


@pytest.mark.slow
def test_twins_that_the_space_had_before_are_no_reason_to_stop(whole: Family) -> None:
    whole.edit("Twins", {"training/Utils.py": "1\n", "training/utils.py": "2\n", "Own": "1\n", "own": "2\n"})
    whole.commit("Go on", {"core/src/train.py": "on\n", "core/src/new.py": "new\n"})
    whole.synced()
    assert whole.space.read("training/new.py") == b"new\n"


def test_a_file_that_only_changes_its_case_is_no_twin_of_itself(whole: Family) -> None:
    whole.clone.git("mv", "core/src/model.py", "core/src/Model.py")
    whole.commit("Rename by case")
    whole.synced()
    assert {"training/Model.py"} == {path for path in whole.space.paths() if path.lower() == "training/model.py"}


@pytest.mark.slow
def test_a_rollback_brings_no_twin_back(whole: Family) -> None:
    whole.clone.git("tag", "before")
    whole.clone.git("rm", "-q", "core/src/train.py")
    whole.commit("Away")
    whole.synced()
    whole.edit("Own", {"Training/train.py": "own\n"})
    said = _refused(whole, "rollback", "space", "--to", whole.clone.tip("before"), "--yes")
    assert f"training/train.py and Training/train.py {HOW}" in said


@pytest.mark.slow
def test_an_adopted_space_keeps_its_twins_but_gets_none(family: Family) -> None:
    family.manifest(maps=WHOLE)
    family.commit("Maps")
    family.edit("Upload", APP | copied(family) | {"training/Utils.py": "own\n"})
    family.commit("Theirs", {"core/src/utils.py": "source\n"})
    assert adopt(family, "--yes").code == 0
    assert f"training/utils.py and training/Utils.py {HOW}" in _refused(family, "sync", "--yes")


def test_a_file_of_the_space_that_is_the_twin_of_one_of_the_source_does_not_come_home(whole: Family) -> None:
    """Also where the source got its own after the sync that the import starts from."""
    whole.edit("Own", {"training/Utils.py": "own\n"})
    whole.commit("Meanwhile", {"core/src/utils.py": "source\n"})
    assert f"space: core/src/Utils.py and core/src/utils.py {HOW}; nothing was imported." in _refused(
        whole, "import", "space"
    )
    assert "refs/heads/import/space" not in whole.clone.tips()
    work = whole.work
    work.git("mv", "training/Utils.py", "training/helpers.py")
    work.git("mv", "training/model.py", "training/Model.py")
    work.git("commit", "-q", "-m", "Renamed")
    work.git("push", "-q", "origin", "HEAD:refs/heads/main")
    assert whole.run("import", "space", cwd=whole.clone.path).code == 0
    assert {"core/src/helpers.py", "core/src/Model.py"} <= set(whole.clone.paths("import/space"))
