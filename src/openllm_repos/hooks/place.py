"""Where the hooks of a clone are: the folder that git looks in, and which file in it is ours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from openllm_repos.git.repository import Repository
from openllm_repos.hooks.tools import NAME, RUN_LEGACY, Tool, tool_of

FACTS = "pre-push.openllm-repos"
KEPT = "pre-push.before-openllm-repos"
LEGACY = "pre-push.legacy"
CONFIG_KEY = "hook.openllm-repos"


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
    def hook(self) -> Path:
        """The file that git runs."""
        return self.folder / NAME

    @property
    def slot(self) -> Path:
        """The file that is ours, or would be: what git runs, or what the hook there runs first.

        A tool that moves others aside and runs them keeps its place: moved back, ours would run it, and it ours.
        """
        tool = tool_of(self.hook)
        if tool in RUN_LEGACY:
            return self.folder / LEGACY
        if tool is None or tool is Tool.OURS:
            return self.hook
        return next((path for path in self.ours() if _names(self.hook, path)), self.hook)

    @property
    def facts(self) -> Path:
        """What the installed hook reads."""
        return self.folder / FACTS

    @property
    def kept(self) -> Path:
        """The hook that was there before, which ours runs."""
        return self.folder / KEPT

    @property
    def circular(self) -> bool:
        """Whether the hook that ours runs is of the tool that runs ours."""
        if self.slot == self.hook:
            return False
        tool = tool_of(self.kept)
        if tool is Tool.OTHER:
            return same_content(self.hook, self.kept) or _names(self.kept, self.slot)
        return tool is tool_of(self.hook)

    def ours(self) -> tuple[Path, ...]:
        """Return every hook of ours in the folder, whatever name another tool has given it."""
        return tuple(path for path in sorted(self.folder.glob(f"{NAME}*")) if tool_of(path) is Tool.OURS)


def _names(hook: Path, moved: Path) -> bool:
    """Whether the text of a hook names what another was moved to, such as ``.old``: then it runs that."""
    return hook.is_file() and moved.name.removeprefix(NAME).encode() in hook.read_bytes()


def same_content(one: Path, other: Path) -> bool:
    """Whether two names stand for files of the same content, which are not one file."""
    try:
        return not one.samefile(other) and one.read_bytes() == other.read_bytes()
    except OSError:  # one is not there, or a link to nowhere
        return False


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
