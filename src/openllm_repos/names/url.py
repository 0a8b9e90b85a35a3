"""URLs of repositories: what a manifest may name, and when two spellings mean one repository."""

from __future__ import annotations

import re
from typing import Self

from openllm_repos.errors import NameRefused
from openllm_repos.names.plain import quoted, require_plain

_FORMS = "https://host/path, ssh://git@host/path or file:///folder/repository"
_URL = re.compile(r"(?P<scheme>[^:/?#]*)://(?P<authority>[^/]*)(?P<path>.*)", re.DOTALL)
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LAST_PORT = 65535
_NET_PART = re.compile(r"[A-Za-z0-9_.~][A-Za-z0-9._~+@=,-]*")
_FILE_PART = re.compile(r"[^-\"'`*<>|;&\s](?:[^\"'`*<>|;&]*[^\"'`*<>|;&\s])?")
_DRIVE = re.compile(r"[A-Za-z]:")
_SLUG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?")

_GITHUB = "github.com"
_HUB = "huggingface.co"
_SAME_HOST = {"hf.co": _HUB, "www.github.com": _GITHUB, "ssh.github.com": _GITHUB, "www.huggingface.co": _HUB}
_HUB_FOLDERS = ("spaces", "datasets")
_KNOWN = (_GITHUB, _HUB, "hf.co")
_DEFAULT_PORTS = {"https": "443", "http": "80", "ssh": "22", "git": "9418", "git+ssh": "22", "ssh+git": "22"}
# A host and a path with a colon between them, as in git@github.com:owner/name; git's rule: no slash before the colon.
_SCP = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]+):(?P<path>[^:\s].*)")


class RepoUrl(str):
    """A URL that git may be given: ``https://``, ``ssh://`` or an absolute ``file://``, without credentials.

    On github.com and huggingface.co the path must be that of a repository there. A file URL names a repository inside
    a folder (``file:///srv/openllm``) or one that ends in ``.git``; no program, variable, escape or query gets through.

    Raises:
        NameRefused: the text is of no such form.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        _require_url(text)
        return super().__new__(cls, text)

    @property
    def scheme(self) -> str:
        """``https``, ``ssh`` or ``file``."""
        return self.partition("://")[0]

    @property
    def host(self) -> str:
        """The host without user and port; empty for a file URL."""
        return self.split("/", 3)[2].rpartition("@")[2].partition(":")[0]

    @property
    def path(self) -> str:
        """The path from the first ``/`` on."""
        return "/" + self.split("/", 3)[3]

    @property
    def identity(self) -> str:
        """What all spellings of this repository's URL have in common, such as ``github.com/louischua/openllm``."""
        return identity_of(self) or str(self)


class HostUrl(str):
    """A server by itself: ``https://`` and a host in lower case, perhaps with a port; no path, and no credentials.

    Raises:
        NameRefused: the text is of no such form.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        require_plain(text, "the URL of a host")
        scheme, _, authority = text.removesuffix("/").partition("://")
        if scheme != "https" or "/" in authority:
            raise _refused(
                text, "is not the URL of a host; write https:// and its name, such as https://hub.example.com"
            )
        _require_net(text, scheme, authority, "/owner/name")
        return super().__new__(cls, text.removesuffix("/"))


class RepoId(str):
    """A repository on GitHub or the Hugging Face Hub: ``owner/name``.

    Raises:
        NameRefused: the text is not two names of letters, digits and ``._-`` with one ``/`` between them.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text; see the class."""
        require_plain(text, "a repository id")
        owner, slash, name = text.partition("/")
        if not slash or not _is_slug(owner) or not _is_slug(name) or name.endswith(".git") or owner in _HUB_FOLDERS:
            raise NameRefused(
                f"{quoted(text)} is not a repository id; write owner/name, such as lemms/openllm: letters, digits and"
                " ._-, without a URL in front or '.git' behind"
            )
        return super().__new__(cls, text)

    def github_url(self) -> RepoUrl:
        """Return the URL of this repository on GitHub."""
        return RepoUrl(f"https://{_GITHUB}/{self}")

    def space_url(self, hub: HostUrl | None = None) -> RepoUrl:
        """Return the URL of this Space on the Hub, or on a Hub of one's own."""
        return RepoUrl(f"{hub or HUB_HOST}/spaces/{self}")

    def model_url(self, hub: HostUrl | None = None) -> RepoUrl:
        """Return the URL of this model on the Hub, or on a Hub of one's own."""
        return RepoUrl(f"{hub or HUB_HOST}/{self}")

    def dataset_url(self, hub: HostUrl | None = None) -> RepoUrl:
        """Return the URL of this dataset on the Hub, or on a Hub of one's own."""
        return RepoUrl(f"{hub or HUB_HOST}/datasets/{self}")


