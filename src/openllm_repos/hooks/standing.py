"""How the hook of a clone stands: there or not, up to date, and whether git would run it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.git.repository import Repository
from openllm_repos.hooks.destination import Addresses
from openllm_repos.hooks.install import read_watch
from openllm_repos.hooks.place import (
    LEGACY,
    NAME,
    Hook,
    HookPlace,
    config_command,
    config_place,
    find_place,
    knows_config_hooks,
    shipped,
    what_is,
)
from openllm_repos.hooks.watch import Watch, facts_of
from openllm_repos.manifest.model import Manifest

_INSTALL = "openllm-repos hooks install"
_TOOLS = (
    ("git-lfs", b"git lfs"),
    ("pre-commit", b"pre-commit"),
    ("husky", b"husky"),
    ("husky", b'"${0%/*}/h"'),  # what husky 9 writes does not name it
    ("husky", b'"$(dirname "$0")/h"'),
    ("lefthook", b"lefthook"),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """The hook that was there before ours.

    Attributes:
        path: where it is now.
        tool: the program that it is of, as far as its text tells; else an empty string.
        runs: whether it can be started; git leaves out a hook that cannot, and so do we.
    """

    path: Path
    tool: str
    runs: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """What keeps the hook from doing its work, or makes it do it on old facts.

    Attributes:
        message: one sentence.
        next: the command to type.
        stops: whether the hook does not run for it.
    """

    message: str
    next: str
    stops: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How the hook stands.

    Attributes:
        path: the hook, or where it would be.
        installed: whether it is there.
        way: how git comes to it: ``file``, ``config``, or ``pre-commit``, which runs it first.
        hooks_path: `core.hooksPath`, or an empty string.
        version: the openllm-repos that installed it.
        python: the interpreter that it calls.
        kept: the hook from before.
        faults: what is wrong.
    """

    path: Path
    installed: bool
    way: str
    hooks_path: str
    version: str
    python: str
    kept: Kept | None
    faults: tuple[Fault, ...]

    @property
    def would_run(self) -> bool:
        """Whether the next push would be judged by it."""
        return self.installed and not any(fault.stops for fault in self.faults)


def standing(manifest: Manifest, repository: Repository) -> Standing:
    """Return how the hook of a clone stands. Nothing is changed.

    Args:
        manifest: the family, which the hook's facts are held against.
        repository: the clone.
    """
    place = find_place(repository)
    command = config_command(repository)
    if command:
        place = config_place(repository)
    slot = place.slot
    watch = read_watch(place)
    installed = what_is(slot) is Hook.OURS
    faults = _faults(manifest, repository, place, watch) if installed else _absent(repository, place)
    way = "config" if command else "pre-commit" if slot.name == LEGACY else "file"
    kept = _kept(place) if installed else None
    return Standing(
        slot,
        installed,
        way,
        place.configured,
        watch.version,
        watch.python,
        kept,
        (*faults, *_doubled(repository, command)),
    )


def _faults(manifest: Manifest, repository: Repository, place: HookPlace, watch: Watch) -> Iterator[Fault]:
    slot = place.slot
    install = f"{_INSTALL} --hooks-path" if place.configured else _INSTALL
    if not os.access(slot, os.X_OK):
        yield Fault(f"git leaves out {slot}: it may not be executed.", f"chmod +x {slot}", stops=True)
    if not watch.sections:
        yield Fault(
            f"The file that says what to look for is gone, so every push is stopped: {place.facts}", install, stops=True
        )
        return
    if not os.access(watch.python, os.X_OK):
        yield Fault(f"The Python that judges is gone: {watch.python}", install, stops=True)
    if slot.read_bytes() != shipped():
        yield Fault("The hook is of another version of openllm-repos.", install, stops=False)
    facts = watch.sections.get(place.clone)
    if facts is None:
        yield Fault("It was installed by other clones, and does not look for what this one has.", install, stops=True)
        return
    wanted = set(facts_of(manifest, Addresses.read(repository)))
    if missing := sorted(wanted - set(facts)):
        yield Fault(
            f"It does not know what {manifest.origin} and the remotes say now: {missing[0]}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""),
            install,
            stops=False,
        )
    elif wanted != set(facts):
        yield Fault(f"It looks for more than {manifest.origin} says now.", install, stops=False)


def _absent(repository: Repository, place: HookPlace) -> Iterator[Fault]:
    here, install = repository.common_dir / "hooks" / NAME, f"{_INSTALL} --hooks-path" if place.configured else _INSTALL
    if place.configured and what_is(here) is Hook.OURS:
        yield Fault(
            f"core.hooksPath is {place.configured!r} (in {place.origin}), so git does not look at {here}.",
            install,
            stops=True,
        )
    elif what_is(place.folder / NAME) is Hook.FOREIGN and os.path.lexists(place.facts):
        yield Fault(f"Another tool has replaced {place.folder / NAME}.", install, stops=True)
    else:
        yield Fault("It is not installed.", install, stops=True)


def _doubled(repository: Repository, command: str) -> Iterator[Fault]:
    """What is wrong with a hook in git's configuration."""
    if not command:
        return
    if not knows_config_hooks(repository):
        yield Fault("This git runs no hooks from its configuration; git 2.54 and newer do.", _INSTALL, stops=True)
    if (
        find_place(repository).slot != config_place(repository).slot
        and what_is(find_place(repository).slot) is Hook.OURS
    ):
        yield Fault(
            "It is installed twice, in git's configuration and in the hooks folder, and runs twice.",
            "openllm-repos hooks uninstall, then install it one way",
            stops=False,
        )


def _kept(place: HookPlace) -> Kept | None:
    if not os.path.lexists(place.kept):
        return None
    try:
        text = place.kept.read_bytes()
    except OSError:  # a link to nowhere
        text = b""
    tool = next((name for name, mark in _TOOLS if mark in text), "")
    return Kept(place.kept, tool, os.access(place.kept, os.X_OK))
