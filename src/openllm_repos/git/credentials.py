"""A token handed to git: by environment alone, for one remote command, and for no other host than its own.

git itself decides who gets it. It asks a credential helper only when a server wants a password, and only a helper that
is configured for that very scheme, host and port; after a redirect to another host it asks anew. The helper is a fixed
text that names a variable, so the token stands in no argument, URL, configuration file or log.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

_PASSWORD = "OPENLLM_REPOS_PASSWORD"  # noqa: S105 - the name of a variable
_USER = "OPENLLM_REPOS_USER"
# `printf` is built into every sh: it starts no process that would have the token among its arguments.
_HELPER = f"""!f() {{ test "$1" = get && printf 'username=%s\\npassword=%s\\n' "${_USER}" "${_PASSWORD}"; }}; f"""


@dataclass(frozen=True, slots=True)
class Credential:
    """A name and a token for one service.

    Attributes:
        hosts: where git may give it: ``scheme://host`` with the port where it is not the usual one.
        username: what the service wants to see beside a token.
        password: the token; it shows in no message.
    """

    hosts: tuple[str, ...]
    username: str
    password: str = field(repr=False)


class Access(Protocol):
    """Says with what a remote is reached."""

    def credential(self, url: str) -> Credential | None:
        """Return the credential for a remote; None leaves it to the person's own credential helpers."""

    def login(self, url: str) -> tuple[str, str]:
        """Return why a remote wants another login than it got, and the next step; empty where nothing is known."""

    def advice(self, url: str) -> str:
        """Return what a person should know of the token that was used, or not found, when a remote says no."""


def credential_environment(credential: Credential | None, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that let one git command use a credential.

    They come after what the person already has in ``GIT_CONFIG_COUNT``. For the credential's hosts other helpers are
    put aside, so that no stored password is sent first and nothing is stored; every other host keeps them.

    Args:
        credential: what to hand over; None changes nothing.
        environ: the environment that git gets otherwise (default: this process's own).
    """
    if credential is None:
        return {}
    own = os.environ if environ is None else environ
    counted = own.get("GIT_CONFIG_COUNT", "")
    number = int(counted) if counted.isdecimal() else 0
    made = {_USER: credential.username, _PASSWORD: credential.password}
    for host in credential.hosts:
        for value in ("", _HELPER):
            made[f"GIT_CONFIG_KEY_{number}"] = f"credential.{host}.helper"
            made[f"GIT_CONFIG_VALUE_{number}"] = value
            number += 1
    return made | {"GIT_CONFIG_COUNT": str(number)}
