"""Setting up against a Hub and a GitHub that ask for tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openllm_repos.manifest import Manifest
from tests.support.hosts import SOURCE, SOURCE_FILES, SPACE
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli
    from tests.support.sealed import SealedHome


@pytest.fixture
def clone(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of a source on GitHub."""
    held = sandbox.github.create(SOURCE)
    made = Clone.init(tmp_path / "clone")
    made.commit("Start", SOURCE_FILES)
    made.push(held.as_uri())
    made.git("remote", "add", "origin", f"https://github.com/{SOURCE}")
    return made


def test_a_space_as_the_hub_makes_it(run_cli: RunCli, sandbox: Sandbox, clone: Clone) -> None:
    sandbox.hub.create("space", SPACE, sdk="gradio")
    done = run_cli("init", "--space", SPACE, cwd=clone.path)
    assert (done.code, done.err) == (0, "")
    target = Manifest.load(clone.path / "repos.toml").target("space")
    assert [pattern.text for pattern in target.owned] == [".gitattributes", "README.md"]
    assert "adopted" not in done.out


def test_a_space_that_does_not_exist(run_cli: RunCli, clone: Clone) -> None:
    done = run_cli("init", "--space", "lemms/opnllm", cwd=clone.path)
    assert done.code == 30
    assert "space lemms/opnllm does not answer" in done.err
    assert "hint: Check the name.\nThe token in HF_TOKEN was used" in done.err
    assert "next: openllm-repos init --space lemms/opnllm --create  # makes the space lemms/opnllm" in done.err
    assert not (clone.path / "repos.toml").exists()


@pytest.mark.slow
def test_create_makes_what_is_not_there_yet(run_cli: RunCli, sandbox: Sandbox, clone: Clone) -> None:
    flags = ("--space", SPACE, "--model", "lemms/small", "--dataset", "lemms/text", "--create", "--yes")
    looked = run_cli("init", *flags, "--dry-run", cwd=clone.path)
    expected = f"would make the space {SPACE}\nwould make the model lemms/small\nwould make the dataset lemms/text\n"
    assert (looked.code, looked.err) == (0, expected)
    assert not sandbox.hub.path("space", SPACE).exists()
    done = run_cli("init", *flags, "--sdk", "static", "--private", cwd=clone.path)
    assert done.code == 0, done.err
    assert f"made {sandbox.hub.url}/spaces/{SPACE}\n" in done.out
    assert sandbox.hub.path("space", SPACE).exists()
    assert sandbox.hub.path("model", "lemms/small").exists()
    assert sandbox.hub.path("dataset", "lemms/text").exists()
    assert run_cli("doctor", cwd=clone.path).code == 0


def test_what_the_hub_does_not_make_is_told_and_no_manifest_is_written(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone
) -> None:
    sandbox.hub.fault(match="POST */repos/create", status=402, count=1)
    done = run_cli("init", "--space", SPACE, "--create", "--yes", cwd=clone.path)
    assert done.code == 3
    assert "--sdk static" in done.err
    assert not (clone.path / "repos.toml").exists()


def test_create_makes_no_source_on_github(run_cli: RunCli, clone: Clone) -> None:
    done = run_cli("init", "--github", "louischua/other", "--create", cwd=clone.path)
    assert done.code == 30
    assert "github louischua/other does not answer" in done.err
    assert "--create" not in done.err


MANIFEST = f"""\
schema = 1
[project]
name = "openllm"
[repos.main]
github = "{SOURCE}"
role = "source"
[repos.space]
space = "{SPACE}"
[[repos.space.map]]
from = "core/src/*.py"
to = "training/"
[repos.small]
model = "lemms/small"
"""


@pytest.fixture
def family(sandbox: Sandbox, clone: Clone) -> Clone:
    """Return the clone with a manifest whose repos are all there."""
    sandbox.hub.create("space", SPACE, sdk="gradio")
    sandbox.hub.create("model", "lemms/small")
    clone.commit("Say what belongs together", {"repos.toml": MANIFEST})
    return clone


def tokens_and_writes(run_cli: RunCli, clone: Clone) -> tuple[int, list[tuple[str, str, str]]]:
    done = run_cli("doctor", "--json", cwd=clone.path)
    checks = done.json()["checks"]
    return done.code, [
        (one["level"], " ".join(filter(None, (one["name"], one["repo"]))), f"{one['message']} | {one['next']}")
        for one in checks
        if one["name"] in {"token", "remote", "write"}
    ]


