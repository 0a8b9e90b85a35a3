"""Spaces at work: what `status` tells of them, and `sync --wait`, which follows a build until it runs or has failed."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.hub_family import SPACE, HubFamily
from tests.support.repositories import Bare

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.family import Family
    from tests.support.sealed import SealedHome

URL = f"https://huggingface.co/spaces/{SPACE}"


def _status(family: Family, *args: str) -> list[str]:
    done = family.run("status", *args, cwd=family.clone.path)
    assert (done.code, done.err) == (0, "")
    return done.out.splitlines()


# ---- status ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_table_says_what_a_space_is_doing_and_when_it_changed(hub_family: HubFamily) -> None:
    hub_family.synced()
    day = hub_family.space.log(form="%cs")[0]
    hub_family.run("status", cwd=hub_family.clone.path)  # the build goes on with each question
    assert _status(hub_family) == [
        "repo   kind    branch  state    release  space    changed",
        "main   github  main    ok       -        -        2023-11-14",
        f"space  space   main    in sync  -        RUNNING  {day}",
    ]


@pytest.mark.slow
def test_the_hub_says_when_models_and_datasets_changed(sandbox: Sandbox, hub_family: HubFamily) -> None:
    """Their commits are not in the clone of the source; where the Hub does not answer, nobody knows."""
    days = [Bare(sandbox.hub.create(kind, "lemms/small")).log(form="%cs")[0] for kind in ("model", "dataset")]
    repos = ('[repos.small]\nmodel = "lemms/small"', '[repos.text]\ndataset = "lemms/small"')
    hub_family.manifest(more="\n".join(repos))
    rows = [line.split() for line in _status(hub_family) if line.startswith(("small", "text"))]
    assert [row[-1] for row in rows] == days
    sandbox.hub.fault(match="GET /api/models/*", status=503, count=None)
    hub_family.commit("More", {"core/src/more.py": "more\n"})
    rows = [line.split() for line in _status(hub_family) if line.startswith(("small", "text"))]
    assert [row[-1] for row in rows] == ["-", days[1]]
    hub_family.run("manifest", "remove", "space", cwd=hub_family.clone.path)  # then no column speaks of Spaces
    assert _status(hub_family)[0].split() == ["repo", "kind", "branch", "state", "release", "changed"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "step"),
    [
        ("BUILD_ERROR", f"Read its build log: {URL}?logs=build"),
        ("RUNTIME_ERROR", f"Read the log of its app: {URL}?logs=container"),
        ("CONFIG_ERROR", f"Mend the front matter of its README.md; {URL}?logs=build says what is wrong."),
        ("NO_APP_FILE", "Give it the file that app_file in its README.md names (app.py by default), and push that."),
        ("PAUSED", f"Restart it on its page: {URL}"),
    ],
)
def test_a_space_that_does_not_run_is_a_problem_with_a_next_step(
    sandbox: Sandbox, hub_family: HubFamily, stage: str, step: str
) -> None:
    sandbox.hub.stage(SPACE, stage)
    lines = _status(hub_family)
    assert any(line.startswith(f"space: does not run ({stage})") for line in lines)
    assert f"hint: {step}" in " ".join(line.strip() for line in lines)
    assert all(len(line) <= 80 for line in lines if URL not in line)


@pytest.mark.parametrize("stage", ["BUILD_ERROR", "CONFIG_ERROR", "RUNTIME_ERROR", "NO_APP_FILE", "PAUSED"])
def test_a_check_fails_where_a_space_does_not_run(sandbox: Sandbox, hub_family: HubFamily, stage: str) -> None:
    """Every branch is as it should be, and yet nobody can use the Space."""
    hub_family.synced()
    sandbox.hub.stage(SPACE, stage)
    done = hub_family.run("status", "--check", "--json", cwd=hub_family.clone.path)
    facts = done.json()
    assert (done.code, facts["differs"], [repo["state"] for repo in facts["repos"]]) == (1, True, ["ok", "in sync"])
    page = hub_family.run("status", "--html", "-", cwd=hub_family.clone.path).out
    assert f"</svg>{stage}</span>" in page
    sandbox.hub.stage(SPACE, "SLEEPING")  # until somebody visits it
    assert hub_family.run("status", "--check", cwd=hub_family.clone.path).code == 0


@pytest.mark.slow
def test_a_space_that_is_at_work_is_none(sandbox: Sandbox, hub_family: HubFamily) -> None:
    hub_family.synced()
    sandbox.hub.stage(SPACE, "RUNNING_BUILDING")
    assert len(_status(hub_family)) == 3


@pytest.mark.slow
def test_the_json_has_the_stage_its_commit_and_the_date(sandbox: Sandbox, hub_family: HubFamily) -> None:
    hub_family.synced()
    sandbox.hub.stage(SPACE, "SOMETHING_NEW")
    main, space = hub_family.run("status", "--json", cwd=hub_family.clone.path).json()["repos"]
    assert (main["space"], main["changed"]) == (None, "2023-11-14T22:14:20+00:00")
    assert space["space"] == {"stage": "SOMETHING_NEW", "commit": hub_family.space.tip("main"), "message": ""}
    assert space["changed"] == hub_family.space.log(form="%cI")[0].replace("Z", "+00:00")


def test_in_markdown_the_columns_are_there_too(sandbox: Sandbox, hub_family: HubFamily) -> None:
    sandbox.hub.stage(SPACE, "BUILD_ERROR")
    assert "| repo | kind | branch | state | release | space | changed |" in _status(hub_family, "--markdown")


@pytest.mark.slow
@pytest.mark.parametrize("why", ["refused", "late", "offline", "HF_HUB_OFFLINE", "no token"])
def test_where_the_hub_does_not_say_the_answer_of_git_stays(
    sandbox: Sandbox, hub_family: HubFamily, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    hub_family.synced()
    if why == "refused":
        sandbox.hub.fault(match="GET */runtime", status=503, count=None)
    elif why == "late":
        sandbox.hub.fault(match="GET */runtime", delay=60)
    elif why == "HF_HUB_OFFLINE":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    elif why == "no token":
        monkeypatch.delenv("HF_TOKEN")
        sandbox.hub.fault(match="GET */runtime", status=401, count=None)
    lines = _status(hub_family, *(["--offline"] if why == "offline" else ["--deadline", "1"]))
    assert lines[0] == "repo   kind    branch  state    release"
    assert lines[2] == "space  space   main    in sync  -"
    answered = [seen for seen in sandbox.hub.log if seen.path.endswith("/runtime")]
    assert why != "late" or not answered  # it was not waited for


@pytest.mark.slow
def test_a_family_without_a_space_loads_nothing_to_ask_the_hub_with(family: Family, home: SealedHome) -> None:
    logged_in = home.folder / ".cache/huggingface"
    logged_in.mkdir(parents=True)
    (logged_in / "token").write_text("hf_x")
    (logged_in / "stored_tokens").write_text("[x]\nhf_token = hf_x\n")
    script = "import sys; from openllm_repos.cli import main; main(['status']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=family.clone.path, capture_output=True, text=True, check=True
    )
    assert not {"huggingface_hub", "httpx2", "httpcore2"} & set(done.stdout.splitlines()[-1].split())


# ---- sync --wait -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_wait_follows_the_build_until_the_space_runs(hub_family: HubFamily) -> None:
    done = hub_family.synced("--wait")
    assert done.out.splitlines()[-1] == f"space: the Space is RUNNING: {URL}"
    assert done.err.splitlines()[1:] == ["space: BUILDING", "space: RUNNING"]


@pytest.mark.slow
def test_wait_shows_the_last_words_of_a_build_that_failed(sandbox: Sandbox, hub_family: HubFamily) -> None:
    sandbox.hub.build(SPACE, stage="BUILD_ERROR", log=[*(f"step {n}" for n in range(40)), "no such package \x1b[31m"])
    done = hub_family.sync("--wait")
    assert done.code == 3
    lines = done.out.splitlines()
    failed = lines.index("space: the Space does not run: BUILD_ERROR")
    assert lines[failed - 1].startswith("space: synced, now at ")
    assert lines[failed + 1 : failed + 3] == ["  | step 21", "  | step 22"]
    assert lines[-2] == r"  | no such package \x1b[31m"
    assert lines[-1].endswith(f"then sync again; all of it: {URL}?logs=build")
    assert hub_family.space.tip("main").startswith(lines[failed - 1].partition("now at ")[2].partition(":")[0])


@pytest.mark.slow
def test_a_run_that_pushes_nothing_still_tells_of_a_build_that_failed(sandbox: Sandbox, hub_family: HubFamily) -> None:
    sandbox.hub.build(SPACE, stage="RUNTIME_ERROR", log=["Traceback"])
    hub_family.synced()
    done = hub_family.sync("--wait", "--json")
    assert done.code == 3
    (target,) = done.json()["targets"]
    assert target["outcome"]["space"] == {
        "stage": "RUNTIME_ERROR",
        "commit": hub_family.space.tip("main"),
        "failed": True,
        "late": False,
        "log": ["Traceback"],
        "reason": "Traceback",
    }


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["CONFIG_ERROR", "NO_APP_FILE"])
def test_a_space_that_cannot_be_built_is_a_failure(sandbox: Sandbox, hub_family: HubFamily, stage: str) -> None:
    sandbox.hub.build(SPACE, stage=stage)
    done = hub_family.sync("--wait")
    assert (done.code, f"space: the Space does not run: {stage}" in done.out) == (3, True)


@pytest.mark.slow
def test_the_wait_ends_when_its_time_is_up(sandbox: Sandbox, hub_family: HubFamily) -> None:
    sandbox.hub.build(SPACE, asks=1000)
    done = hub_family.sync("--wait-for", "1")
    assert done.code == 30
    assert done.out.splitlines()[-2:] == [
        "space: the time is up, and the Hub says BUILDING",
        f"  hint: Look at {URL}?logs=build, or wait longer with --wait-for SECONDS.",
    ]


@pytest.mark.slow
def test_a_hub_that_falls_silent_in_between_is_asked_again(sandbox: Sandbox, hub_family: HubFamily) -> None:
    sandbox.hub.fault(match="GET */runtime", cut=True, count=2)
    done = hub_family.synced("--wait")
    assert done.out.splitlines()[-1] == f"space: the Space is RUNNING: {URL}"
    assert done.err.count("the connection broke off") == 2


@pytest.mark.slow
def test_a_hub_that_asks_to_wait_is_waited_for(sandbox: Sandbox, hub_family: HubFamily) -> None:
    sandbox.hub.fault(match="GET */runtime", status=429, headers={"Retry-After": "1"})
    done = hub_family.synced("--wait")
    assert re.search(r"waiting 1 s: [^ ]+ asked for it \(HTTP 429\)", done.err)
    assert done.out.splitlines()[-1] == f"space: the Space is RUNNING: {URL}"


def test_a_hub_that_refuses_to_say_is_no_success(sandbox: Sandbox, hub_family: HubFamily) -> None:
    sandbox.hub.fault(match="GET */runtime", status=403, count=None)
    done = hub_family.sync("--wait")
    assert done.code == 3
    assert "space: it is not known whether the Space runs: The token may not do this" in done.out


@pytest.mark.slow
def test_only_the_main_branch_of_a_space_is_built(hub_family: HubFamily) -> None:
    hub_family.manifest(settings='branch = "preview"')
    hub_family.space.git("branch", "preview", "main")
    done = hub_family.sync("--wait")
    assert (done.code, "space: the Hub builds the branch main only, not preview" in done.err) == (0, True)


def test_waiting_goes_with_a_sync_that_pushes(hub_family: HubFamily) -> None:
    done = hub_family.sync("--wait", "--dry-run")
    assert (done.code, "--wait goes with a sync" in done.err) == (2, True)
