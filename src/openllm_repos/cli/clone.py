"""What most commands begin with: the clone, its manifest, and with what its repos are reached."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from openllm_repos.cli.invocation import MANIFEST_NAME, Invocation
from openllm_repos.cli.output import progress
from openllm_repos.cli.question import ask
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest
from openllm_repos.retry import PATIENCE, RetryPolicy

if TYPE_CHECKING:
    from openllm_repos.family.access import FamilyAccess


LOOKING = 10.0  # seconds of patience where a command changes nothing and can be run again as well


def policy(invocation: Invocation, patience: float = PATIENCE) -> RetryPolicy:
    """Return how patient a command is: as `--patience` says, else as the command does. Waits show on standard error."""
    seconds = patience if invocation.patience is None else invocation.patience
    return RetryPolicy(seconds) if invocation.quiet else RetryPolicy(seconds, progress)


def open_clone(invocation: Invocation, patience: float = PATIENCE) -> tuple[Manifest, Repository]:
    """Return the manifest and the clone. The manifest is checked first: nothing starts before it is sound.

    A bare clone has no work tree to read it from: there it is the one of HEAD.

    Raises:
        ManifestError: it is missing or unsound.
        UsageError: there is no clone.
    """
    path = invocation.manifest_path()
    if invocation.manifest is None and not os.path.lexists(path):
        repository = replace(Repository.open(invocation.directory), retry=policy(invocation, patience))
        if repository.top is None:
            done = repository.git.run("cat-file", "blob", f"HEAD:{MANIFEST_NAME}", ok=(0, 128))
            if done.code == 0:
                return Manifest.parse(done.stdout, origin=f"HEAD:{MANIFEST_NAME}"), repository
    manifest = Manifest.load(path)
    return manifest, replace(Repository.open(invocation.directory), retry=policy(invocation, patience))


def open_family(invocation: Invocation, patience: float = PATIENCE) -> tuple[Manifest, Repository, FamilyAccess]:
    """Return the manifest, the clone with its remotes within reach, and the tokens that they are reached with.

    A manifest travels with its repository, so a Hub of its own gets a token only after the person has said so, once.

    Raises:
        HostNotTrusted: that question cannot be asked here.
        ReposError: as :func:`open_clone`.
    """
    manifest, repository = open_clone(invocation, patience)
    return manifest, *within_reach(manifest, repository)


def within_reach(manifest: Manifest, repository: Repository) -> tuple[Repository, FamilyAccess]:
    """Return the clone with its remotes within reach, and the tokens; asks and raises as :func:`open_family`."""
    from openllm_repos.family.access import HostNotTrusted, access_of, host_to_trust, trust

    host = host_to_trust(manifest, repository)
    if host is not None:
        # --yes is no answer to this: who agrees to a push may not know where the manifest sends the token
        answer = ask(f"{manifest.origin} names {host} as its Hub. Send it your Hub token, now and from now on?")
        if answer is None:
            raise HostNotTrusted(manifest, host)
        trust(repository, host, yes=answer)
    access = access_of(manifest, repository)
    return replace(repository, access=access), access
