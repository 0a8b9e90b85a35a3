"""What an operation did to a target's branch, taken back by one commit on top of it. Nothing is forced, nothing lost.

Only the paths that the operation changed go back; what others did to them since is merged, and all else stays. The
commit says, in the trailers of a sync, what the target has of the source now: what the last sync before had said. So
the target counts as behind again, and the next sync brings again what was taken back. Without those trailers git's
merge base would make the old files the target's own edits, and the newer ones would never come again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from openllm_repos.errors import ConflictError, ReposError
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.state import StateCommit, TargetState, find_state, list_maps, own_since
from openllm_repos.git.history import is_ancestor, merge_base, write_commit
from openllm_repos.git.merge import merge, three_sides
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import PackWriter
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import Move, Operation
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Action, RefUpdate, Stopped, TargetPlan
from openllm_repos.preflight.card import Validate
from openllm_repos.preflight.inspect import WouldBeRefused
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.project import origins
from openllm_repos.sync.planning import checked_by_host, stopped_by_host
from openllm_repos.text import redact, show, show_path


def plan_target_undo(
    manifest: Manifest,
    repository: Repository,
    remote: RemoteState,
    operation: Operation,
    move: Move,
    validate: Validate | None = None,
) -> TargetPlan | Stopped:
    """Plan the commit that takes one move back; what stops it is an answer.

    Args:
        manifest: what should be.
        repository: the clone, or a quarantine of it.
        remote: the target's remote, its tip brought.
        operation: what is taken back.
        move: its move of the target's branch.
        validate: asks the Hub about a card.
    """
    target = remote.repo
    try:
        remote.require_branch()
        with ObjectReader(repository.git) as reader:
            plan = _Undoing(manifest, repository, reader, remote, operation, move).plan()
        return plan if isinstance(plan, Stopped) else checked_by_host(manifest, repository, plan, remote, validate)
    except WouldBeRefused as why:
        return stopped_by_host(target, why)
    except ReposError as why:
        return Stopped(target.name, why.message, why.hint, why.exit_code)


@dataclass(frozen=True, slots=True)
class _Undoing:
    """The plan of one target in the making."""

    manifest: Manifest
    repository: Repository
    reader: ObjectReader
    remote: RemoteState
    operation: Operation
    move: Move

    @property
    def target(self) -> Repo:
        return self.remote.repo

    def plan(self) -> TargetPlan | Stopped:
        """Plan it.

        Raises:
            ConflictError: the branch is not what the operation left, or what came after it does not let go.
        """
        tip = self._tip()
        before = None if self.move.old.is_zero else self._state(self.move.old)
        after = self._require_nothing_since(tip)
        part = MappedPart(self.reader, self.target.maps, self.repository.object_format)
        now, then = self._tree(tip), self._tree(self.move.new)
        with PackWriter(self.repository.git, self.repository.objects_dir, self.repository.object_format) as writer:
            old = part.write(part.of(None), writer) if self.move.old.is_zero else self._tree(self.move.old)
            sides = three_sides(writer, then, now, old)
        merged = merge(self.repository, sides)
        if merged.tree is None:
            some = "1 file" if len(merged.conflicts) == 1 else f"{len(merged.conflicts)} files"
            return Stopped(
                self.target.name,
                f"{self.target.name} has other changes to {some} since, which do not let go of this one;"
                " nothing was changed.",
                f"openllm-repos undo {self.operation.name}  # after taking those back",
                ConflictError.exit_code,
                conflicts=merged.conflicts,
            )
        changes = part.tree_changes(now, merged.tree.encode())
        touched = {change.path for change in part.tree_changes(old, then)}
        for change in changes:
            if change.path not in touched or any(pattern.protects(change.path) for pattern in self.target.owned):
                raise ConflictError(
                    f"{self.target.name}: taking it back would change {show_path(change.path)}, which is the target's"
                    " own.",
                    hint="Nothing was changed. Take it back there by hand.",
                )
        state = self._next(before, after, tip)
        plan = TargetPlan(
            self.target.name,
            redact(self.remote.endpoint.push_url),
            Action.UP_TO_DATE,
            (None if state is None else state.source_commit) or tip,
            (None if state is None else state.projected) or self.repository.zero,
            tip,
        )
        if not changes and state is None:
            return plan
        made = write_commit(self.repository, merged.tree, [tip], self._message(state))
        update = RefUpdate(self.target.branch.ref, tip, made)
        return replace(plan, action=Action.UNDO, update=update, changes=changes, commits=1)

    def _tip(self) -> ObjectId:
        """Return the branch's tip, which the operation's commit must be in the history of."""
        tip, name = self.remote.tip, self.target.name
        if tip is None:
            raise ConflictError(
                f"{name} has no branch {self.target.branch} any more.",
                hint=f"What it held is {self.move.new}, if it is still in this clone.",
            )
        there = self.reader.find(self.move.new.encode()) is not None
        if not there or not is_ancestor(self.repository, self.move.new, tip):
            raise ConflictError(
                f"{name} no longer has {self.move.new[:10]}, which {self.operation.name} brought: its branch was"
                " rewritten since.",
                hint=f"What it was before is {self.move.old}.",
            )
        return tip

    def _require_nothing_since(self, tip: ObjectId) -> StateCommit | None:
        """Return the state as of the operation; refuse where another one has come after it.

        Files of both would be left, and no state could say what they are.
        """
        after, latest = self._state(self.move.new), self._state(tip)
        if _kept(after) != _kept(latest):
            assert latest is not None  # what one commit says, its descendants say too, or something newer
            raise ConflictError(
                f"{self.target.name} was synced again since, with {latest.id[:10]}.",
                hint="openllm-repos log  # the newest goes first",
            )
        return after

    def _state(self, commit: ObjectId) -> StateCommit | None:
        return find_state(self.repository, self.reader, commit, self.manifest.source.url)

    def _next(self, before: StateCommit | None, after: StateCommit | None, tip: ObjectId) -> TargetState | None:
        """Return the state afterwards: as before the operation, with what people made since; None where it had none."""
        if before == after:
            return None
        assert after is not None  # what had a state has one still
        maps = self.target.maps
        earlier = own_since(self.repository, self.reader, maps, self.move.old, before)
        newest = self._state(tip)  # the same, or what an undo of a later operation has stated again
        later = own_since(self.repository, self.reader, maps, tip, newest)
        opened = tuple(dict.fromkeys((*earlier, *(one for one in later if one not in after.state.open))))
        if before is not None:
            return replace(before.state, open=opened)
        return TargetState.of(self.target, *self._kept_by_git(after.state), opened)

    def _kept_by_git(self, state: TargetState) -> tuple[ObjectId | None, ObjectId | None]:
        """Return what a target without a state had: the newest projected commit in its history, and its source."""
        if state.source_commit is None or self.move.old.is_zero:
            return None, None
        assert state.projected is not None  # it names both, or none
        common = merge_base(self.repository, state.projected, self.move.old)
        if common is None:
            return None, None
        _, copied_from = origins(self.repository, state.source_commit, state.maps, reader=self.reader)
        source = copied_from.get(common.encode())
        return (None, None) if source is None else (ObjectId(source.decode()), common)

    def _message(self, state: TargetState | None) -> str:
        content = self.reader.read(self.move.new.encode()).data.partition(b"\n\n")[2]
        subject = show(content.decode("utf-8", "replace").strip().partition("\n")[0])
        back = "gone" if self.move.old.is_zero else f"as it was at {self.move.old[:10]}"
        rows = [f'Undo "{subject}"', f"What it changed is {back}, but for what was edited here since."]
        if state is not None:
            rows += [list_maps(state.maps), state.trailers(self.manifest.source)]
        return "\n\n".join(rows).rstrip() + "\n"

    def _tree(self, commit: ObjectId) -> bytes:
        found = self.reader.find(commit.encode() + b"^{tree}")
        assert found is not None  # its state was read before
        return found[0]


def _kept(at: StateCommit | None) -> TargetState | None:
    """Return what a state says beside edits: the same again after an undo and what it took back."""
    return None if at is None else replace(at.state, open=())
