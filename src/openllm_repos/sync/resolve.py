"""A conflict settled by a person: the merge in a temporary work tree, then the same checks and the same push."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from openllm_repos.errors import ConflictError, NameRefused, UsageError
from openllm_repos.family.relation import Relation, relate
from openllm_repos.family.remotes import RemoteState
from openllm_repos.git.merge import merge
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.git.worktree import MergeWorktree
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.card import Validate
from openllm_repos.preflight.inspect import WouldBeRefused
from openllm_repos.sync.held import Held
from openllm_repos.sync.merging import sides_of
from openllm_repos.sync.planning import (
    SyncOptions,
    bring_tips,
    checked_by_host,
    plan_with_tree,
    require_branch,
    require_mergeable,
    require_reached,
    source_to_carry,
    stopped_by_host,
)
from openllm_repos.text import show_path


@dataclass(frozen=True, slots=True)
class Resolution:
    """A merge that a person is settling.

    Attributes:
        path: the work tree.
        source_commit: the source commit that is carried over.
        tip: the target's tip that it is merged into.
        before: what was filled in as it was settled before: path, and mode and blob.
    """

    path: str
    source_commit: ObjectId
    tip: ObjectId
    before: dict[str, str] = field(default_factory=dict)


def begin_resolution(
    manifest: Manifest, repository: Repository, name: str, options: SyncOptions
) -> tuple[Resolution, tuple[bytes, ...], tuple[bytes, ...]]:
    """Open a work tree with the conflicts of one target in it.

    Returns:
        Where it is, the paths to settle, and those that are settled already, as they were before.

    Raises:
        UsageError: there is no conflict, or one is being settled already.
        ReposError: as a sync of that target.
    """
    target = manifest.target(name)
    if _state_file(repository, target).exists():
        where = _read(repository, target).path
        raise UsageError(
            f"A merge for {name} is open already, in {where}.",
            hint=f"Finish it with: openllm-repos sync {name} --continue   or drop it with --abort.",
        )
    remote, commit, _ = source_to_carry(manifest, repository, [target], options)
    with ObjectReader(repository.git) as reader:
        relation = relate(repository, reader, manifest, target, commit, _tip(remote[target.name]))
        if relation.held:
            raise Held(target.name, relation.held)
        require_mergeable(target, relation)
        if relation.tip is None or relation.contained:
            raise _no_conflict(target)
        sides = sides_of(repository, reader, relation, target)
        merged = merge(repository, sides)
    if merged.tree is not None:
        raise _no_conflict(target)
    folder = Path(tempfile.mkdtemp(prefix=f"openllm-repos-{name}-")) / name
    resolution = Resolution(str(folder), commit, relation.tip)
    _write(repository, target, resolution)
    worktree = MergeWorktree(repository, folder)
    worktree.open(sides)
    unsettled = merged.aside.union(worktree.unsettled())
    paths = [conflict.path for conflict in merged.conflicts]
    before = tuple(path for path in paths if path not in unsettled)
    if before:
        filled = {os.fsdecode(path): entry.decode() for path, entry in worktree.added(before).items()}
        _write(repository, target, replace(resolution, before=filled))
    return resolution, tuple(path for path in paths if path in unsettled), before


def finish_resolution(
    manifest: Manifest, repository: Repository, name: str, validate: Validate | None = None
) -> SyncPlan:
    """Turn a settled merge into a plan that can be applied: checked like any other.

    Raises:
        UsageError: no merge is open.
        ConflictError: paths are not settled yet, the target has moved since, or a check failed. What the target's host
            would refuse is an answer: the plan is a :class:`Stopped` one.
    """
    target = manifest.target(name)
    resolution = _read(repository, target)
    worktree = MergeWorktree(repository, Path(resolution.path))
    if not worktree.exists():
        raise UsageError(
            f"The work tree {resolution.path} is gone.",
            hint=f"Start again: openllm-repos sync {name} --abort, then --resolve.",
        )
    unsettled = worktree.unsettled()
    if unsettled:
        paths = ", ".join(show_path(path) for path in unsettled)
        raise ConflictError(
            f"Not settled yet: {paths}.", hint=f"Edit them in {resolution.path}, then 'git add' them there."
        )
    before = {os.fsencode(path): entry.encode() for path, entry in resolution.before.items()}
    now = worktree.added(tuple(before)) if before else {}
    # Whatever comes of it now: the person need not do it again.
    worktree.remember(instead=[path for path, entry in before.items() if now.get(path, entry) != entry])
    remote = bring_tips(repository, [target])[target.name]
    if _tip(remote) != resolution.tip:
        raise ConflictError(
            f"{name} has moved since the merge was opened.",
            hint=f"Start again: openllm-repos sync {name} --abort, then --resolve.",
        )
    with ObjectReader(repository.git) as reader:
        relation: Relation = relate(repository, reader, manifest, target, resolution.source_commit, resolution.tip)
        plan = plan_with_tree(manifest, repository, reader, relation, remote, worktree.tree())
    try:
        checked: TargetPlan | Stopped = checked_by_host(manifest, repository, plan, remote, validate)
    except WouldBeRefused as why:
        checked = stopped_by_host(target, why)
    return SyncPlan(manifest.source.name, resolution.source_commit, (checked,))


def drop_resolution(manifest: Manifest, repository: Repository, name: str) -> None:
    """Remove the work tree of a merge, settled or not.

    Raises:
        UsageError: no merge is open.
    """
    target = manifest.target(name)
    worktree = MergeWorktree(repository, Path(_read(repository, target).path))
    worktree.close()
    if worktree.path.parent.is_dir() and not any(worktree.path.parent.iterdir()):
        worktree.path.parent.rmdir()
    _state_file(repository, target).unlink()
    with contextlib.suppress(OSError):
        _notes(repository).rmdir()  # unless another merge is open


def open_resolutions(repository: Repository) -> Iterator[tuple[str, Path, Path | None]]:
    """Yield each merge that is open: the target's name, its note, and its work tree (None: the note is damaged)."""
    for file in sorted(_notes(repository).glob("*.json")):
        try:
            yield file.stem, file, Path(_parsed(file).path)
        except (OSError, ValueError, KeyError, TypeError, NameRefused):
            yield file.stem, file, None


