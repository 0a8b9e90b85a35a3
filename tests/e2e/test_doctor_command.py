"""`doctor`: what is missing, and the command that mends it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openllm_repos.git.repository import Repository
from openllm_repos.journal.lock import exclusive
from openllm_repos.journal.log import Move
from openllm_repos.names.objectid import ObjectId
from tests.support.fingerprint import listing
from tests.support.hosts import SPACE, Hosts
from tests.support.logged import write_operation
from tests.support.process import REAL_GIT
from tests.support.repositories import Bare, Clone
from tests.support.served import LFS_LINE, pointer
from tests.support.terminal import run_on_terminal

if TYPE_CHECKING:
    from tests.support.inprocess import RunCli
    from tests.support.process import RunTool
    from tests.support.sealed import SealedHome
    from tests.support.server import GitServer
    from tests.support.ssh import FakeSsh

MANIFEST = f"""\
schema = 1
[project]
name = "openllm"
[repos.main]
github = "louischua/openllm"
role = "source"
[repos.space]
space = "{SPACE}"
[[repos.space.map]]
from = "core/src/*.py"
to = "training/"
[repos.small]
model = "lemms/small"
"""


@pytest.fixture
def family(hosts: Hosts, run_cli: RunCli) -> Hosts:
    """Return a family in which nothing is missing."""
    hosts.hub(f"spaces/{SPACE}", {"app.py": "app\n"})
    hosts.hub("lemms/small")
    hosts.clone.commit("Say what belongs together", {"repos.toml": MANIFEST})
    hosts.clone.git("push", "-q", "origin", "main")
    assert run_cli("remotes", "sync", cwd=hosts.clone.path).code == 0
    return hosts


Found = dict[str, tuple[str, str, str]]


def found(run_cli: RunCli, cwd: Path, *args: str, code: int = 0) -> Found:
    """Return what doctor says: name (and repo) -> level, message, next."""
    done = run_cli("doctor", "--json", *args, cwd=cwd)
    assert (done.code, done.err) == (code, ""), done.out
    answer: dict[str, Any] = done.json()
    assert answer["ok"] is (code == 0)
    return {
        " ".join(filter(None, (one["name"], one["repo"]))): (one["level"], one["message"], one["next"])
        for one in answer["checks"]
    }


@pytest.mark.usefixtures("git_lfs")
def test_a_family_in_which_nothing_is_missing(run_cli: RunCli, family: Hosts) -> None:
    assert run_cli("hooks", "install", cwd=family.clone.path).code == 0
    seen = found(run_cli, family.clone.path)
    worse = {name for name, (level, _, _) in seen.items() if level != "ok"}
    assert worse <= {"git", "token"}  # git may be an old one, and nobody is logged in to the Hub
    assert seen["manifest"][1] == "repos.toml is sound: 3 repos, 1 target"
    assert seen["identity"][1] == "Test User <test@example.org>"
    assert seen["remotes"][1] == "the git remotes are as the manifest says"
    tip = family.clone.tip()[:10]
    assert seen["remote main"][1] == f"answers, through your remote origin; main is at {tip}"
    assert seen["remote small"][1] == "answers; it is still empty"
    assert [seen[f"write {name}"][0] for name in ("main", "space", "small")] == ["ok"] * 3


def test_it_changes_nothing_anywhere(run_cli: RunCli, family: Hosts) -> None:
    before = listing(family.folder)
    found(run_cli, family.clone.path)
    assert listing(family.folder) == before


def test_one_line_a_check_and_a_sum_below(run_cli: RunCli, family: Hosts, home: SealedHome, server: GitServer) -> None:
    home.instead_of("https://huggingface.co/lemms/small", server.url("lemms/small"))  # which says no path of this disk
    done = run_cli("doctor", cwd=family.clone.path)
    assert done.code == 1
    lines = done.out.splitlines()
    assert "ok       manifest  repos.toml is sound: 3 repos, 1 target" in lines
    assert any(line.startswith("error    remote    small:") for line in lines)
    assert "                   hint: Check that the repository exists on the Hub and that\n" in done.out
    assert lines[-1].startswith("1 error, ")
    assert max(map(len, (line for line in lines if "next:" not in line and str(family.folder) not in line))) <= 80
    quiet = run_cli("-q", "doctor", cwd=family.clone.path)
    assert (quiet.code, "ok  " in quiet.out) == (1, False)


@pytest.mark.slow
def test_colours_on_a_terminal(family: Hosts) -> None:
    colours = {"NO_COLOR": "", "TERM": "xterm", "COLUMNS": ""}
    shown = run_on_terminal("doctor", "--offline", cwd=family.clone.path, env=colours)
    assert "\x1b[32mok\x1b[0m       manifest" in shown.out
    plain = run_on_terminal("doctor", "--offline", cwd=family.clone.path, env={**colours, "NO_COLOR": "1"})
    assert "\x1b[" not in plain.out


def test_offline_no_remote_is_asked(run_cli: RunCli, family: Hosts) -> None:
    seen = found(run_cli, family.clone.path, "--offline")
    assert not [name for name in seen if name.startswith(("remote ", "write "))]


def test_outside_of_a_clone(run_cli: RunCli, tmp_path: Path) -> None:
    seen = found(run_cli, tmp_path, code=1)
    assert seen["clone"][0] == "error"
    assert "is not inside a git clone" in seen["clone"][1]
    assert seen["manifest"] == ("error", "there is no repos.toml", "openllm-repos init")


def test_a_manifest_that_is_unsound_does_not_hide_the_rest(run_cli: RunCli, family: Hosts) -> None:
    family.clone.write({"repos.toml": "schema = 1\n"})
    seen = found(run_cli, family.clone.path, code=1)
    assert seen["manifest"][2] == "openllm-repos manifest check"
    assert seen["history"][0] == "ok"
    assert "remotes" not in seen


def test_folders_to_publish_are_named_and_one_that_is_not_here_is_no_fault(run_cli: RunCli, family: Hosts) -> None:
    for base in ("exports/small/", "exports/logs/"):
        before = (family.clone.path / "repos.toml").read_text()
        entry = f'[[repos.small.publish]]\nfrom = "{base}"\nto = "{base}"\n'
        family.clone.write({"repos.toml": before + entry, "exports/small/weights": "w\n"})
    level, said, _ = found(run_cli, family.clone.path, "--offline")["publish small"]
    assert level == "ok"
    assert said == "what is published comes from exports/small/, exports/logs/; not here: exports/logs/"


def test_a_manifest_that_is_not_committed(run_cli: RunCli, family: Hosts) -> None:
    family.clone.write({"repos.toml": MANIFEST + "# changed\n"})
    seen = found(run_cli, family.clone.path)
    assert seen["manifest"][::2] == ("warning", "git add repos.toml\ngit commit -m 'Update repos.toml'")


def test_a_manifest_beside_a_broken_clone_is_still_read(run_cli: RunCli, family: Hosts) -> None:
    (family.clone.path / ".git/HEAD").write_text("nonsense")
    seen = found(run_cli, family.clone.path, code=1)
    assert (seen["clone"][0], seen["manifest"][0]) == ("error", "ok")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_clone_of_another_user(run_cli: RunCli, family: Hosts) -> None:
    os.chown(family.clone.path, 65534, -1)
    os.chown(family.clone.path / ".git", 65534, -1)
    seen = found(run_cli, family.clone.path, code=1)
    assert seen["clone"][2] == f"git config --global --add safe.directory {family.clone.path}"


def test_a_shallow_clone(run_cli: RunCli, family: Hosts, tmp_path: Path) -> None:
    origin = (family.folder / "github/louischua/openllm").as_uri()
    shallow = Clone.of(origin, tmp_path / "shallow", "--depth=1")
    seen = found(run_cli, shallow.path, "--offline", code=1)
    assert seen["history"] == ("error", "cut off: this clone is shallow", "git fetch --unshallow")


@pytest.mark.parametrize(("filtered", "level"), [("blob:none", "ok"), ("tree:0", "error")])
def test_a_partial_clone(run_cli: RunCli, family: Hosts, tmp_path: Path, filtered: str, level: str) -> None:
    origin = (family.folder / "github/louischua/openllm").as_uri()
    partial = Clone.of(origin, tmp_path / "partial", f"--filter={filtered}")
    seen = found(run_cli, partial.path, "--offline", code=int(level == "error"))
    assert seen["history"][0] == level
    assert filtered in seen["history"][1]


def test_git_that_does_not_know_who_one_is(run_cli: RunCli, family: Hosts, home: SealedHome) -> None:
    home.config.write_text(home.config.read_text().replace("[user]", "[nobody]") + "[user]\n\tuseConfigOnly = true\n")
    seen = found(run_cli, family.clone.path, "--offline", code=1)
    assert seen["identity"][0] == "error"
    assert seen["identity"][2].startswith("git config --global user.name")


def test_an_address_that_git_only_guessed(
    run_cli: RunCli, family: Hosts, home: SealedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.config.write_text(home.config.read_text().replace("\temail = test@example.org\n", ""))
    guessed = family.clone.run("var", "GIT_COMMITTER_IDENT", ok=(0, 128)).code == 0  # not on every machine it can
    seen = found(run_cli, family.clone.path, "--offline", code=0 if guessed else 1)
    assert seen["identity"][0] == ("warning" if guessed else "error")
    monkeypatch.setenv("EMAIL", "test@example.org")
    assert found(run_cli, family.clone.path, "--offline")["identity"][0] == "ok"


def test_a_clock_that_is_behind(run_cli: RunCli, family: Hosts) -> None:
    family.clone.now = int(time.time()) + 3 * 86_400
    family.clone.commit("From the future")
    seen = found(run_cli, family.clone.path, "--offline")
    assert seen["clock"][0] == "warning"
    assert "3 days in the future" in seen["clock"][1]


@pytest.mark.parametrize(("ahead", "said"), [(1800, "30 minutes"), (5 * 3600, "5 hours")])
def test_a_clock_that_is_a_little_behind(run_cli: RunCli, family: Hosts, ahead: int, said: str) -> None:
    family.clone.now = int(time.time()) + ahead - 60
    family.clone.commit("From the future")
    assert f"{said} in the future" in found(run_cli, family.clone.path, "--offline")["clock"][1]


def test_a_lock_that_a_killed_git_left(run_cli: RunCli, family: Hosts) -> None:
    left = family.clone.path / ".git/index.lock"
    left.touch()
    assert found(run_cli, family.clone.path, "--offline")["lock"][0] == "ok"  # a git may be at work right now
    long_ago = time.time() - 3600
    os.utime(left, (long_ago, long_ago))
    seen = found(run_cli, family.clone.path, "--offline")["lock"]
    assert seen[0] == "warning"
    assert seen[2].startswith(f"rm -- {left}")
    other = family.clone.path / ".git/refs/heads/main.lock"
    other.touch()
    os.utime(other, (long_ago, long_ago))
    assert "and 1 more" in found(run_cli, family.clone.path, "--offline")["lock"][1]


def test_another_run_at_work(run_cli: RunCli, family: Hosts) -> None:
    with exclusive(Repository.open(family.clone.path), "sync"):
        seen = found(run_cli, family.clone.path, "--offline")["lock"]
    assert seen[0] == "warning"
    assert f"process {os.getpid()}, sync" in seen[1]


def test_a_memory_that_is_damaged(run_cli: RunCli, family: Hosts) -> None:
    assert found(run_cli, family.clone.path, "--offline")["cache"][1] == "empty; the first sync fills it"
    assert run_cli("sync", "--yes", cwd=family.clone.path).code == 0
    assert found(run_cli, family.clone.path, "--offline")["cache"][1] == "1 projection, 0.0 MiB"
    [file] = (family.clone.path / ".git/openllm-repos/projections").glob("*.projection")
    file.write_bytes(file.read_bytes()[:-1])
    seen = found(run_cli, family.clone.path, "--offline")["cache"]
    assert seen[::2] == ("warning", f"rm -- {file}")


def test_a_push_that_did_not_end(run_cli: RunCli, family: Hosts) -> None:
    url, tip = f"https://huggingface.co/spaces/{SPACE}", ObjectId(family.clone.tip())
    pushed = Move("space", url, "refs/heads/main", ObjectId("0" * 40), tip)
    write_operation(family.clone.path, "sync", pushed, outcome=None)
    seen = found(run_cli, family.clone.path, "--offline")["log"]
    assert seen == ("warning", "begun and not ended: sync", "openllm-repos sync space")


def test_a_merge_that_is_open(run_cli: RunCli, family: Hosts, tmp_path: Path) -> None:
    notes = family.clone.path / ".git/openllm-repos/resolve"
    notes.mkdir(parents=True)
    note, place = notes / "space.json", tmp_path / "merge"
    tip = family.clone.tip()
    note.write_text(f'{{"path": "{place}", "source_commit": "{tip}", "tip": "{tip}"}}')
    gone = found(run_cli, family.clone.path, "--offline")["merge"]
    assert gone[2] == "openllm-repos sync space --abort"
    assert "which is gone" in gone[1]
    place.mkdir()
    assert "--continue" in found(run_cli, family.clone.path, "--offline")["merge"][2]
    note.write_text("{")
    assert found(run_cli, family.clone.path, "--offline")["merge"][2] == f"rm -- {note}"


def test_git_remotes_that_differ_from_the_manifest(run_cli: RunCli, family: Hosts) -> None:
    changed = MANIFEST.replace('"lemms/small"', '"lemms/other"').replace("[repos.space", "[repos.demo")
    family.clone.git("remote", "add", "demo", "https://gitlab.com/ada/demo")
    family.clone.commit("Move", {"repos.toml": changed + '[repos.more]\ndataset = "lemms/more"\n'})
    done = run_cli("doctor", "--json", "--offline", cwd=family.clone.path)
    said = {one["message"]: one["next"] for one in done.json()["checks"] if one["name"] == "remotes"}
    assert said == {
        "there is no git remote for more": "openllm-repos remotes sync",
        "demo leads to https://gitlab.com/ada/demo, the manifest says https://huggingface.co/spaces/lemms/openllm": (
            f"git remote set-url demo https://huggingface.co/spaces/{SPACE}"
        ),
        "small leads to https://huggingface.co/lemms/small, the manifest says https://huggingface.co/lemms/other": (
            "openllm-repos remotes sync"
        ),
        "space is no longer in the manifest": "openllm-repos remotes sync --prune",
    }


def test_a_branch_that_is_not_there(run_cli: RunCli, family: Hosts) -> None:
    family.clone.commit("Move", {"repos.toml": MANIFEST.replace(SPACE + '"', SPACE + '"\nbranch = "live"')})
    seen = found(run_cli, family.clone.path, code=1)
    assert seen["remote space"] == (
        "error",
        "has no branch live; it has main",
        "openllm-repos manifest set repos.space.branch main",
    )


@pytest.mark.usefixtures("family")
def test_before_the_first_commit_nobody_is_asked_for_write_access(run_cli: RunCli, tmp_path: Path) -> None:
    fresh = Clone.init(tmp_path / "fresh")
    fresh.write({"repos.toml": MANIFEST})
    seen = found(run_cli, fresh.path)
    assert (seen["remote space"][0], "write space" in seen) == ("ok", False)
    assert seen["manifest"][0] == "warning"


def test_a_source_that_keeps_files_in_lfs_on_a_machine_without_git_lfs(run_cli: RunCli, family: Hosts) -> None:
    family.clone.commit("Large files", {".gitattributes": LFS_LINE, "model.bin": pointer(b"weights")})
    level, _, following = found(run_cli, family.clone.path, "--offline", code=1)["git-lfs"]
    assert (level, following) == ("error", "git lfs install  # once git-lfs is installed")


@pytest.mark.usefixtures("git_lfs")
def test_a_source_that_keeps_files_in_lfs(run_cli: RunCli, family: Hosts) -> None:
    family.clone.commit("Large files", {".gitattributes": LFS_LINE, "model.bin": pointer(b"weights")})
    seen = found(run_cli, family.clone.path, "--offline", code=0)["git-lfs"]
    assert seen[0] == "warning"  # installed here, but the sealed configuration does not use it
    assert seen[2] == "git lfs install"


def test_lines_about_lfs_without_one_file_in_lfs_need_no_git_lfs(run_cli: RunCli, family: Hosts) -> None:
    """A stray `.gitattributes` that a model's folder was copied with, say, or a pointer where no line reaches."""
    family.clone.write({"repos.toml": MANIFEST.partition("[repos.space]")[0]})
    stray = {"llm/.gitattributes": LFS_LINE, "llm/model.py": "pass\n", "docs/pointer.bin": pointer(b"an example")}
    family.clone.commit("Stray", stray)
    assert found(run_cli, family.clone.path, "--offline")["git-lfs"][0] == "ok"


