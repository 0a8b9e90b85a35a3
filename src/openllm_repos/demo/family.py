"""Making the family: bare repositories for the remotes, a history with merges, and clones to stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.demo import content
from openllm_repos.errors import UsageError
from openllm_repos.git.authoring import Author, Workspace, create_remote

GITHUB = "https://github.com/"
HUB = "https://huggingface.co/"
SOURCE = "louischua/openllm"
SPACE = "spaces/lemms/openllm"
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


def make_family(folder: Path) -> Family:
    """Make remotes and clones.

    Args:
        folder: absolute; made if it is not there, and must be empty if it is.

    Raises:
        UsageError: it has something in it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is not empty.", hint="Name a folder that does not exist yet: openllm-repos demo DIR"
        )
    for remote in (f"github/{SOURCE}", f"hub/{SPACE}", *(f"hub/{name}" for name in content.CARDS)):
        create_remote(folder / remote)
    settings = _settings(folder, "Louis Chua")
    source = Workspace.create(folder / "openllm", GITHUB + SOURCE, settings)
    _write_source(source)
    space = Workspace.create(folder / "space", HUB + SPACE, _settings(folder, "Space Editor"))
    space.commit(
        "Space: app and card",
        _someone("Space Editor", 40),
        {"README.md": content.SPACE_CARD, "app.py": content.SPACE_APP, "requirements.txt": content.SPACE_REQUIREMENTS},
    )
    space.push()
    for name, card in content.CARDS.items():
        other = Workspace.create(folder / name.rpartition("/")[2], HUB + name, settings)
        other.commit("Card", _someone("Louis Chua", 30), {"README.md": card})
        other.push()
    return Family(source, space)


def edit_space(family: Family) -> None:
    """Someone edits the Space: its own app, and a file that came from the source."""
    family.space.pull()
    edited = content.DATA_LOADER_CHECKED.replace("Batches of tokens", "Batches of a Space's tokens")
    files = {"app.py": content.SPACE_APP_EDITED, "training/data_loader.py": edited}
    family.space.commit("Shout, and say whose tokens they are", _someone("Space Editor", 60), files)
    family.space.push()


def change_source(family: Family) -> None:
    """Work goes on in the source: a file changes, one is new, one is gone."""
    author = _someone("Louis Chua", 61)
    changed = content.MODEL.replace("n_head=8", "n_head=16")
    family.source.commit("More heads", author, {"core/src/model.py": changed, "docs/heads.md": "Why 16.\n"})
    new = {"core/src/quantization.py": content.QUANTIZATION, "configs/tiny.json": None}
    family.source.commit("Add quantization, drop the tiny model", _someone("Ada Tester", 62), new)
    family.source.push()


def _settings(folder: Path, name: str) -> Mapping[str, str]:
    """A clone's settings: who works here, and the real URLs leading into `folder`."""
    return {
        "user.name": name,
        "user.email": _mail(name),
        "branch.main.remote": "origin",
        "branch.main.merge": "refs/heads/main",
        f"url.{folder}/github/.insteadOf": GITHUB,
        f"url.{folder}/hub/.insteadOf": HUB,
    }


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
