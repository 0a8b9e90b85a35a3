"""The workflow that `ci` writes, run by act against a GitHub and a Hub on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from openllm_repos import __version__
from openllm_repos.manifest import Manifest
from openllm_repos.sandbox import Sandbox
from openllm_repos.workflow.choices import Choices, Requirement
from openllm_repos.workflow.file import Found, Recipe, composed, write_workflow
from tests.support.acting import CLAIMS, Actor
from tests.support.hub_family import SOURCE, SPACE, HubFamily
from tests.support.inprocess import RunCli
from tests.support.repositories import Bare
from tests.support.wheels import empty_python, sources_of_the_tool, wheels_of_the_tool

WORKFLOW = ".github/workflows/openllm-repos.yml"
INSTALL = f"openllm-repos==1.0 --hash=sha256:{'0' * 64}"
BOT = "github-actions[bot]"


def ready(family: HubFamily, *options: str) -> None:
    """Write the workflow with the family's own command, and push it."""
    done = family.run("ci", "--install", INSTALL, *options, cwd=family.clone.path)
    assert done.code == 0, done.err
    family.commit("Let GitHub keep the family in step")


def pushed(family: HubFamily) -> dict[str, object]:
    """Return what GitHub says of a push to the source's branch."""
    return {"after": family.clone.tip(), "repository": {"full_name": SOURCE, "default_branch": "main"}}


def make_private(sandbox: Sandbox) -> None:
    """Show the source to its collaborators only."""
    repo = sandbox.github.repo("github", SOURCE)
    repo.save(replace(repo.facts(), private=True))


def due(family: HubFamily, version: str) -> None:
    """Get everything ready for the release of a version."""
    family.manifest(project='version = "VERSION"')
    ready(family)
    family.commit("Say which version it is", {"VERSION": f"{version}\n"})


def released(family: HubFamily, version: str) -> dict[str, object]:
    """Release a version on a person's machine; return what GitHub says of the push of its tag."""
    due(family, version)
    done = family.run("release", version, "--yes", cwd=family.clone.path)
    assert done.code == 0, done.err
    return {"after": family.origin.tip(f"v{version}"), "repository": {"full_name": SOURCE}}


@pytest.fixture
def actor(act: str, tmp_path: Path, sandbox: Sandbox) -> Actor:
    """Return GitHub's runner, for a repository that has no secret, and that its Space trusts."""
    sandbox.hub.trust(f"spaces/{SPACE}", CLAIMS)
    return Actor(act, tmp_path / "act", sandbox, secrets={}, trusted=True)


@pytest.mark.slow
def test_a_push_syncs_the_space_without_any_stored_secret(hub_family: HubFamily, actor: Actor) -> None:
    ready(hub_family)
    done = actor.run("push", pushed(hub_family))
    assert (done.code, done.jobs) == (0, {"Sync": True}), done.out
    assert "training/model.py" in hub_family.space.paths()
    assert hub_family.space.log("main", "-1", form="%cn") == [BOT]
    assert "| `space` | synced | 2 | 3 |" in done.summaries["sync"]
    assert {seen.user for seen in actor.sandbox.hub.log if seen.path.endswith("git-receive-pack")} >= {"[OIDC]"}
    assert f"space: the Space is RUNNING: https://huggingface.co/spaces/{SPACE}" in done.out


slow = pytest.mark.slow


@slow
def test_a_dispatched_dry_run_changes_nothing(hub_family: HubFamily, actor: Actor) -> None:
    ready(hub_family)
    before = hub_family.space.tips()
    asked = {"inputs": {"dry-run": "true", "targets": "space"}, "repository": {"full_name": SOURCE}}
    done = actor.run("workflow_dispatch", asked)
    assert (done.code, done.jobs) == (0, {"Sync": True}), done.out
    assert "A training/model.py" in done.out
    assert hub_family.space.tips() == before
    hub_family.clone.git("push", "-q", hub_family.origin.url, "main:topic")
    assert (
        actor.run("workflow_dispatch", asked, ref="refs/heads/topic").jobs == {}
    )  # only the source's branch is synced


@slow
def test_a_private_source_is_read_with_the_token_of_the_job(
    sandbox: Sandbox, hub_family: HubFamily, actor: Actor
) -> None:
    make_private(sandbox)
    hub_family.commit("Train longer", {"core/src/train.py": "train longer\n"})  # its older content is not checked out
    ready(hub_family)
    done = actor.run("push", pushed(hub_family))
    assert (done.code, done.jobs) == (0, {"Sync": True}), done.out


