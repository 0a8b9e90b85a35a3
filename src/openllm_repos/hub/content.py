"""The files of one repository on the Hub: what is there, how a new one goes there, and one commit that changes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from openllm_repos.hub import answers
from openllm_repos.hub.failures import NO_TOKEN, Cause, HubRefused
from openllm_repos.hub.model import HubFile, HubRepo, Way
from openllm_repos.hub.session import Manners, reading, request, send
from openllm_repos.hub.wire import Answer, Body, Malformed
from openllm_repos.names.objectid import ObjectId

_ASKED_AT_ONCE = 256  # files in one question, as huggingface_hub asks
_MOST_PAGES = 10_000
_MOST_FILES = 5_000_000
_NDJSON = "application/x-ndjson"
_FILE = (b'{"key": "file", "value": {"encoding": "base64", "content": "', b'", "path": %b}}\n')
_PIECE = 3 << 18  # bytes of a file in one piece of a body; a multiple of 3, so that base64 has no padding in between


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
        self.retry = manners.retry
        self._manners = manners

    def files(self, commit: ObjectId) -> dict[str, HubFile]:
        """Return every file of a commit, by its path."""
        from huggingface_hub.utils import fix_hf_endpoint_in_url

        found: dict[str, HubFile] = {}
        url = f"{self.endpoint}/api/{self.repo.api}/tree/{commit}?recursive=true"
        seen: set[str] = set()
        while url:
            seen.add(url)
            answer = self._ask("GET", url)
            with reading(url, f"the {self.repo}"):
                found |= answers.files(answer.json())
                url = fix_hf_endpoint_in_url(answer.next, endpoint=self.endpoint) if answer.next else ""
                if url and (url in seen or not url.startswith(f"{self.endpoint}/")):
                    raise Malformed("its list of files leads elsewhere, or round in a circle")
                if len(found) > _MOST_FILES or len(seen) > _MOST_PAGES:
                    raise Malformed("its list of files does not end")
        return found

    def read(self, commit: ObjectId, path: str) -> bytes:
        """Return the content of a file of a commit; of a small one, that is."""
        url = f"{self.endpoint}/{self.repo.resource}/resolve/{commit}/{quote(path)}"
        return bytes(self._ask("GET", url, about=f"{path} of the {self.repo}").body)

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
            with reading(url, f"the {self.repo}"):
                found |= answers.ways(answer.json(), {one.path: one.size for one in asked})
        return found

    def commit(self, commit: HubCommit) -> ObjectId:
        """Make a commit and return its id.

        Raises:
            HubRefused: the branch has another tip by now (cause `MOVED`), or the Hub does not take it.
            HubUnreachable: it is not known whether the commit was made.
        """
        url = f"{self.endpoint}/api/{self.repo.api}/commit/{quote(commit.branch, safe='')}"
        about = f"the {self.repo}"
        answer = send("POST", url, commit.body(), about=about, token=self._said_token())
        with reading(url, f"the commit in {about}"):
            return answers.commit(answer.json())

    def _said_token(self) -> str:
        token = self.token()
        if token is None:
            message = f"There is no token to write to the {self.repo} with."
            raise HubRefused(Cause.NO_TOKEN, message, hint=NO_TOKEN)
        return token

    def _ask(self, method: str, url: str, *, about: str = "", json: Mapping[str, object] | None = None) -> Answer:
        about = about or f"the {self.repo}"
        return request(method, url, about=about, token=self.token(), json=json, manners=self._manners)


def _line(key: str, value: Mapping[str, object]) -> bytes:
    return json.dumps({"key": key, "value": value}).encode() + b"\n"
