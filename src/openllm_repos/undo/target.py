"""What an operation did to a target's branch, taken back by one commit on top of it. Nothing is forced, nothing lost.

Only the paths that the operation changed go back; what others did to them since is merged, and all else stays. The
commit says, in the trailers of a sync, what the target has of the source now: what the last sync before had said. So
the target counts as behind again, and the next sync brings again what was taken back. Without those trailers git's
merge base would make the old files the target's own edits, and the newer ones would never come again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from openllm_repos.errors import ConflictError, ReposError
from openllm_repos.family.last_sync import (
    MANIFEST_DIGEST,
    NOT_ADOPTED,
    PROJECTED_COMMIT,
    SOURCE_COMMIT,
    SOURCE_REPO,
    UNDONE_COMMIT,
    LastSync,
    find_last_sync,
    said_there,
)
from openllm_repos.family.remotes import RemoteState
from openllm_repos.git.history import is_ancestor, write_commit
from openllm_repos.git.merge import merge, three_sides
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import PackWriter
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.journal.log import Move, Operation
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Action, RefUpdate, Stopped, TargetPlan
from openllm_repos.preflight.card import Validate
from openllm_repos.preflight.inspect import WouldBeRefused
from openllm_repos.projection.changes import MappedPart
from openllm_repos.sync.message import listed
from openllm_repos.sync.planning import checked_by_host, require_branch, require_reached, stopped_by_host
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
        require_reached(remote)
        require_branch(remote)
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
        before = None if self.move.old.is_zero else self._last(self.move.old)
        said = self._require_nothing_since(tip)
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
        found = before or said
        plan = TargetPlan(
            self.target.name,
            redact(self.remote.endpoint.push_url),
            Action.UP_TO_DATE,
            tip if found is None or found.nothing else found.source_commit,
            self.repository.zero if before is None else before.projected,
            tip,
        )
        trailers = self._trailers(before, said, copied=bool(part.changes(part.of(None), part.of(old))))
        if not changes and not trailers:
            return plan
        made = write_commit(self.repository, merged.tree, [tip], self._message(before, trailers))
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

    def _require_nothing_since(self, tip: ObjectId) -> LastSync | None:
        """Return the last sync as of the operation; refuse where another one has come after it.

        Files of both would be left, and no trailer could say what they are.
        """
        said, latest = self._last(self.move.new), self._last(tip)
        if self._rows(said) != self._rows(latest):
            assert latest is not None  # what one commit says, its descendants say too, or something newer
            raise ConflictError(
                f"{self.target.name} was synced again since, with {latest.commit[:10]}.",
                hint="openllm-repos log  # the newest goes first",
            )
        return said

    def _last(self, commit: ObjectId) -> LastSync | None:
        return find_last_sync(self.repository, self.reader, commit, self.manifest.source.url)

    def _rows(self, said: LastSync | None) -> tuple[str, ...]:
        return () if said is None else said_there(self.reader, said.commit)

    def _trailers(self, before: LastSync | None, said: LastSync | None, *, copied: bool) -> tuple[str, ...]:
        """Return the trailers that say what the target has of the source afterwards; none where that stays the same."""
        rows = self._rows(before)
        if rows == self._rows(said):
            return ()
        zero = self.repository.zero
        rows = rows or (
            f"{SOURCE_REPO}: {self.manifest.source.url}",
            f"{SOURCE_COMMIT}: {zero}",
            f"{PROJECTED_COMMIT}: {zero}",
            f"{MANIFEST_DIGEST}: {maps_digest(self.target.maps)}",
            *((f"{NOT_ADOPTED}: {self.move.old}",) if copied else ()),
        )
        return (*rows, f"{UNDONE_COMMIT}: {self.move.new}")

    def _message(self, before: LastSync | None, trailers: tuple[str, ...]) -> str:
        content = self.reader.read(self.move.new.encode()).data.partition(b"\n\n")[2]
        subject = show(content.decode("utf-8", "replace").strip().partition("\n")[0])
        state = "gone" if self.move.old.is_zero else f"as it was at {self.move.old[:10]}"
        said = [f'Undo "{subject}"', f"What it changed is {state}, but for what was edited here since."]
        if before is not None and before.maps:
            said.append(listed(before.maps))
        return "\n\n".join([*said, "\n".join(trailers)]).rstrip() + "\n"

    def _tree(self, commit: ObjectId) -> bytes:
        found = self.reader.find(commit.encode() + b"^{tree}")
        if found is None:
            raise ConflictError(
                f"{commit[:10]}, as {self.target.name} was, is not in this clone any more.",
                hint=command_line("git", "fetch", self.target.url, self.target.branch),
            )
        return found[0]
