"""The README is true: its library example runs, its manifest is sound, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from openllm_repos.cli.app import COMMANDS
from openllm_repos.manifest import Manifest

if TYPE_CHECKING:
    import pytest

    from tests.support.family import Family

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the one code block of a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


def test_the_library_example_syncs_a_family(
    family: Family, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run as it stands, in a clone that has a `repos.toml`: the Space gets the folder, and the tip is printed."""
    monkeypatch.chdir(family.clone.path)
    exec(compile(block("python"), "README.md", "exec"), {})  # noqa: S102 - the README's own words
    head, target = capsys.readouterr().out.split()
    assert (len(head), target) == (40, "space")
    assert family.space.read("training/train.py") == b"train\n"


def test_the_manifest_in_the_readme_is_sound() -> None:
    assert [repo.name for repo in Manifest.parse(block("toml")).repos] == ["main", "space"]


def test_the_table_of_commands_is_the_tools_own() -> None:
    rows = re.findall(r"^\| `([a-z]+)", README, re.MULTILINE)
    assert rows == list(COMMANDS)


def test_every_page_that_the_readme_names_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (Path(__file__).parents[2] / link).exists()] == []
