"""git commands that talk to a host: with that host's credential, watched on the wire, and tried again by the policy.

git's exit code says that it failed, and only English says why. The HTTP that it spoke says it for machines: the last
status, ``Retry-After``, whether there was an answer at all. git writes that down itself (``GIT_TRACE_CURL``, headers
alone, credentials left out) into a file that has no name, so nothing of it outlives the command.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from openllm_repos.errors import Passing
from openllm_repos.git.process import Completed, DeadlineExceeded, Git, GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.git.watch import Monitor
from openllm_repos.names.url import identity_of
from openllm_repos.retry import passing_status

_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"  # made of that folder's certificates by update-ca-certificates
_HEADER = re.compile(rb"^[^\n]*?(=> Send|<= Recv) header:[ \t]?([^\r\n]*)\r?$", re.MULTILINE)
_REQUEST = re.compile(r"([A-Z]+) \S+ HTTP/[0-9.]+")
_STATUS = re.compile(r"HTTP/[0-9.]+ ([0-9]{3})(?: |$)")
_REFUSED = re.compile(rb"packet: +[a-z-]+< ERR ")
_LONGEST_TRACE = 4_000_000  # bytes that are read of it, from its end


@dataclass(slots=True)
class HostAnswer:
    """What came of the last HTTP exchange of a git command.

    Attributes:
        method: of the request; empty where none was sent: the host was not reached, or is not reached by HTTP.
        status: of the answer, 0 where there was none.
        headers: of the answer, by lower-case name.
        whole: whether its headers came to their end.
        attempted: whether HTTP was tried at all: a URL may lead to ssh or to a folder (url.*.insteadOf).
        git: whether any of its answers was one of git's own.
        refused: whether it said no in git's protocol, as to a commit by an id that it does not have.
    """

    method: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    whole: bool = False
    attempted: bool = False
    git: bool = False
    refused: bool = False

    @property
    def unreached(self) -> bool:
        """Whether HTTP was tried and nobody was there to speak with."""
        return self.attempted and not self.method

    @property
    def advertised(self) -> bool:
        """Whether the last that the host said was, whole, which refs it has: what failed then was not its doing."""
        return self.whole and self.headers.get("content-type", "").endswith("-advertisement")

    @property
    def foreign(self) -> bool:
        """Whether the host was content, but answered with nothing of git's, such as with a page to read."""
        return 200 <= self.status < 300 and not self.git

    @property
    def passing(self) -> Passing | None:
        """Why the failure of that command may pass by itself, None where it will not."""
        if not self.method or self.refused:
            return None
        if self.status < 200 or not self.whole:
            return Passing("the connection broke off")
        if self.status >= 400:
            return passing_status(self.status, self.headers)
        if self.headers.get("content-type", "").startswith("application/x-git-"):
            # It began as git speaks and git was not content: mostly an early end, but damaged objects look the same.
            return Passing("the answer ended early", tries=2)
        return None


class HostFailed(GitFailed):
    """A git command that talks to a host failed; `answer` is what that host said."""

    def __init__(self, verb: str, completed: Completed, answer: HostAnswer) -> None:
        super().__init__(verb, completed)
        self.answer = answer
        self.passing = answer.passing


def ask_host(
    repository: Repository,
    url: str,
    *args: str,
    git: Git | None = None,
    stdin: bytes | None = None,
    ok: Sequence[int] = (0,),
    deadline: float | None = None,
    settings: Sequence[str] = (),
) -> Completed:
    """Run a git command that reads from a host, again where that may help.

    Args:
        repository: the clone, which says with what hosts are reached, and how patient the run is.
        url: the remote.
        args: subcommand and arguments.
        git: on which repository; the clone itself by default.
        stdin: what it reads.
        ok: exit codes that are answers.
        deadline: seconds for each try.
        settings: configuration for this command alone.

    Raises:
        HostFailed: any other exit code.
        DeadlineExceeded: the host was silent for so long, twice.
    """

    def attempt() -> Completed:
        try:
            done, answer = speak(repository, url, *args, git=git, stdin=stdin, deadline=deadline, settings=settings)
        except DeadlineExceeded as late:
            late.passing = Passing("no answer in time", tries=1)
            raise
        if args[0] == "ls-remote" and done.code == 0 and not done.stdout and answer.method and not answer.git:
            answer.status = 200  # of a page, which to git is an answer without refs; it may have asked for HEAD since
            raise HostFailed(args[0], done, answer)
        if done.code not in ok:
            problem = (git or repository.git).failure(args[0], done)
            raise HostFailed(args[0], done, answer) if isinstance(problem, GitFailed) else problem
        return done

    return repository.retry.run(host_name(url), attempt)


