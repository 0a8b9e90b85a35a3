"""Starting and stopping the two hosts, and the environment that leads to them."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.sandbox import control, github_rest, hub_rest, transport
from openllm_repos.sandbox.exchange import Answer, Request
from openllm_repos.sandbox.github import GitHub
from openllm_repos.sandbox.hub import Hub
from openllm_repos.sandbox.program import Program
from openllm_repos.sandbox.server import Listener

_PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")


class Sandbox:
    """A GitHub and a Hub on this machine, served while the `with` lasts.

    Args:
        root: folder of the repositories; made if it is not there, and used again if it is.
        git: the git to run; the one on PATH by default.
        ports: of the Hub and of GitHub; 0 for any that is free.

    Attributes:
        hub: the Hub.
        github: GitHub.

    Raises:
        EnvironmentProblem: git is not installed, or a port is taken.
    """

    def __init__(self, root: Path, *, git: str | None = None, ports: tuple[int, int] = (0, 0)) -> None:
        program = git or shutil.which("git")
        if program is None:
            raise EnvironmentProblem("git is not installed, or not on PATH.", hint="Install git 2.38 or newer.")
        self.root = root.absolute()
        runner = Program(program, self.root / "home")
        transport.install_hook(runner)
        self.hub = Hub(self.root / "hub", runner)
        self.github = GitHub(self.root / "github", runner)
        self._ports = ports
        self._running = contextlib.ExitStack()

    def __enter__(self) -> Self:
        routes = (functools.partial(_hub, self.hub), functools.partial(_github, self.github))
        for site, route, port in zip((self.hub, self.github), routes, self._ports, strict=True):
            try:
                self._running.callback(Listener(site, route, port).close)
            except OSError as error:
                self._running.close()
                raise EnvironmentProblem(
                    f"Port {port} cannot be used: {error.strerror}.", hint="Name another."
                ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def mishaps(self) -> list[str]:
        """Faults of the sandbox itself so far: requests that it could not answer for want of code or luck."""
        return [*self.hub.mishaps, *self.github.mishaps]

    def environment(self, token: str = "hf_write", github_token: str = "gh_write") -> dict[str, str]:  # noqa: S107
        """Return the environment in which git, huggingface_hub and the tool find the sandbox behind the real URLs.

        Args:
            token: for the Hub; empty for none.
            github_token: for GitHub; empty for none.
        """
        leads = (
            (self.hub, ("https://huggingface.co/", "https://hf.co/", "git@hf.co:")),
            (self.github, ("https://github.com/", "git@github.com:")),
        )
        settings = [(f"url.{site.url}/.insteadOf", start) for site, starts in leads for start in starts]
        first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)  # what is there already stays
        values = {
            "HF_ENDPOINT": self.hub.url,
            "HF_TOKEN": token,
            "GITHUB_TOKEN": github_token,
            "GITHUB_SERVER_URL": self.github.url,
            "GITHUB_API_URL": f"{self.github.url}/api/v3",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "GIT_ALLOW_PROTOCOL": "https:ssh:file:http",
            "GIT_CONFIG_COUNT": str(first + len(settings)),
        }
        if any(os.environ.get(name) for name in _PROXIES):
            known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
            values["no_proxy"] = values["NO_PROXY"] = ",".join(filter(None, (known, "127.0.0.1,localhost")))
        for number, (key, value) in enumerate(settings, first):
            values |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return {name: value for name, value in values.items() if value}


def _hub(hub: Hub, request: Request) -> Answer:
    pushed = functools.partial(hub_rest.pushed, hub)
    return control.answer(hub, request) or transport.answer(hub, request, pushed) or hub_rest.answer(hub, request)


def _github(github: GitHub, request: Request) -> Answer:
    found = control.answer(github, request) or transport.answer(github, request, lambda _: None)
    return found or github_rest.answer(github, request)