@slow
def test_a_pull_request_is_previewed_without_any_right_to_write(hub_family: HubFamily, actor: Actor) -> None:
    ready(hub_family)
    hub_family.synced("--yes")
    clone = hub_family.clone
    clone.git("checkout", "-qb", "topic")
    clone.commit("Count the tokens", {"core/src/tokens.py": "count\n"})
    clone.git("push", "-q", hub_family.origin.url, "HEAD:refs/pull/7/merge")
    clone.git("checkout", "-q", "main")
    before, asked = hub_family.space.tips(), len(actor.sandbox.hub.log)
    actor.trusted = False
    make_private(actor.sandbox)
    pull = {"number": 7, "pull_request": {"number": 7, "base": {"ref": "main"}, "head": {"ref": "topic"}}}
    done = actor.run("pull_request", pull, ref="refs/pull/7/merge")
    assert (done.code, done.jobs) == (0, {"Preview": True}), done.out
    assert "A training/tokens.py" in done.out
    assert f"{WORKFLOW} is up to date." in done.out
    assert "| `space` | would be synced |" in done.summaries["preview"]
    assert hub_family.space.tips() == before
    assert {seen.user for seen in actor.sandbox.hub.log[asked:]} == {""}


@slow
def test_a_pull_request_that_changes_the_maps_needs_a_new_workflow(hub_family: HubFamily, actor: Actor) -> None:
    ready(hub_family)
    hub_family.manifest(maps=(("core/src/", "training/"),))
    hub_family.clone.commit("Carry all of it")
    hub_family.clone.git("push", "-q", hub_family.origin.url, "HEAD:refs/pull/8/merge")
    pull = {"number": 8, "pull_request": {"number": 8, "base": {"ref": "main"}, "head": {"ref": "topic"}}}
    done = actor.run("pull_request", pull, ref="refs/pull/8/merge")
    assert (done.code, done.jobs) == (1, {"Preview": False})
    assert "| `space` | would be synced |" in done.summaries["preview"]
    assert "is not what the manifest asks for" in done.summaries["preview"]


@slow
def test_maps_that_went_to_the_branch_without_a_pull_request_are_synced_with_a_warning(
    hub_family: HubFamily, actor: Actor
) -> None:
    ready(hub_family)
    hub_family.manifest(maps=(("core/src/", "training/"),))
    hub_family.commit("Carry all of it")
    done = actor.run("push", pushed(hub_family))
    assert (done.code, done.jobs) == (0, {"Sync": True}), done.out
    assert "is not what the manifest asks for" in done.summaries["sync"]


@slow
def test_drift_turns_the_nightly_look_red(hub_family: HubFamily, actor: Actor) -> None:
    ready(hub_family)
    hub_family.synced("--yes")
    scheduled = {"repository": {"full_name": SOURCE, "default_branch": "main"}}
    assert actor.run("schedule", scheduled).jobs == {"Look for drift": True}
    hub_family.edit("Patch it there", {"training/train.py": "patched\n"})
    done = actor.run("schedule", scheduled)
    assert (done.code, done.jobs) == (1, {"Look for drift": False})
    assert "**space**: changed 1 mapped file by itself" in done.summaries["drift"]


@slow
def test_a_fork_runs_nothing_and_a_renamed_repository_does(hub_family: HubFamily, actor: Actor) -> None:
    ready(hub_family)
    for event in ("push", "schedule"):
        for name, fork, ran in ((SOURCE, True, 1), ("somebody/openllm", True, 0), ("louischua/renamed", False, 1)):
            actor.repository = name
            done = actor.run(event, {"repository": {"full_name": name, "default_branch": "main", "fork": fork}})
            assert len(done.jobs) == ran, (event, name, done.out)


@slow
def test_a_private_space_is_looked_at_with_the_secret(
    act: str, sandbox: Sandbox, tmp_path: Path, run_cli: RunCli
) -> None:
    family = HubFamily.on(sandbox, tmp_path / "family", run_cli, private=True)
    ready(family, "--auth", "secret", "--private")
    family.synced("--yes")
    actor = Actor(act, tmp_path / "act", sandbox, secrets={"HF_TOKEN": "hf_write"})
    scheduled = {"repository": {"full_name": SOURCE, "default_branch": "main"}}
    assert actor.run("schedule", scheduled).jobs == {"Look for drift": True}
    actor.secrets = {}
    assert actor.run("schedule", scheduled).jobs == {"Look for drift": False}


