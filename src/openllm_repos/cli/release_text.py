"""Releases as lines for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from openllm_repos.cli.plan_text import step_json, step_lines
from openllm_repos.cli.table import Column, Row, table_lines, terminal_columns
from openllm_repos.family.releases import TagState
from openllm_repos.hint import hint_lines, note_lines
from openllm_repos.lockfile.model import lock_path
from openllm_repos.manifest.model import LockPlace, Role
from openllm_repos.plan import Stopped
from openllm_repos.text import show

if TYPE_CHECKING:
    from openllm_repos.journal.releases import ReleaseRecord
    from openllm_repos.release.model import Obstacle, ReleasePlan, RepoPlan, Tagged
    from openllm_repos.release.verify import VerifiedRelease, VerifiedRepo

SCHEMA = 1
_TAGGED = (Column(), Column(yields=1), Column(yields=2), Column(yields=3))


def release_lines(plan: ReleasePlan, *, every_file: bool) -> Iterator[str]:
    """Yield a plan as lines: what is synced, where the lock goes, and each tag in its order."""
    source = next(row for row in plan.repos if row.repo.role is Role.SOURCE)
    signed = ", signed" if plan.signed else ""
    yield show(f"{plan.project} {plan.version}, from {source.repo.name} at {plan.source_commit[:10]}{signed}")
    for note in plan.notes:
        yield from note_lines(note)
    for step in plan.sync.targets:
        if isinstance(step, Stopped):
            yield f"sync {step.target}: stopped"
        else:
            yield from (
                f"sync {line}" if at == 0 else line for at, line in enumerate(step_lines(step, every_file=every_file))
            )
    if plan.lock is LockPlace.COMMIT:
        yield f"lock {source.repo.name}: {lock_path(plan.tag)}, in a commit on {source.repo.branch}"
    else:
        yield f"lock {source.repo.name}: in the message of {plan.tag}"
    for row in plan.repos:
        yield f"tag  {row.repo.name}: {row.tag} {_commit(plan, row)}"


def _commit(plan: ReleasePlan, row: RepoPlan) -> str:
    if row.state is TagState.AS_PLANNED:
        return f"is at {str(row.commit)[:10]} already"
    if row.repo.role is Role.SOURCE:
        where = "at the lock's commit" if plan.lock is LockPlace.COMMIT else f"at {plan.source_commit[:10]}"
        return f"{where}, last"
    if row.commit is None:
        return "at a commit that is not known"
    moved = {step.target for step in plan.sync.targets if not isinstance(step, Stopped) and step.update is not None}
    return "at the sync's commit" if row.repo.name in moved else f"at {row.commit[:10]}"


def obstacle_lines(obstacles: Sequence[Obstacle]) -> Iterator[str]:
    """Yield what stands against a release, each with its next step."""
    for one in obstacles:
        yield show(f"{one.repo}: {one.message}")
        yield from hint_lines(one.next, "  ")


def tagged_lines(version: str, tagged: Sequence[Tagged]) -> Iterator[str]:
    """Yield what came of a release."""
    rows = [Row([one.repo, one.tag, one.commit[:10], one.url]) for one in tagged]
    yield from table_lines(_TAGGED, rows, width=terminal_columns())
    what = "Released" if any(one.pushed for one in tagged) else "Nothing to do: it is released, and every tag is there"
    yield f"{what}: {version}"


def release_json(plan: ReleasePlan, tagged: Sequence[Tagged]) -> dict[str, Any]:
    """Return a plan and what came of it as the JSON that the documentation describes."""
    came = {one.repo: one for one in tagged}
    return {
        "schema": SCHEMA,
        "project": plan.project,
        "version": plan.version,
        "tag": plan.tag,
        "source": {"name": plan.sync.source, "commit": plan.source_commit},
        "lock": {"in": str(plan.lock), "path": lock_path(plan.tag) if plan.lock is LockPlace.COMMIT else None},
        "signed": plan.signed,
        "notes": list(plan.notes),
        "obstacles": [
            {"repo": one.repo, "message": one.message, "next": one.next or None, "exit_code": one.exit_code}
            for one in plan.obstacles
        ],
        "sync": [step_json(step) for step in plan.sync.targets],
        "repos": [
            {
                "name": row.repo.name,
                "role": str(row.repo.role),
                "url": row.url,
                "tag": row.tag,
                "commit": row.commit,
                "state": str(row.state),
                "outcome": _outcome(came.get(row.repo.name)),
            }
            for row in plan.repos
        ],
    }


def resumed_json(record: ReleaseRecord, tagged: Sequence[Tagged]) -> dict[str, Any]:
    """Return a release that was begun before, and what came of it now."""
    came = {one.repo: one for one in tagged}
    return {
        "schema": SCHEMA,
        "project": record.project,
        "version": record.version,
        "tag": record.tag,
        "resumed": True,
        "repos": [
            {
                "name": row.repo,
                "role": row.role,
                "url": row.url,
                "tag": row.tag,
                "commit": row.commit,
                "state": str(row.state),
                "outcome": _outcome(came.get(row.repo)),
            }
            for row in record.rows
        ],
    }


def _outcome(one: Tagged | None) -> dict[str, Any] | None:
    return None if one is None else {"commit": one.commit, "pushed": one.pushed}


def verdict_of(repo: VerifiedRepo) -> str:
    """Say how a repo holds the tag of a release."""
    from openllm_repos.release.verify import Verdict

    where = f"{repo.repo.tag} at {repo.commit[:10]}"
    match repo.verdict:
        case Verdict.GOOD:
            return where
        case Verdict.MISSING:
            return f"missing: {where}"
        case Verdict.MOVED:
            return f"moved: {repo.repo.tag} is at {str(repo.held)[:10]}, and the lock says {repo.commit[:10]}"
        case Verdict.UNREACHABLE:
            return f"unreachable: {repo.said}"
        case _:
            return f"{repo.verdict}: {where}"


def said_of(one: VerifiedRelease) -> str:
    """Say how a release stands, in a few words."""
    from openllm_repos.release.verify import Verdict

    if one.fault:
        return one.fault
    if one.found is None:
        return "no lock: not made by a release"
    if one.good:
        return f"complete, {len(one.repos)} repos"
    words = [str(repo.verdict) for repo in one.repos if repo.verdict is not Verdict.GOOD]
    counted = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    half = "" if one.out else "not out yet: "
    return f"{half}{one.tagged} of {len(one.repos)} repos have it ({counted})"
