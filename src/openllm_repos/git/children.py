"""Which gits run now, and that none of them outlives us.

Where a run ends by a signal, they are stopped with it. Where it is killed (SIGKILL, out of memory) it can do nothing
any more: a small shell beside it then sees the end of its pipe and stops them. The parent-death signal of Linux would
reach neither git's own helpers (``git-remote-https``) nor a git whose starting thread has merely ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading

from openllm_repos.interrupts import on_interrupt

GRACE = 2.0  # seconds in which a git that is asked to end may remove its lock files

# Reads "+ GROUP" and "- GROUP". At the end of the input, what is left over is asked to end, then killed.
_GUARD = """
trap '' HUP INT QUIT TERM
groups=
while read -r sign group; do
  case $sign in
    +) groups="$groups $group" ;;
    -) kept= ; for one in $groups; do test "$one" = "$group" || kept="$kept $one"; done; groups=$kept ;;
  esac
done
for number in TERM KILL; do
  left=
  for group in $groups; do kill -s $number -- "-$group" && left=1; done
  test -n "$left" || exit 0
  sleep 2
done
"""

_running: set[subprocess.Popen[bytes]] = set()


class _Guard:
    lock = threading.Lock()
    pipe: int | None = None


def started(process: subprocess.Popen[bytes]) -> None:
    """Know of a git that was started, the leader of a session of its own."""
    _running.add(process)
    _tell_guard(f"+ {process.pid}\n")


def end(process: subprocess.Popen[bytes], *, finished: bool) -> None:
    """Close the pipes of a git and stop what still runs; its exit code is in `process` afterwards.

    Args:
        process: the git.
        finished: it ended by itself; what it left running on purpose (a cache of credentials) may stay.
    """
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
    if not finished:
        for number in (signal.SIGTERM, signal.SIGKILL):
            _signal(process, number)
            with contextlib.suppress(subprocess.TimeoutExpired):  # after the second: a dead disk holds it, and not us
                process.wait(GRACE)
    _tell_guard(f"- {process.pid}\n")
    _running.discard(process)


def stop_all() -> None:
    """Ask every git that other threads wait for to end, with all that it started."""
    for process in list(_running):
        _signal(process, signal.SIGTERM)


on_interrupt(stop_all)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: not permitted where only the dead are left
        os.killpg(process.pid, number)


def _tell_guard(line: str) -> None:
    with _Guard.lock:
        if _Guard.pipe is None:
            _Guard.pipe = _start_guard()
        with contextlib.suppress(OSError):
            os.write(_Guard.pipe, line.encode())


def _start_guard() -> int:
    """Start the shell in a session of its own, with nothing of ours but one end of a pipe; return the other end."""
    theirs, ours = os.pipe()
    nothing = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    with contextlib.suppress(OSError, NotImplementedError):  # without it, only a git of a run killed by SIGKILL goes on
        os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", _GUARD],
            {"PATH": os.defpath},
            file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 0), *nothing],
            setsid=True,
        )
    os.close(theirs)
    os.set_blocking(ours, False)
    return ours


def _forget_after_fork() -> None:
    """A fork of this process has gits and a guard of its own, and must not keep its parent's guard waiting."""
    if _Guard.pipe is not None:
        os.close(_Guard.pipe)
        _Guard.pipe = None
    _Guard.lock = threading.Lock()
    _running.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
