"""Starting and stopping the two hosts, and the environment that leads to them."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from openllm_repos.errors import EnvironmentProblem, ReposError
from openllm_repos.git.process import Git
from openllm_repos.sandbox import control, environment, github_rest, hub_rest, transport
from openllm_repos.sandbox.exchange import Answer, Request
from openllm_repos.sandbox.github import GitHub
from openllm_repos.sandbox.hub import Hub
from openllm_repos.sandbox.program import Program
from openllm_repos.sandbox.server import Listener

# Of every git that finds the sandbox, beside what seals it. A person may add to it: `git config --global` writes there.
_CONFIGURATION = f"""\
[init]
\tdefaultBranch = main
\ttemplateDir =
[core]
\texcludesFile = {os.devnull}
\tattributesFile = {os.devnull}
"""


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
        self._git = Program(program, self.root / "home")
        transport.install_hook(self._git)
        self.hub = Hub(self.root / "hub", self._git)
        self.github = GitHub(self.root / "github", self._git)
        self._home = self.root / "person"
        self._home.mkdir(exist_ok=True)
        self._config = self._home / ".gitconfig"
        if not self._config.exists():
            self._config.write_text(_CONFIGURATION, encoding="utf-8")
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

    def environment(
        self,
        token: str = "hf_write",  # noqa: S107
        github_token: str = "gh_write",  # noqa: S107
        *,
        plain_git: bool = False,
    ) -> dict[str, str]:
        """Return the variables with which git, huggingface_hub and the tool find the sandbox behind the real URLs.

        They belong over an environment without any other of their kind: `sealed` returns a whole one.

        Args:
            token: for the Hub; empty for none.
            github_token: for GitHub; empty for none.
            plain_git: whether a git that a person starts shall find these tokens too, instead of asking for them.
        """
        leads = (
            (self.hub, ("https://huggingface.co/", "https://hf.co/", "git@hf.co:", "ssh://git@hf.co/")),
            (self.github, ("https://github.com/", "git@github.com:", "ssh://git@github.com/")),
        )
        settings = [(f"url.{site.url}/.insteadOf", start) for site, starts in leads for start in starts]
        if plain_git:
            settings.append(("credential.helper", ""))  # forgets those of a clone
            for site, variable in ((self.hub, "HF_TOKEN"), (self.github, "GITHUB_TOKEN")):
                helper = f'!f() {{ echo username=x; echo "password=${variable}"; }}; f'
                settings.append((f"credential.{site.url}.helper", helper))
        return {
            **environment.seal(self.hub.url, self._config, settings),
            "HF_ENDPOINT": self.hub.url,
            "HF_HOME": str(self._home / "huggingface"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "GITHUB_SERVER_URL": self.github.url,
            "GITHUB_API_URL": f"{self.github.url}/api/v3",
            **({"HF_TOKEN": token} if token else {}),
            **({"GITHUB_TOKEN": github_token} if github_token else {}),
        }

    def sealed(self, *, plain_git: bool = False) -> dict[str, str]:
        """Return this process's environment as a program must have it that may reach the sandbox and nothing else."""
        return environment.unsealed(os.environ) | self.environment(plain_git=plain_git)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Let all that this process does and starts find the sandbox and nothing else, for a while."""
        before = dict(os.environ)
        # GitPython looks into the home folder by itself, and curl for a .netrc.
        inside = self.sealed() | {"HOME": str(self._home), "XDG_CONFIG_HOME": str(self._home / ".config")}
        os.environ.clear()
        os.environ.update(inside)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def copy_identity(self) -> None:
        """Let a person commit here under the name and e-mail address that their git knows; no more of it is copied."""
        mine = Git(None, self.root, {})  # as it is outside of the seal
        try:
            found = mine.run(
                "config", "-z", "--includes", "--global", "--get-regexp", r"^user\.(name|email)$", ok=(0, 1)
            )
        except ReposError:
            return  # a configuration that cannot be read: git says what is missing when it is needed
        for entry in found.stdout.decode("utf-8", "surrogateescape").split("\0"):
            key, newline, value = entry.partition("\n")
            if newline:
                self._git.run(self.root, "config", "--file", str(self._config), key, value)


def _hub(hub: Hub, request: Request) -> Answer:
    pushed = functools.partial(hub_rest.pushed, hub)
    return control.answer(hub, request) or transport.answer(hub, request, pushed) or hub_rest.answer(hub, request)


def _github(github: GitHub, request: Request) -> Answer:
    found = control.answer(github, request) or transport.answer(github, request, lambda _: None)
    return found or github_rest.answer(github, request)
