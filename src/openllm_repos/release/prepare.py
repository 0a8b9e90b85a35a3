"""Everything that a release pushes, made before the first push: the lock, its commit, and every tag."""

from __future__ import annotations

from dataclasses import replace

from openllm_repos.errors import ConflictError
from openllm_repos.git.remote import endpoints
from openllm_repos.git.repository import Repository
from openllm_repos.git.single import add_file
from openllm_repos.git.tags import TagObject, sign_tag, tag_object, tag_text, tagger_now, write_tag
from openllm_repos.journal.releases import ReleaseRecord, ReleaseRow
from openllm_repos.lockfile.model import Lock, LockedRepo, lock_path
from openllm_repos.lockfile.text import format_lock, message_with_lock, parse_lock
from openllm_repos.manifest.model import LockPlace, Manifest, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoUrl
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import ReleasePlan, RepoPlan

RELEASE = "Release"


def lock_of(manifest: Manifest, plan: ReleasePlan) -> Lock:
    """Return the lock of a planned release whose targets are synced."""
    by_name = {row.repo.name: row for row in plan.repos}
    others = [by_name[repo.name] for repo in manifest.repos if repo.name in by_name and repo.role is not Role.SOURCE]
    rows = [by_name[manifest.source.name], *others]
    return Lock(plan.project, plan.version, plan.tag, plan.manifest, tuple(_locked(plan, row) for row in rows))


def _locked(plan: ReleasePlan, row: RepoPlan) -> LockedRepo:
    repo = row.repo
    is_source = repo.role is Role.SOURCE
    commit = plan.source_commit if is_source else row.commit
    assert commit is not None  # a repo without a commit is an obstacle
    return LockedRepo(
        name=repo.name,
        role=str(repo.role),
        kind=str(repo.kind),
        repo_id=repo.repo_id,
        url=repo.url,
        branch=repo.branch,
        tag=row.tag,
        commit=commit,
        tree=plan.source_tree if is_source else row.tree,
        source=plan.source_commit if repo.role is Role.TARGET else None,
        submodule=repo.submodule,
    )


def prepare(manifest: Manifest, desk: Desk, plan: ReleasePlan) -> ReleaseRecord:
    """Make the lock, its commit and every tag, as objects only; return what is to be written down before any push.

    The tagger is the committer of the lock's commit, to the second. So whoever finishes the release later, on any
    machine, makes the same tags; only signed ones must come from the log.

    Raises:
        EnvironmentProblem: git does not know who the person is, or cannot sign.
    """
    repository = desk.repository
    lock = lock_of(manifest, plan)
    text = format_lock(lock)
    in_tag = plan.lock is LockPlace.TAG
    if in_tag:
        commit, tagger = plan.source_commit, tagger_now(repository)
    else:
        commit, tagger = add_file(
            repository, plan.source_commit, lock_path(lock.tag), text.encode(), _lock_message(lock)
        )
    record = ReleaseRecord(
        project=lock.project,
        version=lock.version,
        tag=lock.tag,
        tagger=tagger,
        lock=text,
        in_tag=in_tag,
        branch=lock.source.branch.ref,
        base=plan.source_commit,
        commit=commit,
        locked=in_tag,
        rows=rows_of(lock, commit),
    )
    for row in record.rows:
        record = with_tag(desk, record, row, signed=plan.signed)
    return record


def rows_of(lock: Lock, commit: ObjectId) -> tuple[ReleaseRow, ...]:
    """Return a row for each repo in the order in which they are tagged: targets, members, and the source last.

    Args:
        lock: the release.
        commit: the commit that the source's tag names.
    """
    order = (Role.TARGET, Role.MEMBER, Role.SOURCE)
    repos = sorted(lock.repos, key=lambda repo: order.index(Role(repo.role)))
    return tuple(
        ReleaseRow(repo.name, repo.role, repo.url, repo.tag, commit if repo is lock.source else repo.commit)
        for repo in repos
    )


def with_tag(desk: Desk, record: ReleaseRecord, row: ReleaseRow, *, signed: bool) -> ReleaseRecord:
    """Return the record with the tag of a row made, as its content and id; nothing is written to the clone.

    Raises:
        EnvironmentProblem: git cannot sign, or the commit that is to be tagged cannot be fetched.
    """
    message = _tag_message(record, row)
    if signed:
        _require(desk, record, row)
        made = sign_tag(desk.scratch(row.repo), row.commit, row.tag, record.tagger, message)
    else:
        text = tag_text(row.commit, row.tag, record.tagger, message)
        made = tag_object(text, desk.repository.object_format)
    return record.with_row(replace(row, text=made.text, object=made.id))


def place_to_push(desk: Desk, record: ReleaseRecord, row: ReleaseRow) -> tuple[Repository, TagObject]:
    """Return the repository from which a tag is pushed, with the tag in it.

    That is the clone where it has the commit; its hooks then see the push. A commit that it lacks is brought into a
    scratch repository, alone.

    Raises:
        EnvironmentProblem: that commit cannot be fetched.
        ConflictError: its remote does not give it out any more.
    """
    where = desk.repository if desk.holds(row.commit) else _require(desk, record, row)
    return where, write_tag(where, row.text)


def _require(desk: Desk, record: ReleaseRecord, row: ReleaseRow) -> Repository:
    locked = parse_lock(record.lock, "the log").repo(row.repo)
    assert locked is not None
    endpoint = endpoints(desk.repository, {row.repo: RepoUrl(row.url)})[row.repo]
    where = desk.bring(row.repo, endpoint, row.commit, locked.branch.ref)
    if where is None:
        raise ConflictError(
            f"{row.repo} does not give out its commit {row.commit[:10]} any more, which {row.tag} is to name.",
            hint=f"openllm-repos release abort {record.version}  # gives this version up, if the history was rewritten",
        )
    return where


def _lock_message(lock: Lock) -> str:
    repos = "".join(f"  {repo.name} {repo.tag} {repo.commit[:10]} {repo.url}\n" for repo in lock.others)
    return f"Release {lock.project} {lock.version}\n" + (f"\n{repos}" if repos else "")


def _tag_message(record: ReleaseRecord, row: ReleaseRow) -> str:
    """Return a tag's message. Other repos' names and places stand on the source alone: not all may be public."""
    headline = f"{record.project} {record.version}"
    lock = parse_lock(record.lock, "the log")
    if row.repo != lock.source.name:
        told = f"Part of the release {record.tag} of {lock.source.url}"
        return f"{headline}\n\n{told}\n\n{RELEASE}: {record.version}\nSource-Repo: {lock.source.url}\n"
    if record.in_tag:
        return message_with_lock(headline, lock)
    family = "".join(f"  {repo.name} {repo.tag} {repo.commit[:10]} {repo.url}\n" for repo in lock.others)
    return f"{headline}\n\n{family}\nLock: {lock_path(record.tag)}\n{RELEASE}: {record.version}\n"
