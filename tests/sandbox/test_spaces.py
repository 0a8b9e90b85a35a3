"""A Space is built after each push: BUILDING first, then what its files, or the test, want."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub.errors import HfHubHTTPError

from openllm_repos.sandbox import Sandbox
from tests.support.hub import client, clone, push
from tests.support.repositories import Clone

SPACE = "lemms/openllm"


@pytest.fixture
def space(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of a new Space, which has no app yet."""
    sandbox.hub.create("space", SPACE)
    return clone(sandbox, f"spaces/{SPACE}", tmp_path / "space")


def stages(sandbox: Sandbox, count: int) -> list[str]:
    api = client(sandbox)
    return [str(api.get_space_runtime(SPACE).stage) for _ in range(count)]


def test_a_push_is_built_and_then_runs(space: Clone, sandbox: Sandbox) -> None:
    assert stages(sandbox, 1) == ["NO_APP_FILE"]
    tip = space.commit("an app", {"app.py": "print()\n"})
    push(space)
    assert stages(sandbox, 3) == ["BUILDING", "RUNNING", "RUNNING"]
    api = client(sandbox)
    assert api.get_space_runtime(SPACE).raw["sha"] == tip
    log = list(api.fetch_space_logs(SPACE, build=True))
    assert log == [f"===== Build of {tip[:7]} =====\n", "Application startup: app.py\n", "Running.\n"]


@pytest.mark.slow
def test_while_a_new_build_goes_on_the_old_app_runs(space: Clone, sandbox: Sandbox) -> None:
    old = space.commit("an app", {"app.py": "print()\n"})
    push(space)
    stages(sandbox, 2)
    sandbox.hub.build(SPACE, asks=2)
    new = space.commit("a better app", {"app.py": "print(1)\n"})
    push(space)
    seen = [client(sandbox).get_space_runtime(SPACE) for _ in range(3)]
    assert [str(one.stage) for one in seen] == ["RUNNING_BUILDING", "RUNNING_BUILDING", "RUNNING"]
    assert [one.raw["sha"] for one in seen] == [old, old, new]


def test_the_client_waits_until_a_build_is_over(space: Clone, sandbox: Sandbox) -> None:
    sandbox.hub.build(SPACE, stage="BUILD_ERROR", log=["ERROR: no matching distribution for torhc"], asks=3)
    space.commit("a typo", {"app.py": "x\n", "requirements.txt": "torhc\n"})
    push(space)
    ended = client(sandbox).wait_for_space(SPACE, poll_interval=0.01)
    assert (str(ended.stage), ended.raw["errorMessage"]) == (
        "BUILD_ERROR",
        "ERROR: no matching distribution for torhc",
    )
    assert list(client(sandbox).fetch_space_logs(SPACE, build=True)) == ["ERROR: no matching distribution for torhc\n"]
    assert list(client(sandbox).fetch_space_logs(SPACE)) == []


@pytest.mark.parametrize(
    ("files", "stage"),
    [
        ({"README.md": "# No front matter\n", "app.py": "x\n"}, "CONFIG_ERROR"),
        ({"README.md": None, "app.py": "x\n"}, "CONFIG_ERROR"),
        ({"README.md": "---\nsdk: gradio\napp_file: main.py\n---\n", "app.py": "x\n"}, "NO_APP_FILE"),
        ({"README.md": "---\nsdk: gradio\napp_file: main.py\n---\n", "main.py": "x\n"}, "RUNNING"),
        ({"README.md": "---\nsdk: static\n---\n", "index.html": "<p>\n"}, "RUNNING"),
        ({"README.md": "---\nsdk: docker\n---\n", "app.py": "x\n"}, "NO_APP_FILE"),
        ({"README.md": "---\nsdk: docker\n---\n", "Dockerfile": "FROM x\n"}, "RUNNING"),
    ],
)
def test_the_stage_is_what_the_files_deserve(
    space: Clone, sandbox: Sandbox, files: dict[str, str | None], stage: str
) -> None:
    space.commit("change", files)
    assert push(space).code == 0
    assert stages(sandbox, 2) == (["BUILDING", stage] if stage == "RUNNING" else [stage, stage])


def test_a_push_to_another_branch_builds_nothing(space: Clone, sandbox: Sandbox) -> None:
    space.commit("an app", {"app.py": "print()\n"})
    push(space, "HEAD:refs/heads/try")
    assert stages(sandbox, 1) == ["NO_APP_FILE"]


def test_a_space_is_paused_and_restarted(space: Clone, sandbox: Sandbox) -> None:
    space.commit("an app", {"app.py": "print()\n"})
    push(space)
    api = client(sandbox)
    assert str(api.pause_space(SPACE).stage) == "PAUSED"
    assert stages(sandbox, 1) == ["PAUSED"]
    api.restart_space(SPACE)
    assert stages(sandbox, 1) == ["RUNNING"]


def test_only_who_may_write_sees_the_logs_and_presses_buttons(space: Clone, sandbox: Sandbox) -> None:
    del space
    other = client(sandbox, "hf_other")
    with pytest.raises(HfHubHTTPError, match="403"):
        list(other.fetch_space_logs(SPACE, build=True))
    with pytest.raises(HfHubHTTPError, match="403"):
        other.pause_space(SPACE)
    assert str(other.get_space_runtime(SPACE).stage) == "NO_APP_FILE"


def test_a_model_has_no_runtime(sandbox: Sandbox) -> None:
    sandbox.hub.create("model", "lemms/x")
    with pytest.raises(HfHubHTTPError, match="404"):
        client(sandbox).get_space_runtime("lemms/x")
