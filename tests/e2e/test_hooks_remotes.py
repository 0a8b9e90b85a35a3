"""The gate and other hosts: a GitHub and a Hub with tokens, a repo that never answers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from openllm_repos.git.repository import Repository
from openllm_repos.hooks.facts import gather
from openllm_repos.hooks.lines import read_lines
from openllm_repos.lockfile.model import Lock, LockedRepo
from openllm_repos.lockfile.text import format_lock
from openllm_repos.manifest import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli
    from tests.support.sealed import SealedHome
    from tests.support.server import GitServer

_FAMILY = """\
schema = 1
[project]
name = "openllm"
version = "VERSION"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "lemms/openllm"
[[repos.space.map]]
from = "core/*.py"
to = "training/"
[repos.weights]
model = "lemms/weights"
"""


def release(clone: Clone, manifest: str, commits: dict[str, str]) -> str:
    """Commit a manifest, a version and its lock; tag that, and return the tag object's id."""
    made = clone.commit("This is 1.0.0", {"repos.toml": manifest, "VERSION": "1.0.0\n", "core/a.py": "a\n"})
    family, tag = Manifest.parse(manifest), TagName("v1.0.0")
    repos = tuple(
        LockedRepo(one.name, one.role, one.kind, one.repo_id, one.url, one.branch, tag, ObjectId(commit))
        for one in family.repos
        if (commit := made if one.name == "main" else commits.get(one.name))
    )
    lock = format_lock(Lock("openllm", "1.0.0", tag, "sha256:" + "0" * 64, repos))
    clone.commit("Release 1.0.0", {"manifest/releases/v1.0.0.toml": lock})
    clone.git("tag", "-a", "-m", "Release", "v1.0.0")
    return clone.git("rev-parse", "v1.0.0")


@pytest.mark.slow
def test_a_private_model_is_asked_with_the_person_s_token_and_the_space_is_known_where_it_is(
    sandbox: Sandbox, clone: Clone, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.github.create("louischua/openllm")
    sandbox.hub.create("space", "lemms/openllm", sdk="gradio")
    weights = Bare(sandbox.hub.create("model", "lemms/weights", private=True))
    release(clone, _FAMILY, {"weights": weights.tip("main")})
    clone.git("remote", "add", "origin", "https://github.com/louischua/openllm")
    helper = "!f() { echo username=x; echo password=gh_write; }; f"
    clone.git("config", f"credential.{sandbox.github.url}.helper", helper)
    clone.git("push", "-q", "origin", "main")
    assert run_cli("hooks", "install", cwd=clone.path).code == 0
    done = clone.run("push", "origin", "v1.0.0", ok=(0, 1))
    assert (done.code, "weights does not have v1.0.0 yet" in done.err) == (0, True), done.err
    space = f"{sandbox.hub.url.replace('://', '://lemms:hf_write@')}/spaces/lemms/openllm"
    done = clone.run("push", "--force", space, "main", ok=(0, 1))
    assert "stopped: refs/heads/main: What it changes in space cannot be told" in done.err
    done = clone.run("push", space, "main:refs/heads/try", ok=(0, 1))
    assert "stopped: " not in done.err
    monkeypatch.delenv("HF_TOKEN")
    clone.git("push", "-q", "--no-verify", "origin", ":v1.0.0")
    done = clone.run("push", "origin", "v1.0.0", ok=(0, 1))
    assert done.code == 1
    assert "weights does not say whether it has v1.0.0" in done.err


@pytest.mark.slow
@pytest.mark.parametrize("dead", [True, False])
def test_a_repo_that_never_answers_ends_at_the_deadline_and_all_are_asked_at_once(
    clone: Clone, bare: Bare, server: GitServer, home: SealedHome, dead: bool
) -> None:
    names = ("dead-one", "dead-two", "alive")
    repos = {name: server.create(f"{name}.git") for name in names}
    home.instead_of("https://example.org/", server.url(""))
    tip = clone.commit("weights", {"weights": "1\n"})
    for made in repos.values():
        clone.git("push", "-q", made.url, "main")
    manifest = f'schema = 1\n[project]\nname = "openllm"\nversion = "VERSION"\n[repos.main]\nurl = "{bare.url}"\n'
    manifest += 'role = "source"\n'
    manifest += "".join(f'[repos.{name}]\nurl = "https://example.org/{name}.git"\n' for name in names)
    tag = release(clone, manifest, dict.fromkeys(names, tip))
    clone.git("push", "-q", bare.url, "main")
    for name in names[:2] if dead else ():
        server.on(f"{name}.git", dead=True)
    if not dead:
        server.on(together=threading.Barrier(3))
    lines = read_lines(f"refs/tags/v1.0.0 {tag} refs/tags/v1.0.0 {'0' * 40}\n")
    deadline = 1.0 if dead else 60.0
    facts = gather(Repository.open(clone.path), Manifest.parse(manifest), lines, "origin", bare.url, deadline=deadline)
    [found] = facts.tags.values()
    assert [sister.problem for sister in found.sisters] == ["no answer within 1 seconds" if dead else ""] * 2 + [""]
    assert found.on_branch is True
