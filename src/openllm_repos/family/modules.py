"""``.gitmodules`` held against the manifest: what it lacks, what it says otherwise, and what should not be in it."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from openllm_repos.git.gitmodules import NAME, Module, Setting
from openllm_repos.hint import command_line
from openllm_repos.manifest.model import DEFAULT_BRANCH, Manifest, Repo
from openllm_repos.names.path import FolderPath, one_in_other
from openllm_repos.names.url import identity_of
from openllm_repos.text import redact

_BY_HAND = f"git log -p -- {NAME}  # who wrote it? Fix it there"
_RELATIVE = ("./", "../")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the submodules are not as the manifest says.

    Attributes:
        repo: the repo's name, or an empty string for a submodule that the manifest does not know.
        path: where the submodule is, or is to be. Foreign text where the manifest does not say it.
        message: what is wrong, to be read after the repo's name or the path.
        settings: what would mend it in ``.gitmodules``; none where that is no matter of a value.
        command: what else mends it, for a person to type; empty where `settings` do.
    """

    repo: str
    path: str
    message: str
    settings: tuple[Setting, ...] = ()
    command: str = ""

    @property
    def said(self) -> str:
        """The sentence, with what it is about."""
        return f"{self.repo or self.path}: {self.message}"

    @property
    def dangerous(self) -> bool:
        """Whether it could mislead a git."""
        return self.command == _BY_HAND


def differences(manifest: Manifest, modules: Sequence[Module], pins: Collection[str]) -> tuple[Difference, ...]:
    """Hold ``.gitmodules`` against the manifest. Submodules that no repo of the manifest is are the person's own.

    Args:
        manifest: what should be.
        modules: what stands in ``.gitmodules``.
        pins: the paths at which the source has a submodule, those of the manifest at least.
    """
    return (
        *(one for repo, path in manifest.pinned for one in _of_repo(manifest, repo, path, modules, pins)),
        *_others(manifest, modules, pins),
    )


def settings_for(
    manifest: Manifest, repo: Repo, path: FolderPath, modules: Sequence[Module], beside: Sequence[Module] = ()
) -> tuple[Setting, ...]:
    """Return what ``.gitmodules`` lacks, or says otherwise, of one repo.

    Args:
        manifest: what should be.
        repo: the repo.
        path: where it is pinned.
        modules: the sections of the file.
        beside: those of its other version, in the index or the work tree; a section is called the same in both.
    """
    mine = next((module for module in modules if module.path == path), None)
    if mine is None:
        name = _section_name(repo, path, modules, beside)
        wanted = {"path": path, "url": repo.url, "branch": repo.branch}
        return tuple(Setting(name, key, value) for key, value in wanted.items())
    settings = []
    if _identity(manifest, mine) != repo.url.identity:
        settings.append(Setting(mine.name, "url", repo.url))
    if followed(mine, manifest.source.branch) != repo.branch:
        settings.append(Setting(mine.name, "branch", repo.branch))
    return tuple(settings)


def elsewhere(manifest: Manifest, repo: Repo, modules: Sequence[Module]) -> list[Module]:
    """Return the sections that have a repo at a path where the manifest pins nothing."""
    known = {path for _, path in manifest.pinned}
    return [
        module
        for module in modules
        if module.path not in known and not module.faults and _identity(manifest, module) == repo.url.identity
    ]


def _identity(manifest: Manifest, module: Module) -> str | None:
    return identity_of(resolved(manifest.source.url, module.url))


def _move(old: str, new: str) -> str:
    folder = new.rpartition("/")[0]
    made = f"{command_line('mkdir', '-p', folder)}\n" if folder else ""
    return made + command_line("git", "mv", "--", old, new)


def _section_name(repo: Repo, path: FolderPath, modules: Sequence[Module], beside: Sequence[Module]) -> str:
    """Return a name for a new section.

    git keeps a submodule's objects in a folder of that name, and refuses one that lies in the folder of another.
    """
    taken = {module.name for module in (*modules, *beside) if module.path != path}
    called = (module.name for module in beside if module.path == path and not module.faults)
    numbered = (f"{repo.name}-{number}" for number in itertools.count(2))
    names = itertools.chain(called, (path, repo.name), numbered)
    return next(name for name in names if not any(one_in_other(name, other) for other in taken))


def followed(module: Module, source: str) -> str:
    """Return the branch that a submodule follows. A dot is the one of that name as the source's own."""
    return source if module.branch == "." else module.branch or DEFAULT_BRANCH


def resolved(base: str, url: str) -> str:
    """Return the URL of a submodule; one that begins with ``./`` or ``../`` is meant from `base`, the source's own."""
    place, between = base.rstrip("/"), "/"
    if not url.startswith(_RELATIVE):
        return url
    while url.startswith(_RELATIVE):
        step, _, url = url.partition("/")
        if step == "..":
            between = "/" if "/" in place else ":"  # above the owner of git@host:owner/repo there is the host
            place = place.rpartition(between)[0]
    return f"{place}{between}{url}"


def _of_repo(
    manifest: Manifest, repo: Repo, path: FolderPath, modules: Sequence[Module], pins: Collection[str]
) -> Iterator[Difference]:
    if path not in pins:
        there = elsewhere(manifest, repo, modules)
        if there:
            message = f"is a submodule at {there[0].path}, where the manifest says {path}"
            yield Difference(repo.name, path, message, command=_move(there[0].path, path))
            return
        message = f"is not pinned: the source has no submodule at {path}"
        yield Difference(repo.name, path, message, command=f"openllm-repos pin {repo.name}")
        return
    mine = [module for module in modules if module.path == path]
    if not mine:
        settings = settings_for(manifest, repo, path, modules)
        yield Difference(repo.name, path, f"has no section in {NAME} for {path}", settings)
    for setting in settings_for(manifest, repo, path, modules) if mine else ():
        found = redact(getattr(mine[0], setting.key)) or f"no {setting.key}"
        message = f"{NAME} says {found} for {path}, the manifest says {setting.value}"
        yield Difference(repo.name, path, message, (setting,))
    if len(mine) > 1:
        message = f"{NAME} has {len(mine)} sections for {path}; which one counts depends on the git"
        yield Difference(repo.name, path, message, command=_BY_HAND)


def _others(manifest: Manifest, modules: Sequence[Module], pins: Collection[str]) -> Iterator[Difference]:
    """Say what should not be there: repos of the manifest at places that it does not say, and what misleads a git."""
    by_identity = {repo.url.identity: repo for repo in manifest.repos if repo is not manifest.source}
    known = {path for _, path in manifest.pinned}
    for module in modules:
        for fault in module.faults:
            yield Difference("", module.path or module.name, f"{fault}, in {NAME}", command=_BY_HAND)
        repo = by_identity.get(_identity(manifest, module) or "")
        if repo is None or module.path in known or module.faults:
            continue
        if repo.submodule is None:
            command = repo.how_to_set("submodule", module.path)
            message = f"is a submodule at {module.path}, which the manifest does not say"
        elif repo.submodule not in pins:
            continue  # it is to be moved, which is said of the repo itself
        else:
            command = command_line("git", "rm", "--", module.path)
            message = f"is a submodule at {module.path} as well, where the manifest does not say it"
        yield Difference(repo.name, module.path, message, command=command)
