"""What a sync would do. One code plans a dry run, which throws its objects away, and a run that is then applied."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from openllm_repos.errors import ConflictError, ReposError, UsageError
from openllm_repos.family.emptied import Emptied, MapEmptied
from openllm_repos.family.not_adopted import NotAdopted, relate_fetched
from openllm_repos.family.relation import Relation, State, next_state
from openllm_repos.family.remotes import RemoteState, ask, bring
from openllm_repos.family.source import (
    SourceState,
    hold_against_remote,
    require_pushed,
    source_commit,
    to_fetch_first,
)
from openllm_repos.family.state import TargetState
from openllm_repos.git.history import write_commit
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import DriftPolicy, History, Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.plan import Action, Drift, FileChange, RefUpdate, Settled, Stopped, SyncPlan, TargetPlan
from openllm_repos.preflight.card import Validate
from openllm_repos.preflight.inspect import WouldBeRefused, inspect, require_accepted
from openllm_repos.preflight.push import Push
from openllm_repos.projection.project import project
from openllm_repos.sync.checks import (
    check_commits,
    check_entries,
    check_markers,
    check_never,
    check_tree,
    check_twins,
)
from openllm_repos.sync.merging import MergeConflict, merged_tree
from openllm_repos.sync.message import adopt_message, sync_message
from openllm_repos.sync.notes import lfs_notes, map_notes, review_notes, sync_notes
from openllm_repos.text import redact


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How a sync is to be made.

    Attributes:
        revision: the source commit to carry over, as git understands it; None is the source's branch.
        allow_unpushed: whether that commit may be missing from the source's own remote.
        validate: asks the Hub about a card; without it the rules that it is known to have are used.
        settled: conflicts that the person has settled by naming a side; then one target is synced.
        allow_empty: maps (their `from`) that may match no file any more, so that theirs are deleted in the targets.
        fetch_first: what to run first, where the commit may lack something that the source's remote has: the clone may
            merely lag then, and only a source that was reset, or rewritten, takes a target back.
    """

    revision: str | None = None
    allow_unpushed: bool = False
    validate: Validate | None = None
    settled: tuple[Settled, ...] = ()
    allow_empty: tuple[str, ...] = ()
    fetch_first: str = ""


class FetchFirst(ConflictError):
    """A target was synced from a commit that the one to carry over does not have, and the clone may merely lag."""

    def __init__(self, source: Repo, target: Repo, relation: Relation, first: str) -> None:
        super().__init__(
            f"{target.name} was synced from {str(relation.synced_from)[:10]}, which {relation.source_commit[:10]} does"
            f" not have; only the newest commit of {source.name} may take that back.",
            hint=f"{first}\nopenllm-repos sync {target.name}",
        )


class Drifted(ConflictError):
    """A target that must not drift has drifted."""

    def __init__(self, target: Repo, drift: Drift) -> None:
        some = "1 mapped file" if len(drift.files) == 1 else f"{len(drift.files)} mapped files"
        super().__init__(
            f'{target.name} has drifted: {some} changed there, and its manifest says drift = "refuse".',
            hint=f'openllm-repos import {target.name}  # or set drift = "merge"',
        )
        self.drift = drift


def plan_sync(
    manifest: Manifest, repository: Repository, targets: Sequence[str] = (), options: SyncOptions | None = None
) -> SyncPlan:
    """Plan a sync: ask the remotes, fetch what is new, project, merge in the object store, and check the result.

    Only objects are written to the clone, no ref and no file; in a quarantine (:meth:`Repository.quarantine`) nothing.

    Args:
        manifest: what should be.
        repository: the clone of the source.
        targets: names of the targets; all of them by default.
        options: how the sync is to be made.

    Raises:
        UsageError: a name that is no target, no such source commit, or no map that `allow_empty` names.
        ConflictError: the source commit is not on the source's remote.
        EnvironmentProblem: git is too old, the clone is shallow, the source's remote does not answer.
    """
    repository.require_merge()
    wanted = [manifest.target(name) for name in dict.fromkeys(targets)] if targets else list(manifest.targets)
    options = options or SyncOptions()
    _require_maps(wanted, options.allow_empty)
    states, commit, notes = source_to_carry(manifest, repository, wanted, options)
    options = replace(options, fetch_first=to_fetch_first(repository, states[manifest.source.name], commit))
    plans = tuple(plan_target(manifest, repository, states[target.name], commit, options) for target in wanted)
    about = [note for plan in plans if isinstance(plan, TargetPlan) for note in plan.notes]
    maps = map_notes(manifest, repository, wanted, commit)
    return SyncPlan(manifest.source.name, commit, plans, (*notes, *maps, *about))


def _require_maps(targets: Sequence[Repo], allowed: Sequence[str]) -> None:
    known = dict.fromkeys(a_map.source.text for target in targets for a_map in target.maps)
    for pattern in allowed:
        if pattern not in known:
            raise UsageError(f"--allow-empty {pattern}: no map has that 'from'.", hint=f"There are: {', '.join(known)}")


