"""What an operation did to a target, taken back: what the commit holds, and which state it says."""

from __future__ import annotations

import pytest

from openllm_repos.errors import ConflictError, UsageError
from openllm_repos.family.state import TargetState, find_state
from openllm_repos.git.objects import ObjectReader
from openllm_repos.journal.log import Move, Operation
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Action, Stopped, TargetPlan
from openllm_repos.undo.target import plan_target_undo
from tests.support.repositories import Clone
from tests.support.stated import URLS, Stated, parse


@pytest.fixture
def stated(clone: Clone) -> Stated:
    return Stated.of(clone)


def undo(stated: Stated, new: ObjectId, old: ObjectId | None = None, **said: object) -> TargetPlan | Stopped:
    """Plan to take back what moved the target to `new`, from its parent by default."""
    old = old or ObjectId(stated.clone.tip(f"{new}^"))
    move = Move("space", URLS[1], "refs/heads/main", old, new)
    operation = Operation("20261124T221501Z-a1f9", "sync", 0, (move,))
    return plan_target_undo(stated.manifest, stated.repository, stated.remote(**said), operation, move)


def undone(stated: Stated, new: ObjectId, old: ObjectId | None = None) -> ObjectId:
    """Take it back, on the target too; return the commit."""
    plan = undo(stated, new, old)
    assert isinstance(plan, TargetPlan), plan
    assert (plan.action, plan.commits) == (Action.UNDO, 1)
    assert plan.update is not None
    assert (plan.update.old, plan.tip) == (stated.tip, stated.tip)
    stated.clone.git("checkout", "-q", "--detach")
    stated.clone.git("branch", "-f", "space", plan.update.new)
    return plan.update.new


def said(stated: Stated, commit: ObjectId) -> TargetState | None:
    """Return the state that a commit of the target is in."""
    with ObjectReader(stated.repository.git) as reader:
        found = find_state(stated.repository, reader, commit, stated.manifest.source.url)
    return None if found is None else found.state


def test_what_no_sync_brought_goes_without_a_word_on_the_source_and_once_gone_there_is_nothing_to_do(
    stated: Stated,
) -> None:
    published = stated.edit({"training/model.py": "published\n"})
    taken = undone(stated, published)
    assert stated.clone.files("space") == {"app.py": b"app\n"}
    assert stated.clone.trailers(taken) == {}
    plan = undo(stated, published)
    assert isinstance(plan, TargetPlan)
    assert (plan.action, plan.update, plan.changes) == (Action.UP_TO_DATE, None, ())
    assert (plan.source_commit, plan.projected) == (stated.tip, stated.repository.zero)


def test_the_target_says_again_what_it_had_of_the_source_and_which_edits_are_its_own(stated: Stated) -> None:
    first = stated.head
    stated.sync({"training/model.py": "one\n"})
    early = stated.edit({"training/early.py": "early\n"})
    stated.source({"core/model.py": "two\n"})
    second = stated.sync({"training/model.py": "two\n"}, early)
    late = stated.edit({"training/late.py": "late\n"})
    plan = undo(stated, second)
    assert isinstance(plan, TargetPlan)
    assert (plan.source_commit, plan.projected) == (first, stated.projected(first))
    taken = undone(stated, second)
    assert said(stated, taken) == stated.state(first, (early, late))
    assert stated.clone.read("training/model.py", "space") == b"one\n"
    message = stated.clone.git("log", "-1", "--format=%B", taken)
    assert message.startswith(f'Undo "Sync"\n\nWhat it changed is as it was at {early[:10]}, but for what was edited')
    assert "\n\n    core/*.py -> training/\n\nSource-Repo: " in message
    again = undone(stated, taken, late)  # and an undo of that has the state of the sync again
    assert said(stated, again) == stated.state(stated.head, (early, late))


def test_a_first_sync_taken_back_leaves_a_target_that_has_nothing_of_the_source(stated: Stated) -> None:
    listed = stated.edit({"training/own.py": "own\n"})
    first = stated.sync({"training/model.py": "one\n"}, listed)
    late = stated.edit({"training/late.py": "late\n"})
    taken = undone(stated, first)
    assert said(stated, taken) == TargetState.of(stated.target, None, None, (late,))
    assert stated.clone.paths("space") == ["app.py", "training/late.py", "training/own.py"]
    stated.source({"core/model.py": "two\n"})
    second = stated.sync({"training/model.py": "two\n"})
    assert said(stated, undone(stated, second)) == TargetState.of(stated.target, None, None, (late,))


