"""What a manifest says, as frozen values. Whoever holds one holds a sound manifest: the parser refuses any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from openllm_repos.errors import NameRefused, UsageError
from openllm_repos.names.path import FolderPath
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.plain import quoted
from openllm_repos.names.ref import BranchName, RepoName, TagTemplate
from openllm_repos.names.url import RepoId, RepoUrl

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_BRANCH = BranchName("main")
DEFAULT_TAG = TagTemplate("v{version}")


class Kind(StrEnum):
    """What a repo is, and so the key that names it in the manifest (`git` is written ``url = …``)."""

    GITHUB = "github"
    SPACE = "space"
    MODEL = "model"
    DATASET = "dataset"
    GIT = "git"


class Role(StrEnum):
    """What a repo is to the others.

    Code is written in the source, a target receives maps, a member only takes part in status and releases.
    """

    SOURCE = "source"
    TARGET = "target"
    MEMBER = "member"


class History(StrEnum):
    """What a sync puts into a target: the whole projected history, or one commit per sync."""

    FULL = "full"
    SQUASH = "squash"


class DriftPolicy(StrEnum):
    """What a sync does where the target has drifted: merge, or refuse."""

    MERGE = "merge"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Map:
    """One map: what it takes from the source and where that goes in the target.

    Attributes:
        source: the paths of the source that it takes.
        to: the folder of the target that `source.base` becomes; the empty string is the top.
        rename: the new name of a single file, or None.
        output: the paths of the target that it can write.
        written_to: the `to` of the manifest as it was typed.
    """

    source: Pattern
    to: FolderPath
    rename: str | None
    output: Pattern
    written_to: str

    @classmethod
    def of(cls, source: str, to: str) -> Map:
        """Read a map as people write it.

        Args:
            source: the `from`: a pattern in the source.
            to: a folder (``training/``, ``training``, ``.``), or the same pattern in another folder
                (``training/*.py``), or for a single file also a file: its new place and name.

        Raises:
            NameRefused: either is refused by its type, or `to` is none of the three.
        """
        return cls.into(Pattern.parse(source), to)

    @classmethod
    def into(cls, source: Pattern, to: str) -> Map:
        """Like :meth:`of`, with the pattern already parsed."""
        if not to:
            raise NameRefused("'to' must not be empty; write '.' for the top of the target")
        wild = any(char in to for char in "*?[")
        if to in (".", "./") or (to.endswith("/") and not wild):
            folder, name = FolderPath(to), None
        elif source.is_single_file:
            folder, name = _file_place(to)
        elif wild:
            same = Pattern.parse(to, whole=True)
            if same.rest != source.rest:
                rest = "/".join(part.text for part in source.rest)
                raise NameRefused(
                    f"{quoted(to)} is not the pattern of 'from' in another folder;"
                    f" write {quoted(same.base.path_to(rest))}, or just the folder"
                )
            folder, name = same.base, None
        else:
            folder, name = FolderPath(to), None
        rename = None if name == source.literal_name else name
        rest = rename or "/".join(part.text for part in source.rest)
        output = Pattern.parse(folder.path_to(rest), whole=True)
        return cls(source, folder, rename, output, to)

    def target_path(self, source_path: bytes) -> bytes | None:
        """Return where a path of the source (bytes, as git stores it) goes in the target, or None if not taken."""
        if not self.source.matches(source_path):
            return None
        base = self.source.base
        below = self.rename.encode() if self.rename else source_path[len(base.encode()) + 1 if base else 0 :]
        return self.to.encode() + b"/" + below if self.to else below


def _file_place(to: str) -> tuple[FolderPath, str]:
    place = Pattern.parse(to, whole=True)
    if place.literal_name is None:
        raise NameRefused(f"{quoted(to)} holds a wildcard, but 'from' is a single file; write a folder or a file name")
    return place.base, place.literal_name


@dataclass(frozen=True, slots=True)
class Repo:
    """One repo of the manifest.

    Attributes:
        name: its key in the manifest and the name of its remote.
        kind: what it is.
        url: where git reaches it.
        repo_id: ``owner/name`` on its host; None for the kind `git`.
        role: source, target (it has maps) or member.
        branch: the branch that counts.
        release: whether releases tag it.
        history: how a sync writes a target's history.
        drift: what a sync does about drift.
        owned: the paths that only this target writes.
        maps: what it receives of the source, in the order of the file.
    """

    name: RepoName
    kind: Kind
    url: RepoUrl
    repo_id: RepoId | None
    role: Role
    branch: BranchName = DEFAULT_BRANCH
    release: bool = True
    history: History = History.FULL
    drift: DriftPolicy = DriftPolicy.MERGE
    owned: tuple[Pattern, ...] = ()
    maps: tuple[Map, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """What the manifest says of the family as a whole.

    Attributes:
        name: its name, for people.
        version: the files of the source where the version stands.
        tag: the form of release tags.
        never: the paths of the source that may not reach any target.
    """

    name: str
    version: tuple[str, ...] = ()
    tag: TagTemplate = DEFAULT_TAG
    never: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A sound manifest: one source, and maps that agree with each other and with every `owned` and `never`.

    Attributes:
        schema: the version of the format.
        project: the family as a whole.
        repos: all repos in the order of the file.
        origin: the name of the file, for messages.
    """

    schema: int
    project: Project
    repos: tuple[Repo, ...]
    origin: str = "repos.toml"

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read and check the manifest in the file `path`.

        Raises:
            ManifestError: the file is missing or cannot be read, is not TOML, or is unsound; all faults are listed.
        """
        from openllm_repos.manifest.parse import read_manifest

        return read_manifest(path)

    @classmethod
    def parse(cls, text: str | bytes, origin: str = "repos.toml") -> Manifest:
        """Check the text of a manifest; `origin` names it in messages.

        Raises:
            ManifestError: the text is not TOML, or the manifest is unsound; all faults are listed.
        """
        from openllm_repos.manifest.parse import parse_manifest

        return parse_manifest(text, origin)

    @property
    def source(self) -> Repo:
        """The repo where code is written."""
        return next(repo for repo in self.repos if repo.role is Role.SOURCE)

    @property
    def targets(self) -> tuple[Repo, ...]:
        """The repos that receive maps, in the order of the file."""
        return tuple(repo for repo in self.repos if repo.maps)

    def target(self, name: str) -> Repo:
        """Return the target of that name.

        Raises:
            UsageError: there is no such repo, or it has no maps.
        """
        found = self.repo(name)
        if not found.maps:
            targets = ", ".join(target.name for target in self.targets) or "none yet"
            raise UsageError(f"{name} has no maps, so nothing is synced to it.", hint=f"The targets are: {targets}.")
        return found

    def repo(self, name: str) -> Repo:
        """Return the repo of that name.

        Raises:
            UsageError: there is none; the nearest name is given.
        """
        for repo in self.repos:
            if repo.name == name:
                return repo
        from openllm_repos.manifest.nearest import nearest

        names = [str(repo.name) for repo in self.repos]
        raise UsageError(
            f"{self.origin} has no repo {quoted(name)}{nearest(name, names)}", hint=f"It has: {', '.join(names)}."
        )


def maps_digest(maps: Sequence[Map]) -> str:
    """Return the SHA-256 (hex) of what a target's maps do: the same for all spellings and orders of the same maps."""
    from hashlib import sha256

    lines = sorted(f"{entry.source.canonical}\0{entry.output.canonical}\n" for entry in maps)
    return sha256(("openllm-repos maps 1\n" + "".join(lines)).encode()).hexdigest()
