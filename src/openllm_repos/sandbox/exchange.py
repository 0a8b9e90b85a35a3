"""What a client asks and what it is told: plain values between the server and the rooms that answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read to its end.

    Attributes:
        method: GET, POST, ...
        path: as it came, percent signs and all, without the query.
        query: what follows the question mark.
        headers: by lower-case name.
        body: at its beginning.
        size: of the body, in bytes.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: IO[bytes]
    size: int

    def asked(self, key: str) -> str:
        """Return a value of the query, or an empty text."""
        return parse_qs(self.query, keep_blank_values=True).get(key, [""])[-1]

    def flag(self, key: str) -> bool:
        """Return whether the query sets a switch."""
        return self.asked(key).lower() in {"1", "true"}

    def read(self) -> bytes:
        """Return the whole body."""
        self.body.seek(0)
        return self.body.read()

    def fields(self) -> dict[str, Any]:
        """Return the body as fields, from JSON or from a form (whose values are lists).

        Raises:
            Refused: it is neither (400).
        """
        raw = self.read()
        try:
            if "form-urlencoded" in self.headers.get("content-type", "") and raw[:1] != b"{":
                return dict(parse_qs(raw.decode()))
            found = json.loads(raw or b"{}")
        except ValueError:
            raise Refused(400, "The body is not JSON.") from None
        if not isinstance(found, dict):
            raise Refused(400, "The body must be a JSON object.")
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back.

    Attributes:
        status: the HTTP status.
        body: bytes; a file, of which a client may ask for a range; or blocks that are sent as they come.
        headers: beside Content-Length, which the server sets.
    """

    status: int = 200
    body: bytes | Path | Iterator[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def say(value: object, status: int = 200, headers: Mapping[str, str] = _NOTHING, *, kind: str = JSON) -> Answer:
    """Return an answer with a value as JSON."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": kind, **headers})


def say_text(text: str, status: int = 200, headers: Mapping[str, str] = _NOTHING) -> Answer:
    """Return an answer in plain text."""
    return Answer(status, text.encode(), {"Content-Type": TEXT, **headers})


class Refused(Exception):
    """A request that is answered with an error.

    Args:
        status: the HTTP status.
        message: what is wrong, as the real host words it.
        code: the Hub's word for it (``RepoNotFound``, ...), or empty.
        headers: to be sent along.
        body: the whole answer, where it has another form than the host's usual one.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        *,
        headers: Mapping[str, str] = _NOTHING,
        body: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers
        self.body = body
