"""The files of the work tree that are published: found, or refused where the Hub or Windows would misread them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path, PurePosixPath

from openllm_repos.errors import ConflictError, EnvironmentProblem, NameRefused, UsageError
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.maps import Map
from openllm_repos.manifest.model import Repo
from openllm_repos.names.path import FilePath
from openllm_repos.names.twins import Twins, find_twins, folded
from openllm_repos.text import show_path

BLOCK = 1 << 20
CARD = "README.md"
RECORD = ".openllm/published.json"
"""What a publish writes of itself; a folder that was downloaded from the Hub has one, and it is no artifact."""

_NO_ARTIFACTS = frozenset({".gitattributes", ".gitignore", ".gitkeep", ".DS_Store", "Thumbs.db", "desktop.ini"})
_NO_ARTIFACTS_IN = frozenset({".cache", "__pycache__", ".ipynb_checkpoints"})
"""Folders that programs make for themselves; the Hub takes no file below a `.cache`, which downloads keep notes in."""


class Unpublishable(ConflictError):
    """Files that cannot be published as they are.

    Args:
        repo: the name of the repo.
        problems: one line for each.
        hint: what to do.
    """

    def __init__(self, repo: str, problems: Sequence[str], *, hint: str) -> None:
        some = "1 file" if len(problems) == 1 else f"{len(problems)} files"
        super().__init__(f"{repo}: {some} must not be published; nothing was sent.", hint=hint)
        self.problems = tuple(problems)


class FileChanged(EnvironmentProblem):
    """A file is written to while it is published."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"{source} changes while it is being published; nothing was committed.",
            hint="Wait until whatever writes it has finished, then run this again.",
        )


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells without reading that a file is the same."""

    size: int
    modified: int
    changed: int
    inode: int
    device: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """Return the stamp of a file."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to publish.

    Attributes:
        path: where it is.
        source: the same from the top of the work tree, for people.
        target: its path in the repo.
        stamp: as it was when it was found.
    """

    path: Path
    source: str
    target: str
    stamp: Stamp

    @property
    def size(self) -> int:
        """In bytes."""
        return self.stamp.size

    def pieces(self, start: int, length: int) -> Iterator[bytes]:
        """Yield `length` bytes from `start` on, a megabyte at the most at a time.

        Raises:
            FileChanged: it is not what it was, before or afterwards.
            EnvironmentProblem: it cannot be read.
        """
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(handle, "rb", buffering=0) as file:
                self._require_same(os.fstat(handle))
                file.seek(start)
                left = length
                while left:
                    piece = file.read(min(BLOCK, left))
                    if not piece:
                        raise FileChanged(self.source)
                    left -= len(piece)
                    yield piece
                self._require_same(os.fstat(handle))
        except OSError as error:
            raise EnvironmentProblem(
                f"{self.source} cannot be read: {error.strerror}.", hint="Mend its permissions, then run this again."
            ) from None

    def _require_same(self, found: os.stat_result) -> None:
        if Stamp.of(found) != self.stamp or not stat.S_ISREG(found.st_mode):
            raise FileChanged(self.source)


@dataclass(frozen=True, slots=True)
class Found:
    """What is there to publish.

    Attributes:
        files: in the order of their targets.
        left_out: files that are no artifacts: git's own settings, what programs keep for themselves.
    """

    files: tuple[LocalFile, ...]
    left_out: tuple[str, ...]


def own_links(repository: Repository, repo: Repo) -> frozenset[str]:
    """Return the links on the way to the folders that are published, as far as they are the person's own.

    An `exports` or `data` that leads to a larger disk is. One that git tracks is not, nor one inside of what git tracks
    as a link or a submodule: with it, whoever wrote the history would choose what is read on this machine.
    """
    if repository.top is None:
        return frozenset()
    places = {place for entry in repo.publish for place in _on_the_way(entry.place)}
    links = {place for place in places if (repository.top / place).is_symlink()}
    if not links:
        return frozenset()
    rows = repository.git.run("ls-files", "-z").stdout.split(b"\0")
    tracked = {folded(os.fsdecode(row)) for row in rows}  # twins are the same on some disks
    return frozenset(link for link in links if tracked.isdisjoint(map(folded, (*_above(link), link))))


def _on_the_way(place: Map) -> Iterator[str]:
    return accumulate(place.source.base.parts, "{}/{}".format)


def _above(path: str) -> list[str]:
    return [str(folder) for folder in PurePosixPath(path).parents if folder.name]


def find_files(top: Path, repo: Repo, *, links: frozenset[str] = frozenset(), limit: int | None = None) -> Found:
    """Find the files that are published to a repo. Nothing is read yet.

    Args:
        top: of the work tree.
        repo: the manifest's entry.
        links: those on the way to its folders that may be followed.
        limit: how many files to look at; None for all.

    Raises:
        EnvironmentProblem: there are more.
        UsageError: an entry of the manifest finds nothing: a folder that is missing must not delete what is published.
        Unpublishable: links, special files, and names that would be misread.
    """
    search = _Search(top, repo, links, limit)
    for number, entry in enumerate(repo.publish):
        search.take(entry.place, repo.at_key("publish", number, "from"))
    search.compare_names()
    if search.problems:
        raise Unpublishable(repo.name, search.problems, hint="Mend what is listed, or take a narrower `from`.")
    return Found(tuple(sorted(search.files, key=lambda file: file.target)), tuple(search.left_out))


class _Search:
    def __init__(self, top: Path, repo: Repo, links: frozenset[str], limit: int | None) -> None:
        self.top = top
        self.links = links
        self.limit = limit
        self.repo = repo
        self.files: list[LocalFile] = []
        self.left_out: list[str] = []
        self.problems: list[str] = []

    def take(self, place: Map, where: str) -> None:
        """Take the files of one entry."""
        before = len(self.files) + len(self.problems)
        base = place.source.base
        for step in _on_the_way(place):
            if (self.top / step).is_symlink() and step not in self.links:
                self._refuse(os.fsencode(step), "is a symbolic link that git tracks; put the folder itself there")
                return
        if not (self.top / str(base)).is_dir():
            raise UsageError(f"{where}: there is no folder {base or '.'} here.", hint="Make the artifacts first.")
        self._walk(os.fsencode(base), place)
        if len(self.files) + len(self.problems) == before:
            raise UsageError(
                f"{where}: {place.source.text} finds no file here, so nothing is published.",
                hint="Make the artifacts first. To take back what is published: delete it there, and this entry.",
            )

    def _walk(self, folder: bytes, place: Map) -> None:
        """Look through a folder (its path from the top), and those below where the pattern may reach them."""
        deep = len(place.source.rest) > 1 or place.source.is_whole_folder
        try:
            with os.scandir(os.fsencode(self.top) + b"/" + folder) as rows:
                entries = sorted(rows, key=lambda entry: entry.name)
        except OSError as error:
            self._refuse(folder, f"cannot be read: {error.strerror}")
            return
        for entry in entries:
            path = folder + b"/" + entry.name if folder else entry.name
            if entry.is_dir(follow_symlinks=False) and entry.name.lower() != b".git":
                if deep:
                    self._walk(path, place)
            elif place.source.matches(path) or (entry.is_symlink() and entry.is_dir() and _reaches(place, path)):
                self._look_at(path, entry, place)

    def _look_at(self, path: bytes, entry: os.DirEntry[bytes], place: Map) -> None:
        """Take one entry that the pattern matches, leave it out, or refuse it."""
        target = os.fsdecode(place.target_path(path) or path)
        name = target.rpartition("/")[2]
        if name in _NO_ARTIFACTS or not _NO_ARTIFACTS_IN.isdisjoint(target.split("/")) or _is_record(target):
            self.left_out.append(show_path(path))
        elif name.lower() == ".git":
            self._refuse(path, "makes its folder a git repository of its own; publish a folder without it")
        elif entry.is_symlink():
            self._refuse(path, "is a symbolic link; put the file itself there")
        elif not entry.is_file(follow_symlinks=False):
            self._refuse(path, "is neither a file nor a folder")
        else:
            self._add(path, entry, target)

    def _add(self, path: bytes, entry: os.DirEntry[bytes], target: str) -> None:
        try:
            FilePath(target)
        except NameRefused as refused:
            self._refuse(path, f"has a name that cannot be published: {refused.message}")
            return
        if target != CARD and target.partition("/")[0].lower() == CARD.lower():
            self._refuse(path, f"would be no card: the Hub reads {CARD} alone, a file in these letters; rename it")
            return
        for pattern in self.repo.owned:
            if pattern.protects(target.encode()):
                self._refuse(path, f"would be written to {target}, which {self.repo.name} owns ({pattern.text})")
                return
        if not os.access(entry.path, os.R_OK):
            self._refuse(path, "cannot be read: its permissions forbid it")
            return
        if self.limit is not None and len(self.files) >= self.limit:
            raise EnvironmentProblem(f"{self.repo.name} has more than {self.limit} files to publish.")
        stamp = Stamp.of(entry.stat(follow_symlinks=False))
        self.files.append(LocalFile(Path(os.fsdecode(entry.path)), os.fsdecode(path), target, stamp))

    def compare_names(self) -> None:
        """Refuse names that are one on Windows and macOS."""
        sources = {file.target: file.source for file in self.files}
        for twins in find_twins(sources, ()):
            self.problems.append(str(Twins(sources[twins.path], sources.get(twins.other, twins.other))))

    def _refuse(self, path: bytes, why: str) -> None:
        self.problems.append(f"{show_path(path)} {why}")


def _is_record(target: str) -> bool:
    return target == RECORD or target.endswith(f"/{RECORD}")


def _reaches(place: Map, path: bytes) -> bool:
    """Whether a pattern may stand for something below a folder, as far as that can be told without looking."""
    return place.source.matches(path + b"/x") or any(part.is_globstar for part in place.source.rest)
