"""Requests to the Hub: bounded, tried again where that is safe, and every failure one sentence.

``HfApi`` makes the same requests, but its retries and limits are its own.
"""

from __future__ import annotations

import contextlib
import json as jsonlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from openllm_repos.hub.failures import Cause, HubError, HubRefused, HubUnreachable, explain, not_the_hub, refused
from openllm_repos.hub.links import BadLink
from openllm_repos.hub.wire import Answer, Body, Exchange, Limits, Malformed
from openllm_repos.retry import NEVER, RetryPolicy, TimeIsUp

_TRUE = frozenset({"1", "ON", "YES", "TRUE"})
_WHOLE = 3  # times the deadline of a phase is what a whole answer may take
_LOG = 1 << 20  # bytes of a log that are kept
_SENDING = Limits(phase=60.0, total=360.0, silence=300.0)  # the store puts parts together, the Hub checks a commit


@dataclass(frozen=True, slots=True)
class Manners:
    """How long we wait.

    Attributes:
        deadline: seconds to connect, and again until an answer begins; a whole one has three times as long.
        retry: how patient to be where it may pass.
        follow: whether an answer may lead elsewhere; never where the body of the request is a secret.
    """

    deadline: float
    retry: RetryPolicy = NEVER
    follow: bool = True


def require_online(about: str) -> None:
    """Refuse where the environment forbids to ask the Hub.

    Raises:
        HubUnreachable: `HF_HUB_OFFLINE` is set (or the old `TRANSFORMERS_OFFLINE`).
    """
    said = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    if said.upper() in _TRUE:
        raise HubUnreachable(
            Cause.OFFLINE, f"The Hub was not asked about {about}: HF_HUB_OFFLINE is set.", hint="Unset HF_HUB_OFFLINE."
        )


def request(
    method: str,
    url: str,
    *,
    about: str,
    token: str | None = None,
    json: Mapping[str, object] | None = None,
    ok: Sequence[int] = (),
    manners: Manners,
) -> Answer:
    """Ask, and return the answer, which is a success or has a status in `ok`.

    It must change nothing, whatever its method: it is asked again where that may help. Else see :func:`once`.

    Args:
        method: GET or POST.
        url: in full.
        about: what it is about, for messages ("the space lemms/openllm").
        token: sent as Bearer; it is dropped where an answer leads to another host.
        json: the body.
        ok: other statuses that are answers rather than failures.
        manners: how long to wait.

    Raises:
        HubError: anything else than a success.
    """
    return manners.retry.run(
        host_of_url(url),
        lambda: once(method, url, about=about, token=token, json=json, ok=ok, manners=manners),
    )


def once(
    method: str,
    url: str,
    *,
    about: str,
    token: str | None = None,
    json: Mapping[str, object] | None = None,
    ok: Sequence[int] = (),
    manners: Manners,
) -> Answer:
    """Make one request, as :func:`request`, and only once: it may change something."""
    require_online(about)
    body = None
    if json is not None:
        text = jsonlib.dumps(json).encode()
        body = Body(lambda: iter((text,)), len(text), "application/json")
    exchange = Exchange(method, url, headers_with(token), body, follow=manners.follow)
    limits = Limits(manners.deadline, _WHOLE * manners.deadline)
    answer = _made(exchange, limits, about)
    if 300 <= answer.status < 400:
        raise HubRefused(Cause.SERVER, f"What was asked about {about} leads to another place: not followed.")
    if answer.status >= 400 and answer.status not in ok:
        raise refused(answer, about, url=url, held=token is not None)
    return answer


def send(
    method: str,
    url: str,
    body: Body,
    *,
    about: str,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
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
    require_online(about)
    given = {**(headers_with(token) if token is not None else {}), **(headers or {})}
    answer = _made(Exchange(method, url, given, body), _SENDING, about)
    if 300 <= answer.status < 400:
        raise HubRefused(
            Cause.SERVER,
            f"What was sent for {about} was led to another place: not followed.",
            hint="If the repository was renamed, write its new name in the manifest.",
        )
    if answer.status >= 400:
        raise refused(answer, about, url=url, held=token is not None)
    return answer


def log(url: str, *, about: str, token: str | None, seconds: float, silence: float) -> list[str]:
    """Return the last lines of an answer that may never end: what has come after `seconds`, or before a `silence`.

    Raises:
        HubError: the Hub refuses, or does not begin in time.
    """
    require_online(about)
    exchange = Exchange("GET", url, headers_with(token), endless=True)
    answer = _made(exchange, Limits(silence, seconds, _LOG), about)
    if answer.status >= 300:
        raise refused(answer, about, url=url, held=token is not None)
    return bytes(answer.body).decode("utf-8", "replace").splitlines()


def host_of_url(url: str) -> str:
    """Return the host of a URL, for people."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _made(exchange: Exchange, limits: Limits, about: str) -> Answer:
    """Make an exchange; whatever HTTP library, system or server do then is a :class:`HubError`."""
    from httpx2 import HTTPError, InvalidURL, StreamError

    host = host_of_url(exchange.url)
    try:
        return exchange.run(limits)
    except HubError:
        raise
    except (Malformed, BadLink) as why:
        raise not_the_hub(host, about, str(why)) from None
    except (HTTPError, InvalidURL, StreamError, TimeIsUp, OSError) as error:
        raise explain(error, about=about, host=host) from None


@contextlib.contextmanager
def reading(url: str, about: str) -> Iterator[None]:
    """Say that it is not the Hub where an answer cannot be read as its own."""
    try:
        yield
    except Malformed as why:
        raise not_the_hub(host_of_url(url), about, str(why)) from None


def headers_with(token: str | None) -> dict[str, str]:
    """Return the headers of every request to the Hub.

    Raises:
        HubRefused: the token has a character that no header may have.
    """
    from huggingface_hub.utils import build_hf_headers

    if token is not None and not (token.isascii() and token.isprintable()):
        raise HubRefused(
            Cause.BAD_TOKEN,
            "The token for the Hub holds a character that no token has, so it was not sent.",
            hint="Copy it once more, without quotes and dots in their place.\nhf auth login  # in CI: set HF_TOKEN",
        )
    return build_hf_headers(token=token or False, library_name="openllm-repos")
