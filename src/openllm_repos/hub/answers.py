"""What the Hub answers, made into types: the one place that reads its JSON. What does not fit is not the Hub's.

Keys that are missing have a default where the Hub leaves them out; a value of another type is never taken for one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from openllm_repos.errors import NameRefused
from openllm_repos.hub.links import BadLink, Declined, Link, Upload
from openllm_repos.hub.model import Account, CardReport, HubFile, HubInfo, HubRefs, Runtime, Stage, Way
from openllm_repos.hub.wire import Malformed
from openllm_repos.names.objectid import ObjectId
from openllm_repos.text import show

_A_DAY = 86_400
_LONGEST = 300  # characters of foreign words


def account(said: object) -> Account:
    """Return whose token it is."""
    whole = _object(said)
    token = _object(_object(whole.get("auth", {})).get("accessToken") or {})
    rows = [_object(one) for one in _rows(whole.get("orgs") or [])]
    organizations = {_text(row, "name"): _text(row, "roleInOrg") for row in rows}
    return Account(_text(whole, "name"), _text(token, "role", "unknown") or "unknown", organizations)


def info(said: object) -> HubInfo:
    """Return what is known of a repository."""
    whole = _object(said)
    runs, gated = whole.get("runtime"), whole.get("gated", False)
    if not isinstance(gated, bool | str):
        raise Malformed("gated")
    return HubInfo(
        tip=_commit(whole.get("sha")),
        private=_flag(whole, "private"),
        gated=bool(gated),
        changed=_time(whole.get("lastModified")),
        sdk=_text(whole, "sdk") or None,
        runtime=None if runs is None else runtime(runs),
    )


def refs(said: object) -> HubRefs:
    """Return branches and tags."""
    whole = _object(said)
    return HubRefs(_refs(whole.get("branches")), _refs(whole.get("tags")))


def history(said: object) -> tuple[ObjectId, ...]:
    """Return the commits of a page of a history."""
    return tuple(_required(_commit(_object(row).get("id"))) for row in _rows(said))


def runtime(said: object) -> Runtime:
    """Return what a Space is doing."""
    whole = _object(said)
    word = _text(whole, "stage")
    stage = Stage(word) if word in Stage.__members__ else Stage.UNKNOWN
    return Runtime(stage, show(word), _commit(whole.get("sha")), show(_text(whole, "errorMessage")))


def created(said: object, usual: str) -> str:
    """Return the URL of a repository that was made."""
    return _text(_object(said), "url", usual) or usual


def card(said: object) -> CardReport:
    """Return the verdict on a card.

    Raises:
        Malformed: it is none; an ``error`` is about the question.
    """
    whole = _object(said)
    if "error" in whole or not whole.keys() & {"errors", "warnings"}:
        raise Malformed(_short(_text(whole, "error")))
    return CardReport(_messages(whole.get("errors")), _messages(whole.get("warnings")))


def log_lines(event: str) -> list[str]:
    """Return the lines that one line of an event stream holds: none, mostly one. A log is for people: all is taken."""
    if not event.startswith("data:"):
        return []
    try:
        said = json.loads(event.removeprefix("data:"))
    except (ValueError, RecursionError):
        return []
    text = said.get("data") if isinstance(said, dict) else None
    return [show(line) for line in text.splitlines()] if isinstance(text, str) else []


def files(said: object) -> dict[str, HubFile]:
    """Return the files of a page of a commit's list, by their path."""
    rows = [_object(row) for row in _rows(said)]
    if not all(row.get("type") and row.get("path") for row in rows):
        raise Malformed("it names no files")
    return {_text(row, "path"): _file(row) for row in rows if _text(row, "type") == "file"}


def ways(said: object, sizes: Mapping[str, int]) -> dict[str, Way]:
    """Return how each of the files that were asked about is to be sent."""
    rows = {_text(row, "path"): row for row in map(_object, _rows(_object(said).get("files")))}
    found = {}
    for path, size in sizes.items():
        row = rows.get(path)
        if row is None or row.get("uploadMode") not in ("lfs", "regular"):
            raise Malformed(f"it does not say how {path} is to be sent")
        # an empty file cannot go through LFS: the store refuses it
        found[path] = Way(row["uploadMode"] == "lfs" and size > 0, _flag(row, "shouldIgnore"))
    return found


def commit(said: object) -> ObjectId:
    """Return the commit that was made."""
    return _required(_commit(_object(said).get("commitOid")))


def token(said: object) -> tuple[str, float | None]:
    """Return a token, and for how many seconds it lives, None where that is not said."""
    whole = _object(said)
    lives = whole.get("expires_in")
    if lives is not None and (isinstance(lives, bool) or not isinstance(lives, int | float) or math.isnan(lives)):
        raise Malformed("expires_in")
    return _word(_text(whole, "access_token")), None if lives is None else float(max(0, min(lives, _A_DAY)))


