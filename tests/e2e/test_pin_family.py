"""Pins beside the rest of the tool: what `status`, `release`, `remotes` and `doctor` say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_json_page import unnamed
from tests.support.pinned import PATH, Pinned
from tests.support.releases import Releases
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.inprocess import RunCli


@pytest.fixture
def source(tmp_path: Path, run_cli: RunCli) -> Pinned:
    """Return a source that pins its model, committed and pushed."""
    made = Pinned.make(tmp_path, run_cli)
    made.pinned()
    made.commit("Pin")
    return made


@pytest.fixture
def releases(tmp_path: Path, run_cli: RunCli) -> Releases:
    """Return a family to release whose small-8k is a submodule of the source, not pinned yet."""
    made = Releases.make(tmp_path / "family", run_cli)
    file = made.clone.path / "repos.toml"
    said = file.read_text(encoding="utf-8").replace("[repos.small-8k]\n", f'[repos.small-8k]\nsubmodule = "{PATH}"\n')
    made.commit("Say where the model is pinned", {"repos.toml": said})
    return made


@pytest.mark.slow
def test_status_says_how_far_a_pin_is_behind(source: Pinned) -> None:
    last = source.commits[-1]
    same = {"path": PATH, "commit": last, "behind": 0, "on_branch": True}
    assert source.status() == (same, [])
    assert source.run("status", "--check").code == 0
    for number in range(2):
        source.work.commit(f"Better {number}", {"config.json": f"{number} better\n"})
    source.work.push(source.model.url)
    assert source.status() == ({**same, "behind": 2}, [])
    table = source.run("status").out
    assert f"{last[:7]} 2 behind" in table
    assert "pin" in table.splitlines()[0].split()
    source.clone.git("fetch", "-q", source.model.url, "main:refs/remotes/small/main")
    assert source.run("status", "--offline", "--json").json()["repos"][1]["pin"]["behind"] == 2
    source.model.path.rename(source.model.path.parent / "away.git")
    (row,) = [line for line in source.run("status").out.splitlines() if line.startswith("small ")]
    assert row.split() == ["small", "git", "main", "unreachable", "-", last[:7]]
    (source.model.path.parent / "away.git").rename(source.model.path)
    source.work.orphan("anew")
    source.work.commit("Anew", {"a": "a"})
    source.work.git("push", "-q", "--force", source.model.url, "HEAD:refs/heads/main")
    assert f"{last[:7]} not on main" in source.run("status", "--markdown").out


def test_what_is_to_be_pinned_and_is_not_differs(tmp_path: Path, run_cli: RunCli) -> None:
    source = Pinned.make(tmp_path, run_cli)
    nothing = {"path": PATH, "commit": None, "behind": None, "on_branch": None}
    assert source.status() == (nothing, [f"is not pinned: the source has no submodule at {PATH}."])
    assert source.run("status", "--check").code == 1
    assert "next: openllm-repos pin small" in source.run("remotes", "sync").out


@pytest.mark.slow
def test_more_than_is_looked_at_and_merges_among_it_are_not_counted(source: Pinned) -> None:
    def grow(text: bytes) -> None:
        source.model.git("fast-import", "--quiet", data=text)

    commit = b"commit refs/heads/main\ncommitter a <a@b> 1 +0000\ndata 1\nx\n"
    grow(commit + b"from refs/heads/main^0\n" + commit * 120)
    far = {"path": PATH, "commit": source.commits[-1], "behind": None, "on_branch": None}
    assert source.status() == (far, [])
    assert f"{source.commits[-1][:7]} differs" in source.run("status").out
    source.model.git("update-ref", "refs/heads/main", "main~60")
    assert source.status()[0]["behind"] == 61
    merge = b"from refs/heads/main^0\nmerge %b\n" % source.commits[0].encode()
    grow(commit + merge)
    assert source.status()[0]["behind"] == 62  # the history is seen to its end
    source.model.git("update-ref", "refs/heads/main", source.commits[-1])
    grow(commit + b"from refs/heads/main^0\n" + commit * 20)
    source.model.git("config", "uploadpack.allowFilter", "false")
    source.work.git("fetch", "-q", source.model.url, "main")
    assert source.status()[0]["behind"] is None


def pin(releases: Releases) -> None:
    """Pin the model, and commit and push that."""
    assert releases.run("pin", cwd=releases.clone.path).code == 0
    releases.commit("Pin")


@pytest.mark.slow
def test_a_release_tags_what_the_source_pins_and_nothing_else(releases: Releases) -> None:
    told = releases.release("1.0.0", "--dry-run")
    assert told.code == 3
    assert f"small-8k: is not pinned: the source has no submodule at {PATH}" in told.out + told.err
    first = releases.remotes["small-8k"].tip("main")
    pin(releases)
    later = releases.member("small-8k", "Better", {"config.json": "better\n"})
    refused = releases.release("1.0.0", "--yes")
    assert refused.code == 3
    said = f"small-8k: is pinned at {first[:10]} ({PATH}), and the release would tag {later[:10]}."
    assert said in refused.err
    assert "next: openllm-repos pin small-8k  # then commit and push" in refused.err
    pin(releases)
    releases.released("1.0.0", "--yes")
    lock = releases.remotes["main"].read("manifest/releases/v1.0.0.toml").decode()
    assert f'commit = "{later}"' in lock
    assert f'submodule = "{PATH}"' in lock
    shown = releases.run("release", "show", "v1.0.0", "--json", cwd=releases.clone.path).json()
    assert {repo["name"]: repo["submodule"] for repo in shown["repos"]}["small-8k"] == PATH
    assert releases.run("release", "verify", cwd=releases.clone.path).code == 0


def test_a_target_is_synced_before_it_is_pinned(releases: Releases) -> None:
    said = (releases.clone.path / "repos.toml").read_text(encoding="utf-8")
    place = '[repos.space]\nsubmodule = "deploy/space"\n'
    releases.commit("Pin the Space, too", {"repos.toml": said.replace("[repos.space]\n", place)})
    told = releases.release("1.0.0", "--dry-run")
    assert (
        "next: openllm-repos sync space\n  next: openllm-repos pin space  # then commit and push" in told.out + told.err
    )


@pytest.mark.slow
def test_verify_sees_a_lock_that_says_something_else_than_the_tree(releases: Releases) -> None:
    pin(releases)
    releases.released("1.0.0", "--yes")
    clone = Clone.of(releases.remotes["main"].url, releases.folder / "forger")
    lock = (clone.path / "manifest/releases/v1.0.0.toml").read_text()
    clone.git("reset", "-q", "--hard", "HEAD~1")
    clone.git("rm", "-q", "--cached", PATH)
    clone.git("commit", "-qm", "Unpin")
    clone.write({"manifest/releases/v1.0.0.toml": lock})
    clone.git("add", "manifest")
    clone.git("commit", "-qm", "Forged")
    clone.git("tag", "-f", "-a", "-m", "x", "v1.0.0")
    clone.git("push", "-q", "--force", "origin", "HEAD:main", "v1.0.0")
    done = releases.run("release", "verify", "v1.0.0", cwd=releases.clone.path)
    assert (done.code, "small-8k       pinned elsewhere: v1.0.0" in done.out) == (1, True), done.out


def test_gitmodules_is_made_equal_to_the_manifest(source: Pinned) -> None:
    assert source.run("remotes").out.count("submodule") == 0
    assert "pins      the submodules are as the manifest says" in source.run("doctor", "--offline").out
    theirs = f"""[submodule "weights"]
