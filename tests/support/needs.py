"""Programs that some tests cannot do without, and that not every machine has.

Each is a fixture of its name (`tests/conftest.py`). Where one is not installed, tests that ask for it are skipped on a
person's machine, and fail in CI. A test that does not ask does not find it either: every test runs as on a machine
without, so that nobody's machine is red for want of what a test did not name. To add one, add a row to `TOOLS` and its
fixture.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Never

import pytest

from tests.support.process import REAL_GIT, run_git

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# Read before the environment is sealed.
IN_CI = bool(os.environ.get("CI"))
_PATH = os.environ["PATH"]
_EXEC_PATH = run_git("--exec-path", cwd=os.path.dirname(REAL_GIT)).out.rstrip("\n")


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that may be missing.

    Attributes:
        programs: all that it takes.
        install: how Debian gets it.
    """

    programs: tuple[str, ...]
    install: str


TOOLS: Mapping[str, Tool] = {
    "git_lfs": Tool(("git-lfs",), "apt-get install git-lfs"),
    "git_subtree": Tool(("git-subtree",), "apt-get install git-subtree"),
    "chromium": Tool(("chromium", "chromedriver"), "apt-get install chromium chromium-driver"),
    "node": Tool(("node",), "apt-get install npm"),
}
"""By the name of the fixture. They lie in a folder of PATH, or among git's own programs."""


def _places(program: str) -> list[str]:
    """Return where a program is on this machine."""
    folders = [*_PATH.split(os.pathsep), _EXEC_PATH]
    return [path for folder in folders if os.access(path := os.path.join(folder, program), os.X_OK)]


def need(name: str) -> None:
    """Go on where a tool of `TOOLS` is installed.

    Raises:
        pytest.skip.Exception: not installed.
        pytest.fail.Exception: not installed, in CI.
    """
    tool = TOOLS[name]
    if missing := [program for program in tool.programs if not _places(program)]:
        _missing(f"{' and '.join(missing)} is not installed (Debian: {tool.install})")


def need_program(name: str) -> str:
    """Return where a program of the development packages is, which not every platform has.

    Raises:
        pytest.skip.Exception: not installed.
        pytest.fail.Exception: not installed, in CI.
    """
    place = os.path.join(os.path.dirname(sys.executable), name)
    if not os.access(place, os.X_OK):
        _missing(f"{name} is not installed (pip install 'openllm-repos[dev]' does it where there is a wheel)")
    return place


def _missing(message: str) -> Never:
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


def need_husky() -> Path:
    """Return where husky's package is.

    Raises:
        pytest.skip.Exception: not installed.
        pytest.fail.Exception: not installed, in CI.
    """
    place = Path(sys.prefix) / "node_modules/husky"
    if not place.is_dir():
        _missing("husky is not installed (npm install --prefix .venv --no-save husky@9)")
    return place


class Hiding:
    """Makes the environments of machines on which some of `TOOLS` are missing.

    Args:
        folder: for folders of links that stand in for those of the machine.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._hidden = {program for tool in TOOLS.values() for program in tool.programs}
        self._shown: dict[str, str] = {}
        self._path = os.pathsep.join(self._without(place) for place in dict.fromkeys(_PATH.split(os.pathsep)))
        self._exec_path = self._without(_EXEC_PATH)

    def environment(self, asked: Collection[str] = ()) -> dict[str, str]:
        """Return PATH, and where git's programs are, on a machine that has only those of the tools that are asked for.

        Args:
            asked: names of fixtures; those of no tool do not matter.
        """
        shown = [self._show(name) for name in TOOLS if name in asked]
        exec_path = _EXEC_PATH if "git_subtree" in asked else self._exec_path
        return {"PATH": os.pathsep.join((*shown, self._path)), "GIT_EXEC_PATH": exec_path}

    def set(self, patch: pytest.MonkeyPatch, asked: Collection[str] = ()) -> None:
        """Make it the environment of this process, until `patch` is undone."""
        for name, value in self.environment(asked).items():
            patch.setenv(name, value)

    def _without(self, place: str) -> str:
        """Return a folder, or where it holds a tool another one that leads to all of it but the tools."""
        try:
            names = set(os.listdir(place))
        except OSError:
            return place
        if not names & self._hidden:
            return place
        links = {name: os.path.join(place, name) for name in names - self._hidden}
        return self._linked(place.strip("/").replace("/", "-"), links)

    def _show(self, name: str) -> str:
        """Return a folder that holds one tool alone."""
        if name not in self._shown:
            links = {program: places[0] for program in TOOLS[name].programs if (places := _places(program))}
            self._shown[name] = self._linked(name, links)
        return self._shown[name]

    def _linked(self, name: str, links: Mapping[str, str]) -> str:
        folder = self._folder / name
        folder.mkdir(parents=True)
        for link, place in links.items():
            os.symlink(place, folder / link)
        return str(folder)


def need_config_hooks() -> None:
    """Go on if this git runs hooks that its configuration names; else skip, in CI too: no Debian has such a git yet.

    Raises:
        pytest.skip.Exception: git is older than 2.54.
    """
    if not _has_config_hooks():
        version = run_git("version", cwd=os.path.dirname(REAL_GIT)).out.strip()
        pytest.skip(f"NOT SHOWN: hooks in git's configuration need git 2.54 or newer, and this is {version}")


def need_older_git() -> None:
    """Go on if this git runs no hooks that its configuration names; else skip.

    Raises:
        pytest.skip.Exception: git is 2.54 or newer.
    """
    if _has_config_hooks():
        pytest.skip("NOT SHOWN: what is said to people whose git is older than 2.54")


def _has_config_hooks() -> bool:
    return run_git("hook", "list", "pre-push", cwd=os.path.dirname(REAL_GIT), ok=range(256)).code in {0, 1}
