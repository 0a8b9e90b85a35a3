"""Where published files come from: in the commit's message as trailers, and in the card as a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openllm_repos.errors import UsageError
from openllm_repos.family.access import hub_repo_of
from openllm_repos.family.source import changed_since_commit
from openllm_repos.family.state import SOURCE_COMMIT, SOURCE_REPO
from openllm_repos.git.process import GitFailed
from openllm_repos.git.refs import read_ref
from openllm_repos.git.repository import Repository
from openllm_repos.hub.client import HubClient
from openllm_repos.hub.failures import HubError
from openllm_repos.manifest.model import Kind, Manifest, Repo
from openllm_repos.names.objectid import ObjectId

SOURCE_CHANGES = "Source-Changes"
DATASET_COMMIT = "Dataset-Commit"
PUBLISHED_WITH = "Published-With"


@dataclass(frozen=True, slots=True)
class Data:
    """A dataset of the family, as it is now.

    Attributes:
        repo: its entry of the manifest.
        commit: the tip of its branch.
    """

    repo: Repo
    commit: ObjectId


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where files come from.

    Attributes:
        source: the source's entry of the manifest.
        commit: what is checked out in the clone whose work tree they stand in.
        tool: what publishes them, with its version.
        changed: how many tracked files of that work tree are not as the commit has them.
        data: the datasets of the family.
        notes: what a person should know besides.
    """

    source: Repo
    commit: ObjectId
    tool: str
    changed: int = 0
    data: tuple[Data, ...] = ()
    notes: tuple[str, ...] = ()

    def summary(self, repo: Repo) -> str:
        """Return the first line of the message for a commit in a repo."""
        return f"Publish {repo.name} from {self.source.repo_id or self.source.name} at {self.commit[:10]}"

    def description(self, repo: Repo) -> str:
        """Return the rest of that message; it ends in trailers."""
        places = "\n".join(f"    {entry.place.source.text} -> {entry.place.written_to}" for entry in repo.publish)
        return f"{places}\n\n{self._trailers()}"

    def _trailers(self) -> str:
        rows = [f"{SOURCE_REPO}: {self.source.url}", f"{SOURCE_COMMIT}: {self.commit}"]
        if self.changed:
            rows.append(f"{SOURCE_CHANGES}: {_counted(self.changed)} not committed")
        rows += [f"{DATASET_COMMIT}: {one.repo.repo_id}@{one.commit}" for one in self.data]
        return "\n".join([*rows, f"{PUBLISHED_WITH}: {self.tool}"])

    def lines(self) -> list[str]:
        """Return the block of the card, as lines of Markdown."""
        more = f", with {_counted(self.changed)} not committed" if self.changed else ""
        web = self.source.url if self.source.kind is not Kind.GIT else ""
        where = f"[{self.source.repo_id}]({web})" if web else f"`{self.source.url}`"
        commit = f"[`{self.commit[:10]}`]({web}/commit/{self.commit})" if web else f"`{self.commit}`"
        rows = [f"| Source | {where} at {commit}{more} |"]
        for one in self.data:
            tree = f"[`{one.commit[:10]}`]({one.repo.url}/tree/{one.commit})"
            rows.append(f"| Data | [{one.repo.repo_id}]({one.repo.url}) at {tree} |")
        return ["## Where this comes from", "", "| | |", "|---|---|", *rows, f"| Published with | {self.tool} |", ""]


def provenance_of(manifest: Manifest, repository: Repository, repo: Repo, hub: HubClient, tool: str) -> Provenance:
    """Say where the files of the work tree come from.

    Args:
        manifest: names the source and the datasets.
        repository: the clone.
        repo: what they are published to; a dataset does not name itself or others.
        hub: is asked for the datasets' commits.
        tool: what publishes them, with its version.

    Raises:
        UsageError: there is no commit yet.
    """
    head = read_ref(repository, "HEAD")
    if head is None:
        raise UsageError(
            "This clone has no commit yet, so there is nothing to say where files come from.",
            hint="Commit what made them, then run this again.",
        )
    notes = []
    if not _pushed(repository, head):
        notes.append(f"{head[:10]}, which the commit on the Hub will name, is on no remote that this clone knows of.")
    try:
        changed = changed_since_commit(repository)
    except GitFailed as why:  # a filter of the work tree that does not run
        changed = 0
        notes.append(f"Whether your clone has uncommitted changes could not be told: {why.completed.said}")
    if changed:
        notes.append(f"Your clone has {_counted(changed)} not committed; the commit on the Hub will say so.")
    data, unknown = _data(manifest, repo, hub)
    return Provenance(manifest.source, head, tool, changed, data, (*notes, *unknown))


def _data(manifest: Manifest, repo: Repo, hub: HubClient) -> tuple[tuple[Data, ...], Sequence[str]]:
    """Return the datasets as they are now, and what to say of those that do not tell."""
    if repo.kind is Kind.DATASET:
        return (), ()
    found, notes = [], []
    for one in manifest.repos:
        place = hub_repo_of(one)
        if one.kind is not Kind.DATASET or place is None:
            continue
        try:
            tip = hub.refs(place).branches.get(one.branch)
        except HubError as why:
            notes.append(f"The commit of {one.name} is not named: {why.message}")
            continue
        if tip is not None:
            found.append(Data(one, tip))
    return tuple(found), notes


def _pushed(repository: Repository, commit: ObjectId) -> bool:
    """Whether any branch that this clone remembers of a remote has a commit."""
    asked = ("for-each-ref", "--count=1", "--format=%(refname)", f"--contains={commit}", "--", "refs/remotes")
    return bool(repository.git.run(*asked).stdout)


def _counted(number: int) -> str:
    return "1 changed file" if number == 1 else f"{number} changed files"