\tpath = {PATH} # as it was
\turl = ../old.git
"""
    source.commit("Theirs", {".gitmodules": theirs})
    said = f".gitmodules says ../old.git for {PATH}, the manifest says {source.model.url}"
    (fault,) = [one for one in source.run("doctor", "--offline", "--json").json()["checks"] if one["name"] == "pins"]
    assert (fault["level"], fault["repo"], fault["message"]) == ("warning", "small", said)
    assert fault["next"] == "openllm-repos remotes sync"
    assert source.status()[1] == [f"{said}."]
    assert f"small: {said} (would be mended)" in source.run("remotes", "sync", "--dry-run").out
    (told,) = source.run("remotes", "--json").json()["submodules"]
    assert (told["repo"], told["path"], told["changed"]) == ("small", PATH, False)
    assert f"(mended)\n  next: git submodule sync -- {PATH}" in source.run("remotes", "sync").out
    mended = (source.clone.path / ".gitmodules").read_text()
    assert mended == theirs.replace("../old.git", source.model.url)
    assert source.clone.git("status", "--porcelain") == "M  .gitmodules"
    assert source.run("remotes", "sync", "--json").json()["submodules"] == []
    source.clone.write({".gitmodules": theirs.replace("../old.git", "https://ada:secret1234@elsewhere.example/x")})
    assert "https://***@elsewhere.example/x" in source.run("remotes").out
    assert "secret1234" not in "".join(
        source.run(*args).out for args in (("doctor", "--offline"), ("remotes", "--json"))
    )
    same = theirs.replace("old", "model")  # the same place, from the source's own
    source.clone.write({".gitmodules": f"{same}\tbranch = .\n"})  # and the branch of the same name
    assert source.run("remotes", "--json").json()["submodules"] == []


def test_a_missing_section_comes_back(source: Pinned) -> None:
    source.clone.git("rm", "-q", "--cached", ".gitmodules")
    (source.clone.path / ".gitmodules").unlink()
    assert f"small: has no section in .gitmodules for {PATH} (mended)" in source.run("remotes", "sync").out
    assert source.clone.git("status", "--porcelain") == ""


def test_submodules_that_the_manifest_does_not_say(source: Pinned) -> None:
    """A third party's library is nobody's business; a repo of the manifest at another place is told."""
    other = "https://huggingface.co/lemms/small-7k"
    source.manifest(more='[repos.small-7k]\nmodel = "lemms/small-7k"\n')
    more = "".join(
        f"""[submodule "{name}"]\n\tpath = {path}\n\turl = {url}\n"""
        for name, path, url in (
            ("lib", "third/lib", "https://elsewhere.example/lib"),
            ("old", "old/small", source.model.url),
            ("other", "models/small 7k", other),
        )
    )
    source.clone.write({".gitmodules": (source.clone.path / ".gitmodules").read_text() + more})
    told = source.run("remotes", "--json").json()["submodules"]
    assert [(one["repo"], one["next"]) for one in told] == [
        ("small", "git rm -- old/small"),
        ("small-7k", "openllm-repos manifest set repos.small-7k.submodule 'models/small 7k'"),
    ]


def test_a_submodule_at_another_place_than_the_manifest_says_is_moved_by_git(source: Pinned) -> None:
    source.manifest('submodule = "new models/small"')
    moving = f"mkdir -p 'new models'\ngit mv -- {PATH} 'new models/small'"
    (told,) = source.run("remotes", "--json").json()["submodules"]
    assert told["message"] == f"is a submodule at {PATH}, where the manifest says new models/small"
    assert told["next"] == moving
    assert f"note: it is a submodule at {PATH} as well" in source.pinned("--dry-run").out
    source.clone.git("config", "alias.moving", f"!{moving.replace(chr(10), ' && ')}")
    source.clone.git("moving")
    assert source.run("remotes", "--json").json()["submodules"] == []
    assert "already" in source.pinned().out


def test_what_could_mislead_a_git_is_an_error_and_never_carried_out(source: Pinned) -> None:
    evil = """[submodule "../evil"]
