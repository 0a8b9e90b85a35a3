"""Pins beside the rest of the tool: what `status`, `release`, `remotes` and `doctor` say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_json_page import unnamed
from tests.support.releases import Releases
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import RunCli
    from tests.support.process import Result

PATH = "models/small-8k"


class PinnedFamily:
    """A family to release whose small-8k is a submodule of the source."""

    def __init__(self, releases: Releases) -> None:
        self.releases = releases
        self.clone = releases.clone
        self.model = releases.remotes["small-8k"]

    def say(self, more: str = f'submodule = "{PATH}"\n') -> None:
        file = self.clone.path / "repos.toml"
        url = f'[repos.small-8k]\nurl = "{self.releases.urls["small-8k"]}"\n'
        file.write_text(
            file.read_text().split(url)[0] + url + more + "\n" + file.read_text().split(url)[1].lstrip("\n")
        )

    def run(self, *args: str) -> Result:
        return self.releases.run(*args, cwd=self.clone.path)

    def commit_pin(self, *args: str) -> str:
        assert self.run("pin", *args).code == 0
        return self.releases.commit("Pin")

    def status(self) -> tuple[dict[str, Any], list[str]]:
        said = self.run("status", "--json").json()
        (small,) = [repo for repo in said["repos"] if repo["name"] == "small-8k"]
        return small["pin"], [problem["message"] for problem in said["problems"] if problem["repo"] == "small-8k"]


@pytest.fixture
def pinned(tmp_path: Path, run_cli: RunCli) -> PinnedFamily:
    made = PinnedFamily(Releases.make(tmp_path / "family", run_cli))
    made.say()
    made.releases.commit("Say where the model is pinned")
    return made


def test_status_says_how_far_a_pin_is_behind(pinned: PinnedFamily) -> None:
    unpinned, problems = pinned.status()
    assert unpinned == {"path": PATH, "commit": None, "behind": None, "on_branch": None}
    assert problems == [f"is not pinned: the source has no submodule at {PATH}."]
    assert pinned.run("status", "--json").json()["differs"]
    first = pinned.model.tip("main")
    pinned.commit_pin()
    same = {"path": PATH, "commit": first, "behind": 0, "on_branch": True}
    assert pinned.status() == (same, [])
    for number in range(3):
        pinned.releases.member("small-8k", f"Better {number}", {"config.json": f"{number} better\n"})
    assert pinned.status() == ({**same, "behind": 3}, [])
    table = pinned.run("status").out
    assert f"{first[:7]} 3 behind" in table
    assert "pin" in table.splitlines()[0]
    pinned.clone.git("fetch", "-q", pinned.model.url, "main:refs/remotes/small-8k/main")
    assert pinned.run("status", "--offline", "--json").json()["repos"][3]["pin"]["behind"] == 3
    work = Clone(pinned.releases.folder / "small-8k-work")
    work.orphan("main2")
    work.commit("Anew", {"a": "a"})
    work.git("push", "-q", "--force", pinned.model.url, "HEAD:refs/heads/main")
    assert f"{first[:7]} not on main" in pinned.run("status", "--markdown").out


def test_more_than_is_looked_at_and_merges_among_it_are_not_counted(pinned: PinnedFamily) -> None:
    pinned.commit_pin()
    lines = [b"commit refs/heads/main\ncommitter a <a@b> 1 +0000\ndata 1\nx\nfrom refs/heads/main^0\n"]
    lines += [b"commit refs/heads/main\ncommitter a <a@b> 1 +0000\ndata 1\nx\n" for _ in range(120)]
    pinned.model.git("fast-import", "--quiet", data=b"".join(lines))
    assert pinned.status()[0] == {**pinned.status()[0], "behind": None, "on_branch": None}
    assert "differs" in pinned.run("status").out
    pinned.model.git("config", "uploadpack.allowFilter", "false")
    assert "differs" in pinned.run("status").out


def test_a_release_tags_what_the_source_pins_and_nothing_else(pinned: PinnedFamily) -> None:
    told = pinned.releases.release("1.0.0", "--dry-run")
    assert told.code == 3
    assert f"small-8k: is not pinned: the source has no submodule at {PATH}" in told.out + told.err
    first = pinned.model.tip("main")
    pinned.commit_pin()
    later = pinned.releases.member("small-8k", "Better", {"config.json": "better\n"})
    refused = pinned.releases.release("1.0.0", "--yes")
    assert refused.code == 3
    said = f"small-8k: is pinned at {first[:10]} ({PATH}), and the release would tag {later[:10]}."
    assert said in refused.err
    assert "next: openllm-repos pin small-8k   then commit and push." in refused.err
    pinned.commit_pin()
    pinned.releases.released("1.0.0", "--yes")
    lock = pinned.releases.remotes["main"].read("manifest/releases/v1.0.0.toml").decode()
    assert f'commit = "{later}"' in lock
    assert f'submodule = "{PATH}"' in lock
    shown = pinned.run("release", "show", "v1.0.0", "--json").json()
    assert {repo["name"]: repo["submodule"] for repo in shown["repos"]}["small-8k"] == PATH
    assert pinned.run("release", "verify").code == 0


def test_verify_sees_a_lock_that_says_something_else_than_the_tree(pinned: PinnedFamily) -> None:
    pinned.commit_pin()
    pinned.releases.released("1.0.0", "--yes")
    clone = Clone.of(pinned.releases.remotes["main"].url, pinned.releases.folder / "forger")
    lock = (clone.path / "manifest/releases/v1.0.0.toml").read_text()
    clone.git("reset", "-q", "--hard", "HEAD~1")
    clone.git("rm", "-q", "--cached", PATH)
    clone.git("commit", "-qm", "Unpin")
    clone.write({"manifest/releases/v1.0.0.toml": lock})
    clone.git("add", "manifest")
    clone.git("commit", "-qm", "Forged")
    clone.git("tag", "-f", "-a", "-m", "x", "v1.0.0")
    clone.git("push", "-q", "--force", "origin", "HEAD:main", "v1.0.0")
    done = pinned.run("release", "verify", "v1.0.0")
    assert (done.code, "small-8k       pinned elsewhere: v1.0.0" in done.out) == (1, True), done.out


def test_gitmodules_is_made_equal_to_the_manifest(pinned: PinnedFamily) -> None:
    pinned.commit_pin()
    assert pinned.run("remotes").out.count("submodule") == 0
    assert "pins      the submodules are as the manifest says" in pinned.run("doctor", "--offline").out
    theirs = f"""[submodule "weights"]
