"""Who am I, and tokens for CI: calls about people."""

from __future__ import annotations

import hashlib
from typing import Any

from openllm_repos.sandbox.cards import problems
from openllm_repos.sandbox.exchange import Answer, Refused, Request, say
from openllm_repos.sandbox.hub import Hub
from openllm_repos.sandbox.publishers import exchange
from openllm_repos.sandbox.tokens import Account

_KINDS = {"spaces": "space", "datasets": "dataset"}


def whoami(hub: Hub, request: Request) -> Answer:
    """Answer who a token belongs to and what role it has.

    Raises:
        Refused: there is none, or it is not known (401).
    """
    account = hub.account(request)
    if account is None:
        raise Refused(401, "Invalid username or password.")
    token: dict[str, Any] = {"displayName": "sandbox", "role": account.role, "createdAt": "2026-01-01T00:00:00.000Z"}
    if account.role == "fineGrained":
        token["fineGrained"] = _reach(account)
    return say(
        {
            "type": "user",
            "id": hashlib.sha256(account.user.encode()).hexdigest()[:24],
            "name": account.user,
            "fullname": account.user,
            "isPro": False,
            "canPay": False,
            "orgs": [
                {"type": "org", "name": name, "roleInOrg": "write" if name in account.organizations else "read"}
                for name in (*account.organizations, *account.readable)
            ],
            "auth": {"type": "access_token", "accessToken": token},
        }
    )


def _reach(account: Account) -> dict[str, Any]:
    scoped = []
    for resource in sorted(account.repositories):
        head, _, rest = resource.partition("/")
        entity = {"type": _KINDS.get(head, "model"), "name": rest if head in _KINDS else resource}
        scoped.append({"entity": entity, "permissions": ["repo.content.read", "repo.write"]})
    return {"canReadGatedRepos": False, "global": [], "scoped": scoped}


def token(hub: Hub, request: Request) -> Answer:
    """Answer the exchange of a CI job's id token."""
    return exchange(hub.publishers, hub.accounts, request.fields(), hub.url)


def validate_yaml(hub: Hub, request: Request) -> Answer:
    """Judge the front matter of a README that somebody means to upload."""
    del hub
    asked = request.fields()
    found = problems(str(asked.get("content", "")), str(asked.get("repoType") or "model"))
    said = {
        "errors": [{"message": error} for error in found.errors],
        "warnings": [{"message": warning} for warning in found.warnings],
    }
    return say(said, 400 if found.errors else 200)
