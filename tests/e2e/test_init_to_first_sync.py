"""From a source and a Space that was filled by hand to the first sync, as a person meets it: with `init` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openllm_repos.manifest import Manifest
from tests.support.fingerprint import listing
from tests.support.hosts import SOURCE, SOURCE_FILES, SPACE
from tests.support.repositories import Bare, Clone
from tests.support.terminal import run_on_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli
    from tests.support.process import Result

MODEL = "lemms/openllm-small-extended-7k"
OLD_MODEL = SOURCE_FILES["core/src/model.py"]
NEW_MODEL = "class GPT:\n    layers = 6\n"
CTRL_C = "\x03"

ANSWERS = [
    ("The Space (owner/name)", f"{SPACE}\n"),
    ("Models, with blanks between", "-\n"),
    ("Datasets, with blanks between", "-\n"),
    ("core/src/*.py [training/]:", "\n"),
    ("Only the Space writes", "\n"),
    ("Never leaves the source", "\n"),
    ("Write this to repos.toml", "\n"),
    ("Commit and push it? [y/N]:", "y\n"),
    ("Record this? [y/N]:", "y\n"),
    ("Push to 1 target? [y/N]:", "y\n"),
]
"""What a person types in all, where the Space was filled by hand."""


@pytest.fixture
def clone(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of a source on GitHub, with some history."""
    held = sandbox.github.create(SOURCE)
    made = Clone.init(tmp_path / "clone")
    made.commit("Start", SOURCE_FILES)
    made.commit("Six layers", {"core/src/model.py": NEW_MODEL})
    made.push(held.as_uri())
    made.git("remote", "add", "origin", f"https://github.com/{SOURCE}")
    return made


@pytest.fixture
def space(sandbox: Sandbox, tmp_path: Path) -> Bare:
    """Return a Space into which somebody copied an older state of the source, beside an app of its own."""
    held = sandbox.hub.create("space", SPACE, sdk="gradio")
    work = Clone.of(held.as_uri(), tmp_path / "by hand")
    loader = SOURCE_FILES["core/src/data_loader.py"]
    work.commit("Copy", {"app.py": "app\n", "training/model.py": OLD_MODEL, "training/data_loader.py": loader})
    work.push(held.as_uri())
    return Bare(held)


def talk(clone: Clone, dialogue: Sequence[tuple[str, str]], *options: str) -> Result:
    return run_on_terminal("init", *options, cwd=clone.path, dialogue=dialogue)


def github(sandbox: Sandbox) -> Bare:
    return Bare(sandbox.github.path(SOURCE))


def require_in_step(run_cli: RunCli, clone: Clone, space: Bare) -> None:
    """Make sure that the Space has what the source has, keeps what is its own, and that nothing is left to do."""
    assert space.read("training/model.py") == NEW_MODEL.encode()
    assert space.read("app.py") == b"app\n"
    done = run_cli("status", "--check", cwd=clone.path)
    assert done.code == 0, done.out
    assert clone.git("status", "--porcelain") == ""


def require_only_an_app_is_missing(run_cli: RunCli, clone: Clone) -> None:
    """Make sure that all is in step, and what is left is what only people write: the app of a Space that was made."""
    looked = run_cli("status", "--check", "--json", cwd=clone.path)
    facts = looked.json()
    assert (looked.code, {repo["state"] for repo in facts["repos"]}) == (1, {"ok", "in sync"})
    assert [(one["repo"], one["message"]) for one in facts["problems"]] == [("space", "does not run (NO_APP_FILE).")]


def test_one_command_and_its_answers_bring_a_hand_filled_space_to_its_first_sync(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone, space: Bare
) -> None:
    done = talk(clone, ANSWERS)
    assert done.code == 0, done.out
    require_in_step(run_cli, clone, space)
    assert github(sandbox).read("repos.toml") == (clone.path / "repos.toml").read_bytes()
    assert clone.git("rev-parse", "origin/main", "main").split() == [github(sandbox).tip("main")] * 2
    assert clone.git("log", "-1", "--format=%s") == "Add repos.toml"
    assert done.out.rstrip().endswith("next: openllm-repos ci  # and GitHub does it on every push")
    again = talk(clone, [("repos.toml is sound", "")])
    assert (again.code, again.out.count("\n")) == (0, 1), again.out


@pytest.mark.slow
def test_without_a_terminal_one_command_with_yes_does_the_same(run_cli: RunCli, clone: Clone, space: Bare) -> None:
    done = run_cli("init", "--space", SPACE, "--yes", cwd=clone.path)
    assert done.code == 0, (done.out, done.err)
    require_in_step(run_cli, clone, space)


