"""git-lfs: where a clone keeps large objects, and carrying them from one remote to another.

git-lfs is started as git's own subcommand, in a folder of its own (:mod:`openllm_repos.git.bench`) whose only commit
holds the pointers in question: so that commit's id tells it which objects to take, the clone's history is not walked
again, and no file of a work tree has a say. Its exit code is all that is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git.bench import bench
from openllm_repos.git.pack import COMMIT, TREE, PackWriter
from openllm_repos.git.process import Completed, Git
from openllm_repos.git.remote import TRANSFER_DEADLINE, Endpoint, lfs_settings
from openllm_repos.git.repository import Repository
from openllm_repos.plan import LargeFile

POINTER_BYTES = 1024  # a pointer is smaller
_POINTER_HEAD = b"version https://git-lfs.github.com/spec/v1\noid sha256:"
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
) -> Completed:
    """Bring objects to a remote's LFS. What it has already is not sent again, and need not be here.

    Args:
        repository: the clone.
        url: the remote.
        files: what it must have.
        folder: the store to take them from.
        deadline: seconds until it is given up.

    Returns:
        Exit code 0 where the remote has every one of them now; it confirmed each.
    """
    with _pointers(repository, files, folder) as (git, commit):
        strict = (*lfs_settings(url), "lfs.allowincompletepush=false")
        asked = ("lfs", "push", url, commit)
        reach = repository.reach(url)
        return git.run(*asked, ok=range(256), settings=strict, deadline=deadline, environment=reach)


def download(repository: Repository, remote: Endpoint, files: Sequence[LargeFile], folder: Path) -> Completed:
    """Bring objects from a remote's LFS into a store; those that arrived are there, whatever the exit code.

    Args:
        repository: the clone; its own configuration, ``.lfsconfig`` included, says where that remote's LFS is.
        remote: where to fetch from.
        files: what is wanted.
        folder: the store to put them in.
    """
    with _pointers(repository, files, folder) as (git, commit):
        asked = ("lfs", "fetch", remote.name or remote.url, commit)
        reach = repository.reach(remote.url)
        return git.run(*asked, ok=range(256), deadline=TRANSFER_DEADLINE, environment=reach)


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
