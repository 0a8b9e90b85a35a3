"""Why a repo is not published to, where a person has to decide."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from openllm_repos.errors import ConflictError
from openllm_repos.family.artifacts import Unpublishable
from openllm_repos.manifest.model import DEFAULT_BRANCH, Kind, Repo
from openllm_repos.publish.model import Clash
from openllm_repos.secrets.search import Suspicion


class ChangedThere(ConflictError):
    """The Hub has files otherwise than the last publish left them.

    Args:
        repo: the manifest's entry.
        clashes: the files.
        other: the URL of another source that published last, empty where it was this one or none.
    """

    def __init__(self, repo: Repo, clashes: Sequence[Clash], other: str = "") -> None:
        some = "1 file" if len(clashes) == 1 else f"{len(clashes)} files"
        whose = f" What is there was published from {other}." if other else ""
        look = next((f"hf download {_on_hub(repo)} {shlex.quote(one.path)}\n" for one in clashes if one.is_there), "")
        super().__init__(
            f"{repo.name} has {some} on the Hub that would be replaced or deleted, though no publish left them so."
            + whose,
            hint=f"{look}openllm-repos publish {repo.name} --overwrite  # or take what is there into your files first",
        )
        self.clashes = tuple(clashes)


class ChangedMeanwhile(ConflictError):
    """Somebody changed files on the Hub since a person saw the plan that replaces or deletes them.

    Args:
        repo: the manifest's entry.
        clashes: the files.
    """

    def __init__(self, repo: Repo, clashes: Sequence[Clash]) -> None:
        some = "1 file" if len(clashes) == 1 else f"{len(clashes)} files"
        super().__init__(
            f"{repo.name}: somebody changed {some} on the Hub meanwhile that would be replaced or deleted unseen.",
            hint=f"openllm-repos publish {repo.name} --dry-run  # shows the new plan",
        )
        self.clashes = tuple(clashes)


class LooksLikeSecret(Unpublishable):
    """Files look like secrets."""

    def __init__(self, repo: Repo, found: Sequence[Suspicion]) -> None:
        lines = [f"{one.place} looks like {one.what}" for one in found]
        hint = (
            f"Take it out. If it is none, pass --allow {found[0].path}, or write `allow` beside `from` in the manifest."
        )
        super().__init__(repo.name, lines, hint=hint)
        self.found = tuple(found)


def _on_hub(repo: Repo) -> str:
    """Return a repo as `hf` and its commands name it."""
    kind = "" if repo.kind is Kind.MODEL else f" --repo-type {repo.kind.value}"
    branch = "" if repo.branch == DEFAULT_BRANCH else f" --revision {repo.branch}"
    return f"{repo.repo_id}{kind}{branch}"
