"""Releases as the source has them: their tags, and the locks in commits and in the messages of tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from openllm_repos.errors import EnvironmentProblem, NameRefused
from openllm_repos.family.remotes import RemoteState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import Unreachable, fetch
from openllm_repos.git.repository import Repository
from openllm_repos.git.tags import message_of
from openllm_repos.lockfile.model import FOLDER, Lock, LockedRepo, lock_path
from openllm_repos.lockfile.text import BEGIN, LockUnsound, lock_in_message, parse_lock
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import TagName
from openllm_repos.versions.order import order


@dataclass(frozen=True, slots=True)
class FoundLock:
    """A lock, and where it stands.

    Attributes:
        lock: what it says.
        text: its own text.
        commit: the commit that the source's tag names, or is to name.
        in_tag: whether it stands in the tag's message rather than in that commit.
        tagger: who released, and when: the committer of that commit, or the tagger.
    """

    lock: Lock
    text: str
    commit: ObjectId
    in_tag: bool
    tagger: str

    def commit_of(self, repo: LockedRepo) -> ObjectId:
        """Return the commit that a repo's tag names."""
        return self.commit if repo is self.lock.source else repo.commit


def known_tags(manifest: Manifest, repository: Repository, source: RemoteState) -> list[TagName]:
    """Return the tags of all releases, newest first: tags on the source that look like one, and locks on its branch."""
    form = manifest.project.tag
    tags = {TagName(tag) for tag in source.tags if form.version_of(tag) is not None}
    if source.tip is not None:
        tags.update(locked_tags(repository, source.tip))
    return sorted(tags, key=lambda tag: order(form.version_of(tag) or tag), reverse=True)


Read = FoundLock | LockUnsound | None
"""A lock, why it cannot be read, or None where a release has none."""


def read_locks(
    repository: Repository, source: RemoteState, tags: Sequence[TagName], *, fetched: bool = True
) -> dict[TagName, Read]:
    """Return the locks of releases: of the source's tag where it is there, else of its branch.

    Args:
        repository: the clone, or a quarantine of it; tags that it lacks are fetched into it, all at once.
        source: what the source's remote said, with its tip fetched.
        tags: the source's tags.
        fetched: whether to fetch them; without it, what only a tag could say stays unknown.

    Raises:
        EnvironmentProblem: the tags cannot be fetched.
    """
    held = {tag: source.tags[tag] for tag in tags if tag in source.tags}
    with ObjectReader(repository.git) as reader:
        here = {tag for tag, at in held.items() if reader.find(at.encode()) is not None}
        missing = [tag.ref for tag in held if tag not in here]
        if missing and fetched:
            reader.close()
            _fetch_tags(repository, source, missing)
            here = set(held)
        tip = source.tip if source.tip is not None and reader.find(source.tip.encode()) is not None else None
        locks = _Locks(repository, reader)
        named: dict[TagName, ObjectId] = {}  # the commit whose history has to tell which one added the lock
        for tag in tags:
            if tag in here and (commit := locks.of_tag(tag, held[tag])) is not None:
                named[tag] = commit
            elif tag not in locks.read and tip is not None and locks.find(tip, tag) is not None:
                named[tag] = tip
        locks.of_history(named)
        return {tag: locks.read.get(tag) for tag in tags}


def lock_texts(
    reader: ObjectReader, source: RemoteState, tags: Sequence[TagName]
) -> tuple[dict[TagName, str], dict[TagName, ObjectId]]:
    """Return the text of releases' locks by the source's tags, else its branch, as far as the clone has them.

    It may stand between other words, and may have been edited later: :func:`read_locks` knows better, and takes longer.

    Returns:
        The texts, in the order of `tags`, and of those that a tag's own commit has, that commit.
    """
    held = {tag: source.tags[tag] for tag in tags if tag in source.tags}
    named = {tag: source.peeled.get(tag, at) for tag, at in held.items()}
    found = _texts(reader, {tag: f"{commit}:{lock_path(tag)}" for tag, commit in named.items()}, b"blob")
    own = {tag: named[tag] for tag in found}
    messages = _texts(reader, {tag: at for tag, at in held.items() if tag not in found}, b"tag")
    found |= {tag: text for tag, text in messages.items() if BEGIN in text}
    if source.tip is not None:
        left = (tag for tag in tags if tag not in found)
        found |= _texts(reader, {tag: f"{source.tip}:{lock_path(tag)}" for tag in left}, b"blob")
    return {tag: found[tag] for tag in tags if tag in found}, own


def _texts(reader: ObjectReader, names: Mapping[TagName, str], kind: bytes) -> dict[TagName, str]:
    """Return the texts of those objects that are there."""
    looked = zip(names, reader.find_many(name.encode() for name in names.values()), strict=True)
    there = {tag: found[0] for tag, found in looked if found is not None and found[1] == kind}
    read = zip(there, reader.read_many(there.values()), strict=True)
    return {tag: found.data.decode("utf-8", "replace") for tag, found in read}


