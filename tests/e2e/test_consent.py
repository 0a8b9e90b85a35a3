"""Whatever leaves this machine or cannot be undone is agreed to first, by one rule for every command of the table.

Each command is tried where it has something to do. One that is new has to be entered here; one that changes something
and neither asks nor runs in the frame fails.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from openllm_repos.cli import app
from openllm_repos.cli.frame import ChangingCommand
from tests.e2e.test_command_line import every_command
from tests.support.family import Family
from tests.support.fingerprint import listing
from tests.support.hub_family import HubFamily
from tests.support.published import Publishing
from tests.support.releases import Releases
from tests.support.terminal import run_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.repositories import Bare, Clone


@dataclass(frozen=True)
class Scene:
    """Where a command has something to do.

    Attributes:
        clone: the person's clone.
        remotes: everything that is not on this machine.
        also: what else is there, such as the repositories of a Hub.
    """

    clone: Clone
    remotes: Mapping[str, Bare]
    also: Callable[[], object] = lambda: None

    def elsewhere(self) -> object:
        """Return what the remotes hold."""
        return {name: bare.tips() for name, bare in self.remotes.items()}, self.also()

    def everything(self) -> object:
        """Return that, and every byte of the clone."""
        return self.elsewhere(), listing(self.clone.path)

    def persons(self) -> object:
        """Return that, and what of the clone is the person's: not what this tool and git remember of remotes."""
        git = self.clone.git
        refs = [row for row in git("for-each-ref").splitlines() if "\trefs/remotes/" not in row]
        seen = {name: what for name, what in listing(self.clone.path).items() if not name.startswith(".git/")}
        hooks = listing(self.clone.path / ".git/hooks")
        return self.elsewhere(), refs, seen, hooks, git("ls-files", "-s"), git("config", "--local", "--list")


class Scenes:
    """Makes a scene for each command."""

    def __init__(self, folder: Path, run: Any, request: pytest.FixtureRequest) -> None:
        self._folder = folder
        self._run = run
        self._request = request

    @property
    def _sandbox(self) -> Sandbox:
        sandbox: Sandbox = self._request.getfixturevalue("sandbox")
        return sandbox

    def _family(self) -> Family:
        return Family.make(self._folder / "family", self._run)

    @staticmethod
    def _of(family: Family) -> Scene:
        return Scene(family.clone, {"main": family.origin, "space": family.space})

    def new(self) -> Scene:
        """A Space that was never synced."""
        return self._of(self._family())

    def settled(self) -> Scene:
        """A conflict, settled in its work tree."""
        family = self._family()
        family.synced()
        family.edit("Theirs", {"training/train.py": "theirs\n"})
        family.commit("Ours", {"core/src/train.py": "ours\n"})
        opened = family.run("sync", "space", "--resolve", cwd=family.clone.path)
        place = opened.out.partition("is open in ")[2].splitlines()[0]
        (type(self._folder)(place) / "training/train.py").write_text("both\n")
        family.clone.git("-C", place, "add", "training/train.py")
        return self._of(family)

    def synced(self) -> Scene:
        """A Space that was synced, twice."""
        family = self._family()
        family.synced()
        family.commit("More", {"core/src/model.py": "more\n"})
        family.synced()
        return self._of(family)

    def copied(self) -> Scene:
        """A Space that was filled by copying."""
        family = self._family()
        family.edit("Copied", {"training/train.py": "train\n", "configs/small.json": "{}\n"})
        return self._of(family)

    def edited(self) -> Scene:
        """A Space on the Hub with an edit of its own, and a source on GitHub."""
        family = HubFamily.on(self._sandbox, self._folder / "family", self._run)
        family.synced()
        family.edit("Theirs", {"training/train.py": "theirs\n"})
        return self._of(family)

    def artifacts(self) -> Scene:
        """Artifacts that were never published."""
        made = Publishing.on(self._sandbox, self._folder / "family", self._run)
        return Scene(made.family.clone, {"model": made.model, "dataset": made.dataset})

    def versioned(self) -> Scene:
        """A family to be released."""
        made = Releases.make(self._folder / "family", self._run)
        return Scene(made.clone, made.remotes)

    def halted(self) -> Scene:
        """A release that one repo refused."""
        made = Releases.make(self._folder / "family", self._run)
        hook = made.remotes["small-8k"].refuse()
        assert made.release("1.0.0").code == 3
        hook.unlink()
        return Scene(made.clone, made.remotes)

    def fresh(self) -> Scene:
        """A clone without a manifest, and no repository on the Hub yet."""
        family = HubFamily.on(self._sandbox, self._folder / "family", self._run)
        family.clone.git("rm", "-qf", "--ignore-unmatch", "repos.toml")
        (family.clone.path / "repos.toml").unlink(missing_ok=True)
        place = self._sandbox.hub.repo("model", "lemms/new").path
        return Scene(family.clone, {"main": family.origin, "space": family.space}, place.exists)

    def pinned(self) -> Scene:
        """A model that is to be pinned."""
        made = Releases.make(self._folder / "family", self._run)
        made.manifest(model='submodule = "models/small-7k"')
        made.commit("Pin")
        return Scene(made.clone, made.remotes)


