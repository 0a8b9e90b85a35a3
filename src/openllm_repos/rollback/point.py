"""Where a target may go back to: a release, a tag of its own, a commit of the source, or one of its own."""

from __future__ import annotations

from dataclasses import dataclass

from openllm_repos.errors import EnvironmentProblem, UsageError
from openllm_repos.family.imports import find_imports
from openllm_repos.family.relation import Relation
from openllm_repos.family.releases import FoundLock, known_tags
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.state import find_state, own_since, past_states
from openllm_repos.family.tags import named
from openllm_repos.git.history import is_ancestor
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from openllm_repos.projection.project import origins, project
from openllm_repos.projection.trees import Node
from openllm_repos.release.begun import find_lock
from openllm_repos.text import show


@dataclass(frozen=True, slots=True)
class Point:
    """A state of a target's mapped files.

    Attributes:
        label: as people call it: a tag, or the first digits of a commit.
        source_commit: the source commit that it comes from.
        projected: that commit's projection.
        files: the mapped files: the projection's, or those of a commit of the target, edits made there among them.
        notes: what a person should know of it.
        commit: the commit of the target that has these files; None where they are the projection's.
        open: the target's own commits whose changes are among them.
        adopted: the target's commit that was taken for a copy, where no sync had followed.
    """

    label: str
    source_commit: ObjectId
    projected: ObjectId
    files: Node
    notes: tuple[str, ...] = ()
    commit: ObjectId | None = None
    open: tuple[ObjectId, ...] = ()
    adopted: ObjectId | None = None


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds what a person names.

    Attributes:
        manifest: what should be.
        repository: the clone of the source, or a quarantine of it.
        reader: reads its objects.
        source: the source's remote.
        remote: the target's remote.
        relation: the target, held against the source's branch.
    """

    manifest: Manifest
    repository: Repository
    reader: ObjectReader
    source: RemoteState
    remote: RemoteState
    relation: Relation

    def find(self, name: str) -> Point:
        """Return the state that a name stands for.

        In this order: a release of the family (its tag or its version), a tag of the target, a tag of the source, a
        commit of the source, a commit of the target.

        Raises:
            UsageError: there is no such thing, or the target never had it.
            EnvironmentProblem: a commit that it leads to is not in this clone.
        """
        found = self._release(name)
        if found is not None:
            return self._of_release(found)
        own, sources = named(self.remote, name), named(self.source, name)
        if own is not None:
            return self._of_target(own, TagName(name))
        if sources is not None and self._has(sources):
            return self._of_source(self._commit_of(sources), TagName(name))
        commit = self._named(name)
        if is_ancestor(self.repository, commit, self.relation.source_commit):
            return self._of_source(commit, commit[:10])
        return self._of_target(commit, commit[:10])

    def _release(self, name: str) -> FoundLock | None:
        if self.source.problem:
            return None
        version_of = self.manifest.project.tag.version_of
        for tag in known_tags(self.manifest, self.repository, self.source):
            if name in {tag, version_of(tag)}:
                return find_lock(self.repository, self.source, tag)
        return None

    def _of_release(self, found: FoundLock) -> Point:
        """Return what a release tagged in the target; where it was no part of it, what its source commit makes."""
        lock, label = found.lock, str(found.lock.tag)
        there = lock.repo(self.remote.repo.name)
        if there is not None and self._in_target(there.commit):
            return self._of_target(there.commit, label)
        source = lock.source.commit if there is None or there.source is None else there.source
        return self._of_source(source, label)

    def _named(self, name: str) -> ObjectId:
        target = self.remote.repo.name
        try:
            return self.repository.resolve(name)
        except UsageError:
            raise UsageError(
                f"{show(name)} is no release, no tag of {target} or the source, and no commit of theirs in this clone.",
                hint="openllm-repos release list  # lists the releases",
            ) from None

    def _of_source(self, commit: ObjectId, label: str, *notes: str) -> Point:
        """Return the projection of a source commit, through the maps of today."""
        target = self.remote.repo
        self._require(commit, label)
        projected = project(self.repository, commit, target.maps, reader=self.reader).commit
        if projected is None:
            raise UsageError(
                f"The maps of {target.name} match no file up to {commit[:10]}.", hint="Name a later commit."
            )
        if not self._had(commit, projected):
            raise UsageError(
                f"{target.name} never had {label}: no sync brought it there.",
                hint=f"openllm-repos sync {target.name} --rev {commit[:10]}  # brings it",
            )
        files = self.relation.part.of(projected.encode() + b"^{tree}")
        return Point(label, commit, projected, files, notes)

    def _of_target(self, commit: ObjectId, label: str) -> Point:
        """Return the mapped files of a commit of the target, and which sync had brought what is the source's of them.

        Where the maps were others then, the files stood elsewhere: the state is that of the source commit instead.
        """
        target = self.remote.repo
        if not self._in_target(commit):
            branch = target.branch
            raise UsageError(
                f"{label} is neither in the history of {branch} of {target.name} nor in that of the source.",
                hint="Name a release, or a commit that one of them has.",
            )
        commit = self._commit_of(commit)
        at = find_state(self.repository, self.reader, commit, self.manifest.source.url)
        last = None if at is None else at.state
        if last is None or last.source_commit is None:
            return self._of_source(self._copied_from(commit, label), label)
        if last.digest != maps_digest(target.maps):
            note = (
                f"The maps of {target.name} were others at {label}: the files are made from the source at"
                f" {last.source_commit[:10]} by the maps of today, without what {target.name} had edited."
            )
            return self._of_source(last.source_commit, label, note)
        self._require(last.source_commit, label)
        projected = last.projected
        assert projected is not None  # it names both, or none
        if not self._has(projected):
            projected = project(self.repository, last.source_commit, target.maps, reader=self.reader).commit
            assert projected is not None  # that sync brought it
        files = self.relation.part.of(commit.encode() + b"^{tree}")
        opened = tuple(own_since(self.repository, self.reader, target.maps, commit, at))
        return Point(label, last.source_commit, projected, files, (), commit, opened, last.adopted)

    def _copied_from(self, commit: ObjectId, label: str) -> ObjectId:
        """Return the source commit whose projection a commit of the target is.

        Raises:
            UsageError: it is none.
        """
        relation, target = self.relation, self.remote.repo
        _, copied_from = origins(self.repository, relation.source_commit, target.maps, reader=self.reader)
        source = copied_from.get(commit.encode())
        if source is None:
            raise UsageError(
                f"No sync had reached {target.name} at {label}, or it was taken back, so nothing says what of it is the"
                " source's.",
                hint="Name a later commit of it, a release, or a commit of the source.",
            )
        return ObjectId(source.decode())

    def _had(self, commit: ObjectId, projected: ObjectId) -> bool:
        """Whether the target ever had the files of a source commit: brought by a sync, with a later one, or its own."""
        if is_ancestor(self.repository, projected, self._tip):
            return True
        part = self.relation.part
        files = part.of(projected.encode() + b"^{tree}")

        def same(other: ObjectId) -> bool:
            return self._has(other) and not part.changes(files, part.of(other.encode() + b"^{tree}"))

        for at in past_states(self.repository, self.reader, self._tip, self.manifest.source.url):
            source, brought = at.state.source_commit, at.state.projected
            if source is not None and self._has(source) and is_ancestor(self.repository, commit, source):
                return True
            # A sync that has nothing to bring leaves no commit: a later source commit may stand for the same files.
            if same(at.id) or (brought is not None and same(brought)):
                return True
        # Nor does one that finds in the target what came home from there.
        imports = find_imports(self.repository, self.reader, self.manifest, self.remote.repo, commit)
        return any(same(one) and is_ancestor(self.repository, one, self._tip) for one in imports)

    @property
    def _tip(self) -> ObjectId:
        assert self.relation.tip is not None  # an empty target was refused before
        return self.relation.tip

    def _in_target(self, commit: ObjectId) -> bool:
        return self._has(commit) and is_ancestor(self.repository, self._commit_of(commit), self._tip)

    def _commit_of(self, found: ObjectId) -> ObjectId:
        peeled = self.reader.find(found.encode() + b"^{commit}")
        return found if peeled is None else ObjectId(peeled[0].decode())

    def _has(self, found: ObjectId) -> bool:
        return self.reader.find(found.encode()) is not None

    def _require(self, commit: ObjectId, label: str) -> None:
        if not self._has(commit):
            raise EnvironmentProblem(
                f"{label} leads to {commit[:10]} of the source, which is not in this clone.",
                hint=command_line("git", "fetch", self.manifest.source.url, commit),
            )
