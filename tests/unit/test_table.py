"""The table of `openllm-repos status`: it fits, whatever the names are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from openllm_repos.cli.status import _table
from openllm_repos.family.pins import Distance
from openllm_repos.hub.model import Runtime, Stage
from openllm_repos.manifest.model import Kind, Repo, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.path import FolderPath
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoUrl
from openllm_repos.status.family import RepoStatus, Standing
from openllm_repos.status.pins import Pin


def standing(name: str, state: Standing, release: str | None = None) -> RepoStatus:
    url = RepoUrl(f"https://git.example.org/{name}.git")
    return RepoStatus(Repo(RepoName(name), Kind.GIT, url, None, Role.MEMBER), state, release=release)


REPOS = [standing("a", Standing.OK, release="v1.0"), standing("a-rather-long-name", Standing.IN_SYNC)]


def test_columns_are_aligned_and_no_line_ends_in_blanks() -> None:
    assert list(_table([*REPOS, standing("b", Standing.EMPTY, release="v1")], 80)) == [
        "repo                kind  branch  state    release",
        "a                   git   main    ok       v1.0",
        "a-rather-long-name  git   main    in sync  -",
        "b                   git   main    empty    v1",
    ]


@pytest.mark.parametrize(
    ("columns", "headings", "row"),
    [
        (50, "repo                kind  branch  state    release", "a-rather-long-name  git   main    in sync  -"),
        (49, "repo                kind  state    release", "a-rather-long-name  git   in sync  -"),
        (42, "repo                kind  state    release", "a-rather-long-name  git   in sync  -"),
        (41, "repo                state    release", "a-rather-long-name  in sync  -"),
        (30, "repo          state    release", "a-rather-lo…  in sync  -"),
    ],
)
def test_the_branch_that_all_share_goes_first_then_the_kind_then_the_widest_is_cut(
    columns: int, headings: str, row: str
) -> None:
    assert list(_table(REPOS, columns))[::2] == [headings, row]


def test_pins_holds_releases_and_spaces_all_at_once_leave_names_states_and_dates_whole() -> None:
    changed = datetime(2025, 9, 15, tzinfo=UTC)
    pin = Pin(FolderPath("models/small"), ObjectId("3891fb8" + "0" * 33), Distance(12, on_branch=True))
    held = replace(standing("space", Standing.HELD, "v0.1.0"), held="v0.1.0", changed=changed)
    building = replace(held, runtime=Runtime(Stage.BUILDING, "RUNNING_BUILDING"))
    pinned = replace(standing("small-extended-7k", Standing.OK, "v0.1.0"), pin=pin, changed=changed)
    assert list(_table([building, pinned], 80)) == [
        "repo               state           release  pin                space  changed",
        "space              held at v0.1.0  v0.1.0   -                  RUNN…  2025-09-15",
        "small-extended-7k  ok              v0.1.0   3891fb8 12 behind  -      2025-09-15",
    ]


def test_a_character_that_takes_two_columns_counts_twice() -> None:
    line = list(_table([standing("a", Standing.OK, release="v1" + "模" * 40)], 80))[1]
    assert line.endswith("模…")
    assert 79 <= len(line) + line.count("模") <= 80


@pytest.mark.parametrize("release", ["v1[red]x[/red]", "v1[/]", "v1:smile:", "[link=https://example.org]v1"])
def test_what_looks_like_markup_is_shown_as_it_is(release: str) -> None:
    assert list(_table([standing("a", Standing.OK, release=release)], 80))[1].endswith(f"  {release}")


def test_nothing_in_a_cell_can_act_on_a_terminal() -> None:
    line = list(_table([standing("a", Standing.OK, release="v1\x1b[31m\u202e")], 80))[1]
    assert line.endswith("  v1\\x1b[31m\\u202e")
