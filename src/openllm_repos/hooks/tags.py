"""Release tags that are pushed: what the clone knows of them, and what the other repos say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from openllm_repos.family.access import access_of
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.refs import read_refs
from openllm_repos.git.remote import Unreachable, endpoints, list_refs
from openllm_repos.git.repository import Repository
from openllm_repos.hooks.gate import Found, Sister, TagFacts
from openllm_repos.hooks.lines import BRANCHES, PushedRef
from openllm_repos.hooks.released import lock_in_tree, lock_of_tag
from openllm_repos.lockfile.model import Lock
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoUrl
from openllm_repos.versions.commit import files_of, manifest_at
from openllm_repos.versions.stated import stated

_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class TagFinder:
    """Finds out about release tags.

    Attributes:
        repository: the clone that pushes.
        manifest: the family.
        reader: reads the clone's objects.
        repos: where the push goes.
        lines: all that it moves.
        deadline: seconds that other repos have to answer, all of them at once.
    """

    repository: Repository
    manifest: Manifest
    reader: ObjectReader
    repos: tuple[Repo, ...]
    lines: Sequence[PushedRef]
    deadline: float

    def facts(self, line: PushedRef, version: str) -> TagFacts:
        """Return what the clone itself knows of a tag: of the pushed one, or of the one that is deleted."""
        assert line.tag is not None  # only release tags come here
        object_id = line.old if line.new.is_zero else line.new
        if self.reader.find(object_id.encode()) is None:
            return TagFacts("", found=Found() if self._is_release else self._lock_of_source(version))
        held = self.reader.read(object_id.encode())
        if held.type != b"tag":
            return TagFacts(held.type.decode())
        header, _, message = held.data.decode("utf-8", "replace").partition("\n\n")
        named = next((row[4:] for row in header.split("\n") if row.startswith("tag ")), "")
        peeled = self.reader.find(object_id.encode() + b"^{commit}")
        if peeled is None:
            return TagFacts("tag", named)
        commit = ObjectId(peeled[0].decode())
        rows = self.reader.read(peeled[0]).data.partition(b"\n\n")[0].split(b"\n")
        parents = tuple(ObjectId(row[7:].decode()) for row in rows if row.startswith(b"parent "))
        files = files_of(self.reader, commit)
        if not self._is_release:
            places = [place for repo in self.repos for place in repo.version]
            return TagFacts("tag", named, commit, parents, stated(places, files), self._lock_of_source(version))
        there = manifest_at(self.reader, commit) or self.manifest
        found = lock_in_tree(self.reader, commit, line.tag)
        if found == Found():
            found = lock_of_tag(message, line.tag)
        return TagFacts("tag", named, commit, parents, stated(there.project.version, files), found)

    @property
    def _is_release(self) -> bool:
        """Whether the push goes to the source."""
        return self.manifest.source in self.repos

    def _lock_of_source(self, version: str) -> Found:
        """Find the lock of another repo's tag: on the source's branch, as this clone has it, or in the source's tag."""
        source = self.manifest.source
        tag = self.manifest.tag_form(source).tag_for(version)
        tracking = endpoints(self.repository, {source.name: source.url})[source.name].tracking
        for ref in (tag.ref, source.branch.ref, f"{tracking}/{source.branch}", "HEAD"):
            held = self.reader.find(ref.encode() + b"^{commit}")
            found = Found() if held is None else lock_in_tree(self.reader, ObjectId(held[0].decode()), tag)
            if found != Found():
                return found
        held = self.reader.find(tag.ref.encode() + b"^{tag}")
        if held is None:
            return Found()
        return lock_of_tag(self.reader.read(held[0]).data.decode("utf-8", "replace").partition("\n\n")[2], tag)

    def asked(self, tags: Mapping[str, TagFacts]) -> dict[str, TagFacts]:
        """Return the tags with what other repos say of them: all asked at once, or none where it does not matter."""
        new = {line.ref for line in self.lines if not line.new.is_zero}
        releases = {ref: tag for ref, tag in tags.items() if self._is_release and tag.commit is not None and ref in new}
        if not releases:
            return dict(tags)
        source = self.manifest.source
        clone = replace(self.repository, access=access_of(self.manifest, self.repository))
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            heads = pool.submit(self._list, clone, source.name, source.url, (f"{BRANCHES}*",))
            rounds = {ref: self._ask_sisters(pool, clone, tag.found.lock) for ref, tag in releases.items()}
            at_source, problem = heads.result()
            sisters = {ref: tuple(answer.result() for answer in answers) for ref, answers in rounds.items()}
        return dict(tags) | {
            ref: replace(
                tag,
                sisters=sisters[ref],
                on_branch=self._on_branch(tag, at_source, known=not problem),
            )
            for ref, tag in releases.items()
        }

    def _ask_sisters(self, pool: ThreadPoolExecutor, clone: Repository, lock: Lock | None) -> list[Future[Sister]]:
        others = () if lock is None else lock.others
        urls = {repo.name: repo.url for repo in self.manifest.repos}
        return [pool.submit(self._sister, clone, one.name, urls.get(one.name, one.url), one.tag.ref) for one in others]

    def _sister(self, clone: Repository, name: RepoName, url: RepoUrl, ref: str) -> Sister:
        refs, problem = self._list(clone, name, url, (ref, f"{ref}^{{}}"))
        return Sister(name, refs.get(f"{ref}^{{}}") or refs.get(ref), problem)

    def _list(
        self, clone: Repository, name: RepoName, url: RepoUrl, patterns: Sequence[str]
    ) -> tuple[dict[str, ObjectId], str]:
        """Return the refs of a repo, and why it did not say."""
        try:
            place = endpoints(clone, {name: url})[name].url
            return list_refs(clone, place, patterns, deadline=self.deadline, peeled=True), ""
        except Unreachable as why:
            return {}, why.message

    def _on_branch(self, tag: TagFacts, at_source: Mapping[str, ObjectId], *, known: bool) -> bool | None:
        """Whether a tag's commit is on a branch of the remote or of this push, as far as this clone can tell."""
        assert tag.commit is not None
        heads = {held for ref, held in at_source.items() if ref.startswith(BRANCHES)}
        here = {held for held in heads if self.reader.find(held.encode()) is not None}
        pushed = {line.new for line in self.lines if line.ref.startswith(BRANCHES) and not line.new.is_zero}
        remembered = set(read_refs(self.repository, "refs/remotes").values())
        if self._contained(tag.commit, here | pushed):
            return True
        # What was fetched before counts where the remote has gone on since, or does not answer.
        if (heads - here or not known) and self._contained(tag.commit, remembered):
            return True
        return False if known and not heads - here and not self.repository.shallow else None

    def _contained(self, commit: ObjectId, tips: set[ObjectId]) -> bool:
        asked = "".join(f"{line}\n" for line in (commit, *(f"^{tip}" for tip in sorted(tips))))
        return bool(tips) and not self.repository.git.run("rev-list", "-n", "1", "--stdin", stdin=asked.encode()).stdout