def test_what_was_taken_back_by_hand_is_only_written_down(stated: Stated) -> None:
    first = stated.head
    stated.sync({"training/model.py": "one\n"})
    stated.source({"core/model.py": "two\n"})
    sync = stated.sync({"training/model.py": "two\n"})
    by_hand = stated.edit({"training/model.py": "one\n"})
    taken = undone(stated, sync)
    assert said(stated, taken) == stated.state(first, (by_hand,))
    assert stated.clone.git("diff", "--name-only", by_hand, taken) == ""


def test_what_another_tool_had_pushed_is_the_sources_again_after_an_undo(stated: Stated) -> None:
    """Where `git subtree` kept a target before, the history itself says what was the source's."""
    first, projected = stated.head, stated.projected(stated.head)
    stated.clone.switch("space", at=projected)
    stated.edit({"app.py": "app\n"})
    stated.source({"core/model.py": "two\n"})
    taken = undone(stated, stated.sync({"training/model.py": "two\n"}))
    assert said(stated, taken) == stated.state(first)
    nothing = TargetState.of(stated.target, None, None)
    stated.clone.git("branch", "-q", "-f", "space", projected)
    assert said(stated, undone(stated, stated.sync({"training/x.py": "x\n"}, state=nothing))) == nothing


def test_an_operation_that_brought_the_branch_leaves_it_empty(clone: Clone, stated: Stated) -> None:
    clone.git("branch", "-q", "-m", "space", "before")
    clone.orphan("space")
    clone.git("commit", "-q", "--allow-empty", "-m", "x")
    first = stated.sync({"training/model.py": "one\n"})
    plan = undo(stated, first, stated.repository.zero)
    assert isinstance(plan, TargetPlan)
    taken = undone(stated, first, stated.repository.zero)
    assert clone.paths("space") == []
    assert said(stated, taken) == TargetState.of(stated.target, None, None)
    assert "What it changed is gone, but for" in clone.git("log", "-1", "--format=%B", taken)


def stopped(stated: Stated, new: ObjectId, old: ObjectId | None = None, **remote: object) -> Stopped:
    answer = undo(stated, new, old, **remote)
    assert isinstance(answer, Stopped)
    return answer


def test_a_branch_that_has_lost_the_operation_has_nothing_to_take_back(stated: Stated) -> None:
    before = stated.tip
    sync = stated.sync({"training/model.py": "one\n"})
    gone = ObjectId("1" * 40)
    for answer in (stopped(stated, sync, tip=before), stopped(stated, gone, before)):
        assert (answer.exit_code, answer.hint) == (ConflictError.exit_code, f"What it was before is {before}.")
        assert "which 20261124T221501Z-a1f9 brought: its branch was rewritten since." in answer.reason
    assert "space has no branch main any more." in stopped(stated, sync, tip=None).reason
    other = stopped(stated, sync, tip=None, branches=("old",))
    assert (other.exit_code, other.hint) == (UsageError.exit_code, "openllm-repos manifest set repos.space.branch old")
    assert "is unreachable: gone." in stopped(stated, sync, problem="gone").reason


@pytest.mark.parametrize(("names", "some"), [(["model"], "1 file"), (["model", "train"], "2 files")])
def test_what_has_gone_on_in_the_same_lines_does_not_let_go(stated: Stated, names: list[str], some: str) -> None:
    sync = stated.sync({f"training/{name}.py": "one\n" for name in names})
    stated.edit({f"training/{name}.py": "mine\n" for name in names})
    answer = stopped(stated, sync)
    assert f"space has other changes to {some} since" in answer.reason
    assert [conflict.path.decode() for conflict in answer.conflicts] == [f"training/{name}.py" for name in names]


def test_another_sync_since_goes_first(stated: Stated) -> None:
    first = stated.sync({"training/model.py": "one\n"})
    stated.source({"core/model.py": "two\n"})
    second = stated.sync({"training/model.py": "two\n"})
    assert f"space was synced again since, with {second[:10]}." in stopped(stated, first).reason


def test_nothing_that_is_the_targets_own_is_changed(stated: Stated) -> None:
    sync = stated.sync({"training/model.py": "one\n", "training/train.py": "x\n" * 9})
    stated.manifest = parse(maps=[("core/model.py", "training/")], owned="training/train.py")
    assert "would change training/train.py, which is the target's own" in stopped(stated, sync).reason


def test_a_file_that_was_renamed_since_is_left_to_its_people(stated: Stated) -> None:
    lines = "".join(f"line {number}\n" for number in range(9))
    stated.edit({"training/model.py": lines})
    sync = stated.sync({"training/model.py": lines.replace("line 4", "four")})
    stated.edit({"training/model.py": None, "training/mine.py": lines.replace("line 4", "four")})
    answer = stopped(stated, sync)
    assert "would change training/mine.py, which is the target's own" in answer.reason
    assert answer.hint == "Nothing was changed. Take it back there by hand."
