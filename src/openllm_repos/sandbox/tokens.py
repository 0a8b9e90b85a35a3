"""Who a token belongs to, and what it may do. These tokens open nothing but the sandbox."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

Role = Literal["write", "read", "fineGrained", "oidc"]


@dataclass(frozen=True, slots=True)
class Account:
    """What the host knows about the bearer of a token.

    Attributes:
        user: the user's name.
        role: of the token.
        organizations: namespaces that the user may write to, beside their own.
        readable: organizations in which the user may only read.
        repositories: what a token of limited reach may write to: ``ns/name``, ``spaces/ns/name``, ``datasets/ns/name``.
    """

    user: str
    role: Role
    organizations: tuple[str, ...] = ()
    repositories: frozenset[str] = frozenset()
    readable: tuple[str, ...] = ()

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces whose repositories belong to this user."""
        return (self.user, *self.organizations)


HUB_TOKENS = {
    "hf_write": Account("lemms", "write"),
    "hf_read": Account("lemms", "read"),
    "hf_other": Account("somebody-else", "write"),
    "hf_fine": Account("lemms", "fineGrained", repositories=frozenset({"spaces/lemms/openllm"})),
}
GITHUB_TOKENS = {"gh_write": Account("louischua", "write"), "gh_read": Account("louischua", "read")}


def presented(header: str) -> str | None:
    """Return the token in an ``Authorization`` header (Bearer, token, or the password of Basic), or None.

    Of Basic the password counts, and the user name where there is no password: git hands tokens over either way.
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() in {"bearer", "token"}:
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password or user
