"""What the remotes' tags say of releases: the newest one, what it lacks, and which tags are not as their lock has them.

Nobody is asked for it: the remotes have listed their tags already, and of locks this clone has what it has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from openllm_repos.errors import NameRefused, ReposError
from openllm_repos.family.releases import FoundLock, known_tags, lock_texts, read_locks
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.tags import RepoTag, TagState, named, tags_of, without_tag
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.journal.releases import ReleaseRecord, read_release
from openllm_repos.lockfile.model import FOLDER
from openllm_repos.lockfile.text import LockUnsound
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.ref import RepoName, TagName, TagTemplate
from openllm_repos.status.problems import Problem

_NAMED = 3


def newest_release(form: TagTemplate, tags: Iterable[str]) -> str | None:
    """Return the tag of the highest version, as Python packages order versions (1.10 after 1.9, 1.0rc1 before 1.0).

    Args:
        form: what a release tag looks like; other tags do not count.
        tags: short names.

    Returns:
        The tag, or None where there is no release. Versions that nothing orders come before all others.
    """
    releases = {tag: version for tag in tags if (version := form.version_of(tag)) is not None}
    if len(releases) < 2:
        return next(iter(releases), None)
    from openllm_repos.versions.order import order

    return max(releases, key=lambda tag: (order(releases[tag]), tag))


def about_releases(
    manifest: Manifest, clone: Repository, reader: ObjectReader, remotes: Mapping[RepoName, RemoteState]
) -> Iterator[Problem]:
    """Say what the newest release lacks, which tags are not as a lock has them, and which belong to no release.

    Args:
        manifest: says which repo is the source, and what its tags look like.
        clone: has the source's tip, unless its remote is not known.
        reader: reads its objects.
        remotes: what each of them said; those that are only remembered say nothing of tags.
    """
    source = remotes[manifest.source.name]
    begun = read_release(clone)
    if begun is not None and begun.tag not in source.tags:
        message = f"the release {begun.tag} was begun here and has not ended: it is still at work, or was stopped."
        yield Problem(source.repo.name, message, f"openllm-repos release {begun.version}")
    if not source.problem and not source.remembered:
        try:
            yield from _Tags(manifest, clone, reader, remotes).problems(begun)
        except ReposError as why:
            yield Problem.of(source.repo.name, why)


class _Tags:
    """All release tags that the remotes have listed."""

    def __init__(
        self, manifest: Manifest, clone: Repository, reader: ObjectReader, remotes: Mapping[RepoName, RemoteState]
    ) -> None:
        self._manifest = manifest
        self._clone = clone
        self._reader = reader
        self._source = remotes[manifest.source.name]
        self._remotes = [one for one in remotes.values() if not one.problem and not one.remembered]

    def problems(self, begun: ReleaseRecord | None) -> Iterator[Problem]:
        """Yield what is wrong; what a release lacks that was begun here is its own matter."""
        tags = self._known()
        texts, own = lock_texts(self._reader, self._source, tags)
        newest = next(iter(texts), None)
        looked = zip(own, self._reader.find_many(f"{commit}^".encode() for commit in own.values()), strict=True)
        parents = {tag: found[0].decode() for tag, found in looked if found is not None}
        closer = [tag for tag in texts if tag == newest or not self._plainly_good(tag, texts[tag], parents.get(tag))]
        wrong: dict[RepoName, list[tuple[RepoTag, str]]] = {}
        for tag, found in read_locks(self._clone, self._source, closer, fetched=False).items():
            if isinstance(found, LockUnsound):
                yield Problem.of(self._source.repo.name, found)
            if not isinstance(found, FoundLock):
                continue
            for one in tags_of(found, {remote.repo.url: remote for remote in self._remotes}):
                if one.state.wrong:
                    wrong.setdefault(one.repo.name, []).append((one, found.lock.version))
                elif one.state is TagState.MISSING and tag == newest and (begun is None or begun.tag != tag):
                    message = f"lacks the tag {one.repo.tag} of the release {found.lock.version}."
                    yield Problem(one.repo.name, message, f"openllm-repos release {found.lock.version}")
        for name, found_wrong in wrong.items():
            yield from self._about_wrong(name, found_wrong)
        if newest is not None:
            held = {tag: at for tag in tags if (at := self._source.tags.get(tag)) is not None}
            here = zip(held, self._reader.find_many(at.encode() for at in held.values()), strict=True)
            form, unread = self._manifest.project.tag, [tag for tag, object_ in here if object_ is None]
            released = {form.version_of(tag) or tag for tag in (*texts, *unread)}
            for remote in self._remotes:
                yield from self._about_strays(remote, released, form.version_of(newest) or newest)

    def _known(self) -> list[TagName]:
        """Return the tags of all releases, newest first, as far as this clone can say."""
        tip, form = self._source.tip, self._manifest.project.tag
        locked = tip is not None and self._reader.find(f"{tip}:{FOLDER}".encode()) is not None
        if not locked and not any(form.version_of(tag) for tag in self._source.tags):
            return []
        return known_tags(self._manifest, self._clone, self._source)

    def _plainly_good(self, tag: TagName, text: str, parent: str | None) -> bool:
        """Whether each tag of a release names a commit that its lock names: told from the text, as parsing is slow."""
        version = self._manifest.project.tag.version_of(tag) or tag
        for remote in self._remotes:
            own = self._tag_of(remote.repo, version)
            held = named(remote, own)
            if held is None:
                continue
            commit = parent if parent is not None and remote is self._source else held  # the child adds the lock alone
            if own not in remote.peeled or f'commit = "{commit}"' not in text:
                return False
        return True

    def _tag_of(self, repo: Repo, version: str) -> str:
        try:
            return self._manifest.tag_form(repo).tag_for(version)
        except NameRefused:
            return ""

    def _about_wrong(self, name: RepoName, wrong: list[tuple[RepoTag, str]]) -> Iterator[Problem]:
        """Say which tags of a repo are there and not as their release has them; of many a few are named."""
        for one, version in wrong[:_NAMED] if len(wrong) > _NAMED + 1 else wrong:
            url = next(remote.endpoint.push_url for remote in self._remotes if remote.repo.name == name)
            again = f"openllm-repos release {version}  # then makes it as it was"
            yield Problem(name, f"has its tag {one.wrong_said}.", f"{without_tag(url, one.repo.tag)}\n{again}")
        if len(wrong) > _NAMED + 1:
            message = f"has {len(wrong) - _NAMED} more release tags that are not as their locks have them."
            yield Problem(name, message, "openllm-repos release verify --all")

    def _about_strays(self, remote: RemoteState, released: Collection[str], newest: str) -> Iterator[Problem]:
        """Say which tags stand for a version that no release has made, and that one may still want to make."""
        from openllm_repos.versions.order import order

        form = self._manifest.tag_form(remote.repo)
        last = order(newest)
        versions = {tag: version for tag in remote.tags if (version := form.version_of(tag)) is not None}
        strays = [tag for tag, version in versions.items() if version not in released and order(version) > last]
        for tag in strays[:_NAMED]:
            more = f" (and {len(strays) - _NAMED} more such tags)" if len(strays) > _NAMED and tag == strays[0] else ""
            message = f"has a tag {tag}, which no release made{more}: a release of that version would be refused."
            yield Problem(remote.repo.name, message, without_tag(remote.endpoint.push_url, TagName(tag)))
