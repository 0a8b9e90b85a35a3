"""What a target's own history says of it: every commit that we make there states, in its trailers, the resulting state.

The newest such commit by ancestry is the state, and nothing else is inferred: any clone answers the same. Ours are made
on the remote's tip under a lease, so they form a chain; where a person has merged two of them, nobody can say which one
holds, and that is refused.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from openllm_repos.errors import ConflictError, NameRefused
from openllm_repos.git.history import merge_base, own_commits, parents_of
from openllm_repos.git.merge import merge_commits
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import Map, maps_digest
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.url import RepoUrl, identity_of
from openllm_repos.plan import FileChange
from openllm_repos.projection.changes import MappedPart
from openllm_repos.text import show

SOURCE_REPO = "Source-Repo"
SOURCE_COMMIT = "Source-Commit"
PROJECTED_COMMIT = "Projected-Commit"
MAPS = "Maps"
OPEN = "Open"
HELD_AT = "Held-At"
ADOPTED_COMMIT = "Adopted-Commit"

_NONE = "none"
STATES = f"^{PROJECTED_COMMIT}: ([0-9a-f]{{40,64}}|{_NONE})$"
"""An extended regular expression that each commit with a state has a line for."""


@dataclass(frozen=True, slots=True)
class TargetState:
    """What a target has of the source.

    Attributes:
        source_commit: up to where it has the source; None where it has nothing of it (an adoption or a first sync was
            undone).
        projected: the projection of that commit through the maps of that time; None likewise.
        maps: those maps; empty where somebody has rewritten the message, and it no longer says them.
        digest: names those maps.
        open: the target's own commits whose change it holds and the source did not have, oldest first.
        held: what it was rolled back to and is held at; empty where it is not held.
        adopted: the target's commit that was taken for a copy of the source commit; None once a sync has brought more.
    """

    source_commit: ObjectId | None
    projected: ObjectId | None
    maps: tuple[Map, ...]
    digest: str
    open: tuple[ObjectId, ...] = ()
    held: str = ""
    adopted: ObjectId | None = None

    @classmethod
    def of(
        cls,
        target: Repo,
        source_commit: ObjectId | None,
        projected: ObjectId | None,
        open_commits: Sequence[ObjectId] = (),
        held: str = "",
        adopted: ObjectId | None = None,
    ) -> TargetState:
        """Return a state through the maps of today."""
        maps, held = target.maps, " ".join(held.split())
        return cls(source_commit, projected, maps, maps_digest(maps), tuple(open_commits), held, adopted)

    def writes(self, path: bytes) -> bool:
        """Whether one of its maps writes a file of the target."""
        return any(a_map.output.matches(path) for a_map in self.maps)

    def trailers(self, source: Repo) -> str:
        """Return the lines at the end of a commit's message that state this."""
        return "".join(
            f"{key}: {value}\n"
            for key, value in (
                (SOURCE_REPO, source.url),
                (SOURCE_COMMIT, self.source_commit or _NONE),
                (PROJECTED_COMMIT, self.projected or _NONE),
                (MAPS, self.digest),
                *((OPEN, commit) for commit in self.open),
                *(((HELD_AT, self.held),) if self.held else ()),
                *(((ADOPTED_COMMIT, self.adopted),) if self.adopted else ()),
            )
        )


@dataclass(frozen=True, slots=True)
class StateCommit:
    """A commit of a target, and the state that it is in there.

    Attributes:
        id: the commit.
        state: what it states; for the merge base of a target that another tool keeps, what that comes to.
        written: whether one of our commits says so.
    """

    id: ObjectId
    state: TargetState
    written: bool = True


class SyncedFromElsewhere(ConflictError):
    """The newest state of a target names another source, which this clone knows nothing of."""

    def __init__(self, target: Repo, url: str) -> None:
        super().__init__(
            f"{target.name} is kept in step with {show(url)}, not with this source.",
            hint=f"Once nobody syncs it from there any more: 'openllm-repos adopt {target.name} --at COMMIT'.",
        )


def find_state(repository: Repository, reader: ObjectReader, tip: ObjectId, source: RepoUrl) -> StateCommit | None:
    """Return the newest commit in the history of `tip` that states what the target has of this source, or None.

    A state that names another URL counts where its source commit is in this clone: the source has moved, or was
    renamed. The trailers are read here, because git's own formats follow the person's ``trailer.*`` settings.

    Raises:
        ConflictError: two such commits were merged by a person.
    """
    found = read_state(reader, tip, reader.read(tip.encode()).data, source)
    if found is not None:
        return found  # mostly it is so, and then git need not search
    with closing(past_states(repository, reader, tip, source)) as states:
        found = next(states, None)
    if found is not None:
        _require_alone(repository, reader, tip, found, source)
    return found


def past_states(
    repository: Repository, reader: ObjectReader, tip: ObjectId, source: RepoUrl
) -> Generator[StateCommit, None, None]:
    """Yield the commits in the history of `tip` that state what the target has of this source, the newest first."""
    asked = ("rev-list", "--topo-order", "--extended-regexp", f"--grep={STATES}", tip, "--")
    with closing(repository.git.stream(*asked)) as lines:
        for line in lines:
            commit = line.strip()
            found = read_state(reader, ObjectId(commit.decode()), reader.read(commit).data, source)
            if found is not None:
                yield found


