"""The files of one repository on the Hub: what is there, how a new one goes there, and one commit that changes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from openllm_repos.errors import NameRefused
from openllm_repos.hub.failures import Cause, HubRefused, HubUnreachable
from openllm_repos.hub.model import HubRepo
from openllm_repos.hub.sending import Body, send
from openllm_repos.hub.session import Manners, request
from openllm_repos.names.objectid import ObjectId

if TYPE_CHECKING:
    from httpx2 import Response

_ASKED_AT_ONCE = 256  # files in one question, as huggingface_hub asks
_NDJSON = "application/x-ndjson"
_FILE = (b'{"key": "file", "value": {"encoding": "base64", "content": "', b'", "path": %b}}\n')
_PIECE = 3 << 18  # bytes of a file in one piece of a body; a multiple of 3, so that base64 has no padding in between


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as a commit on the Hub has it.

    Attributes:
        oid: git's id of the blob; of a large file that of its pointer.
        size: of the content, in bytes.
        sha256: of the content of a large file; None of others.
    """

    oid: str
    size: int
    sha256: str | None = None

    @property
    def id(self) -> str:
        """What tells its content from every other: ``lfs:<sha256>`` or ``git:<id of the blob>``."""
        return f"git:{self.oid}" if self.sha256 is None else f"lfs:{self.sha256}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that could be sent.

    Attributes:
        path: in the repository.
        size: in bytes.
        sample: its first 512 bytes.
    """

    path: str
    size: int
    sample: bytes


@dataclass(frozen=True, slots=True)
class Way:
    """How the Hub wants a file.

    Attributes:
        large: through LFS, rather than inside the commit.
        ignored: the repository's own .gitignore leaves it out.
    """

    large: bool
    ignored: bool


@dataclass(frozen=True, slots=True)
class Small:
    """A file that travels inside the commit.

    Attributes:
        size: in bytes.
        read: gives its content, of exactly that size, or raises.
    """

    size: int
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class HubCommit:
    """One commit to make.

    Attributes:
        branch: that it is made on.
        parent: the tip that the branch must have.
        summary: the first line of its message.
        description: the rest of it.
        small: path -> a file inside the commit.
        large: path -> SHA-256 and size of a file that LFS has already.
        deleted: paths of files to delete.
    """

    branch: str
    parent: ObjectId
    summary: str
    description: str
    small: Mapping[str, Small]
    large: Mapping[str, tuple[str, int]]
    deleted: Sequence[str] = ()

    def body(self) -> Body:
        """Return it as the Hub reads it: one JSON object a line. Only one file at a time is in memory."""
        head = {"summary": self.summary, "description": self.description, "parentCommit": self.parent}
        lines = [_line("header", head)]
        lines += [
            _line("lfsFile", {"path": path, "algo": "sha256", "oid": oid, "size": size})
            for path, (oid, size) in self.large.items()
        ]
        lines += [_line("deletedFile", {"path": path}) for path in self.deleted]
        framed = [(_FILE[0], small, _FILE[1] % json.dumps(path).encode()) for path, small in self.small.items()]
        length = sum(map(len, lines))
        length += sum(len(before) + 4 * -(-small.size // 3) + len(after) for before, small, after in framed)

        def pieces() -> Iterator[bytes]:
            yield from lines
            for before, small, after in framed:
                yield before
                content = small.read()
                for at in range(0, len(content), _PIECE):
                    yield base64.b64encode(content[at : at + _PIECE])
                yield after

        return Body(pieces, length, _NDJSON)


class HubContent:
    """The files of one repository.

    Args:
        endpoint: of the Hub.
        repo: the repository.
        token: gives the token to ask with, each time anew: one of a CI job ends within the hour.
        manners: how long an answer may take.

    Every method raises :class:`~openllm_repos.hub.failures.HubError` where the Hub does not do what it is asked.
    """

    def __init__(self, endpoint: str, repo: HubRepo, token: Callable[[], str | None], manners: Manners) -> None:
        self.endpoint = endpoint
        self.repo = repo
        self.token = token
        self._manners = manners

    def files(self, commit: ObjectId) -> dict[str, HubFile]:
        """Return every file of a commit, by its path."""
        from huggingface_hub.utils import fix_hf_endpoint_in_url

        found: dict[str, HubFile] = {}
        url = f"{self.endpoint}/api/{self.repo.api}/tree/{commit}?recursive=true"
        while url:
            answer = self._ask("GET", url)
            for one in _list(answer, "type"):
                if one["type"] == "file":
                    found[str(one["path"])] = _file(one)
            after = answer.links.get("next", {}).get("url", "")
            url = fix_hf_endpoint_in_url(after, endpoint=self.endpoint) if after else ""
            if url and not url.startswith(f"{self.endpoint}/"):
                raise HubUnreachable(Cause.SERVER, f"The list of files of the {self.repo} goes on at another place.")
        return found

    def read(self, commit: ObjectId, path: str) -> bytes:
        """Return the content of a file of a commit; of a small one, that is."""
        url = f"{self.endpoint}/{self.repo.resource}/resolve/{commit}/{quote(path)}"
        return self._ask("GET", url, about=f"{path} of the {self.repo}").content

    def ways(self, branch: str, offers: Sequence[Offer]) -> dict[str, Way]:
        """Ask how each of these files is to be sent. The Hub decides by its .gitattributes, size and content."""
        found: dict[str, Way] = {}
        url = f"{self.endpoint}/api/{self.repo.api}/preupload/{quote(branch, safe='')}"
        for at in range(0, len(offers), _ASKED_AT_ONCE):
            asked = offers[at : at + _ASKED_AT_ONCE]
            rows = [
                {"path": one.path, "size": one.size, "sample": base64.b64encode(one.sample).decode()} for one in asked
            ]
            answer = self._ask("POST", url, json={"files": rows})
            said = {row.get("path"): row for row in _list(answer, "uploadMode", "files")}
            for one in asked:
                row = said.get(one.path)
                if row is None:
                    raise HubUnreachable(Cause.SERVER, f"The Hub does not say how {one.path} is to be sent.")
                # an empty file cannot go through LFS: the store refuses it
                large = row["uploadMode"] == "lfs" and one.size > 0
                found[one.path] = Way(large, bool(row.get("shouldIgnore")))
        return found

    def commit(self, commit: HubCommit) -> ObjectId:
        """Make a commit and return its id.

        Raises:
            HubRefused: the branch has another tip by now (cause `MOVED`), or the Hub does not take it.
            HubUnreachable: it is not known whether the commit was made.
        """
        url = f"{self.endpoint}/api/{self.repo.api}/commit/{quote(commit.branch, safe='')}"
        answer = send("POST", url, commit.body(), about=f"the {self.repo}", token=self._said_token())
        try:
            return ObjectId(str(answer.json()["commitOid"]))
        except (ValueError, KeyError, TypeError, NameRefused):
            message = f"The Hub does not say which commit it made in the {self.repo}."
            raise HubUnreachable(Cause.SERVER, message) from None

    def _said_token(self) -> str:
        token = self.token()
        if token is None:
            message = f"There is no token to write to the {self.repo} with."
            hint = "Log in: hf auth login   In CI: set HF_TOKEN, or let the job use trusted publishing."
            raise HubRefused(Cause.NO_TOKEN, message, hint=hint)
        return token

    def _ask(self, method: str, url: str, *, about: str = "", json: Mapping[str, object] | None = None) -> Response:
        about = about or f"the {self.repo}"
        return request(method, url, about=about, token=self.token(), json=json, manners=self._manners)


def _line(key: str, value: Mapping[str, object]) -> bytes:
    return json.dumps({"key": key, "value": value}).encode() + b"\n"


def _file(one: Mapping[str, Any]) -> HubFile:
    large = one.get("lfs")
    if isinstance(large, dict):
        return HubFile(str(one.get("oid", "")), int(large.get("size", 0)), str(large.get("oid", "")))
    return HubFile(str(one.get("oid", "")), int(one.get("size", 0)))


def _list(answer: Response, key: str, inside: str = "") -> list[dict[str, Any]]:
    """Return the rows of an answer, each of which has a key; anything else is not from the Hub."""
    try:
        said = answer.json()
    except ValueError:
        said = None
    rows = said.get(inside) if inside and isinstance(said, dict) else said
    if not isinstance(rows, list) or not all(isinstance(row, dict) and key in row for row in rows):
        raise HubUnreachable(
            Cause.SERVER,
            "What answers is not the Hub: it names no files.",
            hint="Check HF_ENDPOINT, and the network: a proxy may have answered.",
        )
    return rows
