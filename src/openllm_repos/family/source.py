"""Which commit of the source is carried over, and whether everybody else can see it too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.errors import ConflictError, UsageError
from openllm_repos.family.remotes import RemoteState, name_a_branch
from openllm_repos.git.configured import current_branch, default_branch
from openllm_repos.git.history import count, fork_point, is_ancestor, merge_base
from openllm_repos.git.lfs import POINTER_BYTES, stands_for
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.refs import read_ref
from openllm_repos.git.remote import endpoints
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.manifest.maps import Map
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.trees import Placement, TreeProjector
from openllm_repos.text import redact


@dataclass(frozen=True, slots=True)
class SourceState:
    """The source as this clone and its remote have it.

    Attributes:
        commit: the commit to carry over.
        behind: how many commits the remote's branch has that `commit` does not.
        unpushed: how many commits `commit` has that the remote's branch does not; None where there is no such branch.
        given_up: how many of those the remote's branch once had: it was reset, or rewritten.
    """

    commit: ObjectId
    behind: int
    unpushed: int | None
    given_up: int = 0

    def catch_up(self, repository: Repository, remote: RemoteState) -> str:
        """Return the commands that give clone and remote the same commit; an empty string where they have."""
        if self.unpushed is None and remote.branches:
            return name_a_branch(remote.repo, remote.branches)
        branch, name = remote.repo.branch, remote.endpoint.name or remote.endpoint.push_url
        here = repository.top is not None and current_branch(repository) == branch
        commands = []
        if self.behind and not here and not self.unpushed:  # a pull would go into another branch, or has nowhere to go
            commands.append(command_line("git", "fetch", name, f"{branch}:{branch}"))
        elif self.behind or self.given_up:  # such a pull leaves out what was given up, as git's reflog knows it, too
            commands += [] if here else [command_line("git", "switch", branch)]
            commands.append(command_line("git", "pull", "--rebase" if self.unpushed else "--ff-only", name, branch))
        if self.unpushed != self.given_up:
            commands.append(command_line("git", "push", name, branch))
        return "\n".join(commands)


class OtherSource(ConflictError):
    """This is a clone of something else."""

    def __init__(self, source: Repo) -> None:
        super().__init__(
            f"{source.name} has no commit in common with this clone: this is no clone of {redact(source.url)}.",
            hint=command_line("git", "clone", source.url, remark="and work there"),
        )


def source_commit(repository: Repository, source: Repo, remote: RemoteState | None, revision: str | None) -> ObjectId:
    """Return the commit to carry over: `revision`, else the clone's own branch, else what it remembers of the remote's.

    Raises:
        UsageError: there is no such commit.
    """
    if revision is not None:
        return repository.resolve(revision)
    refs = [source.branch.ref]
    if remote is not None:
        refs.append(remote.tracking_ref)
    for ref in refs:
        found = read_ref(repository, ref)
        if found is not None:
            return found
    raise UsageError(
        f"This clone has no branch {source.branch}, which the manifest names for {source.name}.",
        hint=_where_it_may_be(source, remote),
    )


def _where_it_may_be(source: Repo, remote: RemoteState | None) -> str:
    if remote is None or remote.problem or remote.tip is not None:
        return f"git fetch origin {source.branch}  # or name a commit with --rev"
    if remote.branches:
        there = ", ".join(remote.branches[:5])
        return f"Its remote has {there}: name the branch in the manifest (repos.{source.name}.branch)."
    return f"Its remote is empty, too: make a first commit on {source.branch} and push it."


def default_branch_elsewhere(repository: Repository, source: Repo) -> tuple[str, bool]:
    """Say whether the clone knows another main branch of the source than the manifest names; nobody is asked.

    Returns:
        That branch, or an empty string where they agree or nobody knows; and whether the clone has the manifest's.
    """
    endpoint = endpoints(repository, {source.name: source.url})[source.name]
    here = any(read_ref(repository, ref) for ref in (source.branch.ref, f"{endpoint.tracking}/{source.branch}"))
    known = default_branch(repository, endpoint.tracking.removeprefix("refs/remotes/"))
    other = known or ("" if here else current_branch(repository))
    return ("" if other == source.branch else other), here


def hold_against_remote(repository: Repository, commit: ObjectId, remote: RemoteState) -> SourceState:
    """Say how a commit stands to the source's branch on its remote, whose tip must be in the clone.

    Raises:
        OtherSource: they have no history in common.
    """
    if remote.tip is None:
        return SourceState(commit, 0, None)
    if remote.tip == commit:
        return SourceState(commit, 0, 0)
    behind = count(repository, remote.tip, without=[commit])
    if is_ancestor(repository, commit, remote.tip):
        return SourceState(commit, behind, 0)
    if behind and merge_base(repository, commit, remote.tip) is None:
        raise OtherSource(remote.repo)
    unpushed = count(repository, commit, without=[remote.tip])
    there = fork_point(repository, remote.tracking_ref, commit)
    given_up = 0 if there is None else count(repository, there, without=[remote.tip])
    return SourceState(commit, behind, unpushed, given_up)


def to_fetch_first(repository: Repository, remote: RemoteState, commit: ObjectId) -> str:
    """Return the commands to run first where a source commit lacks, or may lack, what the source's remote has."""
    if remote.problem or remote.remembered:
        return command_line("git", "fetch", remote.endpoint.name or remote.endpoint.push_url, remote.repo.branch)
    state = hold_against_remote(repository, commit, remote)
    return state.catch_up(repository, remote) if state.behind or state.given_up else ""


