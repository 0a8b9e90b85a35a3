"""The notes of a release, in Markdown: what changed since the one before, by folder and by repo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from openllm_repos.family.releases import FoundLock
from openllm_repos.git.describe import Touching
from openllm_repos.lockfile.model import LockedRepo
from openllm_repos.manifest.model import Manifest, Role
from openllm_repos.release.compare import Difference, RepoDifference, grouped
from openllm_repos.text import show

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")


def notes(
    manifest: Manifest, old: FoundLock | None, new: FoundLock, changes: Sequence[RepoDifference]
) -> Iterator[str]:
    """Yield the notes of a release as lines.

    Args:
        manifest: says which folders are carried where.
        old: the release before, None where this is the first.
        new: the release.
        changes: what changed between the two; of a first release, all repos as added.
    """
    lock = new.lock
    yield f"# {_plain(lock.project)} {lock.version}"
    yield ""
    yield f"Tag `{lock.tag}`" + (f", after `{old.lock.tag}`." if old is not None else ", the first release.")
    by_name = {change.repo.name: change for change in changes}
    source = by_name[lock.source.name]
    for title, commits in grouped(manifest, source.commits):
        yield from _section(title, commits)
    for change in changes:
        if change.repo.role == Role.TARGET and change.known:
            own = [one for one in change.commits if one.described.id not in {c.described.id for c in source.commits}]
            projected = [one for one in own if not _carried(one, source.commits)]
            if projected:
                yield from _section(f"Only in {change.repo.name}", projected)
    yield ""
    yield "## The family"
    yield ""
    yield "| repo | tag | commit | since the release before |"
    yield "|---|---|---|---|"
    for change in changes:
        repo = change.repo
        commit = f"`{change.new[:10]}`" if change.new is not None else "-"
        yield f"| [{repo.name}]({page(repo)}) | `{repo.tag}` | {commit} | {_since(change)} |"


def page(repo: LockedRepo) -> str:
    """Return where a person looks at a repo as a release has it."""
    if repo.kind == "git":
        return repo.url
    return f"{repo.url.removesuffix('.git')}/tree/{repo.tag}"


def _section(title: str, commits: Sequence[Touching]) -> Iterator[str]:
    yield ""
    yield f"## {_plain(title)}"
    yield ""
    for one in commits:
        said = one.described
        yield f"- {_plain(said.subject)} (`{said.id[:10]}`, {_plain(said.author)})"


def _carried(one: Touching, commits: Sequence[Touching]) -> bool:
    """Whether a target's commit is the projection of one of the source: same author, time and first line."""
    said = one.described
    return any(
        (c.described.author, c.described.date, c.described.subject) == (said.author, said.date, said.subject)
        for c in commits
    )


def _since(change: RepoDifference) -> str:
    match change.difference:
        case Difference.SAME:
            return "as before"
        case Difference.ADDED:
            return "new"
        case Difference.REMOVED:
            return "no longer part of it"
        case Difference.CHANGED:
            return f"was `{str(change.old)[:10]}`"


def _plain(text: str) -> str:
    """Return foreign text as one line that Markdown does not act on."""
    return _MARKUP.sub(r"\\\1", show(text).replace("\n", " "))
