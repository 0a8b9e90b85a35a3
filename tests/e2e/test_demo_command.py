"""`openllm-repos demo`: the story runs through, and its end state is what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import git
import pytest

from openllm_repos.demo.content import MANIFEST
from openllm_repos.manifest import Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import RunCli


@pytest.fixture
def told(run_cli: RunCli, tmp_path: Path) -> str:
    """Run the demo in a folder of its own and return what it printed."""
    done = run_cli("demo", tmp_path / "demo")
    assert done.code == 0, done.err
    return done.out


def test_the_demo_ends_with_a_space_that_has_both_sides(told: str, tmp_path: Path) -> None:
    """The Space has the source's newest files, its own edits, and the history of both; GitPython reads it."""
    space = git.Repo(tmp_path / "demo/hub/spaces/lemms/openllm")
    tree = space.heads.main.commit.tree
    names = {str(blob.path) for blob in tree.traverse() if isinstance(blob, git.Blob)}
    own = {"README.md", "app.py", "requirements.txt"}
    training = {f"training/{name}.py" for name in ("data_loader", "model", "quantization", "train_model")}
    assert names == own | training | {"configs/small.json"}
    assert b"upper()" in (tree / "app.py").data_stream.read()
    assert b"n_head=16" in (tree / "training/model.py").data_stream.read()
    assert b"a Space's tokens" in (tree / "training/data_loader.py").data_stream.read()
    authors = {commit.author.name for commit in space.iter_commits("main", paths="training/")}
    assert {"Louis Chua", "Ada Tester", "Space Editor"} <= authors
    assert any(len(commit.parents) > 1 for commit in space.iter_commits("main"))
    assert "drift 1" in told


def test_the_demo_shows_each_command_and_where_to_go_on(told: str, tmp_path: Path) -> None:
    for command in ("status", "sync --dry-run", "sync --yes"):
        assert f"$ openllm-repos {command}\n" in told
    assert told.count("$ openllm-repos status") == 4
    assert "Refuse empty batches" in told
    assert f"cd {tmp_path / 'demo/openllm'}" in told


def test_nothing_of_docs_data_or_exports_reached_the_space(told: str, tmp_path: Path) -> None:
    assert told
    space = git.Repo(tmp_path / "demo/hub/spaces/lemms/openllm")
    for commit in space.iter_commits("main"):
        tops = {entry.name for entry in commit.tree}
        assert tops <= {"README.md", "app.py", "requirements.txt", "training", "configs"}


def test_a_folder_with_something_in_it_is_left_alone(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine\n")
    done = run_cli("demo", tmp_path)
    assert done.code == 2
    assert "is not empty" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_demo_can_make_its_own_folder(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run twice, as `make demo` does: each time a new temporary folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_cli("demo").code == 0
    assert len(list(tmp_path.glob("openllm-repos-demo-*"))) == 1


def test_the_manifest_of_the_demo_is_openllms_own() -> None:
    """The demo's manifest and the project's repos.toml say the same."""
    from pathlib import Path

    ours = Manifest.load(Path(__file__).parents[2] / "repos.toml")
    demo = Manifest.parse(MANIFEST)
    assert [(repo.name, repo.url, repo.maps, repo.owned) for repo in demo.repos] == [
        (repo.name, repo.url, repo.maps, repo.owned) for repo in ours.repos
    ]
