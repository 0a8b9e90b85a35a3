"""What a release still lacks: the newest one, as its lock has it, held against what the remotes have just said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openllm_repos.errors import ReposError
from openllm_repos.family.releases import (
    FoundLock,
    TagState,
    lock_of_tag,
    lock_on_branch,
    locked_tags,
    named,
    tag_state,
)
from openllm_repos.family.remotes import RemoteState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.journal.releases import read_release
from openllm_repos.lockfile.model import FOLDER
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.status.problems import Problem
from openllm_repos.versions.order import order


def about_releases(
    manifest: Manifest, clone: Repository, reader: ObjectReader, remotes: Mapping[RepoName, RemoteState]
) -> Iterator[Problem]:
    """Say which repos lack the tag of the newest release, or have it elsewhere.

    Args:
        manifest: says which repo is the source, and what its tags look like.
        clone: has the source's tip, unless its remote is not known.
        reader: reads its objects.
        remotes: what each of them said; those that are only remembered say nothing of tags.
    """
    source = remotes[manifest.source.name]
    begun = read_release(clone)
    if begun is not None:
        message = f"the release {begun.tag} was begun here and has not ended: it is still at work, or was stopped."
        yield Problem(source.repo.name, message, f"openllm-repos release {begun.version}")
    if source.problem or source.remembered:
        return
    try:
        found = _newest(manifest, clone, reader, source)
    except ReposError as why:
        yield Problem.of(source.repo.name, why)
        return
    if found is None or (begun is not None and begun.tag == found.lock.tag):
        return
    finish = f"openllm-repos release {found.lock.version}"
    for repo in found.lock.repos:
        remote = remotes.get(repo.name)
        if remote is None or remote.problem or remote.repo.url != repo.url:
            continue
        commit = found.commit if repo is found.lock.source else repo.commit
        state = tag_state(remote, repo.tag, commit)
        if state is TagState.ABSENT:
            yield Problem(repo.name, f"lacks the tag {repo.tag} of the release {found.lock.version}.", finish)
        elif state is TagState.ELSEWHERE:
            held = str(named(remote, repo.tag))[:10]
            message = f"has its tag {repo.tag} at {held}, and the release has {commit[:10]}."
            yield Problem(repo.name, message, f"openllm-repos release verify {found.lock.tag}")


def _newest(manifest: Manifest, clone: Repository, reader: ObjectReader, source: RemoteState) -> FoundLock | None:
    """Return the lock of the newest release, as far as this clone has it; nothing is fetched for it.

    Raises:
        LockUnsound: it is there and cannot be read.
    """
    form = manifest.project.tag
    tags = {TagName(tag) for tag in source.tags if form.version_of(tag) is not None}
    tip = source.tip if source.tip is not None and reader.find(source.tip.encode()) is not None else None
    if tip is not None and reader.find(f"{tip}:{FOLDER}".encode()) is not None:
        tags.update(locked_tags(clone, tip))
    if not tags:
        return None
    tag = max(tags, key=lambda tag: order(form.version_of(tag) or tag))
    held = source.tags.get(tag)
    if held is not None and reader.find(held.encode()) is not None:
        found = lock_of_tag(clone, reader, tag, held)
        if found is not None:
            return found
    return None if tip is None else lock_on_branch(clone, reader, tip, tag)
