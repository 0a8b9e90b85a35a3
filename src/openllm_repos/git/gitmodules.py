"""``.gitmodules``: read as what it is, foreign text, and changed so that what people wrote in it stays byte for byte.

It is only ever read through ``git config`` without includes. What it says beyond path, URL and branch (an ``update``
command, say) is never carried out; :attr:`Module.faults` names what a git, old or new, could be misled by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.errors import ConflictError
from openllm_repos.git.process import GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId
from openllm_repos.temporary import temporary_folder

NAME = ".gitmodules"
_READ = ("config", "-z", "--no-includes")
_UNLIKELY = 128  # git's exit code for a file that it cannot parse


@dataclass(frozen=True, slots=True)
class Module:
    """One section of ``.gitmodules``. All texts are foreign, and unchecked.

    Attributes:
        name: of the section.
        path: where the submodule is; empty where that is not said.
        url: where it comes from.
        branch: what `git submodule update --remote` follows, or an empty string.
        update: what it says of how to update, or an empty string.
        twice: the keys that it gives more than once; which of them counts depends on the git.
    """

    name: str
    path: str = ""
    url: str = ""
    branch: str = ""
    update: str = ""
    twice: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """What in it could mislead a git: options for values, commands, folders elsewhere. Each to follow its name."""
        return tuple(self._faults())

    def _faults(self) -> Iterator[str]:
        for key, value in (("path", self.path), ("url", self.url), ("branch", self.branch)):
            if value.startswith("-"):
                yield f"has a {key} that looks like an option"
            if any(ord(char) < ord(" ") for char in value):
                yield f"has a control character in its {key}"
        if self.update.startswith("!"):
            yield "has a command for its update"
        if self.url.partition("://")[0].count("::"):
            yield "has a url that starts a program"
        if ".." in self.name.replace("\\", "/").split("/"):
            yield "has a name that leads out of .git/modules"
        if ".." in self.path.split("/") or self.path.startswith("/"):
            yield "has a path that leads out of the repository"
        for key in self.twice:
            yield f"gives its {key} more than once"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that a section is to have."""

    name: str
    key: str
    value: str


def read_modules(repository: Repository, content: bytes) -> tuple[Module, ...]:
    """Return the sections of a ``.gitmodules``, in the order in which they first appear.

    Raises:
        ConflictError: git cannot parse it.
    """
    asked = (*_READ, "--file", "-", "--get-regexp", r"^submodule\.")
    done = repository.git.run(*asked, stdin=content, ok=(0, 1, _UNLIKELY))
    if done.code == _UNLIKELY:
        raise ConflictError(
            f"{NAME} cannot be read: {done.said.removeprefix('fatal: ')}.", hint="Mend it there; git cannot read it."
        )
    found: dict[str, dict[str, list[str]]] = {}
    for entry in done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        key, _, value = entry.partition("\n")
        name, _, what = key.removeprefix("submodule.").rpartition(".")
        found.setdefault(name, {}).setdefault(what, []).append(value)
    return tuple(
        Module(
            name,
            **{key: values[key][0] for key in ("path", "url", "branch", "update") if key in values},
            twice=tuple(key for key in ("path", "url") if len(values.get(key, ())) > 1),
        )
        for name, values in found.items()
    )


def modules_text(repository: Repository, commit: ObjectId) -> bytes:
    """Return the ``.gitmodules`` of a commit, empty where it has none."""
    done = repository.git.run("cat-file", "blob", f"{commit}:{NAME}", ok=(0, _UNLIKELY))
    return done.stdout if done.code == 0 else b""


def edited(repository: Repository, content: bytes, settings: Sequence[Setting]) -> bytes:
    """Return a ``.gitmodules`` with some values changed or added; git itself edits it, so all else stays as it is.

    Args:
        repository: the clone, whose git is used.
        content: the file.
        settings: what it is to say. A section that is not there yet is added at the end.

    Raises:
        ConflictError: git cannot parse it.
    """
    if not settings:
        return content
    with temporary_folder() as place:
        file = place / "gitmodules"
        file.write_bytes(content if content.endswith(b"\n") or not content else content + b"\n")
        for one in settings:
            key = f"submodule.{one.name}.{one.key}"
            try:
                repository.git.run("config", "--file", str(file), "--replace-all", "--", key, one.value)
            except GitFailed as failed:
                raise ConflictError(
                    f"{NAME} cannot be changed: {failed.completed.said}", hint="Mend it there, then run this again."
                ) from None
        made = file.read_bytes()
    lines = content.count(b"\n")
    if lines and content.count(b"\r\n") == lines:  # a file with Windows' line ends keeps them
        made = made.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return made


def remembered_urls(repository: Repository, name: str) -> tuple[str, str]:
    """Return which URLs git remembers for a submodule of that name, empty where none.

    Returns:
        Where the clone comes from that it keeps for it, and what it was told by `git submodule init`.
    """
    return (
        _configured(repository, kept_clone(repository, name) / "config", "remote.origin.url"),
        _configured(repository, repository.common_dir / "config", f"submodule.{name}.url"),
    )


def kept_clone(repository: Repository, name: str) -> Path:
    """Return the folder in which git keeps the clone of a submodule of that name, if it has one."""
    return repository.git_dir / "modules" / name


def _configured(repository: Repository, file: Path, key: str) -> str:
    if not file.is_file():
        return ""
    done = repository.git.run(*_READ, "--file", str(file), "--get", key, ok=(0, 1, _UNLIKELY))
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\0")