ASKS: Mapping[str, tuple[str, str]] = {
    "sync": ("new", "sync"),
    "sync --continue": ("settled", "sync space --continue"),
    "adopt": ("copied", "adopt space"),
    "import": ("edited", "import space --pr"),
    "rollback": ("synced", "rollback space --to HEAD~1"),
    "undo": ("synced", "undo"),
    "publish": ("artifacts", "publish"),
    "release make": ("versioned", "release 1.0.0"),
    "release make --resume": ("halted", "release 1.0.0 --resume"),
    "release abort": ("halted", "release abort 1.0.0"),
    "gc": ("synced", "gc --older-than 0h"),
    "init": ("fresh", "init --space lemms/openllm --model lemms/new --create"),
}
"""What asks: the scene, and the command line."""

STAYS: Mapping[str, tuple[str, str]] = {
    "import": ("edited", "import space"),
    "pin": ("pinned", "pin"),
    "remotes sync": ("new", "remotes sync"),
    "hooks install": ("new", "hooks install"),
    "hooks uninstall": ("new", "hooks uninstall"),
    "ci": ("edited", f"ci --install openllm-repos@git+https://example.org/x@{'a' * 40}"),
}
"""What runs in the frame and asks nothing: it stays in this clone, and is taken back as easily."""

EDITS = {"manifest add", "manifest remove", "manifest set", "version set", "version bump"}
"""What edits files of the work tree as an editor does: git shows it and takes it back."""

ALONE = {"sandbox", "demo"}
"""What needs no family and changes none."""

LOOKS: Mapping[str, tuple[str, str]] = {
    "status": ("new", "status"),
    "graph": ("new", "graph --svg"),
    "diff": ("new", "diff"),
    "split": ("new", "split core/src/"),
    "log": ("synced", "log"),
    "doctor": ("new", "doctor"),
    "targets": ("new", "targets"),
    "remotes": ("new", "remotes"),
    "version": ("versioned", "version"),
    "checkout": ("halted", "checkout v1.0.0"),
    "release list": ("halted", "release list"),
    "release show": ("halted", "release show v1.0.0"),
    "release verify": ("halted", "release verify"),
    "release diff": ("halted", "release diff v1.0.0 v1.0.0"),
    "release notes": ("halted", "release notes v1.0.0"),
    "hooks status": ("new", "hooks status"),
    "hooks run": ("new", "hooks run pre-push origin x"),
    "hooks snippet": ("new", "hooks snippet"),
    "manifest show": ("new", "manifest show"),
    "manifest check": ("new", "manifest check"),
    "manifest schema": ("new", "manifest schema"),
}
"""What changes nothing."""

GROUPS = {"release", "hooks", "manifest"}


@pytest.fixture
def scenes(tmp_path: Path, run_cli: Any, request: pytest.FixtureRequest) -> Scenes:
    return Scenes(tmp_path, run_cli, request)


def commands() -> dict[str, ChangingCommand | Any]:
    """Return every command and subcommand by what a person types."""
    return {" ".join(context.command_path.split()[1:]): context.command for context in every_command()}


