"""What `doctor` looks at on this machine: the versions of git and git-lfs."""

from __future__ import annotations

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.installed import Version, git_version, lfs_version
from openllm_repos.git.repository import MINIMUM_GIT
from openllm_repos.manifest.model import Kind, Manifest
from openllm_repos.setup.check import Check, error, ok, warning

# git's own release notes name them. July 2025 (CVE-2025-48384 and others): 2.43.7 to 2.50.1. Autumn 2026
# (CVE-2026-111760 and others): 2.50.2, 2.51.3 and 2.56.1; which releases of the series in between have those fixes was
# not to be found, so they are told of the newest.
_SUMMER_2025 = {43: 7, 44: 4, 45: 4, 46: 4, 47: 3, 48: 2, 49: 1, 50: 1}
_AUTUMN_2026 = {50: 2, 51: 3, 56: 1}
_NEWEST = "2.56.1"


def _has_fixes(version: Version, fixed: dict[int, int]) -> bool:
    """Whether a version has fixes that came as these patch releases (minor -> patch) of git 2."""
    major, minor, patch = (*version, 0, 0, 0)[:3]
    if (major, minor) > (2, max(fixed)):
        return True
    return major == 2 and minor in fixed and patch >= fixed[minor]


def check_git() -> Check:
    """Look at git's version: too old to work with, or older than known security fixes."""
    try:
        version = git_version()
    except EnvironmentProblem as why:
        return error("git", why.message, why.hint)
    written = ".".join(map(str, version))
    if version < MINIMUM_GIT:
        return error("git", f"{written or 'its version'} is too old", f"Install git {_text(MINIMUM_GIT)} or newer.")
    lacking = [
        when
        for when, fixed in (("July 2025", _SUMMER_2025), ("autumn 2026", _AUTUMN_2026))
        if not _has_fixes(version, fixed)
    ]
    if lacking:
        return warning(
            "git",
            f"{written} is older than the security fixes of {' and '.join(lacking)};"
            " your distribution may have put them into it",
            f"Update your system, or install git {_NEWEST} or newer.",
        )
    return ok("git", written)


def _text(version: Version) -> str:
    return ".".join(map(str, version))


def check_lfs(manifest: Manifest | None, *, used: bool, filtered: bool) -> Check:
    """Look whether git-lfs is there, where it is wanted.

    Args:
        manifest: the manifest, if it is sound.
        used: whether the source keeps a file in LFS.
        filtered: whether the person's git knows the LFS filter.
    """
    version = lfs_version()
    if version is not None:
        if used and not filtered:
            return warning("git-lfs", f"{_text(version)} is installed, but git does not use it", "git lfs install")
        return ok("git-lfs", _text(version))
    if used:
        return error(
            "git-lfs",
            "not installed, and the source keeps files in LFS",
            "git lfs install  # once git-lfs is installed",
        )
    if manifest is not None and any(repo.kind in {Kind.SPACE, Kind.MODEL, Kind.DATASET} for repo in manifest.repos):
        return warning(
            "git-lfs",
            "not installed; repositories on the Hub keep large files in LFS",
            "git lfs install  # once git-lfs is installed",
        )
    return ok("git-lfs", "not installed, and nothing here needs it")
