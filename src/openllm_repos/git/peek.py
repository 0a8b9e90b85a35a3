"""A look at a remote without taking anything into the clone: the names in a branch's tree."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from openllm_repos.git.environment import CONFIGURATION
from openllm_repos.git.process import NO_HOOKS, Git
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName

Tree = dict[bytes, bytes]
"""Path of each file -> hex id of its blob."""

_PEEKED = "refs/peeked"


def tree_of(git: Git, commit: ObjectId) -> Tree:
    """Return the files of a commit. Submodules are none."""
    listed = git.run("ls-tree", "-r", "-z", "--full-tree", commit).stdout.split(b"\0")[:-1]
    rows: Iterator[tuple[bytes, bytes, bytes]] = (row.partition(b"\t") for row in listed)
    return {path: entry.split(b" ")[2] for entry, _, path in rows if entry.split(b" ")[1] == b"blob"}


def peek_tree(repository: Repository, url: str, branch: BranchName, *, deadline: float) -> Tree:
    """Return the files of a remote's branch, fetching one commit and, where the server can, no content.

    It goes into a repository of its own that is thrown away: a fetch with a depth or a filter would make the person's
    clone a shallow or a partial one. The clone's configuration is included, for whatever it says about reaching hosts.

    Args:
        repository: the clone.
        url: the remote.
        branch: it must be there.
        deadline: seconds until the transfer is given up.

    Raises:
        GitFailed, DeadlineExceeded: it did not work.
    """
    with tempfile.TemporaryDirectory(prefix="openllm-repos-") as place:
        folder = Path(place)
        form = f"--object-format={repository.object_format}"
        Git(None, folder, {}).run("init", "--quiet", "--bare", "--template=", form, "--", ".")
        git = Git(folder, folder, {})
        quiet = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head")
        less = ("--depth=1", "--filter=blob:none")
        # what is included comes before what we say with every call, as it does in the clone itself
        settings = (f"include.path={repository.common_dir / 'config'}", NO_HOOKS, *CONFIGURATION)
        to = f"{branch.ref}:{_PEEKED}"
        reach = repository.reach(url)
        git.run("fetch", *quiet, *less, "--", url, to, deadline=deadline, settings=settings, environment=reach)
        return tree_of(git, ObjectId(git.text("rev-parse", "--verify", "--end-of-options", _PEEKED)))
