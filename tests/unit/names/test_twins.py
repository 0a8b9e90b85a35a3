"""Paths that Windows or macOS take for one."""

from __future__ import annotations

import pytest

from openllm_repos.names.twins import find_twins

CASE = "differ only in upper and lower case, and are one path on Windows or macOS"


@pytest.mark.parametrize(
    ("comes", "there", "said"),
    [
        (["utils.py"], ["Utils.py"], f"utils.py and Utils.py {CASE}"),
        (["utils.py", "Utils.py"], [], f"utils.py and Utils.py {CASE}"),
        (["utils.py"], ["utils.py", "Utils.py"], f"utils.py and Utils.py {CASE}"),
        (["docs/a.md"], ["Docs/A.md"], f"docs/a.md and Docs/A.md {CASE}"),
        (["model"], ["Model/a.py"], f"model and Model {CASE}"),
        (["Model/deep/a.py"], ["model"], f"Model/deep/a.py and model {CASE}"),
        (["Stra\u00dfe.py"], ["strasse.py"], f"Stra\u00dfe.py and strasse.py {CASE}"),
        (
            ["caf\u00e9.py"],
            ["cafe\u0301.py"],
            r"caf\xe9.py and cafe\u0301.py differ only in how accents are coded, and are one path on Windows or macOS",
        ),
        (["CAFE\u0301.py"], ["caf\u00e9.py"], f"CAFE\u0301.py and caf\u00e9.py {CASE}"),
    ],
)
def test_both_names_are_told(comes: list[str], there: list[str], said: str) -> None:
    assert [str(twins) for twins in find_twins(comes, there)] == [said]


@pytest.mark.parametrize(
    ("comes", "there"),
    [
        (["a.py"], ["A.py.txt", "b/a.py"]),
        ([], ["Utils.py", "utils.py"]),
        (["new.py"], ["Utils.py", "utils.py"]),
        (["docs/b.md"], ["Docs/a.md"]),
        (["model/a.py"], ["model/b.py"]),
        (["caf\udce9.py"], ["caf\u00e9.py"]),
    ],
)
def test_other_paths_are_no_twins(comes: list[str], there: list[str]) -> None:
    """Nor are those that were there before anybody came, or folders that a disk would merge."""
    assert not list(find_twins(comes, there))
