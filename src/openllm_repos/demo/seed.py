"""The family of the demo on a sandbox: the same repositories, there to be cloned by their real URLs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from openllm_repos.demo.family import SOURCE_ID, make_family
from openllm_repos.sandbox import Sandbox


def seed(sandbox: Sandbox) -> None:
    """Make the family's repositories in a sandbox; where its source is there already, all stay as they are.

    Args:
        sandbox: running.
    """
    if not sandbox.github.path(SOURCE_ID).exists():
        with tempfile.TemporaryDirectory() as folder, sandbox.entered():
            make_family(Path(folder), sandbox)
