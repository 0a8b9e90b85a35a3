"""One HTTP exchange with the Hub, or a store that it leads to, bounded in every way: each phase, the whole, the size.

The client is huggingface_hub's own (proxies, certificates, request ids). It knows limits for each phase alone, decodes
whatever it is sent and reads the pages that redirects have: so an answer that drips, or a small one that unpacks to
gigabytes, would keep us for ever or take all memory. Here it is read piece by piece.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openllm_repos.hub.links import require_reachable
from openllm_repos.retry import TimeIsUp, within

if TYPE_CHECKING:
    from httpx2 import Client, Response

LARGEST = 32 << 20  # bytes of an answer, unpacked; the longest that the Hub gives is a page of a list of files
_REDIRECTS = 5
_GZIP = 31  # zlib's word for it
_SPEED = 8192  # bytes a second that a transfer must reach on the whole


class Malformed(ValueError):
    """What answered is not what was asked: another program, or one of another mind."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an exchange may take, and how much may come.

    Attributes:
        phase: seconds to connect, for each piece that is sent, and for each that comes.
        total: seconds for all of it; what is sent has more, by its length.
        size: bytes of the answer.
        silence: seconds after the request until the answer begins; `phase` by default.
    """

    phase: float
    total: float
    size: int = LARGEST
    silence: float = 0.0


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent.

    Attributes:
        pieces: makes the pieces anew each time it is called.
        length: of all pieces, in bytes.
        kind: the media type; empty for none.
    """

    pieces: Callable[[], Iterator[bytes]]
    length: int
    kind: str = ""


@dataclass(slots=True)
class Answer:
    """What came back.

    Attributes:
        status: 0 as long as nothing has.
        headers: by lower-case name.
        body: unpacked.
        next: where the rest of a list is, or an empty string.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    next: str = ""

    def json(self) -> object:
        """Return the JSON that it holds; None where it holds nothing.

        Raises:
            Malformed: it is no JSON, or such as nobody could read.
        """
        try:
            return json.loads(bytes(self.body)) if self.body else None
        except (ValueError, RecursionError):
            raise Malformed("no JSON") from None


@dataclass(slots=True)
class Exchange:
    """One request and its answer.

    Attributes:
        method: GET, POST or PUT.
        url: in full.
        headers: of the request.
        body: what is sent, None for nothing.
        follow: whether it may be led elsewhere.
        endless: whether the answer may go on for ever; what has come when its time is up is enough.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: Body | None = None
    follow: bool = False
    endless: bool = False
    _answer: Answer = field(default_factory=Answer)
    _given_up: bool = False

    def run(self, limits: Limits) -> Answer:
        """Make it.

        Raises:
            httpx2.HTTPError: it failed on the way.
            TimeIsUp: it took too long on the whole.
            Malformed: the answer is too long, packed in a way that was not asked for, or leads where it may not.
        """
        from huggingface_hub.utils import get_session

        client = get_session()  # here: loading the library is not what the time is for
        total = limits.total + (self.body.length / _SPEED if self.body is not None else 0)
        try:
            within(total, lambda: self._run(client, limits))
        except TimeIsUp:
            self._given_up = True
            if not (self.endless and self._answer.status):
                raise
        return self._answer

    def _run(self, client: Client, limits: Limits) -> None:
        from httpx2 import ReadTimeout, Timeout

        timeout = Timeout(limits.phase, read=limits.silence or limits.phase)
        headers = {**self.headers, "Accept-Encoding": "gzip"}
        content = None
        if self.body is not None:
            headers["Content-Length"] = str(self.body.length)
            headers |= {"Content-Type": self.body.kind} if self.body.kind else {}
            content = self._sent(self.body)
        request = client.build_request(self.method, self.url, headers=headers, content=content, timeout=timeout)
        for _ in range(_REDIRECTS):
            response = client.send(request, stream=True, follow_redirects=False)
            try:
                onward = response.next_request
                if onward is not None and self.follow:
                    require_reachable(str(onward.url), self.url)
                    request = onward
                    continue
                self._answer.headers = {name.lower(): value for name, value in response.headers.items()}
                self._answer.next = response.links.get("next", {}).get("url", "")
                self._answer.status = response.status_code
                try:
                    self._read(response, limits.size)
                except ReadTimeout:
                    if not self.endless:
                        raise
            finally:
                response.close()
            return
        raise Malformed("it leads from place to place")

    def _sent(self, body: Body) -> Iterator[bytes]:
        for piece in body.pieces():
            if self._given_up:
                return
            yield piece

    def _read(self, response: Response, size: int) -> None:
        packing = response.headers.get("Content-Encoding", "").strip().lower()
        if packing not in {"", "identity", "gzip"}:
            raise Malformed(f"it is packed as {packing[:20]}")
        unpack = zlib.decompressobj(_GZIP) if packing == "gzip" else None
        for raw in response.iter_raw():
            if self._given_up:
                return
            try:
                piece = raw if unpack is None else unpack.decompress(raw, size + 1 - len(self._answer.body))
            except zlib.error:
                raise Malformed("it cannot be unpacked") from None
            self._answer.body += piece
            if len(self._answer.body) > size:
                if self.endless:
                    del self._answer.body[: len(self._answer.body) - size]
                    continue
                raise Malformed(f"it is longer than {size >> 20} MiB")
