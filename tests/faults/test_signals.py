"""A run that a signal ends, or that is killed: what it started ends with it, and nothing of it stays."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.family import Family
from tests.support.inprocess import RunCli
from tests.support.process import REAL_GIT, run_tool
from tests.support.sealed import SealedHome

# A git that hangs in one subcommand, and so does what it started there, as git-remote-https does.
_SCRIPT = """\
#!/bin/sh
case " $* " in *" {verb} "*)
  trap '' {ignored}
  sleep 600 &
  sleep 1  # by now the tool knows of it
  echo $$ $! > {pids}.new
  mv {pids}.new {pids}
  wait
  wait
esac
exec {git} "$@"
"""


class Hanging:
    """A run of the tool that waits for a git which never answers."""

    def __init__(self, family: Family, home: SealedHome) -> None:
        self._family = family
        self._home = home
        self._pids = home.folder / "pids"
        self.temporary = home.folder / "tmp"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *args: str, verb: str, ignored: str = "USR1", setup: Callable[[], object] | None = None) -> None:
        """Start the tool and wait until its git hangs."""
        script = self._home.folder / "hanging/git"
        script.parent.mkdir(exist_ok=True)
        script.write_text(_SCRIPT.format(verb=verb, ignored=ignored, pids=self._pids, git=REAL_GIT), encoding="utf-8")
        script.chmod(0o755)
        self._pids.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "openllm_repos", *args],
            cwd=self._family.clone.path,
            env=os.environ | {"PATH": f"{script.parent}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=setup,  # noqa: PLW1509 - one thread
        )
        _until(self._pids.exists)

    def ended(self) -> tuple[int, str]:
        """Return exit code and standard error."""
        assert self.process is not None
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err.decode()

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def nothing_runs(self) -> None:
        """Wait until the git and what it started have ended."""
        for pid in map(int, self._pids.read_text(encoding="ascii").split()):
            _until(lambda pid=pid: not _alive(pid))  # type: ignore[misc]

    def folders(self) -> list[str]:
        return [path.name for path in self.temporary.glob("openllm-repos-tmp-*")]


def _alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for whoever took it over."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def _until(true: Callable[[], bool]) -> None:
    for _ in range(1200):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("that never came")


@pytest.fixture
def hanging(family: Family, home: SealedHome) -> Iterator[Hanging]:
    made = Hanging(family, home)
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.wait()
        for pipe in (made.process.stdout, made.process.stderr):
            if pipe is not None:
                pipe.close()
        made.nothing_runs()


SIGNALS = {
    signal.SIGINT: "Interrupted.",
    signal.SIGTERM: "Ended by SIGTERM.",
    signal.SIGHUP: "Ended by SIGHUP.",
    signal.SIGQUIT: "Ended by SIGQUIT.",
}


@pytest.mark.parametrize(("number", "said"), SIGNALS.items(), ids=[number.name for number in SIGNALS])
def test_a_signal_ends_the_run_with_all_that_it_started_and_leaves_no_temporary_folder(
    hanging: Hanging, number: signal.Signals, said: str
) -> None:
    hanging.start("sync", "--dry-run", verb="commit-tree")
    assert len(hanging.folders()) == 1
    hanging.send(number)
    code, err = hanging.ended()
    assert (code, said in err, "Traceback" in err) == (128 + number, True, False)
    hanging.nothing_runs()
    assert hanging.folders() == []


@pytest.mark.slow
def test_a_signal_ends_what_other_threads_wait_for(hanging: Hanging) -> None:
    hanging.start("status", verb="ls-remote")
    hanging.send(signal.SIGTERM)
    assert hanging.ended()[0] == 143
    hanging.nothing_runs()


@pytest.mark.slow
def test_a_git_that_will_not_end_is_killed(hanging: Hanging) -> None:
    hanging.start("status", verb="ls-remote", ignored="TERM")
    hanging.send(signal.SIGTERM)
    assert hanging.ended()[0] == 143
    hanging.nothing_runs()


@pytest.mark.slow
def test_several_signals_at_once_do_not_stop_the_tidying(hanging: Hanging) -> None:
    hanging.start("sync", "--dry-run", verb="commit-tree", ignored="TERM")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
        hanging.send(number)
        time.sleep(0.1)
    assert hanging.ended()[0] == 143
    hanging.nothing_runs()
    assert hanging.folders() == []


def test_a_run_under_nohup_goes_on_when_the_terminal_is_closed(hanging: Hanging) -> None:
    hanging.start("status", verb="ls-remote", setup=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    hanging.send(signal.SIGHUP)
    time.sleep(0.3)
    assert hanging.process is not None
    assert hanging.process.poll() is None
    hanging.send(signal.SIGTERM)
    assert hanging.ended()[0] == 143


def test_no_git_outlives_a_run_that_is_killed_and_the_next_run_removes_its_folder(
    hanging: Hanging, family: Family
) -> None:
    hanging.start("sync", "--dry-run", verb="commit-tree")
    hanging.send(signal.SIGKILL)
    assert hanging.ended()[0] == -9
    hanging.nothing_runs()
    assert len(hanging.folders()) == 1
    assert run_tool("sync", "--dry-run", cwd=family.clone.path).code == 0
    assert hanging.folders() == []


@pytest.mark.slow
def test_no_git_outlives_a_killed_run_whatever_it_does_with_signals(hanging: Hanging) -> None:
    hanging.start("status", verb="ls-remote", ignored="TERM HUP INT PIPE")
    hanging.send(signal.SIGKILL)
    hanging.ended()
    hanging.nothing_runs()


def test_a_run_whose_terminal_is_closed_ends_in_silence(hanging: Hanging, family: Family) -> None:
    """SIGHUP comes, and nothing can be written any more."""
    hanging.start("status", verb="ls-remote")
    hanging.send(signal.SIGTERM)
    hanging.ended()
    mine, theirs = pty.openpty()
    script = hanging._home.folder / "hanging/git"
    hanging._pids.unlink()
    hanging.process = subprocess.Popen(
        [sys.executable, "-m", "openllm_repos", "-q", "status"],
        cwd=family.clone.path,
        env=os.environ | {"PATH": f"{script.parent}:{os.environ['PATH']}"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    _until(hanging._pids.exists)
    os.close(mine)
    hanging.send(signal.SIGHUP)
    assert hanging.process.wait(60) == 129
    hanging.nothing_runs()


@pytest.mark.slow
def test_a_temporary_folder_in_use_is_nobody_elses(hanging: Hanging, run_cli: RunCli, family: Family) -> None:
    """Neither the next run nor gc takes it for abandoned."""
    hanging.start("sync", "--dry-run", verb="commit-tree")
    assert run_tool("diff", cwd=family.clone.path).code in {0, 1}
    assert run_cli("gc", "--yes", "--older-than", "0d", cwd=family.clone.path).code == 0
    assert len(hanging.folders()) == 1
