"""The manifest, made known to others: committed on the source's branch, and pushed.

These are a commit and a push of the person's own, as by hand: with their hooks and their signature, and not in the log
of operations, from which `undo` would take back the commit that they are standing on.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.errors import ConflictError, UsageError
from openllm_repos.family.remotes import RemoteState, ask, bring, tip_after_push
from openllm_repos.family.source import hold_against_remote
from openllm_repos.git.configured import current_branch
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.person import commit_file, is_changed
from openllm_repos.git.process import GitFailed
from openllm_repos.git.refs import read_ref, update_refs
from openllm_repos.git.remote import push
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest
from openllm_repos.plan import RefUpdate
from openllm_repos.preflight.advice import about_storage

_AGAIN = "openllm-repos init  # goes on from here"


@dataclass(frozen=True, slots=True)
class Publication:
    """What it takes until others see the manifest.

    Attributes:
        path: the manifest, from the top of the work tree.
        remote: the source's remote, as it is now.
        changed: whether it is not committed as it is.
        known: whether the last commit has one.
        differs: whether the remote's branch has another one than the last commit here, or none.
        ahead: how many commits of this clone the remote lacks already.
        behind: how many commits of the remote this clone lacks.
    """

    path: str
    remote: RemoteState
    changed: bool
    known: bool
    differs: bool
    ahead: int
    behind: int

    @property
    def due(self) -> bool:
        """Whether there is anything to do."""
        return self.changed or self.differs

    @property
    def place(self) -> str:
        """The remote, for people."""
        return str(self.remote.repo.repo_id or self.remote.repo.url)


def plan_publication(manifest: Manifest, path: Path, repository: Repository) -> Publication:
    """Hold the manifest of the work tree against the last commit, and that against the source's remote.

    Raises:
        EnvironmentProblem: the remote does not answer.
    """
    source = manifest.source
    remote = bring(repository, list(ask(repository, [source]).values()))[source.name]
    remote.require()
    assert repository.top is not None  # init looked first
    name = os.path.relpath(os.path.realpath(path), os.path.realpath(repository.top)).replace(os.sep, "/")
    head = read_ref(repository, source.branch.ref)
    state = None if head is None else hold_against_remote(repository, head, remote)
    with ObjectReader(repository.git) as reader:
        here, there = (
            None if tip is None else reader.find(f"{tip}:{name}".encode(errors="surrogateescape"))
            for tip in (head, remote.tip)
        )
    behind = 0 if state is None else state.behind
    ahead = 0 if state is None or state.unpushed is None else state.unpushed
    differs = here is not None and here != there and (ahead > 0 or remote.tip is None)
    return Publication(name, remote, is_changed(repository, str(path)), here is not None, differs, ahead, behind)


def require_publishable(plan: Publication, repository: Repository) -> None:
    """Refuse what would end in a commit on the wrong branch, or in one that cannot be pushed.

    Raises:
        UsageError: another branch than the source's is checked out.
        ConflictError: the remote has commits that this clone lacks.
    """
    source, branch = plan.remote.repo, current_branch(repository)
    if plan.changed and branch != source.branch:
        where = f"{branch} is checked out" if branch else "no branch is checked out"
        raise UsageError(
            f"{plan.path} is to be committed on {source.branch}, and {where}.",
            hint=f"git switch {source.branch}\n{_AGAIN}",
        )
    if plan.behind:
        some = "1 commit" if plan.behind == 1 else f"{plan.behind} commits"
        name = plan.remote.endpoint.name or plan.remote.endpoint.push_url
        raise ConflictError(
            f"{source.name} has {some} that this clone lacks, so {plan.path} cannot be pushed yet.",
            hint=f"git pull --rebase --autostash {name} {source.branch}\n{_AGAIN}",
        )


def publish_manifest(plan: Publication, repository: Repository) -> str:
    """Commit and push; return the commit.

    Raises:
        ConflictError: git, or a hook of the person's, does not want the commit.
        RemoteRefused: the remote does not want the push; the commit is here.
        EnvironmentProblem: the remote could not be reached, or does not say whether the push landed.
    """
    source, endpoint, old = plan.remote.repo, plan.remote.endpoint, plan.remote.tip or repository.zero
    if plan.changed:
        try:
            commit_file(repository, plan.path, f"{'Update' if plan.known else 'Add'} {plan.path}")
        except GitFailed as why:
            said = why.completed.said or "git gave no reason"
            raise ConflictError(f"{plan.path} was not committed:\n{said}", hint=_AGAIN) from None
    head = repository.resolve(source.branch.ref)
    pushed = push(repository, endpoint.push_url, [RefUpdate(source.branch.ref, old, head)])
    tip = tip_after_push(repository, plan.remote, old)
    if tip != head:
        raise pushed.problem(
            f"{plan.path} is committed here, but {source.name} did not take {source.branch}:\n{pushed.said}",
            hint=about_storage(pushed.said, source.name)
            or f"Where {source.branch} is protected, bring the commit there by a pull request.\n{_AGAIN}",
        )
    mine = f"{endpoint.tracking}/{source.branch}"
    known = read_ref(repository, mine) or repository.zero
    with contextlib.suppress(GitFailed):  # the next fetch does it
        update_refs(repository, [RefUpdate(mine, known, head)], reason="openllm-repos: init")
    return str(head)
