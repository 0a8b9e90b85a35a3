"""How git is started, answers, fails and is stopped."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git import process
from openllm_repos.git.process import Completed, DeadlineExceeded, Git, GitFailed
from tests.support.repositories import Clone
from tests.support.shim import Fault, GitShim


@pytest.fixture
def git(clone: Clone) -> Git:
    clone.commit("one\n", {"a": "1\n"})
    clone.commit("two\n", {"a": "2\n"})
    return Git(clone.path / ".git", clone.path / ".git", {})


@pytest.fixture
def fresh_program() -> Iterator[None]:
    """Let git be looked for on PATH again, in the test and after it."""
    process.program.cache_clear()
    yield
    process.program.cache_clear()


def test_an_answer(git: Git) -> None:
    done = git.run("log", "--format=%s")
    assert (done.code, done.lines(), done.said) == (0, ["two", "one"], "")
    assert git.text("log", "--format=%s") == "two\none"


def test_bytes_and_files_go_in(git: Git, tmp_path: Path) -> None:
    expected = git.run("hash-object", "--stdin", stdin=b"hello\n").stdout
    (tmp_path / "hello").write_bytes(b"hello\n")
    with (tmp_path / "hello").open("rb") as file:
        assert git.run("hash-object", "--stdin", stdin=file).stdout == expected


def test_an_exit_code_that_is_an_answer(git: Git) -> None:
    assert git.run("rev-parse", "--verify", "-q", "nothing", ok=(0, 1)).code == 1


def test_a_failure_says_what_git_said_without_credentials(git: Git) -> None:
    with pytest.raises(GitFailed, match=r"^git ls-remote failed: fatal: ") as failed:
        git.run("ls-remote", "https://me:secret@127.0.0.1:9/nothing")
    assert "127.0.0.1" in failed.value.message
    assert "secret" not in failed.value.message
    assert failed.value.completed.code == 128


def test_a_failure_without_a_word_names_the_exit_code(git: Git) -> None:
    with pytest.raises(GitFailed, match=r"^git rev-parse failed: exit code 1, no message$"):
        git.run("rev-parse", "--verify", "-q", "nothing")


def test_lines_end_at_newlines_only() -> None:
    """A path or a ref may hold other characters that text calls line ends."""
    assert Completed(0, "a\u0085b\u2028c\x0cd\re\nf\n\n".encode(), b"").lines() == ["a\u0085b\u2028c\x0cd\re", "f", ""]
    assert Completed(0, b"", b"").lines() == []
    assert Completed(0, b"caf\xe9\n", b"").lines() == ["caf\udce9"]


def test_a_stream_of_lines(git: Git) -> None:
    assert list(git.stream("log", "--format=%s")) == [b"two\n", b"one\n"]


def test_a_stream_that_breaks_off_is_a_failure_and_no_short_answer(git: Git) -> None:
    lines = git.stream("log", "--format=%s", "HEAD", "nothing")
    with pytest.raises(GitFailed, match="nothing"):
        list(lines)


def test_a_stream_that_is_left_early_stops_git(git: Git) -> None:
    lines = git.stream("log", "--format=%s")
    assert next(lines) == b"two\n"
    lines.close()
    with pytest.raises(StopIteration):
        next(lines)


@pytest.mark.usefixtures("fresh_program")
def test_a_git_that_never_answers_is_stopped_with_all_that_it_started(git: Git, shim: GitShim) -> None:
    shim.arm(1, Fault.HANG)
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"^git log gave no answer within 0.3 seconds"):
        git.run("log", deadline=0.3)
    assert time.monotonic() - started < 60


def test_what_still_runs_at_the_end_is_gone(git: Git) -> None:
    with git.popen("cat-file", "--batch", stdin=subprocess.PIPE) as started:
        process = started.process
        assert process.poll() is None
        assert os.getsid(process.pid) == process.pid != os.getsid(0)
    assert process.returncode in {-15, 0}  # ended, unless it was quick to see that nobody asks any more


def test_nobody_elses_repository_and_no_hook(
    git: Git, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert git.text("rev-parse", "--absolute-git-dir") == str(clone.path / ".git")
    assert git.text("config", "core.hooksPath") == os.devnull
    assert git.run("config", "core.hooksPath", ok=(1,), hooks=True).stdout == b""


def test_extra_environment_reaches_git(git: Git, tmp_path: Path) -> None:
    other = Git(git.git_dir, git.folder, {"GIT_OBJECT_DIRECTORY": str(tmp_path)})
    assert other.text("rev-parse", "--git-path", "objects") == str(tmp_path)


@pytest.mark.usefixtures("fresh_program")
def test_a_machine_without_git_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin/git").mkdir(parents=True)  # a folder is no program
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(EnvironmentProblem, match="git is not installed") as missing:
        process.program()
    assert "Install git 2.38" in missing.value.hint


@pytest.mark.usefixtures("fresh_program")
def test_git_is_found_where_path_says_first(shim: GitShim) -> None:
    assert process.program() == str(shim.folder / "git")


def test_a_system_without_large_pipes_works_as_well(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(fcntl, "F_SETPIPE_SZ", raising=False)
    assert git.text("log", "--format=%s") == "two\none"


def test_a_connection_over_which_nothing_comes_is_given_up_whatever_a_person_has_set(clone: Clone, git: Git) -> None:
    clone.git("config", "http.lowSpeedLimit", "0")
    asked = ("config", "--get-regexp", "^http[.]lowspeed")
    last = dict(line.split() for line in git.run(*asked).stdout.decode().splitlines())
    assert last == {"http.lowspeedlimit": "1", "http.lowspeedtime": "300"}
