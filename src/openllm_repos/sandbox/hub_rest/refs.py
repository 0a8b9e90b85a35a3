"""Branches, tags and pull requests' refs, and the list of commits."""

from __future__ import annotations

from urllib.parse import unquote

from openllm_repos.sandbox.exchange import Answer, Refused, say
from openllm_repos.sandbox.hub_rest.call import Call
from openllm_repos.sandbox.repository import ZERO, iso

_PAGE = 50


def refs(call: Call) -> Answer:
    """Answer all refs, annotated tags by the commit they name."""
    groups = {"branches": "refs/heads/", "tags": "refs/tags/"}
    if call.request.asked("include_prs"):
        groups["pullRequests"] = "refs/pr/"
    found: dict[str, object] = {"converts": []}
    for group, prefix in groups.items():
        found[group] = [
            {"name": ref.removeprefix(prefix), "ref": ref, "targetCommit": commit}
            for ref, commit in call.repo.refs(prefix)
        ]
    return say(found)


def commits(call: Call) -> Answer:
    """Answer a page of the history of a revision.

    Raises:
        Refused: there is no such revision (404).
    """
    commit = call.repo.resolve(unquote(call.rest.partition("/")[2]))
    page = int(call.request.asked("p") or 0)
    form = "--format=%H%x01%an%x01%cI%x01%s%x01%b"
    out = call.repo.text("log", "-z", f"--skip={page * _PAGE}", f"--max-count={_PAGE + 1}", form, commit)
    rows = [row.split("\x01") for row in out.split("\0") if row]
    found = []
    for oid, author, date, title, message in rows[:_PAGE]:
        item: dict[str, object] = {"id": oid, "title": title, "message": message.strip(), "date": iso(date)}
        item["authors"] = [{"user": author}]
        if call.request.asked("expand[]") == "formatted" or call.request.asked("expand") == "formatted":
            item["formatted"] = {"title": title, "message": message.strip()}
        found.append(item)
    headers = {"X-Total-Count": call.repo.text("rev-list", "--count", commit)}
    if len(rows) > _PAGE:
        headers["Link"] = f'<{call.hub.url}{call.request.path}?p={page + 1}>; rel="next"'
    return say(found, headers=headers)


def create_tag(call: Call) -> Answer:
    """Make a tag at a revision; annotated if it has a message.

    Raises:
        Refused: the caller may not (401, 403), no such revision (404), a bad name (400), or it is there (409).
    """
    account = call.writer()
    asked = call.request.fields()
    commit = call.repo.resolve(unquote(call.rest.partition("/")[2]))
    name = str(asked.get("tag", ""))
    ref = f"refs/tags/{name}"
    if call.repo.ask("check-ref-format", ref)[0]:
        raise Refused(400, f"Invalid tag name: {name}")
    target = commit
    if asked.get("message"):
        who = f"{account.user} <{account.user}@users.noreply.huggingface.co>"
        date = call.repo.text("log", "-1", "--format=%cd", "--date=raw", commit)
        text = f"object {commit}\ntype commit\ntag {name}\ntagger {who} {date}\n\n{asked['message']}\n"
        target = call.repo.run("mktag", data=text.encode()).decode().strip()
    if not call.repo.update(f"create {ref} {target}"):
        raise Refused(409, "Tag reference exists already")
    return say({})


def delete_tag(call: Call) -> Answer:
    """Remove a tag.

    Raises:
        Refused: the caller may not (401, 403), or there is none (404).
    """
    call.writer()
    return _delete(call, "refs/tags/")


def create_branch(call: Call) -> Answer:
    """Make a branch at a revision, or at main.

    Raises:
        Refused: the caller may not (401, 403), no such revision (404), or it is there (409).
    """
    call.writer()
    ref = f"refs/heads/{unquote(call.rest.partition('/')[2])}"
    if call.repo.object_at(ref) is not None:
        raise Refused(409, f"Reference {ref} already exists")
    commit = call.repo.resolve(str(call.request.fields().get("startingPoint") or "main"))
    if not call.repo.update(f"update {ref} {commit} {ZERO}"):
        raise Refused(400, f"Invalid reference: {ref}")
    return say({})


def delete_branch(call: Call) -> Answer:
    """Remove a branch.

    Raises:
        Refused: the caller may not or it is main (401, 403), or there is none (404).
    """
    call.writer()
    if call.rest == "branch/main":
        raise Refused(403, "Cannot delete refs/heads/main")
    return _delete(call, "refs/heads/")


def _delete(call: Call, prefix: str) -> Answer:
    name = unquote(call.rest.partition("/")[2])
    if call.repo.object_at(prefix + name) is None:
        raise Refused(404, f"Invalid rev id: {name}", "RevisionNotFound")
    call.repo.update(f"delete {prefix}{name}")
    return say({})
