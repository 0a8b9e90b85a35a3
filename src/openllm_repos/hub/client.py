"""Asks the Hub. One client, one session, and a deadline for every answer.

The calls are those of huggingface_hub's own ``HfApi``, made through its session, headers and error classes; `HfApi` itself
waits for an answer without any limit, which a status of many repositories must not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from openllm_repos.hub.failures import HubError
from openllm_repos.hub.model import Account, CardReport, HubInfo, HubRefs, HubRepo, HubType, Runtime, WriteAccess
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName

DEADLINE = 10.0  # seconds that one answer may take
PATIENCE = 60.0  # seconds that a call waits in all, where the Hub says "too many requests"

Tokens = Callable[[HubRepo | None], str | None]
"""Gives the token for a repository, or for questions about no repository; None is "ask without"."""


class HubClient:
    """The Hub at one endpoint, asked with a token.

    Args:
        endpoint: such as ``https://huggingface.co``; see :func:`openllm_repos.hub.endpoint.hub_endpoint`.
        token: a token, None to ask without, or a function that gives one for each repository (trusted publishing).
        deadline: seconds that an answer may take.
        patience: seconds to wait in all where the Hub limits the rate of requests; 0 to give up at once.
        told: gets a line for people before each such wait.

    Every method raises :class:`~openllm_repos.hub.failures.HubError` where the Hub does not do what it is asked.
    """

    def __init__(
        self,
        endpoint: str,
        token: str | None | Tokens = None,
        *,
        deadline: float = DEADLINE,
        patience: float = PATIENCE,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        raise NotImplementedError

    def whoami(self) -> Account:
        """Return whose token it is. Asked once: the Hub limits this call more than others."""
        raise NotImplementedError

    def info(self, repo: HubRepo) -> HubInfo:
        """Return what the Hub knows of a repository."""
        raise NotImplementedError

    def refs(self, repo: HubRepo) -> HubRefs:
        """Return the branches and tags of a repository."""
        raise NotImplementedError

    def all_refs(self, repos: Sequence[HubRepo]) -> Mapping[HubRepo, HubRefs | HubError]:
        """Ask for the refs of many repositories at once; a repository that fails is an answer too."""
        raise NotImplementedError

    def write_access(self, repo: HubRepo) -> WriteAccess:
        """Say whether a repository can be written, before any work is done for it.

        Raises:
            HubUnreachable: the Hub did not say.
        """
        raise NotImplementedError

    def create_repo(self, repo: HubRepo, *, private: bool = False, sdk: str | None = None) -> str:
        """Create a repository and return its URL. One that exists is an error (cause `EXISTS`).

        Args:
            repo: what to create.
            private: whether only its owners see it.
            sdk: of a Space, and only there: gradio, docker or static.
        """
        raise NotImplementedError

    def create_tag(self, repo: HubRepo, tag: TagName, commit: ObjectId, *, message: str = "") -> None:
        """Create a tag at a commit; annotated if there is a message. One that exists is an error (cause `EXISTS`).

        It is never moved: where it exists, look with :meth:`refs` where it leads.
        """
        raise NotImplementedError

    def check_card(self, readme: str, kind: HubType) -> CardReport:
        """Let the Hub's own validator look at the text of a README.md."""
        raise NotImplementedError

    def runtime(self, space: HubRepo) -> Runtime:
        """Return what a Space is doing."""
        raise NotImplementedError

    def build_log(self, space: HubRepo, *, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines of a Space's build log, as many as there are."""
        raise NotImplementedError

    def run_log(self, space: HubRepo, *, lines: int = 20) -> tuple[str, ...]:
        """Return the last lines that a Space's app printed."""
        raise NotImplementedError
