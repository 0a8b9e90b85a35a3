"""Which repo of the family a push goes to: by the URL that git ended up with, by the one that was typed, or by name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.url import identity_of

_ASKED = r"^(remote\..*\.(url|pushurl)|url\..*\.(insteadof|pushinsteadof))$"


@dataclass(frozen=True, slots=True)
class Addresses:
    """What a clone's configuration says of URLs.

    Attributes:
        remotes: the URLs of each git remote, those for pushes too.
        rewrites: pairs of a beginning and what git puts in its place (`url.*.insteadOf`), the longest first.
        folder: what a relative path is relative to.
    """

    remotes: dict[str, tuple[str, ...]]
    rewrites: tuple[tuple[str, str], ...]
    folder: str

    @classmethod
    def read(cls, repository: Repository) -> Addresses:
        """Read them."""
        done = repository.git.run("config", "-z", "--get-regexp", _ASKED, ok=(0, 1))
        remotes: dict[str, tuple[str, ...]] = {}
        rewrites = []
        for entry in done.stdout.decode("utf-8", "surrogateescape").split("\0"):
            key, newline, value = entry.partition("\n")
            section, _, rest = key.partition(".")
            name = rest.rpartition(".")[0]
            if newline and section == "remote":
                remotes[name] = (*remotes.get(name, ()), value)
            elif newline:
                rewrites.append((value, name))
        rewrites.sort(key=lambda rewrite: len(rewrite[0]), reverse=True)
        return cls(remotes, tuple(rewrites), str(repository.top or repository.git_dir))

    def spellings(self, url: str) -> tuple[str, ...]:
        """Return a URL and what git would make of it."""
        rewritten = next((base + url[len(start) :] for start, base in self.rewrites if url.startswith(start)), url)
        return (url,) if rewritten == url else (url, rewritten)

    def key(self, url: str) -> str:
        """Return what all spellings of one repository's URL have in common."""
        identity = identity_of(url)
        if identity is None and "://" not in url:
            identity = identity_of(f"{self.folder}/{url}")
        if identity is None:
            return url
        if identity.startswith("file://"):
            return os.path.realpath(identity.removeprefix("file://")).removesuffix(".git")
        return identity

    def names_of(self, repo: Repo) -> tuple[str, ...]:
        """Return the names of the git remotes that stand for a repo."""
        keys = set(self._keys(self.spellings(repo.url)))
        return tuple(
            name
            for name, urls in self.remotes.items()
            if keys & set(self._keys(one for url in urls for one in self.spellings(url)))
        )

    def find(self, manifest: Manifest, remote: str, url: str) -> tuple[Repo, ...]:
        """Return the repos that a push goes to: several where they are branches of one repository, none elsewhere.

        Args:
            manifest: the family.
            remote: the first argument of the hook: the name of a git remote, or the URL as it was typed.
            url: the second one: the URL after all rewriting.
        """
        given = set(self._keys((url,) if remote in self.remotes else (url, remote)))
        found = tuple(repo for repo in manifest.repos if given & set(self._keys(self.spellings(repo.url))))
        if found or remote == url:
            return found or self._by_alias(manifest, given)
        # The configuration, and not the URL, says which repository a name stands for where the URL was rewritten.
        rewritten = any(url in self.spellings(one)[1:] for one in self.remotes.get(remote, ()))
        if rewritten:
            given |= set(self._keys(self.remotes[remote]))
            found = tuple(repo for repo in manifest.repos if given & set(self._keys(self.spellings(repo.url))))
        return found or self._by_alias(manifest, given)

    def _by_alias(self, manifest: Manifest, given: Iterable[str]) -> tuple[Repo, ...]:
        """Find the repo that an ssh alias stands for: `work:lemms/openllm`, a host that only the person's ssh knows."""
        paths = {path for key in given for host, _, path in [key.partition("/")] if path and host and "." not in host}
        return tuple(repo for repo in manifest.repos if self.key(repo.url).partition("/")[2] in paths)

    def _keys(self, urls: Iterable[str]) -> Iterator[str]:
        return (self.key(url) for url in urls if url)
