"""A look at a remote without taking anything into the clone: the names in a branch's tree, single commits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from openllm_repos.git.environment import CONFIGURATION
from openllm_repos.git.network import ask_host
from openllm_repos.git.process import NO_HOOKS, Git
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName
from openllm_repos.temporary import temporary_folder

Tree = dict[bytes, bytes]
"""Path of each file -> hex id of its blob."""

_PEEKED = "refs/peeked"
_QUIET = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head")
_BARE = ("--depth=1", "--filter=tree:0")
_DEEP = 101  # commits; a few hundred bytes each


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
    with _elsewhere(repository) as (git, settings):
        less = ("--depth=1", "--filter=blob:none")
        to = f"{branch.ref}:{_PEEKED}"
        asked = ("fetch", *_QUIET, *less, "--", url, to)
        ask_host(repository, url, *asked, git=git, deadline=deadline, settings=settings)
        return tree_of(git, ObjectId(git.text("rev-parse", "--verify", "--end-of-options", _PEEKED)))


def peek_commit(repository: Repository, url: str, wanted: ObjectId, *, deadline: float) -> ObjectId | None:
    """Return the commit that an id stands for on a remote: itself, or what the annotated tag of that id names.

    None where it stands for a file or a folder.

    One commit is fetched, and where the server can, no tree and no file of it. Objects of the clone do not count: it
    may have that commit from somewhere else.

    Args:
        repository: the clone.
        url: the remote.
        wanted: the id.
        deadline: seconds until the transfer is given up.

    Raises:
        GitFailed, DeadlineExceeded: the remote does not give it out.
    """
    with _elsewhere(repository) as (git, settings):
        asked = ("fetch", *_QUIET, *_BARE, "--", url, wanted)
        ask_host(repository, url, *asked, git=git, deadline=deadline, settings=settings)
        named = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{wanted}^{{commit}}")
        done = git.run(*named, ok=(0, 1, 128))
        return ObjectId(done.stdout.decode().strip()) if done.code == 0 else None


def peek_distance(
    repository: Repository, url: str, *, tip: ObjectId, other: ObjectId, deadline: float
) -> tuple[int | None, bool]:
    """Say how many commits a remote's branch has on top of another commit, looking at its newest hundred alone.

    From a server that cannot leave trees and files out, only the tip is taken: nothing is said then.

    Args:
        repository: the clone.
        url: the remote.
        tip: the branch's commit.
        other: the commit.
        deadline: seconds for each of two transfers.

    Returns:
        How many; None where the commit is not among those that were looked at, or merges make the number uncertain.
        And whether those are the whole history.

    Raises:
        GitFailed, DeadlineExceeded: it did not work.
    """
    with _elsewhere(repository) as (git, settings):
        for depth in (1, _DEEP):
            less = (f"--depth={depth}", _BARE[1])
            asked = ("fetch", *_QUIET, *less, "--", url, tip)
            ask_host(repository, url, *asked, git=git, deadline=deadline, settings=settings)
            seen = git.text("rev-list", "--objects", "--no-walk", "--missing=print", tip)
            if "?" not in seen:  # the tip's tree came along: all of the others' would, too
                return None, False
        commits = git.text("rev-list", tip, "--").split("\n")
        whole = git.text("rev-parse", "--is-shallow-repository") == "false"
        if other not in commits:
            return None, whole
        if not whole and git.text("rev-list", "--count", "--min-parents=2", tip, "--") != "0":
            return None, False
        return int(git.text("rev-list", "--count", tip, f"^{other}", "--")), whole


@contextlib.contextmanager
def _elsewhere(repository: Repository) -> Iterator[tuple[Git, tuple[str, ...]]]:
    """Yield a git on an empty repository, thrown away afterwards, and the settings that reach remotes as the clone."""
    with temporary_folder() as folder:
        form = f"--object-format={repository.object_format}"
        Git(None, folder, {}).run("init", "--quiet", "--bare", "--template=", form, "--", ".")
        # what is included comes before what we say with every call, as it does in the clone itself
        yield Git(folder, folder, {}), (f"include.path={repository.common_dir / 'config'}", NO_HOOKS, *CONFIGURATION)
