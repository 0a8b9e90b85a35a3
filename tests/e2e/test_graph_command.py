"""`openllm-repos graph`: the family as a picture, into a file or a pipe."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.support.fingerprint import listing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.family import Family
    from tests.support.inprocess import RunCli
    from tests.support.process import RunTool

MANIFEST = """
schema = 1
project = { name = "openllm" }
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "lemms/openllm"
[[repos.space.map]]
from = "core/src/*.py"
to = "training/"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a manifest, and no repository: a picture needs none."""
    (tmp_path / "repos.toml").write_text(MANIFEST)
    return tmp_path


def test_as_svg_on_standard_output(folder: Path, run_cli: RunCli) -> None:
    done = run_cli("graph", "--svg", cwd=folder)
    assert (done.code, done.err) == (0, "")
    assert ET.fromstring(done.out).attrib["role"] == "img"  # noqa: S314 - our own text
    assert "core/src/*.py → training/" in done.out


def test_as_mermaid_into_a_file(folder: Path, run_cli: RunCli) -> None:
    done = run_cli("graph", "--mermaid", "-o", "family.mmd", cwd=folder)
    assert (done.code, done.out, done.err) == (0, "", "Wrote family.mmd: 1 source, 1 target.\n")
    assert (folder / "family.mmd").read_text().startswith("flowchart LR\n")
    assert run_cli("-q", "graph", "--mermaid", "-o", "family.mmd", cwd=folder).err == ""


def test_a_picture_that_github_would_not_draw_says_so(folder: Path, run_cli: RunCli) -> None:
    name = "x" * 100
    maps = "".join(f'[[repos.space.map]]\nfrom = "{name}/{n}/"\nto = "{name}/{n}/"\n' for n in range(250))
    (folder / "repos.toml").write_text(MANIFEST + maps)
    done = run_cli("graph", "--mermaid", cwd=folder)
    assert done.code == 0
    assert done.out.startswith("flowchart LR\n")
    assert done.err == "warning: GitHub does not draw a Mermaid picture as large as this; --svg has no limit.\n"


def test_with_states_the_remotes_are_asked(family: Family, run_cli: RunCli) -> None:
    family.synced()
    family.edit("Fix there", {"training/train.py": "fixed\n"})
    before = listing(family.clone.path)
    done = run_cli("graph", "--svg", "--state", cwd=family.clone.path)
    assert (done.code, done.err) == (0, "")
    said = [found.text for found in ET.fromstring(done.out).iter() if found.get("class") == "said"]  # noqa: S314
    assert said == ["ok", "drift 1"]
    assert listing(family.clone.path) == before


def test_which_picture_has_to_be_said(folder: Path, run_cli: RunCli) -> None:
    for both_or_none in ((), ("--svg", "--mermaid")):
        done = run_cli("graph", *both_or_none, cwd=folder)
        assert (done.code, done.out) == (2, "")
        assert "--svg or --mermaid" in done.err


def test_a_file_is_replaced_in_one_step_and_keeps_its_permissions(folder: Path, run_cli: RunCli) -> None:
    """Through a symbolic link too: the link stays."""
    place, link = folder / "docs/family.svg", folder / "link.svg"
    place.parent.mkdir()
    place.write_text("old")
    place.chmod(0o640)
    link.symlink_to(place)
    before = place.stat().st_ino
    assert run_cli("graph", "--svg", "--output", "link.svg", cwd=folder).code == 0
    assert link.is_symlink()
    assert place.read_text().startswith("<svg")
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    assert place.stat().st_ino != before
    assert os.listdir(place.parent) == ["family.svg"]


def test_what_is_no_file_is_written_to(folder: Path, run_cli: RunCli) -> None:
    assert run_cli("graph", "--svg", "--output", "/dev/null", cwd=folder).code == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("nowhere/family.svg", "Make its folder first, or name a file in one that is there."),
        ("taken", "Name a file in it."),
        ("/", "Name a file in it."),
        ("circle", "Name another file."),
        ("x" * 300, "Name another file."),
    ],
)
def test_a_file_that_cannot_be_written_is_named(folder: Path, run_cli: RunCli, name: str, step: str) -> None:
    (folder / "taken").mkdir()
    (folder / "circle").symlink_to("circle")
    done = run_cli("graph", "--svg", "-o", name, cwd=folder)
    assert done.code == 30
    assert f"{name} cannot be written" in done.err
    assert done.err.endswith(f"hint: {step}\n")
    assert sorted(os.listdir(folder)) == ["circle", "repos.toml", "taken"]


def test_a_name_may_be_as_long_and_as_odd_as_a_name_can_be(folder: Path, run_cli: RunCli) -> None:
    name = "\x1b[31m\n" + "x" * 249
    done = run_cli("graph", "--svg", "-o", name, cwd=folder)
    assert (done.code, done.err) == (0, f"Wrote \\x1b[31m\\n{'x' * 249}: 1 source, 1 target.\n")
    assert sorted(os.listdir(folder)) == [name, "repos.toml"]


def test_a_file_without_a_name_is_refused(folder: Path, run_cli: RunCli) -> None:
    done = run_cli("graph", "--svg", "-o", "", cwd=folder)
    assert done.code == 2
    assert "The name of the file is empty; - is standard output." in done.err


@pytest.mark.slow
def test_standard_output_is_utf_8_whatever_the_terminal_takes(folder: Path, run_tool: RunTool) -> None:
    done = run_tool("graph", "--svg", cwd=folder, env={"PYTHONIOENCODING": "latin-1"})
    assert done.code == 0, done.err
    assert "core/src/*.py → training/".encode() in done.out_bytes
