"""What index and work tree hold of the submodules, and writing both: the index at once by git, then the one file.

Nothing of a person's gets lost: what is in the way is told, and what is staged or edited of ``.gitmodules`` stays.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.errors import ConflictError, EnvironmentProblem, UsageError
from openllm_repos.family.modules import settings_for
from openllm_repos.files import atomic_write, read_file
from openllm_repos.git.gitlinks import PLAIN_FILE, IndexEntry, index_entries, write_index
from openllm_repos.git.gitmodules import NAME, Module, Setting, edited, read_modules
from openllm_repos.git.process import GitFailed
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.path import FolderPath
from openllm_repos.text import show_path

_MODE = 0o644
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Held:
    """What there is now.

    Attributes:
        top: the work tree.
        entries: of the index, at, above and below the paths that matter.
        staged: the ``.gitmodules`` of the index, None where it has none.
        written: that of the work tree, None where it has none.
        modules: the sections of it: of the work tree's, or where a sparse checkout leaves it out of the index's.
        staged_modules: the sections of the index's.
    """

    top: Path
    entries: tuple[IndexEntry, ...]
    staged: bytes | None
    written: bytes | None
    modules: tuple[Module, ...]
    staged_modules: tuple[Module, ...]

    @property
    def pins(self) -> dict[str, ObjectId]:
        """The pins of the index: path -> commit."""
        return {
            os.fsdecode(entry.path): ObjectId(entry.id.decode())
            for entry in self.entries
            if entry.is_gitlink and not entry.stage
        }

    def sides(self, path: FolderPath) -> list[ObjectId]:
        """The two pins that a merge left in conflict at a path; none where there is no conflict."""
        here = [entry for entry in self.entries if entry.path == os.fsencode(path) and entry.stage > 1]
        return [ObjectId(entry.id.decode()) for entry in here]

    @property
    def mode(self) -> bytes:
        """The mode of ``.gitmodules`` in the index, or that of a new one."""
        return next((entry.mode for entry in self.entries if entry.path == NAME.encode()), PLAIN_FILE)

    @property
    def skipped(self) -> bool:
        """Whether a sparse checkout leaves ``.gitmodules`` out of the work tree."""
        return any(entry.skipped for entry in self.entries if entry.path == NAME.encode())


def look(repository: Repository, paths: Sequence[str]) -> Held:
    """Read what index and work tree hold at some paths. Nothing is changed.

    Raises:
        UsageError: a bare clone has neither.
        ConflictError: ``.gitmodules`` cannot be read, or is no plain file.
    """
    if repository.top is None:
        raise UsageError(
            f"{repository.git_dir} is a bare clone: it has no index to pin a commit in.",
            hint="Go to a clone with a work tree.",
        )
    above = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, path.count("/") + 1)}
    entries = tuple(
        entry
        for entry in index_entries(repository, [NAME, *paths, *above])
        if not _aside(os.fsdecode(entry.path), paths, above)
    )
    mine = next((entry for entry in entries if entry.path == NAME.encode()), None)
    if mine is not None and (mine.stage or mine.mode not in {b"100644", b"100755"}):
        why = "is in conflict" if mine.stage else "is no plain file in the index"
        raise ConflictError(f"{NAME} {why}.", hint=f"git status -- {NAME}  # resolve that first")
    staged = None if mine is None else repository.git.run("cat-file", "blob", mine.id.decode()).stdout
    written = _read(repository.top / NAME)
    if staged is not None and written is None and mine is not None and not mine.skipped:
        raise ConflictError(
            f"{NAME} is deleted in the work tree, and the index still has it.",
            hint=f"git restore {NAME}\ngit rm {NAME}  # or remove the submodules",
        )
    in_index = () if staged is None else read_modules(repository, staged)
    modules = in_index if written in {None, staged} else read_modules(repository, written or b"")
    return Held(repository.top, entries, staged, written, modules, in_index)


def _aside(path: str, paths: Sequence[str], above: Iterable[str]) -> bool:
    """Whether an entry only lies beside what was asked for, in a folder above it."""
    asked = path == NAME or path in above
    return not asked and not any(path == one or path.startswith(f"{one}/") for one in paths)


def _read(file: Path) -> bytes | None:
    """Read the work tree's ``.gitmodules``. git does not follow a symbolic link there, and neither do we."""
    try:
        if not stat.S_ISREG(file.lstat().st_mode):
            raise ConflictError(f"{NAME} is no plain file, and git does not read it.", hint=f"Look at it: ls -l {NAME}")
        return read_file(file, _LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentProblem(f"{NAME} cannot be read: {error.strerror}.") from None


def require_free(held: Held, repo: Repo, path: FolderPath) -> None:
    """Refuse a path that a submodule cannot be put at without losing something.

    Two pins in conflict are no reason: both are in the history, and git itself settles them only with a clone there.

    Raises:
        ConflictError: files are there, in the index or in the work tree.
    """
    for entry in held.entries:
        found = os.fsdecode(entry.path)
        inside = found == path or found.startswith(f"{path}/")
        if (inside and not (entry.is_gitlink and found == path)) or path.startswith(f"{found}/"):
            raise ConflictError(
                f"{repo.name} cannot be pinned at {path}: the source has {show_path(entry.path)} there.",
                hint=f"Move that, or pin it elsewhere: 'openllm-repos manifest set repos.{repo.name}.submodule PATH'.",
            )
    place = held.top
    for part in path.parts:
        place /= part
        if place.parent != held.top and os.path.lexists(place.parent / ".git"):
            raise ConflictError(
                f"{repo.name} cannot be pinned at {path}: {place.parent.relative_to(held.top)} is a clone of its own.",
                hint=f"Pin it elsewhere: 'openllm-repos manifest set repos.{repo.name}.submodule PATH'.",
            )
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            what = "a symbolic link" if place.is_symlink() else "a file"
            raise ConflictError(
                f"{repo.name} cannot be pinned at {path}: {place.relative_to(held.top)} is {what}.",
                hint="Move it out of the way first.",
            )
    if place.is_dir() and not os.path.lexists(place / ".git") and any(place.iterdir()):
        raise ConflictError(
            f"{repo.name} cannot be pinned at {path}: that folder holds files of yours that are no clone of it.",
            hint=f"Move them out of the way first: mv {shlex.quote(path)} {shlex.quote(f'{path}.mine')}",
        )


def is_checked_out(repository: Repository, path: FolderPath) -> bool:
    """Whether a submodule has files in the work tree."""
    return repository.top is not None and os.path.lexists(repository.top / path / ".git")


def uncommitted(repository: Repository, paths: Sequence[FolderPath], manifest: Path) -> tuple[bool, bool]:
    """Say what of this is not committed yet: pins and ``.gitmodules`` in the index; the manifest in the work tree."""
    assert repository.top is not None  # what was pinned, was pinned in an index
    own = os.path.relpath(manifest.parent.resolve() / manifest.name, repository.top)
    places = [NAME, *paths] + ([] if own.startswith("..") else [own])
    asked = ("--literal-pathspecs", "status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames")
    with contextlib.suppress(GitFailed):  # it is only asked to say what comes next
        listed = repository.person().run(*asked, "--ignore-submodules=dirty", "--", *places).stdout
        rows = [row for row in listed.split(b"\0") if row]
        of_own = [row for row in rows if row.endswith(b" " + os.fsencode(own))]
        return any(row[:1] == b"1" and row[2:3] != b"." for row in rows if row not in of_own), bool(of_own)
    return False, False


def write(
    repository: Repository,
    manifest: Manifest,
    held: Held,
    repos: Sequence[tuple[Repo, FolderPath]],
    pins: Mapping[str, ObjectId],
) -> bool:
    """Pin commits, and let ``.gitmodules`` say what the manifest says of those repos.

    First the work tree's ``.gitmodules``, and the empty folder that git makes for a submodule that is not checked out;
    then the index, at once or not at all. Killed in between, the same call does what is left.

    Args:
        repository: the clone.
        manifest: what should be.
        held: what :func:`look` found.
        repos: whose section is brought up to date.
        pins: path -> commit; only those that change.

    Returns:
        Whether anything changed.

    Raises:
        EnvironmentProblem: another git is at work, or something cannot be written.
    """
    both = (*held.modules, *held.staged_modules)
    staged = _with_sections(repository, manifest, held.staged or b"", repos, both)
    written = (
        staged
        if held.written == held.staged
        else _with_sections(repository, manifest, held.written or b"", repos, both)
    )
    files = {NAME: (held.mode, staged)} if staged != (held.staged or b"") else {}
    edits = not held.skipped and written != (held.written or b"")
    skips = {os.fsdecode(entry.path) for entry in held.entries if entry.skipped}
    try:
        if edits:
            _replace(held.top / NAME, held.written, written)
        for path in pins.keys() - skips:
            (held.top / path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(f"The work tree cannot be written: {error.strerror}.") from None
    try:
        write_index(repository, pins, files, skipped=sorted(skips & (pins.keys() | files.keys())))
    except GitFailed as failed:
        if edits:
            _replace(held.top / NAME, written, held.written)
        raise EnvironmentProblem(
            f"The index cannot be written: {failed.completed.said}", hint="Wait until no other git works here."
        ) from None
    return bool(pins or files or edits)


def _with_sections(
    repository: Repository,
    manifest: Manifest,
    content: bytes,
    repos: Sequence[tuple[Repo, FolderPath]],
    beside: Sequence[Module],
) -> bytes:
    for repo, path in repos:
        settings: tuple[Setting, ...] = settings_for(manifest, repo, path, read_modules(repository, content), beside)
        content = edited(repository, content, settings)
    return content


def _replace(file: Path, before: bytes | None, after: bytes | None) -> None:
    """Put a new file in the place of one that is still as it was read; None is no file."""
    if _read(file) != before:
        raise ConflictError(f"{NAME} changed meanwhile.", hint="Run the same command again.")
    if after is None:
        file.unlink()
        return
    mode = _MODE if before is None else file.stat().st_mode & 0o7777
    atomic_write(file, after, durable=True, mode=mode)
