"""What a push would send: the files that the remote does not have yet, and the commits that bring them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

from openllm_repos.git.network import ask_host
from openllm_repos.git.objects import MissingObject
from openllm_repos.git.process import Completed, GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.names.objectid import ObjectId

_BLOBS_ONLY = ("--objects", "--no-object-names", "--filter=object:type=blob", "--filter-provided-objects")
_DIFFERENCES = ("diff-tree", "--stdin", "--root", "-r", "-c", "-z", "--raw", "--no-renames", "--no-ext-diff")
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file comes in: a commit none of whose parents has it there.

    Attributes:
        commit: that commit.
        path: as git stores it.
        blob: hex id of the content.
    """

    commit: ObjectId
    path: bytes
    blob: bytes


def new_blobs(repository: Repository, tip: ObjectId, without: Sequence[ObjectId]) -> Iterator[bytes]:
    """Yield the hex ids of the blobs that a push of `tip` sends to a remote that has `without`.

    It is the set that a hook on the other side looks at. In a partial clone the blobs that are not here come last,
    after they were fetched, all at once: the push needs them anyway, and git by itself would fetch them one by one.

    Raises:
        MissingObject: one is missing, and no remote promised to have it.
        GitFailed: fetching them failed.
    """
    missing = []
    range_ = (tip, *(f"^{commit}" for commit in without))
    for line in repository.git.stream("rev-list", *_BLOBS_ONLY, "--missing=print", *range_, "--"):
        if line.startswith(b"?"):
            missing.append(line[1:-1])
        else:
            yield line[:-1]
    if missing:
        _fetch_promised(repository, missing)
        yield from missing


def _fetch_promised(repository: Repository, blobs: Sequence[bytes]) -> None:
    """Fetch blobs that a partial clone left out, the way git does it, but with one question for all of them."""
    asked = ("config", "-z", "--bool", "--get-regexp", r"^remote\..*\.promisor$")
    done = repository.git.run(*asked, ok=(0, 1))
    entries = (entry.partition("\n") for entry in done.stdout.decode("utf-8", "surrogateescape").split("\0"))
    remotes = [key.removeprefix("remote.").removesuffix(".promisor") for key, _, value in entries if value == "true"]
    if not remotes:
        raise MissingObject(blobs[0])
    url = repository.git.text("config", "--get", f"remote.{remotes[0]}.url", ok=(0, 1))
    quiet = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance")
    ask_host(
        repository,
        url,
        "fetch",
        *quiet,
        "--filter=blob:none",
        "--stdin",
        "--",
        remotes[0],
        stdin=b"\n".join((*blobs, b"")),
        settings=("fetch.negotiationAlgorithm=noop",),
    )


def places(
    repository: Repository,
    tip: ObjectId,
    without: Sequence[ObjectId],
    wanted: Collection[bytes],
    folders: Sequence[str] = (),
) -> Iterator[Place]:
    """Yield where the blobs `wanted` come in, oldest commit first.

    A merge that takes a file as one of its parents has it is no such place: the parent's history has one.

    Args:
        repository: the clone.
        tip: the commit to push.
        without: the commits that the remote has.
        wanted: hex ids of blobs.
        folders: where to look; everywhere by default.
    """
    below = () if "" in folders else tuple(folders)
    listing = ("--literal-pathspecs", "rev-list", "--reverse", "--topo-order", *(("--full-history",) if below else ()))
    with TemporaryFile() as listed:
        range_ = (tip, *(f"^{commit}" for commit in without))
        for line in repository.git.stream(*listing, *range_, "--", *below):
            listed.write(line)
        listed.seek(0)
        with repository.git.popen(*_DIFFERENCES, stdin=listed) as child:
            yield from _wanted_places(child.reader(), wanted)
            if child.wait() != 0:
                raise GitFailed(_DIFFERENCES[0], Completed(child.wait(), b"", child.stderr))


def _wanted_places(answer: IO[bytes], wanted: Collection[bytes]) -> Iterator[Place]:
    """Read ``commit NUL`` and below it ``:modes ids status NUL path NUL``; a merge has one mode and id a parent."""
    commit = b""
    fields = _fields(answer)
    for field in fields:
        if not field.startswith(b":"):
            commit = field
            continue
        path = next(fields)
        blob = field.split(b" ")[-2]
        if blob in wanted:
            yield Place(ObjectId(commit.decode()), path, blob)


def _fields(answer: IO[bytes]) -> Iterator[bytes]:
    """Yield what stands before each NUL."""
    rest = b""
    while block := answer.read(_BLOCK):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole


def files_at(repository: Repository, tree: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield path and hex id of every file in a tree (or anything that names one)."""
    listed = repository.git.run("ls-tree", "-r", "-z", "--full-tree", tree)
    for row in listed.stdout.split(b"\0")[:-1]:
        about, _, path = row.partition(b"\t")
        yield path, about.rpartition(b" ")[2]