def test_without_lfs_a_family_on_the_hub_is_warned_and_any_other_is_not(run_cli: RunCli, family: Hosts) -> None:
    assert found(run_cli, family.clone.path, "--offline")["git-lfs"][0] == "warning"
    family.clone.write({"repos.toml": MANIFEST.partition("[repos.space]")[0]})
    assert found(run_cli, family.clone.path, "--offline")["git-lfs"][0] == "ok"


def _path_with_git(family: Hosts, behaviour: str) -> str:
    folder = family.folder / "bin"
    folder.mkdir()
    script = folder / "git"
    words = "for last; do :; done"
    script.write_text(f'#!/bin/sh\n{words}\n{behaviour}\nexec {REAL_GIT} "$@"\n')
    script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "level", "message"),
    [
        ("2.37.1", "error", "2.37.1 is too old"),
        ("2.39.5", "warning", "older than the security fixes of July 2025 and autumn 2026"),
        ("2.49.1 (Apple Git-155)", "warning", "2.49.1 is older than the security fixes of autumn 2026"),
        ("2.57.0", "ok", "2.57.0"),
        ("?", "error", "its version is too old"),
    ],
)
def test_versions_of_git(family: Hosts, run_tool: RunTool, said: str, level: str, message: str) -> None:
    path = _path_with_git(
        family, f'if [ "$last" = version ] && [ "$before" != lfs ]; then echo git version "{said}"; exit; fi'
    )
    done = run_tool("doctor", "--json", "--offline", cwd=family.clone.path, env={"PATH": path})
    first = done.json()["checks"][0]
    assert (done.code, first["name"], first["level"]) == (int(level == "error"), "git", level)
    assert message in first["message"]