\tpath = third/lib
\turl = --upload-pack=touch pwned
\tupdate = !touch pwned
[submodule "twice"]
\tpath = models/small
\turl = ext::sh -c touch% pwned
\turl = https://elsewhere.example/x
[submodule "again"]
\tpath = models/small
[submodule "out"]
\tpath = ../out
\turl = "https://elsewhere.example/\\tx"
"""
    source.commit("Evil", {".gitmodules": evil})
    done = source.run("doctor", "--offline", "--json")
    faults = [f"{one['repo']} {one['message']}" for one in done.json()["checks"] if one["level"] == "error"]
    assert done.code == 1
    assert faults == [
        "small .gitmodules has 2 sections for models/small; which one counts depends on the git",
        "None third/lib: has a url that looks like an option, in .gitmodules",
        "None third/lib: has a command for its update, in .gitmodules",
        "None third/lib: has a name that leads out of .git/modules, in .gitmodules",
        "None models/small: has a url that starts a program, in .gitmodules",
        "None models/small: gives its url more than once, in .gitmodules",
        "None ../out: has a control character in its url, in .gitmodules",
        "None ../out: has a path that leads out of the repository, in .gitmodules",
    ]
    for args in (("pin", "--to=v1"), ("remotes", "sync"), ("status",), ("doctor",)):
        source.run(*args)
    assert not list(source.clone.path.glob("**/pwned"))
    assert source.modules().count(f"url = {source.model.url}") == 1  # of the two, one is left


def test_a_gitmodules_that_cannot_be_read_is_told_by_everybody(source: Pinned) -> None:
    source.clone.git("rm", "-q", "--cached", PATH)  # else no git works here at all
    source.commit("Broken", {".gitmodules": "[submodule\n"})
    assert ".gitmodules cannot be read" in source.run("doctor", "--offline").out
    assert any(
        ".gitmodules cannot be read" in one["message"] for one in source.run("status", "--json").json()["problems"]
    )
    assert ".gitmodules cannot be read" in source.run("release", "1.0.0", "--dry-run").out


@pytest.mark.slow
def test_the_page_on_json_names_every_key(source: Pinned) -> None:
    for command in ("pin", "remotes", "status", "doctor", "pin"):
        assert (command, unnamed(command, source.run(command, "--json"))) == (command, set())