@slow
def test_the_tag_of_a_release_is_verified(hub_family: HubFamily, actor: Actor) -> None:
    done = actor.run("push", released(hub_family, "1.0.0"), ref="refs/tags/v1.0.0")
    assert (done.code, done.jobs) == (0, {"Finish and verify the release": True}), done.out
    assert "v1.0.0: complete, 2 repos" in done.out
    assert "v1.0.0" in done.summaries["release"]


@slow
def test_a_release_whose_tag_was_pushed_too_early_is_finished(hub_family: HubFamily, actor: Actor) -> None:
    payload = released(hub_family, "1.0.0")
    hub_family.space.git("tag", "-d", "v1.0.0")
    done = actor.run("push", payload, ref="refs/tags/v1.0.0")
    assert done.jobs == {"Finish and verify the release": True}, done.out
    assert hub_family.space.git("cat-file", "-t", "v1.0.0") == "tag"


@slow
def test_a_tag_that_no_release_made_is_refused_with_the_way_out(hub_family: HubFamily, actor: Actor) -> None:
    payload = released(hub_family, "1.0.0")
    hub_family.clone.git("tag", "-am", "By hand", "v1.1.0")
    hub_family.clone.git("push", "-q", "--no-verify", hub_family.origin.url, "v1.1.0")
    done = actor.run("push", payload, ref="refs/tags/v1.1.0")
    assert (done.code, done.jobs) == (1, {"Finish and verify the release": False})
    assert "The release 1.1.0 was not begun" in done.out
    assert "refs/tags/v1.1.0" not in hub_family.space.tips()


@slow
def test_a_fleet_is_synced_by_one_job_for_each_target_and_verified_at_the_end(
    sandbox: Sandbox, hub_family: HubFamily, actor: Actor
) -> None:
    twin = Bare(sandbox.hub.create("space", "lemms/twin", sdk="static"))
    sandbox.hub.build("lemms/twin", stage="RUNNING")
    hub_family.manifest(
        more='[repos.twin]\nspace = "lemms/twin"\n[[repos.twin.map]]\nfrom = "configs/*.json"\nto = "configs/"'
    )
    ready(hub_family, "--matrix", "--auth", "secret")
    actor.trusted, actor.secrets = False, {"HF_TOKEN": "hf_write"}
    done = actor.run("push", pushed(hub_family))
    assert (done.code, done.jobs) == (
        0,
        {"List the targets": True, "Sync space": True, "Sync twin": True, "Verify all targets": True},
    ), done.out
    assert "configs/small.json" in twin.paths()
    assert "training/model.py" in hub_family.space.paths()
    for named in ("space,twin", "space\ntwin"):  # however the names were typed, none is left out
        asked = {"inputs": {"dry-run": "true", "targets": named}, "repository": {"full_name": SOURCE}}
        done = actor.run("workflow_dispatch", asked)
        assert done.jobs == {"List the targets": True, "Sync space": True, "Sync twin": True}, done.out
    start = hub_family.clone.tip("HEAD~1")
    assert hub_family.run("rollback", "space", "--to", start, "--yes", cwd=hub_family.clone.path).code == 0
    done = actor.run("push", pushed(hub_family))
    assert (done.code, set(done.jobs.values())) == (0, {True}), done.out  # held, and no job is red for it


@slow
def test_a_sync_whose_space_does_not_build_is_red(sandbox: Sandbox, hub_family: HubFamily, actor: Actor) -> None:
    sandbox.hub.build(SPACE, stage="BUILD_ERROR", log=["No matching distribution for torch==9"])
    ready(hub_family)
    done = actor.run("push", pushed(hub_family))
    assert (done.code, done.jobs) == (1, {"Sync": False})
    assert "space: the Space does not run: BUILD_ERROR" in done.out
    assert "No matching distribution for torch==9" in done.out
    assert "training/model.py" in hub_family.space.paths()  # it was synced all the same
    ready(hub_family, "--no-wait")
    assert actor.run("push", pushed(hub_family)).jobs == {"Sync": True}


