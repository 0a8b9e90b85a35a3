"""Nothing that is printed can fail, whatever a terminal's encoding lacks; and where there is no fcntl, one sentence."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.family import Family
    from tests.support.process import RunTool

ENVIRONMENTS = {
    "latin-1": {"PYTHONIOENCODING": "iso-8859-1:strict"},
    "a German latin-1": {"LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ascii": {"PYTHONIOENCODING": "ascii:strict"},
    "utf-8": {"PYTHONIOENCODING": "utf-8:strict"},
    "a log of GitHub Actions": {"PYTHONIOENCODING": "ascii:strict", "GITHUB_ACTIONS": "true"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_emoji_in_a_subject_and_a_name_are_printed_somehow(family: Family, run_tool: RunTool, name: str) -> None:
    family.synced("--yes")
    family.edit("Space: a rocket \U0001f680", {"training/model.py": "space\n"})
    files = {"core/src/model.py": "source\n", "core/src/\U0001f680.py": "x\n"}
    family.commit("Source: \u00e4 \u65e5 \U0001f680", files)
    for words in (
        ("sync", "--dry-run"),
        ("status",),
        ("diff", "--patch"),
        ("log",),
        ("graph", "--mermaid"),
        ("sync", "--yes"),
    ):
        done = run_tool(*words, cwd=family.clone.path, env=ENVIRONMENTS[name])
        assert done.code in {0, 1, 2, 3}, (words, done.err)
    done = run_tool("sync", "--yes", "no-\U0001f680", cwd=family.clone.path, env=ENVIRONMENTS[name])
    assert done.code == 2


@pytest.mark.slow
def test_a_program_that_has_read_from_standard_input_can_call_the_tool(tmp_path: Path) -> None:
    program = "import sys; sys.stdin.readline(); from openllm_repos.cli import main; sys.exit(main(['status']))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, input=b"x\n", capture_output=True, check=False)
    assert (done.returncode, b"is not inside a git clone" in done.stderr) == (2, True)


@pytest.mark.parametrize("words", [("status",), ("sync",), ("hooks", "run"), ("demo",), ("--help",), ()])
def test_without_fcntl_every_command_says_where_the_tool_runs(
    tmp_path: Path, run_tool: RunTool, words: tuple[str, ...]
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['fcntl'] = None\n")
    done = run_tool(*words, env={"PYTHONPATH": str(tmp_path)})
    assert (done.code, done.out) == (30, "")
    assert done.err == "error: openllm-repos runs on Linux, macOS and WSL.\n"
    assert run_tool("--version", env={"PYTHONPATH": str(tmp_path)}).code == 0
