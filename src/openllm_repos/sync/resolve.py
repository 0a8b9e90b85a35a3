"""A conflict settled by a person: the merge in a temporary work tree, then the same checks and the same push."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import tempfile
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from openllm_repos.errors import ConflictError, NameRefused, UsageError
from openllm_repos.family.not_adopted import relate_fetched
from openllm_repos.family.relation import Relation, State
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.source import to_fetch_first
from openllm_repos.files import atomic_write
from openllm_repos.git.markers import middle_left
from openllm_repos.git.merge import Merged, Sides, chosen, merge
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.git.worktree import MergeWorktree
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Settled, Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.inspect import WouldBeRefused
from openllm_repos.sync.checks import unexpected_markers, with_markers
from openllm_repos.sync.held import Held
from openllm_repos.sync.merging import (
    conflicted_file,
    finish_merge,
    merge_note,
    merge_notes,
    require_in_conflict,
    sides_of,
)
from openllm_repos.sync.planning import (
    FetchFirst,
    SyncOptions,
    bring_tips,
    checked_by_host,
    plan_with_tree,
    require_mergeable,
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
        left: the files that the merge left for the person, as they were then (:meth:`MergeWorktree.fingerprints`).
    """

    path: str
    source_commit: ObjectId
    tip: ObjectId
    before: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)


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
    if merge_note(repository, target).exists():
        where = _read(repository, target).path
        raise UsageError(
            f"A merge for {name} is open already, in {where}.",
            hint=finish_merge(name),
        )
    remote, commit, _ = source_to_carry(manifest, repository, [target], options)
    with ObjectReader(repository.git) as reader:
        relation = relate_fetched(repository, reader, manifest, target, commit, _tip(remote[target.name]))
        if relation.held:
            raise Held(target.name, relation.held)
        first = to_fetch_first(repository, remote[manifest.source.name], commit)
        if first and relation.state in {State.AHEAD, State.REWRITTEN}:
            raise FetchFirst(manifest.source, target, relation, first)
        require_mergeable(repository, reader, target, relation, options.allow_empty)
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
        worktree.open(sides, merged, target.name, manifest.source.name)
        left = worktree.unsettled()
        unsettled = merged.aside.union(left)
        paths = [conflict.path for conflict in merged.conflicts]
        before = tuple(path for path in paths if path not in unsettled)
        filled = {os.fsdecode(path): entry.decode() for path, entry in worktree.added(before).items()} if before else {}
        prints = {os.fsdecode(path): seen for path, seen in worktree.fingerprints(left).items()}
        _write(repository, target, replace(resolution, before=filled, left=prints))
        # A conflict may have been remembered half settled.
        bad = {path for path in before if unexpected_markers(reader, relation, path, worktree.read(path))}
    todo = tuple(path for path in paths if path in unsettled or path in bad)
    return resolution, todo, tuple(path for path in paths if path not in todo)


