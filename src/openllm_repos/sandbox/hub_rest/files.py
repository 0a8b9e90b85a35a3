"""Files: trees, single paths, and their content."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from openllm_repos.sandbox.exchange import TEXT, Answer, Refused, say
from openllm_repos.sandbox.hub_rest.call import Call
from openllm_repos.sandbox.pointer import Pointer
from openllm_repos.sandbox.repository import Entry, Repo, iso

_PAGE = 1000


def lfs_fields(entry: Entry, key: str) -> dict[str, Any]:
    """Return what the Hub says of a file in LFS (its id is called `oid` or `sha256`); nothing for others."""
    if entry.pointer is None:
        return {}
    return {"lfs": {key: entry.pointer.sha256, "size": entry.pointer.size, "pointerSize": entry.size}}


def tree(call: Call) -> Answer:
    """Answer a page of the entries of a folder.

    Raises:
        Refused: no such revision or folder (404).
    """
    commit, path = call.repo.split_revision(call.rest.partition("/")[2])
    entries = call.repo.tree(commit, path, recursive=call.request.flag("recursive"))
    if path and not entries:
        raise Refused(404, f"{path} does not exist", "EntryNotFound")
    start, size = int(call.request.asked("cursor") or 0), min(int(call.request.asked("limit") or _PAGE), _PAGE)
    headers = {}
    if start + size < len(entries):
        asked = {**parse_qs(call.request.query), "cursor": [str(start + size)]}
        headers["Link"] = f'<{call.hub.url}{call.request.path}?{urlencode(asked, doseq=True)}>; rel="next"'
    page = entries[start : start + size]
    return say(_items(call.repo, commit, page, expand=call.request.flag("expand")), headers=headers)


def paths_info(call: Call) -> Answer:
    """Answer what stands at the paths that the caller names; paths that are not there are left out.

    Raises:
        Refused: no such revision (404).
    """
    asked = call.request.fields()
    commit = call.repo.resolve(unquote(call.rest.partition("/")[2]))
    named = asked.get("paths") or []
    wanted = [named] if isinstance(named, str) else named
    have = {entry.path: entry for entry in call.repo.tree(commit, recursive=True)}
    found = [have[path] for path in (str(one).strip("/") for one in wanted) if path in have]
    expand = str(asked.get("expand") or "").strip("[]'").lower() in {"true", "1"}
    return say(_items(call.repo, commit, found, expand=expand))


def _items(repo: Repo, commit: str, entries: list[Entry], *, expand: bool) -> list[dict[str, Any]]:
    found = []
    for entry in entries:
        size = entry.pointer.size if entry.pointer else entry.size
        item: dict[str, Any] = {"type": "directory" if entry.folder else "file", "oid": entry.oid, "size": size}
        item |= {"path": entry.path, **lfs_fields(entry, "oid")}
        if expand:
            oid, date, title = repo.text("log", "-1", "--format=%H%x01%cI%x01%s", commit, "--", entry.path).split(
                "\x01"
            )
            item["lastCommit"] = {"id": oid, "title": title, "date": iso(date)}
        found.append(item)
    return found


def content(call: Call, verb: str) -> Answer:
    """Answer the bytes of a file (``resolve``), or the pointer that stands for them (``raw``).

    Raises:
        Refused: it is gated and the caller has no access (401, 403), or no such revision or file (404).
    """
    call.reader()
    commit, path = call.repo.split_revision(call.rest)
    data = call.repo.read(commit, path)
    if data is None:
        raise Refused(404, "Entry not found", "EntryNotFound", headers={"X-Repo-Commit": commit})
    headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes", "Content-Type": TEXT}
    pointer = Pointer.read(data) if verb == "resolve" and Pointer.may_be(len(data)) else None
    if pointer is None:
        return Answer(200, data, {**headers, "ETag": f'"{call.repo.object_at(f"{commit}:{path}")}"'})
    # From another host name: a client takes a redirect to the same one for the Hub's own answer.
    signature = call.hub.signature("download", pointer.sha256)
    link = f"{call.hub.elsewhere}/_lfs/download/{pointer.sha256}/{pointer.size}?signature={signature}"
    linked = {"X-Linked-Size": str(pointer.size), "X-Linked-Etag": f'"{pointer.sha256}"'}
    return Answer(302, b"", {**headers, **linked, "ETag": f'"{pointer.sha256}"', "Location": link})
