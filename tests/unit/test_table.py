"""Tables of the command line fit the terminal, whatever the names are, and lose nothing that tells rows apart."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from openllm_repos.cli.status import _table
from openllm_repos.cli.table import Column, Row, table_lines, wrapped
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
CHANGED = datetime(2025, 9, 15, tzinfo=UTC)
PIN = Pin(FolderPath("models/small"), ObjectId("3891fb8" + "0" * 33), Distance(12, on_branch=True))
HELD = replace(standing("space", Standing.HELD, "v0.1.0"), held="v0.1.0", changed=CHANGED)
BUILDING = replace(HELD, runtime=Runtime(Stage.BUILDING, "RUNNING_BUILDING"))
PINNED = replace(standing("small-extended-7k", Standing.OK, "v0.1.0"), pin=PIN, changed=CHANGED)
TWIN = replace(standing("small-extended-8k", Standing.UNREACHABLE, "v0.1.0"), changed=CHANGED)


def test_columns_are_aligned_and_no_line_ends_in_blanks() -> None:
    assert list(_table([*REPOS, standing("b", Standing.EMPTY, release="v1")], 80)) == [
        "repo                kind  branch  state    release",
        "a                   git   main    ok       v1.0",
        "a-rather-long-name  git   main    in sync  -",
        "b                   git   main    empty    v1",
    ]


@pytest.mark.parametrize("state", [Standing.AHEAD, Standing.BEHIND])
def test_where_not_one_commit_is_behind_it_a_state_has_no_number(state: Standing) -> None:
    assert standing("space", state).said == state
    assert replace(standing("space", state), behind=2, ahead=2).said == f"{state} 2"


@pytest.mark.parametrize(
    ("columns", "headings", "row"),
    [
        (50, "repo                kind  branch  state    release", "a-rather-long-name  git   main    in sync  -"),
        (49, "repo                kind  state    release", "a-rather-long-name  git   in sync  -"),
        (42, "repo                kind  state    release", "a-rather-long-name  git   in sync  -"),
        (41, "repo                state    release", "a-rather-long-name  in sync  -"),
        (30, "repo                state", "a-rather-long-name  in sync"),
    ],
)
def test_the_branch_that_all_share_goes_first_then_the_kind_then_the_release(
    columns: int, headings: str, row: str
) -> None:
    assert list(_table(REPOS, columns))[::2] == [headings, row]


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        (
            80,
            [
                "repo               state           release  pin                space",
                "space              held at v0.1.0  v0.1.0   -                  RUNNING_BUILDING",
                "small-extended-7k  ok              v0.1.0   3891fb8 12 behind  -",
                "small-extended-8k  unreachable     v0.1.0   -                  -",
            ],
        ),
        (
            60,
            [
                "repo               state           release  space",
                "space              held at v0.1.0  v0.1.0   RUNNING_BUILDING",
                "small-extended-7k  ok              v0.1.0   -",
                "small-extended-8k  unreachable     v0.1.0   -",
            ],
        ),
        (
            40,
            [
                "repo               state",
                "space              held at v0.1.0",
                "small-extended-7k  ok",
                "small-extended-8k  unreachable",
            ],
        ),
    ],
)
def test_names_and_states_stay_whole_when_dates_and_kinds_have_to_go(columns: int, lines: list[str]) -> None:
    assert list(_table([BUILDING, PINNED, TWIN], columns)) == lines


def test_what_may_not_be_left_out_moves_below_its_row() -> None:
    commit, url = "4c71" * 10, "https://huggingface.co/lemms/openllm-small-extended-7k"
    columns = (Column(), Column(yields=1), Column(yields=2))
    assert list(table_lines(columns, [Row(["small-7k", commit, url])], width=60)) == [
        f"small-7k  {commit}",
        f"  {url}",
    ]
    assert list(table_lines(columns, [Row(["small-7k", commit, url])], width=40)) == [
        "small-7k",
        commit,  # whole, to be copied
        "  https://huggingface.co/lemms/openllm-",
        "  small-extended-7k",
    ]
    assert list(table_lines(columns, [Row(["small-7k", commit, url])])) == [f"small-7k  {commit}  {url}"]


def test_a_sentence_is_wrapped_between_its_words() -> None:
    columns = (Column(least=7), Column(yields=1, wraps=True))
    assert list(
        table_lines(columns, [Row(["warning", "the hook of this clone is from an older version"])], width=40)
    ) == [
        "warning  the hook of this clone is from",
        "         an older version",
    ]


def test_a_character_that_takes_two_columns_counts_twice() -> None:
    assert wrapped("v1" + "模" * 5, 7) == ["v1模模", "模模模"]


@pytest.mark.parametrize("release", ["v1[red]x[/red]", "v1[/]", "v1:smile:", "[link=https://example.org]v1"])
def test_what_looks_like_markup_is_shown_as_it_is(release: str) -> None:
    assert list(_table([standing("a", Standing.OK, release=release)], 80))[1].endswith(f"  {release}")


def test_nothing_in_a_cell_can_act_on_a_terminal() -> None:
    line = list(_table([standing("a", Standing.OK, release="v1\x1b[31m\u202e")], 80))[1]
    assert line.endswith("  v1\\x1b[31m\\u202e")


TEXTS = st.text("ab模-/. ", max_size=90).map(lambda text: re.sub(" +", " ", text.strip()))


@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=4),
    st.integers(40, 120),
    st.integers(0, 2),
    st.booleans(),
)
def test_every_table_fits_and_every_character_of_what_must_stay_is_in_it(
    rows: list[tuple[str, str, str]], width: int, indent: int, wraps: bool
) -> None:
    columns = (Column(), Column(yields=1, wraps=wraps), Column(yields=2, optional=True))
    lines = list(table_lines(columns, [Row(row) for row in rows], width=width, indent=indent))
    assert max(map(cell_len, lines)) <= width
    shown = sorted(char for line in lines for char in line if char != " ")
    kept = sorted(char for row in rows for text in row[:2] for char in text if char != " ")
    everything = sorted(char for row in rows for text in row for char in text if char != " ")
    assert shown in (kept, everything)


@given(TEXTS, st.integers(4, 90))
def test_a_word_is_broken_only_where_it_is_longer_than_a_line(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert max(map(cell_len, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    if max(map(cell_len, text.split(" "))) <= width:
        assert " ".join(lines) == text


def test_a_table_without_rows_is_nothing() -> None:
    assert list(table_lines((Column(), Column(wraps=True)), [], width=40)) == []
