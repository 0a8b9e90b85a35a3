"""The family as its manifest is written in life: a source on GitHub and a Space on the Hub, both in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.family import MAPS, NEVER, OWNED, Family
from tests.support.repositories import MINUTE, Bare, Person
from tests.support.sealed import EMAIL, NAME
from tests.support.writing import write_commit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli

SOURCE = "louischua/openllm"
SPACE = "lemms/openllm"


@dataclass(slots=True)
class HubFamily(Family):
    """A family whose repos are named as people name them; the environment leads their URLs to the sandbox."""

    @classmethod
    def on(cls, sandbox: Sandbox, folder: Path, run: RunCli, *, private: bool = False) -> HubFamily:
        """Make a source with a first commit that is pushed, and a Space with an app of its own."""
        origin = Bare(sandbox.github.create(SOURCE))
        space = Bare(sandbox.hub.create("space", SPACE, sdk="gradio", private=private))
        made = cls.make(folder, run, origin=origin, space=space)
        assert isinstance(made, cls)
        made.clone.now += MINUTE
        write_commit(space, "Add the app", {"app.py": "print()\n"}, at=made.clone.now, author=Person(NAME, EMAIL))
        return made

    def manifest(
        self,
        *,
        maps: Sequence[tuple[str, str]] = MAPS,
        settings: str = "",
        never: Sequence[str] = NEVER,
        owned: Sequence[str] = OWNED,
        more: str = "",
        project: str = "",
    ) -> None:
        """Write `repos.toml` into the clone's work tree (not committed)."""
        lines = [
            "schema = 1",
            f'[project]\nname = "openllm"\nnever = {list(never)}\n{project}',
            f'[repos.main]\ngithub = "{SOURCE}"\nrole = "source"',
            f'[repos.space]\nspace = "{SPACE}"\nowned = {list(owned)}\n{settings}',
            *(f'[[repos.space.map]]\nfrom = "{source}"\nto = "{to}"' for source, to in maps),
            more,
        ]
        self.clone.write({"repos.toml": "\n".join(lines).replace("'", '"')})
