"""With what the family's repos are reached: the tokens of a person or a CI job, each for its own host and no other."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from openllm_repos.errors import UsageError
from openllm_repos.git.credentials import Credential
from openllm_repos.git.repository import Repository
from openllm_repos.hub.client import DEADLINE, HubClient
from openllm_repos.hub.content import HubContent
from openllm_repos.hub.endpoint import github_server, host_of, hosts_of, hub_endpoint, hub_repo
from openllm_repos.hub.failures import HubError
from openllm_repos.hub.model import HubRepo, HubType
from openllm_repos.hub.session import Manners
from openllm_repos.hub.tokens import Token, TrustedPublishing, github_token, hub_token
from openllm_repos.manifest.model import Kind, Manifest, Repo
from openllm_repos.names.url import GITHUB_HOST, HUB_HOST, HostUrl
from openllm_repos.retry import NEVER, RetryPolicy

_HUB_KINDS = {Kind.SPACE: HubType.SPACE, Kind.MODEL: HubType.MODEL, Kind.DATASET: HubType.DATASET}
# Any name will do beside a token; these are the ones that the hosts' own tools send.
_HUB_USER = "hf_user"
_GITHUB_USER = "x-access-token"
_LISTING = 30.0  # seconds for an answer about files; there may be many
_SHOWN = ("https://", "http://")
_JOB_WITHOUT = (
    "gh secret set HF_TOKEN  # for a job that pushes\n"
    "openllm-repos ci --auth trusted  # or without a secret\n"
    "openllm-repos ci --private  # for a job that only reads private repositories"
)
_JOB_WITH = "gh secret set HF_TOKEN  # the job's HF_TOKEN may not write there"
_JOB_ELSEWHERE = (
    "A job's own token reaches its own repository only. Set one that reaches the others too:\n"
    "gh secret set OPENLLM_REPOS_GITHUB_TOKEN"
)


def hub_repo_of(repo: Repo) -> HubRepo | None:
    """Return the repository on the Hub that a repo of the manifest is, or None where it is none."""
    kind = _HUB_KINDS.get(repo.kind)
    return None if kind is None or repo.repo_id is None else HubRepo(kind, repo.repo_id)


class HostNotTrusted(UsageError):
    """A manifest names a Hub of its own, and nobody has said yet that it may have a token."""

    def __init__(self, manifest: Manifest, host: HostUrl) -> None:
        super().__init__(
            f"{manifest.origin} names {host} as its Hub, and it would get your Hub token.",
            hint=f"{trust_command(host)}  # if you trust it; false goes on without a token",
        )


class FamilyAccess:
    """The tokens for the repos of one manifest, and the Hub as they show it.

    Args:
        manifest: whose repos are reached.
        hub_allowed: False keeps the Hub's token to ourselves: nobody said that the manifest's own Hub may have it.
        retry: how patient the run is with the Hub.
        environ: the environment (default: this process's own).

    Raises:
        UsageError: `HF_ENDPOINT` or `GITHUB_SERVER_URL` is no URL that a token may be sent to.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        hub_allowed: bool = True,
        retry: RetryPolicy = NEVER,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.retry = retry
        needed = {host_of(repo.url) for repo in manifest.repos}
        self._environ = environ
        self._hub_allowed = hub_allowed
        try:
            self.endpoint = hub_endpoint(manifest.hub, environ)
        except UsageError:
            if needed & _names(HUB_HOST, manifest.hub or HUB_HOST):
                raise
            self.endpoint, self._hub_allowed = str(HUB_HOST), False
        try:
            github, github_allowed = github_server(environ), True
        except UsageError:
            if needed & _names(GITHUB_HOST):
                raise
            github, github_allowed = str(GITHUB_HOST), False
        self._hub_hosts, self._github_hosts = hosts_of(self.endpoint), hosts_of(github)
        # What the manifest says may be led elsewhere (url.*.insteadOf); git then asks for the host that it ends up at.
        self._hub_names = _names(self.endpoint, HUB_HOST, manifest.hub or HUB_HOST)
        self._github_names = _names(github, GITHUB_HOST)
        self._publishing = TrustedPublishing(self.endpoint, environ, retry=retry)
        self._github_token = github_token(environ) if github_allowed else None
        self._failures: dict[HubRepo, HubError] = {}

    @cached_property
    def _hub_token(self) -> Token | None:
        """The token that the person has stored; looked for only where a repo on the Hub is reached."""
        return None if not self._hub_allowed or self._publishing.wanted else hub_token(self._environ)

    @property
    def _exchanges(self) -> bool:
        """Whether each repository on the Hub gets a token of its own."""
        publishing = self._publishing
        return self._hub_allowed and self._hub_token is None and (publishing.wanted or publishing.offered)

    def credential(self, url: str) -> Credential | None:
        """Return what git may show to the host of a remote; None leaves it to the person's own credential helpers."""
        host = host_of(url)
        if host in self._hub_names:
            token = self._hub_token_for(hub_repo(url))
            return None if token is None else Credential(self._hub_hosts, _HUB_USER, token.value)
        if host in self._github_names and self._github_token is not None:
            return Credential(self._github_hosts, _GITHUB_USER, self._github_token.value)
        return None

    def login(self, url: str) -> tuple[str, str]:
        """Return why a host does not take our login for a remote (HTTP 401), and the next step; empty for others."""
        host, job = host_of(url) if url.startswith(_SHOWN) else "", self._job
        if host in self._github_names:
            if self._github_token is None:
                return (
                    "GitHub wants a login for it",
                    "gh auth login\ngh auth setup-git",
                )
            return f"GitHub does not take the token in {self._github_token.origin} for it", self.advice(url)
        if host not in self._hub_names:
            return "", ""
        failure = self.exchange_failure(url)
        if failure is not None:
            return failure.message, failure.hint
        token = self._hub_token
        if token is None:
            said = "the Hub wants a login for it"
            return said, _JOB_WITHOUT if job else "hf auth login --add-to-git-credential"
        return f"the Hub does not take the token in {token.origin} for it", _another(token, job=job)

    def exchange_failure(self, url: str) -> HubError | None:
        """Return why trusted publishing gave no token for a remote, None where it did, or was not asked."""
        repo = hub_repo(url)
        return None if repo is None else self._failures.get(repo)

    @property
    def _job(self) -> bool:
        """Whether this is a job of GitHub Actions: there nobody is logged in, and a token comes from a secret."""
        return (os.environ if self._environ is None else self._environ).get("GITHUB_ACTIONS") == "true"

    def advice(self, url: str) -> str:
        """Return what a person should know of the token when a remote says no, or an empty string."""
        host = host_of(url) if url.startswith(_SHOWN) else ""  # over ssh no token is shown to anybody
        job = self._job
        if host in self._github_names:
            return _JOB_ELSEWHERE if job else _used(self._github_token, "gh auth status")
        if host not in self._hub_names:
            return ""
        failure = self.exchange_failure(url)
        if failure is not None:
            return f"{failure.message}\n{failure.hint}"
        if job:
            return _JOB_WITHOUT if self._hub_token is None else _JOB_WITH
        return _used(self._hub_token, "hf auth whoami")

    @property
    def stored_hub_token(self) -> bool:
        """Whether the Hub is shown a token that the person has, rather than none, or those of trusted publishing."""
        return self._hub_token is not None

    def hub(self, *, deadline: float = DEADLINE, retry: RetryPolicy | None = None) -> HubClient:
        """Return the Hub, asked with the same tokens that git gets.

        Args:
            deadline: seconds until an answer begins.
            retry: how patient to be, if not as the run is.
        """

        def token(repo: HubRepo | None) -> str | None:
            found = self._hub_token_for(repo)
            return None if found is None else found.value

        def another() -> str:
            return "" if self._hub_token is None else _another(self._hub_token, job=self._job)

        patience = self.retry if retry is None else retry
        return HubClient(self.endpoint, token, deadline=deadline, retry=patience, another=another)

    def content(self, repo: HubRepo) -> HubContent:
        """Return the files of a repository on the Hub, asked for and written with the same tokens."""

        def token() -> str | None:
            found = self._hub_token_for(repo)
            return None if found is None else found.value

        return HubContent(self.endpoint, repo, token, Manners(_LISTING, self.retry))

    def _hub_token_for(self, repo: HubRepo | None) -> Token | None:
        """Return the token for a repository on the Hub; where a job is no trusted publisher of it, there is none."""
        if not self._exchanges or repo is None:
            return self._hub_token
        if repo in self._failures:
            return None
        try:
            return self._publishing.token(repo)
        except HubError as why:  # what is public can be read all the same; a push that fails says this
            self._failures[repo] = why
            return None


def host_to_trust(manifest: Manifest, repository: Repository) -> HostUrl | None:
    """Return the Hub that a manifest names and that would get a token, where nobody has said yet that it may.

    A Hub that the person's own environment names (`HF_ENDPOINT`) needs no such word.
    """
    host = manifest.hub
    if host is None or host == HUB_HOST or os.environ.get("HF_ENDPOINT", "").strip():
        return None
    held = hub_token() is not None or TrustedPublishing(host).wanted or TrustedPublishing(host).offered
    return host if held and trusted(repository, host) is None else None


def trusted(repository: Repository, host: HostUrl) -> bool | None:
    """Return whether a host may have a token, as the person's own git configuration says; None: it says nothing."""
    asked = ("config", "--type=bool", "--get", _key(host))
    said = repository.git.run(*asked, ok=(0, 1)).stdout.strip()
    return said == b"true" if said else None


def trust(repository: Repository, host: HostUrl, *, yes: bool) -> None:
    """Write down in the clone's configuration whether a host may have a token."""
    repository.git.run("config", "--local", _key(host), "true" if yes else "false")


def trust_command(host: HostUrl) -> str:
    """Return the command that says that a host may have a token."""
    return f"git config {_key(host)} true"


def with_access(repository: Repository, manifest: Manifest) -> Repository:
    """Return a clone whose remotes are reached with the tokens at hand.

    Raises:
        HostNotTrusted: the manifest names a Hub that would get a token, and the person has not said that it may.
        UsageError: as :class:`FamilyAccess`.
    """
    host = host_to_trust(manifest, repository)
    if host is not None:
        raise HostNotTrusted(manifest, host)
    return replace(repository, access=access_of(manifest, repository))


def access_of(manifest: Manifest, repository: Repository) -> FamilyAccess:
    """Return the tokens for the repos of a manifest, as far as the person lets their hosts have them."""
    own = manifest.hub is not None and manifest.hub != HUB_HOST and not os.environ.get("HF_ENDPOINT", "").strip()
    allowed = not own or (manifest.hub is not None and trusted(repository, manifest.hub) is True)
    return FamilyAccess(manifest, hub_allowed=allowed, retry=repository.retry)


def _names(*hosts: str) -> set[str]:
    return {host_of(f"{host}/x") for host in hosts}


def _key(host: HostUrl) -> str:
    return f"openllm.{host}.trusted"


def _another(token: Token, *, job: bool) -> str:
    """Return the step from a token that is not taken to one that is: where it was found says where it goes."""
    page = "https://huggingface.co/settings/tokens"
    if job:
        return f"gh secret set HF_TOKEN  # the job's has ended, was revoked, or is mistyped; another: {page}"
    if token.origin.startswith("the file"):
        return f"hf auth login  # the token there has ended or was revoked; another: {page}"
    return (
        f"It has ended, was revoked, or is mistyped. Make another ({page}) and set {token.origin} to it, or unset"
        f" {token.origin} and log in with 'hf auth login'."
    )


def _used(token: Token | None, command: str) -> str:
    if token is None:
        return ""
    return f"The token in {token.origin} was used: check with '{command}' what it may do, or unset it to use git's own."
