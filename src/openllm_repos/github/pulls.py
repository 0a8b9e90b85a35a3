"""Pull requests through GitHub's REST API: two requests, with Python's own HTTP client.

A request never follows an answer elsewhere, so a token reaches the host it is for and no other; it stands in a header.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from openllm_repos.errors import Passing, ReposError, UsageError
from openllm_repos.names.ref import BranchName
from openllm_repos.names.url import RepoId
from openllm_repos.retry import NEVER, RetryPolicy, TimeIsUp, next_step, passing_status, within

DEADLINE = 15.0  # seconds for each piece of an answer
_TOTAL = 45.0  # seconds for all of it
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_WORDS = 300
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


def open_pull(api: str, token: str, pull: PullRequest, *, retry: RetryPolicy = NEVER) -> str:
    """Open a pull request, or find the one that is open for the same branches; return its page.

    Args:
        api: the REST API.
        token: who asks.
        pull: what to open.
        retry: how patient to be.

    Raises:
        GitHubRefused: there is none, and none could be opened.
    """
    owner = str(pull.repo).partition("/")[0]
    asked = urlencode({"state": "open", "head": f"{owner}:{pull.head}", "base": pull.base})
    said = {"title": pull.title, "body": pull.body, "head": pull.head, "base": pull.base}
    pulls = f"{api}/repos/{pull.repo}/pulls"

    def find_or_open() -> str:
        """Look first, each time: what was opened and not answered is found, not opened twice."""
        for one in _rows(_request("GET", f"{pulls}?{asked}", token, None)):
            if _same(one, pull):
                return _page(one)
        return _page(_request("POST", pulls, token, said))

    return retry.run(urlsplit(api).netloc, find_or_open)


def _rows(said: object) -> list[object]:
    if not isinstance(said, list):
        raise _not_github()
    return said


def _same(one: object, pull: PullRequest) -> bool:
    if not isinstance(one, dict):
        raise _not_github()
    ends = [one.get(key) for key in ("head", "base")]
    refs = [end.get("ref") if isinstance(end, dict) else None for end in ends]
    return one.get("state") == "open" and refs == [pull.head, pull.base]


def _page(said: object) -> str:
    page = said.get("html_url") if isinstance(said, dict) else None
    if not isinstance(page, str) or not page.startswith(("https://", "http://")):
        raise _not_github()
    return page.encode("utf-8", "replace").decode()


def _not_github() -> GitHubRefused:
    hint = "Check GITHUB_SERVER_URL, GITHUB_API_URL and the network: a proxy may have answered."
    return GitHubRefused("What answers is not GitHub.", hint=hint)


def _request(method: str, url: str, token: str, body: Mapping[str, str] | None) -> object:
    """Make one request, bounded in time and size, and return the JSON that is answered."""
    from http.client import HTTPException

    try:
        status, headers, data = within(_TOTAL, lambda: _exchange(method, url, token, body))
    except TimeIsUp:
        late = Passing("no answer in time", tries=1)
        raise GitHubRefused("GitHub did not answer in time.", passing=late) from None
    except ConnectionRefusedError as error:
        raise GitHubRefused(f"There is no connection to {urlsplit(url).netloc}: {error.strerror}.") from None
    except (OSError, HTTPException, ValueError) as error:
        broken = Passing("the connection broke off", tries=2)
        raise GitHubRefused(f"GitHub gave no answer that could be read: {error}.", passing=broken) from None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if status not in _CREATED:
        passing = passing_status(status, headers)
        hint = "" if passing is None else next_step(urlsplit(url).netloc, passing)
        raise GitHubRefused(f"GitHub said {status}: {_words(found) or 'no reason given'}.", hint=hint, passing=passing)
    if found is None:
        raise _not_github()
    return found


def _words(said: object) -> str:
    """GitHub's own words for a refusal."""
    whole = said if isinstance(said, dict) else {}
    rows = whole.get("errors")
    found = (
        [one.get("message", one.get("code")) for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
    )
    text = "; ".join(one for one in (whole.get("message"), *found) if isinstance(one, str) and one)
    return " ".join(text.encode("utf-8", "replace").decode().split())[:_LONGEST_WORDS]


def _exchange(method: str, url: str, token: str, body: Mapping[str, str] | None) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers by lower-case name, and body."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(url)
    where = f"{parts.path}?{parts.query}" if parts.query else parts.path
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "openllm-repos",
    }
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=DEADLINE)
    try:
        connection.request(method, where, None if body is None else json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        data = answer.read(_LONGEST)
        if answer.length or len(data) == _LONGEST:  # what is still to come
            raise HTTPException("it ended too early, or is too long")
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, data
    finally:
        connection.close()
