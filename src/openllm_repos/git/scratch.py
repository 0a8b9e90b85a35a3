"""A throw-away bare repository that borrows a clone's objects and settings.

It takes what must not get into the clone: a commit of a model repository without its history and files (which would
leave the clone with holes), and tags that are still being made.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from openllm_repos.git.network import ask_host
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.process import DeadlineExceeded, Git, GitFailed
from openllm_repos.git.remote import Unreachable
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId


def open_scratch(repository: Repository, folder: Path) -> Repository:
    """Make a scratch repository in `folder`, which the caller removes again.

    It reads the clone's own configuration, so remotes are reached as from the clone: by the same URLs, with the same
    credentials and keys.
    """
    bare = Git(None, repository.git_dir, {})
    made = ("init", "--quiet", "--bare", "--template=", f"--object-format={repository.object_format}")
    bare.run(*made, "--", str(folder))
    objects = folder / "objects"
    # In a quarantine, what a plan has made so far lies apart, and the clone's own objects beside it.
    places = [repository.objects_dir] + ([repository.common_dir / "objects"] if repository.quarantined else [])
    (objects / "info").mkdir(exist_ok=True)
    (objects / "info" / "alternates").write_bytes(b"".join(os.fsencode(place) + b"\n" for place in places))
    git = Git(folder, folder, {name: value for name, value in repository.git.extra.items() if "OBJECT" not in name})
    git.run("config", "include.path", str(repository.common_dir / "config"))
    return replace(repository, git_dir=folder, common_dir=folder, top=None, git=git, objects_dir=objects)


def fetch_commit(scratch: Repository, url: str, commit: ObjectId, branch_ref: str, *, deadline: float) -> bool:
    """Bring one commit into a scratch repository: not its history, and its trees and files only once they are read.

    A model repository of many gigabytes costs a kilobyte so. A server that knows no partial fetches sends the files of
    that one commit as well; large ones are pointers in git.

    Args:
        scratch: see :func:`open_scratch`.
        url: the remote.
        commit: what is wanted.
        branch_ref: the branch that it was seen on, for servers that give out branches only.
        deadline: seconds for the transfer.

    Returns:
        Whether it is there now. It is not where the branch has moved on meanwhile, and the server gives out no others.

    Raises:
        Unreachable: the remote did not answer.
    """
    if _has(scratch, commit):
        return True
    said = ""
    for wanted in (commit, branch_ref):
        try:
            ask_host(
                scratch,
                url,
                *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
                *("--depth=1", "--filter=tree:0", "--", url, wanted),
                deadline=deadline,
            )
        except DeadlineExceeded as late:
            raise Unreachable(
                f"its commit was not fetched within {late.after:g} seconds",
                hint="Check the network, then run this again.",
            ) from None
        except GitFailed as failed:
            said = failed.completed.said
            continue
        if _has(scratch, commit):
            return True
        said = ""
    if said:
        raise Unreachable(said.splitlines()[-1], hint="Check that the repository can be read.")
    return False


def _has(scratch: Repository, commit: ObjectId) -> bool:
    with ObjectReader(scratch.git) as reader:
        return reader.find(commit.encode()) is not None
