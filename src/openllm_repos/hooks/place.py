"""Where the hooks of a clone are: the folder that git looks in, and what stands there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.repository import Repository

NAME = "pre-push"
FACTS = "pre-push.openllm-repos"
KEPT = "pre-push.before-openllm-repos"
LEGACY = "pre-push.legacy"  # where pre-commit puts the hook that it found, to run it first
CONFIG_KEY = "hook.openllm-repos"
_MARK = b"# openllm-repos pre-push\n"


class Hook(StrEnum):
    """What a file in a hooks folder is."""

    ABSENT = "absent"
    OURS = "ours"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class HookPlace:
    """The folder that git looks in for the hooks of a clone.

    Attributes:
        folder: absolute.
        clone: what the file of facts calls this clone: ``.`` where the folder is the clone's own.
        configured: `core.hooksPath` as it is written, or an empty string.
        origin: the file that says so.
    """

    folder: Path
    clone: str
    configured: str = ""
    origin: str = ""

    @property
    def slot(self) -> Path:
        """The file that is ours, or would be: ``pre-push``, unless pre-commit has moved us aside and calls us there."""
        legacy = self.folder / LEGACY
        if what_is(self.folder / NAME) is Hook.FOREIGN and what_is(legacy) is Hook.OURS:
            return legacy
        return self.folder / NAME

    @property
    def facts(self) -> Path:
        """What the installed hook reads."""
        return self.folder / FACTS

    @property
    def kept(self) -> Path:
        """The hook that was there before."""
        return self.folder / KEPT


def shipped() -> bytes:
    """Return the hook as this package brings it along."""
    here = Path(__file__).parent
    packed = here / NAME
    # An editable install runs from the tree, where it stands at the top.
    return (packed if packed.is_file() else here.parents[2] / "hooks" / NAME).read_bytes()


def find_place(repository: Repository) -> HookPlace:
    """Return the folder that git itself looks in, `core.hooksPath` and linked work trees considered."""
    person = repository.person()
    folder = Path(person.run("rev-parse", "--path-format=absolute", "--git-path", "hooks", hooks=True).lines()[0])
    asked = ("config", "-z", "--show-origin", "--get", "core.hooksPath")
    origin, _, value = (
        person.run(*asked, ok=(0, 1), hooks=True).stdout.decode("utf-8", "surrogateescape").partition("\0")
    )
    configured = value.removesuffix("\0")
    own = folder == repository.common_dir / "hooks"
    clone = "." if own else str(repository.common_dir)
    return HookPlace(folder, clone, "" if own else configured, origin.removeprefix("file:"))


def config_place(repository: Repository) -> HookPlace:
    """Return the folder of ours that a hook in git's configuration runs from."""
    return HookPlace(repository.state_dir / "hooks", ".")


def knows_config_hooks(repository: Repository) -> bool:
    """Whether this git runs hooks that its configuration names (2.54 and newer)."""
    return repository.git.run("hook", "list", "--", NAME, ok=(0, 1, 128, 129)).code in (0, 1)


def config_command(repository: Repository) -> str:
    """Return the hook of ours that the configuration names; an empty string where it names none."""
    return repository.git.text("config", "--get", f"{CONFIG_KEY}.command", ok=(0, 1))


def what_is(path: Path) -> Hook:
    """Say what a file in a hooks folder is.

    Raises:
        EnvironmentProblem: it is there but cannot be read.
    """
    if not os.path.lexists(path):
        return Hook.ABSENT
    try:
        with path.open("rb") as file:
            return Hook.OURS if file.readline() and file.readline() == _MARK else Hook.FOREIGN
    except (FileNotFoundError, IsADirectoryError):  # a link to nowhere, a folder: not ours
        return Hook.FOREIGN
    except OSError as error:
        raise EnvironmentProblem(
            f"{path} cannot be read: {error.strerror}.", hint="Mend its permissions, then run this again."
        ) from None
