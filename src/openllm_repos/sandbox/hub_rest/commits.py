"""Commits through the API: what must go through LFS, and the commit itself."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from openllm_repos.sandbox.cards import problems
from openllm_repos.sandbox.exchange import Answer, Refused, say
from openllm_repos.sandbox.hub_rest.call import Call
from openllm_repos.sandbox.lfs import holds, place
from openllm_repos.sandbox.pointer import Pointer
from openllm_repos.sandbox.repository import Change
from openllm_repos.sandbox.spaces import rebuild

_MOVED = "The branch was updated since you opened this page. Please refresh and try again."
_ATTRIBUTES = ".gitattributes"
_DANGLING = (
    "Your push was rejected because an LFS pointer pointed to a file that does not exist."
    " For instance, this can happen if you used git push --no-verify to push your changes. Offending file: - "
)


def preupload(call: Call) -> Answer:
    """Answer for each file whether it goes through LFS, whether .gitignore leaves it out, and what is there now.

    Raises:
        Refused: the caller may not write (401, 403), no such revision (404), or a path is bad (422).
    """
    call.writer(may_propose=call.request.flag("create_pr"))
    asked = call.request.fields()
    commit = call.repo.resolve(unquote(call.rest.partition("/")[2]))
    files: list[dict[str, Any]] = asked.get("files", [])
    names = [_checked(str(one["path"])) for one in files]
    tracked = call.repo.tracked_by_lfs(commit, names)
    rules = asked["gitIgnore"].encode() if asked.get("gitIgnore") else call.repo.read(commit, ".gitignore")
    ignored = call.repo.ignored(rules, names) if rules else set()
    have = {entry.path: entry for entry in call.repo.tree(commit, recursive=True) if not entry.folder}
    found = []
    for one in files:
        path, old = one["path"], have.get(one["path"])
        binary = b"\0" in base64.b64decode(one.get("sample") or "")
        mode = "lfs" if path in tracked or one["size"] > call.hub.file_limit or binary else "regular"
        item = {"path": path, "uploadMode": mode, "shouldIgnore": path in ignored}
        if old is not None:
            item["oid"] = old.pointer.sha256 if old.pointer else old.oid
        found.append(item)
    return say({"files": found})


@dataclass(slots=True)
class _Asked:
    head: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    large: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


def commit(call: Call) -> Answer:
    """Make a commit on a branch, or on a new ``refs/pr/N``.

    Raises:
        Refused: the caller may not write (401, 403), no such branch or file (404), the branch has another tip than the
            caller states (412), or the content is refused (400).
    """
    propose = call.request.flag("create_pr")
    account = call.writer(may_propose=propose)
    revision = unquote(call.rest.partition("/")[2])
    ref = revision if revision.startswith("refs/") else f"refs/heads/{revision}"
    tip = call.repo.object_at(ref)
    if tip is None:
        raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
    asked = _read(call)
    stated = str(asked.head.get("parentCommit") or "")
    if stated and not propose and not tip.startswith(stated):
        raise Refused(412, _MOVED)
    parent = call.repo.resolve(stated) if stated and propose else tip
    text = "\n\n".join(part for part in (asked.head.get("summary"), asked.head.get("description")) if part)
    _track(call, parent, asked)
    change = Change(asked.files, asked.deleted, asked.folders)
    url = f"{call.hub.url}/{call.repo.resource}"
    more = {}
    goal, old = ref, tip if not propose else None
    if propose:
        number = _next_pull(call, str(asked.head.get("summary", "")), account.user)
        goal = f"refs/pr/{number}"
        more["pullRequestUrl"] = f"{url}/discussions/{number}"
    made = call.repo.commit(change, f"{text}\n", account.user, parent=parent, ref=goal, old=old)
    with call.hub.lock:
        rebuild(call.repo)
    return say({"success": True, "commitUrl": f"{url}/commit/{made}", "commitOid": made, "hookOutput": "", **more})


def _track(call: Call, parent: str, asked: _Asked) -> None:
    """Add what went through LFS, and is not tracked yet, to ``.gitattributes``, as the Hub does: a clone needs it."""
    tracked = call.repo.tracked_by_lfs(parent, asked.large)
    new = [path for path in asked.large if path not in tracked]
    if new:
        old = asked.files.get(_ATTRIBUTES, call.repo.read(parent, _ATTRIBUTES) or b"")
        lines = [f"{path.replace(' ', '[[:space:]]')} filter=lfs diff=lfs merge=lfs -text\n" for path in new]
        asked.files[_ATTRIBUTES] = old + "".join(lines).encode()


def _next_pull(call: Call, title: str, user: str) -> int:
    with call.hub.lock:
        facts = call.repo.facts()
        facts.pulls = [*facts.pulls, {"title": title, "user": user}]
        call.repo.save(facts)
        return len(facts.pulls)


def _read(call: Call) -> _Asked:
    """Read the lines of a commit: a header, files, pointers, deletions."""
    asked = _Asked()
    dangling = []
    for line in call.request.read().splitlines():
        item = json.loads(line)
        key, value = item["key"], item["value"]
        if key == "header":
            asked.head = value
        elif key == "file":
            plain = value.get("encoding") != "base64"
            data = value["content"].encode() if plain else base64.b64decode(value["content"])
            asked.files[_checked(value["path"])] = data
        elif key == "lfsFile":
            store = call.hub.large_files
            if holds(store, value["oid"]):
                size = place(store, value["oid"]).stat().st_size
                asked.files[_checked(value["path"])] = Pointer(value["oid"], size).text()
                asked.large.append(value["path"])
            else:
                dangling.append(value["path"])
        elif key == "deletedFile":
            asked.deleted.append(value["path"])
        elif key == "deletedFolder":
            asked.folders.append(value["path"])
    if dangling:
        raise Refused(400, _DANGLING + " - ".join(dangling))
    errors = problems(asked.files.get("README.md", b"").decode("utf-8", "replace"), call.repo.kind).errors
    if errors:
        raise Refused(400, "Sorry, your push was rejected during YAML metadata verification: " + "; ".join(errors))
    return asked


def _checked(path: str) -> str:
    if path.startswith("/") or "\\" in path or {"..", ".", ".git", ""} & set(path.split("/")):
        raise Refused(422, f"Invalid path: {path}")
    return path
