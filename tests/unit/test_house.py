"""The rules of the house that neither the linter nor the type checker knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import openllm_repos
from tests.support.process import run_tool

pytestmark = pytest.mark.no_cover

PACKAGE = Path(openllm_repos.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
# Modules that are themselves loaded only where their library is used.
LOADED_ON_USE = {"demo/family.py", "demo/seed.py", "git/authoring.py", "manifest/layout.py"}
COSTLY = ("click", "git", "httpx2", "huggingface_hub", "rich", "tomlkit")


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _ends_or_prints(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that print, write to a standard stream, or end the process."""
    for node in ast.walk(tree):
        if (isinstance(node, ast.Name) and node.id in {"print", "SystemExit", "quit"}) or (
            isinstance(node, ast.Attribute)
            and ast.unparse(node) in {"sys.exit", "sys.stdout", "sys.stderr", "os._exit"}
        ):
            yield node.lineno


def test_only_the_command_line_prints_and_ends_the_process() -> None:
    found = {
        f"{_name(path)}:{line}"
        for path in MODULES
        if not _name(path).startswith(("cli/", "__main__", "sandbox/hook.py"))  # the hook is a program of its own
        for line in _ends_or_prints(ast.parse(path.read_bytes()))
    }
    assert found == set()


def test_the_search_for_prints_finds_them_where_they_are() -> None:
    assert list(_ends_or_prints(ast.parse((PACKAGE / "cli/__init__.py").read_bytes())))


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {_name(path): len(path.read_bytes().splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
    assert lengths


def test_no_module_is_named_for_being_handy() -> None:
    assert {_name(path) for path in MODULES if path.stem in {"utils", "util", "common", "helpers", "misc"}} == set()


def test_every_module_says_what_it_is_for() -> None:
    assert [_name(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_bytes()))] == []


def _modules_after(code: str) -> set[str]:
    """Return the modules that `code` loads in a fresh Python, beyond those of an empty program."""
    script = f"import sys; bare = set(sys.modules)\n{code}\nprint(end='\\n'); print(*set(sys.modules) - bare)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_the_version_is_answered_without_loading_anything_else() -> None:
    loaded = _modules_after("from openllm_repos.cli import main; main(['--version'])")
    assert loaded - {"__future__"} == {"openllm_repos", "openllm_repos.cli"}


def test_the_help_loads_no_command() -> None:
    loaded = _modules_after("from openllm_repos.cli import main; main(['--help'])")
    ours = {name for name in loaded if name.startswith("openllm_repos.")}
    assert ours <= {f"openllm_repos.{name}" for name in ("cli", "cli.app", "cli.failures", "cli.invocation")} | {
        "openllm_repos.errors",
        "openllm_repos.hint",
        "openllm_repos.retry",
        "openllm_repos.interrupts",
        "openllm_repos.text",
    }
    assert not loaded & {"git", "rich", "tomlkit"}


def test_below_the_command_line_costly_libraries_are_loaded_only_when_used() -> None:
    names = [
        "openllm_repos." + _name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in MODULES
        if not _name(path).startswith(("cli/", "__")) and _name(path) not in LOADED_ON_USE
    ]
    loaded = _modules_after("\n".join(f"import {name}" for name in names))
    assert loaded & set(COSTLY) == set()
    assert set(names) <= loaded


# The clock on the wall says how busy the machine is. A minute is for tests that would wait for hours if they failed.
_HANGS = 60
_CLOCKS = {"monotonic", "perf_counter", "time"}


def _asserted_times(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that want something to be done before a time that is less than a minute away."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Lt | ast.LtE):
            continue
        names = {part.attr for part in ast.walk(node.left) if isinstance(part, ast.Attribute)}
        limit = node.comparators[0]
        if names & _CLOCKS and isinstance(limit, ast.Constant) and isinstance(limit.value, int | float):
            yield from [node.lineno] if limit.value < _HANGS else []


def test_no_test_asserts_that_something_was_quick() -> None:
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    found = {f"{file.name}:{line}" for file in files for line in _asserted_times(ast.parse(file.read_bytes()))}
    assert found == set()
    assert list(_asserted_times(ast.parse("assert time.monotonic() - begun < 5")))


def test_the_module_and_the_command_are_the_same(tmp_path: Path) -> None:
    done = run_tool("--version", cwd=tmp_path)
    assert (done.code, done.out, done.err) == (0, f"openllm-repos {openllm_repos.__version__}\n", "")
