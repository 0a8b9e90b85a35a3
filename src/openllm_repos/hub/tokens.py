"""The tokens that a person or a CI job has: looked for in the order of huggingface_hub and of GitHub's own tools.

Nothing is asked of anybody and nothing is written. Where there is no token, git goes on with the person's own
credential helpers, as it would without us.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from openllm_repos.hub import answers
from openllm_repos.hub.failures import Cause, HubRefused
from openllm_repos.hub.model import HubRepo
from openllm_repos.hub.session import Manners, reading, request
from openllm_repos.retry import NEVER, RetryPolicy

_EARLY = 300.0  # seconds before its end at which a short-lived token is exchanged again
_LIFETIME = 3600.0  # seconds that such a token lives where the Hub does not say
_DEADLINE = 10.0
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - the name of a form
_DOCUMENTATION = "https://huggingface.co/docs/hub/trusted-publishers"


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and where it was found.

    Attributes:
        value: the token; it shows in no message.
        origin: for people: ``HF_TOKEN``, ``the file ~/.cache/huggingface/token``, ``trusted publishing``.
    """

    value: str = field(repr=False)
    origin: str


def hub_token(environ: Mapping[str, str] | None = None) -> Token | None:
    """Return the Hub token that huggingface_hub would take, or None where the person is not logged in.

    The order is that of ``huggingface_hub.get_token``, of which this calls the part that costs: a token of `hf auth
    login` that is about to end is renewed there. Trusted publishing stands apart, since it has a token for each
    repository: :class:`TrustedPublishing`.
    """
    own = os.environ if environ is None else environ
    variable = "HF_TOKEN" if own.get("HF_TOKEN") else "HUGGING_FACE_HUB_TOKEN"
    if value := _clean(own.get(variable, "")):
        return Token(value, variable)
    place = _token_file(own)
    try:
        written = _clean(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    if not written:
        return None
    if environ is None and (place.parent / "stored_tokens").exists():
        from huggingface_hub import get_token

        written = get_token() or written
    return Token(written, f"the file {place}")


def github_token(environ: Mapping[str, str] | None = None) -> Token | None:
    """Return the GitHub token in the environment, or None: then git asks the person's own credential helpers.

    The order is that of GitHub's own command line.
    """
    own = os.environ if environ is None else environ
    for variable in ("GH_TOKEN", "GITHUB_TOKEN"):
        if value := _clean(own.get(variable, "")):
            return Token(value, variable)
    return None


class TrustedPublishing:
    """Tokens without a stored secret: a CI job proves who it is, and gets one that lives an hour, for each repository.

    Args:
        endpoint: the Hub that exchanges them.
        environ: the environment (default: this process's own).
        retry: how patient to be.
    """

    def __init__(self, endpoint: str, environ: Mapping[str, str] | None = None, *, retry: RetryPolicy = NEVER) -> None:
        self._endpoint = endpoint
        self._manners = Manners(_DEADLINE, retry, follow=False)
        self._environ = os.environ if environ is None else environ
        self._lock = threading.Lock()
        self._locks: dict[HubRepo, threading.Lock] = {}
        self._made: dict[HubRepo, tuple[float, Token]] = {}

    @property
    def wanted(self) -> bool:
        """Whether the job says that it wants this rather than any stored token, as huggingface_hub reads it."""
        return bool(self._environ.get("HF_OIDC_RESOURCE"))

    @property
    def offered(self) -> bool:
        """Whether the job can prove who it is."""
        own = self._environ
        return bool(own.get("HF_OIDC_ID_TOKEN")) or (
            own.get("GITHUB_ACTIONS") == "true"
            and bool(own.get("ACTIONS_ID_TOKEN_REQUEST_URL"))
            and bool(own.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
        )

    def token(self, repo: HubRepo) -> Token:
        """Return the token for one repository; exchanged once, and again before it ends.

        Raises:
            HubError: the job cannot prove who it is, or the Hub does not take it.
        """
        with self._lock:
            own = self._locks.setdefault(repo, threading.Lock())
        with own:
            until, made = self._made.get(repo, (0.0, None))
            if made is None or time.monotonic() >= until:
                until, made = self._exchange(repo)
                self._made[repo] = until, made
            return made

    def _exchange(self, repo: HubRepo) -> tuple[float, Token]:
        """Return a fresh token and when to exchange it again (by the monotonic clock)."""
        now = time.monotonic()
        body = {
            "grant_type": _GRANT,
            "subject_token_type": _ID_TOKEN,
            "subject_token": self._proof(),
            "resource": repo.resource,
        }
        about = f"trusted publishing to the {repo}"
        try:
            url = f"{self._endpoint}/oauth/token"
            answer = request("POST", url, about=about, json=body, manners=self._manners)
            with reading(url, about):
                value, lifetime = answers.token(answer.json())
        except HubRefused as why:
            raise HubRefused(
                Cause.BAD_TOKEN,
                f"The Hub does not take this CI job for a trusted publisher of the {repo}: {why.said or why.message}.",
                # Without a branch: a job that a tag starts has none.
                hint=f"Name its repository and workflow, and no branch, in {self._endpoint}/{repo.resource}/settings"
                f" (see {_DOCUMENTATION})",
            ) from None
        return now + max(0.0, (lifetime or _LIFETIME) - _EARLY), Token(value, "trusted publishing")

    def _proof(self) -> str:
        """Return what the CI system says of this job, signed by it, for the Hub alone."""
        own = self._environ
        if given := own.get("HF_OIDC_ID_TOKEN"):
            return _clean(given)
        if not self.offered:
            raise HubRefused(
                Cause.NO_TOKEN,
                "This job cannot prove who it is, though HF_OIDC_RESOURCE asks for trusted publishing.",
                hint="On GitHub Actions give the job: permissions: id-token: write   Elsewhere set HF_OIDC_ID_TOKEN.",
            )
        url = own["ACTIONS_ID_TOKEN_REQUEST_URL"]
        url += ("&" if "?" in url else "?") + urlencode({"audience": self._endpoint})
        bearer = own["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
        about = "the proof of who this job is"
        answer = request("GET", url, about=about, token=bearer, manners=self._manners)
        with reading(url, about):
            return answers.proof(answer.json())


def _clean(text: str) -> str:
    """Return a token without the line ends that copying brings along, as huggingface_hub does."""
    return text.replace("\r", "").replace("\n", "").strip()


def _token_file(environ: Mapping[str, str]) -> Path:
    """Return where `hf auth login` keeps the token, as huggingface_hub finds it."""
    if named := environ.get("HF_TOKEN_PATH"):
        return Path(os.path.expandvars(named)).expanduser()
    cache = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "~", ".cache"))
    home = environ.get("HF_HOME") or str(cache / "huggingface")
    return Path(os.path.expandvars(home)).expanduser() / "token"