def speak(
    repository: Repository,
    url: str,
    *args: str,
    git: Git | None = None,
    stdin: bytes | None = None,
    deadline: float | None = None,
    settings: Sequence[str] = (),
    hooks: bool = False,
) -> tuple[Completed, HostAnswer]:
    """Run a git command that talks to a host, once; return what it said, whatever that is, and what the host answered.

    Args: as :func:`ask_host`; with `hooks` the person's own hooks run.

    Raises:
        DeadlineExceeded: not finished in time.
    """
    with TemporaryFile() as trace, TemporaryFile() as packets:
        number, lines = trace.fileno(), packets.fileno()
        watch = {"GIT_TRACE_CURL": f"/dev/fd/{number}", "GIT_TRACE_CURL_NO_DATA": "1", "GIT_TRACE_REDACT": "1"}
        if args[0] == "fetch":
            watch["GIT_TRACE_PACKET"] = f"/dev/fd/{lines}"
        credential = repository.reach(url)
        if args[0] == "push" and credential:  # a host takes none without; an older git waits until it says so
            settings = (*settings, "http.proactiveAuth=basic")
        done = (git or repository.git).run(
            *args,
            stdin=stdin,
            ok=range(-255, 256),
            deadline=deadline,
            settings=settings,
            hooks=hooks,
            environment={**credential, **watch},
            monitor=Monitor((number, lines)),
        )
        answer = read_trace(_end(trace))
        answer.refused = _REFUSED.search(_end(packets)) is not None
        return done, answer


def quick_trust(url: str) -> tuple[str, ...]:
    """Return settings that make git trust the system's certificates from the bundle alone.

    Where curl uses GnuTLS (Debian, Ubuntu), every git over https otherwise reads each file of the system's folder of
    certificates as well: 0.1 s of processor time a remote, for the same certificates once more. This way fewer are
    trusted, never others; a remote that could not be reached so is asked again with all of them.
    """
    if url.startswith("https://") and Path(_BUNDLE).exists():
        return (f"http.sslCAPath={os.devnull}",)
    return ()


def host_name(url: str) -> str:
    """Return the host of a remote, for people."""
    return (identity_of(url) or "").partition("/")[0] or "the remote"


def _end(trace: IO[bytes]) -> bytes:
    size = trace.seek(0, 2)
    trace.seek(max(0, size - _LONGEST_TRACE))
    return trace.read()


def read_trace(trace: bytes) -> HostAnswer:
    """Return the last exchange that a trace of git's HTTP shows; one with a proxy alone is none with the host."""
    last, attempted, git = HostAnswer(), bool(trace), False
    for direction, raw in _HEADER.findall(trace):
        line = raw.decode("latin-1")
        if direction == b"=> Send":
            if begun := _REQUEST.match(line):
                last = HostAnswer(method=begun[1])
        elif begun := _STATUS.match(line):
            last.status, last.headers, last.whole = int(begun[1]), {}, False
        elif not line:
            last.whole = True
        else:
            name, _, value = line.partition(":")
            last.headers[name.strip().lower()] = value.strip()
            git = git or (name.lower() == "content-type" and value.strip().startswith("application/x-git-"))
    if last.method == "CONNECT" and last.status < 400:  # a proxy let us through, and there was nobody
        last = HostAnswer()
    last.attempted, last.git = attempted, git
    return last
