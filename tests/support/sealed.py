"""A sealed environment: a home made for the test, no configuration of the machine, no network but loopback."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openllm_repos.sandbox.environment import unsealed
from tests.support.process import run_git

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from openllm_repos.sandbox import Sandbox

NAME = "Test User"
EMAIL = "test@example.org"

# Variables that carry a person's own set-up into a program, beyond those that no sandbox lets in. Families by their
# prefix, others by name.
_DROPPED_FAMILIES = ("XDG_", "SSH_", "GPG_", "LC_", "OPENLLM_")
_DROPPED = frozenset(
    {"EMAIL", "EDITOR", "VISUAL", "PAGER", "LESS", "LANG", "LANGUAGE", "DISPLAY", "FORCE_COLOR", "CLICOLOR_FORCE"}
    | {"CI", "PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE", "LINES", "http_proxy", "https_proxy", "all_proxy", "no_proxy"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
)

# Nothing listens on port 9 of loopback: a program that tries to leave the machine is refused at once.
_NOWHERE = "http://127.0.0.1:9"

_CONFIG = f"""\
[user]
\tname = {NAME}
\temail = {EMAIL}
[init]
\tdefaultBranch = main
[advice]
\tdetachedHead = false
[core]
\tautocrlf = false
\tfsync = none
[gc]
\tauto = 0
[maintenance]
\tauto = false
[protocol "file"]
\tallow = always
[receive]
\tautogc = false
"""


@dataclass(frozen=True, slots=True)
class SealedHome:
    """The home of one test: `folder` is $HOME, `config` the global configuration file of git."""

    folder: Path
    config: Path

    def set(self, key: str, value: str) -> None:
        """Add a value to the global configuration."""
        run_git("config", "--file", self.config, "--add", key, value, cwd=self.folder)

    def instead_of(self, real: str, stand_in: str) -> None:
        """Send every URL that starts with `real` to the same place under `stand_in` (git's `url.*.insteadOf`)."""
        self.set(f"url.{stand_in}.insteadOf", real)


def seal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> SealedHome:
    """Make `folder` the home of everything that runs until `monkeypatch` is undone.

    Drops what the machine's environment says, and sets: HOME, XDG folders and a folder for temporary files, one global
    git configuration and no system one, UTC, the C locale in UTF-8, 80 columns, no colour, no prompts, no editor, no
    way out but loopback.
    """
    folder.mkdir(parents=True)
    config = folder / ".gitconfig"
    config.write_text(_CONFIG, encoding="utf-8")
    temporary = folder / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))  # where this process would put temporary files by now
    kept = unsealed(os.environ)
    for name in list(os.environ):
        if name not in kept or name in _DROPPED or name.startswith(_DROPPED_FAMILIES):
            monkeypatch.delenv(name)
    values = {
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "XDG_CONFIG_HOME": str(folder / ".config"),
        "XDG_CACHE_HOME": str(folder / ".cache"),
        "XDG_DATA_HOME": str(folder / ".local/share"),
        "XDG_STATE_HOME": str(folder / ".local/state"),
        "HF_HOME": str(folder / ".cache/huggingface"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file:http",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "false",
        "GIT_PAGER": "cat",
        "PAGER": "cat",
        "TMPDIR": str(temporary),
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "http_proxy": _NOWHERE,
        "https_proxy": _NOWHERE,
        "all_proxy": _NOWHERE,
        "no_proxy": "127.0.0.1,localhost",
    }
    if "PYTHONPATH" in os.environ:  # the tool is started from other folders than the tests
        values["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, os.environ["PYTHONPATH"].split(os.pathsep)))
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    read_hub_settings(monkeypatch)
    return SealedHome(folder, config)


def lead_to(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, *, hub: str | None = None) -> None:
    """Lead a sealed test to a sandbox, as a person who may write.

    The test keeps its own global configuration of git (`SealedHome.set`), and its folders are reached as remotes too.

    Args:
        sandbox: running.
        monkeypatch: takes it back.
        hub: what stands before the Hub.
    """
    for name, value in sandbox.environment().items():
        if name != "GIT_CONFIG_GLOBAL":
            monkeypatch.setenv(name, value.replace(sandbox.hub.url, hub or sandbox.hub.url))
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "http:file")
    read_hub_settings(monkeypatch)


def read_hub_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let huggingface_hub have the settings that a new process would read from the environment as it is now.

    It reads them once, when it is loaded: without this, one test would find the token and the cache of another's home.
    """
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is None:
        return
    spec = importlib.util.find_spec(constants.__name__)
    assert spec is not None
    assert spec.loader is not None
    read_now = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(read_now)
    for name, value in vars(read_now).items():
        if isinstance(value, str | bool | int | float | None) and not name.startswith("__"):
            monkeypatch.setattr(constants, name, value)
    functions = sys.modules.get("huggingface_hub.hf_api")
    if functions is not None:  # `huggingface_hub.whoami` and its like are methods of one client, made at the start
        monkeypatch.setattr(functions.api, "endpoint", constants.ENDPOINT)


class NetworkUsed(AssertionError):
    """A test tried to reach another machine."""


def _refuse_foreign(address: object) -> None:
    """Raise NetworkUsed unless `address` is a socket file or on loopback."""
    if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "::1", "localhost"}:
        message = f"a test tried to connect to {address[0]}; tests talk to loopback only"
        raise NetworkUsed(message)


def guard_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sockets of this process connect to loopback only, until `monkeypatch` is undone."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_foreign(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_foreign(address)
        return connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
