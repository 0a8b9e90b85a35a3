"""Run one command and say what it took: a small process between the benchmark and the program that is measured.

The kernel counts the memory of the process that starts a program towards that program's peak, so the one that starts
it is kept small: no figure below its own 10 MB or so can be seen.

    python -I -S measured.py SECONDS OUT ERR COMMAND...

SECONDS is the time limit, OUT and ERR the files for the command's streams. Prints one JSON object: `code` (the exit
code, or null where the limit stopped it), `wall` and `cpu` in seconds, `peak` in bytes. `cpu` is user and system time
of the command and of all that it started and waited for; `peak` is that of the largest of these processes.
"""

import os
import signal
import sys
import time

APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def main() -> None:
    """Run the command in a process group of its own, which ends with it when the time is over."""
    seconds, out, err, *command = sys.argv[1:]
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, APPEND, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, err, APPEND, 0o600),
    ]
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=actions, setpgroup=0)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, float(seconds))
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - started
    signal.setitimer(signal.ITIMER_REAL, 0)
    code = "null" if wall >= float(seconds) else os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(f'{{"code": {code}, "wall": {wall}, "cpu": {usage.ru_utime + usage.ru_stime}, "peak": {peak}}}')


if __name__ == "__main__":
    main()
