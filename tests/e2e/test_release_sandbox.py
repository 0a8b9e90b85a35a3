"""The OpenLLM family released on a GitHub and a Hub that run here, seen with git and with huggingface_hub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openllm_repos.sandbox import Sandbox
from tests.support.inprocess import RunCli
from tests.support.repositories import Clone

MODELS = ("lemms/openllm-small-extended-7k", "lemms/openllm-small-extended-8k")
DATASET = "lemms/openllm-training-data"
ORDER = ("space", "small-extended-7k", "small-extended-8k", "training-data", "main")


@pytest.fixture
def clone(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return the person's clone of the family's source, version 1.0.0, pushed to the GitHub of this test."""
    sandbox.hub.create("space", "lemms/openllm", sdk="gradio")
    for model in MODELS:
        sandbox.hub.create("model", model)
    sandbox.hub.create("dataset", DATASET)
    sandbox.github.create("louischua/openllm")
    clone = Clone.init(tmp_path / "openllm")
    clone.git("remote", "add", "origin", "https://github.com/louischua/openllm")
    manifest = (Path(__file__).parents[2] / "repos.toml").read_text(encoding="utf-8")
    files: Mapping[str, str] = {
        "repos.toml": manifest,
        "pyproject.toml": '[project]\nname = "openllm"\nversion = "1.0.0"\n',
        "core/src/model.py": "model\n",
        "configs/small.json": "{}\n",
        "docs/guide.md": "guide\n",
    }
    clone.commit("Start", files)
    clone.git("push", "-q", f"http://x:gh_write@{sandbox.github.url.removeprefix('http://')}/louischua/openllm", "main")
    return clone


