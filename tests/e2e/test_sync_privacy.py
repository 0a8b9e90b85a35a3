"""What never reaches a target: private folders, and the source's own commits."""

from __future__ import annotations

import pytest

from tests.support.family import Family, text
from tests.support.inprocess import RunCli
from tests.support.repositories import Bare, Clone


def _private_history(family: Family) -> None:
    """Give the source a history in which private files come, go, merge, and stand beside mapped ones."""
    family.commit("Both", {"core/src/model.py": text(l1="a"), "data/secret.txt": "secret 2\n"})
    family.clone.switch("side", at="main")
    family.clone.commit("Private side", {"data/other.txt": "secret 3\n", "core/src/data.py": "public\n"})
    family.clone.switch("main")
    family.clone.commit("Moved out", {"docs/guide.md": None, "core/src/guide.py": "was a guide\n"})
    family.clone.merge("side", files={"data/evil.txt": "secret 4\n"})
    family.commit("Private folder gone", {"data/secret.txt": None, "data/other.txt": None, "data/evil.txt": None})


def _objects(space: Bare) -> set[str]:
    listed = space.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(listed.splitlines())


@pytest.mark.parametrize("settings", ["", 'history = "squash"'])
def test_private_paths_are_in_no_commit_that_the_space_ever_got(family: Family, settings: str) -> None:
    family.manifest(settings=settings)
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    _private_history(family)
    family.synced()
    commits = family.space.git("rev-list", "--all").split()
    assert len(commits) >= 3
    for commit in commits:
        for path in family.space.paths(commit):
            assert path == "app.py" or path.startswith(("training/", "configs/"))
    secrets = [family.clone.git("hash-object", "--stdin", data=f"secret{n}\n".encode()) for n in ("", " 2", " 3", " 4")]
    assert not set(secrets) & _objects(family.space)


@pytest.mark.slow
def test_no_commit_of_the_source_is_in_the_space(family: Family) -> None:
    family.edit("My Space", {"app.py": "app\n"})
    _private_history(family)
    family.synced()
    assert not set(family.clone.git("rev-list", "--all").split()) & _objects(family.space) - set(
        family.space.git("rev-list", "main").split()
    )
    source = set(family.clone.git("rev-list", "main").split())
    assert not source & set(family.space.git("rev-list", "--all").split())


@pytest.mark.slow
def test_the_space_gets_the_commits_that_split_prints(family: Family, run_cli: RunCli) -> None:
    family.edit("My Space", {"app.py": "app\n"})
    family.synced()
    _private_history(family)
    family.synced()
    projected = run_cli("split", "space", cwd=family.clone.path).out.strip()
    assert family.space.parents("main")[1] == projected
    elsewhere = Clone.of(family.origin.url, family.folder / "elsewhere")
    assert run_cli("split", "space", "--no-cache", cwd=elsewhere.path).out.strip() == projected


def test_a_map_that_reads_a_private_path_stops_before_anything_starts(family: Family) -> None:
    family.manifest(maps=[("data/*.txt", "data/")])
    before = family.everything()
    done = family.sync()
    assert done.code == 2
    assert "project.never[0]" in done.err
    assert family.everything() == before
