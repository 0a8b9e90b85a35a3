"""Tables that fit."""

from __future__ import annotations

import re

import pytest

from openllm_repos.cli.table import table_lines

ROWS = [("repo", "state"), ("a", "ok"), ("a-rather-long-name", "in sync")]


def test_columns_are_aligned() -> None:
    assert table_lines(ROWS, 80) == [
        "repo                state  ",
        "a                   ok     ",
        "a-rather-long-name  in sync",
    ]


@pytest.mark.parametrize("columns", [12, 18, 26, 27])
def test_the_widest_column_is_cut_first(columns: int) -> None:
    lines = table_lines(ROWS, columns)
    assert {len(line) for line in lines} == {columns}
    assert lines[2].startswith("a-")
    assert ("…" in lines[2]) == (columns < 27)


def test_colour_takes_no_room() -> None:
    lines = table_lines(ROWS, 80, lambda column, text: "green" if (column, text) == (1, "ok") else None)
    assert "\x1b[32mok     \x1b[0m" in lines[1]
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in lines] == table_lines(ROWS, 80)
