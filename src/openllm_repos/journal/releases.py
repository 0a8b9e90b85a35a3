"""The release that was begun in this clone and has not ended: one file, a row for each repo, written before each push.

It can be finished without it, from the lock on the source's branch and the tags on the remotes. What it adds: the
signed tags that were made (a new signature would be a new tag), and a release whose lock is not pushed yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from openllm_repos.errors import EnvironmentProblem, NameRefused
from openllm_repos.files import atomic_write, remedy
from openllm_repos.git.refs import read_refs, update_refs
from openllm_repos.git.repository import Repository
from openllm_repos.journal.operations import HERE, Came, Move, note
from openllm_repos.journal.records import KEEP
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.plan import RefUpdate

_HELD = "refs/openllm/release"


class RowState(StrEnum):
    """How far one repo of a release has come."""

    PREPARED = "prepared"
    PUSHED = "pushed"
    VERIFIED = "verified"
    REFUSED = "refused"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One repo of a release.

    Attributes:
        repo: its name in the manifest.
        role: source, target or member.
        url: where it is, without credentials.
        tag: the tag that it gets.
        commit: the commit that the tag names.
        text: the content of the tag object, empty where it is still to be made.
        object: the id of the tag object, None where it is still to be made.
        state: how far it has come.
    """

    repo: RepoName
    role: str
    url: str
    tag: TagName
    commit: ObjectId
    text: str = ""
    object: ObjectId | None = None
    state: RowState = RowState.PREPARED


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """One release that was begun.

    Attributes:
        project: the family's name.
        version: the version.
        tag: the source's tag.
        tagger: who releases, and when: the same in every tag.
        lock: the lock's text.
        in_tag: whether the lock goes into the tag's message rather than into a commit.
        branch: the full name of the source's branch.
        base: the source commit that is released.
        commit: the commit that the source's tag names: `base`, or its child with the lock.
        locked: whether that commit is known to be on the source's branch.
        rows: one a repo, in the order in which they are tagged; the source is the last.
        operation: its name in the log of operations, empty where it was begun on another machine.
    """

    project: str
    version: str
    tag: TagName
    tagger: str
    lock: str
    in_tag: bool
    branch: str
    base: ObjectId
    commit: ObjectId
    locked: bool
    rows: tuple[ReleaseRow, ...]
    operation: str = ""

    @property
    def source(self) -> ReleaseRow:
        """The row of the source."""
        return self.rows[-1]

    def with_row(self, row: ReleaseRow) -> ReleaseRecord:
        """Return the record with the row of one repo replaced."""
        return replace(self, rows=tuple(row if row.repo == old.repo else old for old in self.rows))

    def updates(self, zero: ObjectId) -> Iterator[tuple[str, RefUpdate]]:
        """Yield every ref that the release moves, with the URL of its repo; `zero` is the id of nothing."""
        if not self.in_tag:
            yield self.source.url, RefUpdate(self.branch, self.base, self.commit)
        for row in self.rows:
            if row.object is not None:
                yield row.url, RefUpdate(row.tag.ref, zero, row.object)


def begin_release(repository: Repository, record: ReleaseRecord) -> None:
    """Hold the lock's commit by a ref, then write the record to disk. Only then may the first push start.

    Raises:
        EnvironmentProblem: the clone cannot be written.
    """
    held = f"{_HELD}/{record.tag}"
    if read_refs(repository, _HELD) != {held: record.commit}:
        _let_go(repository)
        updates = [RefUpdate(held, repository.zero, record.commit)]
        if record.operation and not record.locked:
            kept = f"{KEEP}/{record.operation}/{record.source.repo}/old"
            updates.append(RefUpdate(kept, repository.zero, record.base))
        update_refs(repository, updates, reason="openllm-repos: release")
    write_release(repository, record)


def log_lock(repository: Repository, record: ReleaseRecord, came: Came) -> None:
    """Write down what came of pushing the lock's commit."""
    move = Move(record.source.repo, record.source.url, record.branch, record.base, record.commit)
    _log(repository, record, move, came)


def log_tag(repository: Repository, record: ReleaseRecord, row: ReleaseRow, came: Came) -> None:
    """Write down what came of pushing the tag of a row, which is made."""
    assert row.object is not None
    _log(repository, record, Move(row.repo, row.url, row.tag.ref, repository.zero, row.object), came)


def log_here(repository: Repository, record: ReleaseRecord, update: RefUpdate) -> None:
    """Write down that a ref of the clone itself was moved by a release."""
    _log(repository, record, Move(HERE, "", update.ref, update.old, update.new), Came.MOVED)


def _log(repository: Repository, record: ReleaseRecord, move: Move, came: Came) -> None:
    note(repository, f"release {record.version}", [move], outcome=came, operation=record.operation)


def write_release(repository: Repository, record: ReleaseRecord) -> None:
    """Write a record that was begun to disk again, with what has become of it since.

    Raises:
        EnvironmentProblem: the clone cannot be written.
    """
    path = repository.state_dir / "release.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(asdict(record), indent=1).encode(), durable=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"Cannot write the journal to {path.parent}: {error.strerror}.", hint=remedy(error, path.parent)
        ) from None


def read_release(repository: Repository) -> ReleaseRecord | None:
    """Return the release that was begun in this clone and has not ended, or None. Nothing is changed."""
    try:
        fields = json.loads((repository.state_dir / "release.json").read_bytes())
        rows = tuple(_row(row) for row in fields.pop("rows"))
        for key in ("base", "commit"):
            fields[key] = ObjectId(fields[key])
        return ReleaseRecord(**fields | {"tag": TagName(fields["tag"]), "rows": rows}) if rows else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NameRefused):
        return None


def begun_updates(repository: Repository) -> tuple[tuple[str, RefUpdate], ...]:
    """Return every ref that a release which was begun here moves, with the URL of its repo. Nothing is changed."""
    record = read_release(repository)
    return () if record is None else tuple(record.updates(repository.zero))


def end_release(repository: Repository) -> None:
    """Remove the record: the release is done, given up, or was never begun."""
    for name in ("release.json", "release.tmp"):
        try:
            (repository.state_dir / name).unlink(missing_ok=True)
        except OSError as error:
            raise EnvironmentProblem(
                f"Cannot remove {repository.state_dir / name}: {error.strerror}.",
                hint="Mend the permissions of the clone's git folder.",
            ) from None
    _let_go(repository)


def _row(fields: dict[str, str | None]) -> ReleaseRow:
    made = fields["object"]
    return ReleaseRow(
        RepoName(str(fields["repo"])),
        str(fields["role"]),
        str(fields["url"]),
        TagName(str(fields["tag"])),
        ObjectId(str(fields["commit"])),
        str(fields["text"]),
        None if made is None else ObjectId(made),
        RowState(str(fields["state"])),
    )


def _let_go(repository: Repository) -> None:
    gone = [RefUpdate(ref, held, repository.zero) for ref, held in read_refs(repository, _HELD).items()]
    update_refs(repository, gone, reason="openllm-repos: release ended")