def proof(said: object) -> str:
    """Return what a CI system says of a job."""
    return _word(_text(_object(said), "value"))


def uploads(said: object, wanted: Mapping[str, int], endpoint: str) -> dict[str, Upload | Declined | None]:
    """Return where each large file goes; None only where the Hub says plainly that it has it.

    Args:
        said: the answer to an LFS batch.
        wanted: SHA-256 and size of what was asked about.
        endpoint: the Hub.

    Raises:
        Malformed: it is no such answer, or one of its links may not be followed.
    """
    rows = {_text(row, "oid"): row for row in map(_object, _rows(_object(said).get("objects")))}
    return {oid: _upload(rows.get(oid), size, endpoint) for oid, size in wanted.items()}


def _upload(row: Mapping[str, Any] | None, size: int, endpoint: str) -> Upload | Declined | None:
    if row is None:
        raise Malformed("a file is missing in it")
    if "error" in row:
        why = _object(row["error"])
        code = why.get("code", 0)
        if isinstance(code, bool) or not isinstance(code, int):
            raise Malformed("an error without a code")
        return Declined(code, _short(_text(why, "message")) or "no reason given")
    if row.get("size", size) != size:
        raise Malformed("it speaks of a file of another size")
    actions = _object(row.get("actions", {}))
    if not actions:  # the protocol's word for "I have it"
        return None
    try:
        upload = Link.parse(actions.get("upload"), endpoint)
        verify = actions.get("verify")
        checked = None if verify is None else Link.parse(verify, endpoint)
    except BadLink as why:
        raise Malformed(f"one of its links is not followed: {why}") from None
    if upload.part_size and len(upload.parts) != -(-size // upload.part_size):
        raise Malformed("its parts are not those of the file")
    return Upload(upload, checked)


def words(headers: Mapping[str, str], body: bytes) -> str:
    """Return a server's own words for a refusal, as one line for people; an empty string where it has none.

    No decision is made by them.
    """
    said: object = None
    if not (text := headers.get("x-error-message", "")):
        try:
            said = json.loads(body) if body else None
        except (ValueError, RecursionError):
            text = "" if b"<" in body[:200] else body[: 4 * _LONGEST].decode("utf-8", "replace")
    if isinstance(said, dict):
        texts = [said[key] for key in ("error", "error_description") if isinstance(said.get(key), str)]
        text = ": ".join(texts) or (said["message"] if isinstance(said.get("message"), str) else "")
        rows = said.get("errors")
        found = [row.get("message") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        text = "; ".join(filter(None, [text, *(one for one in found if isinstance(one, str))]))
    return _short(text)


def _object(said: object) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise Malformed("an object is missing")
    return said


def _rows(said: object) -> list[Any]:
    if not isinstance(said, list):
        raise Malformed("a list is missing")
    return said


def _text(said: Mapping[str, Any], key: str, default: str = "") -> str:
    value = said.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise Malformed(key)
    return value.encode("utf-8", "replace").decode()  # JSON may hold halves of characters, which nothing can print


def _flag(said: Mapping[str, Any], key: str) -> bool:
    value = said.get(key)
    if value is not None and not isinstance(value, bool):
        raise Malformed(key)
    return bool(value)


def _size(said: Mapping[str, Any]) -> int:
    value = said.get("size", 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Malformed("size")
    return value


def _file(row: Mapping[str, Any]) -> HubFile:
    large = row.get("lfs")
    if large is None:
        return HubFile(_text(row, "oid"), _size(row))
    return HubFile(_text(row, "oid"), _size(_object(large)), _text(_object(large), "oid"))


def _refs(said: object) -> dict[str, ObjectId]:
    rows = [_object(row) for row in _rows(said)] if said is not None else []
    return {_text(row, "name"): _required(_commit(row.get("targetCommit"))) for row in rows}


def _commit(said: object) -> ObjectId | None:
    if said is None:
        return None
    try:
        return ObjectId(said if isinstance(said, str) else "")
    except NameRefused:
        raise Malformed("no commit") from None


def _required(found: ObjectId | None) -> ObjectId:
    if found is None:
        raise Malformed("no commit")
    return found


def _time(said: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(said) if isinstance(said, str) else None
        return None if found is None or found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _messages(said: object) -> tuple[str, ...]:
    return tuple(show(_text(_object(row), "message")) for row in _rows(said if said is not None else []))


def _word(said: str) -> str:
    """A token, or a proof: one word of what a header can hold."""
    word = said.replace("\r", "").replace("\n", "").strip()
    if not word or not (word.isascii() and word.isprintable()) or " " in word:
        raise Malformed("no token")
    return word


def _short(text: str) -> str:
    line = " ".join(text.encode("utf-8", "replace").decode().split()).rstrip(".")
    return show(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…")
