"""A family whose clone has the pre-push hook, and a release in it that the gate lets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openllm_repos.lockfile.model import Lock, LockedRepo
from openllm_repos.lockfile.text import format_lock
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName, RepoName, TagName
from openllm_repos.names.url import RepoUrl
from tests.support.family import Family
from tests.support.repositories import Bare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.process import Result

PROJECT = 'version = "VERSION"'


@dataclass(slots=True)
class Gated:
    """A source with a release that is committed and pushed, a Space, a model; the hook is installed.

    Attributes:
        family: the source's clone, its remote, the Space.
        model: a repo that only takes part in releases.
        models_commit: its one commit.
    """

    family: Family
    model: Bare
    models_commit: str

    @classmethod
    def make(cls, folder: Path, run: RunCli, *, object_format: str = "sha1", project: str = PROJECT) -> Gated:
        """Make the family, commit and push version 1.0.0 with its lock, tag it here, and install the hook."""
        family = Family.make(folder, run, object_format=object_format)
        model = Bare.init(folder / "model.git", object_format=object_format)
        tree = model.git("mktree", data=b"")
        models_commit = model.git("commit-tree", "-m", "weights", tree)
        model.git("update-ref", "refs/heads/main", models_commit)
        made = cls(family, model, models_commit)
        family.clone.git("remote", "add", "space", family.space.url)
        made.manifest(project=project)
        made.release("1.0.0")
        made.install()
        return made

    @property
    def path(self) -> Path:
        """The clone's work tree."""
        return self.family.clone.path

    @property
    def hooks(self) -> Path:
        """The clone's hooks folder."""
        return self.path / ".git/hooks"

    def git(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run git in the clone; it must work."""
        return self.family.clone.git(*args, env=env)

    def manifest(self, *, project: str = PROJECT, model: str = "", hooks: str = "") -> None:
        """Write `repos.toml` into the work tree (not committed)."""
        model = f'[repos.model]\nurl = "{self.model.url}"\n{model}\n{hooks}'
        self.family.manifest(project=project, more=model)

    def lock(self, version: str, *, tag: str | None = None, made_of: str | None = None) -> Lock:
        """Return a lock: `made_of` is the source commit that is released, by default the tip."""
        name, main = TagName(tag or f"v{version}"), BranchName("main")
        commit = ObjectId(made_of or self.family.clone.tip())
        urls = {"main": self.family.urls["main"], "model": self.model.url}
        commits = {"main": commit, "model": ObjectId(self.models_commit)}
        roles = {"main": "source", "model": "member"}
        repos = tuple(
            LockedRepo(RepoName(one), role, "git", None, RepoUrl(urls[one]), main, name, commits[one])
            for one, role in roles.items()
        )
        return Lock("openllm", version, name, "sha256:" + "0" * 64, repos)

    def release(self, version: str, *, says: str | None = None, tag: str | None = None, push: bool = True) -> str:
        """Commit a version file, and on it the lock of a release; push that, and make the annotated tag here.

        `says` is what the version file says where that differs.
        """
        tag = tag or f"v{version}"
        self.family.clone.commit(f"This is {version}", {"VERSION": f"{says or version}\n"})
        files = {f"manifest/releases/{tag}.toml": format_lock(self.lock(version, tag=tag))}
        made = self.family.clone.commit(f"Release {version}", files)
        if push:
            self.family.push()
        self.tag(tag, made)
        return made

    def tag(self, name: str, commit: str = "HEAD", message: str = "Release") -> str:
        """Make an annotated tag here, anew where it is there, and return the id of the tag object."""
        self.git("tag", "-f", "-a", "-m", message, name, commit)
        return self.git("rev-parse", f"refs/tags/{name}")

    def install(self, *args: str) -> Result:
        """Run `openllm-repos hooks install`."""
        done = self.family.run("hooks", "install", *args, cwd=self.path)
        assert done.code == 0, done.err
        return done

    def push(self, *args: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Result:
        """Run a real `git push`, which runs the real hook; whatever comes of it."""
        place = () if cwd is None else ("-C", str(cwd))
        return self.family.clone.run(*place, "push", *args, ok=range(256), env=env)

    def status(self) -> Result:
        """Run `openllm-repos hooks status --json`."""
        return self.family.run("hooks", "status", "--json", cwd=self.path)

    def without_python(self) -> None:
        """Let the hook call a Python that is not there: from now on any push that sh does not decide alone fails."""
        facts = self.hooks / "pre-push.openllm-repos"
        lines = facts.read_text().splitlines()
        facts.write_text("".join(f"{'python /gone' if line.startswith('python ') else line}\n" for line in lines))

    def hook(self, text: str, *, name: str = "pre-push", mode: int = 0o755) -> Path:
        """Write a hook of somebody else's."""
        path = self.hooks / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path
