"""What the Hub has and says, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoId


class HubType(StrEnum):
    """What a repository on the Hub is; the values are those of a manifest's kinds and of the Hub's API."""

    MODEL = "model"
    DATASET = "dataset"
    SPACE = "space"


@dataclass(frozen=True, slots=True)
class HubRepo:
    """A repository on the Hub.

    Attributes:
        type: model, dataset or Space.
        id: ``owner/name``.
    """

    type: HubType
    id: RepoId

    @property
    def resource(self) -> str:
        """Its path on the Hub, which is also its name for trusted publishing: ``spaces/owner/name``."""
        return str(self.id) if self.type is HubType.MODEL else f"{self.type}s/{self.id}"

    @property
    def api(self) -> str:
        """Its path below the API: ``spaces/owner/name``, ``models/owner/name``, ``datasets/owner/name``."""
        return f"{self.type}s/{self.id}"

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Stage(StrEnum):
    """What a Space is doing. The Hub may have words that are not in this list; then it is `UNKNOWN`."""

    NO_APP_FILE = "NO_APP_FILE"
    CONFIG_ERROR = "CONFIG_ERROR"
    BUILDING = "BUILDING"
    BUILD_ERROR = "BUILD_ERROR"
    RUNNING = "RUNNING"
    RUNNING_BUILDING = "RUNNING_BUILDING"
    RUNTIME_ERROR = "RUNTIME_ERROR"
    DELETING = "DELETING"
    STOPPED = "STOPPED"
    PAUSED = "PAUSED"
    SLEEPING = "SLEEPING"
    APP_STARTING = "APP_STARTING"
    RUNNING_APP_STARTING = "RUNNING_APP_STARTING"
    UNKNOWN = "UNKNOWN"

    @property
    def failed(self) -> bool:
        """Whether somebody has to mend something before the Space can run."""
        return self in {Stage.NO_APP_FILE, Stage.CONFIG_ERROR, Stage.BUILD_ERROR, Stage.RUNTIME_ERROR}

    @property
    def moving(self) -> bool:
        """Whether it becomes another stage by itself."""
        return self in {
            Stage.BUILDING,
            Stage.RUNNING_BUILDING,
            Stage.APP_STARTING,
            Stage.RUNNING_APP_STARTING,
            Stage.UNKNOWN,
        }


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a Space is doing now.

    Attributes:
        stage: in one word.
        said: the Hub's own word, which may be newer than our list.
        commit: the commit that runs or is built, None where the Hub does not say.
        message: why it failed, in the Hub's words, or an empty string.
    """

    stage: Stage
    said: str
    commit: ObjectId | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class HubInfo:
    """What the Hub knows of a repository.

    Attributes:
        tip: the tip of its main branch, None where it has no commit.
        private: whether only its owners see it.
        gated: whether its files are given only to people on a list.
        changed: when it was last changed, None where the Hub does not say.
        sdk: of a Space: gradio, docker, static, ...
        runtime: of a Space: what it is doing.
    """

    tip: ObjectId | None
    private: bool
    gated: bool
    changed: datetime | None = None
    sdk: str | None = None
    runtime: Runtime | None = None


@dataclass(frozen=True, slots=True)
class HubRefs:
    """The refs of a repository: short names, and the commits they lead to (an annotated tag is followed)."""

    branches: Mapping[str, ObjectId] = field(default_factory=dict)
    tags: Mapping[str, ObjectId] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token it is.

    Attributes:
        name: the user's name on the Hub.
        role: what the token may do: ``read``, ``write``, ``fineGrained``, or another word of the Hub.
        organizations: the user's organizations, and the role in each: ``admin``, ``write``, ``contributor``, ``read``.
    """

    name: str
    role: str
    organizations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteAccess:
    """Whether a repository can be written with the token at hand.

    Attributes:
        allowed: it can.
        exists: False where there is none, or none that the token may see.
        why: why not, as one sentence; empty where it can.
        hint: what to do about it.
    """

    allowed: bool
    exists: bool = True
    why: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CardReport:
    """What the Hub's own validator says of a README.md.

    Attributes:
        errors: a push with any of them is refused.
        warnings: what it would like to be otherwise.
    """

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as a commit on the Hub has it.

    Attributes:
        oid: git's id of the blob; of a large file that of its pointer.
        size: of the content, in bytes.
        sha256: of the content of a large file; None of others.
    """

    oid: str
    size: int
    sha256: str | None = None

    @property
    def id(self) -> str:
        """What tells its content from every other: ``lfs:<sha256>`` or ``git:<id of the blob>``."""
        return f"git:{self.oid}" if self.sha256 is None else f"lfs:{self.sha256}"


@dataclass(frozen=True, slots=True)
class Way:
    """How the Hub wants a file.

    Attributes:
        large: through LFS, rather than inside the commit.
        ignored: the repository's own .gitignore leaves it out.
    """

    large: bool
    ignored: bool
