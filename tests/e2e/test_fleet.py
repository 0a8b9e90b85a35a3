"""A fleet: one entry for many targets that share their maps, and commands for some of them."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.support.repositories import Bare

if TYPE_CHECKING:
    from tests.support.family import Family

FLEET = """\
schema = 1
[project]
name = "fleet"
[defaults.url]
map = [{{ from = "core/src/*.py", to = "training/" }}]
[repos.main]
url = "{main}"
role = "source"
[repos.eu]
groups = ["prod"]
urls = ["{oslo}", "{riga}"]
[repos.us]
urls = ["{reno}"]
"""


@pytest.fixture
def fleet(family: Family) -> dict[str, Bare]:
    """Return the remotes of three targets of two entries, all empty; the manifest is pushed."""
    made = {name: Bare.init(family.folder / f"{name}.git") for name in ("oslo", "riga", "reno")}
    urls = {name: bare.url for name, bare in made.items()}
    family.commit("Describe the fleet", {"repos.toml": FLEET.format(main=family.urls["main"], **urls)})
    return made


def test_a_group_is_synced_and_the_others_are_left_alone(family: Family, fleet: dict[str, Bare]) -> None:
    assert family.run("diff", "r*", cwd=family.clone.path).out.count("sync") == 2
    done = family.sync("--group", "eu")
    assert (done.code, [line.partition(",")[0] for line in done.out.splitlines()[-2:]]) == (
        0,
        ["oslo: synced", "riga: synced"],
    )
    assert fleet["riga"].read("training/train.py") == b"train\n"
    assert fleet["reno"].tips() == {}
    table = family.run("status", "--group", "us", "oslo", cwd=family.clone.path).out
    assert [line.split()[0] for line in table.splitlines()[1:3]] == ["oslo", "reno"]


def test_nothing_that_is_like_it_is_a_mistake_not_all_of_them(family: Family, fleet: dict[str, Bare]) -> None:
    done = family.sync("--group", "uss")
    assert (done.code, done.err.splitlines()) == (
        2,
        ["error: repos.toml has no group 'uss'; did you mean 'us'?", "hint: The groups are: eu, prod, us."],
    )
    assert family.sync("osl?x").code == 2
    assert family.sync("eu").err.splitlines() == [
        "error: eu is no repo but a group of 2 in repos.toml",
        "hint: Name one of them; sync, diff, status and others take all of them with --group eu.",
    ]
    assert [bare.tips() for bare in fleet.values()] == [{}] * 3


def test_one_of_a_group_that_is_held_does_not_stop_the_others(family: Family, fleet: dict[str, Bare]) -> None:
    family.sync("--group", "eu")
    assert family.run("rollback", "oslo", "--to", "HEAD", "--yes", cwd=family.clone.path).code == 0
    family.commit("Go on", {"core/src/train.py": "on\n"})
    assert family.sync("oslo").code == 3
    assert family.sync("--group", "prod").code == 0
    assert fleet["riga"].read("training/train.py") == b"on\n"
    assert fleet["oslo"].read("training/train.py") == b"train\n"


def test_a_release_of_a_group_tags_it_and_the_source_and_its_lock_has_no_other(
    family: Family, fleet: dict[str, Bare]
) -> None:
    done = family.run("release", "1.0.0", "--group", "us", "--yes", cwd=family.clone.path)
    assert done.code == 0, done.err
    assert "Only of us: the lock of v1.0.0 has no other repo." in done.out
    lock = tomllib.loads(family.origin.read("manifest/releases/v1.0.0.toml").decode())
    assert list(lock["repos"]) == ["main", "reno"]
    assert [name for name, bare in fleet.items() if bare.git("tag")] == ["reno"]
    again = family.run("release", "1.0.0", "--group", "eu", "--yes", cwd=family.clone.path)
    assert (again.code, again.err.splitlines()[0]) == (
        2,
        "error: The release 1.0.0 is one of other repos; its lock lacks oslo, riga.",
    )
