"""Which repos a person means on a command line: by name, by a glob of names, by group."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from openllm_repos.errors import UsageError
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.manifest.nearest import few, nearest
from openllm_repos.names.plain import quoted

_WILD = frozenset("*?[")


def select(
    manifest: Manifest,
    words: Sequence[str],
    groups: Sequence[str] = (),
    among: Sequence[Repo] | None = None,
    what: str = "repo",
) -> tuple[str, ...]:
    """Return the names that are meant: each once, none where nothing was asked for.

    Args:
        manifest: the family.
        words: names, which are not looked at, and globs of names (``space-*``).
        groups: names of groups.
        among: the repos that make sense; all of them by default.
        what: one of those, in words.

    Raises:
        UsageError: a glob or a group has none of them.
    """
    among = manifest.repos if among is None else among
    found: list[str] = []
    for word in words:
        if _WILD.isdisjoint(word):
            found.append(word)
            continue
        matched = [str(repo.name) for repo in among if fnmatchcase(repo.name, word)]
        if not matched:
            names = [str(repo.name) for repo in among]
            guess = nearest("".join(char for char in word if char not in _WILD), names)
            raise UsageError(
                f"No {what} of {manifest.origin} is called like {quoted(word)}{guess}",
                hint=f"There are: {few(names)}.",
            )
        found += matched
    for group in groups:
        members = [str(repo.name) for repo in among if group in repo.groups]
        if not members:
            raise _no_group(manifest, group, among, what)
        found += members
    return tuple(dict.fromkeys(found))


def of_groups(manifest: Manifest, groups: Sequence[str]) -> Manifest:
    """Return the family of the source and of what a release tags in some groups; all of it where none is named."""
    others = [repo for repo in manifest.released if repo is not manifest.source]
    return manifest.narrowed(select(manifest, (), groups, others, "released repo"))


def in_groups(groups: Sequence[str]) -> tuple[str, ...]:
    """Return groups as they are typed."""
    return tuple(f"--group={group}" for group in groups)


def _no_group(manifest: Manifest, group: str, among: Sequence[Repo], what: str) -> UsageError:
    every, usable = (
        list(dict.fromkeys(str(name) for repo in repos for name in repo.groups)) for repos in (manifest.repos, among)
    )
    if group in every:
        said = f"No {what} of {manifest.origin} is in the group {quoted(group)}."
    else:
        said = f"{manifest.origin} has no group {quoted(group)}{nearest(group, every)}"
    there = f"The groups are: {few(usable)}." if usable else 'Give entries one: groups = ["eu"]'
    return UsageError(said, hint=there)
