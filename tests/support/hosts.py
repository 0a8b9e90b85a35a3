"""GitHub and the Hub as folders: the real URLs, which git is told to look for there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.sealed import SealedHome

    Files = Mapping[str, str | bytes | None]

GITHUB = "https://github.com/"
HUB = "https://huggingface.co/"
SOURCE = "louischua/openllm"
SPACE = "lemms/openllm"

# OpenLLM's own folders, with little in them.
SOURCE_FILES: Mapping[str, str] = {
    "README.md": "# OpenLLM\n",
    "pyproject.toml": '[project]\nname = "openllm"\nversion = "0.1.0"\n',
    "configs/small.json": '{"layers": 6}\n',
    "core/src/model.py": "class GPT: ...\n",
    "core/src/data_loader.py": "def batches(): ...\n",
    "data/raw.txt": "private\n",
    "docs/guide.md": "Guide.\n",
    "exports/model.bin": "weights\n",
    "tests/test_model.py": "def test(): ...\n",
}


@dataclass(slots=True)
class Hosts:
    """Both hosts, and the clone of the source that a person stands in.

    Attributes:
        folder: everything lies below it.
        clone: the clone; `origin` is the source on GitHub.
    """

    folder: Path
    clone: Clone

    @classmethod
    def make(cls, folder: Path, home: SealedHome) -> Hosts:
        """Make the source with its first commit, pushed; the Hub is empty."""
        home.instead_of(GITHUB, f"{(folder / 'github').as_uri()}/")
        home.instead_of(HUB, f"{(folder / 'hub').as_uri()}/")
        made = cls(folder, Clone.init(folder / "clone"))
        Bare.init(folder / "github" / SOURCE)
        made.clone.git("remote", "add", "origin", GITHUB + SOURCE)
        made.clone.commit("Start", SOURCE_FILES)
        made.clone.git("push", "-q", "origin", "main")
        made.clone.git("fetch", "-q", "origin")
        return made

    def hub(self, path: str, files: Files | None = None) -> Bare:
        """Make a repository on the Hub: ``lemms/x``, ``spaces/lemms/x``, ``datasets/lemms/x``; with a commit if any."""
        bare = Bare.init(self.folder / "hub" / path)
        if files is not None:
            work = Clone.of(bare.url, self.folder / "work" / path)
            work.commit("Beginning", files)
            work.push(bare.url)
        return bare

    def remotes(self) -> dict[str, str]:
        """Return the clone's git remotes and their URLs."""
        rows = self.clone.git("config", "--local", "--get-regexp", r"^remote\..*\.url$").splitlines()
        return {key.removeprefix("remote.").removesuffix(".url"): url for key, url in (row.split(" ") for row in rows)}

    def config(self) -> str:
        """Return the clone's configuration as it stands in the file."""
        return (self.clone.path / ".git/config").read_text(encoding="utf-8")

    def manifest(self) -> str:
        """Return repos.toml of the work tree."""
        return (self.clone.path / "repos.toml").read_text(encoding="utf-8")
