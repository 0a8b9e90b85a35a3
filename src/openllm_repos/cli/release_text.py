"""Releases as lines for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from openllm_repos.cli.plan_text import step_json, step_lines
from openllm_repos.cli.table import Column, Row, table_lines, terminal_columns
from openllm_repos.family.tags import TagState
from openllm_repos.hint import gathered, hint_lines, note_lines
from openllm_repos.lockfile.model import lock_path
from openllm_repos.manifest.model import LockPlace, Role
from openllm_repos.plan import Stopped
from openllm_repos.text import show

if TYPE_CHECKING:
    from openllm_repos.family.tags import ReleaseTags, RepoTag
    from openllm_repos.release.carry import Mended, Unfinished
    from openllm_repos.release.model import Obstacle, ReleasePlan, RepoPlan, Tagged

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
    if row.state is TagState.GOOD:
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
    for one in gathered(obstacles, "repo", "message"):
        yield show(f"{one.repo}: {one.message}")
        yield from hint_lines(one.next, "  ")


def unfinished_lines(release: Unfinished) -> Iterator[str]:
    """Yield what is made sure of, of a release that was begun or is out."""
    record = release.record
    how = "is out" if release.out else "was begun before, and is not out yet"
    yield f"The release {record.tag} {how}. This makes sure of:"
    yield from (f"tag  {one.repo.name}: {state_said(one)}" for one in release.tags)


def tagged_lines(version: str, result: Mended) -> Iterator[str]:
    """Yield what came of a release, and what of it cannot be made good."""
    rows = [Row([one.repo, one.tag, one.commit[:10], one.url]) for one in result.tagged]
    yield from table_lines(_TAGGED, rows, width=terminal_columns())
    yield from obstacle_lines(result.left)
    if any(one.pushed for one in result.tagged):
        yield f"Released: {version}"
    elif not result.left:
        yield f"Nothing to do: it is released, and every tag is there: {version}"
    if result.left:
        names = ", ".join(dict.fromkeys(one.repo for one in result.left))
        yield f"{version} is out all the same, without {names}; the next release is not held up."


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
        "obstacles": [_obstacle(one) for one in plan.obstacles],
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


def unfinished_json(release: Unfinished, tagged: Sequence[Tagged], left: Sequence[Obstacle]) -> dict[str, Any]:
    """Return a release that was begun before or is out, and what came of it now."""
    record, came = release.record, {one.repo: one for one in tagged}
    return {
        "schema": SCHEMA,
        "project": record.project,
        "version": record.version,
        "tag": record.tag,
        "resumed": True,
        "out": release.out,
        "obstacles": [_obstacle(one) for one in left],
        "repos": [
            {
                "name": one.repo.name,
                "role": one.repo.role,
                "url": one.repo.url,
                "tag": one.repo.tag,
                "commit": one.commit,
                "state": str(one.state),
                "outcome": _outcome(came.get(one.repo.name)),
            }
            for one in release.tags
        ],
    }


def _obstacle(one: Obstacle) -> dict[str, Any]:
    return {"repo": one.repo, "message": one.message, "next": one.next or None, "exit_code": one.exit_code}


def _outcome(one: Tagged | None) -> dict[str, Any] | None:
    return None if one is None else {"commit": one.commit, "pushed": one.pushed}


def state_said(one: RepoTag) -> str:
    """Say how a repo holds the tag of a release."""
    where = f"{one.repo.tag} at {one.commit[:10]}"
    match one.state:
        case TagState.GOOD:
            return where
        case TagState.MOVED:
            return f"moved: {one.repo.tag} is at {str(one.held)[:10]}, and the lock says {one.commit[:10]}"
        case TagState.UNKNOWN:
            return f"unreachable: {one.problem}"
        case _:
            return f"{one.state}: {where}"


def said_of(one: ReleaseTags) -> str:
    """Say how a release stands, in a few words."""
    if one.fault:
        return one.fault
    if one.found is None:
        return "no lock: not made by a release"
    if one.good:
        return f"complete, {len(one.repos)} repos"
    words = [str(repo.state) for repo in one.repos if not repo.state.settled]
    counted = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    half = "" if one.out else "not out yet: "
    return f"{half}{one.tagged} of {len(one.repos)} repos have it ({counted})"
