"""The shell's way to the sandbox: what `Hub` and `GitHub` offer to Python, as requests below ``/_sandbox/``.

======================================= =============================================================================
POST /_sandbox/fault                    the arguments of `Site.fault`, except `before`; ``{"clear": true}`` forgets all
POST /_sandbox/repo                     kind, id, private, gated, sdk; rules of a GitHub repository
POST /_sandbox/build                    id, stage, log, asks: see `Hub.build`; with ``"now": true`` see `Hub.stage`
POST /_sandbox/trust                    resource, claims: see `Hub.trust`
POST /_sandbox/account                  free: whether Spaces cost, see `Hub.free_account`
GET  /_sandbox/log                      the requests so far
GET  /_sandbox/oidc/<claims>?audience=  an id token, as a CI provider mints it
======================================= =============================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from openllm_repos.sandbox.exchange import Answer, Refused, Request, say
from openllm_repos.sandbox.github import GitHub
from openllm_repos.sandbox.hub import Hub
from openllm_repos.sandbox.lfs import follow
from openllm_repos.sandbox.publishers import mint
from openllm_repos.sandbox.site import Site

_FAULT = frozenset(
    {
        *("match", "status", "message", "code", "headers", "count", "skip", "delay", "cut", "reset", "lose_answer"),
        *("truncate", "body", "huge", "pace"),
    }
)


def answer(site: Site, request: Request) -> Answer | None:
    """Answer a control, or a link to a large file; None where the path is neither.

    Raises:
        Refused: it makes no sense (400, 404, 409).
    """
    if request.path.startswith("/_lfs/"):
        return follow(site, request)
    if not request.path.startswith("/_sandbox/"):
        return None
    what, _, rest = request.path.removeprefix("/_sandbox/").partition("/")
    if (request.method, what) == ("GET", "log"):
        return say([asdict(seen) for seen in site.log])
    if (request.method, what) == ("GET", "oidc"):
        return mint(rest, request.asked("audience"))
    if request.method != "POST":
        raise Refused(404, f"There is no {request.method} {request.path} here.")
    try:
        return say(_change(site, what, request.fields()))
    except FileExistsError as error:
        raise Refused(409, str(error)) from None
    except (KeyError, TypeError, ValueError, FileNotFoundError) as error:
        raise Refused(400, f"{type(error).__name__}: {error}") from None


def _change(site: Site, what: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    if what == "fault":
        if asked.get("clear"):
            site.faults.clear()
            return {}
        unknown = asked.keys() - _FAULT
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        site.fault(**asked)
    elif what == "repo":
        return _make(site, dict(asked))
    elif what == "build" and isinstance(site, Hub):
        if asked.get("now"):
            site.stage(asked["id"], asked["stage"])
        else:
            site.build(asked["id"], stage=asked.get("stage", ""), log=asked.get("log", ()), asks=asked.get("asks", 1))
    elif what == "trust" and isinstance(site, Hub):
        site.trust(asked["resource"], asked["claims"])
    elif what == "account" and isinstance(site, Hub):
        site.free_account = bool(asked["free"])
    else:
        raise Refused(404, f"There is no control {what!r} here.")
    return {}


def _make(site: Site, asked: dict[str, Any]) -> dict[str, Any]:
    name, private = asked["id"], bool(asked.get("private"))
    if isinstance(site, GitHub):
        site.create(name, private=private)
        for rule in asked.get("rules", ()):
            site.protect(name, rule["ref"], rule["rules"])
        return {"url": f"{site.url}/{name}.git"}
    assert isinstance(site, Hub)
    site.create(asked["kind"], name, sdk=asked.get("sdk", ""), private=private, gated=bool(asked.get("gated")))
    return {"url": f"{site.url}/{site.repo(asked['kind'], name).resource}"}
