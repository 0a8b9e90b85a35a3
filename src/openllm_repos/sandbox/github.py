"""GitHub: repositories, and rules that protect their tags and branches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from openllm_repos.sandbox.program import Program
from openllm_repos.sandbox.repository import Facts, Kind
from openllm_repos.sandbox.site import Site
from openllm_repos.sandbox.tokens import GITHUB_TOKENS, Account


class GitHub(Site):
    """A GitHub (see `Site` for what it shares with the Hub). Its REST calls are below ``/api/v3``."""

    kinds = (Kind.GITHUB,)

    def __init__(self, root: Path, git: Program) -> None:
        super().__init__(root, git, GITHUB_TOKENS, file_limit=100 << 20)

    def create(self, name: str, *, private: bool = False) -> Path:
        """Make an empty repository with the branch main.

        Args:
            name: ``owner/name``.
            private: only its collaborators see it.

        Returns:
            the folder of the bare repository.

        Raises:
            ValueError: the name is not of its form.
            FileExistsError: there is one already.
        """
        repo = self.repo("github", name)
        self.add(repo, Facts(private=private))
        return repo.path

    def path(self, name: str) -> Path:
        """Return the folder of the bare repository ``owner/name``."""
        return self.repo("github", name).path

    def protect(self, name: str, pattern: str = "refs/tags/v*", rules: Sequence[str] = ("update", "deletion")) -> None:
        """Add a ruleset.

        Args:
            name: ``owner/name``.
            pattern: of full refs.
            rules: of ``creation``, ``update``, ``deletion``, ``non_fast_forward``.
        """
        repo = self.repo("github", name)
        with self.lock:
            facts = repo.facts()
            facts.rules = [*facts.rules, {"ref": pattern, "rules": list(rules)}]
            repo.save(facts)

    def owns(self, account: Account, namespace: str) -> bool:
        """Return True: every account here is a collaborator of every repository; its role limits it."""
        del account, namespace
        return True
