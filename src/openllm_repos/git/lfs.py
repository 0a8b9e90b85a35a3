"""git-lfs: where a clone keeps large objects, and carrying them from one remote to another.

git-lfs is started as git's own subcommand, in a folder of its own (:mod:`openllm_repos.git.bench`) whose only commit
holds the pointers in question: so that commit's id tells it which objects to take, the clone's history is not walked
again, and no file of a work tree has a say. Its exit code is read, and the methods and statuses of its HTTP, which it
writes into a file there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem, Passing
from openllm_repos.git.bench import bench
from openllm_repos.git.network import host_name
from openllm_repos.git.pack import COMMIT, TREE, PackWriter
from openllm_repos.git.process import Git
from openllm_repos.git.progress import OnProgress
from openllm_repos.git.remote import TRANSFER_DEADLINE, Endpoint, lfs_settings
from openllm_repos.git.repository import Repository
from openllm_repos.git.watch import Monitor
from openllm_repos.plan import LargeFile
from openllm_repos.retry import RetryPolicy, next_step, passing_status

POINTER_BYTES = 1024  # a pointer is smaller
_POINTER_HEAD = b"version https://git-lfs.github.com/spec/v1\noid sha256:"
_ONE_TRY = ("lfs.transfer.maxretries=1",)  # how often is a matter of the one policy
_HTTP = re.compile(rb"trace git-lfs: HTTP: (?:(GET|HEAD|POST|PUT) |([0-9]{3})\r?$)", re.MULTILINE)
_TRACE_END = 1 << 20  # bytes; an answer's JSON may stand between two exchanges
_PROGRESS = re.compile(
    rb"^(upload|download) ([0-9]{1,9})/([0-9]{1,9}) ([0-9]{1,18})/([0-9]{1,18}) [^\n]*\n", re.MULTILINE
)
_PROGRESS_END = 1 << 14  # bytes; a line ends with a path
_NOBODY = b"openllm-repos <openllm-repos@localhost> 0 +0000"


class LfsMissing(EnvironmentProblem):
    """git-lfs is needed and not there."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why}, and git-lfs is not installed, or not on PATH.",
            hint="Install it (apt install git-lfs, brew install git-lfs, https://git-lfs.com), then run this again.",
        )


def installed(repository: Repository) -> bool:
    """Whether git finds its subcommand ``lfs``."""
    return repository.git.run("lfs", "version", ok=range(256)).code == 0


def store(repository: Repository) -> Path:
    """Return the folder where the clone keeps LFS objects (``lfs.storage``, by default ``lfs`` in its git folder)."""
    done = repository.git.run("config", "-z", "--type=path", "--get", "lfs.storage", ok=(0, 1))
    told = os.fsdecode(done.stdout.removesuffix(b"\0")) or "lfs"
    return repository.common_dir / told


def has(folder: Path, file: LargeFile) -> bool:
    """Whether a store holds an object, whole."""
    try:
        return place(folder, file.oid).stat().st_size == file.size
    except FileNotFoundError:
        return False


def place(folder: Path, oid: str) -> Path:
    """Return where a store keeps an object."""
    return folder / "objects" / oid[:2] / oid[2:4] / oid


def stands_for(pointer: bytes, file: Path) -> bool:
    """Whether a pointer, as git-lfs writes it, stands for the content of a file. Nothing is stored."""
    if not file.is_file() or file.is_symlink():
        return False
    size = b"size %d\n" % file.stat().st_size
    if not (pointer.startswith(_POINTER_HEAD) and pointer.endswith(size)):
        return False
    with file.open("rb") as content:
        return pointer == _POINTER_HEAD + hashlib.file_digest(content, "sha256").hexdigest().encode() + b"\n" + size


def upload(
    repository: Repository,
    url: str,
    files: Sequence[LargeFile],
    folder: Path,
    *,
    deadline: float = TRANSFER_DEADLINE,
) -> LfsResult:
    """Bring objects to a remote's LFS. What it has already is not sent again, and need not be here.

    Args:
        repository: the clone.
        url: the remote.
        files: what it must have.
        folder: the store to take them from.
        deadline: seconds until it is given up.

    Returns:
        Exit code 0 where the remote has every one of them now; it confirmed each.

    Raises:
        LfsUnavailable: it could not do it now, and the patience for that has ended.
    """
    strict = (*lfs_settings(url), "lfs.allowincompletepush=false")
    return _patiently(repository, url, ("push", url), files, folder, settings=strict, deadline=deadline)


def download(repository: Repository, remote: Endpoint, files: Sequence[LargeFile], folder: Path) -> LfsResult:
    """Bring objects from a remote's LFS into a store; those that arrived are there, whatever the exit code.

    Args:
        repository: the clone; its own configuration, ``.lfsconfig`` included, says where that remote's LFS is.
        remote: where to fetch from.
        files: what is wanted.
        folder: the store to put them in.

    Raises:
        LfsUnavailable: as :func:`upload`.
    """
    return _patiently(repository, remote.url, ("fetch", remote.name or remote.url), files, folder)


