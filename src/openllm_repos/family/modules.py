"""``.gitmodules`` held against the manifest: what it lacks, what it says otherwise, and what should not be in it."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from openllm_repos.git.gitmodules import NAME, Module, Setting
from openllm_repos.manifest.model import DEFAULT_BRANCH, Manifest, Repo
from openllm_repos.names.path import FolderPath
from openllm_repos.names.url import identity_of
from openllm_repos.text import redact

_BY_HAND = f"git log -p -- {NAME}   says who wrote it; mend it there"
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
        *_others(manifest, modules),
    )


def settings_for(manifest: Manifest, repo: Repo, path: FolderPath, modules: Sequence[Module]) -> tuple[Setting, ...]:
    """Return what ``.gitmodules`` lacks, or says otherwise, of one repo."""
    mine = next((module for module in modules if module.path == path), None)
    if mine is None:
        taken = {module.name for module in modules}
        name = next(name for name in (path, repo.name, f"{repo.name}-{len(taken)}") if name not in taken)
        wanted = {"path": path, "url": repo.url, "branch": repo.branch}
        return tuple(Setting(name, key, value) for key, value in wanted.items())
    settings = []
    if identity_of(resolved(manifest.source.url, mine.url)) != repo.url.identity:
        settings.append(Setting(mine.name, "url", repo.url))
    if (mine.branch or DEFAULT_BRANCH) != repo.branch:
        settings.append(Setting(mine.name, "branch", repo.branch))
    return tuple(settings)


def resolved(base: str, url: str) -> str:
    """Return the URL of a submodule; one that begins with ``./`` or ``../`` is meant from `base`, the source's own."""
    place = base.rstrip("/")
    if not url.startswith(_RELATIVE):
        return url
    while url.startswith(_RELATIVE):
        step, _, url = url.partition("/")
        place = place.rpartition("/")[0] if step == ".." else place
    return f"{place}/{url}"


def _of_repo(
    manifest: Manifest, repo: Repo, path: FolderPath, modules: Sequence[Module], pins: Collection[str]
) -> Iterator[Difference]:
    if path not in pins:
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


def _others(manifest: Manifest, modules: Sequence[Module]) -> Iterator[Difference]:
    """Say what should not be there: repos of the manifest at places that it does not say, and what misleads a git."""
    by_identity = {repo.url.identity: repo for repo in manifest.repos if repo is not manifest.source}
    known = {path for _, path in manifest.pinned}
    for module in modules:
        for fault in module.faults:
            yield Difference("", module.path or module.name, f"{fault}, in {NAME}", command=_BY_HAND)
        repo = by_identity.get(identity_of(resolved(manifest.source.url, module.url)) or "")
        if repo is None or module.path in known or module.faults:
            continue
        if repo.submodule is None:
            command = f"openllm-repos manifest set repos.{repo.name}.submodule {shlex.quote(module.path)}"
            message = f"is a submodule at {module.path}, which the manifest does not say"
        else:
            command = f"git rm -- {shlex.quote(module.path)}"
            message = f"is a submodule at {module.path} as well, where the manifest does not say it"
        yield Difference(repo.name, module.path, message, command=command)
