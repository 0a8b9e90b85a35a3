"""What is to be written and deleted: the files here, those of the last publish, and those on the Hub, held together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from openllm_repos.errors import ConflictError
from openllm_repos.names.twins import find_twins
from openllm_repos.publish.hashes import Content
from openllm_repos.publish.model import Clash

_SMALL_IN_COMMIT = 10**9  # bytes; both as huggingface_hub documents them for `create_commit`
_LARGE_IN_COMMIT = 25_000  # files


@dataclass(slots=True)
class Decision:
    """What is to be done, by paths in the repo.

    Attributes:
        write: files whose content is brought.
        delete: files that are published no more.
        same: files that the Hub has already.
        clashes: files that the Hub has otherwise than the last publish left them.
    """

    write: list[str] = field(default_factory=list)
    delete: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)


def decide(
    here: Mapping[str, Content], last: Mapping[str, str], there: Mapping[str, str], *, overwrite: bool = False
) -> Decision:
    """Hold three states of the files against each other, as a merge does.

    Args:
        here: the files of the work tree, by their paths in the repo.
        last: what the last publish left, path -> ``lfs:…`` or ``git:…``.
        there: what the repo has, the same way.
        overwrite: whether what clashes is written and deleted all the same; it is listed in both places then.
    """
    made = Decision()
    for path in sorted({*here, *last}):
        mine, old, now = here.get(path), last.get(path), there.get(path)
        if mine is None and now is None:
            continue  # gone on both sides
        if mine is not None and now is not None and mine.is_one_of(now):
            made.same.append(path)
            continue
        clashing = old != now
        if clashing:
            made.clashes.append(Clash(path, _here(mine, old), _there(old, now), now is not None))
        if not clashing or overwrite:
            (made.delete if mine is None else made.write).append(path)
    return made


def _here(mine: Content | None, old: str | None) -> str:
    if mine is None:
        return "deleted"
    if old is None:
        return "new"
    return "unchanged" if mine.is_one_of(old) else "changed"


def _there(old: str | None, now: str | None) -> str:
    if now is None:
        return "deleted"
    return "put there by somebody else" if old is None else "changed"


def require_room(repo: str, kept: Iterable[str], written: Iterable[str]) -> None:
    """Refuse where one path would have to be both a file and a folder, or two be one on Windows and macOS.

    Args:
        repo: its name, for the message.
        kept: the files that stay in the repo.
        written: the files that are written.

    Raises:
        ConflictError: it is so.
    """
    stays, comes = set(kept), set(written)
    for twins in find_twins(comes - stays, stays):
        raise ConflictError(f"{repo}: {twins}.", hint="Rename one of them, here or on the Hub.")
    folders = {folder: path for path in comes | stays for folder in _folders(path)}
    for path in sorted(comes | stays):
        other = folders.get(path)
        if other is not None and (path in comes or other in comes):
            raise ConflictError(
                f"{repo}: {path} would have to be a file and, for {other}, a folder.",
                hint="Rename one of them here, or delete what is in its place on the Hub.",
            )


def require_one_commit(repo: str, small: int, large: int) -> None:
    """Refuse what the Hub does not take in one commit, before gigabytes are sent.

    Args:
        repo: its name, for the message.
        small: bytes of all files that travel inside the commit.
        large: how many files go through LFS.

    Raises:
        ConflictError: it is more than the Hub takes.
    """
    if small > _SMALL_IN_COMMIT or large > _LARGE_IN_COMMIT:
        raise ConflictError(
            f"{repo} would get {large:,} files through LFS, and {small / 10**9:.1f} GB beside them; the Hub takes"
            f" {_LARGE_IN_COMMIT:,} and {_SMALL_IN_COMMIT // 10**9} GB in a commit.",
            hint="Put them into archives or Parquet files.",
        )


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:at]) for at in range(1, len(parts))]
