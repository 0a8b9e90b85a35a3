"""The ground the other tests stand on does what they believe it does."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import needs
from tests.support.fingerprint import fingerprint, listing
from tests.support.history import Spec, executable, gitlink, make_history, symlink
from tests.support.process import GitFailed, run_git
from tests.support.repositories import ADA, Bare, Clone
from tests.support.sealed import NetworkUsed, SealedHome
from tests.support.server import GitServer, Request
from tests.support.shim import Fault, GitShim

if TYPE_CHECKING:
    from tests.support.ssh import FakeSsh


def test_git_sees_the_sealed_home_and_nothing_else(home: SealedHome, tmp_path: Path) -> None:
    shown = run_git("config", "--list", "--show-origin", "--name-only", cwd=tmp_path).out
    assert {line.split("\t")[0] for line in shown.splitlines()} == {f"file:{home.config}"}
    assert Path.home() == home.folder


def test_no_git_variable_of_the_machine_gets_in() -> None:
    allowed = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_ALLOW_PROTOCOL", "GIT_TERMINAL_PROMPT"}
    allowed |= {"GIT_EXEC_PATH"}  # see Hiding
    assert {name for name in os.environ if name.startswith("GIT_")} == allowed | {"GIT_EDITOR", "GIT_PAGER"}


def test_a_test_that_does_not_ask_for_a_program_does_not_find_it(tmp_path: Path) -> None:
    for program in ("chromium", "chromedriver", "git-lfs"):
        assert shutil.which(program) is None
    for verb in ("lfs", "subtree"):
        assert f"'{verb}' is not a git command" in run_git(verb, "version", cwd=tmp_path, ok=(1,)).err
    assert shutil.which("git") is not None


@pytest.mark.usefixtures("git_lfs")
def test_a_test_that_asks_for_git_lfs_finds_it_and_no_more(tmp_path: Path) -> None:
    assert run_git("lfs", "version", cwd=tmp_path).out.startswith("git-lfs/")
    assert "'subtree' is not a git command" in run_git("subtree", cwd=tmp_path, ok=(1,)).err


@pytest.mark.usefixtures("git_subtree")
def test_a_test_that_asks_for_git_subtree_finds_it_and_no_more(clone: Clone) -> None:
    assert "git subtree add" in clone.run("subtree", ok=(129,)).out
    assert "'lfs' is not a git command" in clone.run("lfs", ok=(1,)).err


def test_a_missing_program_skips_the_test_here_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    other = needs.Tool(("no-such-program",), "apt-get install other")
    monkeypatch.setattr(needs, "TOOLS", {"other": other})
    monkeypatch.setattr(needs, "IN_CI", False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        needs.need("other")
    monkeypatch.setattr(needs, "IN_CI", True)
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        needs.need("other")


def test_another_machine_cannot_be_reached_from_the_test() -> None:
    with socket.socket() as plug, pytest.raises(NetworkUsed, match=r"203\.0\.113\.1"):
        plug.connect(("203.0.113.1", 80))


def test_another_machine_cannot_be_reached_from_git(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match=r"127\.0\.0\.1 port 9"):
        run_git("ls-remote", "https://203.0.113.1/x.git", cwd=tmp_path, timeout=10)


def test_the_same_steps_give_the_same_commit_ids(tmp_path: Path) -> None:
    def steps(path: Path) -> str:
        made = Clone.init(path)
        made.commit("one", {"a/x": "1\n"})
        made.switch("side", at="main")
        made.commit("two", {"b": "2\n"}, author=ADA, date="@100000000 +0200")
        made.switch("main")
        made.commit("three", {"a/x": None, "c": b"\xff"})
        return made.merge("side")

    assert steps(tmp_path / "one") == steps(tmp_path / "two")


def test_a_merge_can_be_an_octopus_evil_or_resolved(clone: Clone) -> None:
    clone.commit("base", {"f": "base\n"})
    for branch in ("left", "right", "other"):
        clone.switch(branch, at="main")
        clone.commit(branch, {"f": f"{branch}\n"} if branch != "other" else {"o": "o\n"})
    clone.switch("left")
    clone.merge("right", message="resolved", files={"f": "both\n"})
    assert (clone.read("f", "HEAD"), len(clone.parents("HEAD"))) == (b"both\n", 2)
    clone.merge("other", message="evil", files={"new": "from nowhere\n"})
    assert clone.paths("HEAD") == ["f", "new", "o"]
    for number in (1, 2):
        clone.switch(f"arm{number}", at="left")
        clone.commit("arm", {f"arm{number}": "x"})
    clone.switch("left")
    clone.commit("trunk", {"trunk": "x"})
    clone.merge("arm1", "arm2", message="octopus")
    assert len(clone.parents("HEAD")) == 3
    clone.fsck()


def test_author_date_and_message_bytes_are_kept(clone: Clone) -> None:
    clone.commit(b"caf\xe9\n", {"f": ""}, author=ADA, date="@100000000 +0200", encoding="ISO-8859-1")
    raw = clone.run("cat-file", "commit", "HEAD").out_bytes
    assert b"author Ada Lovelace <ada@example.org> 100000000 +0200\n" in raw
    assert raw.endswith(b"encoding ISO-8859-1\n\ncaf\xe9\n")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_an_exact_history_is_made_in_one_go(tmp_path: Path, object_format: str) -> None:
    repo = Bare.init(tmp_path / "h.git", object_format=object_format)
    link = "1" * (40 if object_format == "sha1" else 64)
    ids = make_history(
        repo,
        [
            Spec(changes={"a/x": "1", "run": executable(b"#!"), "to": symlink(b"a/x"), 'odd "\n\\': "2"}),
            Spec(changes={b"\xff": b"3"}),
            Spec(parents=(0, 1), changes={"sub": gitlink(link), "a": None}, message=b"\xfe merge"),
            Spec(parents=(2,), changes={"only": "4"}, whole=True, author=b" <> 100 -0000"),
        ],
        refs={"refs/heads/main": 3, "refs/tags/two": 1},
    )
    assert repo.tips() == {"refs/heads/main": ids[3], "refs/tags/two": ids[1]}
    assert repo.parents(ids[2]) == [ids[0], ids[1]]
    assert repo.paths(ids[2]) == ['odd "\n\\', "run", "sub", "to"]
    assert repo.files() == {"only": b"4"}
    assert repo.log("main", form="%an|%ae|%at")[0] == "||100"


def test_a_fingerprint_sees_names_modes_bytes_and_links_but_not_times(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    (folder / "sub").mkdir(parents=True)
    file = folder / "sub/file"
    file.write_text("x")
    seen = [fingerprint(folder)]
    os.utime(file, (1, 1))
    assert fingerprint(folder) == seen[0]
    for change in (
        lambda: file.write_text("y"),
        lambda: file.chmod(0o755),
        lambda: file.rename(folder / "sub/other"),
        lambda: (folder / "link").symlink_to("a"),
        (folder / "empty").mkdir,
    ):
        change()
        seen.append(fingerprint(folder))
    assert len(set(seen)) == 6
    assert list(listing(folder)) == ["empty", "link", "sub", "sub/other"]


@pytest.mark.parametrize("scheme", ["http", "https", "ssh", "file"])
def test_a_push_and_a_clone_over_each_transport(
    scheme: str, clone: Clone, server: GitServer, ssh: FakeSsh, tmp_path: Path
) -> None:
    Bare.init(ssh.root / "x.git")
    held = server.create("x.git")
    if scheme == "file":
        url = held.url
    else:
        url = {"http": server.url, "https": server.https_url, "ssh": ssh.url}[scheme]("x.git")
    tip = clone.commit("one", {"f": "1\n"})
    clone.push(url)
    assert Clone.of(url, tmp_path / "again").tip() == tip


def test_a_big_push_arrives_although_it_is_sent_in_chunks(clone: Clone, server: GitServer) -> None:
    held = server.create("x.git")
    tip = clone.commit("big", {"f": os.urandom(3 << 20)})
    clone.push(server.url("x.git"))
    assert held.tip("main") == tip
    assert server.pushes() == ["x.git"]


def test_a_manifest_keeps_real_urls_and_the_server_answers(clone: Clone, server: GitServer, home: SealedHome) -> None:
    server.create("spaces/lemms/openllm.git")
    home.instead_of("https://huggingface.co/", server.url(""))
    tip = clone.commit("one")
    clone.push("https://huggingface.co/spaces/lemms/openllm")
    assert clone.git("ls-remote", "https://huggingface.co/spaces/lemms/openllm", "refs/heads/main").startswith(tip)


def test_the_server_can_ask_for_an_account(clone: Clone, server: GitServer) -> None:
    server.create("x.git")
    server.on("x.git", account=("ada", "secret"))
    clone.commit("one")
    with pytest.raises(GitFailed, match="could not read Username"):
        clone.push(server.url("x.git"))
    clone.push(server.url("x.git").replace("//", "//ada:secret@"))


def test_the_server_can_refuse_a_push_and_still_be_read(clone: Clone, server: GitServer) -> None:
    held = server.create("x.git")
    server.on("x.git", denies_push=True)
    clone.commit("one")
    with pytest.raises(GitFailed, match="403"):
        clone.push(server.url("x.git"))
    assert clone.git("ls-remote", server.url("x.git")) == ""
    assert held.tips() == {}


def test_a_repository_that_is_not_there_is_not_found(clone: Clone, server: GitServer) -> None:
    with pytest.raises(GitFailed, match="not found"):
        clone.git("ls-remote", server.url("nothing.git"))
    assert server.requests == [Request("GET", "/nothing.git", "upload")]


def test_the_remote_can_move_under_a_push(clone: Clone, server: GitServer, tmp_path: Path) -> None:
    held = server.create("x.git")
    clone.commit("one")
    clone.push(server.url("x.git"))
    other = Clone.of(held.url, tmp_path / "other")
    theirs = other.commit("theirs")
    server.on("x.git", before_push=lambda: other.push(held.url))
    clone.commit("ours")
    with pytest.raises(GitFailed, match="rejected"):
        clone.push(server.url("x.git"))
    assert held.tip("main") == theirs


def test_a_dead_repository_never_answers_and_holds_up_no_other(clone: Clone, server: GitServer) -> None:
    server.create("dead.git")
    server.create("alive.git")
    server.on("dead.git", dead=True)
    with pytest.raises(subprocess.TimeoutExpired):
        run_git("ls-remote", server.url("dead.git"), cwd=clone.path, timeout=0.5)
    assert clone.git("ls-remote", server.url("alive.git")) == ""


def test_latency_is_paid_by_each_connection_and_each_request(clone: Clone, server: GitServer) -> None:
    server.create("x.git")
    server.latency = 0.2
    server.on(latency=0.2)
    begin = time.monotonic()
    clone.git("ls-remote", server.url("x.git"))
    assert time.monotonic() - begin >= 0.4


def test_ssh_can_be_denied_and_cut(clone: Clone, ssh: FakeSsh) -> None:
    held = Bare.init(ssh.root / "x.git")
    clone.commit("one", {"f": os.urandom(200_000)})
    ssh.deny()
    with pytest.raises(GitFailed, match="Permission denied"):
        clone.push(ssh.url("x.git"))
    ssh.cut("up", 50_000)
    with pytest.raises(GitFailed):
        clone.push(ssh.url("x.git"))
    assert held.tips() == {}
    ssh.work()
    clone.push(ssh.url("x.git"))
    ssh.cut("down", 10)
    with pytest.raises(GitFailed):
        clone.git("ls-remote", ssh.url("x.git"))


@pytest.mark.parametrize(
    ("fault", "code", "out"),
    [
        (Fault.FAIL, 128, "alive"),
        (Fault.KILL_BEFORE, -9, ""),
        (Fault.KILL_AFTER, -9, ""),
        (Fault.TRUNCATE, 0, "git ver"),
    ],
)
def test_the_shim_hurts_the_chosen_call(shim: GitShim, tmp_path: Path, fault: Fault, code: int, out: str) -> None:
    shim.arm(2, fault)
    script = "git init -q one; git version > two; code=$?; test -s two || echo alive; head -c 7 two; exit $code"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (code, out)
    assert shim.calls() == ["init -q one", "version"]
    assert (tmp_path / "one").is_dir()
    assert (tmp_path / "two").read_text().startswith("git ver") == (fault in {Fault.KILL_AFTER, Fault.TRUNCATE})


def test_the_shim_can_hang(shim: GitShim, tmp_path: Path) -> None:
    shim.arm(1, Fault.HANG)
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(["git", "version"], cwd=tmp_path, timeout=0.3, check=False)


def test_parallel_calls_through_the_shim_are_counted_once_each(shim: GitShim, tmp_path: Path) -> None:
    running = [subprocess.Popen(["git", "version"], cwd=tmp_path, stdout=subprocess.DEVNULL) for _ in range(12)]
    assert [one.wait() for one in running] == [0] * 12
    assert shim.calls() == ["version"] * 12


def test_gitpython_reads_what_we_write(git_repo: Any) -> None:
    """pytest-git's repository and GitPython, a second pair of eyes on what our own helpers record."""
    ours = Clone(Path(git_repo.workspace))
    tip = ours.commit("one", {"a/b": "1\n"}, author=ADA)
    commit = git_repo.api.head.commit
    assert (commit.hexsha, commit.author.name, commit.tree["a/b"].data_stream.read()) == (tip, ADA.name, b"1\n")
