"""The command `pin`: what each pin is to be, and writing it down. Nothing behind a pin is fetched."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from openllm_repos.errors import ReposError, UsageError
from openllm_repos.family.modules import elsewhere, settings_for
from openllm_repos.family.pins import SAME, Distance, how_far
from openllm_repos.family.remotes import DEADLINE, RemoteState, ask
from openllm_repos.git.gitlinks import checked_out
from openllm_repos.git.gitmodules import Setting, kept_clone, remembered_urls
from openllm_repos.git.process import DeadlineExceeded, GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.hub.client import HubClient
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.path import FolderPath
from openllm_repos.names.url import identity_of
from openllm_repos.submodules.desk import Held, is_checked_out, look, require_free, write


@dataclass(frozen=True, slots=True)
class PinStep:
    """What is to happen to one pin, or did.

    Attributes:
        repo: the repo that is pinned.
        path: where.
        old: the commit that the index pins, None where it pins none.
        new: the commit that it is to pin; None where that cannot be, and `problem` says why.
        tip: the tip of the repo's branch, None where it is not known.
        distance: how far `new` is from that tip.
        section: whether ``.gitmodules`` is to be changed for it.
        problem: why it cannot be pinned.
        notes: what a person should know besides.
    """

    repo: Repo
    path: FolderPath
    old: ObjectId | None
    new: ObjectId | None
    tip: ObjectId | None = None
    distance: Distance = SAME
    section: bool = False
    problem: ReposError | None = None
    notes: tuple[str, ...] = ()

    @property
    def moves(self) -> bool:
        """Whether the pin is to change."""
        return self.new is not None and self.new != self.old

    @property
    def changes(self) -> bool:
        """Whether anything is to change."""
        return self.moves or (self.new is not None and self.section)


def _say_where(repo: Repo | None) -> str:
    if repo is None:
        return "Add a repo with 'openllm-repos manifest add', and say with submodule where it is pinned."
    return repo.how_to_set("submodule", f"models/{repo.name}", remark="says where")


def chosen(manifest: Manifest, names: Sequence[str]) -> tuple[tuple[Repo, FolderPath], ...]:
    """Return the repos that are to be pinned: those named, or all that have a submodule.

    Raises:
        UsageError: there is none, or one that is named has no place for its pin.
    """
    if not names:
        if not manifest.pinned:
            others = [repo for repo in manifest.repos if repo is not manifest.source]
            example = min(others, key=lambda repo: bool(repo.maps)) if others else None  # rather a model
            raise UsageError(f"{manifest.origin} pins no repo.", hint=_say_where(example))
        return manifest.pinned
    found = []
    for repo in (manifest.repo(name) for name in dict.fromkeys(names)):
        if repo is manifest.source:
            raise UsageError(
                f"{repo.name} is the source: it pins the others.",
                hint="openllm-repos manifest show  # shows which repos have a submodule",
            )
        if repo.submodule is None:
            raise UsageError(
                f"{manifest.origin} does not say where {repo.name} is pinned.",
                hint=_say_where(repo),
            )
        found.append((repo, repo.submodule))
    return tuple(found)


def plan_pins(
    manifest: Manifest,
    repository: Repository,
    names: Sequence[str] = (),
    to: str | None = None,
    *,
    hub: HubClient | None = None,
    deadline: float = DEADLINE,
) -> tuple[PinStep, ...]:
    """Say what pins would become. Nothing is changed, and nothing fetched into the clone.

    Args:
        manifest: what should be.
        repository: the clone of the source.
        names: the repos; none is all that have a submodule.
        to: a tag, a branch or a commit of each; None is the branch of the manifest.
        hub: is asked how far a commit of one of its repos is from the tip; None leaves that to git.
        deadline: seconds for each answer.

    Raises:
        UsageError: a repo has no submodule, or the clone is bare.
        ConflictError: ``.gitmodules`` cannot be read.
    """
    repos = chosen(manifest, names)
    held = look(repository, [path for _, path in repos])
    states = ask(repository, [repo for repo, _ in repos], deadline=deadline)
    planning = _Planning(manifest, repository, held, to, hub, deadline)
    return tuple(planning.step(states[repo.name], path) for repo, path in repos)


@dataclass(frozen=True, slots=True)
class _Planning:
    manifest: Manifest
    repository: Repository
    held: Held
    to: str | None
    hub: HubClient | None
    deadline: float

    def step(self, remote: RemoteState, path: FolderPath) -> PinStep:
        """Plan one pin; what stands against it is an answer too."""
        from openllm_repos.submodules.wanted import wanted_commit

        repo, tip, held = remote.repo, remote.tip, self.held
        step = PinStep(repo, path, held.pins.get(path), None, tip)
        try:
            new = wanted_commit(self.repository, remote, self.to)
            require_free(held, repo, path)
        except ReposError as why:
            return replace(step, problem=why)
        far, url = SAME, remote.endpoint.url
        if tip is not None and tip != new:
            far = how_far(self.repository, repo, url, tip=tip, pin=new, deadline=self.deadline, hub=self.hub)
        settings = settings_for(self.manifest, repo, path, held.modules, held.staged_modules)
        section = bool(settings or settings_for(self.manifest, repo, path, held.staged_modules, held.modules))
        notes = (*self._about_url(step, settings), *self._notes(step, new, far))
        return replace(step, new=new, distance=far, section=section, notes=notes)

    def _about_url(self, step: PinStep, settings: Sequence[Setting]) -> Iterator[str]:
        """Say where git would go on with a clone of what was there before."""
        keys = {one.key for one in settings}
        sync = command_line("git", "submodule", "sync", "--", step.path)
        if "path" in keys:
            urls = remembered_urls(self.repository, settings[0].name)
            cloned, told = (url if url and identity_of(url) != step.repo.url.identity else "" for url in urls)
            if cloned:
                place = os.path.relpath(kept_clone(self.repository, settings[0].name), self.repository.top)
                aside = command_line("mv", place, f"{place}.old", remark="out of the way")
                yield f"git keeps a clone of {cloned} for that place and would go on with it\n{aside}\n{sync}"
            elif told:
                yield f"git has {told} in mind for that place\n{sync}"
        elif "url" in keys:
            yield f".gitmodules gets its new url\n{sync}  # in clones that know the old one"

    def _notes(self, step: PinStep, new: ObjectId, far: Distance) -> tuple[str, ...]:
        """Say what a person should know besides."""
        notes = []
        sides = self.held.sides(step.path)
        if sides:
            notes.append(f"this settles a conflict of {' and '.join(side[:10] for side in sides)}")
        if step.old is None:
            for module in elsewhere(self.manifest, step.repo, self.held.modules):
                only = command_line("git", "rm", "--", module.path, remark="to have it here alone")
                notes.append(f"it is a submodule at {module.path} as well\n{only}")
        if far.on_branch is False:
            notes.append(
                f"{new[:10]} is not in the history of its branch {step.repo.branch}; make sure that it is meant: a host"
                " may give out commits of forks, too"
            )
        if is_checked_out(self.repository, step.path):
            notes += _about_checkout(self.repository, step, new)
        return tuple(notes)


def _about_checkout(repository: Repository, step: PinStep, new: ObjectId) -> list[str]:
    """Say what is checked out there, and that it stays so."""
    try:
        head, changed = checked_out(repository, step.path)
    except (GitFailed, DeadlineExceeded) as why:
        return [f"what is checked out in {step.path} cannot be looked at: {why.message}"]
    if changed:
        files = "1 file" if changed == 1 else f"{changed} files"
        return [f"{step.path} is checked out, with {files} changed or new: all of it stays as it is"]
    if head is None or head == new:
        return []
    unlike = f"'git add' and 'git commit -a' would pin {head[:10]} instead, which is checked out there"
    if head != step.old:
        said = f"{step.path} is checked out at {head[:10]}, which is not the commit pinned so far: it stays there"
    else:
        how = command_line("git", "submodule", "update", "--", step.path, remark="moves it too")
        said = f"{step.path} is checked out and stays as it is\n{how}"
    return [said, unlike]


def apply_pins(manifest: Manifest, repository: Repository, steps: Sequence[PinStep]) -> bool:
    """Write the pins that were planned into the index, and what they need into ``.gitmodules``.

    Returns:
        Whether anything changed.

    Raises:
        ConflictError: something is in the way meanwhile.
        EnvironmentProblem: another run or another git is at work, or something cannot be written.
    """
    due = [step for step in steps if step.new is not None]
    with exclusive(repository, "pin"):
        held = look(repository, [step.path for step in due])
        for step in due:
            require_free(held, step.repo, step.path)
        pins = {str(one.path): one.new for one in due if one.new is not None and held.pins.get(one.path) != one.new}
        return write(repository, manifest, held, [(step.repo, step.path) for step in due], pins)
