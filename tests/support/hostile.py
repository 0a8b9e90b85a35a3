"""Machines on which a program would leave the sandbox if it could: what people's configurations and shells say.

A `Watch` takes the place of all that could lead elsewhere: a proxy that writes down who asks it, and programs (ssh,
gpg, hooks, helpers, editors) that write down that they were started. Where nothing is written down, nothing left.
"""

from __future__ import annotations

import os
import shlex
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.support.process import run_git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

_HOOKS = (
    "pre-commit",
    "commit-msg",
    "prepare-commit-msg",
    "post-commit",
    "pre-push",
    "post-checkout",
    "pre-merge-commit",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Watch:
    """Writes down whoever leaves, while the `with` lasts.

    Args:
        folder: made; it holds the programs, and is the home of the person whose machine it is.

    Attributes:
        home: HOME of that person.
        proxy: the URL of a proxy that answers nobody.
        program: a program that writes down that it was started, and fails.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "started"
        self._connections: list[str] = []
        self.home = folder / "home"
        self.program = folder / "bin" / "ssh"
        for made in (self.home / ".config/git", self.program.parent, folder / "hooks", folder / "template/hooks"):
            made.mkdir(parents=True)
        log, name = shlex.quote(str(self._log)), '"$0 $*"'
        scripts = [self.program, *(folder / where / hook for where in ("hooks", "template/hooks") for hook in _HOOKS)]
        for script in scripts:
            script.write_text(f"#!/bin/sh\necho {name} >> {log}\nexit 1\n", encoding="utf-8")
            script.chmod(0o755)
        (folder / "more.gitconfig").write_text('[url "git@github.com:"]\n\tinsteadOf = https://github.com/\n')
        (folder / "attributes").write_text("* text eol=crlf\n")
        (folder / "ignored").write_text("*\n")
        self._folder = folder
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.proxy = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._connections.append(connection.recv(1000).decode("ascii", "replace").partition("\r\n")[0])

    def left(self) -> list[str]:
        """Return what was written down."""
        return [*self._connections, *(self._log.read_text().splitlines() if self._log.exists() else ())]

    def fill(self, text: str) -> str:
        """Return a text of `HOSTILE` with the places of this watch in it."""
        for place, what in (("{proxy}", self.proxy), ("{run}", str(self.program)), ("{at}", str(self._folder))):
            text = text.replace(place, what)
        return text

    def environment(self, hostile: Hostile) -> dict[str, str]:
        """Write the person's files, and return the environment of their shell."""
        (self.home / ".gitconfig").write_text(hostile.raw)
        for key, value in hostile.settings:
            run_git("config", "--file", self.home / ".gitconfig", "--add", key, self.fill(value), cwd=self.home)
        for path, text in hostile.files.items():
            place = self.home / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(self.fill(text))
        # as on any machine: no seal of the tests, and whoever leaves by https is seen by the proxy
        dropped = ("GIT_", "HF_", "XDG_")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        plain |= dict.fromkeys(_PROXIES, self.proxy)
        plain |= {"HOME": str(self.home), "PATH": f"{self.program.parent}{os.pathsep}{plain['PATH']}"}
        return plain | {name: self.fill(value) for name, value in hostile.variables.items()}


@dataclass(frozen=True, slots=True)
class Hostile:
    """One machine.

    Attributes:
        settings: of the person's `~/.gitconfig`.
        variables: of their shell.
        files: below their home.
        raw: how `~/.gitconfig` begins.
    """

    settings: tuple[tuple[str, str], ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    raw: str = ""

    def __or__(self, other: Hostile) -> Hostile:
        return Hostile(
            self.settings + other.settings,
            {**self.variables, **other.variables},
            {**self.files, **other.files},
            self.raw + other.raw,
        )


def _configured(*settings: tuple[str, str]) -> Hostile:
    return Hostile(settings)


def _shell(**variables: str) -> Hostile:
    return Hostile(variables=variables)


def _count(*settings: tuple[str, str]) -> dict[str, str]:
    rows = {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in enumerate(settings)}
    rows |= {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(settings)}
    return rows | {"GIT_CONFIG_COUNT": str(len(settings))}


_BY_SSH = ("url.git@github.com:.insteadOf", "https://github.com/")

SETTINGS: Mapping[str, Hostile] = {
    "pushes to GitHub by ssh": _configured(("url.git@github.com:.pushInsteadOf", "https://github.com/")),
    "GitHub by ssh": _configured(_BY_SSH),
    "GitHub by an ssh URL": _configured(("url.ssh://git@github.com/.insteadOf", "https://github.com/")),
    "one owner by ssh": _configured(("url.git@github.com:louischua/.insteadOf", "https://github.com/louischua/")),
    "the Hub by ssh": _configured(
        ("url.git@hf.co:.pushInsteadOf", "https://huggingface.co/"), ("url.git@hf.co:.insteadOf", "https://hf.co/")
    ),
    "another server": _configured(("url.http://git.example.org/.insteadOf", "https://github.com/")),
    "a mirror in a folder": _configured(("url.file:///srv/mirror/.insteadOf", "https://github.com/")),
    "a program as transport": _configured(
        ("url.ext::{run} .insteadOf", "https://github.com/"), ("protocol.ext.allow", "always")
    ),
    "every transport": _configured(("protocol.allow", "always"), ("protocol.ssh.allow", "always"), _BY_SSH),
    "an ssh of one's own": _configured(("core.sshCommand", "{run}"), ("ssh.variant", "simple"), _BY_SSH),
    "a proxy": _configured(("http.proxy", "{proxy}")),
    "a proxy for one host": _configured(
        ("http.https://github.com.proxy", "{proxy}"), ("http.http://127.0.0.1.proxy", "{proxy}")
    ),
    "a remote with a proxy": _configured(("remote.origin.proxy", "{proxy}")),
    "a remote that is pushed to elsewhere": _configured(("remote.origin.pushurl", "git@github.com:louischua/openllm")),
    "pushes to another remote": _configured(("remote.pushDefault", "mine"), ("remote.mine.url", "git@github.com:me/x")),
    "a helper for passwords": _configured(
        ("credential.helper", "!{run}"), ("credential.https://github.com.helper", "!{run}")
    ),
    "a program that asks for passwords": _configured(("core.askPass", "{run}")),
    "a header for every request": _configured(("http.extraHeader", "Authorization: Basic eDp5")),
    "hooks for every repository": _configured(("core.hooksPath", "{at}/hooks")),
    "hooks in the template": _configured(("init.templateDir", "{at}/template")),
    "signed commits and tags": _configured(
        ("commit.gpgSign", "true"),
        ("tag.gpgSign", "true"),
        ("tag.forceSignAnnotated", "true"),
        ("gpg.program", "{run}"),
    ),
    "ssh signatures": _configured(
        ("commit.gpgSign", "true"), ("tag.gpgSign", "true"), ("gpg.format", "ssh"), ("gpg.ssh.program", "{run}")
    ),
    "signed pushes": _configured(("push.gpgSign", "true"), ("gpg.program", "{run}")),
    "signatures wanted": _configured(("merge.verifySignatures", "true"), ("gpg.program", "{run}")),
    "another first branch": _configured(("init.defaultBranch", "trunk")),
    "line ends of Windows": _configured(("core.autocrlf", "true"), ("core.safecrlf", "true"), ("core.eol", "crlf")),
    "attributes for all files": _configured(("core.attributesFile", "{at}/attributes")),
    "every file ignored": _configured(("core.excludesFile", "{at}/ignored")),
    "a template for messages": _configured(("commit.template", "{at}/missing"), ("commit.cleanup", "scissors")),
    "messages in Latin-1": _configured(("i18n.commitEncoding", "ISO-8859-1"), ("i18n.logOutputEncoding", "UTF-16")),
    "pushes of nothing": _configured(("push.default", "nothing"), ("push.followTags", "true")),
    "options for every push": _configured(("push.pushOption", "ci.skip"), ("push.recurseSubmodules", "on-demand")),
    "fast-forwards alone": _configured(("merge.ff", "only"), ("pull.ff", "only"), ("pull.rebase", "true")),
    "another file for some folders": _configured(("includeIf.gitdir:/.path", "{at}/more.gitconfig")),
    "another file": _configured(("include.path", "{at}/more.gitconfig")),
    "a monitor of files": _configured(("core.fsmonitor", "{run}"), ("core.untrackedCache", "true")),
    "an editor and a pager": _configured(("core.editor", "{run}"), ("core.pager", "{run}"), ("pager.log", "true")),
    "nobody's name": _configured(("user.useConfigOnly", "true"), ("user.name", ""), ("user.email", "")),
    "no bare repository": _configured(("safe.bareRepository", "explicit"), ("http.followRedirects", "false")),
}
"""Settings of git that a person may have, for all repositories or for one."""

SHELLS: Mapping[str, Hostile] = {
    "a configuration that git cannot read": Hostile(raw="[url\n"),
    "a configuration in XDG's folder": Hostile(
        variables={"XDG_CONFIG_HOME": "{at}/home/.config"},
        files={
            ".config/git/config": '[url "git@github.com:"]\n\tinsteadOf = https://github.com/\n',
            ".config/git/ignore": "*\n",
            ".config/git/attributes": "* filter=none\n",
        },
    ),
    "a system's configuration": _shell(GIT_CONFIG_SYSTEM="{at}/more.gitconfig"),
    "another global configuration": _shell(GIT_CONFIG_GLOBAL="{at}/more.gitconfig"),
    "settings by number": Hostile(variables=_count(_BY_SSH, ("core.hooksPath", "{at}/hooks"))),
    "settings of git -c": _shell(GIT_CONFIG_PARAMETERS="'url.git@github.com:.insteadof'='https://github.com/'"),
    "a repository that is set": _shell(GIT_DIR="{at}/home", GIT_WORK_TREE="{at}", GIT_INDEX_FILE="{at}/index"),
    "objects that are elsewhere": _shell(
        GIT_OBJECT_DIRECTORY="{at}/objects",
        GIT_ALTERNATE_OBJECT_DIRECTORIES="{at}/other",
        GIT_COMMON_DIR="{at}",
        GIT_NAMESPACE="mine",
        GIT_SHALLOW_FILE="{at}/shallow",
        GIT_GRAFT_FILE="{at}/grafts",
        GIT_QUARANTINE_PATH="{at}/quarantine",
    ),
    "an ssh in the environment": _shell(GIT_SSH="{run}", GIT_SSH_COMMAND="{run}", GIT_PROXY_COMMAND="{run}"),
    "a program for passwords": _shell(GIT_ASKPASS="{run}", SSH_ASKPASS="{run}", GIT_TERMINAL_PROMPT="1"),
    "every transport is allowed": _shell(GIT_ALLOW_PROTOCOL="ext:ssh:file:https:http", GIT_PROTOCOL_FROM_USER="1"),
    "no transport is allowed": _shell(GIT_ALLOW_PROTOCOL=""),
    "a template folder": _shell(GIT_TEMPLATE_DIR="{at}/template", GIT_DEFAULT_HASH="sha256"),
    "another person and day": _shell(
        GIT_AUTHOR_NAME="", GIT_AUTHOR_DATE="no day", GIT_COMMITTER_DATE="no day", EMAIL="", GIT_COMMITTER_EMAIL=""
    ),
    "editors and diffs": _shell(
        GIT_EDITOR="{run}", GIT_SEQUENCE_EDITOR="{run}", EDITOR="{run}", GIT_EXTERNAL_DIFF="{run}", GIT_PAGER="{run}"
    ),
    "odd ways to read paths": _shell(GIT_LITERAL_PATHSPECS="1", GIT_ICASE_PATHSPECS="1", GIT_REPLACE_REF_BASE="refs/x"),
    "traces": _shell(GIT_TRACE="{at}/trace", GIT_TRACE2_EVENT="{at}/events", GIT_CURL_VERBOSE="1"),
    "no way round the proxy": _shell(no_proxy="", NO_PROXY=""),
    "everything round the proxy": _shell(no_proxy="*", NO_PROXY="*"),
    "a login in .netrc": Hostile(files={".netrc": "default login me password mine\n"}),
    "the Hub is offline": _shell(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1"),
    "another Hub": _shell(
        HF_ENDPOINT="{proxy}",
        HF_TOKEN="mine",
        HUGGING_FACE_HUB_TOKEN="mine",
        HF_TOKEN_PATH="{at}/token",
        HF_HOME="/dev/null/x",
        HF_HUB_CACHE="/dev/null/x",
        HUGGINGFACE_HUB_CACHE="/dev/null/x",
    ),
    "another GitHub": _shell(
        GITHUB_TOKEN="mine", GH_TOKEN="mine", GH_HOST="{proxy}", GITHUB_API_URL="{proxy}", GITHUB_SERVER_URL="{proxy}"
    ),
    "a job of GitHub Actions": _shell(
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY="{at}/missing/summary",
        GITHUB_OUTPUT="{at}/missing/output",
        GITHUB_WORKSPACE="{at}",
        HF_OIDC_RESOURCE="spaces/lemms/openllm",
        ACTIONS_ID_TOKEN_REQUEST_URL="{proxy}",
        ACTIONS_ID_TOKEN_REQUEST_TOKEN="mine",
    ),
}
"""What else a machine and a shell may say."""