@pytest.mark.slow
def test_a_token_that_may_write(run_cli: RunCli, sandbox: Sandbox, family: Clone) -> None:
    code, seen = tokens_and_writes(run_cli, family)
    assert (code, {level for level, _, _ in seen}) == (0, {"ok"})
    assert ("ok", "token", "GitHub: from GITHUB_TOKEN | ") in seen
    assert ("ok", "token", "Hub: HF_TOKEN, of lemms, role write | ") in seen
    held = (sandbox.hub.path("space", SPACE), sandbox.hub.path("model", "lemms/small"), sandbox.github.path(SOURCE))
    assert [list(Bare(path).tips()) for path in held] == [["refs/heads/main"]] * 3  # the probe left nothing


def test_a_token_that_can_only_read(run_cli: RunCli, family: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_read")
    code, seen = tokens_and_writes(run_cli, family)
    found = {name: (level, said) for level, name, said in seen if name != "token" or said.startswith("Hub")}
    assert code == 1
    assert found["token"][0] == "warning"
    assert "role read: it can only read" in found["token"][1]
    assert found["write space"][0] == "error"
    assert "can only read" in found["write space"][1]
    assert found["write small"][0] == "warning"
    assert found["write main"][0] == "ok"


def test_a_token_that_the_hub_does_not_know(run_cli: RunCli, family: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mistyped")
    code, seen = tokens_and_writes(run_cli, family)
    assert code == 1
    assert [level for level, name, said in seen if name == "token" and said.startswith("Hub")] == ["error"]


@pytest.mark.slow
def test_without_a_token_gits_own_credentials_count(
    run_cli: RunCli, family: Clone, home: SealedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    _, seen = tokens_and_writes(run_cli, family)
    found = {name: level for level, name, _ in seen}
    assert found["write space"] == "error"
    home.set("credential.helper", "!f() { echo username=lemms; echo password=hf_write; }; f")
    _, seen = tokens_and_writes(run_cli, family)
    assert ("warning", "token", "Hub: none; git's own credentials are used | hf auth login") in seen
    assert {name: level for level, name, _ in seen}["write space"] == "ok"


def test_a_token_of_limited_reach(run_cli: RunCli, family: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_fine")
    _, seen = tokens_and_writes(run_cli, family)
    found = {name: level for level, name, _ in seen}
    assert (found["write space"], found["write small"]) == ("ok", "warning")


@pytest.mark.slow
def test_a_github_token_that_can_only_read(run_cli: RunCli, family: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "gh_read")
    _, seen = tokens_and_writes(run_cli, family)
    [(level, _, said)] = [one for one in seen if one[1] == "write main"]
    assert (level, said.endswith("| gh auth login\ngh auth setup-git")) == ("warning", True)


def test_a_job_that_is_no_trusted_publisher(run_cli: RunCli, family: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv("HF_OIDC_ID_TOKEN", "not.signed.byanyone")
    code, seen = tokens_and_writes(run_cli, family)
    found = {name: (level, said) for level, name, said in seen if name != "token" or said.startswith("Hub")}
    assert (code, found["token"][0]) == (1, "ok")
    assert "trusted publishing, a token for each repository" in found["token"][1]
    assert found["write space"][0] == "error"


def test_a_hub_of_ones_own_gets_no_token_unasked(
    run_cli: RunCli, family: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_ENDPOINT")
    family.commit("Another Hub", {"repos.toml": MANIFEST + '[hosts]\nhub = "https://hub.example.org"\n'})
    done = run_cli("doctor", "--deadline", "2", cwd=family.path)
    assert done.code == 1
    assert "https://hub.example.org" in done.out
    assert "it would get your Hub token" in " ".join(done.out.split())


@pytest.mark.slow
def test_no_token_is_told_or_kept(run_cli: RunCli, family: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canarycanarycanary")
    seen = b""
    for command in (("doctor",), ("doctor", "--json"), ("remotes", "sync"), ("remotes",)):
        done = run_cli("-v", *command, cwd=family.path)
        seen += done.out_bytes + done.err_bytes
    kept = b"".join(path.read_bytes() for path in (family.path / ".git").rglob("*") if path.is_file())
    assert b"canary" not in seen + kept
    assert b"write" in seen
