"""A git that stands still is stopped, wherever it is waited for; one that works may take its time."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openllm_repos.git import process, watch
from openllm_repos.git.objects import FolderReader, ObjectReader
from openllm_repos.git.process import DeadlineExceeded, Git
from openllm_repos.git.repository import Repository
from tests.support.repositories import Clone

SILENT = "exec sleep 600"
CLOSED = "exec >&- 2>&-\nexec sleep 600"  # says that it is done, and does not end
CHILD = "sleep 600 &\nwait"


def _folders(git: Git) -> object:
    with FolderReader(git, 40) as reader:
        reader.ask([b"1" * 40], [b"d"])
        return reader.answers(1)


Wait = Callable[[Git], object]
WAITS: dict[str, Wait] = {
    "run": lambda git: git.run("log"),
    "run with input": lambda git: git.run("log", stdin=b"x" * 5_000_000),
    "text": lambda git: git.text("log"),
    "stream": lambda git: list(git.stream("log")),
    "objects": lambda git: ObjectReader(git).read(b"main"),
    "many objects": lambda git: list(ObjectReader(git).read_many([b"main"] * 1000)),
    "sizes": lambda git: list(ObjectReader(git).sizes([b"main"] * 1000)),
    "folders": _folders,
}


@pytest.fixture
def fake_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Git]]:
    """Return a maker of gits that run a script of the test, with little patience."""
    monkeypatch.setattr(watch, "TICK", 0.1)
    monkeypatch.setattr(watch, "STALLED_AFTER", 0.5)
    script = tmp_path / "bin/git"
    script.parent.mkdir()

    def make(text: str) -> Git:
        script.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        script.chmod(0o755)
        return Git(None, tmp_path, {})

    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    process.program.cache_clear()
    yield make
    process.program.cache_clear()


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_a_git_that_stands_still_is_stopped_with_a_clear_error(fake_git: Callable[[str], Git], wait: Wait) -> None:
    with pytest.raises(DeadlineExceeded, match=r"^git [a-z-]+ stood still for 0\.5 seconds and was stopped\.$") as late:
        wait(fake_git(SILENT))
    assert "run the same command again" in late.value.hint


@pytest.mark.parametrize("script", [CLOSED, CHILD], ids=["does not end", "waits for a child"])
@pytest.mark.parametrize("wait", [WAITS["run"], WAITS["stream"]], ids=["run", "stream"])
def test_a_git_that_is_done_but_does_not_end_is_stopped(
    fake_git: Callable[[str], Git], wait: Wait, script: str
) -> None:
    with pytest.raises(DeadlineExceeded, match="stood still"):
        wait(fake_git(script))


@pytest.mark.slow
def test_a_git_that_computes_without_a_word_is_left_alone(fake_git: Callable[[str], Git]) -> None:
    """Well beyond its patience; elsewhere than on Linux that is not seen, and the patience is longer."""
    work = "n=0\nwhile [ $n -lt 400000 ]; do n=$((n + 1)); done\necho done"
    assert fake_git(work).text("log") == "done"
    assert fake_git(f"({work})").text("log") == "done"


def test_a_hook_of_the_person_may_wait_for_what_it_likes(fake_git: Callable[[str], Git]) -> None:
    assert fake_git("sleep 2\necho done").run("push", hooks=True, deadline=60).lines() == ["done"]


def test_a_daemon_that_holds_standard_error_open_is_not_waited_for(fake_git: Callable[[str], Git]) -> None:
    """A shared ssh connection does so."""
    done = fake_git("echo said >&2\nsleep 20 >&- &\necho done").run("fetch")
    assert (done.lines(), done.said) == (["done"], "said")


def test_of_a_flood_of_messages_the_end_is_kept(fake_git: Callable[[str], Git]) -> None:
    flood = "yes remote: x | head -c 3000000 >&2\necho 'fatal: the reason' >&2\nexit 128"
    done = fake_git(flood).run("fetch", ok=(128,))
    assert done.said.endswith("fatal: the reason")
    assert len(done.stderr) < 2_000_000


@pytest.mark.slow
def test_neither_side_waits_for_the_other_while_both_write(clone: Clone) -> None:
    """A hundred thousand questions at once, and not one answer taken before all were asked."""
    tip = clone.commit("c0", {"a": "1\n"}).encode()
    git = Repository.open(clone.path).git
    with git.popen("cat-file", "--batch-check", stdin=subprocess.PIPE) as child:
        for _ in range(100):
            child.send((tip + b"\n") * 1000)
        child.send(b"", last=True)
        assert child.read().count(b"\n") == 100_000
        assert child.wait() == 0


def test_the_number_of_a_closed_pipe_that_is_given_away_again_is_not_taken_for_the_pipe(
    fake_git: Callable[[str], Git],
) -> None:
    git = fake_git("cat >/dev/null\nexec >&- 2>&-\nsleep 0.3")
    with git.popen("hash-object", stdin=subprocess.PIPE) as child, contextlib.ExitStack() as taken:
        assert child.process.stdin is not None
        number = child.process.stdin.fileno()
        handle = -1
        while handle < number:  # the next one that is free is that of the pipe, once it is closed
            handle = os.open(os.devnull, os.O_RDONLY)
            taken.callback(os.close, handle)
        child.send(b"data", last=True)
        assert child.wait() == 0
