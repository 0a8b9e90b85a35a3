"""What people type when they are asked for a repository: ``owner/name``, or a URL out of the browser or of git."""

from __future__ import annotations

from dataclasses import dataclass

from openllm_repos.errors import NameRefused, UsageError
from openllm_repos.manifest.model import Kind
from openllm_repos.names.plain import quoted
from openllm_repos.names.url import RepoId, RepoUrl, identity_of

_GITHUB = "github.com"
_HUB = "huggingface.co"
_HOSTS = (_GITHUB, _HUB, "hf.co", "www.github.com", "www.huggingface.co")
_FOLDERS = {"spaces": Kind.SPACE, "datasets": Kind.DATASET}
_CALLED = {Kind.GITHUB: "a GitHub repository", Kind.SPACE: "a Space", Kind.MODEL: "a model", Kind.DATASET: "a dataset"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a repo is, as the manifest says it.

    Attributes:
        kind: what it is; `git` for a host that is neither GitHub nor the Hub.
        repo_id: ``owner/name``, None for the kind `git`.
        url: where git reaches it.
    """

    kind: Kind
    repo_id: RepoId | None
    url: RepoUrl

    @property
    def key(self) -> str:
        """The manifest's key for it."""
        return "url" if self.kind is Kind.GIT else str(self.kind)

    @property
    def on_hub(self) -> bool:
        """Whether it is a Space, a model or a dataset."""
        return self.kind in {Kind.SPACE, Kind.MODEL, Kind.DATASET}

    @property
    def text(self) -> str:
        """What stands behind that key."""
        return str(self.url if self.repo_id is None else self.repo_id)

    @classmethod
    def of(cls, kind: Kind, repo_id: RepoId) -> Place:
        """Return the place of a repository on GitHub or the Hub."""
        made = {
            Kind.GITHUB: repo_id.github_url,
            Kind.SPACE: repo_id.space_url,
            Kind.MODEL: repo_id.model_url,
            Kind.DATASET: repo_id.dataset_url,
        }
        return cls(kind, repo_id, made[kind]())


def place_of_url(url: str) -> Place | None:
    """Return what a URL in any spelling that git knows stands for, or None where a manifest cannot name it."""
    identity = identity_of(url.partition("?")[0].partition("#")[0])
    if identity is None:
        return None
    at = url.lower().rfind(identity.partition("/")[2].lower())
    host, _, path = identity.partition("/")
    parts = (url[at : at + len(path)] if at >= 0 else path).split("/")  # the identity has GitHub's names in lower case
    try:
        if host == _GITHUB:
            return Place.of(Kind.GITHUB, RepoId("/".join(parts[:2]).removesuffix(".git")))
        if host == _HUB:
            kind = _FOLDERS.get(parts[0], Kind.MODEL)
            named = parts if kind is Kind.MODEL else parts[1:]
            return Place.of(kind, RepoId("/".join(named[:2])))
        return Place(Kind.GIT, None, RepoUrl(identity if identity.startswith("file://") else f"https://{identity}"))
    except NameRefused:
        return None


def place_of(kind: Kind, text: str) -> Place:
    """Read what a person typed for a repository of a kind: its id, or a URL of it.

    Raises:
        UsageError: it is neither, or the URL is that of something else; the message says of what.
    """
    typed = text.strip().strip("/")
    folder, slash, rest = typed.partition("/")
    if slash and _FOLDERS.get(folder) is kind:
        typed = rest
    elif slash and folder.lower() in _HOSTS:
        typed = f"https://{typed}"
    if ":" not in typed:
        return Place.of(kind, RepoId(typed))
    found = place_of_url(typed)
    if found is not None and found.kind is kind:
        return found
    if found is None or found.kind is Kind.GIT:
        raise UsageError(
            f"{quoted(text)} is not {_CALLED[kind]}.", hint="Write owner/name, such as lemms/openllm, or its URL."
        )
    option = f"--{found.kind} {found.text}"
    raise UsageError(
        f"{quoted(text)} is {_CALLED[found.kind]}, not {_CALLED[kind]}.", hint=f"Give it as what it is: {option}"
    )
