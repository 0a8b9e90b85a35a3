"""A family whose Space is on the sandbox's Hub: pushed over HTTP, judged by the Hub's own hook."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.family import MAPS, NEVER, OWNED, Family
from tests.support.process import REAL_GIT, run_git
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.inprocess import RunCli
    from tests.support.sealed import SealedHome

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4
LFS_LINE = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
_SPACE = "lemms/openllm"


def pointer(data: bytes) -> str:
    """Return the LFS pointer of some content."""
    return (
        "version https://git-lfs.github.com/spec/v1\n"
        f"oid sha256:{hashlib.sha256(data).hexdigest()}\nsize {len(data)}\n"
    )


@dataclass(slots=True)
class Served(Bare):
    """A bare repository of the sandbox, reached by its real URL."""

    address: str = ""

    @property
    def url(self) -> str:
        """The URL that people know it by; git's `insteadOf` leads to the sandbox."""
        return self.address


@dataclass(slots=True)
class HubFamily(Family):
    """A :class:`Family` whose Space is `lemms/openllm` on the sandbox's Hub.

    Attributes:
        sandbox: it.
    """

    sandbox: Any = None

    @classmethod
    def on(cls, sandbox: Any, folder: Path, run: RunCli, home: SealedHome) -> HubFamily:
        """Make the Space (with the Hub's own first commit), a source, and what git needs to log in as the writer."""
        home.set("credential.helper", '!f() { test "$1" = get && echo username=x && echo "password=$HF_TOKEN"; }; f')
        address = f"https://huggingface.co/spaces/{_SPACE}"
        space = Served(Path(sandbox.hub.create("space", _SPACE, sdk="gradio")), address)
        made = Family.make.__func__(cls, folder, run, space=space)  # type: ignore[attr-defined]
        assert isinstance(made, cls)
        made.sandbox = sandbox
        return made

    def manifest(
        self,
        *,
        maps: Sequence[tuple[str, str]] = MAPS,
        settings: str = "",
        never: Sequence[str] = NEVER,
        owned: Sequence[str] = OWNED,
        more: str = "",
    ) -> None:
        """Write `repos.toml` with the Space as people name it."""
        Family.manifest(self, maps=maps, settings=settings, never=never, owned=owned, more=more)
        file = self.clone.path / "repos.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(f'url = "{self.urls["space"]}"', f'space = "{_SPACE}"'), encoding="utf-8")

    def pushes(self) -> int:
        """How many pushes the Hub was sent so far; asking for refs is none."""
        return sum(seen.method == "POST" and "git-receive-pack" in seen.path for seen in self.sandbox.hub.log)

    def lfs(self) -> None:
        """Let the source keep `*.bin` in LFS, with git-lfs's filters in this clone only."""
        self.clone.git("lfs", "install", "--local", "--skip-repo")
        self.commit("Keep large files in LFS", {".gitattributes": LFS_LINE})

    def upload(self) -> None:
        """Bring the LFS objects of the source's clone to the source's own remote."""
        self.clone.git("lfs", "push", "--all", self.origin.url, "main")


def without_lfs(folder: Path) -> str:
    """Return a PATH with everything that the usual one has, but git-lfs."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(place).glob("*") if Path(place).is_dir() else ():
            if program.name != "git-lfs":
                (folder / program.name).unlink(missing_ok=True)
                (folder / program.name).symlink_to(program)
    (folder / "git").unlink(missing_ok=True)
    (folder / "git").symlink_to(REAL_GIT)
    return str(folder)


def fresh_clone(address: str, folder: Path) -> Clone:
    """Clone a repository and bring its LFS content, as somebody else does it."""
    clone = Clone.of(address, folder, "-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false")
    run_git("lfs", "pull", cwd=folder)
    return clone
