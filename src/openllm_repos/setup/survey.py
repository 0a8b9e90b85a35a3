"""What a clone and the targets it will have already say: the facts that the proposals of `init` are made from."""

from __future__ import annotations

import contextlib
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from openllm_repos.errors import NameRefused, ReposError, UsageError
from openllm_repos.family.remotes import CONNECTIONS, RemoteState, ask
from openllm_repos.git.configured import GitRemote, current_branch, default_branch, expanded, read_remotes
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.peek import Tree, peek_tree, tree_of
from openllm_repos.git.process import DeadlineExceeded, GitFailed
from openllm_repos.git.refs import read_ref
from openllm_repos.git.remote import Unreachable
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import DEFAULT_BRANCH, Kind, Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName, RepoName
from openllm_repos.setup.inherited import Submodule, SubtreeFolder, find_submodules, find_subtrees
from openllm_repos.setup.places import Place, place_of_url

_ORIGIN = "origin"
_TRANSFER = 60.0  # seconds for one commit without content


@dataclass(frozen=True, slots=True)
class Survey:
    """What the clone says.

    Attributes:
        place: where the source is, None where no remote tells.
        branch: its main branch.
        commit: that branch's commit, None before the first one.
        files: the files of that commit.
        version: the file in which the version stands, or an empty string.
        others: repositories of the Hub that the person has git remotes for.
        submodules: repositories that the source has as submodules.
        subtrees: folders that `git subtree` keeps for other repositories.
    """

    place: Place | None
    branch: BranchName = DEFAULT_BRANCH
    commit: ObjectId | None = None
    files: Tree = field(default_factory=dict)
    version: str = ""
    others: tuple[Place, ...] = ()
    submodules: tuple[Submodule, ...] = ()
    subtrees: tuple[SubtreeFolder, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a repo showed.

    Attributes:
        remote: its answer.
        files: the files of its branch; only looked up for a Space.
    """

    remote: RemoteState
    files: Tree = field(default_factory=dict)


def survey(repository: Repository) -> Survey:
    """Look at the clone; nobody is asked.

    Raises:
        UsageError: it has no work tree, where a manifest could stand.
    """
    if repository.top is None:
        raise UsageError(
            f"{repository.git_dir} is a bare clone: there is no work tree to write repos.toml to.",
            hint="Go to a clone with a work tree.",
        )
    remotes = read_remotes(repository)
    source = next((one for one in remotes if one.name == _ORIGIN), None)
    beside = [(one, _place(repository, one)) for one in remotes if one is not source]
    places = [place for _, place in beside if place is not None]
    branch = _branch(repository, source)
    commit = _commit(repository, branch, source)
    files = {} if commit is None else tree_of(repository.git, commit)
    return Survey(
        place=None if source is None else _place(repository, source),
        branch=branch,
        commit=commit,
        files=files,
        version=_version_file(repository, files),
        others=tuple(place for place in places if place.on_hub),
        submodules=() if commit is None else find_submodules(repository, commit, source.url if source else "", branch),
        subtrees=() if commit is None else find_subtrees(repository, commit, files, beside),
    )


def _place(repository: Repository, remote: GitRemote) -> Place | None:
    """Return where a git remote leads: as it is written, else what the person's short forms (insteadOf) make of it."""
    written = place_of_url(remote.url)
    if written is not None and "." in written.url.host:
        return written
    return place_of_url(expanded(repository, remote.url)) or written if remote.url else None


def _branch(repository: Repository, source: GitRemote | None) -> BranchName:
    if read_ref(repository, DEFAULT_BRANCH.ref) is not None:
        return DEFAULT_BRANCH
    for name in (default_branch(repository, source.name) if source else "", current_branch(repository)):
        if name:
            with contextlib.suppress(NameRefused):
                return BranchName(name)
    return DEFAULT_BRANCH


def _commit(repository: Repository, branch: BranchName, source: GitRemote | None) -> ObjectId | None:
    refs = [branch.ref, *([f"refs/remotes/{source.name}/{branch}"] if source else []), "HEAD"]
    return next((found for ref in refs if (found := read_ref(repository, ref)) is not None), None)


def _version_file(repository: Repository, files: Tree) -> str:
    """Return the file of the source in which the version stands, where that is plain to see."""
    if (blob := files.get(b"pyproject.toml")) is not None:
        with ObjectReader(repository.git) as reader, contextlib.suppress(ReposError, ValueError):
            document = tomllib.loads(reader.read(blob).data.decode())
            tables = (document.get("project"), document.get("tool", {}).get("poetry"))
            if any(isinstance(table, dict) and isinstance(table.get("version"), str) for table in tables):
                return "pyproject.toml"
    return "VERSION" if b"VERSION" in files else ""


def look(repository: Repository, manifest: Manifest) -> dict[RepoName, Seen]:
    """Ask all repos of a manifest in parallel whether they are there, and what a Space has; the clone keeps nothing."""
    states = ask(repository, manifest.repos)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return dict(zip(states, pool.map(partial(_look, repository), states.values()), strict=True))


def _look(repository: Repository, remote: RemoteState) -> Seen:
    if remote.problem or remote.tip is None or remote.repo.kind is not Kind.SPACE:
        return Seen(remote)
    try:
        return Seen(remote, peek_tree(repository, remote.endpoint.url, remote.repo.branch, deadline=_TRANSFER))
    except (Unreachable, GitFailed, DeadlineExceeded) as why:
        return Seen(replace(remote, problem=why.message, hint=why.hint or "Check the network, then run this again."))
