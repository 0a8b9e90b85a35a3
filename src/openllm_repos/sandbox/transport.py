"""git over HTTP: `git http-backend` on the bare repositories, its answers sent on as they come."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from openllm_repos.sandbox.exchange import Answer, Refused, Request, say_text
from openllm_repos.sandbox.lfs import batch, locks, refused
from openllm_repos.sandbox.program import Program
from openllm_repos.sandbox.refusals import VARIABLE
from openllm_repos.sandbox.repository import Kind, Repo
from openllm_repos.sandbox.site import REALM, Site
from openllm_repos.sandbox.tokens import Account

_BLOCK = 1 << 16
_PATH = re.compile(
    r"/(?:(models|datasets|spaces)/)?([\w.-]+)/([\w.-]+?)(?:\.git)?"
    r"/(info/refs|git-upload-pack|git-receive-pack|HEAD|objects/.+|info/lfs/objects/batch|info/lfs/locks.*)"
)
Pushed = Callable[[Repo], None]


def install_hook(git: Program) -> None:
    """Write the hook that every push runs: this Python, without anybody's settings or site packages."""
    script = Path(__file__).with_name("hook.py")
    yaml = find_spec("yaml")
    assert yaml is not None
    assert yaml.origin is not None
    packages = Path(yaml.origin).parent.parent
    hook = git.hooks / "pre-receive"
    command = shlex.join([sys.executable, "-I", "-S", str(script), str(packages)])
    hook.write_text(f"#!/bin/sh\nexec {command}\n", encoding="utf-8")
    hook.chmod(0o755)


def push_settings(site: Site, repo: Repo, account: Account | None) -> dict[str, str]:
    """Return the environment that tells the hook what it is about."""
    facts = {
        "kind": str(repo.kind),
        "writable": site.may_write(account, repo),
        "store": str(site.large_files),
        "limit": site.file_limit,
        "rules": repo.facts().rules,
    }
    return {VARIABLE: json.dumps(facts)}


def answer(site: Site, request: Request, pushed: Pushed) -> Answer | None:
    """Answer what git and git-lfs ask; None where a path is not theirs.

    Args:
        site: the host.
        request: what is asked.
        pushed: called after a push that changed something.
    """
    found = _PATH.fullmatch(request.path)
    if found is None:
        return None
    folder, namespace, name, rest = found.groups()
    kind = Kind.GITHUB if Kind.GITHUB in site.kinds else Kind((folder or "models")[:-1])
    repo = site.find(kind, namespace, name)
    try:
        if rest.startswith("info/lfs/locks"):
            return locks(request)
        if rest == "info/lfs/objects/batch":
            return batch(site, request, repo)
        account = _admit(site, request, repo, rest)
    except Refused as refusal:
        headers = {**refusal.headers, **(REALM if refusal.status == 401 else {})}
        if rest.startswith("info/lfs"):
            return refused(refusal, headers)
        return say_text(f"{refusal.message}\n", refusal.status, headers)
    assert repo is not None
    return _serve(site, request, repo, account, rest, pushed)


def _admit(site: Site, request: Request, repo: Repo | None, rest: str) -> Account | None:
    """Return whose request it is.

    Raises:
        Refused: it may not see, read or push to the repository.
    """
    account = site.account(request)
    pushes = "git-receive-pack" in {rest, request.asked("service")}
    if repo is None or not site.may_see(account, repo, repo.facts()):
        raise Refused(404, "Repository not found") if account else Refused(401, "Invalid username or password.")
    if pushes and account is None:
        raise Refused(401, "Invalid username or password.")
    if not site.may_read(account, repo, repo.facts()):
        said = f"Access to {repo.kind} {repo.id} is restricted. You must have access to it and be authenticated."
        raise Refused(403 if account else 401, said)
    if pushes and repo.kind is Kind.GITHUB and account is not None and not site.may_write(account, repo):
        raise Refused(403, f"Permission to {repo.id}.git denied to {account.user}.")
    return account


def _serve(site: Site, request: Request, repo: Repo, account: Account | None, rest: str, pushed: Pushed) -> Answer:
    extra = {
        "GIT_PROJECT_ROOT": str(repo.path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "GATEWAY_INTERFACE": "CGI/1.1",
        "PATH_INFO": f"/{repo.path.name}/{rest}",
        "QUERY_STRING": request.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(request.size),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_USER": account.user if account else "",
    }
    pushes = rest == "git-receive-pack"
    before = repo.refs("refs/") if pushes else []
    if pushes:
        extra |= push_settings(site, repo, account)
    stream = _backend(site.git, request, extra)
    status, headers = 200, {}
    for line in next(stream).decode().splitlines():
        key, _, value = line.partition(":")
        if key.lower() == "status":
            status = int(value.split()[0])
        elif key.lower() != "content-length":
            headers[key] = value.strip()
    return Answer(status, _watched(stream, repo, before, pushed) if pushes else stream, headers)


def _backend(git: Program, request: Request, extra: dict[str, str]) -> Iterator[bytes]:
    """Yield the head of the CGI answer (its lines), then its body in blocks, while git works."""
    with git.start("http-backend", extra=extra) as process:
        assert process.stdin is not None
        assert isinstance(process.stdout, io.BufferedReader)
        request.body.seek(0)
        feeder = threading.Thread(target=_feed, args=(request.body, process.stdin), daemon=True)
        feeder.start()
        head = []
        while line := process.stdout.readline().strip():
            head.append(line)
        yield b"\n".join(head)
        while block := process.stdout.read1(_BLOCK):
            yield block
        feeder.join()


def _watched(stream: Iterator[bytes], repo: Repo, before: list[tuple[str, str]], pushed: Pushed) -> Iterator[bytes]:
    """Pass a push's answer on; before its end is told, say what was pushed to, if a ref changed."""
    yield from stream
    if repo.refs("refs/") != before:
        pushed(repo)


def _feed(body: IO[bytes], pipe: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError), pipe:
        shutil.copyfileobj(body, pipe)