def _patiently(
    repository: Repository,
    url: str,
    asked: Sequence[str],
    files: Sequence[LargeFile],
    folder: Path,
    *,
    settings: Sequence[str] = (),
    deadline: float = TRANSFER_DEADLINE,
) -> LfsResult:
    """Run git-lfs, again where its host may do better: content that has arrived is not sent twice."""
    host = host_name(url)

    def attempt() -> LfsResult:
        with _pointers(repository, files, folder) as (git, commit):
            trace = _Trace(git.folder / "http-trace", repository.retry, host)
            progress = _Progress(git.folder / "progress", repository.git.on_progress)

            def look() -> None:
                trace.look()
                progress.look()

            try:
                done = git.run(
                    *("lfs", *asked, commit),
                    ok=range(-255, 256),
                    settings=(*settings, *_ONE_TRY),
                    deadline=deadline,
                    environment={**repository.reach(url), "GIT_TRACE": os.fspath(trace.path), **progress.environment},
                    monitor=Monitor(look=look),
                )
            finally:
                progress.end()
            if done.code != 0 and (passing := trace.read().passing) is not None:
                raise LfsUnavailable(host, passing, done.said)
            return LfsResult(done.code, done.said, trace.read().status)

    return repository.retry.run(host, attempt)


@dataclass(frozen=True, slots=True)
class LfsResult:
    """What came of a git-lfs.

    Attributes:
        code: its exit code.
        said: its words, for people.
        status: of the last HTTP answer that it had, 0 where it had none.
    """

    code: int
    said: str
    status: int


class LfsUnavailable(EnvironmentProblem):
    """A host's LFS cannot do it now."""

    def __init__(self, host: str, passing: Passing, said: str, hint: str = "") -> None:
        words = f":\n{said}" if said else "."
        super().__init__(
            f"The LFS of {host} cannot do it now ({passing.what}){words}",
            hint=hint or next_step(host, passing),
            passing=passing,
        )


@dataclass(frozen=True, slots=True)
class _Exchange:
    """The last HTTP exchange of a git-lfs: whether there was one, and the status of its answer, 0 without one."""

    asked: bool = False
    status: int = 0

    @property
    def passing(self) -> Passing | None:
        if self.asked and not self.status:
            return Passing("the connection broke off")
        return passing_status(self.status, {})


class _Trace:
    """What git-lfs does, as it writes it down itself: it waits as long as a host asks, by itself and in silence.

    Args:
        path: where it writes.
        retry: how patient the run is.
        host: for people.
    """

    def __init__(self, path: Path, retry: RetryPolicy, host: str) -> None:
        self.path = path
        self._retry = retry
        self._host = host
        self._waits_since: float | None = None

    def read(self) -> _Exchange:
        """Return the last exchange. Only methods and statuses are read, no words."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TRACE_END))
                rows = _HTTP.findall(file.read())
        except FileNotFoundError:
            return _Exchange()
        if not rows:
            return _Exchange()
        method, status = rows[-1]
        return _Exchange(asked=True, status=0 if method else int(status))

    def look(self) -> None:
        """Say that it waits, once each time; end it where that takes longer than the patience.

        Raises:
            LfsUnavailable: it does.
        """
        passing = passing_status(self.read().status, {})
        if passing is None:
            self._waits_since = None
            return
        now = time.monotonic()
        if self._waits_since is None:
            self._waits_since = now
            if self._retry.patience:
                self._retry.notify(f"waiting as long as {self._host} asks ({passing.what})")
        elif now - self._waits_since >= self._retry.patience:
            hint = next_step(self._host, passing, waited=self._retry.patience)
            raise LfsUnavailable(self._host, replace(passing, tries=0), "", hint)


class _Progress:
    """How far a git-lfs is, as it writes it down itself.

    Args:
        path: where it writes.
        show: gets a line now and then, an empty one at the end; None where nobody watches.
    """

    def __init__(self, path: Path, show: OnProgress | None) -> None:
        self._path = path
        self._show = show
        self.environment = {} if show is None else {"GIT_LFS_PROGRESS": os.fspath(path)}

    def look(self) -> None:
        """Show the last line that it wrote whole."""
        if self._show is None:
            return
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _PROGRESS_END))
            if rows := _PROGRESS.findall(file.read()):
                what, number, count, done, size = (row.decode() for row in rows[-1])
                share = f"{int(done) / int(size):.0%}" if int(size) else "100%"
                self._show(f"LFS {what} {number}/{count}: {share}")

    def end(self) -> None:
        """Take the line away, after a last one for those who were too quick."""
        self.look()
        if self._show is not None:
            self._show("")


@contextlib.contextmanager
def _pointers(repository: Repository, files: Sequence[LargeFile], folder: Path) -> Iterator[tuple[Git, str]]:
    """Yield a git on a repository whose only commit holds the pointers of `files`, and that commit's id."""
    pointers = {file.oid.encode(): bytes.fromhex(file.pointer) for file in files}
    told = repository.git.run("config", "-z", "--blob", "HEAD:.lfsconfig", "--get", "lfs.url", ok=(0, 1, 128))
    defaults = {} if told.code else {"lfs.url": told.stdout.removesuffix(b"\0").decode("utf-8", "replace")}
    with bench(repository, defaults=defaults, settings={"lfs.storage": os.fspath(folder)}) as empty:
        with PackWriter(empty.git, empty.objects_dir, empty.object_format) as writer:
            tree = writer.add(TREE, b"".join(b"100644 %b\0%b" % row for row in sorted(pointers.items())))
            commit = writer.add(COMMIT, b"tree %b\nauthor %b\ncommitter %b\n\npointers\n" % (tree, _NOBODY, _NOBODY))
            writer.finish()
        (empty.git_dir / "refs/pointers").write_text(f"{commit.decode()}\n", encoding="ascii")  # it wants some ref
        yield empty.git, commit.decode()
