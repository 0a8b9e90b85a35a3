"""Asks the Hub: a deadline for every answer, and every failure as one sentence with the next step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from openllm_repos.hub import answers
from openllm_repos.hub.failures import NO_TOKEN, Cause, HubError, HubRefused, HubUnreachable
from openllm_repos.hub.model import (
    Account,
    CardReport,
    HubInfo,
    HubRefs,
    HubRepo,
    HubType,
    Runtime,
    WriteAccess,
)
from openllm_repos.hub.session import Manners, host_of_url, log, once, reading, request
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from openllm_repos.retry import NEVER, RetryPolicy, pause
from openllm_repos.text import show

CONNECTIONS = 16
DEADLINE = 10.0  # seconds that one answer may take
_CREATIONS = 4  # how often a creation is tried that another one is in the way of
_CREATION_PAUSE = 1.0
_LOG_SILENCE = 2.0  # seconds without a further line after which a log is taken to be read
_T = TypeVar("_T")

Tokens = Callable[[HubRepo | None], str | None]
"""Gives the token for a repository, or for questions about no repository; None is "ask without"."""


class HubClient:
    """The Hub at one endpoint, asked with a token. Threads may share one.

    Args:
        endpoint: such as ``https://huggingface.co``; see :func:`openllm_repos.hub.endpoint.hub_endpoint`.
        token: a token, None to ask without, or a function that gives one for each repository (trusted publishing).
        deadline: seconds to connect, and again for an answer.
        retry: how patient to be where it may pass.
        another: says what to do where the token is not taken: where it was found decides where another one goes.

    Every method raises :class:`~openllm_repos.hub.failures.HubError` where the Hub does not do what it is asked.
    """

    def __init__(
        self,
        endpoint: str,
        token: str | Tokens | None = None,
        *,
        deadline: float = DEADLINE,
        retry: RetryPolicy = NEVER,
        another: Callable[[], str] = lambda: "",
    ) -> None:
        self.endpoint = endpoint
        self._another = another
        self._tokens: Tokens = token if callable(token) else lambda _: token
        self._manners = Manners(deadline, retry)
        self._account: Account | None = None
        self._asking = threading.Lock()

    def whoami(self) -> Account:
        """Return whose token it is. Asked once: the Hub limits this call more than others."""
        with self._asking:
            if self._account is None:
                if self._tokens(None) is None:
                    raise HubRefused(Cause.NO_TOKEN, "There is no token for the Hub.", hint=NO_TOKEN)
                self._account = self._ask("GET", "/api/whoami-v2", answers.account, about="the owner of the token")
            return self._account

    def info(self, repo: HubRepo, *, only: Sequence[str] = ()) -> HubInfo:
        """Return what the Hub knows of a repository.

        Args:
            repo: the repository.
            only: the Hub's names of what is wanted, such as ``lastModified``; the whole holds every file's name too.
        """
        asked = f"?{'&'.join(f'expand={key}' for key in only)}" if only else ""
        return self._ask("GET", f"/api/{repo.api}{asked}", answers.info, repo)

    def refs(self, repo: HubRepo) -> HubRefs:
        """Return the branches and tags of a repository."""
        return self._ask("GET", f"/api/{repo.api}/refs", answers.refs, repo)

    def history(self, repo: HubRepo, commit: ObjectId) -> tuple[tuple[ObjectId, ...], bool]:
        """Return the newest commits of a history, that commit first, and whether these are all of them."""
        url, about = f"{self.endpoint}/api/{repo.api}/commits/{commit}", f"the {repo}"
        answer = request("GET", url, about=about, token=self._tokens(repo), manners=self._manners)
        with reading(url, about):
            return answers.history(answer.json()), not answer.next

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
                return WriteAccess(allowed=False, why=f"There is no token to write to the {repo} with.", hint=NO_TOKEN)
            url, token = f"{self.endpoint}/api/{repo.api}/auth-check/write", self._tokens(repo)
            request("GET", url, about=f"the {repo}", token=token, manners=self._manners)  # only its status counts
        except HubRefused as why:
            return self._not_writable(repo, why)
        return WriteAccess(allowed=True)

    def _not_writable(self, repo: HubRepo, why: HubRefused) -> WriteAccess:
        """Say why a repository cannot be written; a token that can only read is the reason that is seen most."""
        exists = why.cause is not Cause.NOT_FOUND
        if why.cause is not Cause.NOT_ALLOWED:
            another = self._another() if why.cause is Cause.BAD_TOKEN else ""
            return WriteAccess(allowed=False, exists=exists, why=why.message, hint=another or why.hint)
        try:
            account = self.whoami()
        except HubError:
            return WriteAccess(allowed=False, why=why.message, hint=why.hint)
        owner = repo.id.partition("/")[0]
        role = account.organizations.get(owner, "")
        members = f"{self.endpoint}/organizations/{owner}/settings/members"
        hint = why.hint
        if account.role == "read":
            message = f"The token of {account.name} can only read."
        elif role in {"read", "contributor"}:
            message = f"{account.name} has the role {role} in the organization {owner}."
            hint = f"Ask an admin of {owner} for the role write: {members}"
        elif account.role == "write" and not role and owner.lower() != account.name.lower():
            message = f"{account.name} is not a member of {owner}."
            hint = f"Log in as somebody who is, or ask an admin of {owner}: {members}"
        else:
            message = f"The token of {account.name} (role {account.role}) cannot write there."
        return WriteAccess(allowed=False, why=show(message), hint=hint)

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
        usual = f"{self.endpoint}/{repo.resource}"
        for _ in range(_CREATIONS):
            try:
                return self._change("/api/repos/create", lambda said: answers.created(said, usual), repo, json=body)
            except HubRefused as why:
                if why.cause is not Cause.EXISTS or self._exists(repo):
                    raise
                pause(_CREATION_PAUSE)
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
        about = f"the tag {tag} of the {repo}"
        self._change(f"/api/{repo.api}/tag/{commit}", lambda _: None, repo, about=about, json=body)

    def check_card(self, readme: str, kind: HubType) -> CardReport:
        """Let the Hub's own validator look at the text of a README.md."""
        body = {"content": readme, "repoType": str(kind)}
        return self._ask("POST", "/api/validate-yaml", answers.card, about="the README.md", json=body, ok=(400,))

    def runtime(self, space: HubRepo) -> Runtime:
        """Return what a Space is doing."""
        return self._ask("GET", f"/api/{space.api}/runtime", answers.runtime, space)

    def build_log(self, space: HubRepo, *, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines of a Space's build log, as many as there are."""
        return self._log(space, "build", lines)

    def run_log(self, space: HubRepo, *, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines that a Space's app printed."""
        return self._log(space, "run", lines)

    def _log(self, space: HubRepo, which: str, lines: int) -> tuple[str, ...]:
        """Read a log: events whose data is JSON with one line each. It may go on for ever; what is there is enough."""
        url, about = f"{self.endpoint}/api/{space.api}/logs/{which}", f"the {which} log of the {space}"
        deadline = self._manners.deadline
        silence = min(_LOG_SILENCE, deadline)
        events = log(url, about=about, token=self._tokens(space), seconds=deadline, silence=silence)
        found = [line for event in events for line in answers.log_lines(event)]
        return tuple(found[-lines:]) if lines else ()

    def _ask(
        self,
        method: str,
        path: str,
        parse: Callable[[object], _T],
        repo: HubRepo | None = None,
        *,
        about: str = "",
        json: Mapping[str, object] | None = None,
        ok: Sequence[int] = (),
    ) -> _T:
        """Ask something that changes nothing, and return what a parser makes of the answer."""
        about = about or f"the {repo}"
        url, token = f"{self.endpoint}{path}", self._tokens(repo)
        answer = request(method, url, about=about, token=token, json=json, ok=ok, manners=self._manners)
        with reading(url, about):
            return parse(answer.json())

    def _change(
        self,
        path: str,
        parse: Callable[[object], _T],
        repo: HubRepo,
        *,
        about: str = "",
        json: Mapping[str, object],
    ) -> _T:
        """Change something. Only where the Hub did not even look at it (429) is that tried again."""
        about = about or f"the {repo}"
        url, token = f"{self.endpoint}{path}", self._tokens(repo)

        def work() -> _T:
            try:
                answer = once("POST", url, about=about, token=token, json=json, manners=self._manners)
            except HubError as why:
                why.passing = why.passing if why.cause is Cause.LIMITED else None
                raise
            with reading(url, about):
                return parse(answer.json())

        return self._manners.retry.run(host_of_url(url), work)
