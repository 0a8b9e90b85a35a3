"""Pull requests through GitHub's REST API: two requests, with Python's own HTTP client.

A request never follows an answer elsewhere, so a token reaches the host it is for and no other; it stands in a header.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from openllm_repos.errors import ReposError, UsageError
from openllm_repos.names.ref import BranchName
from openllm_repos.names.url import RepoId

if TYPE_CHECKING:
    from http.client import HTTPConnection

DEADLINE = 15.0  # seconds for one answer
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST = 4_000_000  # bytes of an answer
_CREATED = (200, 201)


class GitHubRefused(ReposError):
    """GitHub was asked and said no, or did not answer. What was pushed is there."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What a pull request says, and where.

    Attributes:
        repo: the repository.
        head: the branch that it brings.
        base: the branch that gets it.
        title: one line.
        body: the text below it.
    """

    repo: RepoId
    head: BranchName
    base: BranchName
    title: str
    body: str

    def link(self, server: str) -> str:
        """Return the page on which a person opens it.

        Args:
            server: GitHub's URL, without a slash at its end.
        """
        base, head = quote(self.base, safe="/"), quote(self.head, safe="/")
        return f"{server}/{self.repo}/compare/{base}...{head}?expand=1"


def api_of(server: str, environ: Mapping[str, str] | None = None) -> str:
    """Return where a GitHub's REST API is: `GITHUB_API_URL`, which must be of the same host, or GitHub's own rule.

    Args:
        server: GitHub's URL, without a slash at its end.
        environ: the environment (default: this process's own).

    Raises:
        UsageError: the URL is one that a token may not be sent to.
    """
    named = (os.environ if environ is None else environ).get("GITHUB_API_URL", "").strip().rstrip("/")
    host = urlsplit(server).hostname or ""
    usual = "https://api.github.com" if host == "github.com" else f"{server}/api/v3"
    parts = urlsplit(named or usual)
    own = parts.hostname or ""
    trusted = own == host or own.endswith(f".{host}")
    if parts.username or not trusted or (parts.scheme != "https" and own not in _LOOPBACK):
        raise UsageError(
            f"GITHUB_API_URL does not belong to {server}, and it would get your GitHub token.",
            hint="Unset GITHUB_API_URL, or set GITHUB_SERVER_URL to the same host.",
        )
    return named or usual


def open_pull(api: str, token: str, pull: PullRequest, *, deadline: float = DEADLINE) -> str:
    """Open a pull request, or find the one that is open for the same branches; return its page.

    Args:
        api: the REST API.
        token: who asks.
        pull: what to open.
        deadline: seconds for each answer.

    Raises:
        GitHubRefused: there is none, and none could be opened.
    """
    owner = str(pull.repo).partition("/")[0]
    asked = urlencode({"state": "open", "head": f"{owner}:{pull.head}", "base": pull.base})
    listed = _request("GET", f"{api}/repos/{pull.repo}/pulls?{asked}", token, None, deadline)
    for one in listed if isinstance(listed, list) else []:
        if one.get("state") == "open" and (one["head"]["ref"], one["base"]["ref"]) == (pull.head, pull.base):
            return str(one["html_url"])
    said = {"title": pull.title, "body": pull.body, "head": pull.head, "base": pull.base}
    made = _request("POST", f"{api}/repos/{pull.repo}/pulls", token, said, deadline)
    return str(made["html_url"])


def _request(method: str, url: str, token: str, body: Mapping[str, str] | None, deadline: float) -> Any:  # noqa: ANN401 - as JSON is
    """Make one request and return what the answer holds."""
    from http.client import HTTPException

    parts = urlsplit(url)
    where = f"{parts.path}?{parts.query}" if parts.query else parts.path
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "openllm-repos",
    }
    try:
        connection = _connection(parts.scheme, parts.netloc, deadline)
        try:
            connection.request(method, where, None if body is None else json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            data, status = answer.read(_LONGEST), answer.status
            if answer.length:  # what is still to come
                raise HTTPException("it ended too early, or is too long")
        finally:
            connection.close()
        found = json.loads(data)
    except (OSError, HTTPException, ValueError) as error:
        raise GitHubRefused(f"GitHub gave no answer that could be read: {error}.") from None
    if status not in _CREATED:
        reasons = found.get("errors") if isinstance(found, dict) else None
        words = [found.get("message", "")] if isinstance(found, dict) else []
        words += [str(one.get("message", one.get("code", ""))) for one in reasons or [] if isinstance(one, dict)]
        raise GitHubRefused(f"GitHub said {status}: {'; '.join(word for word in words if word) or 'no reason given'}.")
    return found


def _connection(scheme: str, host: str, deadline: float) -> HTTPConnection:
    from http.client import HTTPConnection, HTTPSConnection

    return HTTPSConnection(host, timeout=deadline) if scheme == "https" else HTTPConnection(host, timeout=deadline)
