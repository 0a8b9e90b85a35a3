"""The file beside the workflow that says what its jobs install, every file by its hash.

What the tool needs comes with the tool (``dependencies.txt``, ``building.txt``; `make lock` writes them), so the same
version writes the same file on every machine, and needs neither a network nor pip for it. Where git brings the tool
itself, it is not in this file: pip has no hash for that, and builds it with what is.
"""

from __future__ import annotations

from openllm_repos.workflow.choices import Requirement

_OPENING = (
    "# What the jobs of openllm-repos.yml install, by hash. `openllm-repos ci` writes this file, with what it needs to"
    " run\n# on Python 3.13 and x86_64 Linux.\n"
)
_NEEDS = "# It needs:\n"


def requirements_text(install: Requirement, dependencies: str | None = None) -> str:
    """Return the file.

    Args:
        install: the tool.
        dependencies: what it needs, a line each; None for what this version needs.
    """
    if dependencies is None:
        dependencies = _packaged("dependencies") + (_packaged("building") if install.from_git else "")
    return _OPENING + ("" if install.from_git else f"{install}\n") + _NEEDS + dependencies


def dependencies_in(text: str) -> str:
    """Return what a file says the tool needs; see :func:`requirements_text`."""
    return text.partition(_NEEDS)[2]


def _packaged(name: str) -> str:
    from importlib.resources import files

    return (files("openllm_repos.workflow") / f"{name}.txt").read_text(encoding="utf-8")
