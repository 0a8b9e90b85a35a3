"""Folders that `git subtree` keeps for other repositories, as its own trailers in the history tell of them."""

from __future__ import annotations

from dataclasses import dataclass

from openllm_repos.errors import NameRefused
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId

_DIR, _SPLIT, _MAINLINE = "git-subtree-dir", "git-subtree-split", "git-subtree-mainline"
_ADDED = (f"{_MAINLINE}:".encode(), f"{_SPLIT}:".encode())


@dataclass(frozen=True, slots=True)
class Subtree:
    """A folder that was added, pulled, or split off and joined again.

    Attributes:
        folder: its path, foreign text, without a slash at the end.
        split: the other repository's commit that it was last joined with.
        squashed: whether that commit's history was left out (``--squash``).
    """

    folder: str
    split: ObjectId
    squashed: bool


def subtrees_in(repository: Repository, commit: ObjectId) -> tuple[Subtree, ...]:
    """Return the subtrees that the history of a commit tells of, each as it was last joined."""
    asked = ("log", "-z", "--no-show-signature", f"--grep=^{_DIR}: ", "--format=%B", commit, "--")
    messages = repository.git.run(*asked).stdout.decode("utf-8", "surrogateescape").split("\0")
    found: dict[str, Subtree] = {}
    for message in messages:
        said = dict(line.split(": ", 1) for line in message.splitlines() if ": " in line)
        folder = said.get(_DIR, "").strip().rstrip("/")
        try:
            split = ObjectId(said.get(_SPLIT, "").strip())
        except NameRefused:  # an `add` without a commit, or words that only look like a trailer
            continue
        if folder:
            found.setdefault(folder, Subtree(folder, split, squashed=_MAINLINE not in said))
    return tuple(found.values())


def is_add(message: bytes, folder: bytes) -> bool:
    """Whether a commit's message is that of `git subtree add` for a folder: what --ignore-joins looks for."""
    lines = message.splitlines()
    named = {line.split()[0] for line in lines if line.strip()}
    subject = b"Add '%b/' from commit '" % folder
    return named.issuperset(_ADDED) and any(line.startswith(subject) for line in lines)


def remotes_holding(repository: Repository, commit: ObjectId) -> tuple[str, ...]:
    """Return the remote-tracking refs in whose history a commit is; none where the clone does not have it."""
    asked = ("for-each-ref", "--format=%(refname)", f"--contains={commit}", "refs/remotes")
    done = repository.git.run(*asked, ok=(0, 1, 128, 129))
    return tuple(done.lines()) if done.code == 0 else ()
