"""The Hub: models, datasets and Spaces, and what a test can arrange about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from openllm_repos.sandbox.beginnings import first_files
from openllm_repos.sandbox.program import Program
from openllm_repos.sandbox.publishers import Publisher, pack_claims
from openllm_repos.sandbox.repository import Change, Facts, Kind, Repo
from openllm_repos.sandbox.site import Site
from openllm_repos.sandbox.spaces import rebuild
from openllm_repos.sandbox.tokens import HUB_TOKENS

HubKind = Literal["space", "model", "dataset"]


class Hub(Site):
    """A Hugging Face Hub (see `Site` for what it shares with GitHub).

    Attributes:
        free_account: whether making a Space that runs on a server is answered with 402, as it is without a plan.
    """

    kinds = (Kind.MODEL, Kind.DATASET, Kind.SPACE)

    def __init__(self, root: Path, git: Program) -> None:
        super().__init__(root, git, HUB_TOKENS, file_limit=10 << 20)
        self.publishers: list[Publisher] = []
        self.free_account = False

    def create(
        self,
        kind: HubKind,
        name: str,
        *,
        sdk: str = "",
        private: bool = False,
        gated: bool = False,
        empty: bool = False,
    ) -> Path:
        """Make a repository with the Hub's own first commit.

        Args:
            kind: ``space``, ``model`` or ``dataset``.
            name: ``namespace/name``.
            sdk: of a Space: gradio (the default), streamlit, docker or static.
            private: only its owners see it.
            gated: only its owners, and those granted access, get its files.
            empty: leave the first commit out.

        Returns:
            the folder of the bare repository.

        Raises:
            ValueError: the kind or the name is not of its form.
            FileExistsError: there is one already.
        """
        repo = self.repo(kind, name)
        sdk = sdk or ("gradio" if repo.kind is Kind.SPACE else "")
        self.begin(repo, Facts(private=private, gated="auto" if gated else "", sdk=sdk), author="system", empty=empty)
        return repo.path

    def begin(self, repo: Repo, facts: Facts, *, author: str, empty: bool = False) -> None:
        """Make a repository, and its first commit unless it shall stay empty.

        Raises:
            FileExistsError: there is one already.
        """
        self.add(repo, facts)
        if not empty:
            change = Change(first_files(repo.kind, repo.name, facts.sdk))
            repo.commit(change, "initial commit\n", author, parent=None, ref="refs/heads/main", old=None)
            rebuild(repo)

    def path(self, kind: HubKind, name: str) -> Path:
        """Return the folder of the bare repository ``namespace/name``."""
        return self.repo(kind, name).path

    def build(self, name: str, *, stage: str = "", log: Sequence[str] = (), asks: int = 1) -> None:
        """Say how the builds of a Space end from its next push on.

        Args:
            name: ``namespace/name``.
            stage: ``BUILD_ERROR``, ``RUNTIME_ERROR``, ...; empty for what its files deserve.
            log: the lines of the build's log.
            asks: how many questions for its state are answered with BUILDING before that.
        """
        repo = self.repo("space", name)
        with self.lock:
            facts = repo.facts()
            facts.builds = {"stage": stage, "log": list(log), "asks": asks}
            repo.save(facts)

    def stage(self, name: str, stage: str) -> None:
        """Put a Space into a stage at once: ``PAUSED``, ``RUNTIME_ERROR``, ..."""
        repo = self.repo("space", name)
        with self.lock:
            facts = repo.facts()
            facts.runtime = {"log": [], **facts.runtime, "stage": stage, "asks": 0}
            repo.save(facts)

    def grant(self, kind: HubKind, name: str, user: str) -> None:
        """Give a user access to a gated repository."""
        repo = self.repo(kind, name)
        with self.lock:
            facts = repo.facts()
            facts.granted = [*facts.granted, user]
            repo.save(facts)

    def trust(self, resource: str, claims: Mapping[str, str]) -> None:
        """Trust a publisher: a job whose id token carries these claims may write to a repository.

        Args:
            resource: ``spaces/lemms/openllm``, ``lemms/x``, ``datasets/lemms/y``.
            claims: ``{"repository": "louischua/openllm", "ref": "refs/heads/main", ...}``; compared exactly.
        """
        self.publishers.append(Publisher(resource, dict(claims)))

    def job_environment(self, resource: str, claims: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a CI job that has no token and asks for one, as GitHub Actions sets it.

        Args:
            resource: that it wants to write to.
            claims: that its id token carries.
        """
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/_sandbox/oidc/{pack_claims(claims)}",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job",
            "HF_OIDC_RESOURCE": resource,
        }
