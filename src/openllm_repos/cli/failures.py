"""How a failure is told: one sentence and the next step on standard error, and an exit code. Never a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import click

from openllm_repos import __version__
from openllm_repos.errors import EnvironmentProblem, ManifestError, ReposError, UsageError
from openllm_repos.hint import next_steps
from openllm_repos.interrupts import Interrupted, received
from openllm_repos.text import redact, show

VERBOSITY = "openllm_repos.verbosity"  # the key of it in click's context
BUG = 31
PIPE_CLOSED = 141  # 128 + SIGPIPE: what a shell reports of git in the same place


def guarded(work: Callable[[], Any]) -> int:
    """Do `work`; return its exit code (its answer where that is a number), or the code of the failure it ended in.

    The failure is told on standard error; where that cannot be written either, the code stays what it is. What fails
    after a signal fails because of it: its gits were ended, and a terminal that is closed takes no more text.
    """
    try:
        answer = work()
        sys.stdout.flush()
        if answer and (number := received()) is not None and answer != 128 + number:  # with that code it has been told
            raise Interrupted  # noqa: TRY301 - told as where the signal itself got this far
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, the person gets a sentence and a code
        if received() is not None and isinstance(error, ReposError | OSError):
            error = Interrupted()
        with contextlib.suppress(BaseException):
            _tell_end(error)
        return _code_of(error)
    return answer if isinstance(answer, int) else 0


def _code_of(error: BaseException) -> int:
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.Abort() if isinstance(error.__context__, EOFError):  # Ctrl-D: nobody answered
            return UsageError.exit_code
        case KeyboardInterrupt() | click.Abort():
            return 128 + _signal()
        case click.ClickException():
            # an exit code of its own that click chose (1 for a file that cannot be opened) would read as "differs"
            return UsageError.exit_code
        case ReposError():
            return error.exit_code
        case BrokenPipeError():
            return PIPE_CLOSED
        case OSError() | MemoryError():
            return EnvironmentProblem.exit_code
        case _:
            return BUG


def _signal() -> signal.Signals:
    return received() or signal.SIGINT


def _tell_end(error: BaseException) -> None:
    match error:
        case click.exceptions.Exit() | BrokenPipeError():
            pass
        case click.Abort() if isinstance(error.__context__, EOFError):
            _say("error", "The input ended before every question was answered; nothing was changed.")
        case KeyboardInterrupt() | click.Abort():
            number = _signal()
            _say("stopped", "Interrupted." if number is signal.SIGINT else f"Ended by {number.name}.")
        case click.ClickException():
            error.show()
            _report(error.format_message(), "")
        case ReposError():
            tell(error)
        case MemoryError():
            _tell_surroundings("There is not enough memory.", "End some programs, then run the same command again.")
        case OSError():
            # Whatever room forgot to say it better: the disk, a pipe, a permission. No bug of ours, and no traceback.
            where = f": {show(os.fsdecode(error.filename))}" if isinstance(error.filename, str | bytes) else ""
            from openllm_repos.files import remedy

            _tell_surroundings(f"{error.strerror or error}{where}.", remedy(error))
        case Exception():
            _tell_bug(error)


def _tell_surroundings(message: str, hint: str) -> None:
    _say("error", message)
    _advise(hint)
    _report(message, hint)


def tell(error: ReposError) -> None:
    """Print an expected failure: the sentence, each fault of a manifest on its own line, and the next step."""
    _say("error", error.message)
    if isinstance(error, ManifestError):
        for fault in error.faults:
            click.echo(f"  {redact(fault)}", err=True)
    _advise(error.hint)
    _report(error.message, error.hint, error)


def _report(message: str, hint: str, error: ReposError | None = None) -> None:
    """Tell GitHub Actions, where this is a step of a job."""
    if os.environ.get("GITHUB_ACTIONS") != "true":  # so that nothing is loaded for it anywhere else
        return
    from openllm_repos.cli.actions_reports import report_failure

    context = click.get_current_context(silent=True)
    report_failure(message, hint, error, command_name=(context and context.find_root().invoked_subcommand) or "")


def _advise(hint: str) -> None:
    for step in next_steps(hint):
        label, _, text = str(step).partition(": ")
        _say(label, text)


def _say(label: str, text: str) -> None:
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        label = click.style(label, fg="yellow" if label in {"next", "hint"} else "red", bold=True)
    click.echo(f"{label}: {redact(text)}", err=True)


def _tell_bug(error: Exception) -> None:
    import traceback

    trace = redact("".join(traceback.format_exception(error)))
    name = type(error).__name__
    first = (show(str(error)).strip().splitlines() or ["no message"])[0]
    _say("error", f"openllm-repos failed in a way it should not ({name}: {first}).")
    place = _write_report(trace)
    where = f"; the report is in {place}" if place else ""
    _advise(f"Please report this{where}. Nothing in it is sent anywhere by itself.")
    _report(f"openllm-repos failed in a way it should not ({name}: {first}).", "Please report this.")
    context = click.get_current_context(silent=True)
    if context is not None and context.meta.get(VERBOSITY, 0) > 0:
        click.echo(show(trace), err=True)


def _write_report(trace: str) -> str:
    """Write a report into the folder for temporary files and return its path, or "" where that cannot be written."""
    import platform
    import tempfile
    from importlib.metadata import PackageNotFoundError, version

    lines = [f"openllm-repos {__version__}", f"Python {platform.python_version()} on {platform.platform()}"]
    for package in ("click", "rich", "tomlkit", "GitPython"):
        with contextlib.suppress(PackageNotFoundError):
            lines.append(f"{package} {version(package)}")
    lines += ["", "arguments: " + redact(" ".join(sys.argv[1:])), "", trace]
    try:
        handle, place = tempfile.mkstemp(prefix="openllm-repos-report-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("\n".join(lines))
    except OSError:
        return ""
    return place
