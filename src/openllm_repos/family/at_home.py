"""Which state of a target both sides have, where some of what the target changed has come home to the source.

The last sync says what the source had contributed; what came home says what the target had. Neither of them alone is
what both sides have: an import that is older than the last sync lacks what that brought, and one that is older than a
rollback has what that took back. A base that is wrong so is paid for in silence: the merge keeps what the source took
back, or takes back what the source has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice

from openllm_repos.family.imports import Imports
from openllm_repos.family.last_sync import SAID_BY_SYNC, LastSync, find_last_sync, find_syncs
from openllm_repos.git.history import commits, commits_touching, is_ancestor, merge_base
from openllm_repos.git.merge import merge, three_sides
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import PackWriter
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.project import project
from openllm_repos.projection.trees import Node

_SYNCS = 200  # how many are looked at for one that left no drift
_DEPTH = 8  # syncs that are looked back through, where each came between an import and its way into the source


@dataclass(frozen=True, slots=True)
class AtHome:
    """A target of which the source says to have some commits.

    Attributes:
        repository: the clone; it has the target's commits too.
        reader: reads its objects.
        manifest: says where the source is.
        target: the target.
        part: reads mapped parts of it.
        source_commit: the source commit that it is held against.
        tip: its tip.
        last: its last sync that was not taken back (:func:`standing`); None where there was none.
        imports: what the source says to have.
        depth: how many syncs back this is asked for.
    """

    repository: Repository
    reader: ObjectReader
    manifest: Manifest
    target: Repo
    part: MappedPart
    source_commit: ObjectId
    tip: ObjectId
    last: LastSync | None
    imports: Imports
    depth: int = 0

    def newest(
        self, base: Node, since: ObjectId | None, paths: Sequence[bytes], *, without: Sequence[ObjectId]
    ) -> tuple[ObjectId, Node] | None:
        """Return the newest commit up to which the source has everything, and the mapped part that both sides have.

        Who takes over a later commit and leaves out an earlier one has not brought both home: that commit does not
        count.

        Args:
            base: the mapped part as of the last sync.
            since: the projected commit of it, where that is known.
            paths: the files that count.
            without: commits whose history does not count.
        """
        for commit in self._candidates(since):
            known = self.repository.git.run("cat-file", "-e", f"{commit}^{{commit}}", ok=(0, 1, 128)).code == 0
            if not known or not is_ancestor(self.repository, commit, self.tip):
                continue
            touching = commits_touching(self.repository, commit, paths, without=without, not_saying=SAID_BY_SYNC)
            if all(one in self.imports for one in touching):
                both = self._both_have(commit, base, since)
                if both is not None:
                    return commit, both
        return None

    def settled(self) -> tuple[ObjectId, ...]:
        """Return the newest sync that left nothing of the target's own, or was imported with what it left.

        What the target changed before it has come home. A target whose drift stays there has no such sync: looking
        back far for it would cost and find nothing.
        """
        with closing(find_syncs(self.repository, self.reader, self.tip, self.manifest.source.url)) as syncs:
            for sync in islice(syncs, _SYNCS):
                if sync.commit in self.imports:
                    return (sync.commit,)
                brought: ObjectId | None = sync.projected
                if not self._has(sync.projected):
                    if not self._has(sync.source_commit) or not sync.maps:
                        continue
                    brought = project(self.repository, sync.source_commit, sync.maps, reader=self.reader).commit
                before = self.part.of(None) if brought is None else self._at(brought)
                if not self.part.changes(before, self._at(sync.commit)):
                    return (sync.commit,)
                if sync.rollback == sync.commit and self._restored_something(sync.commit):
                    break  # it brought edits of the target's own again, which are older
        return ()

    def _candidates(self, since: ObjectId | None) -> Iterator[ObjectId]:
        """Yield what may have come home since the last sync, newest first; most imports of a long life have before."""
        last, repository = self.last, self.repository
        mark = since if last is None else last.commit
        if mark is None:
            yield from self.imports
            return
        newer = {mark, *commits(repository, self.tip, without=[mark])}
        before = [last.source_commit] if last is not None and self._has(last.source_commit) else []
        arrived = set(commits(repository, self.source_commit, without=before))
        for commit, made in self.imports.items():
            if commit in newer or arrived.issuperset(made) or self._is_restored(commit):
                yield commit

    def _both_have(self, found: ObjectId, base: Node, since: ObjectId | None) -> Node | None:
        """Return the mapped part that both sides have where one has `base` and the other has `found`, if that is clear.

        Nothing is clear where the two do not go together: then the sync's merge is the place to ask a person.
        """
        last = self.last
        mark = since if last is None else last.commit
        if mark is None or is_ancestor(self.repository, mark, found) or self._is_restored(found):
            return self._at(found)  # it has what the last sync brought, or left
        if last is not None and last.rollback is not None and not is_ancestor(self.repository, last.rollback, found):
            return None  # what was taken back is not there any more
        older = self._before(found, since)
        if older is None:
            return None
        with PackWriter(self.repository.git, self.repository.objects_dir, self.repository.object_format) as writer:
            trees = [self.part.write(node, writer) for node in (older, base, self._at(found))]
            sides = three_sides(writer, *trees)
        merged = merge(self.repository, sides).tree
        return None if merged is None else Node(tree=merged.encode())

    def _before(self, found: ObjectId, since: ObjectId | None) -> Node | None:
        """Return what both sides had before the last sync and before `found`, through the maps of that time."""
        last = self.last
        if last is None:
            common = None if since is None else merge_base(self.repository, since, found)
            return None if common is None else self._at(common)
        sync = self._sync(found)
        if sync is None or sync.nothing or not self._has(last.source_commit):
            return None
        projected: ObjectId | None = sync.projected
        if not self._has(sync.projected):
            if not self._has(sync.source_commit) or not sync.maps:
                return None
            projected = project(self.repository, sync.source_commit, sync.maps, reader=self.reader).commit
        if projected is None:
            return None
        base = self._at(projected)
        arrived = set(commits(self.repository, self.source_commit, without=[last.source_commit]))
        had = {one: old for one, made in self.imports.items() if (old := tuple(x for x in made if x not in arrived))}
        then = replace(self, source_commit=last.source_commit, tip=found, last=sync, imports=had, depth=self.depth + 1)
        paths = [change.path for change in self.part.changes(base, self._at(found))]
        without = [projected, *then.settled()]
        newest = then.newest(base, projected, paths, without=without) if self.depth < _DEPTH else None
        return base if newest is None else newest[1]

    def _sync(self, commit: ObjectId) -> LastSync | None:
        return find_last_sync(self.repository, self.reader, commit, self.manifest.source.url)

    def _is_restored(self, commit: ObjectId) -> bool:
        """Whether the last sync is a rollback, an undo or the end of a hold that left just what a commit has."""
        last = self.last
        if last is None or last.rollback is None or not self._has(commit):
            return False
        return not self.part.changes(self._at(commit), self._at(last.commit))

    def _restored_something(self, commit: ObjectId) -> bool:
        """Whether a rollback or an undo changed mapped files; one that did not only began a hold, or ended it."""
        before = self.reader.find(commit.encode() + b"^1")
        return before is None or bool(self.part.changes(self._at(ObjectId(before[0].decode())), self._at(commit)))

    def _at(self, commit: ObjectId) -> Node:
        return self.part.of(commit.encode() + b"^{tree}")

    def _has(self, commit: ObjectId) -> bool:
        return self.reader.find(commit.encode()) is not None


def standing(
    repository: Repository, reader: ObjectReader, manifest: Manifest, part: MappedPart, last: LastSync | None
) -> LastSync | None:
    """Return the last sync as if those that were taken back without a trace had never been.

    Args:
        repository: the clone; it has the target's commits too.
        reader: reads its objects.
        manifest: says where the source is.
        part: reads mapped parts of the target.
        last: its last sync, which may have taken another one back.
    """
    while last is not None and last.undone is not None and not last.nothing:
        before = reader.find(last.undone.encode() + b"^1")
        if before is None:
            return last
        tip = ObjectId(before[0].decode())
        if part.changes(part.of(tip.encode() + b"^{tree}"), part.of(last.commit.encode() + b"^{tree}")):
            return last  # edits were made in between
        last = find_last_sync(repository, reader, tip, manifest.source.url)
    return last
