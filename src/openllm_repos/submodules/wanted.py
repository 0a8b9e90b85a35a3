"""Which commit of a repo is to be pinned: a branch's tip, what a tag names, or a commit that the remote really has."""

from __future__ import annotations

import re
from typing import Final

from openllm_repos.errors import ConflictError, EnvironmentProblem, NameRefused, UsageError
from openllm_repos.family.remotes import RemoteState, name_a_branch
from openllm_repos.git.peek import peek_commit
from openllm_repos.git.process import DeadlineExceeded, GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.plain import quoted

_BEGINNING: Final = re.compile(r"[0-9a-f]{7,63}")
_SECONDS: Final = 60.0  # for one commit without its files
_TAGS: Final = "refs/tags/"
_HEADS: Final = "refs/heads/"


def wanted_commit(repository: Repository, remote: RemoteState, to: str | None) -> ObjectId:
    """Return the commit that a repo is to be pinned at.

    An id is taken for an id before it is taken for a name: a branch that is called like a commit names another one.

    Args:
        repository: the clone; nothing is fetched into it.
        remote: what the repo's remote said.
        to: what the person typed: a tag, a branch, a commit; None is the branch of the manifest.

    Raises:
        UsageError: the remote has no such thing.
        ConflictError: it has a branch and a tag of that name, or hashes in another way than the clone.
        EnvironmentProblem: the remote did not answer.
    """
    name = remote.repo.name
    remote.require()
    if to is None:
        if remote.tip is None:
            raise UsageError(
                f"{name} has no branch {remote.repo.branch} yet, so there is nothing to pin.",
                hint=name_a_branch(remote.repo, remote.branches),
            )
        found = remote.tip
    else:
        found = _by_id(repository, remote, to) or _by_name(repository, remote, to)
    if len(found) != repository.id_length:
        raise ConflictError(
            f"{name} names its commits in another way ({len(found)} digits) than this clone ({repository.id_length}).",
            hint="A submodule cannot cross the two. The repo can stay in the manifest without its submodule key.",
        )
    return found


def _by_id(repository: Repository, remote: RemoteState, text: str) -> ObjectId | None:
    known = {*remote.heads.values(), *remote.peeled.values(), *remote.tags.values()}
    try:
        wanted = ObjectId(text)
    except NameRefused:
        begun = {one for one in known if one.startswith(text)} if _BEGINNING.fullmatch(text) else set()
        if len(begun) != 1 or text in remote.heads or text in remote.tags:
            return None
        wanted = begun.pop()
    return _commit(repository, remote, _peeled(remote, wanted))


def _commit(repository: Repository, remote: RemoteState, found: ObjectId) -> ObjectId:
    """Return what is a commit for sure. A branch's tip is one; a tag may name anything, a file too."""
    if found in remote.heads.values() or len(found) != repository.id_length:  # the latter is said in the end
        return found
    return _fetched(repository, remote, found)


def _fetched(repository: Repository, remote: RemoteState, wanted: ObjectId) -> ObjectId:
    """Return the commit that an id stands for, once the remote has given it out."""
    try:
        found = peek_commit(repository, remote.endpoint.url, wanted, deadline=_SECONDS)
    except DeadlineExceeded as late:
        raise EnvironmentProblem(f"{remote.repo.name}: {late.message}", hint="Check the network.") from None
    except GitFailed as failed:
        last = failed.completed.said.rpartition("\n")[2]
        raise UsageError(
            f"{remote.repo.name} does not give out a commit {wanted[:10]}: {last}",
            hint=f"A commit must be pushed before it can be pinned; look at the history of {remote.repo.url}.",
        ) from None
    if found is None:
        raise UsageError(
            f"{remote.repo.name} has a file or a folder as {wanted[:10]}, no commit.",
            hint=command_line("git", "ls-remote", remote.repo.url, remark="lists what can be named"),
        )
    return found


def _peeled(remote: RemoteState, found: ObjectId) -> ObjectId:
    """Return the commit that the id of an annotated tag stands for; any other id is one of a commit already."""
    return next(
        (remote.peeled[tag] for tag, held in remote.tags.items() if held == found and tag in remote.peeled), found
    )


def _by_name(repository: Repository, remote: RemoteState, text: str) -> ObjectId:
    name = remote.repo.name
    tag = None if text.startswith(_HEADS) else text.removeprefix(_TAGS)
    branch = None if text.startswith(_TAGS) else text.removeprefix(_HEADS)
    of_tag = remote.peeled.get(tag, remote.tags.get(tag)) if tag is not None else None
    of_branch = remote.heads.get(branch) if branch is not None else None
    if of_tag is not None and of_branch is not None and of_tag != of_branch:
        raise ConflictError(
            f"{name} has a branch and a tag {quoted(text)}, at different commits.",
            hint=f"Say which: --to {_TAGS}{text} or --to {_HEADS}{text}",
        )
    found = of_tag or of_branch
    if found is None:
        from openllm_repos.manifest.nearest import nearest

        known = [*remote.tags, *remote.heads]
        whole = " An id is written in full." if _BEGINNING.fullmatch(text) else ""
        raise UsageError(
            f"{name} has no tag, branch or commit {quoted(text)}{nearest(text, known) or '.'}{whole}",
            hint=command_line("git", "ls-remote", remote.repo.url, remark="lists what it has"),
        )
    return _commit(repository, remote, found)
