"""What is missing on this machine, in this clone or at the remotes, and the command that mends it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from openllm_repos import __version__
from openllm_repos.errors import ManifestError, ReposError
from openllm_repos.family.access import access_of, with_access
from openllm_repos.family.source import default_branch_elsewhere
from openllm_repos.family.writers import find_writers
from openllm_repos.git.attributes import lfs_paths
from openllm_repos.git.configured import setting
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.peek import tree_of
from openllm_repos.git.person import is_changed
from openllm_repos.git.repository import Repository
from openllm_repos.hooks.standing import standing as hook_standing
from openllm_repos.manifest.model import Manifest
from openllm_repos.preflight.limits import pointers
from openllm_repos.retry import NEVER, RetryPolicy
from openllm_repos.setup.check import Check, error, ok, warning
from openllm_repos.setup.clone import check_clone, not_opened
from openllm_repos.setup.machine import check_git, check_lfs
from openllm_repos.setup.reach import check_remotes
from openllm_repos.setup.remotes import Deed, RemoteStep, plan_remotes
from openllm_repos.submodules.mending import plan_modules
from openllm_repos.workflow.choices import Choices
from openllm_repos.workflow.file import Recipe, Standing, branch_sentence, read_workflow, said_of, standing
from openllm_repos.workflow.filters import WORKFLOW

DEADLINE = 10.0
_ATTRIBUTES = b".gitattributes"
_SYNC = "openllm-repos remotes sync"


def examine(
    folder: Path,
    manifest_path: Path,
    *,
    offline: bool = False,
    deadline: float = DEADLINE,
    retry: RetryPolicy = NEVER,
) -> Iterator[Check]:
    """Look at everything, and yield what was found as it is found. Nothing is changed anywhere.

    What cannot be looked at because something before it is missing (a clone, a sound manifest) is left out.

    Args:
        folder: where the person stands.
        manifest_path: the manifest.
        offline: whether to leave the remotes out.
        deadline: seconds for each question to a remote.
        retry: how patient to be with a remote that fails.
    """
    git = check_git()
    yield git
    if git.level == "error":
        return
    repository: Repository | None = None
    try:
        repository = replace(Repository.open(folder), retry=retry)
    except ReposError as why:
        yield not_opened(why, folder)
    manifest, found = _manifest(manifest_path, repository)
    yield from found
    if repository is None:
        yield check_lfs(manifest, used=False, filtered=False)
        return
    yield check_lfs(manifest, used=_in_lfs(repository), filtered=bool(setting(repository, "filter.lfs.process")))
    yield from check_clone(repository)
    if manifest is not None:
        yield from _git_remotes(plan_remotes(manifest, repository))
        yield from _submodules(manifest, repository)
        yield from _artifacts(manifest, repository)
        yield from _hook(manifest, repository)
        yield from _workflow(manifest, manifest_path, repository)
        yield from _writers(manifest, repository)
        if not offline:
            yield from _remotes(manifest, repository, deadline)


def _remotes(manifest: Manifest, repository: Repository, deadline: float) -> Iterator[Check]:
    """Ask the remotes, with the tokens at hand where it is clear whom they may be sent to."""
    access = None
    try:
        repository = with_access(repository, manifest)
        access = access_of(manifest, repository)
    except ReposError as why:
        yield error("token", why.message, why.hint)
    yield from check_remotes(manifest, repository, access, deadline=deadline)


def _manifest(path: Path, repository: Repository | None) -> tuple[Manifest | None, tuple[Check, ...]]:
    if not os.path.lexists(path):
        return None, (error("manifest", f"there is no {path.name}", "openllm-repos init"),)
    try:
        manifest = Manifest.load(path)
    except ManifestError as why:
        return None, (error("manifest", why.message, "openllm-repos manifest check"),)
    repos, targets = len(manifest.repos), len(manifest.targets)
    said = f"{path.name} is sound: {repos} repo{'s' * (repos != 1)}, {targets} target{'s' * (targets != 1)}"
    if repository is not None and repository.top is not None:
        return manifest, (_kept(path, repository, said),)
    return manifest, (ok("manifest", said),)


def _kept(path: Path, repository: Repository, said: str) -> Check:
    """Say whether the manifest is committed: others, and every other clone, see only what is."""
    if is_changed(repository, str(path)):
        name = path.name
        return warning(
            "manifest", f"{said}; it is not committed as it is", f"git add {name}\ngit commit -m 'Update {name}'"
        )
    return ok("manifest", said)


def _in_lfs(repository: Repository) -> bool:
    """Whether the commit that is checked out has a file that is kept in LFS: lines about it alone are none."""
    try:
        commit = repository.resolve("HEAD")
        files = tree_of(repository.git, commit)
        attributes = [blob for path, blob in files.items() if path.rpartition(b"/")[2] == _ATTRIBUTES]
        with ObjectReader(repository.git) as reader:
            if not any(b"filter=lfs" in found.data for found in reader.read_many(attributes)):
                return False
            return bool(pointers(reader, (files[path] for path in lfs_paths(repository, commit, list(files)))))
    except ReposError:
        return False


def _hook(manifest: Manifest, repository: Repository) -> Iterator[Check]:
    """Look at the pre-push hook of the clone."""
    found = hook_standing(manifest, repository)
    for fault in found.faults:
        yield warning("hooks", fault.message, fault.next)
    if not found.faults:
        yield ok("hooks", "pushes are judged before they are sent")


def _workflow(manifest: Manifest, path: Path, repository: Repository) -> Iterator[Check]:
    """Hold the workflow for GitHub Actions against the manifest, where there is one that we wrote."""
    if repository.top is None:
        return
    place = os.path.relpath(os.path.realpath(path), os.path.realpath(repository.top)).replace(os.sep, "/")
    try:
        found = read_workflow(repository.top)
        now = standing(found, Recipe(manifest, place, found.choices or Choices(), __version__))
    except ReposError as why:
        yield error("workflow", why.message, why.hint)
        return
    if now in {Standing.MISSING, Standing.FOREIGN}:
        return
    message, following = said_of(found, now)
    level = ok if not following else error if now is Standing.UNPINNED else warning
    yield level("workflow", f"{WORKFLOW} {message}", *([following] if following else []))
    other, _ = default_branch_elsewhere(repository, manifest.source)
    if other:
        yield warning(
            "workflow",
            branch_sentence(manifest, other),
            f"openllm-repos manifest set repos.{manifest.source.name}.branch {shlex.quote(other)}",
        )


def _writers(manifest: Manifest, repository: Repository) -> Iterator[Check]:
    """Look for workflows and scripts of the source that write where a sync does."""
    for writer in find_writers(manifest, repository):
        following = f"Take that out of {writer.path}, or {writer.repo.name} out of {manifest.origin}."
        yield warning("writers", str(writer), following, repo=writer.repo.name)


def _submodules(manifest: Manifest, repository: Repository) -> Iterator[Check]:
    """Hold the submodules that the source pins against the manifest; a source without any says nothing."""
    try:
        found = plan_modules(manifest, repository)
    except ReposError as why:
        yield error("pins", why.message, why.hint)
        return
    for one in found:
        say = error if one.dangerous else warning
        yield say("pins", one.said if not one.repo else one.message, one.command or _SYNC, repo=one.repo)
    if manifest.pinned and not found:
        yield ok("pins", "the submodules are as the manifest says")


def _artifacts(manifest: Manifest, repository: Repository) -> Iterator[Check]:
    """Say which folders to publish are here; that one is not is no fault, since not every clone makes weights."""
    if repository.top is None:
        return
    for repo in manifest.published:
        bases = {entry.place.source.base: entry.place.source.text for entry in repo.publish}
        absent = [text for base, text in bases.items() if not (repository.top / base).is_dir()]
        said = f"what is published comes from {', '.join(bases.values())}"
        yield ok("publish", f"{said}; not here: {', '.join(absent)}" if absent else said, repo=repo.name)


def _git_remotes(steps: tuple[RemoteStep, ...]) -> Iterator[Check]:
    """Hold the clone's git remotes against the manifest."""
    missing = [step.remote for step in steps if step.deed is Deed.ADD]
    if missing:
        yield warning("remotes", f"there is no git remote for {', '.join(missing)}", _SYNC)
    for step in steps:
        elsewhere = f"{step.remote} leads to {step.found}, the manifest says {step.wanted}"
        if step.deed is Deed.CORRECT:
            yield warning("remotes", elsewhere, _SYNC)
        elif step.deed is Deed.FOREIGN:
            yield warning("remotes", elsewhere, step.command)
        elif step.deed is Deed.STALE:
            yield warning("remotes", f"{step.remote} is no longer in the manifest", step.command)
    if all(step.deed is Deed.KEEP for step in steps):
        yield ok("remotes", "the git remotes are as the manifest says")
