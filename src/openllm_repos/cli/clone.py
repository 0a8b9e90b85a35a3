"""What most commands begin with: the clone that the person stands in, and its manifest."""

from __future__ import annotations

import os

from openllm_repos.cli.invocation import MANIFEST_NAME, Invocation
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest


def open_clone(invocation: Invocation) -> tuple[Manifest, Repository]:
    """Return the manifest and the clone. The manifest is checked first: nothing starts before it is sound.

    A bare clone has no work tree to read it from: there it is the one of HEAD.

    Raises:
        ManifestError: it is missing or unsound.
        UsageError: there is no clone.
    """
    path = invocation.manifest_path()
    if invocation.manifest is None and not os.path.lexists(path):
        repository = Repository.open(invocation.directory)
        if repository.top is None:
            done = repository.git.run("cat-file", "blob", f"HEAD:{MANIFEST_NAME}", ok=(0, 128))
            if done.code == 0:
                return Manifest.parse(done.stdout, origin=f"HEAD:{MANIFEST_NAME}"), repository
    manifest = Manifest.load(path)
    return manifest, Repository.open(invocation.directory)
