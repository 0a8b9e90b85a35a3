"""What a manifest says, as frozen values. Whoever holds one holds a sound manifest: the parser refuses any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from openllm_repos.errors import UsageError
from openllm_repos.hint import command_line
from openllm_repos.manifest.maps import Map, Publication
from openllm_repos.names.path import FolderPath
from openllm_repos.names.pattern import Pattern
from openllm_repos.names.place import VersionPlace
from openllm_repos.names.plain import quoted
from openllm_repos.names.ref import BranchName, GroupName, RepoName, TagTemplate
from openllm_repos.names.url import HostUrl, RepoId, RepoUrl

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

    @property
    def key(self) -> str:
        """The key that names one of it in the manifest."""
        return "url" if self is Kind.GIT else str(self)

    @property
    def on_hub(self) -> bool:
        """Whether it is a Space, a model or a dataset."""
        return self not in {Kind.GITHUB, Kind.GIT}


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


class Offline(StrEnum):
    """What the pre-push gate does where a repo that it must ask does not answer: refuse the push, or tell and allow."""

    REFUSE = "refuse"
    ALLOW = "allow"


class At(StrEnum):
    """Which commit of a target a release tags: the tip of its branch, or the last sync, without what came after."""

    TIP = "tip"
    SYNCED = "synced"


class LockPlace(StrEnum):
    """Where a release writes its lock: into a commit on the source's branch, or into the message of its tag."""

    COMMIT = "commit"
    TAG = "tag"


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
        tag: the form of its release tags, None for that of the project.
        at: which commit of it a release tags.
        version: where a version stands in it that must agree with that of the project.
        publish: artifacts that git does not track, and where they go in it, in the order of the file.
        submodule: where the source pins a commit of it, None where it does not.
        groups: those that it belongs to; that of its own entry comes first, where the entry is for many repos.
        place: where it stands in the file.
        inherited: the keys that it has from the defaults of its kind.
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
    tag: TagTemplate | None = None
    at: At = At.TIP
    version: tuple[VersionPlace, ...] = ()
    publish: tuple[Publication, ...] = ()
    submodule: FolderPath | None = None
    groups: tuple[GroupName, ...] = ()
    place: tuple[str | int, ...] = field(default=(), compare=False)
    inherited: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def on_hub(self) -> bool:
        """Whether it is a Space, a model or a dataset."""
        return self.kind.on_hub

    @property
    def entry(self) -> str:
        """The key of its entry: its name, unless that entry is for many repos."""
        return str(self.place[1]) if self.place else self.name

    def at_key(self, key: str, *below: str | int) -> str:
        """Return where a key of it stands in the manifest, or would: ``repos.space.map[0].from``."""
        from openllm_repos.manifest.faults import spell

        table = ("defaults", self.kind.key) if key in self.inherited else ("repos", self.entry)
        return spell((*table, key, *below))

    def how_to_set(self, key: str, value: str, remark: str = "") -> str:
        """Return what to do so that a key of it, and of no other repo, has a value: a line of a hint."""
        if self.entry != self.name:
            return (
                f'Take {self.name} out of repos.{self.entry}, and give it an entry of its own with {key} = "{value}".'
            )
        return command_line("openllm-repos", "manifest", "set", f"repos.{self.name}.{key}", value, remark=remark)


