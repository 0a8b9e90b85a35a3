"""Real repositories for tests: a clone to work in, a bare repository to push to."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support.process import Result, run_git

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Env = Mapping[str, str] | None

# 2023-11-14 22:13:20 UTC. Every commit of a Clone is one minute after the one before, so ids do not vary.
EPOCH = 1_700_000_000
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Person:
    """An author or committer."""

    name: str
    email: str


ADA = Person("Ada Lovelace", "ada@example.org")
GRACE = Person("Grace Hopper", "grace@example.org")


@dataclass(slots=True)
class Repository:
    """What a clone and a bare repository have in common: a path, and questions to git."""

    path: Path

    @property
    def url(self) -> str:
        """The repository as a file:// URL."""
        return self.path.as_uri()

    def run(
        self, *args: str | bytes | Path, data: bytes | None = None, ok: Collection[int] = (0,), env: Env = None
    ) -> Result:
        """Run git here; `env` is laid over the environment. Raises GitFailed where the exit code is not in `ok`."""
        return run_git(*args, cwd=self.path, data=data, env=env, ok=ok)

    def git(
        self, *args: str | bytes | Path, data: bytes | None = None, ok: Collection[int] = (0,), env: Env = None
    ) -> str:
        """Run git here and return its standard output without the last newline."""
        return self.run(*args, data=data, ok=ok, env=env).out.removesuffix("\n")

    def tip(self, rev: str = "HEAD") -> str:
        """Return the commit id that `rev` names."""
        return self.git("rev-parse", "--verify", "--end-of-options", f"{rev}^{{commit}}")

    def tips(self) -> dict[str, str]:
        """Return every ref with the object id it holds."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def paths(self, rev: str = "main") -> list[str]:
        """Return the path of every file (and gitlink) in the tree of `rev`, sorted as git does."""
        return self.git("ls-tree", "-r", "-z", "--name-only", rev).split("\0")[:-1]

    def files(self, rev: str = "main") -> dict[str, bytes]:
        """Return path -> bytes of every file in the tree of `rev`."""
        return {path: self.read(path, rev) for path in self.paths(rev)}

    def read(self, path: str, rev: str = "main") -> bytes:
        """Return the bytes of one file in the tree of `rev`."""
        return self.run("cat-file", "blob", f"{rev}:{path}").out_bytes

    def log(self, rev: str = "main", *args: str, form: str = "%s") -> list[str]:
        """Return one line per commit reachable from `rev`, newest first; `form` is a git format (subject)."""
        return self.git("log", f"--format={form}", *args, rev, "--").splitlines()

    def trailers(self, rev: str = "main") -> dict[str, str]:
        """Return the trailers of a commit's message."""
        lines = self.git("log", "-1", "--format=%(trailers:only,unfold)", rev).splitlines()
        return dict(line.split(": ", 1) for line in lines if line)

    def parents(self, rev: str = "main") -> list[str]:
        """Return the parent ids of a commit, first parent first."""
        return self.git("log", "-1", "--format=%P", rev).split()

    def fsck(self) -> None:
        """Let git check every object and connection; raises GitFailed on the first fault."""
        self.run("fsck", "--strict", "--no-dangling", "--no-progress")


