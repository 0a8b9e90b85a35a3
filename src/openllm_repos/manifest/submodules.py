"""Where the source pins other repos: each at a path of its own, which nothing else of the manifest needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openllm_repos.errors import NameRefused
from openllm_repos.manifest.faults import Faults
from openllm_repos.manifest.model import LockPlace, Project, Repo
from openllm_repos.names.overlap import intersect
from openllm_repos.names.path import FolderPath, one_in_other
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.plain import quoted
from openllm_repos.names.twins import folded

_LOCKS: Final = "manifest/releases"
_MANIFEST: Final = "repos.toml"


def submodule_path(text: str) -> FolderPath:
    """Read the path of a submodule.

    Raises:
        NameRefused: it is no folder below the top of a repository, or git or Windows would misread it.
    """
    path = FolderPath(text)
    if not path:
        raise NameRefused(f"{quoted(text)} is the top of the source; name a folder, such as models/small-extended-8k")
    return path


def check_submodules(faults: Faults, repos: Sequence[Repo], project: Project) -> None:
    """No path of a submodule is, holds, or lies in, that of another, a file that this tool needs, or what a map takes.

    Paths that differ in case only are one folder on macOS and Windows.
    """
    pinned = [(repo, repo.submodule) for repo in repos if repo.submodule is not None]
    for at, (repo, path) in enumerate(pinned):
        for why in (*_other(path, pinned[:at]), *_needed(path, project), *_carried(path, repos)):
            faults.add((*repo.place, "submodule"), why)


def _other(path: FolderPath, before: Sequence[tuple[Repo, FolderPath]]) -> Iterator[str]:
    for other, taken in before:
        if folded(path) == folded(taken):
            yield f"is the path of {quoted(other.name)} as well; each submodule has a path of its own"
        elif one_in_other(path, taken):
            yield f"and that of {quoted(other.name)} lie one in the other; take paths beside each other"


def _needed(path: FolderPath, project: Project) -> Iterator[str]:
    files = [(str(place.path), "where the version stands") for place in project.version]
    files.append((_MANIFEST, "which is the manifest"))
    if project.lock is LockPlace.COMMIT:
        files.append((_LOCKS, "where releases write their locks"))
    for file, what in files:
        if one_in_other(path, file):
            yield f"is in the way of {quoted(file)}, {what}; take another path"


def _carried(path: FolderPath, repos: Sequence[Repo]) -> Iterator[str]:
    """A sync or a publish would be refused, or find nothing: a submodule is no part of what is carried elsewhere."""
    itself = Pattern.parse(path)
    for target in repos:
        mapped = [("a map", entry.source) for entry in target.maps]
        for what, pattern in (*mapped, *(("publish", entry.place.source) for entry in target.publish)):
            inside = f"{pattern.base}/".startswith(f"{path}/")
            if inside or intersect(itself, pattern):
                yield (
                    f"is what {what} of {quoted(target.name)} ({quoted(pattern.text)}) takes or looks into, and a"
                    " submodule cannot be carried; take another path or a narrower pattern"
                )
