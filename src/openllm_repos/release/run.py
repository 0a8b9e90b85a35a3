"""A release from its plan to its end: sync, prepare, carry out."""

from __future__ import annotations

from collections.abc import Callable

from openllm_repos.errors import ConflictError, ReposError
from openllm_repos.git.objects import ObjectReader
from openllm_repos.journal.transaction import Transaction
from openllm_repos.manifest.model import At, Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Outcome, Stopped, TargetPlan
from openllm_repos.release.begun import find_lock, source_state
from openllm_repos.release.carry import SourceMoved, carry_out
from openllm_repos.release.checks import about_versions
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import Obstacle, ReleasePlan, Tagged, refusal
from openllm_repos.release.planning import planned, tagged_commit
from openllm_repos.release.prepare import prepare
from openllm_repos.sync.apply import apply

Progress = Callable[[str], None]


def require_possible(plan: ReleasePlan) -> None:
    """Refuse a plan that something stands against; all of it is said.

    Raises:
        ReleaseRefused, ReleaseUnreachable: something does.
    """
    if plan.obstacles:
        count = "1 thing stands" if len(plan.obstacles) == 1 else f"{len(plan.obstacles)} things stand"
        raise refusal(
            f"{count} against the release {plan.tag}; nothing was changed:",
            plan.obstacles,
            hint=plan.after,
        )


def make_release(
    manifest: Manifest, desk: Desk, plan: ReleasePlan, progress: Progress = lambda _: None
) -> tuple[Tagged, ...]:
    """Make a planned release. The caller holds the clone's lock since before the plan was made.

    Args:
        manifest: what the plan was made from.
        desk: the one that it was made on; not on a quarantine.
        plan: nothing stands against it.
        progress: gets a line before each push.

    Returns:
        Every repo with its tag, as the remotes say in the end.

    Raises:
        ReposError: what stopped it. Whatever is done stays, and the same command goes on from there.
    """
    require_possible(plan)
    with Transaction(desk.repository, f"release {plan.version}") as transaction:
        plan = _synced(manifest, desk, plan, progress, transaction)
        try:
            return carry_out(desk, prepare(manifest, desk, plan), progress, transaction)
        except SourceMoved as moved:
            _tell_who_was_quicker(manifest, desk, plan, moved)
            raise


def _synced(
    manifest: Manifest, desk: Desk, plan: ReleasePlan, progress: Progress, transaction: Transaction
) -> ReleasePlan:
    """Sync the targets; return the plan with the commits that they really have now.

    Raises:
        ReleaseRefused: a target could not be synced.
    """
    outcomes = apply(plan.sync, manifest, desk.repository, progress, operation=transaction)
    stopped = [
        Obstacle(one.target, one.reason.removeprefix(f"{one.target}: "), one.hint, one.exit_code)
        for one in outcomes
        if isinstance(one, Stopped)
    ]
    if stopped:
        done = ", ".join(one.target for one in outcomes if isinstance(one, Outcome) and one.pushed) or "none"
        raise refusal(
            f"Not every target could be synced, so nothing was tagged (synced by this run: {done}):",
            stopped,
            hint=plan.after,
        )
    steps = {step.target: step for step in plan.sync.targets if isinstance(step, TargetPlan)}
    for outcome in outcomes:
        assert isinstance(outcome, Outcome)  # the others were raised
        plan = _at_outcome(manifest, desk, plan, steps[outcome.target], outcome)
    return plan


def _at_outcome(manifest: Manifest, desk: Desk, plan: ReleasePlan, step: TargetPlan, outcome: Outcome) -> ReleasePlan:
    """Return the plan with a target's commit as its remote has it; somebody may have pushed to it meanwhile."""
    repo = manifest.target(outcome.target)
    made = step.update.new if step.update is not None else None
    commit = made if made is not None and repo.at is At.SYNCED else outcome.tip
    if repo.at is At.SYNCED and made is None:
        commit = tagged_commit(desk.repository, manifest, repo, outcome.tip) or outcome.tip
    row = next(row for row in plan.repos if row.repo.name == repo.name)
    if row.commit == commit:
        return plan
    with ObjectReader(desk.repository.git) as reader:
        content = reader.read(commit.encode()).data
        faults = list(about_versions(manifest, repo.name, repo, reader, commit, plan.version))
    if faults:
        raise refusal(f"{repo.name} has moved while it was synced:", faults, hint="Then run the same command again.")
    return planned(plan, repo.name, commit, ObjectId(content[5 : content.index(b"\n")].decode()))


def _tell_who_was_quicker(manifest: Manifest, desk: Desk, plan: ReleasePlan, moved: SourceMoved) -> None:
    """Say so where the source moved because somebody else has begun the same release.

    Raises:
        ConflictError: that is why.
    """
    try:
        found = find_lock(desk.repository, source_state(manifest, desk.repository), plan.tag)
    except ReposError:
        return
    if found is not None:
        who = found.tagger.partition(" <")[0]
        raise ConflictError(
            f"{who} has begun the release {plan.tag} meanwhile, with {found.commit[:10]}; nothing of yours was pushed.",
            hint=f"openllm-repos release {plan.version}  # finishes it, if nobody else does soon",
        ) from moved
