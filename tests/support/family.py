"""A family to sync: a clone of the source, the source's remote, a Space, and what people do to each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.fingerprint import listing
from tests.support.logged import unfinished
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.process import Result

    Files = Mapping[str, str | bytes | None]

MAPS = (("core/src/*.py", "training/"), ("configs/*.json", "configs/"))
NEVER = ("data/", "docs/")
OWNED = ("app.py", "README.md")

LINES = [f"line {number}\n" for number in range(1, 21)]


def text(**changed: str) -> str:
    """Return a file of twenty lines; `text(l3="x")` has `x` for its third line."""
    lines = list(LINES)
    for name, content in changed.items():
        lines[int(name[1:]) - 1] = f"{content}\n"
    return "".join(lines)


START: Mapping[str, str] = {
    "core/src/model.py": text(),
    "core/src/train.py": "train\n",
    "configs/small.json": "{}\n",
    "data/secret.txt": "secret\n",
    "docs/guide.md": "guide\n",
}


@dataclass(slots=True)
class Family:
    """The source's clone, where the tool runs, and bare repositories for its remote and the Space.

    Attributes:
        folder: everything lies below it.
        run: the command line.
        clone: the person's clone of the source.
        origin: the source's remote.
        space: the target.
        urls: what the manifest says of the two; their file:// URLs at first.
    """

    folder: Path
    run: RunCli
    clone: Clone
    origin: Bare
    space: Bare
    urls: dict[str, str] = field(default_factory=dict)
    _work: Clone | None = None

    @classmethod
    def make(
        cls,
        folder: Path,
        run: RunCli,
        *,
        origin: Bare | None = None,
        space: Bare | None = None,
        object_format: str = "sha1",
    ) -> Family:
        """Make a source with a first commit that is pushed, and a Space that is empty."""
        origin = origin or Bare.init(folder / "origin.git", object_format=object_format)
        space = space or Bare.init(folder / "space.git", object_format=object_format)
        clone = Clone.init(folder / "clone", object_format=object_format)
        clone.git("remote", "add", "origin", origin.url)
        made = cls(folder, run, clone, origin, space, {"main": origin.url, "space": space.url})
        made.manifest()
        made.clone.commit("Start", START)
        made.clone.fill(origin)
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
            f'[repos.main]\nurl = "{self.urls["main"]}"\nrole = "source"',
            f'[repos.space]\nurl = "{self.urls["space"]}"\nowned = {list(owned)}\n{settings}',
            *(f'[[repos.space.map]]\nfrom = "{source}"\nto = "{to}"' for source, to in maps),
            more,
        ]
        self.clone.write({"repos.toml": "\n".join(lines).replace("'", '"')})

    def commit(self, message: str, files: Files | None = None) -> str:
        """Commit to the source and push it."""
        made = self.clone.commit(message, files)
        self.push()
        return made

    def push(self) -> None:
        """Push the source's main, forced, as somebody who rewrites history would."""
        self.clone.git("push", "-q", "--force", self.origin.url, "main")

    @property
    def work(self) -> Clone:
        """A clone of the Space, as somebody has it who edits it there; at the Space's tip."""
        if self._work is None:
            self._work = Clone.of(self.space.url, self.folder / "space-work")
            self._work.now = self.clone.now
        self._work.git("fetch", "-q", "origin")
        if self.space.tips():
            self._work.git("reset", "-q", "--hard", "origin/main")
        self._work.now = max(self._work.now, self.clone.now)
        return self._work

    def edit(self, message: str, files: Files, *, removed: Sequence[str] = ()) -> str:
        """Commit to the Space, as somebody who works there, and push it; folders that are `removed` go first."""
        work = self.work
        if removed:
            work.git("rm", "-rq", "--", *removed)
        made = work.commit(message, files)
        work.git("push", "-q", "origin", "HEAD:refs/heads/main")
        self.clone.now = work.now
        return made

    def sync(self, *args: str | Path, cwd: Path | None = None) -> Result:
        """Run `openllm-repos sync` in the clone."""
        return self.run("sync", "--yes", *args, cwd=cwd or self.clone.path)

    def synced(self, *args: str | Path) -> Result:
        """Run a sync that must work, and check what is true after any sync; returns what was printed."""
        before = self.space.tips().get("refs/heads/main")
        done = self.sync(*args)
        assert done.code == 0, (done.out, done.err)
        self.space.fsck()
        if before is not None:
            self.space.git("merge-base", "--is-ancestor", before, "main")
        assert not self.unfinished()
        return done

    def unfinished(self) -> list[str]:
        """Return the operations that did not end."""
        return [operation.name for operation in unfinished(self.clone.path)]

    def everything(self) -> dict[str, str]:
        """Return a fingerprint of each file of the clone and of both remotes."""
        places = {"clone": self.clone, "origin": self.origin, "space": self.space}
        return {f"{name}/{path}": seen for name, of in places.items() for path, seen in listing(of.path).items()}

    def persons_own(self) -> dict[str, str]:
        """Return a fingerprint of all that a sync that pushes nothing leaves alone.

        That is everything but the clone's objects (git drops unused ones by itself) and the tool's own folders.
        """
        ours = ("clone/.git/objects", "clone/.git/openllm-repos", "clone/.git/refs/openllm")
        return {path: seen for path, seen in self.everything().items() if not path.startswith(ours)}

    def mapped(self) -> dict[str, bytes]:
        """Return the Space's files below the folders that the maps write."""
        folders = ("training/", "configs/")
        return {path: data for path, data in self.space.files().items() if path.startswith(folders)}
