"""The line of a value in a manifest, whatever way it is written in."""

from __future__ import annotations

import pytest

from openllm_repos.manifest.faults import Place
from openllm_repos.manifest.lines import line_of

TEXT = '''\
# a comment
schema = 1
[project]
name = "openllm"
never = [
  "data/",
  # of all
  "docs/",
]

[repos.main]
github = "louischua/openllm"
note = """
[repos.space]
"""
role = "source"

[repos]
space.space = "lemms/openllm"
space.map = [{ from = "a/", to = "b/" }, { from = "c/", to = "d/" }]

[[repos.model.map]]
from = "a/"

[[repos.model.map]]
to = "b/"
'''.replace("[repos]\nspace", "[repos.other]\nspace")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), 1),
        (("schema",), 2),
        (("project",), 3),
        (("project", "name"), 4),
        (("project", "never"), 5),
        (("project", "never", 1), 5),
        (("project", "missing"), 3),
        (("repos",), 11),
        (("repos", "main", "note"), 13),
        (("repos", "main", "role"), 16),
        (("repos", "other", "space", "map", 1, "to"), 20),
        (("repos", "model", "map", 0), 22),
        (("repos", "model", "map", 1), 25),
        (("repos", "model", "map", 1, "to"), 26),
        (("repos", "model", "map", 1, "from"), 25),
        (("repos", "nowhere"), 11),
        (("nothing",), 1),
    ],
)
def test_the_line_of_a_value(place: Place, line: int) -> None:
    assert line_of(TEXT, place) == line
    assert line_of("\ufeff" + TEXT.replace("\n", "\r\n"), place) == line


def test_what_would_take_too_long_is_not_looked_for() -> None:
    """One value of thousands of lines has no place within it where a document may end."""
    text = "schema = 1\nname = [\n" + "1,\n" * 20_000 + "]\nlast = 1\n"
    assert line_of(text, ("name", 5)) is None
    assert line_of(text, ()) == 1