def source_to_carry(
    manifest: Manifest, repository: Repository, targets: Sequence[Repo], options: SyncOptions
) -> tuple[dict[RepoName, RemoteState], ObjectId, tuple[str, ...]]:
    """Ask the remotes and settle which commit of the source is carried over.

    Returns:
        The remotes' states, the source commit, and what a person should know about it.
    """
    repository.require_history()
    source = manifest.source

    def projection(target: Repo, found: Mapping[RepoName, RemoteState]) -> ObjectId | None:
        with contextlib.suppress(ReposError):  # it is told where the target is held against that commit
            commit = source_commit(repository, source, found[source.name], options.revision)
            return project(repository, commit, target.maps).commit
        return None

    states = bring(repository, list(ask(repository, [source, *targets]).values()), projections=projection)
    commit = source_commit(repository, source, states[source.name], options.revision)
    return states, commit, _source_notes(manifest, repository, states[source.name], commit, options)


def bring_tips(repository: Repository, repos: Sequence[Repo]) -> dict[RepoName, RemoteState]:
    """Ask the remotes and fetch the tips that are new."""
    return bring(repository, list(ask(repository, repos).values()))


def _source_notes(
    manifest: Manifest, repository: Repository, remote: RemoteState, commit: ObjectId, options: SyncOptions
) -> tuple[str, ...]:
    """Make sure that others can see the source commit, and say what a person may not expect of it."""
    if remote.problem:
        if options.allow_unpushed:
            return (f"{manifest.source.name} {remote.trouble} Its commits may not be pushed.",)
        remote.require()
    state: SourceState = hold_against_remote(repository, commit, remote)
    if not options.allow_unpushed:
        require_pushed(repository, remote, state)
    if (state.behind or state.given_up) and options.revision is None:
        some = state.behind or state.given_up
        number, branch = "1 commit" if some == 1 else f"{some} commits", manifest.source.branch
        said = f"Your {branch} is {number} behind its remote; what is newer does not come along."
        if not state.behind:
            said = f"The remote of {branch} was reset from {number} that you have."
        return (f"{said}\n{state.catch_up(repository, remote)}",)
    return ()


def plan_target(
    manifest: Manifest,
    repository: Repository,
    remote: RemoteState,
    commit: ObjectId,
    options: SyncOptions | None = None,
) -> TargetPlan | Stopped:
    """Plan one target; what stops it is an answer, so that the others go on. One that is held is left alone."""
    target, options = remote.repo, options or SyncOptions()
    try:
        remote.require_branch()
        with ObjectReader(repository.git) as reader:
            relation = relate_fetched(repository, reader, manifest, target, commit, remote.tip)
            if relation.held:
                return replace(nothing_to_do(relation, remote), action=Action.HELD, held=relation.held)
            plan = _planned(manifest, repository, reader, relation, remote, options)
            return checked_by_host(manifest, repository, plan, remote, options.validate, reader)
    except MergeConflict as why:
        return Stopped(target.name, why.message, why.hint, why.exit_code, conflicts=why.conflicts)
    except Drifted as why:
        return Stopped(target.name, why.message, why.hint, why.exit_code, drift=why.drift)
    except MapEmptied as why:
        return Stopped(target.name, why.message, why.hint, why.exit_code, emptied=why.emptied)
    except WouldBeRefused as why:
        return stopped_by_host(target, why)
    except ReposError as why:
        return Stopped(target.name, why.message, why.hint, why.exit_code)


def _planned(
    manifest: Manifest,
    repository: Repository,
    reader: ObjectReader,
    relation: Relation,
    remote: RemoteState,
    options: SyncOptions,
) -> TargetPlan:
    target = remote.repo
    if relation.contained:
        return nothing_to_do(relation, remote)
    if relation.state in {State.AHEAD, State.REWRITTEN} and options.fetch_first:
        if relation.state is State.AHEAD:
            newer = f"{target.name} has newer commits of the source than {relation.source_commit[:10]} already."
            return replace(nothing_to_do(relation, remote), notes=(newer,))
        raise FetchFirst(manifest.source, target, relation, options.fetch_first)
    require_mergeable(repository, reader, target, relation, options.allow_empty)
    tree, settled = merged_tree(repository, reader, relation, target, options.settled)
    _check_against_projection(relation, target, tree)
    plan = plan_with_tree(manifest, repository, reader, relation, remote, tree)
    notes = (
        *sync_notes(repository, reader, manifest, target, relation),
        *lfs_notes(repository, reader, target, tree, plan.changes),
        *review_notes(target, settled, options.settled),
    )
    return replace(plan, settled=settled, notes=notes)


def nothing_to_do(relation: Relation, remote: RemoteState) -> TargetPlan:
    """Return the plan for a target that has all of the projection."""
    url, commit = redact(remote.endpoint.push_url), relation.source_commit
    name, action = remote.repo.name, Action.UP_TO_DATE
    return TargetPlan(name, url, action, commit, relation.projected, relation.tip, drift=relation.drift)


