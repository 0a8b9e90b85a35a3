"""Which Hub and which GitHub are meant, and so which hosts a token belongs to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from openllm_repos.errors import UsageError
from openllm_repos.hub.model import HubRepo, HubType
from openllm_repos.names.url import GITHUB_HOST, HUB_HOST, HostUrl, RepoId, identity_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FOLDERS = {"spaces": HubType.SPACE, "datasets": HubType.DATASET}


def hub_endpoint(named: HostUrl | None = None, environ: Mapping[str, str] | None = None) -> str:
    """Return the Hub to ask: `HF_ENDPOINT` of the environment, else the manifest's, else huggingface.co.

    Args:
        named: what the manifest names as its Hub.
        environ: the environment (default: this process's own).

    Raises:
        UsageError: `HF_ENDPOINT` is no URL that a token may be sent to.
    """
    own = os.environ if environ is None else environ
    return _server("HF_ENDPOINT", own) or str(named or HUB_HOST)


def github_server(environ: Mapping[str, str] | None = None) -> str:
    """Return the GitHub that a GitHub token belongs to: `GITHUB_SERVER_URL`, else github.com.

    Raises:
        UsageError: `GITHUB_SERVER_URL` is no URL that a token may be sent to.
    """
    own = os.environ if environ is None else environ
    return _server("GITHUB_SERVER_URL", own) or str(GITHUB_HOST)


def hosts_of(endpoint: str) -> tuple[str, ...]:
    """Return where git may give a token of the service at `endpoint`: its host, and that host's other name."""
    parts = urlsplit(endpoint)
    host = f"{parts.scheme}://{parts.netloc}"
    return (host, "https://hf.co") if host == HUB_HOST else (host,)


def host_of(url: str) -> str:
    """Return the host of any URL that git may know, in the form in which two spellings of it are equal, or ""."""
    return (identity_of(url) or "").partition("/")[0]


def hub_repo(url: str) -> HubRepo | None:
    """Return the repository that a URL on a Hub names, by its path, or None where the path is not of that form."""
    _, *names = (identity_of(url) or "").split("/")
    kind = _FOLDERS.get(names[0], HubType.MODEL) if names else HubType.MODEL
    named = names if kind is HubType.MODEL else names[1:]
    try:
        return HubRepo(kind, RepoId("/".join(named)))
    except UsageError:
        return None


def _server(variable: str, environ: Mapping[str, str]) -> str:
    """Return the URL in a variable without the slash at its end, or "" where it is not set."""
    text = environ.get(variable, "").strip().rstrip("/")
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        host, credentials, _ = parts.hostname, parts.username or parts.password, parts.port
    except ValueError:
        host, credentials, parts = None, None, urlsplit("")
    if not host or parts.query or parts.fragment or parts.scheme not in {"https", "http"}:
        raise UsageError(
            f"{variable} is not the URL of a server.", hint=f"Write https:// and its host, or unset {variable}."
        )
    if credentials:
        raise UsageError(f"{variable} holds credentials.", hint="Leave them out; a token belongs into HF_TOKEN.")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise UsageError(
            f"{variable} names {text}, and over plain http everybody on the way could read the token.",
            hint=f"Write https:// there, or unset {variable}.",
        )
    return text
