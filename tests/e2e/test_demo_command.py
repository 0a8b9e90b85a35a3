"""`openllm-repos demo`: the story runs through, and its end state is what it says."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import git
import pytest

from openllm_repos.demo.content import MANIFEST
from openllm_repos.manifest import Manifest
from openllm_repos.sandbox import Sandbox
from tests.support.inprocess import run_in_process

if TYPE_CHECKING:
    from tests.support.inprocess import RunCli

SPACE = "remotes/hub/git/spaces/lemms/openllm.git"


@dataclass(frozen=True, slots=True)
class Told:
    """What the demo printed, and the folder that it left."""

    text: str
    folder: Path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Run the demo once in a folder of its own."""
    folder = tmp_path_factory.mktemp("story") / "demo"
    without = [one for one in os.get_exec_path() if not (Path(one) / "openllm-repos").exists()]  # as after `make demo`
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join(without))
        done = run_in_process("demo", folder, cwd=folder.parent)
    assert done.code == 0, done.err
    return Told(done.out, folder)


def test_the_demo_ends_with_a_space_that_has_both_sides(told: Told) -> None:
    """The Space has the source's newest files, its own edits, and the history of both; GitPython reads it."""
    space = git.Repo(told.folder / SPACE)
    tree = space.heads.main.commit.tree
    names = {str(blob.path) for blob in tree.traverse() if isinstance(blob, git.Blob)}
    own = {".gitattributes", "README.md", "app.py", "requirements.txt"}
    training = {f"training/{name}.py" for name in ("data_loader", "model", "quantization", "train_model")}
    assert names == own | training | {"configs/small.json"}
    assert b"upper()" in (tree / "app.py").data_stream.read()
    assert b"n_head=16" in (tree / "training/model.py").data_stream.read()
    assert b"a Space's tokens" in (tree / "training/data_loader.py").data_stream.read()
    authors = {commit.author.name for commit in space.iter_commits("main", paths="training/")}
    assert {"Louis Chua", "Ada Tester", "Space Editor"} <= authors
    assert any(len(commit.parents) > 1 for commit in space.iter_commits("main"))
    assert "drift 1" in told.text


def test_the_demo_shows_each_command_and_where_to_go_on(told: Told) -> None:
    for command in ("status", "sync --dry-run", "sync --yes", "release verify v0.2.0"):
        assert f"$ openllm-repos {command}\n" in told.text
    assert told.text.count("$ openllm-repos status") == 4
    assert "Refuse empty batches" in told.text
    assert f"cd {told.folder / 'openllm'}" in told.text


def test_the_demo_releases_one_version_of_every_repo(told: Told) -> None:
    """Each repository of both hosts has the tag, annotated; the source's names the commit that holds the lock."""
    assert "v0.2.0: complete, 5 repos" in told.text
    tagged = {}
    for path in sorted((told.folder / "remotes").glob("*/git/**/*.git")):
        with git.Repo(path) as repo:
            tagged[path.stem] = repo.tags["v0.2.0"].tag
            if path.stem == "openllm" and "github" in path.parts:
                assert repo.tags["v0.2.0"].commit.tree / "manifest/releases/v0.2.0.toml"
    assert len(tagged) == 4  # the source and the Space have the same name
    assert None not in tagged.values()


def test_what_it_names_next_is_found_by_a_shell_that_lacks_the_tool(told: Told) -> None:
    step = next(line for line in told.text.splitlines() if line.startswith("next: export PATH=")).removeprefix("next: ")
    found = subprocess.run(
        ["/bin/sh", "-c", f"{step}\ncommand -v openllm-repos"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == f"{sysconfig.get_path('scripts')}/openllm-repos\n"


def test_nothing_of_docs_data_or_exports_reached_the_space(told: Told) -> None:
    assert told.text
    space = git.Repo(told.folder / SPACE)
    for commit in space.iter_commits("main"):
        tops = {entry.name for entry in commit.tree}
        assert tops <= {".gitattributes", "README.md", "app.py", "requirements.txt", "training", "configs"}


@pytest.mark.slow
def test_both_hosts_can_be_started_again_where_the_story_ended(
    told: Told, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo says how; then the family stands as the story left it, and only its drift is told."""
    assert f"openllm-repos sandbox --root {told.folder / 'remotes'}\n" in told.text
    with Sandbox(told.folder / "remotes") as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        done = run_cli("status", cwd=told.folder / "openllm")
        assert (done.code, "drift 1" in done.out) == (0, True), done.err
        assert run_cli("sync", "--yes", cwd=told.folder / "openllm").out.endswith("up to date; 1 drifted file there\n")


def test_a_folder_with_something_in_it_is_left_alone(run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine\n")
    done = run_cli("demo", tmp_path)
    assert done.code == 2
    assert "is not empty" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.slow
def test_the_demo_can_make_its_own_folder(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run twice, as `make demo` does: each time a new temporary folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_cli("demo").code == 0
    assert len(list(tmp_path.glob("openllm-repos-demo-*"))) == 1


def test_the_manifest_of_the_demo_is_openllms_own() -> None:
    """The demo's manifest and the project's repos.toml say the same."""
    ours = Manifest.load(Path(__file__).parents[2] / "repos.toml")
    demo = Manifest.parse(MANIFEST)
    assert [(repo.name, repo.url, repo.maps, repo.owned) for repo in demo.repos] == [
        (repo.name, repo.url, repo.maps, repo.owned) for repo in ours.repos
    ]
