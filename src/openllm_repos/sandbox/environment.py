"""The environment in which git, huggingface_hub and the tool reach the sandbox, and nothing else.

It is sealed, and fails closed. Nothing that a person's machine, shell or another sandbox configures comes along: no
configuration of git's, and no variable of git, the Hub's clients and GitHub. What a clone's own configuration may still
ask for (``url.*.insteadOf``, ``core.sshCommand``, a proxy) is refused: git speaks plain http only, ssh answers with a
sentence, and every other host lies behind a proxy that says no.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

# Variables of git, of the Hub's clients and of GitHub, by how their names begin; and others that git or they read.
SEALED_PREFIXES = ("GIT_", "HF_", "HUGGING", "GH_", "GITHUB_", "ACTIONS_")
SEALED_NAMES = ("SSH_ASKPASS", "TRANSFORMERS_OFFLINE")
# Where git's programs lie belongs to the git on PATH; it says nothing of hosts or repositories.
_KEPT = frozenset({"GIT_EXEC_PATH"})
_LOCAL = "127.0.0.1,localhost"

# git calls it with the host and the command for it behind these words.
_NO_SSH = (
    "echo 'The sandbox has no ssh, and lets nothing leave this machine: use https URLs, or a terminal without its"
    " variables.' >&2; exit 1;"
)


def unsealed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a sealed environment keeps of another one."""
    return {
        name: value
        for name, value in environ.items()
        if name in _KEPT or not (name in SEALED_NAMES or name.startswith(SEALED_PREFIXES))
    }


def seal(proxy: str, config: os.PathLike[str], settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the variables that close what `unsealed` leaves open.

    Args:
        proxy: the URL of what refuses every host but this machine.
        config: the global configuration of git.
        settings: of git, stronger than those of any repository.
    """
    values = {
        "GIT_CONFIG_GLOBAL": os.fspath(config),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "http",
        "GIT_SSH_COMMAND": _NO_SSH,
        "GIT_SSH_VARIANT": "ssh",
        "GIT_ASKPASS": "",
        "GIT_TERMINAL_PROMPT": "0",
    }
    last = (("http.proxy", proxy), *settings)
    for number, (key, value) in enumerate(last):
        values |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    values["GIT_CONFIG_COUNT"] = str(len(last))
    for name, value in (("http_proxy", proxy), ("https_proxy", proxy), ("all_proxy", proxy), ("no_proxy", _LOCAL)):
        values |= {name: value, name.upper(): value}  # programs read either
    return values


def unset_command() -> str:
    """Return the shell command that takes away what `unsealed` does, whatever a terminal has of it."""
    names = "|".join(f"{prefix}[A-Za-z0-9_]*" for prefix in SEALED_PREFIXES)
    return f"unset {' '.join(SEALED_NAMES)} $(env | sed -nE 's/^({names})=.*/\\1/p')"
