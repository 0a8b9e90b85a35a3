"""The manifest that `init` writes, as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from openllm_repos.manifest import Manifest
from openllm_repos.manifest.model import Kind
from openllm_repos.names.ref import BranchName, RepoName
from openllm_repos.setup.draft import Draft, Entry, entries
from openllm_repos.setup.places import place_of, place_of_url

ROOT = Path(__file__).parents[3]
TOLD = [ROOT / "README.md", ROOT / "repos.toml", *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.toml")]
TOLD += [
    ROOT / "src/openllm_repos/demo/content.py",
    *(ROOT / "manifest/valid" / name for name in ("openllm.toml", "publish.toml")),
]


def draft(*maps: tuple[str, str], name: str = "space") -> Draft:
    """Return a source and a Space with these maps."""
    source = Entry(RepoName("main"), place_of(Kind.GITHUB, "louischua/openllm"))
    space = Entry(RepoName(name), place_of(Kind.SPACE, "lemms/openllm"), BranchName("live"), ("app.py",), maps)
    return Draft("openllm", source, (space,))


@pytest.mark.parametrize(
    ("source", "comment"),
    [
        ("core/src/*.py", '# this folder only; "core/src/**/*.py": all below it too'),
        ("core/src/**/*.py", "# this folder and all below it"),
        ("core/src/", "# this folder and all below it"),
    ],
)
def test_the_first_map_explains_what_its_pattern_takes(source: str, comment: str) -> None:
    text = draft((source, "training/"), ("configs/*.json", "configs/")).text()
    assert [line.partition("#")[1:] for line in text.splitlines() if line.startswith("from")] == [
        ("#", comment[1:]),
        ("", ""),
    ]
    assert len(Manifest.parse(text).target("space").maps) == 2


def test_a_single_file_needs_no_explanation() -> None:
    assert 'from = "core/run.py"\n' in draft(("core/run.py", "run.py")).text()


def test_another_branch_and_a_name_with_a_dot_are_written_as_toml_wants_them() -> None:
    read = Manifest.parse(draft(("a/*.py", "b/"), name="space.v2").text())
    assert read.target("space.v2").branch == "live"


def test_comments_stand_in_one_column_where_lines_are_short_enough() -> None:
    lines = draft(("core/src/*.py", "training/")).text().splitlines()
    assert {line.index("  # ") for line in lines if "  # " in line} == {53}


def test_a_source_that_is_neither_on_github_nor_on_the_hub() -> None:
    place = place_of_url("file:///srv/git/engine.git")
    assert place is not None
    text = Draft("engine", Entry(RepoName("main"), place)).text()
    assert Manifest.parse(text).source.url == "file:///srv/git/engine.git"


def test_the_documents_and_the_demo_call_each_repo_as_init_does() -> None:
    """A person who has read the README finds its names in the manifest that they get."""
    source = place_of(Kind.GITHUB, "louischua/openllm")
    written: list[tuple[str, str, str]] = []
    for path in TOLD:
        rows = re.findall(r'^\[repos\.([\w-]+)\]\n(space|model|dataset) = "(.*?)"', path.read_text(), re.MULTILINE)
        spaces = {repo_id for _, kind, repo_id in rows if kind == Kind.SPACE}
        # of several Spaces, a person names all but the one of `init`
        written += [row for row in rows if len(spaces) < 2 or row[1] != Kind.SPACE or row[0] == "space"]
    assert len(written) > 10
    for name, kind, repo_id in written:
        place = place_of(Kind(kind), repo_id)
        space, others = (place, []) if kind == Kind.SPACE else (None, [place])
        (_, made) = entries("openllm", source, BranchName("main"), space, others)
        assert (made.name, repo_id) == (name, repo_id)
