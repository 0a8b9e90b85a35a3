"""The row of a target in the summary of a job: words for whatever may be planned for it and come of it."""

from __future__ import annotations

import pytest

from openllm_repos.cli.actions_parts import sync_row
from openllm_repos.manifest.parse import parse_manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Action, Outcome, RefUpdate, TargetPlan

MANIFEST = parse_manifest(
    """\
schema = 1
[project]
name = "openllm"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "lemms/openllm"
map = [{ from = "core/", to = "training/" }]
""",
    "repos.toml",
)
OLD, NEW = ObjectId("1" * 40), ObjectId("2" * 40)
LINK = f"[`{'2' * 10}`](https://huggingface.co/spaces/lemms/openllm/commit/{NEW})"


@pytest.mark.parametrize("action", list(Action))
def test_there_are_words_for_every_action(action: Action) -> None:
    update = None if action in {Action.UP_TO_DATE, Action.HELD} else RefUpdate("refs/heads/main", OLD, NEW)
    step = TargetPlan("space", "https://x", action, NEW, NEW, OLD, update)
    pushed = update is not None
    planned, done = (
        sync_row(MANIFEST, step, result) for result in (step, Outcome("space", action, NEW, pushed=pushed))
    )
    assert planned[1].startswith("would ") is pushed
    assert (done[1].startswith("would "), done[-1]) == (False, LINK)


def test_one_that_was_rolled_back_while_it_was_synced_is_held() -> None:
    step = TargetPlan("space", "https://x", Action.MERGE, NEW, NEW, OLD, RefUpdate("refs/heads/main", OLD, NEW))
    row = sync_row(MANIFEST, step, Outcome("space", Action.HELD, NEW, pushed=False, attempts=1))
    assert row == ("`space`", "held, left alone", "-", "-", "-", LINK)
