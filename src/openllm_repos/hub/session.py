"""One request to the Hub, through huggingface_hub's own session: with a deadline, and patient where the Hub asks.

``HfApi`` makes the same requests, but waits for an answer without any limit; a status of many repositories must not.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openllm_repos.hub.failures import Cause, HubError, HubRefused, HubUnreachable, explain

if TYPE_CHECKING:
    from httpx2 import Response


@dataclass(frozen=True, slots=True)
class Manners:
    """How long we wait.

    Attributes:
        deadline: seconds to connect, and again for an answer.
        patience: seconds to wait in all where the Hub limits the rate of requests; 0 to give up at once.
        told: gets a line for people before each such wait.
        follow: whether an answer may lead elsewhere; never where the body of the request is a secret.
    """

    deadline: float
    patience: float = 0
    told: Callable[[str], None] = lambda _: None
    follow: bool = True


_TRUE = frozenset({"1", "ON", "YES", "TRUE"})
_LIMITED = 429
_STEP = 1.0  # seconds of the first wait where the Hub does not say how long; each further one is twice as long


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
) -> Response:
    """Make one request and return the answer, which is a success or has a status in `ok`.

    Args:
        method: GET or POST.
        url: in full.
        about: what it is about, for messages ("the space lemms/openllm").
        token: sent as Bearer; httpx drops it where an answer leads to another host.
        json: the body.
        ok: other statuses that are answers rather than failures.
        manners: how long to wait.

    Raises:
        HubError: anything else than a success.
    """
    from huggingface_hub.utils import get_session

    require_online(about)
    begun, wait = time.monotonic(), _STEP
    while True:
        with failing(about, token):
            answer = get_session().request(
                method,
                url,
                headers=headers_with(token),
                json=json,
                timeout=manners.deadline,
                follow_redirects=manners.follow,
            )
            if answer.status_code == _LIMITED:
                asked = _asked_to_wait(answer.headers)
                pause = wait if asked is None else max(asked, 0.1)
                if time.monotonic() - begun + pause <= manners.patience:
                    manners.told(f"the Hub asks to wait {pause:.0f} s before it is asked about {about} again")
                    time.sleep(pause)
                    wait *= 2
                    continue
            if answer.is_redirect:  # which huggingface_hub takes for a success
                raise HubRefused(Cause.SERVER, f"What was asked about {about} leads to another place: not followed.")
            if answer.status_code not in ok:
                raise_for(answer)
            return answer


@contextlib.contextmanager
def streamed(url: str, *, about: str, token: str | None, deadline: float) -> Iterator[Iterator[str]]:
    """Yield the lines of an answer that may never end; it ends where nothing comes for `deadline` seconds.

    Raises:
        HubError: the Hub refuses, or does not begin in time.
    """
    from httpx2 import ReadTimeout
    from huggingface_hub.utils import get_session

    require_online(about)

    def lines(answer: Response) -> Iterator[str]:
        with contextlib.suppress(ReadTimeout):
            yield from answer.iter_lines()

    with (
        failing(about, token),
        get_session().stream("GET", url, headers=headers_with(token), timeout=deadline) as answer,
    ):
        if answer.is_error:
            answer.read()
        raise_for(answer)
        yield lines(answer)


def raise_for(answer: Response) -> None:
    """Raise huggingface_hub's own error for an answer that is none."""
    from huggingface_hub.utils import hf_raise_for_status

    hf_raise_for_status(answer)


@contextlib.contextmanager
def failing(about: str, token: str | None) -> Iterator[None]:
    """Turn what huggingface_hub and its HTTP library raise into a :class:`HubError`."""
    from httpx2 import HTTPError, InvalidURL, StreamError

    try:
        yield
    except HubError:
        raise
    except (HTTPError, InvalidURL, StreamError, OSError) as error:
        raise explain(error, about=about, held=token is not None) from None


def _asked_to_wait(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds the Hub asks to wait, None where it does not say."""
    from huggingface_hub.utils import parse_ratelimit_headers

    limit = parse_ratelimit_headers(headers)
    if limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    after = headers.get("Retry-After", "").strip()
    return float(after) if after.isdecimal() else None


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
            hint="Copy it once more, without quotes and dots in their place: hf auth login   In CI: HF_TOKEN.",
        )
    return build_hf_headers(token=token or False, library_name="openllm-repos")
