"""The one place that starts a git; nothing else is started, but for the shell of :mod:`openllm_repos.git.children`."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git import children
from openllm_repos.git.child import Child
from openllm_repos.git.environment import CONFIGURATION, git_environment
from openllm_repos.git.progress import OnProgress, ProgressFilter
from openllm_repos.git.watch import UNMONITORED, Monitor, Watch
from openllm_repos.git.watch import DeadlineExceeded as DeadlineExceeded  # noqa: PLC0414  # also for those that import it from here
from openllm_repos.interrupts import check, deferred
from openllm_repos.text import redact

PIPE_BYTES = 1 << 20
_PROBE = 20.0  # seconds for a question about a failure
NO_HOOKS = f"core.hooksPath={os.devnull}"


@dataclass(frozen=True, slots=True)
class Completed:
    """What a finished git said: its exit code and its raw streams."""

    code: int
    stdout: bytes
    stderr: bytes

    def lines(self) -> list[str]:
        """Return standard output as lines of text (undecodable bytes survive as surrogates)."""
        text = self.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")
        return text.split("\n") if text else []  # str.splitlines would also cut at what names may hold (U+0085, ...)

    @property
    def said(self) -> str:
        """Standard error as one redacted text, for showing only."""
        return redact(self.stderr.decode("utf-8", "replace")).strip()


class GitFailed(EnvironmentProblem):
    """git ended with an exit code that the caller did not expect.

    Args:
        verb: the subcommand that was run.
        completed: what it said.
    """

    def __init__(self, verb: str, completed: Completed) -> None:
        self.verb = verb
        self.completed = completed
        said = completed.said or f"exit code {completed.code}, no message"
        super().__init__(f"git {verb} failed: {said}")


@functools.cache
def program() -> str:
    """Return the absolute path of git, looked up once on PATH.

    Raises:
        EnvironmentProblem: there is none.
    """
    for folder in os.get_exec_path():  # shutil.which does the same, but shutil loads every archive format
        found = Path(folder, "git").absolute()
        if os.access(found, os.X_OK) and found.is_file():
            return str(found)
    raise EnvironmentProblem(
        "git is not installed, or not on PATH.", hint="Install git 2.38 or newer, then run this again."
    )


@dataclass(frozen=True, slots=True)
class Git:
    """How git is started on one repository.

    Attributes:
        git_dir: the repository's git folder, or None to let git look for one from `folder`.
        folder: where git runs. For the engine's own calls this is the git folder itself, so that no file of a work
            tree (``.gitattributes``, say) has a say in the answer.
        extra: environment on top of our own, such as a quarantine for objects.
        on_progress: gets the progress of the commands that are run with ``--progress``; it is no part of what git said.
    """

    git_dir: Path | None
    folder: Path
    extra: Mapping[str, str] = field(hash=False)
    on_progress: OnProgress | None = None

    def run(
        self,
        *args: str,
        stdin: bytes | IO[bytes] | None = None,
        ok: Sequence[int] = (0,),
        deadline: float | None = None,
        hooks: bool = False,
        settings: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        monitor: Monitor = UNMONITORED,
    ) -> Completed:
        """Run one git command to its end.

        Args:
            args: subcommand and arguments; the caller puts ``--`` before names.
            stdin: bytes or an open file to read; nothing by default.
            ok: exit codes that are answers rather than failures.
            deadline: seconds until git and all it started are stopped.
            hooks: whether the person's own hooks may run (only pushes want that).
            settings: configuration for this command alone, ``key=value``.
            environment: variables for this command alone, such as a credential; never told in messages.
            monitor: watches it for the caller.

        Raises:
            GitFailed: any other exit code.
            DeadlineExceeded: not finished in time.
        """
        with self.popen(
            *args,
            stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
            deadline=deadline,
            hooks=hooks,
            settings=settings,
            environment=environment,
            monitor=monitor,
        ) as child:
            if isinstance(stdin, bytes):
                child.send(stdin, last=True)
            out = child.read()
            completed = Completed(child.wait(), out, child.stderr)
        if completed.code not in ok:
            raise self.failure(args[0], completed)
        return completed

    def failure(self, verb: str, completed: Completed) -> EnvironmentProblem:
        """Return what to raise where git failed: what is wrong on this machine, or else that it failed."""
        from openllm_repos.git.diagnosis import local_problem

        def probe(*args: str) -> tuple[int, str]:
            try:
                done = self.run(*args, ok=range(-255, 256), deadline=_PROBE)
            except DeadlineExceeded:
                return 0, ""
            return done.code, done.said

        return local_problem(verb, self.git_dir, self.extra, probe) or GitFailed(verb, completed)

    def text(self, *args: str, ok: Sequence[int] = (0,)) -> str:
        """Run one git command and return its standard output without the line end."""
        return self.run(*args, ok=ok).stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def stream(self, *args: str, settings: Sequence[str] = ()) -> Generator[bytes, None, None]:
        """Run one git command and yield its lines (ends included) while it works.

        Raises:
            GitFailed: after the last line, if the exit code is not 0: what was yielded is not all there is.
        """
        with self.popen(*args, settings=settings) as child:
            yield from child.reader()
            if child.wait() != 0:
                raise self.failure(args[0], Completed(child.wait(), b"", child.stderr))

    @contextlib.contextmanager
    def popen(
        self,
        *args: str,
        stdin: IO[bytes] | int | None = None,
        deadline: float | None = None,
        hooks: bool = False,
        settings: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        monitor: Monitor = UNMONITORED,
    ) -> Iterator[Child]:
        """Start one git command; on leaving, it and all it started are gone.

        git gets a session of its own: it has no terminal to ask at (a password question would hang a status of many
        remotes), and one signal ends its transport helpers with it.

        Args:
            args: as for :meth:`run`, like those below.
            stdin: an open file, or PIPE for what will be sent; nothing by default.
            deadline: see :meth:`run`.
            hooks: see :meth:`run`.
            settings: see :meth:`run`.
            environment: see :meth:`run`.
            monitor: see :meth:`run`.
        """
        options = [] if hooks else ["-c", NO_HOOKS]
        for setting in (*CONFIGURATION, *settings):
            options += ["-c", setting]
        env = {**git_environment(), **self.extra, **(environment or {})}
        if self.git_dir is not None:
            env["GIT_DIR"] = str(self.git_dir)
        with contextlib.ExitStack() as stack:
            with deferred():
                check()
                process = subprocess.Popen(
                    [program(), *options, *args],
                    bufsize=0,
                    cwd=self.folder,
                    env=env,
                    stdin=subprocess.DEVNULL if stdin is None else stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    pass_fds=monitor.files,
                )
                for pipe in (process.stdin, process.stdout):
                    _widen(pipe)
                watch = Watch(args[0], process.pid, deadline=deadline, patient=hooks, look=monitor.look)
                shown = self.on_progress if "--progress" in args else None
                child = Child(process, watch, None if shown is None else ProgressFilter(shown))
                stack.callback(lambda: children.end(process, finished=child.finished))
                children.started(process)
            check()
            yield child


def _widen(pipe: IO[bytes] | None) -> None:
    """Let git run ahead of us: on Linux a pipe can hold a megabyte instead of 64 KiB. Elsewhere it stays as it is."""
    if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # a container may refuse it, and each person may have so much of it
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
