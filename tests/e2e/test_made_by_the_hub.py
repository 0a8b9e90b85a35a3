"""What the Hub puts into a repository that it makes is nobody's edit: the first sync needs no adoption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.hosts import SOURCE
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from openllm_repos.sandbox.hub import HubKind
    from tests.support.inprocess import RunCli

CARD = "---\ntitle: App\nsdk: gradio\napp_file: app.py\n---\n# Mine\n"
MANIFEST = """\
schema = 1
[project]
name = "openllm"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.target]
{kind} = "lemms/app"
role = "target"
[[repos.target.map]]
from = "whole/"
to = "."
"""
KINDS: list[tuple[HubKind, str]] = [
    ("space", "gradio"),
    ("space", "static"),
    ("space", "docker"),
    ("model", ""),
    ("dataset", ""),
]


class Made:
    """A repository as the Hub made it, and a source whose folder `whole/` goes to its root."""

    def __init__(self, sandbox: Sandbox, run_cli: RunCli, tmp_path: Path, kind: HubKind, sdk: str) -> None:
        held = sandbox.github.create(SOURCE)
        self.clone = Clone.init(tmp_path / "clone")
        self.clone.git("remote", "add", "origin", held.as_uri())
        self.held, self.run = held, run_cli
        self.target = Bare(sandbox.hub.create(kind, "lemms/app", sdk=sdk or "gradio"))
        self.work = tmp_path / "work"
        self.first = self.target.files()
        self.commit("Start", {"repos.toml": MANIFEST.format(kind=kind), "whole/app.py": "app\n"})

    def commit(self, message: str, files: dict[str, str | None]) -> None:
        self.clone.commit(message, files)
        self.clone.push(self.held.as_uri())

    def state(self) -> str:
        facts = self.run("status", "--json", cwd=self.clone.path).json()
        return str(next(repo["state"] for repo in facts["repos"] if repo["name"] == "target"))

    def sync(self) -> str:
        done = self.run("sync", "--yes", cwd=self.clone.path)
        assert done.code == 0, (done.out, done.err)
        return done.out


@pytest.fixture(params=[pytest.param(one, id="-".join(filter(None, one))) for one in KINDS])
def made(request: pytest.FixtureRequest, sandbox: Sandbox, run_cli: RunCli, tmp_path: Path) -> Made:
    return Made(sandbox, run_cli, tmp_path, *request.param)


def test_a_new_repository_syncs_at_once_and_keeps_what_the_source_does_not_have(made: Made) -> None:
    assert made.state() == "new"
    made.sync()
    assert made.target.files() == {**made.first, "app.py": b"app\n"}
    assert made.state() == "in sync"
    tip = made.target.tip("main")
    made.sync()
    assert made.target.tip("main") == tip


@pytest.fixture
def space(sandbox: Sandbox, run_cli: RunCli, tmp_path: Path) -> Made:
    return Made(sandbox, run_cli, tmp_path, "space", "gradio")


@pytest.mark.slow
def test_a_card_of_the_source_takes_the_place_of_the_one_that_the_hub_made(space: Made) -> None:
    space.commit("A card", {"whole/README.md": CARD})
    space.sync()
    assert space.target.read("README.md").decode() == CARD
    assert space.state() == "in sync"


@pytest.mark.slow
def test_a_card_that_comes_later_takes_its_place_too(space: Made) -> None:
    space.sync()
    space.commit("A card", {"whole/README.md": CARD})
    space.sync()
    assert space.target.read("README.md").decode() == CARD


@pytest.mark.slow
def test_a_card_that_somebody_has_edited_there_is_an_edit(space: Made) -> None:
    space.sync()
    work = Clone.of(space.target.url, space.work)
    work.commit("My card", {"README.md": CARD})
    work.push(space.target.url)
    assert space.state() == "drift"


def test_files_that_are_not_those_of_the_source_cannot_be_adopted(space: Made) -> None:
    work = Clone.of(space.target.url, space.work)
    work.commit("Something else", {"other.py": "other\n"})
    work.push(space.target.url)
    assert space.state() == "not adopted"
    tip = space.target.tip("main")
    done = space.run("adopt", "target", "--at", "HEAD", "--yes", cwd=space.clone.path)
    assert (done.code, space.target.tip("main")) == (3, tip)