@pytest.mark.slow
def test_without_git_there_is_nothing_else_to_look_at(family: Hosts, run_tool: RunTool, tmp_path: Path) -> None:
    done = run_tool("doctor", "--json", cwd=family.clone.path, env={"PATH": str(tmp_path)})
    [only] = done.json()["checks"]
    assert (done.code, only["message"]) == (1, "git is not installed, or not on PATH.")


@pytest.fixture
def served(clone: Clone, server: GitServer) -> dict[str, str]:
    """Return the URLs of a source, a target and a member on a server, with the manifest in the clone."""
    urls = {name: server.https_url(f"{name}.git") for name in ("source", "target", "member")}
    for name in urls:
        server.create(f"{name}.git")
    a_map = '[[repos.target.map]]\nfrom = "a/*.py"\nto = "b/"'
    rows = {name: f'[repos.{name}]\nurl = "{url}"' for name, url in urls.items()}
    parts = (
        'schema = 1\n[project]\nname = "x"',
        rows["source"],
        'role = "source"',
        rows["target"],
        a_map,
        rows["member"],
    )
    clone.commit("Start", {"repos.toml": "\n".join(parts), "a/x.py": "x\n"})
    return urls


@pytest.mark.slow
@pytest.mark.usefixtures("served")
def test_all_remotes_are_asked_at_once(run_cli: RunCli, clone: Clone, server: GitServer) -> None:
    server.on(together=threading.Barrier(3))
    seen = found(run_cli, clone.path)
    assert {seen[f"remote {name}"][0] for name in ("source", "target", "member")} == {"ok"}


