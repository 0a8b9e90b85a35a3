"""OpenLLM's own two Spaces, each the root of a folder of the source: in sync with three commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openllm_repos.manifest import Manifest
from tests.support.hub import client
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli
    from tests.support.process import Result

EXAMPLE = Path(__file__).parents[2] / "examples/two-spaces/repos.toml"
SOURCE = "louischua/osllm"
TRAINING, INFERENCE = "lemms/openllm", "lemms/llm"
CARD = "---\ntitle: {0}\nsdk: gradio\napp_file: app.py\n---\n# {0}\n"
START = {
    "README.md": "# OpenLLM\n",
    "pyproject.toml": '[project]\nname = "openllm"\nversion = "0.1.0"\n',
    "core/src/__init__.py": "",
    "core/src/model.py": "class GPT: ...\n",
    "data/raw.txt": "private\n",
    "docs/guide.md": "Guide.\n",
    "llm/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    "llm/README.md": CARD.format("Inference"),
    "llm/app.py": "import gradio\n",
    "llm/requirements.txt": "gradio==4.0\n",
    "llm/core/src/model.py": "class GPT: ...\n",
    "tests/test_model.py": "def test(): ...\n",
    "training_space/README.md": CARD.format("Training"),
    "training_space/app.py": "import gradio\n",
    "training_space/deploy_to_space.py": "upload()\n",
    "training_space/requirements.txt": "gradio>=4.0\n",
}
NEW = {
    "core/src/data_loader.py": "def batches(): ...\n",
    "llm/app.py": "import gradio as gr\n",
    "llm/requirements.txt": "gradio==4.44\n",
    "training_space/app.py": "import gradio as gr\n",
    "training_space/requirements.txt": "gradio>=4.44\n",
}
NEWEST = {"core/src/model.py": "class GPT: layers = 6\n", "llm/core/src/model.py": "class GPT: layers = 6\n"}
UPLOADED = {
    INFERENCE: ("llm", "app.py", "requirements.txt"),
    TRAINING: ("training_space", "app.py", "requirements.txt", "README.md"),
}
COMMANDS = (
    ("init", "--space", TRAINING, "--map", "training_space/*", ".", "--map", "core/src/*.py", "training/", "--yes"),
    ("manifest", "add", "llm", "--space", INFERENCE, "--map", "llm/", "."),
    ("init", "--yes"),
)


@pytest.fixture
def clone(sandbox: Sandbox, tmp_path: Path) -> Clone:
    """Return a clone of a source with OpenLLM's folders, and three commits."""
    held = sandbox.github.create(SOURCE)
    made = Clone.init(tmp_path / "clone")
    made.commit("Start", START)
    made.commit("Newer gradio", NEW)
    made.commit("Six layers", NEWEST)
    made.push(held.as_uri())
    made.git("remote", "add", "origin", f"https://github.com/{SOURCE}")
    return made


@pytest.fixture
def filled(sandbox: Sandbox) -> None:
    """Let both Spaces be as the project's upload workflow left them: file by file, the last run broken off midway."""
    hub = client(sandbox)
    for space, (folder, *names) in UPLOADED.items():
        sandbox.hub.create("space", space, sdk="gradio")
        for files, uploaded in ((START, names), (NEW, names[:1])):
            for name in uploaded:
                data = files[f"{folder}/{name}"].encode()
                hub.upload_file(path_or_fileobj=data, path_in_repo=name, repo_id=space, repo_type="space")


def files_of(folder: str) -> dict[str, bytes]:
    """Return the files below a folder of the source, by their paths below it."""
    files = {**START, **NEW, **NEWEST}
    return {path.removeprefix(folder): text.encode() for path, text in files.items() if path.startswith(folder)}


def require_in_sync(run_cli: RunCli, sandbox: Sandbox, clone: Clone) -> None:
    """Make sure that both Spaces have what the source has, and nothing of the Hub's but what the source lacks."""
    repos = run_cli("status", "--check", "--json", cwd=clone.path).json()["repos"]
    assert {repo["name"]: repo["state"] for repo in repos} == {"main": "ok", "space": "in sync", "llm": "in sync"}
    training, inference = (Bare(sandbox.hub.path("space", name)).files() for name in (TRAINING, INFERENCE))
    assert inference == files_of("llm/")
    code = {f"training/{name}": data for name, data in files_of("core/src/").items()}
    assert training == {".gitattributes": training[".gitattributes"], **files_of("training_space/"), **code}
    assert clone.git("status", "--porcelain") == ""


def run_all(run_cli: RunCli, clone: Clone, *options: str) -> list[Result]:
    """Run the three commands, with options for those that touch the Hub."""
    done = [run_cli(*one, *(options if one[0] == "init" else ()), cwd=clone.path) for one in COMMANDS]
    assert [(one.code, one.err if one.code else "") for one in done] == [(0, "")] * 3
    return done


@pytest.mark.slow
def test_three_commands_bring_two_spaces_that_are_not_there_yet_in_sync(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone
) -> None:
    _, added, last = run_all(run_cli, clone, "--create")
    assert "next: openllm-repos init  # commits and pushes it, and goes on to the first sync" in added.out
    assert f"made {sandbox.hub.url}/spaces/{INFERENCE}" in last.out
    require_in_sync(run_cli, sandbox, clone)
    assert Manifest.load(clone.path / "repos.toml").target("space").owned == ()


@pytest.mark.slow
@pytest.mark.usefixtures("filled")
def test_three_commands_bring_two_spaces_in_sync_that_a_workflow_has_filled_file_by_file(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone
) -> None:
    first, _, last = run_all(run_cli, clone)
    assert "\nspace: adopted, now at " in first.out
    assert "\nllm: adopted, now at " in last.out
    for done in (first, last):
        assert "as of another commit" in done.out
        assert "fit just as well" not in done.out
        assert "kept" not in done.out
        assert "drift" not in done.out
    require_in_sync(run_cli, sandbox, clone)


@pytest.mark.slow
def test_the_example_of_two_spaces_syncs(run_cli: RunCli, sandbox: Sandbox, clone: Clone) -> None:
    clone.write({"repos.toml": EXAMPLE.read_text(encoding="utf-8")})
    done = run_cli("init", "--create", "--yes", cwd=clone.path)
    assert done.code == 0, (done.out, done.err)
    require_in_sync(run_cli, sandbox, clone)


def test_a_second_space_in_one_init_is_refused_with_the_command_that_adds_it(run_cli: RunCli, clone: Clone) -> None:
    refused = run_cli("init", "--space", TRAINING, "--space", INFERENCE, "--yes", cwd=clone.path)
    assert refused.code == 2
    assert f"hint: Add it later: 'openllm-repos manifest add NAME --space {INFERENCE} --map FROM TO'." in refused.err
    assert not (clone.path / "repos.toml").exists()


def test_a_whole_folder_that_meets_another_map_is_refused_with_the_pattern_that_does_not(
    run_cli: RunCli, sandbox: Sandbox, clone: Clone
) -> None:
    whole = [word.replace("training_space/*", "training_space/") for word in COMMANDS[0]]
    refused = run_cli(*whole, "--create", cwd=clone.path)
    assert refused.code == 2
    assert "can write 'training/a.py', as map[0] can" in refused.err
    assert 'only the folder\'s own files: in map[0], from = "training_space/*"' in refused.err
    assert not sandbox.hub.path("space", TRAINING).exists()
