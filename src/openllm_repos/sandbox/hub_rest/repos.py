"""Repositories as a whole: made, described, changed, moved, removed."""

from __future__ import annotations

import hashlib
import shutil
from typing import Any

from openllm_repos.sandbox.exchange import Answer, Refused, Request, say
from openllm_repos.sandbox.hub import Hub
from openllm_repos.sandbox.hub_rest.call import Call
from openllm_repos.sandbox.hub_rest.files import lfs_fields
from openllm_repos.sandbox.repository import Facts, Kind, Repo, iso
from openllm_repos.sandbox.spaces import ask
from openllm_repos.sandbox.tokens import Account

_PAID = "A paid plan is needed to create a Space that runs on a server; static Spaces are free."


def create(hub: Hub, request: Request) -> Answer:
    """Make a repository for the caller.

    Raises:
        Refused: they may not (401, 403), it costs (402), it is there (409), or the fields are wrong (400).
    """
    asked = request.fields()
    account = hub.account(request)
    repo = _named(hub, asked, account)
    if account is None:
        raise Refused(401, "Invalid username or password.")
    if account.role != "write" or repo.namespace not in account.namespaces:
        raise Refused(403, f'You don\'t have the rights to create a model under the namespace "{repo.namespace}"')
    sdk = str(asked.get("sdk") or "")
    if repo.kind is Kind.SPACE and not sdk:
        raise Refused(400, "sdk: Required")
    if repo.kind is Kind.SPACE and hub.free_account and sdk != "static":
        raise Refused(402, _PAID)
    url = f"{hub.url}/{repo.resource}"
    private = asked.get("visibility") == "private" or bool(asked.get("private"))
    try:
        hub.begin(repo, Facts(private=private, sdk=sdk), author=account.user)
    except FileExistsError:
        said = f"You already created this {repo.kind} repo"
        raise Refused(409, said, body={"error": said, "url": url}) from None
    return say({"url": url, "name": repo.id, "id": _number(repo)})


def delete(hub: Hub, request: Request) -> Answer:
    """Remove a repository.

    Raises:
        Refused: it is not there for the caller (404), or they may not (401, 403).
    """
    shutil.rmtree(_own(hub, request).path)
    return say({})


def move(hub: Hub, request: Request) -> Answer:
    """Give a repository another name.

    Raises:
        Refused: it is not there (404), the caller may not (401, 403), or the new name is taken (409).
    """
    asked = request.fields()
    kind = str(asked.get("type") or "model")
    old = _own(hub, request, str(asked.get("fromRepo", "")))
    try:
        new = hub.repo(kind, str(asked.get("toRepo", "")))
    except ValueError as error:
        raise Refused(400, str(error)) from None
    if hub.find(new.kind, new.namespace, new.name) is not None:
        raise Refused(409, f"A {kind} repository called {new.id} already exists")
    new.path.parent.mkdir(parents=True, exist_ok=True)
    old.path.rename(new.path)
    return say({})


def describe(call: Call) -> Answer:
    """Answer everything about a repository, as of a revision or of main.

    Raises:
        Refused: there is no such revision (404).
    """
    from urllib.parse import unquote

    _, slash, revision = call.rest.partition("/")
    commit = call.repo.resolve(unquote(revision)) if slash else call.repo.find_revision("main")
    return say(_description(call, commit))


def _description(call: Call, commit: str | None) -> dict[str, Any]:
    repo, facts = call.repo, call.repo.facts()
    entries = repo.tree(commit, recursive=True) if commit else []
    files = []
    for entry in entries:
        if not entry.folder:
            size = entry.pointer.size if entry.pointer else entry.size
            detail = (
                {"size": size, "blobId": entry.oid, **lfs_fields(entry, "sha256")}
                if call.request.asked("blobs")
                else {}
            )
            files.append({"rfilename": entry.path, **detail})
    described: dict[str, Any] = {
        "_id": _number(repo),
        "id": repo.id,
        "author": repo.namespace,
        "sha": commit,
        "lastModified": iso(repo.text("log", "-1", "--format=%cI", commit)) if commit else facts.created,
        "createdAt": facts.created,
        "private": facts.private,
        "gated": facts.gated or False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "usedStorage": 0,
        "siblings": files,
    }
    if repo.kind is Kind.MODEL:
        described["modelId"] = repo.id
    if repo.kind is Kind.SPACE:
        with call.hub.lock:
            runtime = ask(repo)
        described |= {"sdk": facts.sdk, "runtime": runtime, "subdomain": f"{repo.namespace}-{repo.name}".lower()}
    return described


def settings(call: Call) -> Answer:
    """Change who sees a repository.

    Raises:
        Refused: the caller may not (401, 403).
    """
    call.writer()
    asked = call.request.fields()
    with call.hub.lock:
        facts = call.repo.facts()
        if "visibility" in asked:
            facts.private = asked["visibility"] == "private"
        if "private" in asked:
            facts.private = bool(asked["private"])
        if "gated" in asked:
            facts.gated = str(asked["gated"] or "")
        call.repo.save(facts)
    return say(asked)


def auth_check(call: Call) -> Answer:
    """Answer whether the caller gets the files of a repository, or (``auth-check/write``) may write to it.

    Raises:
        Refused: it is gated and they have no access, or they may not write (401, 403).
    """
    if call.rest == "auth-check/write":
        call.writer()
    call.reader()
    return say({})


def _own(hub: Hub, request: Request, name: str = "") -> Repo:
    asked = request.fields()
    account = hub.account(request)
    wanted = hub.repo(str(asked.get("type") or "model"), name) if name else _named(hub, asked, account)
    repo = hub.find(wanted.kind, wanted.namespace, wanted.name)
    if repo is None or not hub.may_see(account, repo, repo.facts()):
        raise Refused(404 if account else 401, "Repository not found", "RepoNotFound")
    Call(hub, request, repo, account, "").writer()
    return repo


def _named(hub: Hub, asked: dict[str, Any], account: Account | None) -> Repo:
    namespace = asked.get("organization") or (account.user if account else "")
    try:
        return hub.repo(str(asked.get("type") or "model"), f"{namespace}/{asked.get('name', '')}")
    except ValueError as error:
        raise Refused(400, str(error)) from None


def _number(repo: Repo) -> str:
    return hashlib.sha256(str(repo.path).encode()).hexdigest()[:24]
