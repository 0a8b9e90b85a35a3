"""Canary tokens: sent out with everything that runs, and then looked for wherever no token may ever be.

The tool and git get tokens that exist nowhere else, of a form that no redaction knows. What the tool starts is written
down: the arguments of every git and of every process that git itself starts (its own trace), and, by a thread that
looks again and again, of every process on the machine. Files, objects, outputs and logs are searched afterwards.

A search that finds nothing proves little by itself. So the environments that git was given are written down as well,
and the same search must find the canaries there.
"""

from __future__ import annotations

import base64
import os
import secrets
import shlex
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from openllm_repos.sandbox.tokens import Account
from tests.support.process import REAL_GIT, run_git

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from openllm_repos.sandbox import Sandbox
    from tests.support.process import Result

# Made anew in each process: every process of the machine is looked at, those of other test runs too.
HUB, GITHUB = f"canaryHub{secrets.token_hex(6)}", f"canaryGit{secrets.token_hex(6)}"
_TOKENS = {"the Hub's token": HUB, "GitHub's token": GITHUB}
_PAUSE = 0.02  # seconds; what git starts is known from its trace, this finds the rest

# Stands before git on the PATH: writes down its arguments and its environment, and asks git to tell of its children.
_SCRIPT = """\
#!/bin/sh
here={here}
printf '%s\\n' "$*" >> "$here/arguments"
cat /proc/$$/environ >> "$here/environments"
printf '\\n' >> "$here/environments"
GIT_TRACE2_EVENT="$here/children" GIT_TRACE2_EVENT_NESTING=10 GIT_TRACE_REDACT=0 exec {git} "$@"
"""


class Canary:
    """Watches for two tokens while the `with` lasts.

    Args:
        folder: for what is written down; nothing of it may be searched by anybody else.
        sandbox: takes the two tokens as those of its writers.

    Attributes:
        environment: what the tool must be run with, over the sandbox's own environment.
    """

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self._folder = folder
        self._sandbox = sandbox
        folder.mkdir(parents=True)
        script = folder / "git"
        script.write_text(_SCRIPT.format(here=shlex.quote(str(folder)), git=shlex.quote(REAL_GIT)), encoding="utf-8")
        script.chmod(0o755)
        for name in ("arguments", "environments", "children"):
            (folder / name).touch()
        sandbox.hub.accounts[HUB] = Account("lemms", "write")
        sandbox.github.accounts[GITHUB] = Account("louischua", "write")
        self.environment = {
            "HF_TOKEN": HUB,
            "GITHUB_TOKEN": GITHUB,
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        }
        self._seen: set[bytes] = set()
        self._holders: set[str] = set()
        self._looks = 0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join()

    def _watch(self) -> None:
        """Look at the arguments of every process, and at what those of ours that have a token are called."""
        others = set(os.listdir("/proc"))  # what ran before is looked at once
        while not self._closing.is_set():
            for entry in os.scandir("/proc"):
                if not entry.name.isdecimal() or (self._looks and entry.name in others):
                    continue
                with suppress(OSError):
                    arguments = Path(entry.path, "cmdline").read_bytes()
                    self._seen.add(arguments)
                    if int(entry.name) != os.getpid() and HUB.encode() in Path(entry.path, "environ").read_bytes():
                        self._holders.add(os.fsdecode(arguments.split(b"\0")[0]))
            self._looks += 1
            time.sleep(_PAUSE)

    def given_to_git(self, more: Mapping[str, str] | None = None) -> list[str]:
        """Return the names of the tokens in the environments that git was given: what the search finds there."""
        return sorted(_found((self._folder / "environments").read_bytes(), _TOKENS | dict(more or {})))

    def holders(self) -> set[str]:
        """Return the programs that were seen with a token in their environment."""
        return set(self._holders)

    def leaks(self, *places: Path, said: Sequence[Result] = (), more: Mapping[str, str] | None = None) -> list[str]:
        """Return where a token stands that should not: nowhere, it is to be hoped.

        Args:
            places: folders and files to search; in a git repository, the content of its objects too.
            said: what programs printed.
            more: further tokens to look for, by what to call them.

        Raises:
            AssertionError: the watch did not work, so that finding nothing means nothing.
        """
        assert self._looks > 1, "nobody looked at the processes"
        assert (self._folder / "arguments").stat().st_size, "git was not seen to run"
        assert b"child_start" in (self._folder / "children").read_bytes(), "git did not tell of its children"
        assert self._seen, "no process was seen"
        tokens = _TOKENS | dict(more or {})
        found = [f"{name} in the arguments of a process" for name in _found(b"\n".join(self._seen), tokens)]
        for file in ("arguments", "children"):
            found += [f"{name} in the {file} of git" for name in _found((self._folder / file).read_bytes(), tokens)]
        for number, result in enumerate(said):
            found += [f"{name} in output {number}" for name in _found(result.out_bytes + result.err_bytes, tokens)]
        for place in places:
            found += [f"{name} in {where}" for where, content in _contents(place) for name in _found(content, tokens)]
        log = repr([*self._sandbox.hub.log, *self._sandbox.github.log]).encode()
        return found + [f"{name} in the log of the sandbox" for name in _found(log, tokens)]


def _forms(token: str) -> Iterator[bytes]:
    """Yield the ways in which a token may stand somewhere: plain, and as HTTP's Basic and URLs have it."""
    yield token.encode()
    yield quote(token, safe="").encode()
    for before in range(3):  # where it begins within the three bytes that Base64 takes at a time
        inner = base64.b64encode(b"x" * before + token.encode())
        yield inner[4 if before else 0 : len(inner) - 4]


def _found(content: bytes, tokens: Mapping[str, str]) -> list[str]:
    """Return the names of the tokens that stand in `content`."""
    return [name for name, token in tokens.items() if any(form in content for form in _forms(token))]


def _contents(place: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below a place, and of repositories what their objects hold."""
    if place.is_file():
        yield str(place), place.read_bytes()
    for folder, _, files in os.walk(place):
        for name in files:
            path = Path(folder, name)
            with suppress(FileNotFoundError):  # git sweeps up behind itself
                yield str(path), path.read_bytes()
        if {"HEAD", "objects"} <= set(os.listdir(folder)):
            asked = ("cat-file", "--batch-all-objects", "--batch", "--unordered")
            yield f"the objects of {folder}", run_git(*asked, cwd=folder).out_bytes