def require_mergeable(
    repository: Repository, reader: ObjectReader, target: Repo, relation: Relation, allow_empty: Sequence[str] = ()
) -> None:
    """Refuse a target that a merge would surprise.

    Raises:
        NotAdopted: it was filled by other means than a sync.
        Drifted: it has drifted, and its manifest says that it must not.
        MapEmptied: a map that brought files has none any more, and `allow_empty` does not name it.
    """
    if relation.state is State.NOT_ADOPTED:
        raise NotAdopted(repository, reader, target, relation)
    if relation.drift.files and target.drift is DriftPolicy.REFUSE:
        raise Drifted(target, relation.drift)
    emptied = Emptied(repository, reader, target, relation).by_sync()
    if any(one.pattern not in allow_empty for one in emptied):
        raise MapEmptied(target, emptied, f"openllm-repos sync {target.name}")


def plan_with_tree(
    manifest: Manifest,
    repository: Repository,
    reader: ObjectReader,
    relation: Relation,
    remote: RemoteState,
    tree: ObjectId,
    *,
    action: Action | None = None,
) -> TargetPlan:
    """Check the tree that a target would get, write the sync's own commit, check what would be pushed.

    Args:
        manifest: what should be.
        repository: the clone.
        reader: reads its objects.
        relation: the target, held against the source commit that it gets.
        remote: the target's remote.
        tree: the tree.
        action: what is done, where that is no sync.

    Raises:
        ConflictError: a check failed; nothing leaves this clone.
    """
    target = remote.repo
    changes = checked_changes(manifest, repository, reader, relation, target, tree)
    check_markers(reader, target, relation, tree, changes)
    squash = target.history is History.SQUASH
    action = action or (Action.CREATE if relation.tip is None else Action.SQUASH if squash else Action.MERGE)
    state = replace(next_state(relation, target, tree), adopted=relation.tip if action is Action.ADOPT else None)
    made = write_sync(manifest, repository, relation, target, tree, state, action)
    kept_from = relation.theirs
    brought = 0 if squash else check_commits(repository, reader, target, relation.tip, relation.projected)
    return replace(
        nothing_to_do(relation, remote),
        action=action,
        update=RefUpdate(target.branch.ref, relation.tip or repository.zero, made),
        changes=changes,
        drift=replace(relation.drift, files=relation.part.changes(kept_from, relation.part.of(tree.encode()))),
        commits=1 + brought,
    )


def checked_changes(
    manifest: Manifest,
    repository: Repository,
    reader: ObjectReader,
    relation: Relation,
    target: Repo,
    tree: ObjectId,
) -> tuple[FileChange, ...]:
    """Return what changes in a target whose tip gets this tree, if all of that may be: mapped paths, and no others.

    Raises:
        ConflictError: a check failed.
    """
    part = relation.part
    check_entries(target, part.files(part.of(relation.projected.encode() + b"^{tree}")))
    check_never(repository, manifest, target, relation.source_commit)
    old_tree = None if relation.tip is None else reader.find(relation.tip.encode() + b"^{tree}")
    changes = part.tree_changes(None if old_tree is None else old_tree[0], tree.encode())
    check_tree(part, target, changes)
    check_twins(repository, target, tree, changes)
    return changes


def checked_by_host(
    manifest: Manifest,
    repository: Repository,
    plan: TargetPlan,
    remote: RemoteState,
    validate: Validate | None = None,
    reader: ObjectReader | None = None,
) -> TargetPlan:
    """Hold what a plan would push against the rules of the target's host; returns it with the LFS files it needs.

    Raises:
        WouldBeRefused: the host would not take it.
    """
    if plan.update is None:
        return plan
    push = Push(
        remote.repo,
        remote.endpoint.push_url,
        plan.update.new,
        plan.tip,
        source=manifest.source,
        source_commit=plan.source_commit,
        changed=tuple(change.path for change in plan.changes),
    )
    inspection = inspect(repository, push, validate=validate, reader=reader)
    require_accepted(remote.repo, inspection)
    return replace(plan, large=inspection.large)


def stopped_by_host(target: Repo, why: WouldBeRefused) -> Stopped:
    """Return the answer for a target whose host would refuse the push."""
    return Stopped(target.name, why.message, why.hint, why.exit_code, findings=why.findings)


def _check_against_projection(relation: Relation, target: Repo, tree: ObjectId) -> None:
    """Check that without drift the target's mapped part is exactly the projection."""
    if not relation.drift.files and relation.part.changes(relation.theirs, relation.part.of(tree.encode())):
        raise ConflictError(
            f"{target.name}: the merge gave something else than the projection, though the target has no drift.",
            hint="Nothing was pushed. Please report this, with the maps of the target.",
        )


def write_sync(
    manifest: Manifest,
    repository: Repository,
    relation: Relation,
    target: Repo,
    tree: ObjectId,
    state: TargetState,
    action: Action,
) -> ObjectId:
    """Write the sync's own commit: it joins the target's history and the projection, and says where from."""
    parents = [] if relation.tip is None else [relation.tip]
    if target.history is History.FULL:
        parents.append(relation.projected)
    message = adopt_message if action is Action.ADOPT else sync_message
    return write_commit(repository, tree, parents, message(manifest.source, state))
