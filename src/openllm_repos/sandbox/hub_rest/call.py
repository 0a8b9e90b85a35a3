"""One call of the Hub's API about one repository: who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from openllm_repos.sandbox.exchange import Refused, Request
from openllm_repos.sandbox.hub import Hub
from openllm_repos.sandbox.repository import Repo
from openllm_repos.sandbox.tokens import Account


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose caller may see the repository.

    Attributes:
        hub: the host.
        request: what is asked.
        repo: the repository, which exists.
        account: whose token it is; None without one.
        rest: the path after the resource's name, percent signs and all.
    """

    hub: Hub
    request: Request
    repo: Repo
    account: Account | None
    rest: str

    def writer(self, *, may_propose: bool = False) -> Account:
        """Return who is about to write.

        Args:
            may_propose: whether it is about a pull request, which needs no right to write.

        Raises:
            Refused: nobody (401), or they may not (403).
        """
        if self.account is None:
            raise Refused(401, "Invalid username or password.")
        if not self.hub.may_write(self.account, self.repo) and not (may_propose and self.account.role == "write"):
            if self.account.role == "read":
                raise Refused(403, "Forbidden: you must use a write token to upload to a repository.")
            raise Refused(403, "Forbidden: pass `create_pr=1` as a query parameter to create a Pull Request")
        return self.account

    def reader(self) -> None:
        """Raise Refused where the repository is gated and the caller has no access (401 or 403 GatedRepo)."""
        if not self.hub.may_read(self.account, self.repo, self.repo.facts()):
            said = (
                f"Access to {self.repo.kind} {self.repo.id} is restricted. You must have access to it and be"
                f" authenticated to access it. Please log in."
            )
            raise Refused(403 if self.account else 401, said, "GatedRepo")


def find(hub: Hub, request: Request, kind: str, namespace: str, name: str, rest: str) -> Call:
    """Return the call about a repository.

    Args:
        hub: the host.
        request: what is asked.
        kind: the API's name for it: models, datasets or spaces.
        namespace: of the repository.
        name: of the repository.
        rest: of the path.

    Raises:
        Refused: the repository does not exist for the caller (401 without a token, else 404), or the token is unknown.
    """
    account = hub.account(request)
    repo = hub.find(hub.kinds[("models", "datasets", "spaces").index(kind)], namespace, name)
    if repo is None or not hub.may_see(account, repo, repo.facts()):
        raise Refused(404 if account else 401, "Repository not found", "RepoNotFound")
    return Call(hub, request, repo, account, rest)
