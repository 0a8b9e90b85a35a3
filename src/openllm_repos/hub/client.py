"""Asks the Hub: a deadline for every answer, and every failure as one sentence with the next step."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from openllm_repos.errors import NameRefused
from openllm_repos.hub.failures import Cause, HubError, HubRefused, HubUnreachable
from openllm_repos.hub.model import (
    Account,
    CardReport,
    HubInfo,
    HubRefs,
    HubRepo,
    HubType,
    Runtime,
    Stage,
    WriteAccess,
)
from openllm_repos.hub.session import Manners, request, streamed
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from openllm_repos.text import show

CONNECTIONS = 16
DEADLINE = 10.0  # seconds that one answer may take
PATIENCE = 60.0  # seconds that a call waits in all, where the Hub says "too many requests"
_CREATIONS = 4  # how often a creation is tried that another one is in the way of
_CREATION_PAUSE = 1.0
_LOG_SILENCE = 2.0  # seconds without a further line after which a log is taken to be read

Tokens = Callable[[HubRepo | None], str | None]
"""Gives the token for a repository, or for questions about no repository; None is "ask without"."""


class HubClient:
    """The Hub at one endpoint, asked with a token. Threads may share one.

    Args:
        endpoint: such as ``https://huggingface.co``; see :func:`openllm_repos.hub.endpoint.hub_endpoint`.
        token: a token, None to ask without, or a function that gives one for each repository (trusted publishing).
        deadline: seconds to connect, and again for an answer.
        patience: seconds to wait in all where the Hub limits the rate of requests; 0 to give up at once.
        told: gets a line for people before each such wait.

    Every method raises :class:`~openllm_repos.hub.failures.HubError` where the Hub does not do what it is asked.
    """

    def __init__(
        self,
        endpoint: str,
        token: str | Tokens | None = None,
        *,
        deadline: float = DEADLINE,
        patience: float = PATIENCE,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.endpoint = endpoint
        self._tokens: Tokens = token if callable(token) else lambda _: token
        self._manners = Manners(deadline, patience, told)
        self._account: Account | None = None
        self._asking = threading.Lock()

    def whoami(self) -> Account:
        """Return whose token it is. Asked once: the Hub limits this call more than others."""
        with self._asking:
            if self._account is None:
                if self._tokens(None) is None:
                    raise HubRefused(
                        Cause.NO_TOKEN,
                        "There is no token for the Hub.",
                        hint="Log in: hf auth login   In CI: HF_TOKEN.",
                    )
                said = self._ask("GET", "/api/whoami-v2", about="the owner of the token")
                self._account = _account(said)
            return self._account

    def info(self, repo: HubRepo, *, only: Sequence[str] = ()) -> HubInfo:
        """Return what the Hub knows of a repository.

        Args:
            repo: the repository.
            only: the Hub's names of what is wanted, such as ``lastModified``; the whole holds every file's name too.
        """
        asked = f"?{'&'.join(f'expand={key}' for key in only)}" if only else ""
        said = self._ask("GET", f"/api/{repo.api}{asked}", repo)
        runtime = said.get("runtime")
        return HubInfo(
            tip=_commit(said.get("sha")),
            private=bool(said.get("private")),
            gated=bool(said.get("gated")),
            changed=_time(said.get("lastModified")),
            sdk=said.get("sdk"),
            runtime=_runtime(runtime) if isinstance(runtime, dict) else None,
        )

    def refs(self, repo: HubRepo) -> HubRefs:
        """Return the branches and tags of a repository."""
        said = self._ask("GET", f"/api/{repo.api}/refs", repo)
        return HubRefs(_refs(said.get("branches")), _refs(said.get("tags")))

    def history(self, repo: HubRepo, commit: ObjectId) -> tuple[tuple[ObjectId, ...], bool]:
        """Return the newest commits of a history, that commit first, and whether these are all of them."""
        url, about = f"{self.endpoint}/api/{repo.api}/commits/{commit}", f"the {repo}"
        answer = request("GET", url, about=about, token=self._tokens(repo), manners=self._manners)
        try:
            rows = answer.json()
        except ValueError:
            rows = None
        if not isinstance(rows, list):
            raise self._not_the_hub(about)
        found = (_commit(row.get("id")) for row in rows if isinstance(row, dict))
        return tuple(one for one in found if one is not None), 'rel="next"' not in answer.headers.get("link", "")

    def all_refs(self, repos: Sequence[HubRepo]) -> Mapping[HubRepo, HubRefs | HubError]:
        """Ask for the refs of many repositories at once; a repository that fails is an answer too."""

        def one(repo: HubRepo) -> HubRefs | HubError:
            try:
                return self.refs(repo)
            except HubError as why:
                return why

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return dict(zip(repos, pool.map(one, repos), strict=True))

    def write_access(self, repo: HubRepo) -> WriteAccess:
        """Say whether a repository can be written, before any work is done for it.

        Raises:
            HubUnreachable: the Hub did not say.
        """
        try:
            if self._tokens(repo) is None:
                hint = "Log in: hf auth login   In CI: set HF_TOKEN, or let the job use trusted publishing."
                return WriteAccess(allowed=False, why=f"There is no token to write to the {repo} with.", hint=hint)
            self._ask("GET", f"/api/{repo.api}/auth-check/write", repo)
        except HubRefused as why:
            return self._not_writable(repo, why)
        return WriteAccess(allowed=True)

    def _not_writable(self, repo: HubRepo, why: HubRefused) -> WriteAccess:
        """Say why a repository cannot be written; a token that can only read is the reason that is seen most."""
        exists = why.cause is not Cause.NOT_FOUND
        if why.cause is not Cause.NOT_ALLOWED:
            return WriteAccess(allowed=False, exists=exists, why=why.message, hint=why.hint)
        try:
            account = self.whoami()
        except HubError:
            return WriteAccess(allowed=False, why=why.message, hint=why.hint)
        may = "can only read" if account.role == "read" else f"(role {account.role}) cannot write there"
        message = f"The token of {account.name} {may}, so the {repo} cannot be written."
        return WriteAccess(allowed=False, why=show(message), hint=why.hint)

    def create_repo(self, repo: HubRepo, *, private: bool | None = None, sdk: str | None = None) -> str:
        """Create a repository and return its URL. One that exists is an error (cause `EXISTS`).

        Args:
            repo: what to create.
            private: whether only its owners see it; None leaves that to the owner's own setting.
            sdk: of a Space, and only there: gradio, docker or static.
        """
        owner, _, name = repo.id.partition("/")
        body = {"name": name, "organization": owner, "type": str(repo.type)}
        if private is not None:
            body["visibility"] = "private" if private else "public"
        if sdk is not None:
            body["sdk"] = sdk
        for _ in range(_CREATIONS):
            try:
                made = self._ask("POST", "/api/repos/create", repo, json=body)
                return str(made.get("url") or f"{self.endpoint}/{repo.resource}")
            except HubRefused as why:
                if why.cause is not Cause.EXISTS or self._exists(repo):
                    raise
                time.sleep(_CREATION_PAUSE)
        message = f"The Hub is creating something else for {owner}, and {repo} waits for that."
        raise HubUnreachable(Cause.LIMITED, message, hint="Run this again in a minute.")

    def _exists(self, repo: HubRepo) -> bool:
        """Whether a conflict means that it is there; the Hub also creates only one repository of a user at a time."""
        try:
            self.info(repo)
        except HubRefused as why:
            return why.cause not in {Cause.NOT_FOUND, Cause.NO_TOKEN}
        return True

    def create_tag(self, repo: HubRepo, tag: TagName, commit: ObjectId, *, message: str = "") -> None:
        """Create a tag at a commit; annotated if there is a message. One that exists is an error (cause `EXISTS`).

        It is never moved: where it exists, look with :meth:`refs` where it leads.
        """
        body = {"tag": str(tag)} | ({"message": message} if message else {})
        self._ask("POST", f"/api/{repo.api}/tag/{commit}", repo, about=f"the tag {tag} of the {repo}", json=body)

    def check_card(self, readme: str, kind: HubType) -> CardReport:
        """Let the Hub's own validator look at the text of a README.md."""
        body = {"content": readme, "repoType": str(kind)}
        said = self._ask("POST", "/api/validate-yaml", about="the README.md", json=body, ok=(400,))
        if "error" in said:  # of the question, not of the card: that is no verdict
            message = f"The Hub does not judge the README.md: {show(str(said['error']))[:300]}."
            raise HubUnreachable(Cause.SERVER, message, hint="It may pass: run this again.")
        return CardReport(_messages(said.get("errors")), _messages(said.get("warnings")))

    def runtime(self, space: HubRepo) -> Runtime:
        """Return what a Space is doing."""
        return _runtime(self._ask("GET", f"/api/{space.api}/runtime", space))

    def build_log(self, space: HubRepo, *, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines of a Space's build log, as many as there are."""
        return self._log(space, "build", lines)

    def run_log(self, space: HubRepo, *, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines that a Space's app printed."""
        return self._log(space, "run", lines)

    def _log(self, space: HubRepo, which: str, lines: int) -> tuple[str, ...]:
        """Read a log: events whose data is JSON with one line each. It may go on for ever; what is there is enough."""
        kept: deque[str] = deque(maxlen=lines)
        url, end = f"{self.endpoint}/api/{space.api}/logs/{which}", time.monotonic() + self._manners.deadline
        silence = min(_LOG_SILENCE, self._manners.deadline)
        about = f"the {which} log of the {space}"
        with streamed(url, about=about, token=self._tokens(space), deadline=silence) as events:
            for event in events:
                kept.extend(_log_lines(event))
                if time.monotonic() > end:
                    break
        return tuple(kept)

    def _ask(
        self,
        method: str,
        path: str,
        repo: HubRepo | None = None,
        *,
        about: str = "",
        json: Mapping[str, object] | None = None,
        ok: Sequence[int] = (),
    ) -> dict[str, Any]:
        """Make one request and return the object that the Hub answers with."""
        about = about or f"the {repo}"
        answer = request(
            method,
            f"{self.endpoint}{path}",
            about=about,
            token=self._tokens(repo),
            json=json,
            ok=ok,
            manners=self._manners,
        )
        try:
            said = answer.json() if answer.content else {}
        except ValueError:
            said = None
        if not isinstance(said, dict):
            if path.endswith("/auth-check/write"):
                return {}  # only its status counts
            raise self._not_the_hub(about)
        return said

    def _not_the_hub(self, about: str) -> HubUnreachable:
        message = f"What answers at {self.endpoint} about {about} is not the Hub."
        return HubUnreachable(
            Cause.SERVER, message, hint="Check HF_ENDPOINT, and the network: a proxy may have answered."
        )


def _account(said: Mapping[str, Any]) -> Account:
    token = (said.get("auth") or {}).get("accessToken") or {}
    names = [str(one.get("name")) for one in said.get("orgs") or [] if isinstance(one, dict)]
    return Account(str(said.get("name", "")), str(token.get("role") or "unknown"), tuple(names))


def _refs(said: object) -> dict[str, ObjectId]:
    """Return short names and commits; what has another form is no ref of ours."""
    found = {}
    for one in said if isinstance(said, list) else []:
        commit = _commit(one.get("targetCommit")) if isinstance(one, dict) else None
        if commit is not None:
            found[str(one.get("name"))] = commit
    return found


def _runtime(said: Mapping[str, Any]) -> Runtime:
    word = str(said.get("stage", ""))
    stage = Stage(word) if word in Stage.__members__ else Stage.UNKNOWN
    return Runtime(stage, show(word), _commit(said.get("sha")), show(str(said.get("errorMessage") or "")))


def _commit(said: object) -> ObjectId | None:
    try:
        return ObjectId(said) if isinstance(said, str) else None
    except NameRefused:
        return None


def _time(said: object) -> datetime | None:
    try:
        return datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None


def _messages(said: object) -> tuple[str, ...]:
    rows = said if isinstance(said, list) else []
    return tuple(show(str(row.get("message", ""))) for row in rows if isinstance(row, dict))


def _log_lines(event: str) -> list[str]:
    """Return the lines that one line of an event stream holds: none, mostly one."""
    if not event.startswith("data:"):
        return []
    try:
        said = json.loads(event.removeprefix("data:"))
    except ValueError:
        return []
    text = said.get("data") if isinstance(said, dict) else None
    return [show(line) for line in str(text).splitlines()] if text else []
