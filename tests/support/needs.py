"""Tools that some tests cannot do without: missing, they skip the test on a person's machine and fail it in CI."""

from __future__ import annotations

import os
import shutil

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
    if shutil.which("git-lfs") is not None:
        return
    message = "git-lfs is not installed (Debian: apt-get install git-lfs); these tests push and pull large files"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)
