"""`openllm-repos version`: shown, set and raised at every place at once."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.support.inprocess import RunCli

MANIFEST = """\
schema = 1
[project]
name = "openllm"
version = ["pyproject.toml", "package.json", "README.md#version"]
[repos.main]
github = "louischua/openllm"
role = "source"
"""
PYPROJECT = '[project]\nname = "openllm" # ours\ndynamic = ["version"]\n\n[tool.hatch.version]\npath = "openllm.py"\n'


def project(folder: Path, *, npm: str = "1.2.0") -> None:
    files = {
        "repos.toml": MANIFEST,
        "pyproject.toml": PYPROJECT,
        "openllm.py": '__version__ = "1.2.0"\n',
        "package.json": f'{{"name": "openllm", "version": "{npm}"}}\n',
        "README.md": "---\nversion: 1.2.0\n---\n# OpenLLM\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)


def test_it_shows_each_place(tmp_path: Path, run_cli: RunCli) -> None:
    project(tmp_path)
    done = run_cli("version")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "pyproject.toml     1.2.0  (in openllm.py)",
        "package.json       1.2.0",
        "README.md#version  1.2.0",
    ]
    facts = run_cli("version", "--json").json()
    assert facts["version"] == "1.2.0"
    assert facts["places"][0] == {
        "place": "pyproject.toml",
        "file": "openllm.py",
        "version": "1.2.0",
        "by_tag": False,
        "problem": None,
    }


def test_places_that_do_not_agree_are_told_by_the_exit_code(tmp_path: Path, run_cli: RunCli) -> None:
    project(tmp_path, npm="1.1.0")
    done = run_cli("version")
    assert done.code == 1
    assert done.out.splitlines()[1:] == [
        "package.json       1.1.0",
        "README.md#version  1.2.0",
        "They do not agree.",
    ]
    (tmp_path / "package.json").unlink()
    assert "package.json is not there" in run_cli("version").out
    assert run_cli("version").out.endswith("Not every place says one.\n")


def test_set_writes_all_places_and_nothing_else(tmp_path: Path, run_cli: RunCli) -> None:
    project(tmp_path, npm="1.1.0")
    done = run_cli("version", "set", "2.0.0rc1")
    assert (done.code, done.out) == (0, "2.0.0rc1: openllm.py, package.json, README.md\n")
    assert (tmp_path / "pyproject.toml").read_text() == PYPROJECT
    assert (tmp_path / "openllm.py").read_text() == '__version__ = "2.0.0rc1"\n'
    assert (tmp_path / "package.json").read_text() == '{"name": "openllm", "version": "2.0.0-rc.1"}\n'
    assert (tmp_path / "README.md").read_text() == "---\nversion: 2.0.0rc1\n---\n# OpenLLM\n"
    again = run_cli("version", "set", "2.0.0rc1")
    assert again.out == "2.0.0rc1: every place says it already\n"
    assert run_cli("version").code == 0


def test_bump_raises_from_what_is_there(tmp_path: Path, run_cli: RunCli) -> None:
    project(tmp_path)
    said = [
        run_cli("version", "bump", *words).out.partition(":")[0]
        for words in (["patch"], ["minor", "rc"], ["rc"], ["minor"], ["major"])
    ]
    assert said == ["1.2.1", "1.3.0rc1", "1.3.0rc2", "1.3.0", "2.0.0"]
    assert run_cli("-q", "version", "bump", "patch").out == ""
    assert (tmp_path / "openllm.py").read_text() == '__version__ = "2.0.1"\n'


def test_bump_needs_places_that_agree(tmp_path: Path, run_cli: RunCli) -> None:
    project(tmp_path, npm="1.1.0")
    done = run_cli("version", "bump", "patch")
    assert done.code == 3
    assert "The places do not agree, so there is no version to raise" in done.err
    assert "next: openllm-repos version set 1.2.3  # writes one version into all of them" in done.err
    assert run_cli("version", "bump", "rc", "rc").code == 2


def test_a_manifest_without_places_says_how_to_name_one(tmp_path: Path, run_cli: RunCli) -> None:
    (tmp_path / "repos.toml").write_text("\n".join(MANIFEST.splitlines()[:3] + MANIFEST.splitlines()[4:]))
    done = run_cli("version")
    assert done.code == 2
    assert "does not say where the version stands" in done.err
    assert "openllm-repos manifest set project.version pyproject.toml" in done.err


def test_a_wish_that_is_no_version_changes_nothing(tmp_path: Path, run_cli: RunCli) -> None:
    project(tmp_path)
    done = run_cli("version", "set", "v2")
    assert (done.code, done.out) == (2, "")
    assert run_cli("version", "--json").json()["version"] == "1.2.0"


def test_a_bump_says_what_it_means_before_it_writes(
    tmp_path: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped between two files; run again, it raises nothing a second time."""
    project(tmp_path)
    replace = os.replace

    def full(old: str, new: Path) -> None:
        if new.name == "package.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(old, new)

    monkeypatch.setattr(os, "replace", full)
    stopped = run_cli("version", "bump", "minor")
    assert (stopped.code, stopped.out) == (30, "1.3.0: openllm.py, package.json, README.md\n")
    again = run_cli("version", "bump", "minor")
    assert (again.code, "The places do not agree, so there is no version to raise:" in again.err) == (3, True)
