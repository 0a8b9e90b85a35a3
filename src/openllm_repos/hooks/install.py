"""Putting the hook into a clone beside what is there, and taking it out again without a trace."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from openllm_repos import __version__
from openllm_repos.errors import ConflictError, EnvironmentProblem, UsageError
from openllm_repos.files import atomic_write, remedy
from openllm_repos.git.repository import Repository
from openllm_repos.hooks.destination import Addresses
from openllm_repos.hooks.place import (
    CONFIG_KEY,
    HookPlace,
    config_command,
    config_place,
    find_place,
    knows_config_hooks,
    same_content,
    shipped,
)
from openllm_repos.hooks.tools import NAME, RUN_LEGACY, Tool, advice, find_caller, tool_of
from openllm_repos.hooks.watch import Watch, facts_of
from openllm_repos.manifest.model import Manifest


@dataclass(frozen=True, slots=True)
class Installed:
    """What an installation, or its end, came to.

    Attributes:
        path: the hook.
        changed: whether anything was written or removed.
        kept: the hook that was there before and still runs, or None.
    """

    path: Path
    changed: bool
    kept: Path | None = None


def install(manifest: Manifest, repository: Repository, *, hooks_path: bool = False, config: bool = False) -> Installed:
    """Install the hook, or bring it up to date. What is there already stays and runs too.

    Args:
        manifest: the family.
        repository: the clone of the source.
        hooks_path: whether to write into the folder that `core.hooksPath` names.
        config: whether to name the hook in git's configuration instead of writing into a hooks folder.

    Raises:
        UsageError: `core.hooksPath` is set, and nothing says what to do about it; a hook manager has to call the gate
            itself; or git knows no hooks in its configuration.
        ConflictError: another tool has replaced the hook since; which of the two is to run is not ours to say.
        EnvironmentProblem: the folder cannot be written.
    """
    python = sys.executable
    if not python or "\n" in python:
        raise EnvironmentProblem("This Python does not know its own path, so a hook could not start it.")
    if config:
        return _install_in_config(manifest, repository, python)
    place = find_place(repository)
    if not hooks_path:
        if caller := find_caller(place.hook, repository.top):
            return Installed(caller.path, changed=False)
        if told := advice(place.hook, repository.top):
            raise UsageError(told[0], hint=told[1])
        if place.configured:
            raise UsageError(
                f"core.hooksPath is {place.configured!r} (in {place.origin}): git looks for hooks in {place.folder}"
                " alone.",
                hint="openllm-repos hooks install --hooks-path  # puts it there, beside what is there",
            )
    with _writing(place):
        return _install_in(place, manifest, repository, python)


def _install_in(place: HookPlace, manifest: Manifest, repository: Repository, python: str) -> Installed:
    """Write facts first, then the hook: at no moment is there none where there was one."""
    made = not place.folder.exists()
    place.folder.mkdir(parents=True, exist_ok=True)
    mended = _straighten(place)
    slot = place.slot
    if tool_of(slot) not in {None, Tool.OURS}:
        _keep(slot, place.kept)
    before = read_watch(place)
    sections = dict(before.sections) | {place.clone: facts_of(manifest, Addresses.read(repository))}
    watch = Watch(python, __version__, before.made_folder or made, sections)
    changed = _write(place.facts, watch.text().encode("utf-8", "surrogateescape"), 0o644) or mended
    changed |= _write(slot, shipped(), 0o755)
    for moved in place.ours():
        if moved != slot:
            moved.unlink()
    return Installed(slot, changed, place.kept if os.path.lexists(place.kept) else None)


def _straighten(place: HookPlace) -> bool:
    """Let no two hooks run each other: one that runs what it has moved aside stands before ours, never behind it."""
    if place.circular:
        place.kept.unlink()
        return True
    if tool_of(place.hook) is Tool.OURS and tool_of(place.kept) in RUN_LEGACY:
        os.replace(place.kept, place.hook)
        return True
    return False


def _keep(slot: Path, kept: Path) -> None:
    """Give the hook that is there a second name, under which ours calls it.

    Raises:
        ConflictError: that name is taken by yet another hook.
    """
    if same_content(slot, kept):
        kept.unlink()  # that tool has written its hook anew
    if os.path.lexists(kept) and not os.path.samestat(os.lstat(slot), os.lstat(kept)):
        raise ConflictError(
            f"Another tool has replaced {slot}, and {kept.name} beside it holds the hook from before.",
            hint=f"Delete the one that is not wanted any more ({kept} or {slot}), and install again.",
        )
    if not os.path.lexists(kept):
        try:
            os.link(slot, kept, follow_symlinks=False)
        except OSError:  # a file system without hard links
            os.replace(slot, kept)


def _install_in_config(manifest: Manifest, repository: Repository, python: str) -> Installed:
    if not knows_config_hooks(repository):
        raise UsageError(
            "This git runs no hooks from its configuration; git 2.54 and newer do.", hint="Leave --config out."
        )
    place = config_place(repository)
    with _writing(place):
        done = _install_in(place, manifest, repository, python)
    command = shlex.quote(str(place.folder / NAME))
    if config_command(repository) == command:
        return done
    repository.git.run("config", "--local", "--replace-all", f"{CONFIG_KEY}.command", command)
    repository.git.run("config", "--local", "--replace-all", f"{CONFIG_KEY}.event", NAME)
    return replace(done, changed=True)


def uninstall(repository: Repository) -> Installed:
    """Take the hook out, and put back what was there: the same bytes, the same mode, the same link.

    Raises:
        EnvironmentProblem: the folder cannot be written.
    """
    changed = False
    if config_command(repository):
        repository.git.run("config", "--local", "--remove-section", CONFIG_KEY)
        changed = True
    places = [config_place(repository), find_place(repository)]
    own = HookPlace(repository.common_dir / "hooks", ".")  # core.hooksPath may have been set since
    places += [own] if own.folder != places[1].folder else []
    for place in places:
        with _writing(place):
            changed |= _uninstall_from(place)
    return Installed(places[1].folder / NAME, changed)


def _uninstall_from(place: HookPlace) -> bool:
    """Take every copy of ours out, so that no other tool brings one back; the hook from before takes its place."""
    ours = place.ours()
    if not ours:
        if same_content(place.slot, place.kept):
            place.kept.unlink()
        return not os.path.lexists(place.kept) and _forget(place)
    watch = read_watch(place)
    others = {clone: facts for clone, facts in watch.sections.items() if clone != place.clone}
    if others:
        return _write(place.facts, replace(watch, sections=others).text().encode("utf-8", "surrogateescape"), 0o644)
    _straighten(place)
    ours = place.ours()
    if ours and os.path.lexists(place.kept):
        os.replace(place.kept, place.slot if place.slot in ours else ours[0])
    for path in place.ours():
        path.unlink()
    _forget(place)
    if watch.made_folder:
        with contextlib.suppress(OSError):  # others have put something there meanwhile
            place.folder.rmdir()
    return True


def _forget(place: HookPlace) -> bool:
    there = os.path.lexists(place.facts)
    if there:
        place.facts.unlink()
    return there


def read_watch(place: HookPlace) -> Watch:
    """Return what stands in the file of facts; an empty one where there is none."""
    try:
        return Watch.parse(place.facts.read_text(encoding="utf-8", errors="surrogateescape"))
    except (FileNotFoundError, NotADirectoryError):
        return Watch("", "")


def _write(path: Path, content: bytes, mode: int) -> bool:
    """Put a file in place whole, never through a link; returns whether it was another one before."""
    wanted = os.X_OK if mode & 0o111 else os.R_OK
    if path.is_file() and not path.is_symlink() and os.access(path, wanted) and path.read_bytes() == content:
        return False
    atomic_write(path, content, mode=mode)
    return True


@contextlib.contextmanager
def _writing(place: HookPlace) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentProblem(
            f"The hooks in {place.folder} cannot be changed: {error.strerror}.",
            hint=remedy(error, place.folder),
        ) from None
