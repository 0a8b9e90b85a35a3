"""A source that pins a model as a submodule, and what people do to both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.process import Result

PATH = "models/small"


@dataclass(slots=True)
class Pinned:
    """A source whose manifest pins one model at `models/small`; the model has three commits and a tag on the first.

    Attributes:
        run_cli: the command line.
        clone: the person's clone of the source, where nothing is pinned yet.
        origin: the source's remote.
        model: the model's remote.
        work: a clone of the model, as its people have it.
        commits: the model's, oldest first.
    """

    run_cli: RunCli
    clone: Clone
    origin: Bare
    model: Bare
    work: Clone
    commits: list[str]

    @classmethod
    def make(cls, folder: Path, run_cli: RunCli, *, object_format: str = "sha1") -> Self:
        """Make both, with their remotes."""
        origin = Bare.init(folder / "origin.git", object_format=object_format)
        model = Bare.init(folder / "model.git", object_format=object_format)
        work = Clone.init(folder / "work", object_format=object_format)
        commits = [work.commit(f"Step {number}", {"config.json": f"{number}\n"}) for number in range(3)]
        work.git("tag", "-a", "-m", "First", "v1", commits[0])
        work.git("push", "-q", model.url, "HEAD:refs/heads/main", "v1")
        clone = Clone.init(folder / "clone", object_format=object_format)
        made = cls(run_cli, clone, origin, model, work, commits)
        made.manifest()
        made.commit("Start", {"app.py": "print()\n"})
        return made

    def manifest(self, small: str = f'submodule = "{PATH}"', more: str = "") -> None:
        """Write `repos.toml` into the clone's work tree (not committed)."""
        self.clone.write(
            {
                "repos.toml": 'schema = 1\n[project]\nname = "x"\n'
                f'[repos.main]\nurl = "{self.origin.url}"\nrole = "source"\n'
                f'[repos.small]\nurl = "{self.model.url}"\n{small}\n{more}'
            }
        )

    def commit(self, message: str, files: Mapping[str, str | bytes | None] | None = None) -> str:
        """Commit to the source and push it."""
        made = self.clone.commit(message, files)
        self.clone.git("push", "-q", self.origin.url, "main")
        return made

    def run(self, *args: str) -> Result:
        """Run a command in the clone."""
        return self.run_cli(*args, cwd=self.clone.path)

    def pin(self, *args: str) -> Result:
        """Run `openllm-repos pin`."""
        return self.run("pin", *args)

    def pinned(self, *args: str) -> Result:
        """Run a pin that must work."""
        done = self.pin(*args)
        assert done.code == 0, (done.out, done.err)
        return done

    @property
    def index(self) -> str:
        """What the index has below `models`."""
        return self.clone.git("ls-files", "--stage", "--", "models")

    def modules(self) -> str:
        """Return `.gitmodules` of the work tree."""
        return (self.clone.path / ".gitmodules").read_text(encoding="utf-8")

    def checkout(self) -> Clone:
        """Let plain git get the submodule's files, and return its clone."""
        self.clone.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--", PATH)
        return Clone(self.clone.path / PATH)

    def status(self) -> tuple[dict[str, Any], list[str]]:
        """Return what `status` says of the pin, and of what is wrong with the model."""
        said = self.run("status", "--json").json()
        problems = [problem["message"] for problem in said["problems"] if problem["repo"] == "small"]
        return said["repos"][1]["pin"], problems
