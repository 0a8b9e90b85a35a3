"""Following a build, where the Hub's answers come in an order that a person would misread."""

from __future__ import annotations

import json

import pytest

from openllm_repos.hub.client import HubClient
from openllm_repos.hub.failures import HubUnreachable
from openllm_repos.hub.model import HubRepo, HubType, Stage
from openllm_repos.hub.space import Followed, follow
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoId
from tests.support.stranger import Stranger

SPACE = HubRepo(HubType.SPACE, RepoId("lemms/openllm"))
OLD, NEW = ObjectId("1" * 40), ObjectId("2" * 40)


def _follow(
    *answers: tuple[str, ObjectId | None], commit: ObjectId | None = NEW, limit: float = 5, grace: float = 5
) -> tuple[Followed, list[str]]:
    """Follow a Space that gives these answers (stage and commit), the last one for ever; returns what was told, too."""
    told: list[str] = []
    bodies = [json.dumps({"stage": stage, "sha": sha}).encode() for stage, sha in answers]
    with Stranger(200, bodies) as hub:
        found = follow(
            HubClient(hub.url, deadline=1), SPACE, commit, told.append, limit=limit, pauses=(0.01, 0.02), grace=grace
        )
    return found, told


def _stage(found: Followed) -> Stage | None:
    return found.runtime.stage if found.runtime else None


def test_what_ran_before_is_not_taken_for_the_new_commit() -> None:
    found, told = _follow(
        ("RUNNING", OLD), ("RUNNING", OLD), ("RUNNING_BUILDING", OLD), ("RUNNING", OLD), ("RUNNING", NEW)
    )
    assert (found.late, found.failed) == (False, False)
    assert found.runtime is not None
    assert found.runtime.commit == NEW
    assert told == ["RUNNING", "RUNNING_BUILDING", "RUNNING"]


def test_a_space_that_keeps_running_the_old_commit_is_late() -> None:
    found, _ = _follow(("RUNNING", OLD), limit=0.2, grace=0.05)
    assert (found.late, found.failed, _stage(found)) == (True, False, Stage.RUNNING)


@pytest.mark.parametrize("stage", ["BUILD_ERROR", "CONFIG_ERROR"])
def test_a_failure_of_the_commit_before_is_not_ours(stage: str) -> None:
    found, _ = _follow((stage, OLD), (stage, OLD), ("BUILDING", None), ("RUNNING", None))
    assert (found.failed, _stage(found)) == (False, Stage.RUNNING)


def test_a_failure_counts_once_the_build_had_time_to_begin() -> None:
    found, _ = _follow(("BUILD_ERROR", None), grace=0.05)
    assert (found.failed, _stage(found)) == (True, Stage.BUILD_ERROR)


def test_a_failure_of_our_commit_counts_at_once() -> None:
    found, _ = _follow(("BUILD_ERROR", NEW), grace=100)
    assert found.failed


def test_a_paused_space_is_an_end_but_no_failure() -> None:
    found, _ = _follow(("PAUSED", None), grace=0.05)
    assert (found.failed, found.late, _stage(found)) == (False, False, Stage.PAUSED)


def test_without_a_commit_the_space_is_taken_as_it_is() -> None:
    found, _ = _follow(("RUNNING", OLD), commit=None)
    assert (found.late, _stage(found)) == (False, Stage.RUNNING)


def test_a_word_that_is_not_known_yet_is_waited_out() -> None:
    found, told = _follow(("HIBERNATING", None), ("RUNNING", NEW))
    assert (_stage(found), told) == (Stage.RUNNING, ["HIBERNATING", "RUNNING"])


def test_a_hub_that_never_answers_ends_in_nothing_known() -> None:
    told: list[str] = []
    found = follow(
        HubClient("http://127.0.0.1:9", deadline=0.2), SPACE, NEW, told.append, limit=0.2, pauses=(0.01, 0.05)
    )
    assert found == Followed(None, late=True)
    assert not found.failed
    assert len(told) == 1


def test_who_has_forbidden_to_ask_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubUnreachable, match="HF_HUB_OFFLINE is set"):
        follow(HubClient("http://127.0.0.1:9"), SPACE, NEW, limit=60)