def _require_alone(
    repository: Repository, reader: ObjectReader, tip: ObjectId, found: StateCommit, source: RepoUrl
) -> None:
    """Refuse a second state that is not in the history of the first one."""
    asked = ("rev-list", "--extended-regexp", f"--grep={STATES}", tip, f"^{found.id}", "--")
    for line in repository.git.run(*asked).lines():
        other = read_state(reader, ObjectId(line), reader.read(line.encode()).data, source)
        if other is not None:
            raise ConflictError(
                f"Two lines of the target's history were merged that each state what it has of the source:"
                f" {found.id[:10]} and {other.id[:10]}.",
                hint="Take the merge back in the target, and merge with a rebase instead.",
            )


def read_state(reader: ObjectReader, commit: ObjectId, content: bytes, source: RepoUrl) -> StateCommit | None:
    """Read the state that a commit of a target says, None where it says none of this source.

    Args:
        reader: reads the clone's objects.
        commit: its id.
        content: what it holds.
        source: where the source is.
    """
    message = content.partition(b"\n\n")[2].decode("utf-8", "replace").replace("\r\n", "\n").rstrip()
    rows = [row.partition(": ") for row in message.rpartition("\n\n")[2].splitlines()]
    said = {key: value.strip() for key, _, value in rows if key != OPEN}
    opened = tuple(value.strip() for key, _, value in rows if key == OPEN)
    if len(said) + len(opened) != len(rows):
        return None  # ours say each of them once
    try:
        state = TargetState(
            _commit(said[SOURCE_COMMIT]),
            _commit(said[PROJECTED_COMMIT]),
            _maps(message, said[MAPS]),
            said[MAPS],
            tuple(map(ObjectId, opened)),
            said.get(HELD_AT, ""),
            _commit(said.get(ADOPTED_COMMIT, _NONE)),
        )
        url = said[SOURCE_REPO]
    except (KeyError, NameRefused):
        return None
    if (state.source_commit is None) != (state.projected is None):
        return None
    moved = state.source_commit is not None and reader.find(state.source_commit.encode()) is not None
    return StateCommit(commit, state) if moved or identity_of(url) == source.identity else None


def _commit(text: str) -> ObjectId | None:
    return None if text == _NONE else ObjectId(text)


def list_maps(maps: Sequence[Map]) -> str:
    """Return maps as a commit's message lists them, from which they can be read again."""
    return "\n".join(f"    {show(a_map.source.text)} -> {show(a_map.written_to)}" for a_map in maps)


def _maps(message: str, digest: str) -> tuple[Map, ...]:
    """Read the maps that a message lists; the digest says whether that was understood."""
    rows = [row.strip().partition(" -> ") for row in message.splitlines() if row.startswith("    ")]
    try:
        maps = tuple(Map.of(source, to) for source, _, to in rows)
    except NameRefused:
        return ()
    return maps if maps_digest(maps) == digest else ()


def state_of(
    repository: Repository, reader: ObjectReader, target: Repo, tip: ObjectId, projected: ObjectId, source: RepoUrl
) -> StateCommit | None:
    """Return the state of a target; where it states none, what git's merge base with the projection comes to.

    So a target that `git subtree push` filled goes on from there.

    Args:
        repository: the clone.
        reader: reads its objects.
        target: the manifest's entry.
        tip: the tip of its branch.
        projected: the projection of the source.
        source: where the source is.
    """
    found = find_state(repository, reader, tip, source)
    if found is not None:
        return found
    common = projected if projected == tip else merge_base(repository, projected, tip)
    return None if common is None else StateCommit(common, TargetState.of(target, None, common), written=False)


def own_since(
    repository: Repository, reader: ObjectReader, maps: Sequence[Map], tip: ObjectId, at: StateCommit | None
) -> list[ObjectId]:
    """Return the target's own commits that count, oldest first: those that the state lists, and those since.

    A merge adds nothing itself, unless a person changed in it what git would have made of it.
    """
    if at is None:
        return []
    found = [] if tip == at.id else own_commits(repository, tip, [a_map.output.canonical for a_map in maps], at.id)
    part = MappedPart(reader, tuple(maps), repository.object_format)
    since = [commit for commit, merge in found if not merge or merged_by_hand(repository, reader, part, commit)]
    return [*at.state.open, *(commit for commit in since if commit not in at.state.open)]


def merged_by_hand(
    repository: Repository, reader: ObjectReader, part: MappedPart, commit: ObjectId
) -> dict[bytes, FileChange]:
    """Return the mapped files of a merge that no parent has and git would not make, as changes to the first parent.

    Args:
        repository: the clone.
        reader: reads its objects.
        part: reads mapped parts of the target.
        commit: the merge.
    """
    parents = parents_of(reader, commit)
    node = part.of(commit.encode() + b"^{tree}")
    changes = {one.path: one for one in part.changes(part.of(parents[0].encode() + b"^{tree}"), node)}
    for parent in parents[1:]:
        other = {one.path for one in part.changes(part.of(parent.encode() + b"^{tree}"), node)}
        changes = {path: one for path, one in changes.items() if path in other}
    if changes and len(parents) == 2 and (clean := merge_commits(repository, *parents)) is not None:
        auto = {one.path for one in part.changes(part.of(clean.encode()), node)}
        changes = {path: one for path, one in changes.items() if path in auto}
    return changes
