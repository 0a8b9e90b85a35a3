"""What both hosts have: repositories, tokens, a store for large files, faults, and a log."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from openllm_repos.sandbox.exchange import Refused, Request
from openllm_repos.sandbox.faults import Fault, Faults
from openllm_repos.sandbox.program import Program
from openllm_repos.sandbox.repository import Facts, Kind, Repo
from openllm_repos.sandbox.tokens import Account, presented
from openllm_repos.text import redact

REALM = {"WWW-Authenticate": 'Basic realm="Authentication required", charset="UTF-8"'}
_BAD_NAMES = frozenset({"", ".", ".."})


@dataclass(frozen=True, slots=True)
class Seen:
    """One request in the log.

    Attributes:
        method: GET, POST, ...
        path: without the query, save for the service that git asks for.
        status: what it was answered; 0 where the connection was dropped instead.
        user: whose token came with it, or empty.
    """

    method: str
    path: str
    status: int
    user: str


class Site:
    """One host.

    Args:
        root: its folder; made here.
        git: how git is started.
        accounts: token -> whose it is.
        file_limit: bytes that a file outside LFS may have.
    """

    kinds: ClassVar[tuple[Kind, ...]]

    def __init__(self, root: Path, git: Program, accounts: Mapping[str, Account], *, file_limit: int) -> None:
        self.root = root
        self.git = git
        self.accounts = dict(accounts)
        self.file_limit = file_limit
        self.url = ""
        self.elsewhere = ""  # the same server under another host name, as a CDN has
        self.log: list[Seen] = []
        self.mishaps: list[str] = []  # faults of the sandbox itself
        self.faults = Faults()
        self.lock = threading.RLock()
        self.large_files = root / "lfs"
        self.part_size: int | None = None  # bytes of one part of a multipart upload; None: uploads in one piece
        self._secret = secrets.token_hex(16)
        (root / "git").mkdir(parents=True, exist_ok=True)

    # ---- repositories --------------------------------------------------------------------------------------------

    def repo(self, kind: str, name: str) -> Repo:
        """Return the repository `namespace/name` of a kind, which may not exist yet.

        Raises:
            ValueError: the kind is not of this host, or the name is not of the form ``namespace/name``.
        """
        namespace, slash, rest = name.partition("/")
        if not slash or "/" in rest or {namespace, rest} & _BAD_NAMES or "\\" in name or "\0" in name:
            raise ValueError(f"{name!r} is not of the form namespace/name")
        found = Kind(kind)
        if found not in self.kinds:
            raise ValueError(f"there is no {kind} here, only {', '.join(self.kinds)}")
        return Repo(self.git, self.root / "git", found, namespace, rest.removesuffix(".git"))

    def find(self, kind: Kind, namespace: str, name: str) -> Repo | None:
        """Return a repository that exists, whatever the case of its name, or None."""
        try:
            asked = self.repo(kind, f"{namespace}/{name}")
        except ValueError:
            return None
        if asked.path.is_dir():
            return asked
        wanted = asked.id.lower()
        for path in asked.path.parent.parent.glob("*/*.git"):
            if f"{path.parent.name}/{path.stem}".lower() == wanted:
                return self.repo(kind, f"{path.parent.name}/{path.stem}")
        return None

    def add(self, repo: Repo, facts: Facts) -> None:
        """Make an empty repository.

        Raises:
            FileExistsError: there is one of that name.
        """
        with self.lock:
            if self.find(repo.kind, repo.namespace, repo.name) is not None:
                raise FileExistsError(f"{repo.resource} exists already")
            repo.init(facts)

    # ---- who may do what -----------------------------------------------------------------------------------------

    def account(self, request: Request) -> Account | None:
        """Return whose token a request carries; None where it carries none.

        Raises:
            Refused: the token is not known (401).
        """
        header = request.headers.get("authorization", "")
        token = presented(header)
        if token is None:
            return None
        found = self.accounts.get(token)
        if found is None:
            basic = header.lower().startswith("basic ")
            said = "Invalid username or password." if basic else "Invalid credentials in Authorization header"
            raise Refused(401, said, headers=REALM)
        return found

    def owns(self, account: Account, namespace: str) -> bool:
        """Return whether a namespace belongs to a user."""
        return namespace in account.namespaces

    def may_write(self, account: Account | None, repo: Repo) -> bool:
        """Return whether the bearer of a token may write to a repository."""
        if account is None:
            return False
        if account.role == "write":
            return self.owns(account, repo.namespace)
        return repo.resource in account.repositories

    def may_see(self, account: Account | None, repo: Repo, facts: Facts) -> bool:
        """Return whether a repository exists for the bearer of a token."""
        if not facts.private:
            return True
        if account is None:
            return False
        if account.repositories:
            return repo.resource in account.repositories
        return self.owns(account, repo.namespace)

    def may_read(self, account: Account | None, repo: Repo, facts: Facts) -> bool:
        """Return whether the bearer of a token gets the files of a repository that they see (it may be gated)."""
        if not facts.gated:
            return True
        return account is not None and (self.owns(account, repo.namespace) or account.user in facts.granted)

    # ---- on request ----------------------------------------------------------------------------------------------

    def fault(self, match: str, status: int | None = None, **how: Any) -> Fault:  # noqa: ANN401 - as `Fault` has them
        """Let something go wrong, or something happen first, with the next requests that match: see :class:`Fault`.

        Returns:
            the fault; `faults.clear()` takes back those that have not come.
        """
        wanted = Fault(match, status, **how)
        self.faults.add(wanted)
        return wanted

    def note(self, request: Request, status: int) -> None:
        """Write a request into the log: never a header, a body, or a query that could hold a secret."""
        try:
            account = self.account(request)
        except Refused:
            account = None
        service = request.asked("service")
        path = self.without_secrets(request.path + (f"?service={service}" if service else ""))
        self.log.append(Seen(request.method, path, status, account.user if account else ""))

    def without_secrets(self, text: str) -> str:
        """Return a text with every token of this host struck out."""
        for token in sorted(self.accounts, key=len, reverse=True):
            text = text.replace(token, "***")
        return redact(text)

    def signature(self, *parts: str) -> str:
        """Return what makes a link to a large file valid without a token."""
        return hashlib.sha256("|".join((*parts, self._secret)).encode()).hexdigest()[:32]