def identity_of(text: str) -> str | None:
    """Return the normal form of any URL that git may have in its configuration, or None where it names no fixed place.

    Scheme, user, default port, trailing ``/`` and ``.git``, and the case of the host do not count; hf.co is
    huggingface.co. ``git@host:path`` is read as git does; absolute paths are file URLs. Nothing is checked or raised.
    """
    if text.startswith("/"):
        return _file_identity(text)
    if parts := _URL.fullmatch(text):
        scheme = parts["scheme"].lower()
        if scheme == "file":
            return _file_identity(parts["path"]) if parts["authority"] in ("", "localhost") else None
        if scheme not in _DEFAULT_PORTS:
            return None
        host, _, port = parts["authority"].rpartition("@")[2].partition(":")
        return _net_identity(host, "" if port == _DEFAULT_PORTS[scheme] else port, parts["path"])
    if "::" not in text and (parts := _SCP.fullmatch(text)):
        return _net_identity(parts["host"], "", parts["path"])
    return None


def _file_identity(path: str) -> str | None:
    folder = path.rstrip("/").removesuffix("/.git").rstrip("/")
    return f"file://{folder}" if folder else None


def _net_identity(host: str, port: str, path: str) -> str | None:
    host = _SAME_HOST.get(host.lower(), host.lower())
    place = path.strip("/").removesuffix(".git").rstrip("/")
    if not host or not place:
        return None
    if host == _GITHUB:
        return f"{host}/{place.lower()}"
    return f"{host}:{port}/{place}" if port and host != _HUB else f"{host}/{place}"


def _is_slug(name: str) -> bool:
    return _SLUG.fullmatch(name) is not None and ".." not in name


def _refused(text: str, why: str) -> NameRefused:
    # Whatever stands before the last '@' may be a secret, however oddly it is written.
    head, at, rest = text.rpartition("@")
    return NameRefused(f"{quoted(head.partition('://')[0] + '://***@' + rest if at and '://' in head else text)} {why}")


def _require_url(text: str) -> None:
    try:
        require_plain(text, "a URL")
    except NameRefused:
        if "@" in text:
            raise _refused(text, "is not plain visible text; a URL holds no control or invisible character") from None
        raise
    if "::" in text or any(char in text for char in "$%\\?#"):
        raise _refused(text, "holds '::' or one of $ % \\ ? #; write it without variables, escapes and queries")
    parts = _URL.fullmatch(text)
    if parts is None or parts["scheme"] not in ("https", "ssh", "file"):
        short = _SCP.fullmatch(text)
        forms = f"ssh://git@{short['host']}/{short['path'].lstrip('/')}" if short and parts is None else _FORMS
        raise _refused(text, f"is not a URL that is allowed here; write {forms}")
    if parts["scheme"] == "file":
        _require_file(text, parts["authority"], parts["path"])
    else:
        _require_net(text, parts["scheme"], parts["authority"], parts["path"])


def _require_file(text: str, authority: str, path: str) -> None:
    if authority:
        raise _refused(text, "names a host; a file URL starts with three slashes: file:///folder/repository")
    names = path.strip("/").split("/")
    drive = names[:1] if _DRIVE.fullmatch(names[0]) else []
    if path.startswith("//") or any(
        name in (".", "..") or ":" in name or _FILE_PART.fullmatch(name) is None for name in names[len(drive) :]
    ):
        raise _refused(
            text,
            "has a part that is empty, '.' or '..', starts with '-', or holds a quote or one of *<>|;&; rename it",
        )
    if len(names) < 2 and not names[0].endswith(".git"):
        raise _refused(text, "is not a repository in a folder; write file:///folder/repository, or end it in .git")


def _require_net(text: str, scheme: str, authority: str, path: str) -> None:
    user, at, place = authority.rpartition("@")
    if at and (scheme != "ssh" or _USER.fullmatch(user) is None):
        raise _refused(text, "holds credentials; leave them out: git asks its credential helper")
    host, colon, port = place.partition(":")
    if _HOST.fullmatch(host) is None:
        raise _refused(text, "has no proper host; write it in lower case, such as github.com")
    if colon and (_PORT.fullmatch(port) is None or int(port) > _LAST_PORT):
        raise _refused(text, f"has no proper port; one is a number from 1 to {_LAST_PORT}")
    names = path.strip("/").split("/")
    if (
        path.startswith("//")
        or path.endswith("//")
        or any(name in (".", "..") or _NET_PART.fullmatch(name) is None for name in names)
    ):
        raise _refused(text, "has no proper path; its parts hold letters, digits and ._~+@=,- and are not '.' or '..'")
    for known in _KNOWN:
        if host == known:
            _require_known(text, host, colon, names)
        elif known in host and not host.endswith(f".{known}"):
            raise _refused(text, f"only looks like {known}; write the host that is meant")


def _require_known(text: str, host: str, colon: str, names: list[str]) -> None:
    if colon:
        raise _refused(text, f"gives a port; {host} has none of its own")
    if host != _GITHUB and names[0] in _HUB_FOLDERS:
        names = names[1:]
    *owner, name = names
    if len(owner) != 1 or not _is_slug(owner[0]) or not _is_slug(name.removesuffix(".git")) or owner[0] in _HUB_FOLDERS:
        form = "owner/name" if host == _GITHUB else "owner/name, spaces/owner/name or datasets/owner/name"
        raise _refused(text, f"is not a repository on {host}; its path is {form}")


HUB_HOST = HostUrl(f"https://{_HUB}")
GITHUB_HOST = HostUrl(f"https://{_GITHUB}")