@pytest.mark.slow
def test_without_a_terminal_and_without_yes_nothing_leaves_the_machine(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone, space: Bare
) -> None:
    before = (github(sandbox).tips(), space.tips(), clone.tips())
    done = run_cli("init", "--space", SPACE, cwd=clone.path)
    assert done.code == 0, done.err
    assert "next: openllm-repos init --yes  # commits and pushes it" in done.out
    assert (github(sandbox).tips(), space.tips(), clone.tips()) == before
    assert run_cli("init", "--yes", cwd=clone.path).code == 0
    require_in_step(run_cli, clone, space)


@pytest.mark.slow
@pytest.mark.parametrize("stopped", range(len(ANSWERS)))
def test_ctrl_c_at_any_question_leaves_nothing_half_done_and_init_goes_on(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone, space: Bare, stopped: int
) -> None:
    before = (github(sandbox).tips(), space.tips())
    question, _ = ANSWERS[stopped]
    done = talk(clone, [*ANSWERS[:stopped], (question, CTRL_C)])
    assert done.code == 130, done.out
    if stopped <= 6:
        assert clone.git("status", "--porcelain") == ""
    if stopped <= 7:
        assert (github(sandbox).tips(), space.tips()) == before
    elif stopped == 8:
        assert space.tips() == before[1]
    again = run_cli("init", "--space", SPACE, "--yes", cwd=clone.path)
    assert again.code == 0, (again.out, again.err)
    require_in_step(run_cli, clone, space)


@pytest.mark.slow
def test_an_answer_that_is_neither_yes_nor_no_is_a_no_and_init_goes_on_from_there(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone, space: Bare
) -> None:
    before = (github(sandbox).tips(), space.tips(), clone.tips())
    done = talk(clone, [*ANSWERS[:7], ("Commit and push it?", "maybe\n")])
    assert done.code == 1, done.out
    assert "Nothing was committed.\nnext: openllm-repos init  # goes on from here" in done.out
    assert (github(sandbox).tips(), space.tips(), clone.tips()) == before
    done = talk(clone, ANSWERS[7:])
    assert done.code == 0, done.out
    require_in_step(run_cli, clone, space)


@pytest.mark.slow
def test_an_empty_hub_gets_its_repositories_where_the_person_says_so(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone
) -> None:
    question = f"Make the space {SPACE}, the model {MODEL} on the Hub? [y/N]:"
    refused = talk(clone, [(question, "\n")], "--space", SPACE, "--model", MODEL)
    assert refused.code == 1, refused.out
    assert "Nothing was made.\nNothing was written." in refused.out
    assert not sandbox.hub.path("space", SPACE).exists()
    assert clone.git("status", "--porcelain") == ""
    steps = [(question, "y\n"), ("Commit and push it?", "y\n"), ("Push to 1 target?", "y\n")]
    done = talk(clone, steps, "--space", SPACE, "--model", MODEL)
    assert done.code == 0, done.out
    assert sandbox.hub.path("model", MODEL).exists()
    space = Bare(sandbox.hub.path("space", SPACE))
    assert space.read("core/model.py") == NEW_MODEL.encode()
    require_only_an_app_is_missing(run_cli, clone)


def test_one_command_fills_an_empty_hub_without_a_terminal(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone, tmp_path: Path
) -> None:
    done = run_cli("init", "--space", SPACE, "--model", MODEL, "--create", "--yes", cwd=clone.path)
    assert done.code == 0, (done.out, done.err)
    assert Bare(sandbox.hub.path("space", SPACE)).read("core/model.py") == NEW_MODEL.encode()
    require_only_an_app_is_missing(run_cli, clone)
    url = f"http://x:hf_write@{sandbox.hub.url.removeprefix('http://')}/spaces/{SPACE}"
    work = Clone.of(url, tmp_path / "app")
    work.commit("The app", {"app.py": "app\n"})
    work.push(url)
    assert run_cli("status", "--check", cwd=clone.path).code == 0


MANIFEST = f"""\
schema = 1
[project]
name = "openllm"
[repos.main]
github = "{SOURCE}"
role = "source"
[repos.space]
space = "{SPACE}"
owned = ["README.md", ".gitattributes", "app.py"]
[[repos.space.map]]
from = "core/src/*.py"
to = "training/"
[repos.small]
model = "{MODEL}"
"""


