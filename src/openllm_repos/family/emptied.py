"""Maps that match no file of the source any more: what they brought would be deleted in the target.

Mostly nobody wants that: a folder was renamed, or became a link or a submodule, and its map was forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openllm_repos.errors import ConflictError, NameRefused
from openllm_repos.family.relation import Relation
from openllm_repos.family.source import has_files
from openllm_repos.git.compare import renames
from openllm_repos.git.describe import describe
from openllm_repos.git.history import is_ancestor, last_touching
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.manifest.maps import Map
from openllm_repos.manifest.model import Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Described, EmptiedMap
from openllm_repos.projection.trees import Node


class MapEmptied(ConflictError):
    """A sync or a rollback would delete all files that a map has brought.

    Args:
        target: the target.
        emptied: its maps, one at least.
        typed: what a person types to have it so, without ``--allow-empty``.
    """

    def __init__(self, target: Repo, emptied: Sequence[EmptiedMap], typed: str) -> None:
        allowed = " ".join(command_line("--allow-empty", one.pattern) for one in emptied)
        follow = next((one for one in emptied if one.moved_to), None)
        delete = f"{typed} {allowed}  # deletes the files in {target.name} all the same"
        super().__init__(
            f"{target.name}: {' '.join(_sentence(target, one) for one in emptied)}",
            hint=f"Look at the map in the manifest.\n{delete}"
            if follow is None
            else command_line("openllm-repos", "manifest", "set", follow.place, follow.moved_to, remark="follows it")
            + f"\n{delete}",
        )
        self.emptied = tuple(emptied)


def _sentence(target: Repo, one: EmptiedMap) -> str:
    files = "1 file" if one.files == 1 else f"{one.files} files"
    by = "" if one.commit is None else f", emptied by {one.commit.id[:10]} ({one.commit.subject})"
    moved = f" git finds the files at {one.moved_to}." if one.moved_to else ""
    return (
        f"{one.place} ({one.pattern}) matches no file at {one.at[:10]}{by}, so its {files} in {target.name} would be"
        f" deleted.{moved}"
    )


@dataclass(frozen=True, slots=True)
class Emptied:
    """Finds the maps of a target that are empty.

    Attributes:
        repository: the clone of the source.
        reader: reads its objects.
        target: the manifest's entry.
        relation: the target, held against the source.
    """

    repository: Repository
    reader: ObjectReader
    target: Repo
    relation: Relation

    def by_sync(self) -> tuple[EmptiedMap, ...]:
        """Return the maps of which the last sync brought files, and that match none of the source commit."""
        relation = self.relation
        if relation.contained or relation.tip is None:
            return ()
        return tuple(self._found(relation.source_commit, relation.base, relation.theirs))

    def by_rollback(self, commit: ObjectId, files: Node) -> tuple[EmptiedMap, ...]:
        """Return the maps whose files a rollback would delete.

        Args:
            commit: the source commit that the target goes back to.
            files: the mapped files that it gets.
        """
        tip = self.relation.tip
        assert tip is not None  # an empty target has nothing to go back to
        return tuple(self._found(commit, self.relation.part.of(tip.encode() + b"^{tree}"), files))

    def _found(self, commit: ObjectId, old: Node, new: Node) -> Iterator[EmptiedMap]:
        form = self.repository.object_format
        empty = [
            (number, a_map)
            for number, a_map in enumerate(self.target.maps)
            if not has_files(self.reader, a_map, commit, form)
        ]
        gone = [change.path for change in self.relation.part.changes(old, new) if change.new is None] if empty else []
        before = self._before()
        for number, a_map in empty:
            files = sum(a_map.output.matches(path) for path in gone)  # no two maps write to one path
            if files:
                place = self.target.at_key("map", number, "from")
                described, moved = None, ""
                if before is not None and is_ancestor(self.repository, before, commit):
                    described, moved = self._emptied_by(a_map, before, commit), self._moved_to(a_map, before, commit)
                yield EmptiedMap(place, a_map.source.text, commit, files, described, moved)

    def _before(self) -> ObjectId | None:
        """Return the source commit of the last sync, if this clone has it."""
        last = self.relation.synced_from
        return None if last is None or self.reader.find(last.encode()) is None else last

    def _emptied_by(self, a_map: Map, before: ObjectId, commit: ObjectId) -> Described | None:
        found = last_touching(self.repository, commit, a_map.source.canonical, without=[before])
        return None if found is None else describe(self.repository, [found])[0]

    def _moved_to(self, a_map: Map, before: ObjectId, commit: ObjectId) -> str:
        """Return the pattern that takes the files where most of them are now, if git sees a rename."""
        base = a_map.source.base.encode()
        skip = len(base) + 1 if base else 0
        places: Counter[bytes] = Counter()
        for old, new in renames(self.repository, before, commit):
            if not a_map.source.matches(old):
                continue
            if a_map.source.is_single_file:
                places[new] += 1
            elif new.endswith(b"/" + old[skip:]):
                places[new[: -len(old[skip:]) - 1]] += 1
        for place, _ in places.most_common(1):
            text = place.decode("utf-8", "surrogateescape")
            rest = "" if a_map.source.is_single_file else a_map.source.text[len(a_map.source.base) :]
            try:
                found = Map.of(text + rest, a_map.written_to)
            except NameRefused:
                return ""
            if has_files(self.reader, found, commit, self.repository.object_format):
                return found.source.text
        return ""
