"""Trusted publishers: a CI job's id token exchanged for an hour of write access to one repository.

An id token is made here in place of GitHub's own issuer. Its claims are compared exactly; its signature is not looked
at.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openllm_repos.sandbox.exchange import Answer, say
from openllm_repos.sandbox.tokens import Account

_ISSUER = "https://token.actions.githubusercontent.com"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who may publish where: the claims that an id token must carry, and the resource that it opens."""

    resource: str
    claims: Mapping[str, str]


def id_token(claims: Mapping[str, object], audience: str) -> str:
    """Return an id token as a CI provider mints it, without a signature."""
    return ".".join((_pack({"alg": "none"}), _pack({**claims, "aud": audience, "iss": _ISSUER}), "unsigned"))


def pack_claims(claims: Mapping[str, object]) -> str:
    """Return claims as they travel in a URL of the sandbox's own issuer."""
    return _pack(claims)


def mint(packed: str, audience: str) -> Answer:
    """Answer a job's question for its id token."""
    return say({"value": id_token(_unpack(packed), audience)})


def exchange(
    publishers: list[Publisher], accounts: dict[str, Account], asked: Mapping[str, Any], audience: str
) -> Answer:
    """Answer the exchange of an id token for a Hub token.

    Args:
        publishers: who is trusted.
        accounts: where the new token is added.
        asked: ``subject_token`` and ``resource``.
        audience: that the id token must be made for: the Hub's URL.
    """
    try:
        claims = _unpack(str(asked["subject_token"]).split(".")[1])
    except (KeyError, IndexError, ValueError):
        return say({"error": "invalid_request", "error_description": "malformed subject_token"}, 400)
    resource = str(asked.get("resource", ""))
    trusted = any(
        one.resource == resource and all(claims.get(key) == value for key, value in one.claims.items())
        for one in publishers
    )
    if not trusted or claims.get("aud") != audience:
        return say({"error": "invalid_grant", "error_description": "no trusted publisher matches the id token"}, 400)
    token = f"hf_jwt_{secrets.token_hex(16)}"
    accounts[token] = Account("[OIDC]", "oidc", repositories=frozenset({resource}))
    kind = "urn:ietf:params:oauth:token-type:access_token"
    return say({"access_token": token, "token_type": "bearer", "expires_in": 3600, "issued_token_type": kind})


def _pack(value: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unpack(text: str) -> dict[str, Any]:
    found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(found, dict):
        raise ValueError("an id token holds an object")  # noqa: TRY004 - the text is wrong, not a type of ours
    return found
