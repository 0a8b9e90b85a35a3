"""Making the family: repositories on the sandbox, a history with merges, and clones to stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.demo import content
from openllm_repos.git.authoring import Author, Workspace
from openllm_repos.git.credentials import Credential, credential_environment
from openllm_repos.names.url import RepoId, RepoUrl
from openllm_repos.sandbox import Sandbox

SOURCE_ID = RepoId("louischua/openllm")
SPACE_ID = RepoId("lemms/openllm")
_DAY = 86_400
_START = 1_752_570_000  # 15 July 2025


@dataclass(frozen=True, slots=True)
class Family:
    """The clones of a demo.

    Attributes:
        source: where a person works.
        space: a second person's clone of the Space.
    """

    source: Workspace
    space: Workspace


def make_family(folder: Path, sandbox: Sandbox) -> Family:
    """Make repositories on the sandbox, and clones of them in a folder.

    Args:
        folder: absolute; made if it is not there.
        sandbox: running; it has none of the family's repositories yet.
    """
    sandbox.github.create(SOURCE_ID)
    github = _reach(sandbox, sandbox.github.url, "gh_write")
    source = _clone(folder / "openllm", SOURCE_ID.github_url(), "Louis Chua", github)
    _write_source(source)
    hub = _reach(sandbox, sandbox.hub.url, "hf_write")
    sandbox.hub.create("space", SPACE_ID, sdk="gradio")
    space = clone_space(folder / "space", sandbox)
    files = {
        "README.md": content.SPACE_CARD,
        "app.py": content.SPACE_APP,
        "requirements.txt": content.SPACE_REQUIREMENTS,
    }
    space.commit("Space: app and card", _someone("Space Editor", 40), files)
    space.push()
    for kind, name, card in content.CARDS:
        repo = RepoId(name)
        sandbox.hub.create(kind, repo)
        url = repo.model_url() if kind == "model" else repo.dataset_url()
        other = _clone(folder / repo.partition("/")[2], url, "Louis Chua", hub)
        other.pull()
        other.commit("Card", _someone("Louis Chua", 30), {"README.md": card})
        other.push()
    return Family(source, space)


def clone_space(folder: Path, sandbox: Sandbox) -> Workspace:
    """Return another person's clone of the Space, as it is now."""
    space = _clone(folder, SPACE_ID.space_url(), "Space Editor", _reach(sandbox, sandbox.hub.url, "hf_write"))
    space.pull()
    return space


def edit_space(space: Workspace, mapped: str | None = "training/data_loader.py") -> None:
    """Someone edits the Space: its own app, and a file that came from the source.

    Args:
        space: a clone of it that is up to date.
        mapped: where that file stands in the Space; None where it is not there.
    """
    files = {"app.py": content.SPACE_APP_EDITED}
    if mapped is not None:
        files[mapped] = content.DATA_LOADER_CHECKED.replace("Batches of tokens", "Batches of a Space's tokens")
    space.commit("Shout, and say whose tokens they are", _someone("Space Editor", 60), files)
    space.push()


def change_source(family: Family) -> None:
    """Work goes on in the source: a file changes, one is new, one is gone."""
    author = _someone("Louis Chua", 61)
    changed = content.MODEL.replace("n_head=8", "n_head=16")
    family.source.commit("More heads", author, {"core/src/model.py": changed, "docs/heads.md": "Why 16.\n"})
    new = {"core/src/quantization.py": content.QUANTIZATION, "configs/tiny.json": None}
    family.source.commit("Add quantization, drop the tiny model", _someone("Ada Tester", 62), new)
    family.source.push()


def _clone(folder: Path, url: RepoUrl, name: str, environment: Mapping[str, str]) -> Workspace:
    """Make a person's clone, whose remote need not have anything yet."""
    settings = {
        "user.name": name,
        "user.email": _mail(name),
        "branch.main.remote": "origin",
        "branch.main.merge": "refs/heads/main",
    }
    return Workspace.create(folder, url, settings, environment)


def _reach(sandbox: Sandbox, host: str, token: str) -> Mapping[str, str]:
    """Return the environment that leads a clone's git to the sandbox, with a token for one of its hosts."""
    environment = sandbox.environment()
    return environment | credential_environment(Credential((host,), "demo", token), environment)


def _mail(name: str) -> str:
    return name.lower().replace(" ", ".") + "@example.org"


def _someone(name: str, day: int) -> Author:
    return Author(name, _mail(name), _START + day * _DAY)


def _write_source(source: Workspace) -> None:
    louis, ada = "Louis Chua", "Ada Tester"
    source.commit("Start", _someone(louis, 0), {"README.md": "# OpenLLM\n", "pyproject.toml": content.PYPROJECT})
    source.commit("The model", _someone(louis, 1), {"core/src/model.py": content.MODEL})
    small = {"configs/small.json": content.CONFIG.format(layers=6, width=512)}
    source.commit("A small configuration", _someone(louis, 2), small)
    source.branch("data-loader")
    source.commit("Load data", _someone(ada, 3), {"core/src/data_loader.py": content.DATA_LOADER})
    source.commit(
        "Raw text", _someone(ada, 4), {"data/raw/wiki.txt": "Passages.\n", "tests/test_loader.py": "# tests\n"}
    )
    source.switch("main")
    source.merge("data-loader", "Merge the data loader", _someone(louis, 5))
    source.commit(
        "Documentation", _someone(louis, 6), {"docs/guide.md": "Read me.\n", "docs/loss.png": content.PICTURE}
    )
    source.branch("training")
    source.commit("Train", _someone(ada, 8), {"core/src/train_model.py": content.TRAIN})
    tiny = {"configs/tiny.json": content.CONFIG.format(layers=2, width=128)}
    source.commit("A tiny configuration", _someone(ada, 9), tiny)
    source.switch("main")
    source.commit("Refuse empty batches", _someone(louis, 9), {"core/src/data_loader.py": content.DATA_LOADER_CHECKED})
    source.merge("training", "Merge training", _someone(louis, 10))
    source.commit("Export", _someone(louis, 20), {"exports/model.bin": content.PICTURE, "core/README.md": "Core.\n"})
    source.commit("Say what belongs together", _someone(louis, 21), {"repos.toml": content.MANIFEST})
    source.push()
