"""Tools that some tests cannot do without: missing, they skip the test on a person's machine and fail it in CI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.process import REAL_GIT, run_git

# Read before the environment is sealed.
IN_CI = bool(os.environ.get("CI"))


def need_git_subtree() -> None:
    """Go on if this git has `git subtree`; else skip, or fail in CI.

    Raises:
        pytest.skip.Exception: not installed.
        pytest.fail.Exception: not installed, in CI.
    """
    folder = run_git("--exec-path", cwd=os.path.dirname(REAL_GIT)).out.strip()
    if os.access(os.path.join(folder, "git-subtree"), os.X_OK):
        return
    message = "git subtree is not installed (Debian: apt-get install git-subtree); these tests compare with it"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


def need_git_lfs() -> None:
    """Go on if git-lfs is installed; else skip, or fail in CI.

    Raises:
        pytest.skip.Exception: not installed.
        pytest.fail.Exception: not installed, in CI.
    """
    if run_git("lfs", "version", cwd=os.path.dirname(REAL_GIT), ok=(0, 1)).code == 0:
        return
    message = "git-lfs is not installed (Debian: apt-get install git-lfs); these tests push and pull large files"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


def need_browser() -> None:
    """Go on if chromium and its driver are installed; else skip, or fail in CI.

    Raises:
        pytest.skip.Exception: not installed.
        pytest.fail.Exception: not installed, in CI.
    """
    if shutil.which("chromium") and shutil.which("chromedriver"):
        return
    message = "chromium is not installed (Debian: apt-get install chromium chromium-driver); these tests look at pages"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


def need_program(name: str) -> str:
    """Return where a program of the development packages is; else skip, or fail in CI.

    Raises:
        pytest.skip.Exception: not installed.
        pytest.fail.Exception: not installed, in CI.
    """
    place = os.path.join(os.path.dirname(sys.executable), name)
    if os.access(place, os.X_OK):
        return place
    message = f"{name} is not installed here (pip install 'openllm-repos[dev]' does it where there is a wheel)"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


def need_husky() -> Path:
    """Return where husky's package is if it and node are installed; else skip, or fail in CI.

    Raises:
        pytest.skip.Exception: not installed.
        pytest.fail.Exception: not installed, in CI.
    """
    place = Path(sys.prefix) / "node_modules/husky"
    if shutil.which("node") and place.is_dir():
        return place
    message = (
        "husky is not installed (npm install --prefix .venv --no-save husky@9); these tests push through its hooks"
    )
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


def need_config_hooks() -> None:
    """Go on if this git runs hooks that its configuration names; else skip, in CI too: no Debian has such a git yet.

    Raises:
        pytest.skip.Exception: git is older than 2.54.
    """
    folder = os.path.dirname(REAL_GIT)
    if _has_config_hooks():
        return
    version = run_git("version", cwd=folder).out.strip()
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