@pytest.mark.slow
@pytest.mark.usefixtures("served")
def test_remotes_that_never_answer_end_at_the_deadline(run_cli: RunCli, clone: Clone, server: GitServer) -> None:
    server.on(dead=True)
    done = run_cli("doctor", "--json", "--deadline", "1", cwd=clone.path)
    said = {one["repo"]: one["message"] for one in done.json()["checks"] if one["name"] == "remote"}
    assert (done.code, said) == (1, dict.fromkeys(("source", "target", "member"), "no answer within 1 seconds"))


@pytest.mark.usefixtures("served")
def test_a_target_that_may_not_be_written_is_an_error_and_another_repo_a_warning(
    run_cli: RunCli, clone: Clone, server: GitServer
) -> None:
    server.on(denies_push=True)
    seen = found(run_cli, clone.path, code=1)
    assert {name: seen[f"write {name}"][0] for name in ("source", "target", "member")} == {
        "source": "warning",
        "target": "error",
        "member": "warning",
    }
    assert "you may not push" in seen["write target"][1]
    assert seen["write target"][2] == "git help credentials  # how to store one for it"
    assert server.pushes() == []


@pytest.mark.slow
@pytest.mark.usefixtures("served")
def test_a_push_that_hangs_is_no_write_access(run_cli: RunCli, clone: Clone, server: GitServer) -> None:
    server.on("target.git", before_offer=lambda: time.sleep(3))
    seen = found(run_cli, clone.path, "--deadline", "1", "--patience", "0", code=1)
    assert (seen["remote target"][0], seen["write target"][0]) == ("ok", "error")
    assert "no answer within 1 seconds" in seen["write target"][1]


def test_a_push_over_ssh_that_is_refused_names_the_command_that_shows_all(
    run_cli: RunCli, hosts: Hosts, ssh: FakeSsh, tmp_path: Path
) -> None:
    held = Bare.init(tmp_path / "ssh/other.git")
    manifest = MANIFEST.partition("[repos.space]")[0] + f'[repos.other]\nurl = "{ssh.url("other.git")}"\n'
    hosts.clone.commit("Another", {"repos.toml": manifest})
    assert found(run_cli, hosts.clone.path)["write other"][0] == "ok"
    hosts.clone.git("config", f"url.{held.url}-gone.pushInsteadOf", ssh.url("other.git"))
    seen = found(run_cli, hosts.clone.path)["write other"]
    assert (seen[0], seen[2].startswith("git push --dry-run -- ")) == ("warning", True)


def test_a_clone_without_the_hook_is_told_how_to_have_it(run_cli: RunCli, family: Hosts) -> None:
    level, message, command = found(run_cli, family.clone.path)["hooks"]
    assert (level, command) == ("warning", "openllm-repos hooks install")
    assert "not installed" in message
