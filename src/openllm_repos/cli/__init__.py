"""The command line: arguments in; tables, JSON and exit codes out. The only layer that prints and ends the process.

This module imports nothing that costs, so that `--version` answers in little more than the start of Python.
"""

from __future__ import annotations

import os
import sys

from openllm_repos import __version__

TYPE_CHECKING = False  # importing typing for its constant would cost more than all that is done here
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

_SURROUNDINGS = 30
_INTERRUPTED = 130
_PIPE_CLOSED = 141  # 128 + SIGPIPE: what a shell reports of git in the same place


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: the arguments without the program's name; by default those of the process.

    Returns:
        0 done, 1 differs, 2 usage or manifest, 3 conflict or refused, 30 environment or outcome unknown, 31 our bug,
        130 interrupted, 129, 131, 143 ended by SIGHUP, SIGQUIT, SIGTERM, 141 the reader of our output went away. No
        exception leaves this function.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    _open_closed_streams()
    try:
        code = _run(arguments)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except (OSError, MemoryError) as why:  # before a command had begun, or after it had ended
        code = _SURROUNDINGS
        _tell(str(why) or "There is not enough memory.")
    return _flushed(code)


def _tell(message: str) -> None:
    from contextlib import suppress

    with suppress(OSError):
        print(f"error: {message}", file=sys.stderr)


def _run(arguments: Sequence[str]) -> int:
    if arguments == ["--version"]:
        print(f"openllm-repos {__version__}")
        return 0
    import gc

    _print_whatever_comes()
    try:
        import fcntl  # noqa: F401 - locks and pipes need it
    except ImportError:
        print("error: openllm-repos runs on Linux, macOS and WSL.", file=sys.stderr)
        return _SURROUNDINGS
    collecting = gc.isenabled()
    gc.disable()  # a command keeps what it makes until it ends: searching that for cycles again and again costs a tenth
    try:
        from openllm_repos.cli.app import run

        if os.environ.get("GITHUB_ACTIONS") == "true":
            from openllm_repos.cli.actions_log import guarded_streams

            with guarded_streams():
                return run(arguments)
        return run(arguments)
    finally:
        if collecting:
            gc.enable()


def _flushed(code: int) -> int:
    """Write what is still to be written, and return the exit code: another one where 0 or 1 would say too much.

    What cannot be written is sent nowhere: Python would try once more when it ends, and end with a code of its own.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            code = code if code > 1 else _PIPE_CLOSED
            _abandon(stream)
        except (OSError, ValueError):
            code = code if code > 1 else _SURROUNDINGS
            _abandon(stream)
    return code


def _abandon(stream: TextIO) -> None:
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream without a file, of a program that runs us inside itself
        pass


def _open_closed_streams() -> None:
    """Give a process that was started without standard streams (``>&-``, some daemons) ones that lead nowhere.

    Otherwise the first file that anything opens would take the place of standard output.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - as long as we run


def _print_whatever_comes() -> None:
    """Let no text be too foreign for the streams: what their encoding lacks is written as an escape."""
    from contextlib import suppress

    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # A caller of `main` may have put something simpler there, or have begun to read.
        with suppress(AttributeError, OSError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
