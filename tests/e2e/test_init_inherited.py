"""`openllm-repos init` in a clone that has submodules and `git subtree` folders already."""

from __future__ import annotations

import pytest

from openllm_repos.manifest import Manifest, Role
from tests.support.hosts import SPACE, Hosts
from tests.support.inprocess import RunCli
from tests.support.repositories import Clone
from tests.support.terminal import run_on_terminal


def submodule(hosts: Hosts, path: str, url: str, branch: str = "") -> None:
    """Commit a submodule as people have it, with a commit of its own."""
    more = f"\tbranch = {branch}\n" if branch else ""
    old = (hosts.clone.path / ".gitmodules").read_text() if (hosts.clone.path / ".gitmodules").exists() else ""
    section = f'[submodule "{path.rpartition("/")[2]}"]\n\tpath = {path}\n\turl = {url}\n{more}'
    hosts.clone.write({".gitmodules": old + section})
    hosts.clone.git("add", ".gitmodules")
    hosts.clone.git("update-index", "--add", "--cacheinfo", f"160000,{hosts.clone.tip()},{path}")
    (hosts.clone.path / path).mkdir(parents=True, exist_ok=True)
    hosts.clone.git("commit", "-qm", f"Add {path}")


def test_submodules_are_taken_into_the_manifest(hosts: Hosts, run_cli: RunCli) -> None:
    hosts.hub(f"spaces/{SPACE}", {"app.py": "app\n"})
    submodule(hosts, "models/small-8k", "https://huggingface.co/lemms/openllm-small-8k", "v2")
    submodule(hosts, "models/base", "https://huggingface.co/others/base")
    submodule(hosts, "tools", "../tools.git", ".")
    submodule(hosts, "third/lib", "https://github.com/others/lib")
    submodule(hosts, "third/evil", "--upload-pack=x")
    submodule(hosts, ".github/odd", "https://huggingface.co/lemms/odd")
    done = run_cli("init", "--space", SPACE, "--offline", "--no-hooks", cwd=hosts.clone.path)
    assert done.code == 0, (done.out, done.err)
    read = Manifest.parse(hosts.manifest())
    assert [(repo.name, repo.submodule, repo.branch, repo.release) for repo in read.repos[2:]] == [
        ("small-8k", "models/small-8k", "v2", True),
        ("base", "models/base", "main", False),
        ("tools", "tools", "main", True),
    ]
    assert read.repo("tools").url == "https://github.com/louischua/tools"
    assert "note: models/small-8k is a submodule: the manifest has it as small-8k, pinned there." in done.out
    assert "note: models/base is a submodule: the manifest has it as base, which releases leave alone." in done.out
    assert "note: third/lib is a submodule (others/lib); it stays one" in done.out


def test_a_repo_that_is_named_and_is_a_submodule_is_one_entry(hosts: Hosts, run_cli: RunCli) -> None:
    submodule(hosts, "models/small", "git@hf.co:lemms/small", "v2")
    done = run_cli("init", "--model", "lemms/small", "--offline", "--dry-run", cwd=hosts.clone.path)
    assert [(repo.name, repo.submodule, repo.branch) for repo in Manifest.parse(done.out).repos] == [
        ("main", None, "main"),
        ("small", "models/small", "v2"),
    ]


@pytest.mark.slow
def test_on_a_terminal_submodules_are_asked_for(hosts: Hosts) -> None:
    hosts.hub("lemms/one")
    submodule(hosts, "models/one", "https://huggingface.co/lemms/one")
    submodule(hosts, "models/two", "https://huggingface.co/lemms/two")
    submodule(hosts, "models/one b", "https://huggingface.co/lemms/one-b")
    hosts.hub("lemms/one-b")
    typed = b"\n\n\nmodels/three\n'models\nmodels/one 'models/one b'\n\ny\nn\n"
    done = run_on_terminal("init", cwd=hosts.clone.path, typed=typed)
    assert done.code == 1, done.out
    assert "with 3 other commits of yours" in done.out
    assert "Submodules that belong to the family [models/one models/two 'models/one b']:" in done.out
    assert "'models/three' is none of them." in done.out
    assert "has a quote that does not end." in done.out
    assert [repo.submodule for repo in Manifest.parse(hosts.manifest()).repos] == [None, "models/one", "models/one b"]


