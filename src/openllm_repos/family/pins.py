"""How far a pin is from the tip of its repo's branch, found out without cloning what lies behind it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from openllm_repos.errors import ReposError
from openllm_repos.family.access import hub_repo_of
from openllm_repos.git.history import count, is_ancestor
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.peek import peek_distance
from openllm_repos.git.repository import Repository
from openllm_repos.hub.client import HubClient
from openllm_repos.hub.failures import HubError
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId


@dataclass(frozen=True, slots=True)
class Distance:
    """How a pin stands to the tip of its branch.

    Attributes:
        behind: how many commits the branch has that the pin does not; None where that is not cheaply known.
        on_branch: whether it is in the branch's history; None where that is not cheaply known.
    """

    behind: int | None = None
    on_branch: bool | None = None

    def said(self, branch: str) -> str:
        """Return it in a few words: same, 3 behind, not on main, differs."""
        if self.behind is not None:
            return f"{self.behind} behind" if self.behind else "same"
        return f"not on {branch}" if self.on_branch is False else "differs"


SAME = Distance(0, on_branch=True)
UNKNOWN = Distance()


def how_far(
    repository: Repository,
    repo: Repo,
    url: str,
    *,
    tip: ObjectId,
    pin: ObjectId,
    deadline: float,
    hub: HubClient | None = None,
) -> Distance:
    """Say how far a pin is behind a tip.

    The clone is asked first, where it has both; of a repo on the Hub the Hub's own list of commits; any other remote
    for the last hundred commits alone, without a tree or a file.

    Args:
        repository: the clone.
        repo: the repo that is pinned.
        url: where git fetches it from; empty to ask nobody but the clone.
        tip: its branch's commit on the remote.
        pin: the commit that is pinned.
        deadline: seconds for each answer of the remote.
        hub: None leaves the Hub out.
    """
    if tip == pin:
        return SAME
    with ObjectReader(repository.git) as reader:
        here = all(reader.find(commit.encode()) is not None for commit in (tip, pin))
    if here:
        return (
            Distance(count(repository, tip, without=[pin]), on_branch=True)
            if is_ancestor(repository, pin, tip)
            else Distance(on_branch=False)
        )
    if not url:
        return UNKNOWN
    place = hub_repo_of(repo)
    if hub is not None and place is not None:
        with contextlib.suppress(HubError):
            listed, whole = hub.history(place, tip)
            if pin in listed:
                return Distance(listed.index(pin), on_branch=True)
            return Distance(on_branch=False) if whole else UNKNOWN
    with contextlib.suppress(ReposError):  # what cannot be found out is an answer, too
        behind, whole = peek_distance(repository, url, tip=tip, other=pin, deadline=deadline)
        if behind is not None:
            return Distance(behind, on_branch=True)
        return Distance(on_branch=False) if whole else UNKNOWN
    return UNKNOWN