def finish_resolution(manifest: Manifest, repository: Repository, name: str, options: SyncOptions) -> SyncPlan:
    """Turn a settled merge into a plan that can be applied: checked like any other.

    Args:
        manifest: what should be.
        repository: the clone.
        name: the target.
        options: `settled` names the side of files that are to be taken as that has them; `validate` asks the Hub.

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
            hint=f"openllm-repos sync {name} --abort\nopenllm-repos sync {name} --resolve",
        )
    with ObjectReader(repository.git) as reader:
        relation = relate_fetched(repository, reader, manifest, target, resolution.source_commit, resolution.tip)
        tree = _Settling(repository, reader, relation, target, resolution, worktree).tree(options.settled)
        before = {os.fsencode(path): entry.encode() for path, entry in resolution.before.items()}
        now = worktree.added(tuple(before)) if before else {}
        # Whatever comes of it now: the person need not do it again.
        worktree.remember(instead=[path for path, entry in before.items() if now.get(path, entry) != entry])
        remote = bring_tips(repository, [target])[target.name]
        if _tip(remote) != resolution.tip:
            raise ConflictError(
                f"{name} has moved since the merge was opened.",
                hint=f"openllm-repos sync {name} --abort\nopenllm-repos sync {name} --resolve",
            )
        plan = plan_with_tree(manifest, repository, reader, relation, remote, tree)
    try:
        checked: TargetPlan | Stopped = checked_by_host(manifest, repository, plan, remote, options.validate)
    except WouldBeRefused as why:
        checked = stopped_by_host(target, why)
    return SyncPlan(manifest.source.name, resolution.source_commit, (checked,))


@dataclass(frozen=True, slots=True)
class _Settling:
    """A merge that a person says is settled."""

    repository: Repository
    reader: ObjectReader
    relation: Relation
    target: Repo
    resolution: Resolution
    worktree: MergeWorktree

    def tree(self, settled: Sequence[Settled]) -> ObjectId:
        """Write what the person made of it as a tree.

        Raises:
            ConflictError: a file is not settled, has conflict markers, or is as the merge left it.
            UsageError: a path of `settled` is not in conflict.
        """
        sides = sides_of(self.repository, self.reader, self.relation, self.target)
        merged = merge(self.repository, sides)
        require_in_conflict(self.target, settled, merged)
        instead = chosen(self.repository, merged, sides, merged.named(settled))
        place = self.resolution.path
        unsettled = [path for path in self.worktree.unsettled() if path not in instead]
        if unsettled:
            raise ConflictError(
                f"Not settled yet: {_listed(unsettled)}.", hint=f"Edit them in {place}, then 'git add' them there."
            )
        tree = self.worktree.tree(instead)
        marked = self._marked(merged, sides, tree, instead)
        if marked:
            raise ConflictError(
                f"Conflict markers are left in {_listed(marked)}; nothing was pushed.",
                hint=f"Edit them away in {place}, then 'git add' the file there.",
            )
        self._require_touched(merged, instead)
        return tree

    def _marked(self, merged: Merged, sides: Sides, tree: ObjectId, instead: Container[bytes]) -> list[bytes]:
        """Return the files that still have the markers of a conflict, or a part of them."""
        part, tip = self.relation.part, self.resolution.tip
        old = self.reader.find(tip.encode() + b"^{tree}")
        changes = part.tree_changes(None if old is None else old[0], tree.encode())
        marked = set(with_markers(self.reader, self.relation, tree, changes))
        for path in (conflict.path for conflict in merged.conflicts if conflict.path not in instead):
            left, now = conflicted_file(self.reader, merged, path), self.worktree.read(path)
            labels = (sides.ours.encode(), sides.theirs.encode())
            torn = left is not None and middle_left(now, left, labels)
            if torn and unexpected_markers(self.reader, self.relation, path, now, middle=True):
                marked.add(path)
        return sorted(marked)

    def _require_touched(self, merged: Merged, instead: Container[bytes]) -> None:
        """Refuse a file that was added as the merge left it: nobody has chosen that. It may be the target's by chance.

        Raises:
            ConflictError: there is one.
        """
        left = {os.fsencode(path): seen for path, seen in self.resolution.left.items()}
        now = self.worktree.fingerprints(tuple(left))
        same = [path for path, seen in left.items() if now.get(path) == seen and path not in instead]
        if not same:
            return
        may_choose = {conflict.path for conflict in merged.conflicts}.difference(merged.aside).issuperset(same)
        paths = " ".join(f"--keep-target {shlex.quote(os.fsdecode(path))}" for path in same)
        raise ConflictError(
            f"As the merge left it: {_listed(same)}; nobody has settled that, and nothing was pushed.",
            hint=f"openllm-repos sync {self.target.name} --continue {paths}  # or --take-source"
            if may_choose
            else f"Edit, move or delete it in {self.resolution.path}, then 'git add' that there.",
        )


def _listed(paths: Iterable[bytes]) -> str:
    return ", ".join(show_path(path) for path in paths)


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
    merge_note(repository, target).unlink()
    with contextlib.suppress(OSError):
        merge_notes(repository).rmdir()  # unless another merge is open


def open_resolutions(repository: Repository) -> Iterator[tuple[str, Path, Path | None]]:
    """Yield each merge that is open: the target's name, its note, and its work tree (None: the note is damaged)."""
    for file in sorted(merge_notes(repository).glob("*.json")):
        try:
            yield file.stem, file, Path(_parsed(file).path)
        except (OSError, ValueError, KeyError, TypeError, NameRefused):
            yield file.stem, file, None


def _tip(remote: RemoteState) -> ObjectId | None:
    remote.require_branch()
    return remote.tip


def _no_conflict(target: Repo) -> UsageError:
    return UsageError(f"{target.name} has no conflict to settle.", hint=f"openllm-repos sync {target.name}")


def _write(repository: Repository, target: Repo, resolution: Resolution) -> None:
    file = merge_note(repository, target)
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, json.dumps(asdict(resolution)).encode())


def _parsed(file: Path) -> Resolution:
    fields = json.loads(file.read_bytes())
    before, left = (
        {str(path): str(seen) for path, seen in dict(fields.get(key, {})).items()} for key in ("before", "left")
    )
    return Resolution(str(fields["path"]), ObjectId(fields["source_commit"]), ObjectId(fields["tip"]), before, left)


def _read(repository: Repository, target: Repo) -> Resolution:
    try:
        return _parsed(merge_note(repository, target))
    except FileNotFoundError:
        raise UsageError(
            f"No merge is open for {target.name}.", hint=f"openllm-repos sync {target.name} --resolve  # opens one"
        ) from None
    except (ValueError, KeyError, TypeError, NameRefused):
        file = merge_note(repository, target)
        raise UsageError(
            f"The note of the merge that is open for {target.name} is damaged: {file}.",
            hint="Delete it, and the work tree if you still have one (git worktree list), then --resolve again.",
        ) from None