@slow
def test_a_release_is_made_where_a_person_asks_for_it_on_github(hub_family: HubFamily, actor: Actor) -> None:
    due(hub_family, "1.0.0")
    actor.github_token = "gh_write"  # what `contents: write` gives the job
    before = hub_family.origin.tips(), hub_family.space.tips()
    asked = {"repository": {"full_name": SOURCE}, "inputs": {"version": "1.0.0", "dry-run": "true"}}
    done = actor.run("workflow_dispatch", asked)
    assert (done.code, done.jobs) == (0, {"Release 1.0.0": True}), done.out
    assert (hub_family.origin.tips(), hub_family.space.tips()) == before
    asked["inputs"] = {"version": "1.0.0"}
    done = actor.run("workflow_dispatch", asked)
    assert (done.code, done.jobs) == (0, {"Release 1.0.0": True}), done.out
    assert "Released: 1.0.0" in done.out
    assert "training/model.py" in hub_family.space.paths("v1.0.0")
    assert hub_family.origin.git("cat-file", "-t", "v1.0.0") == "tag"
    assert hub_family.origin.log("main", "-1", form="%cn") == [BOT]
    assert actor.run("workflow_dispatch", asked).jobs == {"Release 1.0.0": True}  # there is nothing left to do
    odd = {"repository": {"full_name": SOURCE}, "inputs": {"version": "$(touch /tmp/x) --yes"}}
    assert set(actor.run("workflow_dispatch", odd).jobs.values()) == {False}
    asked["inputs"] = {"version": "1.1.0"}
    hub_family.clone.git("push", "-q", hub_family.origin.url, "main:topic")
    assert actor.run("workflow_dispatch", asked, ref="refs/heads/topic").jobs == {}


@slow
def test_a_release_that_is_not_due_is_refused_on_github_too(hub_family: HubFamily, actor: Actor) -> None:
    due(hub_family, "1.0.0")
    actor.github_token = "gh_write"
    before = hub_family.origin.tips()
    done = actor.run("workflow_dispatch", {"repository": {"full_name": SOURCE}, "inputs": {"version": "2.0.0"}})
    assert (done.code, done.jobs) == (1, {"Release 2.0.0": False})
    assert "VERSION" in done.out
    assert hub_family.origin.tips() == before


@slow
def test_the_jobs_install_what_is_pinned_and_nothing_else(hub_family: HubFamily, actor: Actor, tmp_path: Path) -> None:
    """Into an empty Python, from a folder of wheels that stands in for the package index."""
    actor.wheels, (tool, *needed) = tmp_path / "wheels", wheels_of_the_tool(tmp_path / "wheels")
    recipe = Recipe(
        Manifest.load(hub_family.clone.path / "repos.toml"),
        "repos.toml",
        Choices(install=Requirement(tool)),
        __version__,
        "".join(f"{one}\n" for one in needed),
    )
    write_workflow(hub_family.clone.path, composed(Found(None), recipe, overwrite=False))
    hub_family.commit("Let GitHub keep the family in step")
    actor.python = empty_python(tmp_path / "first")
    done = actor.run("push", pushed(hub_family))
    assert (done.code, done.jobs) == (0, {"Sync": True}), done.out
    assert f"{WORKFLOW} is up to date." in done.out
    assert (actor.python / "openllm-repos").exists()
    assert "training/model.py" in hub_family.space.paths()

    (wheel,) = actor.wheels.glob("openllm_repos-*.whl")  # somebody else's of that name and version
    wheel.write_bytes(wheel.read_bytes() + b"\n")
    actor.python = empty_python(tmp_path / "second")
    done = actor.run("push", pushed(hub_family))
    assert (done.code, done.jobs) == (1, {"Sync": False})
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.out
    assert not (actor.python / "openllm-repos").exists()


@slow
def test_the_jobs_build_what_git_brings_without_an_index(hub_family: HubFamily, actor: Actor, tmp_path: Path) -> None:
    actor.wheels, (_, *needed) = tmp_path / "wheels", wheels_of_the_tool(tmp_path / "wheels", building=True)
    published = Bare(actor.sandbox.github.create("louischua/openllm-repos"))
    commit = sources_of_the_tool(tmp_path / "sources", published)
    recipe = Recipe(
        Manifest.load(hub_family.clone.path / "repos.toml"),
        "repos.toml",
        Choices(install=Requirement(f"openllm-repos @ git+https://github.com/louischua/openllm-repos@{commit}")),
        __version__,
        "".join(f"{one}\n" for one in needed),
    )
    write_workflow(hub_family.clone.path, composed(Found(None), recipe, overwrite=False))
    hub_family.commit("Let GitHub keep the family in step")
    actor.python = empty_python(tmp_path / "first")
    done = actor.run("push", pushed(hub_family))
    assert (done.code, done.jobs) == (0, {"Sync": True}), done.out
    assert "training/model.py" in hub_family.space.paths()
