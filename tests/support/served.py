"""A family whose Space is on the sandbox's Hub: pushed over HTTP, judged by the Hub's own hook."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.family import MAPS, NEVER, OWNED, START, Family
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openllm_repos.sandbox import Sandbox
    from openllm_repos.sandbox.hub import HubKind
    from tests.support.inprocess import RunCli
    from tests.support.sealed import SealedHome

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4
LFS_LINE = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
NAME = "lemms/openllm"


def pointer(data: bytes) -> str:
    """Return the LFS pointer of some content."""
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(data).hexdigest()}\nsize {len(data)}\n"
    )


@dataclass(slots=True)
class Served(Bare):
    """A bare repository of the sandbox, reached by its real URL."""

    address: str = ""

    @property
    def url(self) -> str:
        """The URL that people know it by; git's `insteadOf` leads to the sandbox."""
        return self.address


def login(home: SealedHome, sandbox: Sandbox) -> None:
    """Let git take the token of the host that asks for one from the environment, as a credential helper."""
    host = sandbox.github.url.removeprefix("http://")
    home.set(f"credential.{sandbox.hub.url}.helper", '!f() { echo username=x; echo "password=$HF_TOKEN"; }; f')
    home.set(f"credential.http://{host}.helper", '!f() { echo username=x; echo "password=$GITHUB_TOKEN"; }; f')


@dataclass(slots=True)
class ServedFamily(Family):
    """A :class:`Family` whose target `space` is on the sandbox's Hub.

    Attributes:
        sandbox: it.
        entry: what the manifest says of the target: ``space = "lemms/openllm"``.
    """

    sandbox: Sandbox | None = None
    entry: str = ""

    @classmethod
    def on(cls, sandbox: Sandbox, folder: Path, run: RunCli, kind: HubKind = "space") -> ServedFamily:
        """Make the target (with the Hub's own first commit), a source, and its remote."""
        address = {"space": "https://huggingface.co/spaces/", "model": "https://huggingface.co/"}[kind] + NAME
        target = Served(sandbox.hub.create(kind, NAME), address)
        origin = Bare.init(folder / "origin.git")
        clone = Clone.init(folder / "clone")
        clone.git("remote", "add", "origin", origin.url)
        urls = {"main": origin.url, "space": target.url}
        made = cls(folder, run, clone, origin, target, urls, sandbox=sandbox, entry=f'{kind} = "{NAME}"')
        made.manifest()
        made.commit("Start", START)
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
        """Write `repos.toml` with the target as people name it."""
        Family.manifest(self, maps=maps, settings=settings, never=never, owned=owned, more=more, project=project)
        file = self.clone.path / "repos.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(f'url = "{self.urls["space"]}"', self.entry), encoding="utf-8")

    def requests(self, *ending: str) -> list[str]:
        """Return the paths that were posted or put to the Hub so far and end in (or hold) one of `ending`, in order."""
        assert self.sandbox is not None
        sent = [seen.path for seen in self.sandbox.hub.log if seen.method in ("POST", "PUT")]
        return [path for path in sent if any(part in path for part in ending)]

    def pushes(self) -> int:
        """How many pushes the Hub was sent so far; asking for refs is none."""
        return len(self.requests("git-receive-pack"))

    def keep_in_lfs(self) -> None:
        """Let the source keep `*.bin` in LFS, with git-lfs's filters in this clone only, and the Space too."""
        self.clone.git("lfs", "install", "--local", "--skip-repo")
        self.commit("Keep large files in LFS", {".gitattributes": LFS_LINE})

    def upload(self) -> None:
        """Bring the LFS objects of the source's clone to the source's own remote."""
        self.clone.git("lfs", "push", "--all", self.origin.url, "main")

    def pulled(self, path: str) -> bytes:
        """Return a file's content as somebody gets it who clones the Space and has git-lfs."""
        folder = self.folder / f"pulled-{len(list(self.folder.iterdir()))}"
        clone = Clone.of(self.space.url, folder, "--no-checkout")
        clone.git("lfs", "install", "--local", "--skip-repo")
        clone.git("checkout", "-q", "main")
        clone.git("lfs", "pull")
        return (folder / path).read_bytes()
