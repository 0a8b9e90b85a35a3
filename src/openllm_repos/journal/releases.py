"""A release that was begun and has not ended, as the operation log has it.

It can be finished without, from the lock on the source's branch and the tags on the remotes. What the log adds: the
signed tags that were made (a new signature would be a new tag), and a release whose lock is not pushed yet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from openllm_repos.errors import NameRefused
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import Move, MoveOutcome, Operation, begun
from openllm_repos.journal.transaction import Transaction
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.plan import RefUpdate


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
    """

    repo: RepoName
    role: str
    url: str
    tag: TagName
    commit: ObjectId
    text: str = ""
    object: ObjectId | None = None

    def move(self, zero: ObjectId) -> Move:
        """Return the push of the tag, which is made."""
        assert self.object is not None
        return Move.of(self.repo, self.url, RefUpdate(self.tag.ref, zero, self.object))


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

    @property
    def source(self) -> ReleaseRow:
        """The row of the source."""
        return self.rows[-1]

    @property
    def lock_move(self) -> Move:
        """The push of the lock's commit."""
        return Move.of(self.source.repo, self.source.url, RefUpdate(self.branch, self.base, self.commit))

    def with_row(self, row: ReleaseRow) -> ReleaseRecord:
        """Return the record with the row of one repo replaced."""
        return replace(self, rows=tuple(row if row.repo == old.repo else old for old in self.rows))


def release_transaction(repository: Repository, version: str) -> Transaction:
    """Return the operation of a release: the one that was begun here, else a new one. The clone's lock is held."""
    return Transaction(repository, f"release {version}", resumes=_begun(repository))


def begin_release(transaction: Transaction, record: ReleaseRecord) -> None:
    """Write down what is to be released, and hold the lock's commit. Only then may the first push start.

    Raises:
        EnvironmentProblem: the clone cannot be written.
    """
    fields = asdict(record)
    transaction.prepare(fields, fields.pop("rows"))
    if not record.locked:
        transaction.begin(record.lock_move)


def write_row(transaction: Transaction, row: ReleaseRow) -> None:
    """Write down the tag that was made for one repo of a release that was begun."""
    transaction.prepare({}, [asdict(row)])


def read_release(repository: Repository) -> ReleaseRecord | None:
    """Return the release that was begun in this clone and has not ended, or None. Nothing is changed."""
    found = _begun(repository)
    return None if found is None else _record(found)


def end_release(repository: Repository, *, landed: Collection[tuple[str, ObjectId]] = ()) -> None:
    """Write down that the release which was begun here is given up. What nobody asked about stays unknown.

    Args:
        repository: the clone.
        landed: the tags that remotes had: the repo's name and the object.
    """
    found = _begun(repository)
    if found is not None:
        transaction = Transaction(repository, found.command, resumes=found)
        there = [move for move in found.begun if (move.repo, move.new) in landed]
        transaction.finish(MoveOutcome.MOVED, *there)
        transaction.finish(MoveOutcome.UNKNOWN, *(move for move in found.begun if move not in there))
        transaction.end(done=False)


def _begun(repository: Repository) -> Operation | None:
    return next((one for one in begun(repository) if _record(one) is not None), None)


def _record(operation: Operation) -> ReleaseRecord | None:
    try:
        fields = dict(operation.release or {})
        rows = tuple(_row(row) for row in fields.pop("rows"))
        for key in ("base", "commit"):
            fields[key] = ObjectId(fields[key])
        record = ReleaseRecord(**fields | {"tag": TagName(fields["tag"]), "rows": rows})
        return replace(record, locked=record.locked or record.lock_move.key in {move.key for move in operation.moved})
    except (ValueError, KeyError, TypeError, IndexError, NameRefused):
        return None


def _row(fields: Mapping[str, Any]) -> ReleaseRow:
    made = fields["object"]
    return ReleaseRow(
        RepoName(str(fields["repo"])),
        str(fields["role"]),
        str(fields["url"]),
        TagName(str(fields["tag"])),
        ObjectId(str(fields["commit"])),
        str(fields["text"]),
        None if made is None else ObjectId(made),
    )
