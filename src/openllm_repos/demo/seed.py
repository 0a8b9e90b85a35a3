"""The family of the demo on a sandbox: the same repositories, there to be cloned by their real URLs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from openllm_repos.demo import content
from openllm_repos.demo.family import SOURCE, SPACE, make_family
from openllm_repos.sandbox import Sandbox


def seed(sandbox: Sandbox) -> None:
    """Make the family's repositories in a sandbox; one that has its source already stays as it is.

    Args:
        sandbox: running or not.
    """
    if sandbox.github.path(SOURCE).is_dir():
        return
    with tempfile.TemporaryDirectory() as folder:
        make_family(Path(folder, "family"))
        for name in (SPACE, *content.CARDS):
            kind, _, rest = name.partition("/") if name.startswith(("spaces/", "datasets/")) else ("models", "", name)
            sandbox.hub.copy(sandbox.hub.repo(kind[:-1], rest), Path(folder, "family/hub", name))
        sandbox.github.copy(sandbox.github.repo("github", SOURCE), Path(folder, "family/github", SOURCE))
