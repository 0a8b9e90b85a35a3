"""What a push by hand to a target reaches: mapped paths that it changes, and paths that may not be there at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.remote import endpoints
from openllm_repos.git.repository import Repository
from openllm_repos.hooks.gate import Reach
from openllm_repos.hooks.lines import PushedRef
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.pattern import Pattern
from openllm_repos.text import show_path

_GLOB = "top,glob"


def reach_of(
    repository: Repository, reader: ObjectReader, manifest: Manifest, targets: Sequence[Repo], line: PushedRef
) -> Reach:
    """Return what one pushed ref reaches.

    Args:
        repository: the clone that pushes.
        reader: reads its objects.
        manifest: says what may never leave the source.
        targets: the targets that the push goes to, branches of one repository.
        line: the ref.
    """
    commit = reader.find(line.new.encode() + b"^{commit}")
    if commit is None:
        return Reach()  # a tag of something else brings no history
    new = ObjectId(commit[0].decode())
    known = line.old.is_zero or reader.find(line.old.encode() + b"^{commit}") is not None
    old = line.old if known and not line.old.is_zero else None
    never = tuple(_never(repository, manifest, targets, new, old))
    target = next((repo for repo in targets if repo.branch.ref == line.ref), None)
    if target is None or not known:
        return Reach((), never, known)
    changed = _changed(repository, new, old)
    mapped = [path for path in changed if any(a_map.output.matches(path) for a_map in target.maps)]
    return Reach(tuple(show_path(path) for path in mapped), never)


def _changed(repository: Repository, new: ObjectId, old: ObjectId | None) -> list[bytes]:
    """Return the paths that differ between what the branch was and what it is to be."""
    asked = (
        ("ls-tree", "-r", "-z", "--name-only", "--full-tree", new)
        if old is None
        else ("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)
    )
    return repository.git.run(*asked, "--").stdout.split(b"\0")[:-1]


def _never(
    repository: Repository, manifest: Manifest, targets: Sequence[Repo], new: ObjectId, old: ObjectId | None
) -> Iterator[str]:
    """Yield paths that commits of the push bring and that may not leave the source, less what the target owns."""
    paths = [f":({_GLOB}){path}" for pattern in manifest.project.never for path in _below(pattern)]
    if not paths:
        return
    owned = [pattern for target in targets for pattern in target.owned]
    paths += [f":({_GLOB},exclude){path}" for pattern in owned for path in _below(pattern)]
    # What the target has already is no news; a commit that only takes such a file away is welcome.
    there = [f"--glob={end.tracking}" for end in endpoints(repository, {one.name: one.url for one in targets}).values()]
    without = ["--not", *([old] if old else []), *there]
    touching = repository.git.run("rev-list", "--full-history", new, *without, "--", *paths)
    if not touching.stdout:
        return
    asked = ("diff-tree", "--stdin", "--root", "-r", "-c", "-z", "--name-only", "--no-renames", "--no-commit-id")
    brought = repository.git.run(*asked, "--diff-filter=d", "--", *paths, stdin=touching.stdout)
    for path in dict.fromkeys(brought.stdout.split(b"\0")):
        if path:
            yield show_path(path)


def _below(pattern: Pattern) -> Iterator[str]:
    """Yield what git calls the paths of a pattern that also stands for all that is below what it matches."""
    yield pattern.canonical
    if not pattern.canonical.endswith("/**"):
        yield f"{pattern.canonical}/**"