@pytest.fixture
def family(clone: Clone, sandbox: Sandbox) -> Clone:
    """Return the clone with a manifest that others know; of its repositories on the Hub none is there."""
    clone.commit("Say what belongs together", {"repos.toml": MANIFEST})
    clone.push(sandbox.github.path(SOURCE).as_uri())
    return clone


@pytest.mark.parametrize("command", ["status", "sync --yes", "doctor", "init --yes"])
def test_what_finds_a_repository_missing_on_the_hub_names_the_command_that_makes_it(
    run_cli: RunCli, family: Clone, command: str
) -> None:
    done = run_cli(*command.split(), cwd=family.path)
    said = f"next: openllm-repos init --create  # makes the space {SPACE}, if its name is right"
    assert said in done.out + done.err


@pytest.mark.slow
def test_create_makes_what_an_existing_manifest_names(run_cli: RunCli, sandbox: Sandbox, family: Clone) -> None:
    unasked = run_cli("init", "--create", cwd=family.path)
    assert unasked.code == 2
    assert "next: openllm-repos init --create --yes\n" in unasked.err
    looked = run_cli("init", "--create", "--dry-run", cwd=family.path)
    assert (looked.code, f"the space {SPACE} is not on the Hub" in looked.out) == (0, True)
    assert not sandbox.hub.path("space", SPACE).exists()
    steps = [("on the Hub? [y/N]:", "y\n"), ("Push to 1 target? [y/N]:", "y\n")]
    done = talk(family, steps, "--create", "--private")
    assert done.code == 0, done.out
    assert f"Make the space {SPACE}, the model {MODEL} on the Hub?" in done.out
    assert Bare(sandbox.hub.path("space", SPACE)).read("training/model.py") == NEW_MODEL.encode()
    require_only_an_app_is_missing(run_cli, family)


def test_a_second_developer_is_set_up_in_one_line_and_asked_nothing(
    run_cli: RunCli, sandbox: Sandbox, family: Clone, tmp_path: Path
) -> None:
    assert run_cli("init", "--create", "--yes", cwd=family.path).code == 0
    before = (github(sandbox).tips(), Bare(sandbox.hub.path("space", SPACE)).tips())
    fresh = Clone.of(f"https://github.com/{SOURCE}", tmp_path / "fresh")
    done = talk(fresh, [("repos.toml is sound", "")])
    hook = fresh.path / ".git/hooks/pre-push"
    added = f"git remotes space, small; installed the pre-push hook: {hook}"
    assert (done.code, done.out) == (0, f"repos.toml is sound, and this clone is set up: {added}.\n")
    assert (github(sandbox).tips(), Bare(sandbox.hub.path("space", SPACE)).tips()) == before
    files = listing(fresh.path / ".git")
    again = run_cli("init", cwd=fresh.path)
    said = "repos.toml is sound, and this clone is set up: its git remotes and hook were as they should be.\n"
    assert (again.code, again.out) == (0, said)
    assert listing(fresh.path / ".git") == files


@pytest.mark.slow
def test_a_second_developer_who_may_not_see_a_private_model_is_not_asked_to_make_it(
    run_cli: RunCli, sandbox: Sandbox, family: Clone, tmp_path: Path
) -> None:
    assert run_cli("init", "--create", "--yes", cwd=family.path).code == 0
    sandbox.hub.path("model", MODEL).rename(tmp_path / "not to be seen")
    fresh = Clone.of(f"https://github.com/{SOURCE}", tmp_path / "fresh")
    done = talk(fresh, [("repos.toml is sound", "")])
    assert done.code == 0, done.out
    assert "note: small is unreachable" in done.out
    assert "[y/N]" not in done.out


@pytest.mark.slow
def test_where_somebody_pushed_meanwhile_nothing_is_committed_before_a_pull(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone, space: Bare, tmp_path: Path
) -> None:
    other = Clone.of(sandbox.github.path(SOURCE).as_uri(), tmp_path / "other")
    other.commit("Elsewhere", {"notes.md": "x\n"})
    other.push(sandbox.github.path(SOURCE).as_uri())
    done = run_cli("init", "--space", SPACE, "--yes", cwd=clone.path)
    assert done.code == 3
    assert "main has 1 commit that this clone lacks" in done.err
    assert "next: git pull --rebase --autostash origin main\n" in done.err
    assert clone.git("log", "-1", "--format=%s") == "Six layers"
    clone.git("pull", "-q", "--rebase", "--autostash", "origin", "main")
    assert run_cli("init", "--yes", cwd=clone.path).code == 0
    require_in_step(run_cli, clone, space)


