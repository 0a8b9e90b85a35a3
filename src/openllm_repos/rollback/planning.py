"""What a rollback, or the end of a hold, would do. A dry run throws its objects away; nothing else differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from openllm_repos.errors import ConflictError, ReposError, UsageError
from openllm_repos.family.emptied import Emptied, MapEmptied
from openllm_repos.family.not_adopted import NotAdopted, relate_fetched
from openllm_repos.family.relation import Relation, State
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.state import TargetState
from openllm_repos.git.history import count, write_commit
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import PackWriter
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.manifest.maps import maps_digest
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.plan import Action, Drift, Outcome, RefUpdate, Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.card import Validate
from openllm_repos.preflight.inspect import WouldBeRefused
from openllm_repos.rollback.message import lift_message, rollback_message
from openllm_repos.rollback.model import Rollback
from openllm_repos.rollback.point import Finder, Point
from openllm_repos.sync.apply import apply
from openllm_repos.sync.planning import (
    SyncOptions,
    checked_by_host,
    checked_changes,
    nothing_to_do,
    source_to_carry,
    stopped_by_host,
)
from openllm_repos.text import show, show_path


@dataclass(frozen=True, slots=True)
class RollbackOptions:
    """How a rollback is to be made.

    Attributes:
        to: what to go back to; None lifts the hold of an earlier rollback.
        reason: why, for the commit's message.
        validate: asks the Hub about a card; without it the rules that it is known to have are used.
        allow_empty: maps (their `from`) that may have no file then, so that theirs are deleted in the target.
    """

    to: str | None
    reason: str = ""
    validate: Validate | None = None
    allow_empty: tuple[str, ...] = ()


def plan_rollback(manifest: Manifest, repository: Repository, name: str, options: RollbackOptions) -> Rollback:
    """Plan a rollback of one target, or the end of its hold.

    Only objects are written to the clone, no ref and no file; in a quarantine (:meth:`Repository.quarantine`) nothing.

    Args:
        manifest: what should be.
        repository: the clone of the source.
        name: the target.
        options: how it is to be made.

    Returns:
        The plan; that there is nothing to do, or what the host would refuse, is an answer too.

    Raises:
        UsageError: `name` is no target, nothing was ever synced to it, or `to` names nothing that it had.
        ConflictError: the target was filled by other means than a sync, or files of its own are in the way.
        EnvironmentProblem: the clone is shallow, the target does not answer.
    """
    target = manifest.target(name)
    # An outage of the source must not keep a target from going back; its commits do not leave this clone anyway.
    states, commit, notes = source_to_carry(manifest, repository, [target], SyncOptions(allow_unpushed=True))
    made = _Planner(manifest, repository, target, options, states, commit).plan(states[target.name])
    return replace(made, notes=(*notes, *made.notes))


def carry_out(
    plan: Rollback,
    manifest: Manifest,
    repository: Repository,
    options: RollbackOptions,
    told: Callable[[str], None] = lambda _: None,
) -> Outcome | Stopped:
    """Carry out a plan, with the log, the lease and the verification of a sync.

    The caller holds the clone's lock (:func:`openllm_repos.journal.lock.exclusive`) since before the plan was made.

    Args:
        plan: what to do; made on this clone, not in a quarantine, and with a step.
        manifest: the manifest that it was made from.
        repository: the clone.
        options: those that it was made with.
        told: gets a line of progress before each push.
    """
    step = plan.step
    assert isinstance(step, TargetPlan)  # the caller looks first
    assert plan.source_commit is not None  # a plan with a step has it

    def again(remote: RemoteState, _: TargetPlan) -> TargetPlan | Stopped:
        """Do the same on top of what others pushed meanwhile, unless that would undo more than the person saw."""
        try:
            target = manifest.target(plan.target)
            states, commit, _notes = source_to_carry(manifest, repository, [target], SyncOptions(allow_unpushed=True))
            fresh = _Planner(manifest, repository, target, options, states, commit).plan(remote)
        except ReposError as why:
            return Stopped(plan.target, why.message, why.hint, why.exit_code)
        if fresh.undone.files != plan.undone.files:
            return Stopped(
                plan.target,
                f"Somebody changed mapped files of {plan.target} meanwhile, which the rollback would undo.",
                "Nothing was pushed. Look at it, and run the same command again.",
                ConflictError.exit_code,
            )
        if fresh.step is None:
            return replace(step, tip=remote.tip, update=None)
        return fresh.step

    command = f"rollback {plan.target} --lift" if options.to is None else f"rollback {plan.target} --to {plan.to}"
    made = SyncPlan(plan.source, plan.source_commit, (step,))
    (outcome,) = apply(made, manifest, repository, told, again, operation=command)
    return outcome


@dataclass(frozen=True, slots=True)
class _Planner:
    manifest: Manifest
    repository: Repository
    target: Repo
    options: RollbackOptions
    states: Mapping[RepoName, RemoteState]
    commit: ObjectId

    def plan(self, remote: RemoteState) -> Rollback:
        """Plan on what the target's remote has now."""
        remote.require_branch()
        with ObjectReader(self.repository.git) as reader:
            relation = relate_fetched(self.repository, reader, self.manifest, self.target, self.commit, remote.tip)
            if relation.state is State.NOT_ADOPTED:
                raise NotAdopted(self.repository, reader, self.target, relation)
            if self.options.to is None:
                return self._lift(reader, relation, remote)
            self._require_synced(relation)
            source = self.states[self.manifest.source.name]
            finder = Finder(self.manifest, self.repository, reader, source, remote, relation)
            return self._back(reader, relation, remote, finder.find(self.options.to))

    def _require_synced(self, relation: Relation) -> None:
        if relation.tip is None:
            raise UsageError(
                f"{self.target.name} is empty: there is nothing to roll back.",
                hint=f"openllm-repos sync {self.target.name}  # fills it",
            )
        if relation.at is None or relation.at.state.projected is None:
            raise UsageError(
                f"{self.target.name} was never synced: there is nothing to roll back.",
                hint=f"openllm-repos sync {self.target.name}  # first",
            )

    def _back(self, reader: ObjectReader, relation: Relation, remote: RemoteState, point: Point) -> Rollback:
        name, part = self.target.name, relation.part
        plan = Rollback(self.manifest.source.name, name, point.label, point.source_commit, None, notes=point.notes)
        there = relation.tip
        assert there is not None  # an empty target was refused
        own = reader.find(there.encode() + b"^{tree}")
        assert own is not None  # the tip was read before
        mine = part.of(own[0])
        if relation.held == point.label and not part.changes(mine, point.files):
            return replace(plan, said=f"{name} is held at {point.label} already.")
        self._require_no_empty_map(reader, relation, point)
        tree = self._tree(relation, own[0], point)
        brought = part.of(point.projected.encode() + b"^{tree}")
        after = replace(relation, source_commit=point.source_commit, projected=point.projected)
        changes = checked_changes(self.manifest, self.repository, reader, after, self.target, tree)
        state = TargetState.of(
            self.target, point.source_commit, point.projected, point.open, point.label, point.adopted
        )
        message = rollback_message(self.manifest.source, self.target, state, self.options.reason)
        made = write_commit(self.repository, tree, [there], message)
        step = replace(
            nothing_to_do(after, remote),
            action=Action.ROLLBACK,
            update=RefUpdate(self.target.branch.ref, there, made),
            changes=changes,
            commits=1,
            drift=Drift((), part.changes(brought, point.files)),
            held=point.label,
        )
        notes = (*point.notes, *self._notes(relation, point))
        undone = self._undone(relation, point, {change.path for change in changes})
        return replace(plan, step=self._checked(step, remote), undone=undone, notes=notes)

    def _require_no_empty_map(self, reader: ObjectReader, relation: Relation, point: Point) -> None:
        """Refuse to delete all that a map brought: mostly the source had those files elsewhere at that time.

        Raises:
            MapEmptied: the person did not allow it.
        """
        find = Emptied(self.repository, reader, self.target, relation)
        emptied = find.by_rollback(point.source_commit, point.files)
        if any(one.pattern not in self.options.allow_empty for one in emptied):
            typed = command_line("openllm-repos", "rollback", self.target.name, "--to", self.options.to)
            raise MapEmptied(self.target, emptied, typed)

    def _undone(self, relation: Relation, point: Point, gone: set[bytes]) -> Drift:
        """Return what the target changed itself after `point`, and loses in its files."""
        assert relation.tip is not None  # an empty target was refused
        files = {file.path for file in relation.drift.files}.intersection(gone)
        older = relation.own.before(point.commit) if point.commit is not None else frozenset[ObjectId]()
        made = [
            commit
            for commit in relation.drift.commits
            if commit not in older and not files.isdisjoint(relation.own.changes(commit))
        ]
        if point.commit is not None:
            files = {path for commit in made for path in relation.own.changes(commit)}
        return Drift(tuple(made), tuple(file for file in relation.drift.files if file.path in files))

    def _tree(self, relation: Relation, own: bytes, point: Point) -> ObjectId:
        """Write the tree: the target's own, with the mapped files of that time in the place of today's.

        Raises:
            ConflictError: a file has no room there any more.
        """
        node, crowded = relation.part.in_place(own, point.files)
        if crowded:
            raise ConflictError(
                f"{self.target.name}: {show_path(crowded[0])} of {point.label} has no room: the target has files of its"
                " own in that place, and one path cannot be both a file and a folder.",
                hint="Move them there, then run the same command again.",
            )
        repository = self.repository
        with PackWriter(repository.git, repository.objects_dir, repository.object_format) as writer:
            tree = relation.part.write(node, writer)
            writer.finish()
        return ObjectId(tree.decode())

    def _notes(self, relation: Relation, point: Point) -> tuple[str, ...]:
        """Say how much of the source is taken back, and that the target has not seen the maps of today yet."""
        notes = []
        if relation.since is not None:
            back = count(self.repository, relation.since, without=[point.projected])
            if back:
                some = "1 commit" if back == 1 else f"{back} commits"
                notes.append(f"This takes back {some} of the source; the next sync after --lift brings that again.")
        if relation.at is not None and relation.at.state.digest != maps_digest(self.target.maps):
            notes.append(
                f"The maps of {self.target.name} have changed since its last sync; files that no map writes any more"
                " stay as they are."
            )
        return tuple(notes)

    def _lift(self, reader: ObjectReader, relation: Relation, remote: RemoteState) -> Rollback:
        name = self.target.name
        plan = Rollback(self.manifest.source.name, name, relation.held, None, None)
        if relation.at is None or not relation.held or relation.tip is None:
            return replace(plan, said=f"{name} is not held; a sync may go on.")
        state = replace(relation.at.state, held="", open=tuple(relation.own.commits))
        found = reader.find(relation.tip.encode() + b"^{tree}")
        assert found is not None  # the tip was read before
        message = lift_message(self.manifest.source, relation.held, state)
        made = write_commit(self.repository, found[0].decode(), [relation.tip], message)
        step = replace(
            nothing_to_do(relation, remote),
            action=Action.LIFT,
            source_commit=relation.synced_from or relation.source_commit,
            update=RefUpdate(self.target.branch.ref, relation.tip, made),
            commits=1,
        )
        return replace(plan, to=show(relation.held), source_commit=step.source_commit, step=self._checked(step, remote))

    def _checked(self, step: TargetPlan, remote: RemoteState) -> TargetPlan | Stopped:
        try:
            return checked_by_host(self.manifest, self.repository, step, remote, self.options.validate)
        except WouldBeRefused as why:
            return stopped_by_host(self.target, why)
