"""`openllm-repos split`, as a person types it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.inprocess import RunCli
from tests.support.process import RunTool
from tests.support.repositories import Clone
from tests.support.shim import GitShim

MANIFEST = """\
schema = 1

[project]
name = "family"

[repos.main]
github = "me/main"
role = "source"

[repos.space]
space = "me/space"

[[repos.space.map]]
from = "core/src/*.py"
to = "training/"

[[repos.space.map]]
from = "configs/"
to = "configs/"

[repos.weights]
model = "me/weights"
"""


@pytest.fixture
def source(clone: Clone) -> Clone:
    """Return a clone with a little history and no manifest."""
    clone.commit("c0", {"core/src/train.py": "1\n", "core/src/notes.txt": "1\n", "README.md": "1\n"})
    clone.commit("c1", {"docs/a.md": "1\n"})
    clone.commit("c2", {"core/src/train.py": "2\n", "core/src/deep/x.py": "1\n"})
    clone.commit("c3", {"configs/small.json": "{}\n", "core/src/notes.txt": "2\n"})
    return clone


def _log(source: Clone, printed: str) -> list[str]:
    return source.log(printed.strip())


@pytest.mark.usefixtures("git_subtree")
@pytest.mark.parametrize("folder", ["core/src/", "core/src"])
def test_a_folder_gives_the_id_of_git_subtree_and_nothing_else(source: Clone, run_cli: RunCli, folder: str) -> None:
    done = run_cli("split", folder, cwd=source.path)
    expected = source.git("subtree", "split", "-q", "-P", "core/src")
    assert (done.code, done.out, done.err) == (0, expected + "\n", "")
    assert source.paths(expected) == ["deep/x.py", "notes.txt", "train.py"]


def test_a_pattern_takes_what_matches(source: Clone, run_cli: RunCli) -> None:
    done = run_cli("split", "core/src/*.py", cwd=source.path)
    assert source.files(done.out.strip()) == {"train.py": b"2\n"}
    assert _log(source, done.out) == ["c2", "c0"]


def test_a_single_file(source: Clone, run_cli: RunCli) -> None:
    done = run_cli("split", "core/src/notes.txt", cwd=source.path)
    assert source.files(done.out.strip()) == {"notes.txt": b"2\n"}
    assert _log(source, done.out) == ["c3", "c0"]


def test_an_older_revision(source: Clone, run_cli: RunCli) -> None:
    done = run_cli("split", "core/src/", "--rev", "main~2", cwd=source.path)
    assert _log(source, done.out) == ["c0"]


def test_from_below_and_with_another_folder_named(source: Clone, run_cli: RunCli, tmp_path: Path) -> None:
    """FROM is always written from the top of the repository."""
    expected = run_cli("split", "core/src/", cwd=source.path).out
    assert run_cli("split", "core/src/", cwd=source.path / "docs").out == expected
    assert run_cli("-C", source.path, "split", "core/src/", cwd=tmp_path).out == expected


def test_without_the_cache_nothing_is_remembered(source: Clone, run_cli: RunCli) -> None:
    first = run_cli("split", "core/src/", "--no-cache", cwd=source.path)
    assert not (source.path / ".git/openllm-repos").exists()
    second = run_cli("split", "core/src/", cwd=source.path)
    assert (source.path / ".git/openllm-repos").exists()
    assert first.out == second.out


def test_a_target_gives_its_whole_projection(source: Clone, run_cli: RunCli) -> None:
    source.write({"repos.toml": MANIFEST})
    done = run_cli("split", "space", cwd=source.path)
    assert source.paths(done.out.strip()) == ["configs/small.json", "training/train.py"]
    assert _log(source, done.out) == ["c3", "c2", "c0"]


def test_a_name_that_is_a_target_and_a_folder(source: Clone, run_cli: RunCli) -> None:
    """The target, unless a slash says that the folder is meant; the help says so."""
    source.write({"repos.toml": MANIFEST})
    source.commit("c4", {"space/here.txt": "1\n"})
    assert "training/train.py" in source.paths(run_cli("split", "space", cwd=source.path).out.strip())
    assert source.paths(run_cli("split", "space/", cwd=source.path).out.strip()) == ["here.txt"]
    said = " ".join(run_cli("split", "--help").out.split())
    assert "both a target and a folder means the target: write a '/' at the end for the folder" in said


def test_a_repo_without_maps_is_no_target(source: Clone, run_cli: RunCli) -> None:
    source.write({"repos.toml": MANIFEST})
    source.commit("c4", {"weights/w.bin": "1\n"})
    assert source.paths(run_cli("split", "weights", cwd=source.path).out.strip()) == ["w.bin"]


def test_a_broken_manifest_is_told_where_it_is_needed_and_else_not_read(source: Clone, run_cli: RunCli) -> None:
    source.write({"repos.toml": "schema = 99\n"})
    refused = run_cli("split", "configs", cwd=source.path)
    assert (refused.code, refused.out) == (2, "")
    assert "schema" in refused.err
    assert run_cli("split", "configs/", cwd=source.path).code == 0


def test_a_manifest_that_was_named_must_be_there(source: Clone, run_cli: RunCli) -> None:
    refused = run_cli("--manifest", "other.toml", "split", "space", cwd=source.path)
    assert (refused.code, refused.out) == (2, "")
    assert "other.toml" in refused.err


@pytest.mark.parametrize(
    ("typed", "sentence", "hint"),
    [
        ("core/scr", "'core/scr' matches nothing in the history of 'HEAD'", "core/src/"),
        ("src/", "'src/' matches nothing", "core/src/"),
        ("confgs", "'confgs' matches nothing", "configs/"),
        ("zzz/", "'zzz/' matches nothing", "folders at the top of 'HEAD' are: configs/, core/, docs/."),
        ("core/src/*.cpp", "'core/src/*.cpp' matches nothing", "The folder is there, but no file in it is taken"),
        ("*.cpp", "'*.cpp' matches nothing", "no file in it is taken by *.cpp"),
    ],
)
def test_what_matches_nothing_is_told_with_what_is_near(
    source: Clone, run_cli: RunCli, typed: str, sentence: str, hint: str
) -> None:
    done = run_cli("split", typed, cwd=source.path)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {sentence}")
    assert hint in done.err


def test_a_target_whose_maps_match_nothing(source: Clone, run_cli: RunCli) -> None:
    source.write({"repos.toml": MANIFEST.replace("core/src/*.py", "core/srcs/*.py").replace("configs/", "conf/")})
    done = run_cli("split", "space", cwd=source.path)
    assert (done.code, done.out) == (2, "")
    assert "The maps of 'space' match nothing in the history of 'HEAD'." in done.err
    assert "core/src/" in done.err


def test_a_repository_without_folders(clone: Clone, run_cli: RunCli) -> None:
    clone.commit("c0", {"a": "1\n"})
    done = run_cli("split", "d/", "--rev", "main", cwd=clone.path)
    assert done.code == 2
    assert "'main' has no folders at all." in done.err


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (".", "takes the whole repository; name a folder, such as core/src/"),
        ("", "must not be empty"),
        ("core//src", "has an empty or '.' part"),
        ("../core/", "climbs out"),
        ("/core", "is not inside the repository"),
        ("core/[a", "'['"),
    ],
)
def test_what_is_no_folder_or_pattern(source: Clone, run_cli: RunCli, typed: str, sentence: str) -> None:
    done = run_cli("split", typed, cwd=source.path)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err


def test_a_revision_that_does_not_exist(source: Clone, run_cli: RunCli) -> None:
    done = run_cli("split", "core/src", "--rev", "nothing", cwd=source.path)
    assert (done.code, done.out) == (2, "")
    assert "nothing: no such commit in this clone." in done.err


def test_outside_of_a_clone(run_cli: RunCli, tmp_path: Path) -> None:
    done = run_cli("split", "core/src/", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "is not inside a git clone" in done.err


def test_a_shallow_clone_is_refused_with_the_way_out(source: Clone, run_cli: RunCli, tmp_path: Path) -> None:
    shallow = Clone.of(source.url, tmp_path / "shallow", "--depth=1")
    done = run_cli("split", "core/src/", cwd=shallow.path)
    assert (done.code, done.out) == (30, "")
    assert "This clone is shallow" in done.err
    assert "git fetch --unshallow" in done.err


@pytest.mark.slow
def test_the_second_time_takes_three_calls_of_git(source: Clone, run_tool: RunTool, shim: GitShim) -> None:
    first = run_tool("split", "core/src/", cwd=source.path)
    shim.disarm()
    assert run_tool("split", "core/src/", cwd=source.path).out == first.out
    assert len(shim.calls()) == 3


@pytest.mark.slow
def test_what_is_not_needed_is_not_loaded(source: Clone) -> None:
    """A script that calls it hundreds of times waits for nothing that it does not use."""
    source.write({"repos.toml": "schema = 99\n"})
    script = (
        "import sys; before = {*sys.modules}; from openllm_repos.cli import main; "
        "main(['split', 'core/src/']); print(*{*sys.modules} - before, sep=chr(10))"
    )
    command = [sys.executable, "-c", script]
    subprocess.run(command, cwd=source.path, capture_output=True, check=True)
    done = subprocess.run(command, cwd=source.path, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines())
    assert {"openllm_repos.projection.project", "openllm_repos.cli.split"} <= loaded
    unwanted = {"tomllib", "tomlkit", "rich", "git", "openllm_repos.manifest.parse", "openllm_repos.projection.run"}
    assert not unwanted & loaded