@dataclass(frozen=True, slots=True)
class Project:
    """What the manifest says of the family as a whole.

    Attributes:
        name: its name, for people.
        version: the files of the source where the version stands.
        tag: the form of release tags.
        never: the paths of the source that may not reach any target.
        lock: where a release writes its lock.
    """

    name: str
    version: tuple[VersionPlace, ...] = ()
    tag: TagTemplate = DEFAULT_TAG
    never: tuple[Pattern, ...] = ()
    lock: LockPlace = LockPlace.COMMIT


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the manifest says of the hooks.

    Attributes:
        offline: what the gate does where a repo does not answer.
    """

    offline: Offline = Offline.REFUSE


@dataclass(frozen=True, slots=True)
class Manifest:
    """A sound manifest: one source, and maps that agree with each other and with every `owned` and `never`.

    Attributes:
        schema: the version of the format.
        project: the family as a whole.
        repos: all repos in the order of the file.
        origin: the name of the file, for messages.
        hub: the Hub that its Spaces, models and datasets are on, None for huggingface.co.
        hooks: how the hooks of a clone behave.
    """

    schema: int
    project: Project
    repos: tuple[Repo, ...]
    origin: str = "repos.toml"
    hub: HostUrl | None = None
    hooks: Hooks = Hooks()

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

    @property
    def published(self) -> tuple[Repo, ...]:
        """The repos that artifacts are published to, datasets first: a model names the commit of its data."""
        taking_part = [repo for repo in self.repos if repo.publish]
        return tuple(sorted(taking_part, key=lambda repo: repo.kind is not Kind.DATASET))

    @property
    def pinned(self) -> tuple[tuple[Repo, FolderPath], ...]:
        """The repos that the source pins as submodules, each with its path there, in the order of the file."""
        return tuple((repo, repo.submodule) for repo in self.repos if repo.submodule is not None)

    @property
    def released(self) -> tuple[Repo, ...]:
        """The repos that a release tags, in its order: targets, members, and the source last."""
        taking_part = [repo for repo in self.repos if repo.release]
        return tuple(sorted(taking_part, key=lambda repo: (Role.TARGET, Role.MEMBER, Role.SOURCE).index(repo.role)))

    def tag_form(self, repo: Repo) -> TagTemplate:
        """Return the form of the release tags of a repo."""
        return repo.tag or self.project.tag

    def how_to_get_a_target(self) -> str:
        """Return what a person does where no repo has maps: the next step of an error."""
        spaces = [repo.entry for repo in self.repos if repo.kind is Kind.SPACE and repo.role is not Role.SOURCE]
        if spaces:
            entry = f'[[repos.{spaces[0]}.map]] with from = "core/src/*.py" and to = "training/", say'
            return f"Say in {self.origin} what goes to {spaces[0]}: below its entry {entry}."
        return "Add one: 'openllm-repos manifest add space --space OWNER/NAME --map FROM TO'."

    def narrowed(self, names: Sequence[str]) -> Manifest:
        """Return the family of the source and the repos named; all of it where none is named.

        Raises:
            UsageError: there is no repo of such a name.
        """
        if not names:
            return self
        wanted = {self.repo(name).name for name in names}
        return replace(self, repos=tuple(one for one in self.repos if one is self.source or one.name in wanted))

    def target(self, name: str) -> Repo:
        """Return the target of that name.

        Raises:
            UsageError: there is no such repo, or it has no maps.
        """
        found = self.repo(name)
        if not found.maps:
            from openllm_repos.manifest.nearest import few

            targets = few([target.name for target in self.targets])
            hint = f"The targets are: {targets}." if targets else self.how_to_get_a_target()
            raise UsageError(f"{name} has no maps, so nothing is synced to it.", hint=hint)
        return found

    def repo(self, name: str) -> Repo:
        """Return the repo of that name.

        Raises:
            UsageError: there is none; the nearest name is given.
        """
        for repo in self.repos:
            if repo.name == name:
                return repo
        from openllm_repos.manifest.nearest import few, nearest

        if members := [repo for repo in self.repos if name in repo.groups]:
            raise UsageError(
                f"{name} is no repo but a group of {len(members)} in {self.origin}",
                hint=f"Name one of them; sync, diff, status and others take all of them with --group {name}.",
            )
        names = [str(repo.name) for repo in self.repos]
        raise UsageError(
            f"{self.origin} has no repo {quoted(name)}{nearest(name, names)}", hint=f"It has: {few(names)}."
        )
