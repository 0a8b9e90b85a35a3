"""The library behind `status`: `family_status(manifest, clone)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openllm_repos
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest
from openllm_repos.status.family import Standing, family_status

if TYPE_CHECKING:
    from tests.support.family import Family


def test_a_program_gets_frozen_values(family: Family) -> None:
    family.synced()
    fix = family.edit("Fix there", {"training/train.py": "fixed\n"})
    manifest = Manifest.load(family.clone.path / "repos.toml")
    heard: list[str] = []
    found = openllm_repos.family_status(manifest, Repository.open(family.clone.path), told=heard.append)
    main, space = found.repos
    assert (main.standing, main.said, main.tip) == (Standing.OK, "ok", family.clone.tip())
    assert (space.standing, space.said, space.tip) == (Standing.DRIFT, "drift 1", fix)
    assert space.drift.commits == (fix,)
    assert found.differs
    assert sorted(heard) == ["main", "space"]


def test_in_a_quarantine_it_stays_in_that_one(family: Family) -> None:
    """A program may go on with what was fetched: the objects are there until its own quarantine ends."""
    family.synced()
    fix = family.edit("Fix there", {"training/train.py": "fixed\n"})
    manifest = Manifest.load(family.clone.path / "repos.toml")
    with Repository.open(family.clone.path).quarantine() as clone:
        assert family_status(manifest, clone).repos[1].tip == fix
        assert clone.resolve(fix) == fix
    assert family.clone.run("cat-file", "-e", fix, ok=(0, 1, 128)).code != 0


def test_a_family_without_targets_needs_no_history(family: Family) -> None:
    manifest = Manifest.parse(
        f'schema = 1\n[project]\nname = "x"\n[repos.main]\nurl = "{family.origin.url}"\nrole = "source"\n'
    )
    found = family_status(manifest, Repository.open(family.clone.path))
    assert [status.standing for status in found.repos] == [Standing.OK]
    assert not found.differs
    assert found.problems == ()