@pytest.mark.slow
def test_a_push_of_the_manifest_that_nobody_confirms_is_gone_on_from(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone, space: Bare
) -> None:
    asked = "GET */info/refs[?]service=git-upload-pack"
    sandbox.github.fault(asked, 200, headers={"Content-Type": "text/html"}, body="Back soon", skip=3, count=None)
    done = run_cli("--patience", "0", "init", "--space", SPACE, "--yes", cwd=clone.path)
    assert (done.code, "main: the push was sent, then the remote did not say what it has" in done.err) == (30, True)
    assert "The push may have landed." in done.err
    assert github(sandbox).tip("main") == clone.tip()
    sandbox.github.faults.clear()
    again = run_cli("init", "--space", SPACE, "--yes", cwd=clone.path)
    assert again.code == 0, (again.out, again.err)
    require_in_step(run_cli, clone, space)


@pytest.mark.slow
def test_a_commit_hook_that_says_no_is_heard_and_leaves_nothing_staged(
    run_cli: RunCli, clone: Clone, space: Bare
) -> None:
    hook = clone.path / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'no TOML here' >&2\nexit 1\n")
    hook.chmod(0o755)
    done = run_cli("init", "--space", SPACE, "--yes", cwd=clone.path)
    assert done.code == 3
    assert "repos.toml was not committed:\nno TOML here" in done.err
    assert clone.git("status", "--porcelain") == "?? repos.toml"
    hook.unlink()
    assert run_cli("init", "--yes", cwd=clone.path).code == 0
    require_in_step(run_cli, clone, space)


@pytest.mark.slow
def test_what_else_is_staged_stays_staged_and_uncommitted(run_cli: RunCli, clone: Clone, space: Bare) -> None:
    clone.write({"core/src/model.py": "half done\n"})
    clone.git("add", "core/src/model.py")
    assert run_cli("init", "--space", SPACE, "--yes", cwd=clone.path).code == 0
    assert clone.git("diff", "--cached", "--name-only") == "core/src/model.py"
    assert clone.git("show", "--format=", "--name-only", "HEAD") == "repos.toml"
    assert space.read("training/model.py") == NEW_MODEL.encode()


@pytest.mark.slow
def test_a_branch_of_ones_own_is_no_place_for_the_manifest(run_cli: RunCli, clone: Clone, space: Bare) -> None:
    clone.git("checkout", "-q", "-b", "topic")
    done = run_cli("init", "--space", SPACE, "--yes", cwd=clone.path)
    assert done.code == 2
    assert "repos.toml is to be committed on main, and topic is checked out." in done.err
    clone.git("checkout", "-q", "main")
    assert run_cli("init", "--yes", cwd=clone.path).code == 0
    require_in_step(run_cli, clone, space)


WORKFLOW = f"""\
name: Deploy
on: {{push: {{branches: [main]}}}}
env:
  SPACE_ID: {SPACE}
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: |
          git remote add hf https://user:${{{{ secrets.HF_TOKEN }}}}@huggingface.co/spaces/${{{{ env.SPACE_ID }}}}
          git push --force hf main
"""
SCRIPT = f"""\
from huggingface_hub import HfApi
repo_id = "{SPACE}"
HfApi().upload_folder(folder_path="training", repo_id=repo_id, repo_type="space")
"""


@pytest.mark.slow
@pytest.mark.usefixtures("space")
def test_who_else_writes_to_the_space_is_named_before_the_first_sync(run_cli: RunCli, clone: Clone) -> None:
    clone.commit("Deploy", {".github/workflows/deploy.yml": WORKFLOW, "scripts/upload.py": SCRIPT})
    done = run_cli("init", "--space", SPACE, cwd=clone.path)
    for path, how in ((".github/workflows/deploy.yml", "git push"), ("scripts/upload.py", "upload_folder")):
        said = f"space has two writers: openllm-repos, and {path}, line"
        assert f"note: {said}" in done.out
        assert how in done.out
    looked = run_cli("doctor", "--offline", "--json", cwd=clone.path).json()["checks"]
    found = [one for one in looked if one["name"] == "writers"]
    assert [(one["repo"], one["level"]) for one in found] == [("space", "warning")] * 2
    assert all("two writers" in one["message"] for one in found)


@pytest.mark.slow
def test_what_init_writes_is_sound(run_cli: RunCli, clone: Clone, space: Bare) -> None:
    assert run_cli("init", "--space", SPACE, "--yes", cwd=clone.path).code == 0
    target = Manifest.load(clone.path / "repos.toml").target("space")
    assert [(a_map.source.text, a_map.written_to) for a_map in target.maps] == [("core/src/*.py", "training/")]
    assert space.tips()
