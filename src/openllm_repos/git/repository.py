"""A clone: where its objects, refs and configuration are, and how git runs in it."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem, UsageError
from openllm_repos.git.credentials import Access, credential_environment
from openllm_repos.git.process import Git, GitFailed
from openllm_repos.names.objectid import ObjectId
from openllm_repos.retry import NEVER, RetryPolicy
from openllm_repos.temporary import temporary_folder

MINIMUM_GIT = (2, 38)  # merge-tree --write-tree; cat-file --batch-command came with 2.36


@dataclass(frozen=True, slots=True)
class Repository:
    """An open clone, bare or not, main or linked work tree.

    Attributes:
        git_dir: this work tree's git folder (absolute).
        common_dir: the folder that linked work trees share: objects, refs, our own state.
        top: the work tree, or None in a bare clone.
        object_format: ``sha1`` or ``sha256``.
        shallow: history is cut off.
        git: runs commands on it.
        objects_dir: where new objects go; not the clone's own inside :meth:`quarantine`.
        beside: other folders that objects are read from; inside :meth:`quarantine` the clone's own is among them.
        access: with what remotes are reached; None leaves it to the person's own credential helpers.
        retry: how patient the run is with hosts.
    """

    git_dir: Path
    common_dir: Path
    top: Path | None
    object_format: str
    shallow: bool
    git: Git
    objects_dir: Path
    beside: tuple[Path, ...] = ()
    access: Access | None = None
    retry: RetryPolicy = NEVER

    @classmethod
    def open(cls, folder: Path) -> Repository:
        """Open the clone that `folder` lies in.

        Raises:
            UsageError: `folder` does not exist or lies in no clone.
            EnvironmentProblem: git is missing, too old, or refuses the folder (another owner).
        """
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder.", hint="Name an existing clone with -C DIR.")
        probe = Git(None, folder, {})
        asked = (
            "rev-parse",
            "--path-format=absolute",
            "--git-dir",
            "--git-common-dir",
            "--git-path",
            "objects",
            "--show-object-format",
            "--is-shallow-repository",
            "--is-bare-repository",
            "--show-cdup",
        )
        try:
            answer = probe.run(*asked).lines()
        except GitFailed as failed:
            raise _not_opened(folder, failed) from None
        git_dir, common_dir, objects, object_format, shallow, bare, *cdup = answer
        top = None if bare == "true" else Path(os.path.normpath(folder / (cdup[0] if cdup else ""))).resolve()
        if top is not None and Path(git_dir) == folder.resolve():
            top = None  # inside the git folder itself there is no work tree to speak of
        return cls(
            git_dir=Path(git_dir),
            common_dir=Path(common_dir),
            top=top,
            object_format=object_format,
            shallow=shallow == "true",
            git=Git(Path(git_dir), Path(git_dir), {}),
            objects_dir=Path(objects),
        )

    @property
    def state_dir(self) -> Path:
        """Our own folder in the clone: lock, log, cache. Shared by linked work trees."""
        return self.common_dir / "openllm-repos"

    @property
    def id_length(self) -> int:
        """The number of hex digits of an object id here."""
        return 64 if self.object_format == "sha256" else 40

    @property
    def zero(self) -> ObjectId:
        """The id that stands for "no object" here."""
        return ObjectId("0" * self.id_length)

    def person(self) -> Git:
        """Return a git that runs where the person would run it, for hooks that look at the work tree.

        In a quarantine it writes there, too: a partial clone fetches what a question of ours asks for.
        """
        return replace(self.git, git_dir=None, folder=self.top) if self.top is not None else self.git

    def reach(self, url: str) -> dict[str, str]:
        """Return the variables for a git command that talks to a remote: its own credential, and nobody else's."""
        return {} if self.access is None else credential_environment(self.access.credential(url))

    def advice(self, url: str) -> str:
        """Return what a person should know of the credential for a remote that says no; often nothing."""
        return "" if self.access is None else self.access.advice(url)

    @contextlib.contextmanager
    def quarantine(self) -> Iterator[Repository]:
        """Yield this clone with a throw-away place for new objects: everything can be read, nothing stays.

        The place lies outside the clone, so a plan made in it leaves the clone byte for byte as it was.
        """
        with temporary_folder() as place:
            objects = place / "objects"
            (objects / "pack").mkdir(parents=True)
            yield self.with_objects(objects, self.readable_objects)

    def with_objects(self, folder: Path, beside: tuple[Path, ...]) -> Repository:
        """Return this clone with another place for new objects, and folders beside it to read from."""
        extra = {
            **self.git.extra,
            "GIT_OBJECT_DIRECTORY": str(folder),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(map(quoted, beside)),
        }
        return replace(self, git=replace(self.git, extra=extra), objects_dir=folder, beside=beside)

    @property
    def readable_objects(self) -> tuple[Path, ...]:
        """The folders that objects are read from."""
        return self.objects_dir, *self.beside

    @property
    def quarantined(self) -> bool:
        """Whether new objects are thrown away."""
        return "GIT_OBJECT_DIRECTORY" in self.git.extra

    def resolve(self, revision: str) -> ObjectId:
        """Return the commit that `revision` (anything git understands) names.

        Raises:
            UsageError: it names no commit here.
        """
        done = self.git.run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}", ok=(0, 1, 128)
        )
        if done.code:
            raise UsageError(f"{revision}: no such commit in this clone.", hint="Name a branch, a tag or a commit id.")
        return ObjectId(done.stdout.decode().strip())

    def require_history(self) -> None:
        """Refuse a shallow clone: a projection of half a history would have other ids than everybody else's.

        Raises:
            EnvironmentProblem: the clone is shallow.
        """
        if self.shallow:
            raise EnvironmentProblem(
                "This clone is shallow: its history is cut off, and a projection needs all of it.",
                hint="git fetch --unshallow  # in GitHub Actions, fetch-depth: 0",
            )

    def require_merge(self) -> None:
        """Refuse a git that cannot merge without a work tree.

        Raises:
            EnvironmentProblem: git is older than 2.38.
        """
        said = self.git.text("version")
        digits = said.split()[2].split(".") if len(said.split()) > 2 else []
        version = tuple(int(part) for part in digits[:2] if part.isdigit())
        if version < MINIMUM_GIT:
            wanted = ".".join(map(str, MINIMUM_GIT))
            raise EnvironmentProblem(f"{said} is too old.", hint=f"Install git {wanted} or newer.")


def quoted(path: Path) -> str:
    """Quote a path for GIT_ALTERNATE_OBJECT_DIRECTORIES or ``info/alternates``.

    There ``:`` separates, and ``"`` begins a C string.
    """
    text = str(path)
    if ":" not in text and not text.startswith('"'):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _not_opened(folder: Path, failed: GitFailed) -> EnvironmentProblem | UsageError:
    """Say why git found no clone: the only exits of rev-parse here are "none" and "I refuse"."""
    found = next((place for place in (folder.resolve(), *folder.resolve().parents) if (place / ".git").exists()), None)
    if found is None:
        return UsageError(
            f"{folder} is not inside a git clone.",
            hint="Go to the clone of your source repository, or name it with -C DIR.",
        )
    said = f"git does not open the clone at {found}: {failed.completed.said}"
    if (found / ".git").stat().st_uid != os.geteuid():  # git asks whether the person trusts the other owner
        return EnvironmentProblem(
            said, hint=f"git config --global --add safe.directory {shlex.quote(str(found))}  # if you trust its owner"
        )
    return EnvironmentProblem(said)