\tpath = {PATH} # as it was
\turl = ../old.git
"""
    pinned.releases.commit("Theirs", {".gitmodules": theirs})
    said = f".gitmodules says ../old.git for {PATH}, the manifest says {pinned.model.url}"
    (fault,) = [one for one in pinned.run("doctor", "--offline", "--json").json()["checks"] if one["name"] == "pins"]
    assert (fault["level"], fault["repo"], fault["message"]) == ("warning", "small-8k", said)
    assert fault["next"] == "openllm-repos remotes sync"
    assert pinned.status()[1] == [f"{said}."]
    assert f"small-8k: {said} (would be mended)" in pinned.run("remotes", "sync", "--dry-run").out
    (told,) = pinned.run("remotes", "--json").json()["submodules"]
    assert (told["repo"], told["path"], told["changed"]) == ("small-8k", PATH, False)
    assert f"(mended)\n  next: git submodule sync -- {PATH}" in pinned.run("remotes", "sync").out
    mended = (pinned.clone.path / ".gitmodules").read_text()
    assert mended == theirs.replace("../old.git", pinned.model.url)
    assert pinned.clone.git("status", "--porcelain") == "M  .gitmodules"
    assert pinned.run("remotes", "sync", "--json").json()["submodules"] == []


def test_a_missing_section_comes_back_and_a_missing_pin_is_told(pinned: PinnedFamily) -> None:
    assert "next: openllm-repos pin small-8k" in pinned.run("remotes", "sync").out
    pinned.commit_pin()
    pinned.clone.git("rm", "-q", "--cached", ".gitmodules")
    (pinned.clone.path / ".gitmodules").unlink()
    assert f"small-8k: has no section in .gitmodules for {PATH} (mended)" in pinned.run("remotes", "sync").out
    assert pinned.clone.git("status", "--porcelain") == ""


def test_submodules_that_the_manifest_does_not_say(pinned: PinnedFamily) -> None:
    """A third party's library is nobody's business; a repo of the manifest at another place is told."""
    pinned.commit_pin()
    more = "".join(
        f"""[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n"""
        for name, path, url in (
            ("lib", "third/lib", "https://elsewhere.example/lib"),
            ("old", "old/small", pinned.model.url),
            ("other", "models/small 7k", pinned.releases.urls["small-7k"]),
        )
    )
    pinned.clone.write({".gitmodules": (pinned.clone.path / ".gitmodules").read_text() + more})
    told = pinned.run("remotes", "--json").json()["submodules"]
    assert [(one["repo"], one["next"]) for one in told] == [
        ("small-8k", "git rm -- old/small"),
        ("small-7k", "openllm-repos manifest set repos.small-7k.submodule 'models/small 7k'"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("update = !touch pwned", "has a command for its update"),
        ("url = --upload-pack=touch", "has a url that looks like an option"),
        ("url = ext::sh", "has a url that starts a program"),
        ('path = "third\\tlib"', "has a control character in its path"),
        ("path = ../outside", "has a path that leads out of the repository"),
        ("url = a\n\turl = b", "gives its url more than once"),
    ],
)
def test_what_could_mislead_a_git_is_an_error_and_never_carried_out(pinned: PinnedFamily, line: str, said: str) -> None:
    name = "evil/../../x" if "leads out" in said else "evil"
    pinned.clone.write({".gitmodules": f"""[submodule "{name}"]\n\t{line}\n"""})
    done = pinned.run("doctor", "--offline", "--json")
    faults = [one for one in done.json()["checks"] if one["name"] == "pins" and one["level"] == "error"]
    assert any(said in one["message"] for one in faults), faults
    assert done.code == 1
    pinned.run("pin")
    assert not list(pinned.clone.path.glob("**/pwned"))


def test_a_gitmodules_that_cannot_be_read_is_told_by_everybody(pinned: PinnedFamily) -> None:
    pinned.releases.commit("Broken", {".gitmodules": "[submodule\n"})
    assert ".gitmodules cannot be read" in pinned.run("doctor", "--offline").out
    assert any(
        ".gitmodules cannot be read" in one["message"] for one in pinned.run("status", "--json").json()["problems"]
    )
    assert ".gitmodules cannot be read" in pinned.releases.release("1.0.0", "--dry-run").out


def test_the_page_on_json_names_every_key(pinned: PinnedFamily) -> None:
    for command in ("pin", "remotes", "status", "doctor", "pin"):
        assert (command, unnamed(command, pinned.run(command, "--json"))) == (command, set())
