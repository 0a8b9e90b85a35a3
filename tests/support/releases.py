"""A family to release: a clone of the source, a Space that gets its code, two models, a dataset, and their remotes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.logged import unfinished
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.process import Result

MEMBERS = ("small-7k", "small-8k", "training-data")
OTHERS = ("space", *MEMBERS)
ORDER = (*OTHERS, "main")
"""The repos in the order in which a release tags them."""

FILES: Mapping[str, str] = {
    "core/src/model.py": "model\n",
    "core/src/train.py": "train\n",
    "docs/guide.md": "guide\n",
    "pyproject.toml": '[project]\nname = "openllm"\nversion = "1.0.0"\n',
}


def manifest_text(urls: Mapping[str, str], *, project: str = "", space: str = "", model: str = "") -> str:
    """Return a manifest of the family; `project`, `space` and `model` (small-7k) are lines for their tables."""
    members = "".join(
        f'[repos.{name}]\nurl = "{urls[name]}"\n{model if name == "small-7k" else ""}\n' for name in MEMBERS
    )
    return (
        f'schema = 1\n\n[project]\nname = "openllm"\nversion = "pyproject.toml"\nnever = ["docs/"]\n{project}\n'
        f'[repos.main]\nurl = "{urls["main"]}"\nrole = "source"\n\n'
        f'[repos.space]\nurl = "{urls["space"]}"\nowned = ["app.py"]\n{space}\n'
        '[[repos.space.map]]\nfrom = "core/src/*.py"\nto = "training/"\n\n' + members
    )


@dataclass(slots=True)
class Releases:
    """The family, at version 1.0.0, with a Space that was never synced.

    Attributes:
        folder: everything lies below it.
        run: the command line.
        clone: the person's clone of the source.
        remotes: the bare repositories by name.
        urls: what the manifest says of them.
    """

    folder: Path
    run: RunCli
    clone: Clone
    remotes: dict[str, Bare]
    urls: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(
        cls, folder: Path, run: RunCli, *, urls: Mapping[str, str] | None = None, object_format: str = "sha1"
    ) -> Releases:
        """Make the family; `urls` are what the manifest says instead of file:// URLs."""
        remotes = {name: Bare.init(folder / f"{name}.git", object_format=object_format) for name in ORDER}
        clone = Clone.init(folder / "clone", object_format=object_format)
        made = cls(folder, run, clone, remotes, dict(urls or {name: bare.url for name, bare in remotes.items()}))
        clone.git("remote", "add", "origin", made.urls["main"])
        for number, name in enumerate(MEMBERS):
            made.member(name, "Weights", {"config.json": f'{{"layers": {number}}}\n', "VERSION": "1.0.0\n"})
        made.manifest()
        made.commit("Start", FILES)
        return made

    def manifest(self, *, project: str = "", space: str = "", model: str = "") -> None:
        """Write `repos.toml` into the clone's work tree (not committed)."""
        self.clone.write({"repos.toml": manifest_text(self.urls, project=project, space=space, model=model)})

    def commit(self, message: str, files: Mapping[str, str | bytes | None] | None = None) -> str:
        """Commit to the source and push it."""
        made = self.clone.commit(message, files)
        self.clone.git("push", "-q", self.remotes["main"].url, "main")
        return made

    def member(self, name: str, message: str, files: Mapping[str, str]) -> str:
        """Commit to a model or the dataset, as its people do, and push it."""
        work = self.folder / f"{name}-work"
        held = self.clone.git("rev-parse", "--show-object-format")
        clone = Clone(work) if work.exists() else Clone.init(work, object_format=held)
        clone.now = self.clone.now
        made = clone.commit(message, files)
        self.clone.now = clone.now
        clone.git("push", "-q", self.remotes[name].url, "HEAD:refs/heads/main")
        return made

    def release(self, *args: str) -> Result:
        """Run `openllm-repos release` in the clone; what is released or given up is agreed to."""
        looks = args[0] in {"list", "show", "verify", "diff", "notes"}
        return self.run("release", *args, *(() if looks else ("--yes",)), cwd=self.clone.path)

    def released(self, version: str, *args: str) -> Result:
        """Make a release that must work, and check what is true after any release."""
        done = self.release(version, *args)
        assert done.code == 0, (done.out, done.err)
        self.check(f"v{version}")
        return done

    def tags(self, tag: str) -> dict[str, str | None]:
        """Return, for each repo, the commit that its tag names, None where it has no such tag."""
        return {
            name: bare.git("rev-parse", "--verify", "-q", f"refs/tags/{tag}^{{commit}}", ok=(0, 1)) or None
            for name, bare in self.remotes.items()
        }

    def check(self, tag: str) -> None:
        """Check a release that is done: annotated tags at the branches' commits everywhere, and nothing left behind."""
        for name, bare in self.remotes.items():
            bare.fsck()
            assert bare.git("cat-file", "-t", f"refs/tags/{tag}") == "tag", name
            bare.git("merge-base", "--is-ancestor", f"refs/tags/{tag}", "main")
        assert not unfinished(self.clone.path)
        assert not [ref for ref in self.clone.tips() if ref.startswith("refs/openllm/keep/") and ref.endswith("/new")]
        self.clone.fsck()
