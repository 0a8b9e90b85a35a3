"""What the source pins of the repos that are its submodules, and how far that is from their branches."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from openllm_repos.errors import ReposError
from openllm_repos.family.modules import Difference, differences
from openllm_repos.family.pins import Distance, how_far
from openllm_repos.family.remotes import CONNECTIONS, RemoteState
from openllm_repos.git.gitlinks import pins_in_commit
from openllm_repos.git.gitmodules import modules_text, read_modules
from openllm_repos.git.repository import Repository
from openllm_repos.hub.client import HubClient
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.path import FolderPath
from openllm_repos.names.ref import RepoName
from openllm_repos.status.problems import Problem

_SYNC = "openllm-repos remotes sync"


@dataclass(frozen=True, slots=True)
class Pin:
    """What the source pins of a repo.

    Attributes:
        path: where.
        commit: what, None where it pins nothing there yet.
        distance: how far that is from the tip of the repo's branch; None where there is no pin, or no tip is known.
    """

    path: FolderPath
    commit: ObjectId | None
    distance: Distance | None = None


def pins_of(
    manifest: Manifest,
    clone: Repository,
    commit: ObjectId | None,
    remotes: Mapping[RepoName, RemoteState],
    *,
    hub: HubClient | None,
    deadline: float,
) -> tuple[Mapping[RepoName, Pin], tuple[Problem, ...]]:
    """Return the pins of a source commit, and what is wrong with them. Where no repo is a submodule, nothing is asked.

    Args:
        manifest: says what is pinned where.
        clone: has the source commit.
        commit: it, None where there is none.
        remotes: what each remote said; of those that are only remembered nothing more is asked.
        hub: is asked about its repos.
        deadline: seconds for each answer.
    """
    if commit is None or not manifest.pinned:
        return {}, ()
    found = pins_in_commit(clone, commit, [path for _, path in manifest.pinned])

    def one(entry: tuple[Repo, FolderPath]) -> tuple[RepoName, Pin]:
        repo, path = entry
        remote, pinned = remotes[repo.name], found.get(path)
        if pinned is None or remote.tip is None:
            return repo.name, Pin(path, pinned)
        url = "" if remote.remembered else remote.endpoint.url
        far = how_far(clone, repo, url, tip=remote.tip, pin=pinned, deadline=deadline, hub=hub)
        return repo.name, Pin(path, pinned, far)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        pins = dict(pool.map(one, manifest.pinned))
    return pins, tuple(_problems(manifest, clone, commit, found))


def _problems(manifest: Manifest, clone: Repository, commit: ObjectId, found: Mapping[str, ObjectId]) -> list[Problem]:
    source = manifest.source.name
    try:
        modules = read_modules(clone, modules_text(clone, commit))
    except ReposError as why:
        return [Problem(source, why.message, why.hint)]
    return [
        Problem(one.repo or source, f"{one.message if one.repo else f'{one.path} {one.message}'}.", _next(one))
        for one in differences(manifest, modules, found.keys())
    ]


def _next(one: Difference) -> str:
    """Say what mends it. A source commit is looked at: what is staged only is not in it yet."""
    return one.command if one.dangerous else f"{one.command or _SYNC}  # then commit that"
