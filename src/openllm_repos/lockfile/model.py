"""What a lock says, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.path import FolderPath
from openllm_repos.names.ref import BranchName, RepoName, TagName
from openllm_repos.names.url import RepoId, RepoUrl

SCHEMA = 1
FOLDER = "manifest/releases"
"""Where locks stand in the source."""


@dataclass(frozen=True, slots=True)
class LockedRepo:
    """One repo as a release has it.

    Attributes:
        name: its name in the manifest.
        role: source, target or member.
        kind: github, space, model, dataset or git.
        repo_id: ``owner/name`` on its host; None for the kind git.
        url: where git reaches it.
        branch: the branch that the commit was taken from.
        tag: the tag that names the commit there.
        commit: the commit. Of the source it is the one that was released: with ``lock = "commit"`` the tag names its
            child, which adds the lock and nothing else; with ``lock = "tag"`` it names the commit itself.
        tree: the commit's tree, None where it could not be seen.
        source: of a target, the source commit whose files it holds; else None.
        submodule: where the source pins this very commit, None where it does not.
    """

    name: RepoName
    role: str
    kind: str
    repo_id: RepoId | None
    url: RepoUrl
    branch: BranchName
    tag: TagName
    commit: ObjectId
    tree: ObjectId | None = None
    source: ObjectId | None = None
    submodule: FolderPath | None = None


@dataclass(frozen=True, slots=True)
class Lock:
    """One release of the family.

    Attributes:
        project: the family's name.
        version: the version.
        tag: the source's tag.
        manifest: the digest of the manifest that the release was made from, ``sha256:`` and 64 hex digits.
        repos: the source first, then the others in the order of that manifest.
    """

    project: str
    version: str
    tag: TagName
    manifest: str
    repos: tuple[LockedRepo, ...]

    @property
    def source(self) -> LockedRepo:
        """The repo whose tag says that the release is there."""
        return self.repos[0]

    @property
    def others(self) -> tuple[LockedRepo, ...]:
        """All repos but the source."""
        return self.repos[1:]

    def repo(self, name: str) -> LockedRepo | None:
        """Return the repo of that name, or None."""
        return next((repo for repo in self.repos if repo.name == name), None)


def lock_path(tag: str) -> str:
    """Return where the lock of a release stands in the source. A tag may have folders in it (``release/1.0``)."""
    return f"{FOLDER}/{tag}.toml"
