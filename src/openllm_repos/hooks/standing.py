"""How the hook of a clone stands: there or not, up to date, and whether git would run it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from openllm_repos import __version__
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.hooks.destination import Addresses
from openllm_repos.hooks.install import read_watch
from openllm_repos.hooks.place import (
    HookPlace,
    config_command,
    config_place,
    find_place,
    knows_config_hooks,
    shipped,
)
from openllm_repos.hooks.tools import Caller, Tool, advice, find_caller, tool_of
from openllm_repos.hooks.watch import Watch, facts_of
from openllm_repos.manifest.model import Manifest

_INSTALL = "openllm-repos hooks install"
_SNIPPET = "openllm-repos hooks snippet  # prints the script"


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
        way: how git comes to it: ``file``, ``config``, or the tool whose hook calls it.
        hooks_path: `core.hooksPath`, or an empty string.
        version: the openllm-repos that installed it.
        python: the interpreter that it calls; an empty string where the person's own files call the gate.
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
    caller = find_caller(place.hook, repository.top)
    if command:
        place = config_place(repository)
    slot = place.slot
    installed = tool_of(slot) is Tool.OURS
    if caller and not installed:
        return _called(place, caller)
    watch = read_watch(place)
    faults = _faults(manifest, repository, place, watch) if installed else _absent(repository, place)
    way = "config" if command else "file" if slot == place.hook else str(tool_of(place.hook))
    return Standing(
        slot,
        installed,
        way,
        place.configured,
        watch.version,
        watch.python,
        _kept(place) if installed else None,
        (*faults, *_doubled(repository, command, caller)),
    )


def displaced(repository: Repository) -> Fault | None:
    """Return why git does not run the hook that was installed into this clone; None where it does, or was not."""
    own = HookPlace(repository.common_dir / "hooks", ".")
    if not os.path.lexists(own.facts) or config_command(repository):
        return None
    place = find_place(repository)
    if tool_of(place.slot) is Tool.OURS or find_caller(place.hook, repository.top):
        return None
    return next(_absent(repository, place))


def _called(place: HookPlace, caller: Caller) -> Standing:
    """The gate is called from a file of the person's own; nothing of ours is in the hooks folder."""
    faults = (Fault(caller.fault, _SNIPPET, stops=False),) if caller.fault else ()
    return Standing(caller.path, True, str(caller.tool), place.configured, __version__, "", None, faults)


def _faults(manifest: Manifest, repository: Repository, place: HookPlace, watch: Watch) -> Iterator[Fault]:
    slot = place.slot
    install = f"{_INSTALL} --hooks-path" if place.configured else _INSTALL
    if place.circular:
        found = tool_of(place.hook)
        tool = "another hook" if found is Tool.OTHER else found
        yield Fault(f"{tool} runs this hook, and this hook runs {tool}: every push fails.", install, stops=True)
    if not os.access(slot, os.X_OK):
        yield Fault(f"git leaves out {slot}: it may not be executed.", command_line("chmod", "+x", slot), stops=True)
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
    own = HookPlace(repository.common_dir / "hooks", ".")
    moved = next((path for path in place.ours() if path != place.slot), None)
    install = f"{_INSTALL} --hooks-path" if place.configured else _INSTALL
    if told := advice(place.hook, repository.top):
        message, install = told
        yield Fault(f"{message} It has moved ours to {moved.name}." if moved else message, install, stops=True)
    elif place.configured and tool_of(own.hook) is Tool.OURS:
        yield Fault(
            f"core.hooksPath is {place.configured!r} (in {place.origin}), so git does not look at {own.hook}.",
            install,
            stops=True,
        )
    elif moved or (tool_of(place.hook) is not None and os.path.lexists(place.facts)):
        where = f", and moved ours to {moved.name}" if moved else ""
        yield Fault(f"Another tool has replaced {place.hook}{where}.", install, stops=True)
    else:
        yield Fault("It is not installed.", install, stops=True)


def _doubled(repository: Repository, command: str, caller: Caller | None) -> Iterator[Fault]:
    """What is wrong with a hook in git's configuration, or with two ways at once."""
    if command and not knows_config_hooks(repository):
        yield Fault("This git runs no hooks from its configuration; git 2.54 and newer do.", _INSTALL, stops=True)
    ways = ["git's configuration"] if command else []
    ways += ["the hooks folder"] if tool_of(find_place(repository).slot) is Tool.OURS else []
    ways += [str(caller.path)] if caller else []
    if len(ways) > 1:
        yield Fault(
            f"It is installed twice, in {' and in '.join(ways)}, and runs twice.",
            "openllm-repos hooks uninstall  # then install it one way",
            stops=False,
        )


def _kept(place: HookPlace) -> Kept | None:
    tool = tool_of(place.kept)
    if tool is None:
        return None
    return Kept(place.kept, "" if tool is Tool.OTHER else str(tool), os.access(place.kept, os.X_OK))
