"""A sync from Python: plan_sync, apply, and their results, without the command line."""

from __future__ import annotations

import dataclasses

import pytest

from openllm_repos.errors import UsageError
from openllm_repos.family import remotes
from openllm_repos.git.remote import Unreachable
from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import exclusive
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Action, Change, Outcome, Stopped, TargetPlan
from openllm_repos.sync import planning
from openllm_repos.sync.apply import apply
from openllm_repos.sync.planning import plan_sync
from tests.support.family import Family


def _open(family: Family) -> tuple[Manifest, Repository]:
    return Manifest.load(family.clone.path / "repos.toml"), Repository.open(family.clone.path)


def test_plan_and_apply(family: Family) -> None:
    manifest, repository = _open(family)
    with exclusive(repository, "my script"):
        plan = plan_sync(manifest, repository)
        outcomes = apply(plan, manifest, repository)
    (step,), (outcome,) = plan.targets, outcomes
    assert isinstance(step, TargetPlan)
    assert (plan.source, plan.source_commit, plan.notes) == ("main", family.clone.tip(), ())
    assert (step.action, step.tip, step.commits) == (Action.CREATE, None, 2)
    assert {change.path: change.change for change in step.changes} == dict.fromkeys(
        (b"configs/small.json", b"training/model.py", b"training/train.py"), Change.ADDED
    )
    assert outcome == Outcome("space", Action.CREATE, ObjectId(family.space.tip("main")), pushed=True, attempts=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        plan.source = "x"  # type: ignore[misc]


def test_a_plan_alone_moves_no_ref(family: Family) -> None:
    manifest, repository = _open(family)
    refs = family.clone.tips()
    plan_sync(manifest, repository, ["space"])
    assert (family.clone.tips(), family.space.tips()) == (refs, {})


def test_a_target_that_does_not_exist_is_refused_before_anything_starts(family: Family) -> None:
    manifest, repository = _open(family)
    with pytest.raises(UsageError, match="no repo 'sapce'"):
        plan_sync(manifest, repository, ["sapce"])


def test_a_space_that_vanished_after_the_plan_stops_that_target_only(family: Family) -> None:
    manifest, repository = _open(family)
    plan = plan_sync(manifest, repository)
    family.space.path.rename(family.folder / "gone.git")
    told: list[str] = []
    (outcome,) = apply(plan, manifest, repository, told.append)
    assert isinstance(outcome, Stopped)
    assert outcome.exit_code == 30
    assert "The push may have landed" in outcome.reason
    assert len(told) == 1


def test_a_branch_that_moves_while_it_is_fetched_is_fetched_again(family: Family) -> None:
    family.synced()
    manifest, repository = _open(family)
    (state,) = remotes.ask(repository, [manifest.target("space")]).values()
    first = family.edit("One", {"app.py": "1\n"})
    (seen,) = remotes.ask(repository, [manifest.target("space")]).values()
    assert (state.tip != seen.tip, seen.tip) == (True, first)
    work = family.work
    work.git("reset", "-q", "--hard", "HEAD^")
    work.commit("Rewritten", {"app.py": "2\n"})
    work.git("push", "-q", "--force", "origin", "HEAD:refs/heads/main")
    family.space.git("reflog", "expire", "--expire=now", "--all")
    family.space.git("gc", "-q", "--prune=now")
    (brought,) = remotes.bring(repository, [seen]).values()
    assert (brought.problem, brought.tip) == ("", work.tip())


def test_a_branch_that_moves_faster_than_it_can_be_fetched(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    family.synced()
    manifest, repository = _open(family)
    family.edit("One", {"app.py": "1\n"})
    (seen,) = remotes.ask(repository, [manifest.target("space")]).values()

    def nothing(_: Repository, __: str, wanted: str, **___: object) -> None:
        if wanted == seen.tip:
            why = Unreachable("not our ref")
            why.refused = True
            raise why

    monkeypatch.setattr(remotes, "fetch", nothing)
    (brought,) = remotes.bring(repository, [seen]).values()
    assert "its branch main moves faster than it can be fetched" in brought.problem
    assert brought.tip is None


def test_what_the_clone_remembers_needs_no_remote(family: Family) -> None:
    family.synced()
    manifest, repository = _open(family)
    family.space.path.rename(family.folder / "gone.git")
    states = remotes.remember(repository, manifest.repos)
    space, source = states[manifest.target("space").name], states[manifest.source.name]
    assert (space.problem, space.remembered) == ("", True)
    assert space.tip == family.clone.tip("refs/remotes/space/main")
    assert (source.tip, source.problem) == (None, "never fetched")
    assert "--offline" in source.hint


def test_a_merge_that_gave_something_else_than_the_projection_is_never_pushed(
    family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    family.synced()
    family.commit("On", {"core/src/train.py": "on\n"})
    manifest, repository = _open(family)

    def forgetful(repository: Repository, *_: object) -> tuple[ObjectId, tuple[()]]:
        return ObjectId(repository.git.text("rev-parse", "refs/remotes/space/main^{tree}")), ()

    monkeypatch.setattr(planning, "merged_tree", forgetful)
    (step,) = plan_sync(manifest, repository).targets
    assert isinstance(step, Stopped)
    assert step.exit_code == 3
    assert "the merge gave something else than the projection, though the target has no drift" in step.reason
