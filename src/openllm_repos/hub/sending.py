"""Bodies too large for memory, sent to the Hub or to where it leads: piece by piece, each with a time limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openllm_repos.hub.failures import Cause, HubRefused
from openllm_repos.hub.session import failing, headers_with, raise_for, require_online

if TYPE_CHECKING:
    from httpx2 import Response

_CONNECT = 10.0  # seconds
_STALLED = 60.0  # seconds that a connection may take no further byte
_ANSWER = 300.0  # seconds for an answer after the last byte: the store puts parts together, the Hub checks a commit


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


def send(
    method: str,
    url: str,
    body: Body,
    *,
    about: str,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Send a body once, and return the answer, which is a success. It is never led elsewhere.

    Args:
        method: PUT or POST.
        url: in full.
        body: what is sent; its length is told beforehand, as the stores behind the Hub demand.
        about: what it is about, for messages.
        token: sent as Bearer; None for a link that carries its own signature.
        headers: further ones.

    Raises:
        HubError: anything else than a success.
    """
    from httpx2 import Timeout
    from huggingface_hub.utils import get_session

    require_online(about)
    told = {**(headers_with(token) if token is not None else {}), **(headers or {}), "Content-Length": str(body.length)}
    if body.kind:
        told["Content-Type"] = body.kind
    limits = Timeout(connect=_CONNECT, read=_ANSWER, write=_STALLED, pool=_ANSWER)
    with failing(about, token):
        answer = get_session().request(
            method, url, headers=told, content=body.pieces(), timeout=limits, follow_redirects=False
        )
        if answer.is_redirect:  # which huggingface_hub takes for a success
            raise HubRefused(
                Cause.SERVER,
                f"What was sent for {about} was led to another place: not followed.",
                hint="If the repository was renamed, write its new name in the manifest.",
            )
        raise_for(answer)
        return answer
