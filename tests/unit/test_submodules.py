"""What lies behind `pin`, in cases that no command shows easily."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from openllm_repos.errors import ConflictError, EnvironmentProblem
from openllm_repos.family.modules import resolved
from openllm_repos.family.pins import UNKNOWN, how_far
from openllm_repos.git.gitlinks import index_entries
from openllm_repos.git.gitmodules import Setting, edited
from openllm_repos.git.repository import Repository
from openllm_repos.hub.client import HubClient
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.submodules.desk import look, write
from openllm_repos.submodules.mending import plan_modules
from openllm_repos.submodules.pinning import apply_pins, plan_pins
from tests.support.pinned import PATH, Pinned
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from pathlib import Path

    from openllm_repos.sandbox import Sandbox
    from tests.support.inprocess import RunCli

OTHER = ObjectId("1" * 40)


@pytest.fixture
def source(tmp_path: Path, run_cli: RunCli) -> Pinned:
    return Pinned.make(tmp_path, run_cli)


def opened(source: Pinned) -> tuple[Manifest, Repository]:
    return Manifest.load(source.clone.path / "repos.toml"), Repository.open(source.clone.path)


def test_relative_urls_are_meant_from_the_source() -> None:
    base = "https://github.com/owner/source"
    assert resolved(base, "../other.git") == "https://github.com/owner/other.git"
    assert resolved(f"{base}/", "./sub") == f"{base}/sub"
    assert resolved(base, "../../a/b") == "https://github.com/a/b"
    assert resolved(base, "git@hf.co:a/b") == "git@hf.co:a/b"
    ours = "git@github.com:owner/source.git"
    assert resolved(ours, "../other.git") == "git@github.com:owner/other.git"
    assert resolved(ours, "../../a/b.git") == "git@github.com:a/b.git"


@pytest.mark.parametrize("content", [b"", b"[submodule]\n", b"# no line end", b'[submodule "a"]\n\tpath = a\n'])
def test_an_edit_adds_and_leaves_the_rest(clone: Clone, content: bytes) -> None:
    made = edited(Repository.open(clone.path), content, [Setting("b", "path", "b;#c")])
    assert made.startswith(content)
    assert made.endswith(b'[submodule "b"]\n\tpath = "b;#c"\n')
    with pytest.raises(ConflictError, match="cannot be changed"):
        edited(Repository.open(clone.path), b"[broken\n", [Setting("b", "path", "b")])


def test_what_changes_while_a_pin_is_planned_is_seen(source: Pinned) -> None:
    manifest, repository = opened(source)
    steps = plan_pins(manifest, repository)
    held = look(repository, [PATH])
    source.clone.write({".gitmodules": "# meanwhile\n"})
    with pytest.raises(ConflictError, match="changed meanwhile"):
        write(repository, manifest, held, manifest.pinned, {})
    assert source.modules() == "# meanwhile\n"
    source.clone.write({f"{PATH}/mine.txt": "mine\n"})
    with pytest.raises(ConflictError, match="files of yours"):
        apply_pins(manifest, repository, steps)
    shutil.rmtree(source.clone.path / "models")
    assert apply_pins(manifest, repository, steps)
    assert not apply_pins(manifest, repository, steps)


def test_an_index_in_conflict_is_settled_first(source: Pinned) -> None:
    manifest, repository = opened(source)
    blob = source.clone.git("hash-object", "-w", "--stdin", data=b"")
    rows = f"160000 {OTHER} 1\t{PATH}\n100644 {blob} 2\t{PATH}\n"
    source.clone.git("update-index", "--index-info", data=rows.encode())
    assert [entry.stage for entry in index_entries(repository, [PATH])] == [1, 2]
    (step,) = plan_pins(manifest, repository)
    assert step.problem is not None
    assert f"the source has {PATH} there" in step.problem.message
    source.clone.git("update-index", "--index-info", data=f"100644 {blob} 2\t.gitmodules\n".encode())
    with pytest.raises(ConflictError, match="gitmodules is in conflict"):
        look(repository, [PATH])


def test_a_checkout_that_cannot_be_looked_at_is_told(source: Pinned) -> None:
    source.clone.write({f"{PATH}/.git": "gitdir: ../nowhere\n"})
    assert "cannot be looked at" in source.pinned().out


def test_a_work_tree_that_cannot_be_written_is_told(source: Pinned, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    manifest, repository = opened(source)
    with pytest.raises(EnvironmentProblem, match="No space left on device"):
        write(repository, manifest, look(repository, [PATH]), manifest.pinned, {PATH: OTHER})
    assert [path.name for path in source.clone.path.iterdir() if path.name.startswith(".gitmodules")] == []
    monkeypatch.undo()
    assert source.pin("--to", source.commits[2]).code == 0
    assert f"path = {PATH}" in source.modules()


def test_where_nothing_is_pinned_git_is_not_asked(source: Pinned) -> None:
    source.manifest("")
    manifest, repository = opened(source)
    shutil.rmtree(source.clone.path / ".git")
    assert plan_modules(manifest, repository) == ()


def test_the_hubs_own_list_of_commits_says_how_far(sandbox: Sandbox, source: Pinned, tmp_path: Path) -> None:
    place = sandbox.hub.create("model", "lemms/small")
    manifest = Manifest.parse(
        'schema = 1\n[project]\nname = "x"\n[repos.main]\ngithub = "a/b"\nrole = "source"\n'
        '[repos.small]\nmodel = "lemms/small"\n'
    )
    Bare(place).git("config", "uploadpack.allowFilter", "true")
    work = Clone.of(place.as_uri(), tmp_path / "hub")
    begun = ObjectId(work.tip())
    tip = ObjectId([work.commit(f"{number}") for number in range(3)][-1])
    work.git("push", "-q", "origin", "HEAD:main")
    _, repository = opened(source)
    hub = HubClient(sandbox.hub.url)

    def far(tip: ObjectId, pin: ObjectId, url: str = "file:///nowhere", hub: HubClient | None = hub) -> str:
        repo = manifest.repo("small")
        return how_far(repository, repo, url, tip=tip, pin=pin, deadline=5, hub=hub).said(repo.branch)

    assert far(tip, begun) == "3 behind"
    assert far(tip, OTHER) == "not on main"
    assert far(OTHER, begun) == "differs"  # the Hub does not know that tip, nor does anybody else
    assert far(tip, begun, url=place.as_uri(), hub=None) == "3 behind"
    assert far(tip, OTHER, url=place.as_uri(), hub=None) == "not on main"
    assert far(tip, begun, url="") == UNKNOWN.said("main")
    lines = b"commit refs/heads/main\ncommitter a <a@b> 1 +0000\ndata 1\nx\nfrom refs/heads/main^0\n"
    work.git("fast-import", "--quiet", data=lines + lines.replace(b"from refs/heads/main^0\n", b"") * 60)
    work.git("push", "-q", "origin", "main:main")
    assert far(ObjectId(work.tip("main")), begun) == "differs"
    repository = Repository.open(work.path)
    assert far(tip, begun, hub=None) == "3 behind"
    assert far(begun, tip, hub=None) == "not on main"
