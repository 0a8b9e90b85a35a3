"""The README is true: its library example runs, its manifest is sound, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from openllm_repos.cli.app import COMMANDS
from openllm_repos.manifest import Manifest
from openllm_repos.manifest.model import Kind
from openllm_repos.names.ref import BranchName
from openllm_repos.setup.draft import entries
from openllm_repos.setup.places import place_of

if TYPE_CHECKING:
    import pytest

    from tests.support.family import Family

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")
SHOWN = [TOP / "README.md", *(TOP / "docs").glob("*.md"), *(TOP / "examples").rglob("repos.toml")]


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
    assert [link for link in links if not (TOP / link).exists()] == []


def test_the_token_is_named_before_the_first_command_that_needs_it() -> None:
    start = README.partition("\n## Start\n")[2].partition("\n## ")[0]
    commands = [found.start() for found in re.finditer(r"^\$ openllm-repos ", start, re.MULTILINE)]
    assert commands
    for said in ("needs a token", "`hf auth login`", "`HF_TOKEN`", "$ hf auth login\n"):
        assert 0 <= start.find(said) < commands[0], said


def test_each_repo_has_the_name_everywhere_that_init_gives_it() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in SHOWN}
    ids = sorted({found for text in texts.values() for found in re.findall(r"lemms/openllm-[a-z0-9-]+", text)})
    source, others = place_of(Kind.GITHUB, "louischua/openllm"), [place_of(Kind.MODEL, one) for one in ids]
    given = {
        entry.place.text: str(entry.name) for entry in entries("openllm", source, BranchName("main"), None, others)
    }
    for path, text in texts.items():
        words = set(re.findall(r"(?<![\w/.-])(?:small|training)-[a-z0-9-]+", text))
        assert words <= set(given.values()), path
        if path.suffix == ".toml":
            repos = [repo for repo in Manifest.parse(text).repos if repo.repo_id in given]
            assert [str(repo.name) for repo in repos] == [given[str(repo.repo_id)] for repo in repos]