def test_every_command_of_the_table_is_tried_here() -> None:
    named = {name.partition(" --")[0] for name in ASKS}
    assert set(commands()) == named | set(STAYS) | EDITS | ALONE | set(LOOKS) | GROUPS
    assert set(app.COMMANDS) == {name.split()[0] for name in commands()}


def test_what_asks_takes_yes_and_what_changes_something_runs_in_the_frame() -> None:
    for name, command in commands().items():
        takes_yes = any("--yes" in option.opts for option in command.params)
        assert takes_yes == (name in {one.partition(" --")[0] for one in ASKS}), name
        framed = isinstance(command, ChangingCommand)
        assert framed == (name in {*ASKS, *STAYS} - {"init"}), name  # init asks as it goes, of the same question


@pytest.mark.parametrize("format_", [(), ("--json",), ("--quiet",)])
@pytest.mark.parametrize("name", ASKS)
def test_where_nobody_can_be_asked_nothing_happens_without_yes(
    scenes: Scenes, run_cli: Any, name: str, format_: tuple[str, ...]
) -> None:
    scene, line = getattr(scenes, ASKS[name][0])(), ASKS[name][1].split()
    if name == "init" and format_ == ("--json",):
        return  # it prints no facts
    before = scene.everything()
    done = run_cli(*line, *format_, cwd=scene.clone.path)
    assert done.code == 2, (done.out, done.err)
    assert "so it takes --yes." in done.err
    assert f"next: openllm-repos {shlex.join((*line, *format_))} --yes\n" in done.err
    if name != "sync --continue":  # what was settled is kept for another time
        assert scene.everything() == before
    assert scene.elsewhere() == before[0]


@pytest.mark.slow
@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("name", ASKS)
def test_who_can_be_asked_is_asked_and_no_is_what_enter_says(scenes: Scenes, name: str, piped: bool) -> None:
    scene, line = getattr(scenes, ASKS[name][0])(), ASKS[name][1].split()
    before = scene.elsewhere()
    done = run_on_terminal(*line, cwd=scene.clone.path, typed=b"\n", piped=piped)
    assert done.code == 1, (done.out, done.err)
    assert "? [y/N]: " in done.err
    assert "? [y/N]: " not in done.out or not piped
    assert scene.elsewhere() == before


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ASKS if name != "init"])
def test_json_is_a_format_and_no_consent(scenes: Scenes, name: str) -> None:
    scene, line = getattr(scenes, ASKS[name][0])(), ASKS[name][1].split()
    before = scene.elsewhere()
    done = run_on_terminal(*line, "--json", cwd=scene.clone.path, typed=b"n\n", piped=True)
    assert done.code == 1, (done.out, done.err)
    assert "? [y/N]: " in done.err
    assert scene.elsewhere() == before


@pytest.mark.parametrize("name", ASKS)
def test_yes_is_consent(scenes: Scenes, run_cli: Any, name: str) -> None:
    scene, line = getattr(scenes, ASKS[name][0])(), ASKS[name][1].split()
    before = scene.everything()
    done = run_cli(*line, "--yes", cwd=scene.clone.path)
    assert done.code == 0, (done.out, done.err)
    assert scene.everything() != before


@pytest.mark.parametrize("name", STAYS)
def test_what_asks_nothing_stays_in_this_clone(scenes: Scenes, run_cli: Any, name: str) -> None:
    scene, line = getattr(scenes, STAYS[name][0])(), STAYS[name][1].split()
    before, kept = scene.elsewhere(), scene.persons()
    dry = run_cli(*line, "--dry-run", cwd=scene.clone.path)
    assert (dry.code, scene.persons()) == (0, kept), (dry.out, dry.err)
    done = run_cli(*line, cwd=scene.clone.path)
    assert (done.code, scene.elsewhere()) == (0, before), (done.out, done.err)


@pytest.mark.parametrize("name", LOOKS)
def test_what_is_not_in_the_frame_changes_nothing(scenes: Scenes, run_cli: Any, name: str) -> None:
    scene, line = getattr(scenes, LOOKS[name][0])(), LOOKS[name][1].split()
    before = scene.persons()
    done = run_cli(*line, cwd=scene.clone.path)
    assert done.code in {0, 1, 2, 3}, (done.out, done.err)
    assert scene.persons() == before
