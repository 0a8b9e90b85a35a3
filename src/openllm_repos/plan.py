"""Frozen values that layers hand to each other: what is to be done, and what came of it. No input or output here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from openllm_repos.names.objectid import ObjectId
from openllm_repos.text import show_path


class Action(StrEnum):
    """What a sync would do, or did, with one target."""

    UP_TO_DATE = "up to date"
    CREATE = "create"
    MERGE = "merge"
    SQUASH = "squash"
    ADOPT = "adopt"
    UNDO = "undo"
    ROLLBACK = "rollback"
    LIFT = "lift"
    HELD = "held"


class Change(StrEnum):
    """What happens to one path."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    LINE_ENDS = "line ends"  # in a conflict alone: nothing but CRLF and LF have changed
    FOLDER = "folder"  # in a conflict alone: it stands in the place of the other side's file


@dataclass(frozen=True, slots=True)
class FileChange:
    """One path that differs between two trees, with its blobs.

    Attributes:
        path: as git stores it.
        change: what happened to it, going from old to new.
        old: mode and hex id before, None where it was absent.
        new: mode and hex id after, None where it is gone.
    """

    path: bytes
    change: Change
    old: tuple[bytes, bytes] | None
    new: tuple[bytes, bytes] | None


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One ref that moves. An `old` of zeros means that it must not exist before."""

    ref: str
    old: ObjectId
    new: ObjectId


@dataclass(frozen=True, slots=True)
class Drift:
    """What a target has at mapped paths that the source does not have.

    Attributes:
        commits: the target's own commits that touch those paths, newest first.
        files: the paths that differ from the last projection the target got.
    """

    commits: tuple[ObjectId, ...] = ()
    files: tuple[FileChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Described:
    """A commit in one line. All texts are foreign.

    Attributes:
        id: the commit.
        author: their name.
        date: when it was written, ISO 8601 with the author's own zone.
        subject: the first line of the message.
    """

    id: ObjectId
    author: str
    date: str
    subject: str


class Side(StrEnum):
    """A side of a merge into a target, in git's words: ours is the target's, theirs the source's."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A path that source and target changed in ways that do not go together.

    Attributes:
        path: as git stores it; of a file that both renamed, its name before.
        source: what the source did: added, modified, deleted, line ends, folder.
        target: what the target did.
        source_commits: the source's commits that touch it since the last sync, newest first.
        target_commits: those of the target's own.
        remembered: whether this clone remembers how a person settled the very same conflict.
        source_path: of a file that both renamed, its name in the source.
        target_path: likewise, its name in the target.
        before: of a file that one side renamed and the other deleted, its name before.
        crlf: the side that has CRLF, where nothing but line ends is in the way.
    """

    path: bytes
    source: Change
    target: Change
    source_commits: tuple[Described, ...] = ()
    target_commits: tuple[Described, ...] = ()
    remembered: bool = False
    source_path: bytes | None = None
    target_path: bytes | None = None
    before: bytes | None = None
    crlf: Side | None = None

    def __str__(self) -> str:
        """Say what either side did."""
        if names := [name for name in (self.source_path, self.target_path) if name is not None]:
            return "renamed to {} in the source, to {} in the target".format(*map(show_path, names))
        crlf = "" if self.crlf is None else f" (CRLF in the {'target' if self.crlf is Side.OURS else 'source'})"
        if self.source is self.target is Change.LINE_ENDS:
            return f"differs in line ends alone{crlf}"
        return f"{self._did(self.source)} in the source, {self._did(self.target)} in the target{crlf}"

    def _did(self, change: Change) -> str:
        if change is Change.LINE_ENDS:
            return "changed in line ends alone"
        if Change.FOLDER in {self.source, self.target}:
            return "a folder" if change is Change.FOLDER else "a file"
        renamed = change is not Change.DELETED and self.before is not None
        return f"renamed from {show_path(self.before or b'')}" if renamed else change


@dataclass(frozen=True, slots=True)
class Settled:
    """A conflict that is settled by taking one side's file as it is, or its absence.

    Attributes:
        path: as git stores it, in the target.
        side: whose.
    """

    path: bytes
    side: Side


@dataclass(frozen=True, slots=True)
class EmptiedMap:
    """A map that matches no file of the source any more, so that all that it brought would be deleted.

    Attributes:
        place: where it stands in the manifest: ``repos.space.map[0].from``.
        pattern: what stands there.
        at: the source commit that has no file of it.
        files: how many files would go.
        commit: the source commit that emptied it; None where that is not known.
        moved_to: what to write in that place to follow a rename that git sees; else empty.
    """

    place: str
    pattern: str
    at: ObjectId
    files: int
    commit: Described | None = None
    moved_to: str = ""


class Rule(StrEnum):
    """What a remote's own hook checks, or what would be lost without a word from it."""

    BINARY = "binary"
    SIZE = "size"
    LFS_OBJECT = "lfs object"
    LFS_ATTRIBUTE = "lfs attribute"
    CARD = "card"
    GITATTRIBUTES = "gitattributes"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in a push that the remote would refuse, or that would be lost there.

    Attributes:
        rule: what it breaks.
        commit: the first commit that has it so; in a sync that of the source.
        path: where, as git stores it.
        size: bytes: of the file, or of the object that an LFS pointer names.
        problem: what is wrong, to be read after the path.
        fix: what to do about it.
        in_tip: whether the newest commit of the push still has it; if not, only the past is at fault.
    """

    rule: Rule
    commit: ObjectId
    path: bytes
    size: int
    problem: str
    fix: str
    in_tip: bool = True


@dataclass(frozen=True, slots=True)
class LargeFile:
    """A file kept in LFS: what its pointer says.

    Attributes:
        oid: SHA-256 of the content, hex.
        size: bytes of the content.
        pointer: the blob that is the pointer.
    """

    oid: str
    size: int
    pointer: ObjectId


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """What a sync would do with one target.

    Attributes:
        target: the repo's name in the manifest.
        url: where it is pushed.
        action: what happens.
        source_commit: the source commit whose projection the target gets.
        projected: the projected commit.
        tip: the target's tip that the plan was made on, None where it is empty.
        update: the branch that moves, or None where there is nothing to push.
        changes: what changes in the target's tree.
        commits: how many commits the target would get, the sync's own among them.
        drift: what the target has of its own at mapped paths.
        large: the LFS files of the commits to push; their objects go to the target's LFS before the branch moves.
        held: what the target was rolled back to and is held at; then a sync leaves it alone.
        settled: the paths whose conflict was settled by a side that the person named.
        notes: what a person may not expect of it.
    """

    target: str
    url: str
    action: Action
    source_commit: ObjectId
    projected: ObjectId
    tip: ObjectId | None
    update: RefUpdate | None = None
    changes: tuple[FileChange, ...] = ()
    commits: int = 0
    drift: Drift = field(default_factory=Drift)
    large: tuple[LargeFile, ...] = ()
    held: str = ""
    settled: tuple[Settled, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stopped:
    """A target that cannot be synced now, and why; nothing was changed.

    Attributes:
        target: the repo's name in the manifest.
        reason: one sentence.
        hint: what to do next.
        exit_code: what a run that ends here exits with.
        conflicts: the paths where the two sides disagree.
        drift: what the target has of its own, where that is the reason.
        findings: what the remote would refuse, where that is the reason.
        held: what the target is held at, where that is the reason.
        emptied: the maps that match no file any more, where that is the reason.
    """

    target: str
    reason: str
    hint: str
    exit_code: int
    conflicts: tuple[Conflict, ...] = ()
    drift: Drift = field(default_factory=Drift)
    findings: tuple[Finding, ...] = ()
    held: str = ""
    emptied: tuple[EmptiedMap, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What a sync would do.

    Attributes:
        source: the source's name in the manifest.
        source_commit: the commit that is carried over.
        targets: one entry a target, in the order of the manifest.
        notes: what a person should know besides, such as a source branch that is behind its remote.
    """

    source: str
    source_commit: ObjectId
    targets: tuple[TargetPlan | Stopped, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one target, as its remote says it.

    Attributes:
        target: the repo's name in the manifest.
        action: what was done.
        tip: the tip of the target's branch afterwards.
        pushed: whether this run moved it.
        attempts: how many pushes it took.
    """

    target: str
    action: Action
    tip: ObjectId
    pushed: bool
    attempts: int = 0


class Trace(StrEnum):
    """How it is known which source commit a target was filled from."""

    LIKENESS = "likeness"
    NAMED = "named"
    MIRROR = "mirror"
    SUBTREE = "git subtree"
    COPYBARA = "copybara"


@dataclass(frozen=True, slots=True)
class Match:
    """A source commit that a target was filled from, and how good it fits.

    Attributes:
        source_commit: the commit.
        projected: its projection.
        date: the author's date, ISO 8601 with the author's own zone.
        subject: the first line of its message; foreign text.
        trace: how it was found.
        files: how many mapped files the target has.
        differing: files that both have, with different content.
        modes: files that both have, executable on one side only.
        only_target: files that only the target has.
        only_source: files that only the projection has.
        to_come: files that the next sync brings: not copied, or as of another commit, or the host's own.
        older: how many of the target's files are as of another commit of the source.
        others: how many other states of the source fit just as well.
    """

    source_commit: ObjectId
    projected: ObjectId
    date: str
    subject: str
    trace: Trace
    files: int
    differing: tuple[FileChange, ...] = ()
    modes: tuple[FileChange, ...] = ()
    only_target: tuple[FileChange, ...] = ()
    only_source: tuple[FileChange, ...] = ()
    to_come: tuple[FileChange, ...] = ()
    older: int = 0
    others: int = 0

    @property
    def alike(self) -> int:
        """How many of the target's mapped files are those of the projection."""
        return self.files - len(self.differing) - len(self.only_target) - self.older


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an adoption would do.

    Attributes:
        source: the source's name in the manifest.
        source_commit: the newest source commit that was looked at.
        target: the target's name.
        step: the commit to push; why it cannot be; None where there is nothing to adopt.
        match: where the target's files came from, None where that is not known.
        said: why there is nothing to adopt; empty where there is.
        notes: what a person should know besides.
        held: what it will be held at, since it was before its history was rewritten; empty where a sync may go on.
    """

    source: str
    source_commit: ObjectId
    target: str
    step: TargetPlan | Stopped | None
    match: Match | None = None
    said: str = ""
    notes: tuple[str, ...] = ()
    held: str = ""