def require_pushed(repository: Repository, remote: RemoteState, state: SourceState) -> None:
    """Refuse a commit that the source's remote does not have: a target would be ahead of its own source.

    Raises:
        ConflictError: it is not on the remote's branch.
        UsageError: the remote has other branches only; a push would make a second history there.
    """
    remote.require_branch()
    source, hint = remote.repo, f"{state.catch_up(repository, remote)}  # or pass --allow-unpushed"
    if state.unpushed is None:
        raise ConflictError(f"{source.name} has no branch {source.branch} on its remote yet.", hint=hint)
    if state.unpushed:
        commits = "1 commit that is" if state.unpushed == 1 else f"{state.unpushed} commits that are"
        why = " any more: it was reset" if state.unpushed == state.given_up else ""
        raise ConflictError(
            f"{source.name} has {commits} not on its remote{why}, up to {state.commit[:10]}.", hint=hint
        )


# git-lfs's filter would store what it is shown in the clone, and put its hooks there; a changed file is changed anyhow.
_WITHOUT_LFS = ("filter.lfs.process=", "filter.lfs.clean=", "filter.lfs.required=false")


def uncommitted(repository: Repository, maps: Sequence[Map]) -> int:
    """Return how many files that a map takes are changed, or new, in the work tree but not committed."""
    if repository.top is None:
        return 0
    mapped = [row for row in _rows(repository, "all") if any(a_map.source.matches(row[-1]) for a_map in maps)]
    return _really_changed(repository, repository.top, mapped)


def changed_since_commit(repository: Repository) -> int:
    """Return how many tracked files of the work tree are not as HEAD has them."""
    return 0 if repository.top is None else _really_changed(repository, repository.top, _rows(repository, "no"))


def _rows(repository: Repository, untracked: str) -> list[list[bytes]]:
    """Return what git says of the work tree, each row in its fields; the last one is the path."""
    asked = ("status", "--porcelain=v2", "-z", f"--untracked-files={untracked}", "--no-renames")
    listed = repository.person().run(*asked, settings=_WITHOUT_LFS)
    fields = {b"?": 1, b"u": 10}  # how many blanks stand before the path, by the kind of row
    return [row.split(b" ", fields.get(row[:1], 8)) for row in listed.stdout.split(b"\0") if row]


def _really_changed(repository: Repository, top: Path, rows: Sequence[Sequence[bytes]]) -> int:
    with ObjectReader(repository.git) as reader:
        return sum(not _is_what_lfs_made_of_it(top, reader, row) for row in rows)


def _is_what_lfs_made_of_it(top: Path, reader: ObjectReader, row: Sequence[bytes]) -> bool:
    """Whether a file counts as changed only because it was compared without git-lfs's filter.

    git compares the content wherever the file is as young as its index, as after every fresh clone.
    """
    if row[:2] != [b"1", b".M"] or row[4] != row[5] or reader.find(row[7]) is None:
        return False
    ((_, size),) = reader.sizes([row[7]])
    return size < POINTER_BYTES and stands_for(reader.read(row[7]).data, top / os.fsdecode(row[8]))


def empty_maps(
    reader: ObjectReader, manifest: Manifest, target: Repo, commit: ObjectId, object_format: str
) -> tuple[str, ...]:
    """Return a sentence for each map of a target that matches no file of a source commit."""
    notes = []
    for number, a_map in enumerate(target.maps):
        if has_files(reader, a_map, commit, object_format):
            continue
        place = f"{manifest.origin}: {target.at_key('map', number, 'from')}"
        whole = reader.find(b"%b:%b" % (commit.encode(), a_map.source.canonical.encode()))
        if whole is not None and whole[1] == b"tree":
            notes.append(f"{place}: {a_map.source.text} is a folder; write {a_map.source.text}/ to take all of it.")
        else:
            notes.append(f"{place}: {a_map.source.text} matches no file at {commit[:10]}.")
    return tuple(notes)


def has_files(reader: ObjectReader, a_map: Map, commit: ObjectId, object_format: str) -> bool:
    """Whether a map takes any file of a source commit."""
    trees = TreeProjector(reader, [Placement.of(a_map)], object_format)
    folder = reader.find(b"%b:%b" % (commit.encode(), a_map.source.base.encode()))
    return folder is not None and folder[1] == b"tree" and trees.build((folder[0],)) is not None
