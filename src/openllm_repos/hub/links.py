"""Links that an answer gives: where they may lead, and which headers they may ask for."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from openllm_repos.hub.endpoint import LOOPBACK
from openllm_repos.retry import TimeIsUp, within

_LOOKUP = 10.0  # seconds
# What stores sign: AWS, Azure, Google, and Git LFS itself. Never what frames a request (Host, Content-Length, ...).
_HEADERS = frozenset({"accept", "authorization", "cache-control", "content-md5", "content-type", "if-none-match"})
_PREFIXES = ("x-amz-", "x-goog-", "x-ms-")
_NAME = re.compile(r"[a-z0-9-]{1,100}", re.ASCII)
_VALUE = re.compile(r"[\x20-\x7e]{0,8192}", re.ASCII)
_URL = re.compile(r"[\x21-\x7e]{1,16384}", re.ASCII)


class BadLink(ValueError):
    """A link that is not followed; its text says why, without the link itself: that may hold a signature."""


@dataclass(frozen=True, slots=True)
class Link:
    """Where something is sent, and with what.

    Attributes:
        href: in full.
        headers: those that the request must bring along.
        parts: of an upload in parts: their size and where each goes, in their order.
    """

    href: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    part_size: int = 0
    parts: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, said: object, endpoint: str) -> Link:
        """Read one action of an LFS answer.

        Args:
            said: the action, as JSON.
            endpoint: the Hub that said it.

        Raises:
            BadLink: it is of another form, or leads where it may not.
        """
        header = said.get("header") or {} if isinstance(said, dict) else None
        href = said.get("href") if isinstance(said, dict) else None
        if not isinstance(header, dict) or not isinstance(href, str):
            raise BadLink("it is no link")
        if not all(isinstance(key, str) and isinstance(value, str) for key, value in header.items()):
            raise BadLink("its headers are of another form")
        size = header.get("chunk_size", "")
        if not size:
            return cls(_checked(href, endpoint), _allowed(header))
        if not re.fullmatch(r"[1-9][0-9]{0,12}", size, re.ASCII):
            raise BadLink("its parts have no size")
        numbers = [key for key in header if key != "chunk_size"]
        if not all(re.fullmatch(r"[0-9]{1,9}", key, re.ASCII) for key in numbers):
            raise BadLink("its parts have no numbers")
        order = sorted(numbers, key=int)
        if [int(key) for key in order] != list(range(1, len(order) + 1)):
            raise BadLink("some of its parts are missing")
        parts = tuple(_checked(header[key], endpoint) for key in order)
        return cls(_checked(href, endpoint), {}, int(size), parts)


@dataclass(frozen=True, slots=True)
class Upload:
    """How a large file gets to its store.

    Attributes:
        link: where it goes.
        verify: who is told that it is there, None where nobody wants to know.
    """

    link: Link
    verify: Link | None


@dataclass(frozen=True, slots=True)
class Declined:
    """A large file that is not taken.

    Attributes:
        code: an HTTP status.
        said: the server's own words.
    """

    code: int
    said: str


def _checked(href: str, endpoint: str) -> str:
    from huggingface_hub.utils import fix_hf_endpoint_in_url

    if not _URL.fullmatch(href):
        raise BadLink("it holds characters that no link has")
    link = fix_hf_endpoint_in_url(href, endpoint=endpoint)
    require_reachable(link, endpoint)
    return link


def _allowed(header: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for key, value in header.items():
        name = key.lower()
        if not _NAME.fullmatch(name) or not (name in _HEADERS or name.startswith(_PREFIXES)):
            raise BadLink("it asks for a header that no upload needs")
        if not _VALUE.fullmatch(value):
            raise BadLink("one of its headers holds characters that no header has")
        found[name] = value
    return found


def require_reachable(link: str, endpoint: str) -> None:
    """Refuse a link that no answer of a server may lead to.

    It must be https, or stay on this machine as its server does. A public server may not lead into the network that we
    happen to be in: there, what answers to nobody outside might do what it is asked.

    Args:
        link: in full.
        endpoint: the server that named it.

    Raises:
        BadLink: it may not be followed.
    """
    try:
        there, home = urlsplit(link), urlsplit(endpoint)
        host, port, own = there.hostname or "", there.port, home.hostname or ""
    except ValueError:
        raise BadLink("it is no URL") from None
    if not host or there.username is not None or there.password is not None:
        raise BadLink("it names no server, or a password")
    local = own in LOOPBACK
    if there.scheme != "https" and not (there.scheme == "http" and local and host in LOOPBACK):
        raise BadLink("it is not https")
    if host != own and not local and _inner(host, port or 443) and not _inner(own, home.port or 443):
        raise BadLink("it leads into the network of this machine")


def _inner(host: str, port: int) -> bool:
    """Whether a name stands for an address that is not of the public internet; one that nobody knows does not."""
    try:
        rows = within(_LOOKUP, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        found = {row[4][0] for row in rows}
    except (OSError, UnicodeError, TimeIsUp):  # behind a proxy, names are often looked up there alone
        found = set()
    try:
        return any(not ipaddress.ip_address(str(one).partition("%")[0]).is_global for one in found)
    except ValueError:
        return True