def _tip(remote: RemoteState) -> ObjectId | None:
    require_reached(remote)
    require_branch(remote)
    return remote.tip


def _no_conflict(target: Repo) -> UsageError:
    return UsageError(f"{target.name} has no conflict to settle.", hint=f"Run: openllm-repos sync {target.name}")


def _state_file(repository: Repository, target: Repo) -> Path:
    return _notes(repository) / f"{target.name}.json"


def _notes(repository: Repository) -> Path:
    return repository.state_dir / "resolve"


def _write(repository: Repository, target: Repo, resolution: Resolution) -> None:
    file = _state_file(repository, target)
    file.parent.mkdir(parents=True, exist_ok=True)
    waiting = file.with_suffix(".tmp")
    waiting.write_text(json.dumps(asdict(resolution)), encoding="utf-8")
    os.replace(waiting, file)


def _parsed(file: Path) -> Resolution:
    fields = json.loads(file.read_bytes())
    before = {str(path): str(entry) for path, entry in dict(fields.get("before", {})).items()}
    return Resolution(str(fields["path"]), ObjectId(fields["source_commit"]), ObjectId(fields["tip"]), before)


def _read(repository: Repository, target: Repo) -> Resolution:
    try:
        return _parsed(_state_file(repository, target))
    except FileNotFoundError:
        raise UsageError(
            f"No merge is open for {target.name}.", hint=f"Open one: openllm-repos sync {target.name} --resolve"
        ) from None
    except (ValueError, KeyError, TypeError, NameRefused):
        file = _state_file(repository, target)
        raise UsageError(
            f"The note of the merge that is open for {target.name} is damaged: {file}.",
            hint="Delete it, and the work tree if you still have one (git worktree list), then --resolve again.",
        ) from None
