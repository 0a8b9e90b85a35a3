"""The git remotes of a clone, made equal to the manifest. What this tool did not make, it does not touch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from openllm_repos.errors import NameRefused
from openllm_repos.git.configured import GitRemote, read_remotes, refspec, remove_remote, write_remote
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.ref import BranchName, RepoName
from openllm_repos.names.url import identity_of


class Deed(StrEnum):
    """What is to be done about a remote."""

    KEEP = "as it should be"
    ADD = "add"
    CORRECT = "correct"
    FOREIGN = "leads elsewhere"
    STALE = "no longer in the manifest"


@dataclass(frozen=True, slots=True)
class RemoteStep:
    """One git remote, held against the manifest.

    Attributes:
        deed: what is to be done.
        remote: its name.
        repo: the manifest's entry, None where there is none of that name.
        found: its URL now, or an empty string.
        wanted: the URL that it should have, or an empty string.
        command: for what is left to the person: the command that does it.
    """

    deed: Deed
    remote: str
    repo: Repo | None
    found: str = ""
    wanted: str = ""
    command: str = ""

    @property
    def changes(self) -> bool:
        """Whether the clone's configuration changes without being asked for more."""
        return self.deed in {Deed.ADD, Deed.CORRECT}


def plan_remotes(manifest: Manifest, repository: Repository) -> tuple[RemoteStep, ...]:
    """Hold the clone's git remotes against the manifest: one step a repo, then those that it no longer names.

    A remote of the person's own for the same repository, whatever its name and spelling (``origin`` over ssh, say), is
    as good as ours.
    """
    remotes = {remote.name: remote for remote in read_remotes(repository)}
    names = {str(repo.name) for repo in manifest.repos}
    steps = [_step(repo, remotes) for repo in manifest.repos]
    return (*steps, *_stale(remotes.values(), names))


def _step(repo: Repo, remotes: Mapping[str, GitRemote]) -> RemoteStep:
    named = remotes.get(repo.name)
    if named is not None and named.ours:
        right = identity_of(named.url) == repo.url.identity and not _fetches_another(named, repo)
        deed = Deed.KEEP if right else Deed.CORRECT
        wanted = named.url if identity_of(named.url) == repo.url.identity else repo.url
        return RemoteStep(deed, named.name, repo, named.url, wanted)
    same = [one for one in remotes.values() if not one.ours and identity_of(one.url) == repo.url.identity]
    if same:
        mine = next((one for one in same if one.name == repo.name), same[0])
        return RemoteStep(Deed.KEEP, mine.name, repo, mine.url, mine.url)
    if named is not None:
        command = command_line("git", "remote", "set-url", repo.name, repo.url)
        return RemoteStep(Deed.FOREIGN, named.name, repo, named.url, repo.url, command)
    return RemoteStep(Deed.ADD, repo.name, repo, wanted=repo.url)


def _fetches_another(remote: GitRemote, repo: Repo) -> bool:
    """Whether a remote of ours still fetches the branch that the manifest named before. A person's own list stays."""
    (only,) = remote.fetch if len(remote.fetch) == 1 else ("",)
    if not only:
        return not remote.fetch
    source = only.removeprefix("+").partition(":")[0].removeprefix("refs/heads/")
    with contextlib.suppress(NameRefused):
        return source != repo.branch and only == refspec(repo.name, BranchName(source))
    return False


def _stale(remotes: Iterable[GitRemote], names: set[str]) -> Iterator[RemoteStep]:
    for remote in remotes:
        if not remote.ours or remote.name in names:
            continue
        with contextlib.suppress(NameRefused):  # this tool made none whose name is not of that form
            command = "openllm-repos remotes sync --prune"
            yield RemoteStep(Deed.STALE, RepoName(remote.name), None, remote.url, command=command)


def apply_remotes(
    steps: Iterable[RemoteStep], repository: Repository, *, prune: bool = False
) -> tuple[RemoteStep, ...]:
    """Do what was planned.

    Args:
        steps: what :func:`plan_remotes` said.
        repository: the clone.
        prune: whether remotes of ours that the manifest no longer names go, with their remote-tracking refs.

    Returns:
        The steps that changed something.

    Raises:
        EnvironmentProblem: another run is at work, or the clone's configuration cannot be written.
    """
    due = tuple(step for step in steps if step.changes or (prune and step.deed is Deed.STALE))
    if not due:
        return ()
    with exclusive(repository, "remotes sync"):
        for step in due:
            if step.repo is None:
                remove_remote(repository, RepoName(step.remote))
            else:
                url = None if step.wanted == step.found else step.repo.url
                write_remote(repository, step.repo.name, step.repo.branch, url)
    return due