def _fetch_tags(repository: Repository, source: RemoteState, refs: Sequence[str]) -> None:
    try:
        fetch(repository, source.endpoint.url, *refs)
    except Unreachable as why:
        some = refs[0].removeprefix("refs/tags/") if len(refs) == 1 else f"{len(refs)} release tags"
        raise EnvironmentProblem(
            f"{some} of {source.repo.name} cannot be fetched: {why.message}.", hint=why.hint
        ) from None


class _Locks:
    """Locks while they are read. In `read` are those that are known."""

    def __init__(self, repository: Repository, reader: ObjectReader) -> None:
        self._repository = repository
        self._reader = reader
        self.read: dict[TagName, Read] = {}

    def find(self, commit: ObjectId, tag: TagName) -> ObjectId | None:
        """Return the blob of a lock that a commit holds."""
        found = self._reader.find(f"{commit}:{lock_path(tag)}".encode())
        return None if found is None or found[1] != b"blob" else ObjectId(found[0].decode())

    def of_tag(self, tag: TagName, held: ObjectId) -> ObjectId | None:
        """Read the lock of the source's tag, of its commit or its message.

        The tag may have been moved; the commit that the release tagged is then still the one that added the lock.

        Returns:
            The commit, if its history has to tell which one that was.
        """
        target = self._reader.find(held.encode() + b"^{commit}")
        if target is None:
            return None
        commit = ObjectId(target[0].decode())
        blob = self.find(commit, tag)
        if blob is None:
            if held != commit:
                self._of_message(tag, held, commit)
            return None
        parents = _headers(self._reader, commit, "parent")
        if len(parents) > 1 or any(self.find(ObjectId(parent), tag) is not None for parent in parents):
            return commit
        self._of_commit(tag, commit, blob)
        return None

    def of_history(self, commits: Mapping[TagName, ObjectId]) -> None:
        """Read locks from the commits that added them, in the histories of others; later edits do not count."""
        for at in dict.fromkeys(commits.values()):
            paths = {lock_path(tag): tag for tag, commit in commits.items() if commit == at}
            added = self._added(at, paths)
            for path, tag in paths.items():
                blob = self.find(added[path], tag) if path in added else None
                if blob is not None:
                    self._of_commit(tag, added[path], blob)

    def _added(self, tip: ObjectId, paths: Mapping[str, TagName]) -> dict[str, ObjectId]:
        """Return for each path the newest commit that added it, from one walk."""
        once = ("-1",) if len(paths) == 1 else ()
        asked = ("log", *once, "--diff-filter=A", "--no-renames", "--name-only", "-z", "--format=%x00%H", tip)
        listed = self._repository.git.run(
            "--literal-pathspecs", *asked, "--", FOLDER if not once else next(iter(paths))
        )
        added: dict[str, ObjectId] = {}
        for one in listed.stdout.decode("utf-8", "replace").split("\0\0"):
            commit, _, names = one.strip("\0").partition("\0")
            for name in names.strip("\n").split("\0"):
                if name in paths:
                    added.setdefault(name, ObjectId(commit))
        return added

    def _of_commit(self, tag: TagName, commit: ObjectId, blob: ObjectId) -> None:
        text = self._reader.read(blob.encode()).data.decode("utf-8", "replace")
        try:
            lock = parse_lock(text, f"{lock_path(tag)} of {commit[:10]}")
        except LockUnsound as why:
            self.read[tag] = why
        else:
            tagger = _headers(self._reader, commit, "committer")
            self.read[tag] = FoundLock(lock, text, commit, in_tag=False, tagger="".join(tagger[:1]))

    def _of_message(self, tag: TagName, held: ObjectId, commit: ObjectId) -> None:
        text = message_of(self._reader.read(held.encode()).data.decode("utf-8", "replace"))
        try:
            lock = lock_in_message(text, f"the message of {tag}")
        except LockUnsound as why:
            self.read[tag] = why
            return
        if lock is not None:
            tagger = _headers(self._reader, held, "tagger")
            self.read[tag] = FoundLock(lock, text, commit, in_tag=True, tagger="".join(tagger[:1]))


def locked_tags(repository: Repository, commit: ObjectId) -> Iterator[TagName]:
    """Yield the tags that a commit of the source holds locks of."""
    listed = repository.git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", f"{FOLDER}/")
    for path in listed.stdout.decode("utf-8", "replace").split("\0")[:-1]:
        if path.endswith(".toml"):
            try:
                yield TagName(path.removeprefix(f"{FOLDER}/").removesuffix(".toml"))
            except NameRefused:
                continue


def _headers(reader: ObjectReader, found: ObjectId, key: str) -> list[str]:
    content = reader.read(found.encode()).data.decode("utf-8", "replace")
    rows = content.partition("\n\n")[0].split("\n")
    return [row.removeprefix(f"{key} ") for row in rows if row.startswith(f"{key} ")]