def test_a_gitmodules_that_git_cannot_read_is_no_reason_to_stop(hosts: Hosts, run_cli: RunCli) -> None:
    submodule(hosts, "models/one", "https://huggingface.co/lemms/one")
    hosts.clone.commit("Broken", {".gitmodules": "[submodule\n"})
    done = run_cli("init", "--offline", "--dry-run", "--yes", cwd=hosts.clone.path)
    assert [repo.submodule for repo in Manifest.parse(done.out).repos] == [None]


@pytest.mark.usefixtures("git_subtree")
@pytest.mark.parametrize("squash", [(), pytest.param(("--squash",), marks=pytest.mark.slow)])
def test_a_subtree_becomes_a_map_of_its_folder(hosts: Hosts, run_cli: RunCli, squash: tuple[str, ...]) -> None:
    hosts.hub("lemms/viewer", {"viewer.py": "view\n"})
    hosts.hub("lemms/unknown", {"unknown.py": "?\n"})
    clone: Clone = hosts.clone
    clone.git("remote", "add", "viewer", "https://huggingface.co/lemms/viewer")
    clone.git("fetch", "-q", "viewer")
    clone.git("subtree", "-q", "add", "-P", "lib/viewer", *squash, "viewer", "main")
    clone.git("subtree", "-q", "add", "-P", "lib/unknown", *squash, "https://huggingface.co/lemms/unknown", "main")
    clone.git("subtree", "-q", "add", "-P", "lib/gone", *squash, "https://huggingface.co/lemms/unknown", "main")
    clone.git("rm", "-qr", "lib/gone")
    clone.git("commit", "-qm", "Remove")
    done = run_cli("init", "--offline", "--no-hooks", "--yes", cwd=clone.path)
    assert done.code == 0, (done.out, done.err)
    read = Manifest.parse(hosts.manifest())
    assert [(repo.name, repo.role) for repo in read.repos] == [("main", Role.SOURCE), ("viewer", Role.TARGET)]
    assert [(one.source.text, one.written_to) for one in read.target("viewer").maps] == [("lib/viewer/", ".")]
    assert "note: lib/viewer/ is a git subtree: the manifest maps it to viewer" in done.out
    assert "note: lib/unknown/ is a git subtree, of what is not known" in done.out
    assert '# [[repos.NAME.map]]\n# from = "lib/unknown/"\n# to = "."\n' in hosts.manifest()
    assert "lib/gone" not in hosts.manifest()


@pytest.mark.usefixtures("git_subtree")
def test_a_subtree_of_the_space_is_what_the_space_gets(hosts: Hosts, run_cli: RunCli) -> None:
    hosts.hub(f"spaces/{SPACE}", {"app.py": "app\n"})
    hosts.clone.git("remote", "add", "hf", f"https://huggingface.co/spaces/{SPACE}")
    hosts.clone.git("subtree", "-q", "split", "-P", "core/src", "--rejoin")
    split = hosts.clone.git("subtree", "-q", "split", "-P", "core/src")
    hosts.clone.git("push", "-q", "hf", f"{split}:refs/heads/subtree")
    hosts.clone.git("fetch", "-q", "hf")
    done = run_cli("init", "--space", SPACE, "--dry-run", cwd=hosts.clone.path)
    assert done.code == 0, (done.out, done.err)
    maps = Manifest.parse(done.out).target("space").maps
    assert [(one.source.text, one.written_to) for one in maps] == [("core/src/", ".")]