def commits(sandbox: Sandbox, tag: str) -> dict[str, str | None]:
    """Return the commit that each repo's tag names, asked of the Hub's API and of the GitHub's repository."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=sandbox.hub.url, token="hf_read")
    places = (("space", "lemms/openllm"), ("model", MODELS[0]), ("model", MODELS[1]), ("dataset", DATASET))
    seen: dict[str, str | None] = {}
    for name, (kind, repo) in zip(ORDER, places, strict=False):
        refs = api.list_repo_refs(repo, repo_type=kind)
        seen[name] = next((ref.target_commit for ref in refs.tags if ref.name == tag), None)
    source = sandbox.github.path("louischua/openllm")
    seen["main"] = Clone(source).git("rev-parse", "-q", "--verify", f"{tag}^{{commit}}", ok=(0, 1, 128)) or None
    return seen


@pytest.mark.slow
def test_the_whole_family_is_released(sandbox: Sandbox, clone: Clone, run_cli: RunCli) -> None:
    done = run_cli("release", "--yes", "1.0.0", cwd=clone.path)
    assert done.code == 0, (done.out, done.err)
    assert [line.split()[0] for line in done.out.splitlines()[-6:-1]] == list(ORDER)
    tags = commits(sandbox, "v1.0.0")
    paths = {
        "space": sandbox.hub.path("space", "lemms/openllm"),
        "small-extended-7k": sandbox.hub.path("model", MODELS[0]),
        "small-extended-8k": sandbox.hub.path("model", MODELS[1]),
        "training-data": sandbox.hub.path("dataset", DATASET),
        "main": sandbox.github.path("louischua/openllm"),
    }
    assert tags == {name: Clone(path).tip("main") for name, path in paths.items()}
    for name, path in paths.items():
        assert Clone(path).git("cat-file", "-t", "v1.0.0") == "tag", name
    assert "training/model.py" in Clone(paths["space"]).paths()
    for path in list(paths.values())[1:4]:
        assert clone.run("cat-file", "-e", Clone(path).tip("main"), ok=(0, 1, 128)).code, "no model was fetched"
    verified = run_cli("release", "verify", cwd=clone.path)
    assert (verified.code, verified.out.splitlines()[0]) == (0, "v1.0.0: complete, 5 repos")
    assert not sandbox.mishaps


@pytest.mark.slow
def test_write_access_is_asked_of_every_repo_before_anything_is_pushed(
    sandbox: Sandbox, clone: Clone, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_read")
    done = run_cli("release", "--yes", "1.0.0", cwd=clone.path)
    assert done.code == 3
    assert f"  {', '.join(ORDER[:-1])}: cannot be written: The token of lemms can only read." in done.err
    assert set(commits(sandbox, "v1.0.0").values()) == {None}
    assert Clone(sandbox.hub.path("space", "lemms/openllm")).log("main") == ["initial commit"]


@pytest.mark.slow
def test_a_hub_that_fails_in_the_middle_is_gone_on_with(sandbox: Sandbox, clone: Clone, run_cli: RunCli) -> None:
    model = "lemms/openllm-small-extended-8k"
    sandbox.hub.fault(match=f"POST /{model}*git-receive-pack", status=503, count=1)
    done = run_cli("--patience", "0", "release", "--yes", "1.0.0", cwd=clone.path)
    assert done.code == 30
    assert "small-extended-8k did not take the tag v1.0.0:" in done.err
    assert [name for name, commit in commits(sandbox, "v1.0.0").items() if commit] == ["space", "small-extended-7k"]
    assert run_cli("release", "--yes", "1.0.0", "--resume", cwd=clone.path).code == 0
    assert None not in commits(sandbox, "v1.0.0").values()


@pytest.mark.slow
@pytest.mark.parametrize("fault", [{"status": 429, "headers": {"Retry-After": "1"}}, {"cut": True}], ids=str)
def test_a_tag_that_a_hub_cannot_take_now_is_pushed_again(
    sandbox: Sandbox, clone: Clone, run_cli: RunCli, fault: dict[str, Any]
) -> None:
    sandbox.hub.fault(match=f"POST /{MODELS[0]}*git-receive-pack", **fault)
    done = run_cli("release", "1.0.0", "--yes", cwd=clone.path)
    assert done.code == 0, (done.out, done.err)
    assert "waiting 1 s: " in done.err
    assert None not in commits(sandbox, "v1.0.0").values()


@pytest.mark.slow
def test_a_push_whose_answer_is_lost_counts_as_done(sandbox: Sandbox, clone: Clone, run_cli: RunCli) -> None:
    sandbox.hub.fault(match=f"POST /{MODELS[0]}*git-receive-pack", lose_answer=True, count=1)
    done = run_cli("release", "--yes", "1.0.0", cwd=clone.path)
    assert done.code == 0, (done.out, done.err)
    assert None not in commits(sandbox, "v1.0.0").values()


REQUESTS = 70
"""At least as many as a release makes to the Hub."""


def cut_and_finished(sandbox: Sandbox, clone: Clone, run_cli: RunCli, number: int, *, done: bool) -> None:
    """Cut the connection at one request to the Hub, before or after it was served; then release again."""
    sandbox.hub.fault(match="*", skip=number, cut=not done, lose_answer=done)
    hurt = run_cli("release", "--yes", "1.0.0", cwd=clone.path)
    sandbox.hub.faults.clear()
    assert hurt.code in {0, 3, 30}, (hurt.out, hurt.err)
    tags = commits(sandbox, "v1.0.0")
    assert tags["main"] is None or None not in tags.values()
    again = run_cli("release", "--yes", "1.0.0", cwd=clone.path)
    assert again.code == 0, (hurt.err, again.err)
    after = commits(sandbox, "v1.0.0")
    assert None not in after.values()
    assert {name: after[name] for name, tag in tags.items() if tag} == {name: tag for name, tag in tags.items() if tag}


@pytest.mark.slow
@pytest.mark.parametrize("number", [40])
def test_a_cut_connection_is_gone_on_from(sandbox: Sandbox, clone: Clone, run_cli: RunCli, number: int) -> None:
    cut_and_finished(sandbox, clone, run_cli, number, done=True)


@pytest.mark.slow
@pytest.mark.parametrize("done", [False, True], ids=["cut", "answer lost"])
@pytest.mark.parametrize("number", range(REQUESTS))
def test_any_cut_connection_is_gone_on_from(
    sandbox: Sandbox, clone: Clone, run_cli: RunCli, number: int, done: bool
) -> None:
    cut_and_finished(sandbox, clone, run_cli, number, done=done)


@pytest.mark.slow
def test_a_release_makes_fewer_requests_than_are_cut(sandbox: Sandbox, clone: Clone, run_cli: RunCli) -> None:
    before = len(sandbox.hub.log)
    assert run_cli("release", "--yes", "1.0.0", cwd=clone.path).code == 0
    assert REQUESTS // 2 < len(sandbox.hub.log) - before <= REQUESTS


@pytest.mark.slow
def test_a_space_that_does_not_run_is_released_only_on_purpose(sandbox: Sandbox, clone: Clone, run_cli: RunCli) -> None:
    assert run_cli("sync", "--yes", cwd=clone.path).code == 0
    sandbox.hub.stage("lemms/openllm", "BUILD_ERROR")
    done = run_cli("release", "--yes", "1.0.0", cwd=clone.path)
    assert (done.code, done.err.splitlines()) == (
        3,
        [
            "error: 1 thing stands against the release v1.0.0; nothing was changed:",
            "  space: does not run (BUILD_ERROR): No application file: app.py is not in the repository.",
            "    hint: Read its build log: https://huggingface.co/spaces/lemms/openllm?logs=build",
            "    next: openllm-repos release 1.0.0 --allow-broken  # or release it all the same",
            "next: openllm-repos release 1.0.0  # once that is done",
        ],
    )
    assert set(commits(sandbox, "v1.0.0").values()) == {None}
    done = run_cli("release", "--yes", "1.0.0", "--allow-broken", cwd=clone.path)
    assert (done.code, None in commits(sandbox, "v1.0.0").values()) == (0, False), done.err


@pytest.mark.slow
def test_a_space_that_the_release_itself_builds_anew_may_be_broken_before(
    sandbox: Sandbox, clone: Clone, run_cli: RunCli
) -> None:
    assert run_cli("sync", "--yes", cwd=clone.path).code == 0
    clone.commit("Mend it", {"core/src/model.py": "mended\n"})
    clone.git("push", "-q", f"http://x:gh_write@{sandbox.github.url.removeprefix('http://')}/louischua/openllm", "main")
    sandbox.hub.stage("lemms/openllm", "RUNTIME_ERROR")
    before = len(sandbox.hub.log)
    assert run_cli("release", "--yes", "1.0.0", cwd=clone.path).code == 0
    assert not [seen for seen in sandbox.hub.log[before:] if seen.path.endswith("/runtime")]  # it would say nothing
