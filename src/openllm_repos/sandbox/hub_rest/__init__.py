"""The Hub's REST API, as huggingface_hub 2.4 calls it: one module per resource, and the table of calls here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from openllm_repos.sandbox.exchange import Answer, Refused, Request, say
from openllm_repos.sandbox.hub import Hub
from openllm_repos.sandbox.hub_rest import commits, files, identity, refs, repos, runtime
from openllm_repos.sandbox.hub_rest.call import Call, find
from openllm_repos.sandbox.repository import Repo
from openllm_repos.sandbox.spaces import rebuild

_NAMED = r"(?:(models|datasets|spaces)/)?([\w.-]+)/([\w.-]+)"
_API = re.compile(rf"/api/{_NAMED}(?:/(.*))?")
_FILE = re.compile(rf"/{_NAMED}/(resolve|raw)/(.+)")

_GENERAL: Mapping[tuple[str, str], Callable[[Hub, Request], Answer]] = {
    ("GET", "/api/whoami-v2"): identity.whoami,
    ("POST", "/oauth/token"): identity.token,
    ("POST", "/api/validate-yaml"): identity.validate_yaml,
    ("POST", "/api/repos/create"): repos.create,
    ("DELETE", "/api/repos/delete"): repos.delete,
    ("POST", "/api/repos/move"): repos.move,
    ("GET", "/api/agent-harnesses"): lambda _hub, _request: say({}),
}
_OF_A_REPO: Mapping[tuple[str, str], Callable[[Call], Answer]] = {
    ("GET", ""): repos.describe,
    ("GET", "revision"): repos.describe,
    ("GET", "auth-check"): repos.auth_check,
    ("PUT", "settings"): repos.settings,
    ("GET", "refs"): refs.refs,
    ("GET", "commits"): refs.commits,
    ("POST", "tag"): refs.create_tag,
    ("DELETE", "tag"): refs.delete_tag,
    ("POST", "branch"): refs.create_branch,
    ("DELETE", "branch"): refs.delete_branch,
    ("GET", "tree"): files.tree,
    ("POST", "paths-info"): files.paths_info,
    ("POST", "preupload"): commits.preupload,
    ("POST", "commit"): commits.commit,
    ("GET", "runtime"): runtime.runtime,
    ("GET", "logs"): runtime.logs,
    ("POST", "restart"): runtime.press,
    ("POST", "pause"): runtime.press,
}


def pushed(hub: Hub, repo: Repo) -> None:
    """Do what the Hub does after a push: build the Space again."""
    with hub.lock:
        rebuild(repo)


def answer(hub: Hub, request: Request) -> Answer:
    """Answer a call of the API, or for a file; a refusal has the headers that huggingface_hub reads."""
    try:
        return _route(hub, request)
    except Refused as refusal:
        headers = {"X-Error-Message": " ".join(refusal.message.split()), **refusal.headers}
        if refusal.code:
            headers["X-Error-Code"] = refusal.code
        return say(refusal.body or {"error": refusal.message}, refusal.status, headers)


def _route(hub: Hub, request: Request) -> Answer:
    method = "GET" if request.method == "HEAD" else request.method
    general = _GENERAL.get((method, request.path))
    if general is not None:
        return general(hub, request)
    named = _API.fullmatch(request.path)
    if named is not None and named[1] is not None:
        rest = named[4] or ""
        call = find(hub, request, named[1], named[2], named[3], rest)
        handler = _OF_A_REPO.get((method, rest.partition("/")[0]))
        if handler is not None:
            return handler(call)
    file = _FILE.fullmatch(request.path)
    if file is not None and method == "GET":
        return files.content(find(hub, request, file[1] or "models", file[2], file[3], file[5]), file[4])
    raise Refused(501, f"The sandbox does not serve {request.method} {request.path}")
