"""Giving a release up: the tags that it made are taken back as long as nobody can have built on them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from openllm_repos.errors import ConflictError, EnvironmentProblem, UsageError
from openllm_repos.family.tags import TagState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Unreachable, endpoints
from openllm_repos.git.repository import Repository
from openllm_repos.git.single import add_file
from openllm_repos.git.tags import signing_wanted
from openllm_repos.journal.log import Move
from openllm_repos.journal.releases import ReleaseRecord, ReleaseRow, end_release
from openllm_repos.journal.transaction import Transaction
from openllm_repos.lockfile.model import lock_path
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoUrl
from openllm_repos.plan import RefUpdate
from openllm_repos.release.begun import find_begun, source_state
from openllm_repos.release.carry import Progress, ask_all, silent
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import refusal
from openllm_repos.release.prepare import with_tag
from openllm_repos.release.pushing import push_move
from openllm_repos.text import show


@dataclass(frozen=True, slots=True)
class Aborted:
    """What giving a release up came to.

    Attributes:
        tag: the release.
        removed: the repos whose tag was taken back.
        kept: the repos whose tag stays, because this release did not make it, or cannot prove that it did.
        unlocked: whether a commit took the lock off the source's branch.
    """

    tag: str
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    unlocked: bool


@dataclass(frozen=True, slots=True)
class AbortPlan:
    """What giving a release up would do.

    Attributes:
        record: the release.
        removed: the rows whose tag would be taken back, with the object that each remote has.
        kept: the repos whose tag stays.
        left: the repos that are neither asked nor changed.
        unlocked: whether the lock is on the source's branch.
    """

    record: ReleaseRecord
    removed: tuple[tuple[ReleaseRow, ObjectId], ...]
    kept: tuple[str, ...]
    left: tuple[str, ...]
    unlocked: bool


def plan_abort(manifest: Manifest, desk: Desk, version: str, *, leave: Collection[str] = ()) -> AbortPlan:
    """Say what giving up a release that is not out yet would do.

    Only tags are removed whose object is the very one that this release made. Once the source has its tag the release
    is out: then nothing is taken back. The syncs stay, and so does the lock's commit; a commit after it takes the file
    away.

    Args:
        manifest: what should be.
        desk: holds the clone of the source, or a quarantine of it.
        version: the release.
        leave: repos that are not changed and need not answer: deleted for good, or their tags may not be removed.

    Raises:
        UsageError: it was not begun, or `leave` names the source or no repo of it.
        ConflictError: it is out.
        EnvironmentProblem: a remote does not answer.
    """
    record = find_begun(manifest, desk.repository, version)
    if record is None:
        raise UsageError(f"The release {version} was not begun.", hint="openllm-repos release list")
    _require_others(record, leave)
    tags = tuple(one for one in ask_all(desk, record) if one.repo.name not in leave)
    if failed := silent(tags):
        gone = [f"--leave {one.repo}" for one in failed if one.repo != record.source.repo]
        again = f"openllm-repos release abort {record.version}"
        raise refusal(
            "Not every repo answers, so nothing was taken back:",
            failed,
            hint=again + (f"\n{again} {' '.join(gone)}  # if it is gone for good" if gone else ""),
        )
    if tags[-1].state is not TagState.MISSING:
        raise ConflictError(
            f"The release {record.tag} is out: {record.source.repo} has its tag, and others may have built on it.",
            hint=f"openllm-repos release verify {record.tag}  # says whether a repo lacks its tag",
        )
    rows = {row.repo: row for row in record.rows}
    there = [(rows[one.repo.name], one.object) for one in tags if one.object is not None]
    removed = tuple((row, at) for row, at in there if at == _made(desk, record, row))
    kept = tuple(str(row.repo) for row, at in there if (row, at) not in removed)
    unlocked = not record.in_tag and _locked_tip(manifest, desk.repository, record) is not None
    return AbortPlan(record, removed, kept, tuple(leave), unlocked)


def abort(
    manifest: Manifest,
    desk: Desk,
    plan: AbortPlan,
    progress: Progress = lambda _: None,
    transaction: Transaction | None = None,
) -> Aborted:
    """Give a release up. The caller holds the clone's lock since before the plan was made.

    Args:
        manifest: what the plan was made from.
        desk: the one that it was made on; not on a quarantine.
        plan: what to do.
        progress: gets a line before each push.
        transaction: the operation that it belongs to; one of its own by default.

    Raises:
        ReposError: a remote does not let a tag be removed; the same command goes on from there.
        EnvironmentProblem: a remote does not answer.
    """
    if transaction is None:
        with Transaction(desk.repository, f"release abort {plan.record.version}") as own:
            return abort(manifest, desk, plan, progress, own)
    record = plan.record
    for row, there in plan.removed:
        progress(f"{row.repo}: taking the tag {row.tag} back")
        _remove(desk, transaction, record, row, there)
    unlocked = not record.in_tag and _unlock(manifest, desk.repository, transaction, record, progress)
    end_release(desk.repository, landed={(str(row.repo), there) for row, there in plan.removed})
    return Aborted(record.tag, tuple(str(row.repo) for row, _ in plan.removed), plan.kept, unlocked)


def _require_others(record: ReleaseRecord, names: Collection[str]) -> None:
    """Refuse to leave a repo out that the release does not have, or the source: its tag says whether it is out."""
    others = [str(row.repo) for row in record.rows if row is not record.source]
    for name in names:
        if name not in others:
            what = "is the source, which is always asked" if name == record.source.repo else "is no repo of the release"
            raise UsageError(f"{show(name)} {what}.", hint=f"Others of {record.tag}: {', '.join(others) or 'none'}")


def _made(desk: Desk, record: ReleaseRecord, row: ReleaseRow) -> ObjectId | None:
    """Return the tag object that this release made, None where that cannot be told: a signature is made only once."""
    if row.object is not None:
        return row.object
    if signing_wanted(desk.repository):
        return None
    return next(one for one in with_tag(desk, record, row, signed=False).rows if one.repo == row.repo).object


def _remove(desk: Desk, transaction: Transaction, record: ReleaseRecord, row: ReleaseRow, held: ObjectId) -> None:
    repository = desk.repository
    move = Move.of(row.repo, row.url, RefUpdate(row.tag.ref, held, repository.zero))
    endpoint = endpoints(repository, {row.repo: RepoUrl(row.url)})[row.repo]
    kept = desk.holds(held) and desk.holds(row.commit)
    try:
        pushed, refs = push_move(repository, transaction, move, endpoint, hold=kept)
    except Unreachable as why:
        raise EnvironmentProblem(
            f"{row.repo}: its tag was to be removed, then the remote fell silent ({why.message}).",
            hint="Run the same command again: it asks what is true.",
        ) from None
    if refs.get(move.ref) == held:
        again = f"openllm-repos release abort {record.version}"
        raise pushed.problem(
            f"{row.repo} does not let its tag {row.tag} be removed:\n{pushed.said}",
            hint=f"{again}  # once it is removed there\n{again} --leave {row.repo}  # or let it stay",
        )


def _unlock(
    manifest: Manifest, repository: Repository, transaction: Transaction, record: ReleaseRecord, progress: Progress
) -> bool:
    """Take the lock off the source's branch by a commit, if it is there; the branch may have gone on since.

    Raises:
        ReposError: the branch does not take that commit.
    """
    source, path = manifest.source, lock_path(record.tag)
    tip = _locked_tip(manifest, repository, record)
    if tip is None:
        return False
    made, _ = add_file(repository, tip, path, None, f"Give up release {record.project} {record.version}\n")
    progress(f"{source.name}: taking the lock off {source.branch}")
    move = Move.of(source.name, record.source.url, RefUpdate(record.branch, tip, made))
    endpoint = endpoints(repository, {source.name: source.url})[source.name]
    pushed, refs = push_move(repository, transaction, move, endpoint, hold=True)
    if refs.get(record.branch) != made:
        raise pushed.problem(
            f"{source.name} did not take the commit that removes {path}:\n{pushed.said}",
            hint=f"openllm-repos release abort {record.version}  # again, or remove that file by hand",
        )
    return True


def _locked_tip(manifest: Manifest, repository: Repository, record: ReleaseRecord) -> ObjectId | None:
    """Return the tip of the source's branch, where it has the lock."""
    tip = source_state(manifest, repository).tip
    if tip is None:
        return None
    with ObjectReader(repository.git) as reader:
        return tip if reader.find(f"{tip}:{lock_path(record.tag)}".encode()) is not None else None