@functools.cache
def _empty(*options: str, settings: tuple[str, ...] = ()) -> Path:
    """Return an empty repository, made once by git, to be copied: tests make thousands, and a copy is much quicker.

    `settings` are keys of its configuration that are `true`.
    """
    place = Path(tempfile.mkdtemp(prefix="tests-empty-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)  # the folder of temporary files may be gone before
    run_git("init", "-q", *options, cwd=place)
    for key in settings:
        run_git("config", key, "true", cwd=place)
    return place


@dataclass(slots=True)
class Bare(Repository):
    """A bare repository, as a remote holds it."""

    @classmethod
    def init(cls, path: Path, *, branch: str = "main", object_format: str = "sha1") -> Self:
        """Make an empty bare repository that partial clones may be made from and that takes pushes over HTTP."""
        settings = ("uploadpack.allowFilter", "http.receivepack")
        shutil.copytree(_empty("--bare", "-b", branch, f"--object-format={object_format}", settings=settings), path)
        return cls(path)

    def refuse(self, words: str = "no", *, refs: str = "*") -> Path:
        """Refuse to move refs (a pattern of sh); delete the hook that is returned to end that."""
        hook = self.path / "hooks/update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f'#!/bin/sh\ncase "$1" in {refs}) echo "{words}" >&2; exit 1 ;; esac\n')
        hook.chmod(0o755)
        return hook


@dataclass(slots=True)
class Clone(Repository):
    """A repository with a work tree, on a clock of its own: the same steps give the same commit ids."""

    now: int = field(default=EPOCH)

    @classmethod
    def init(cls, path: Path, *, object_format: str = "sha1") -> Self:
        """Make an empty repository on branch `main`."""
        shutil.copytree(_empty("-b", "main", f"--object-format={object_format}"), path)
        return cls(path)

    @classmethod
    def of(cls, url: str, path: Path, *args: str) -> Self:
        """Clone `url` to `path`; `args` are options of `git clone`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        run_git("clone", "-q", *args, "--", url, path, cwd=path.parent)
        return cls(path)

    def run(
        self, *args: str | bytes | Path, data: bytes | None = None, ok: Collection[int] = (0,), env: Env = None
    ) -> Result:
        """Run git here at the time of the clock; `env` is laid over that."""
        date = f"@{self.now} +0000"
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        return run_git(*args, cwd=self.path, data=data, env=dates | dict(env or {}), ok=ok)

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files in the work tree; None removes one. Folders are made as needed."""
        for name, content in files.items():
            place = self.path / name
            if content is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)

    def link(self, name: str, to: str) -> None:
        """Make a symbolic link in the work tree."""
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(to, self.path / name)

    def commit(
        self,
        message: str | bytes,
        files: Mapping[str, str | bytes | None] | None = None,
        *,
        author: Person | None = None,
        date: str | None = None,
        encoding: str = "UTF-8",
    ) -> str:
        """Write `files`, commit everything in the work tree (even nothing), and return the commit id.

        `date` is the author date in a form that git reads; the committer date is the clock's, one minute on. A message
        of bytes is stored as it is, under the declared `encoding`.
        """
        self.write(files or {})
        self.git("add", "-A")
        return self._record(message, "--allow-empty", author=author, date=date, encoding=encoding)

    def _record(self, message: str | bytes, *args: str, author: Person | None, date: str | None, encoding: str) -> str:
        self.now += MINUTE
        env = {} if date is None else {"GIT_AUTHOR_DATE": date}
        if author is not None:
            env |= {"GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email}
        data = message.encode() if isinstance(message, str) else message
        options = ("-c", f"i18n.commitEncoding={encoding}", "commit", "-q", "--cleanup=verbatim", "--no-verify")
        self.git(*options, *args, "-F", "-", data=data, env=env)
        return self.tip()

    def fill(self, bare: Bare) -> None:
        """Give an empty bare repository all that is here, as a first push of `main` does, without starting git."""
        shutil.copytree(self.path / ".git/objects", bare.path / "objects", dirs_exist_ok=True)
        shutil.copy(self.path / ".git/refs/heads/main", bare.path / "refs/heads/main")

    def switch(self, branch: str, *, at: str | None = None) -> None:
        """Check out `branch`; with `at`, make it (anew) at that commit first."""
        if at is None:
            self.git("checkout", "-q", branch)
        else:
            self.git("checkout", "-q", "-B", branch, at)

    def orphan(self, branch: str) -> None:
        """Start a history without a parent on `branch`, with an empty work tree."""
        self.git("checkout", "-q", "--orphan", branch)
        self.git("rm", "-rfq", "--ignore-unmatch", ".")

    def merge(
        self,
        *others: str,
        message: str = "merge",
        files: Mapping[str, str | bytes | None] | None = None,
        author: Person | None = None,
        unrelated: bool = False,
    ) -> str:
        """Merge `others` into the current branch as a merge commit, and return its id.

        More than one other makes an octopus. `files` are written on top before the commit: the resolution of a
        conflict, or, where there was none, an evil merge.
        """
        allow = ("--allow-unrelated-histories",) if unrelated else ()
        self.run("merge", "-q", "--no-ff", "--no-commit", *allow, *others, ok=(0, 1) if files else (0,))
        self.write(files or {})
        self.git("add", "-A")
        return self._record(message, author=author, date=None, encoding="UTF-8")

    def push(self, url: str, refspec: str = "HEAD:refs/heads/main") -> None:
        """Push to a URL or remote name."""
        self.git("push", "-q", url, refspec)
