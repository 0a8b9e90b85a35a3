"""What taking an operation back comes to, move by move. Nothing is changed by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from openllm_repos.errors import ConflictError, EnvironmentProblem, UsageError
from openllm_repos.family.remotes import RemoteState, ask, bring
from openllm_repos.git.refs import checked_out, read_refs
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.journal.log import Move, Operation, find_operation, operations
from openllm_repos.journal.releases import ReleaseRecord
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.ref import RepoName
from openllm_repos.plan import RefUpdate, Stopped, TargetPlan
from openllm_repos.preflight.card import Validate
from openllm_repos.release.begun import find_begun
from openllm_repos.undo.target import plan_target_undo
from openllm_repos.undo.ways import How, Undone, Way, last_to_undo, released_version, ways


@dataclass(frozen=True, slots=True)
class Left:
    """A move that is not taken back.

    Attributes:
        move: what was done.
        reason: why it stays.
        hint: what can be done instead, or an empty string.
    """

    move: Move
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What taking an operation back would do.

    Attributes:
        operation: what is taken back.
        targets: one entry for each branch of a target that the operation moved.
        here: refs of the clone that go back.
        release: the version that is given up, or an empty string.
        tags: what giving it up takes back.
        left: what stays.
        earlier: the run that has taken it back and was stopped before it could say so; then nothing is left to do.
    """

    operation: Operation
    targets: tuple[TargetPlan | Stopped, ...] = ()
    here: tuple[RefUpdate, ...] = ()
    release: str = ""
    tags: tuple[Move, ...] = ()
    left: tuple[Left, ...] = ()
    earlier: Operation | None = None

    @property
    def stopped(self) -> tuple[Stopped, ...]:
        """What stands against it; then nothing at all is done."""
        return tuple(one for one in self.targets if isinstance(one, Stopped))

    @property
    def does_something(self) -> bool:
        """Whether it changes anything."""
        pushes = any(isinstance(one, TargetPlan) and one.update is not None for one in self.targets)
        return pushes or bool(self.here) or bool(self.release)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which operation is to be taken back.

    Attributes:
        operation: the operation.
        refs: refs of it (the repo's name, the ref) that were taken back already.
        earlier: a run that began to take it back and was stopped; this one goes on.
    """

    operation: Operation
    refs: frozenset[tuple[str, str]] = frozenset()
    earlier: Operation | None = None


def choose(repository: Repository, name: str | None) -> Chosen:
    """Return the operation to take back.

    Where the last thing that happened is an undo that did not come to its end, that one is meant: otherwise the same
    command, run again, would take back a second operation.

    Args:
        repository: the clone.
        name: the operation's name or the beginning of it; by default the newest one that stands.

    Raises:
        UsageError: there is no such operation, it moved nothing, or it was taken back already.
        EnvironmentProblem: the last operation has not ended, and nobody could ask yet what it did.
    """
    found = list(operations(repository))
    newest = found[0] if found else None
    earlier = newest if newest is not None and newest.undoes and not newest.done else None
    if name is not None:
        chosen = find_operation(repository, name)
        if chosen is None:
            raise UsageError(f"The log has no operation {name}.", hint="openllm-repos log")
        earlier = earlier if earlier is not None and earlier.undoes == chosen.name else None
    else:
        begun = None if earlier is None else next((one for one in found if one.name == earlier.undoes), None)
        chosen = begun or last_to_undo(found)
        if chosen is None:
            raise UsageError("There is nothing to take back.", hint="openllm-repos log")
    meant = newest if name is None else earlier
    if meant is not None and meant.release is None:
        require_ended(meant)
    undone = Undone.among(found)
    refs, by = undone.refs(chosen.name), undone.by.get(chosen.name, ())
    if earlier is None and by and all((move.repo, move.ref) in refs for move in chosen.moved):
        raise UsageError(
            f"{chosen.name} ({chosen.command}) was taken back by {by[0].name}.",
            hint=f"openllm-repos undo {by[0].name}  # brings it back",
        )
    return Chosen(chosen, refs, earlier)


def require_ended(operation: Operation) -> None:
    """Refuse to take anything back while nobody knows what an operation did.

    Raises:
        EnvironmentProblem: it has not ended.
    """
    if operation.begun:
        raise EnvironmentProblem(
            f"{operation.name} ({operation.command}) has not ended, so it is not known what it did.",
            hint=f"{operation.again}  # asks the remotes, and goes on",
        )


def plan_undo(manifest: Manifest, repository: Repository, chosen: Chosen, validate: Validate | None = None) -> UndoPlan:
    """Plan what takes an operation back.

    Only objects are written to the clone, no ref and no file; in a quarantine (:meth:`Repository.quarantine`) nothing.

    Args:
        manifest: what should be.
        repository: the clone.
        chosen: what is taken back.
        validate: asks the Hub about a card.

    Raises:
        UsageError: it moved no ref.
        EnvironmentProblem: it has not ended; or git is too old.
    """
    repository.require_merge()
    operation = chosen.operation
    version = released_version(operation)
    if not version:
        require_ended(operation)
    record = find_begun(manifest, repository, version) if version else None
    rest = [way for way in ways(manifest, operation) if (way.move.repo, way.move.ref) not in chosen.refs]
    left = [Left(way.move, way.reason, way.hint) for way in rest if way.how is How.NOT]
    if len(left) == len(rest) and record is None and chosen.earlier is not None and chosen.earlier.moved:
        return UndoPlan(operation, left=tuple(left), earlier=chosen.earlier)
    if not rest and record is None:
        raise UsageError(f"{operation.name} ({operation.command}) moved no ref, so there is nothing to take back.")
    given_up = tuple(way.move for way in rest if way.how is How.RELEASE)
    if given_up and record is None:
        left += [Left(move, f"the release {version} was given up already", "") for move in given_up]
    releases = record is not None and not _out(operation, record)
    here, kept = _here(repository, [way for way in rest if way.how is How.HERE])
    return UndoPlan(
        operation,
        _targets(manifest, repository, operation, rest, validate),
        here,
        version if releases else "",
        given_up if releases else (),
        (*left, *kept),
    )


def _out(operation: Operation, record: ReleaseRecord) -> bool:
    """Whether the operation saw its release through, so that the source has its tag, or mended one that was out."""
    return operation.release is None or any(
        move.repo == record.source.repo and move.ref == record.tag.ref for move in operation.moved
    )


def _targets(
    manifest: Manifest, repository: Repository, operation: Operation, rest: list[Way], validate: Validate | None
) -> tuple[TargetPlan | Stopped, ...]:
    moves = {RepoName(way.move.repo): way.move for way in rest if way.how is How.COMMIT}
    if not moves:
        return ()
    repos = [repo for repo in manifest.repos if repo.name in moves]
    states: Mapping[RepoName, RemoteState] = bring(repository, list(ask(repository, repos).values()))
    return tuple(
        plan_target_undo(manifest, repository, states[repo.name], operation, moves[repo.name], validate)
        for repo in repos
    )


def _here(repository: Repository, due: list[Way]) -> tuple[tuple[RefUpdate, ...], tuple[Left, ...]]:
    """Settle which refs of the clone go back: those that are where the operation left them, with nobody on them."""
    if not due:
        return (), ()
    now = read_refs(repository, *(way.move.ref for way in due))
    standing = checked_out(repository)
    back, left = [], []
    for way in due:
        move = way.move
        found = now.get(move.ref, repository.zero)
        if found == move.old:
            gone = "it is gone already" if found.is_zero else "it is there again already"
            left.append(Left(move, gone, ""))
        elif found != move.new:
            left.append(Left(move, "it has moved since, and stays where it is", ""))
        elif move.ref in standing:
            there = standing[move.ref]
            keep = command_line("git", "-C", there, "reset", "--keep", move.old[:10])
            hint = "Switch to another branch there." if move.old.is_zero else keep
            left.append(Left(move, f"it is checked out in {there}", hint))
        else:
            back.append(RefUpdate(move.ref, move.new, move.old))
    return tuple(back), tuple(left)


def require_possible(plan: UndoPlan) -> None:
    """Refuse a plan that something stands against, or that does nothing.

    Raises:
        ConflictError: it is so.
        EnvironmentProblem: it is so because a remote does not answer.
    """
    name = plan.operation.name
    if plan.stopped:
        silent = any(one.exit_code == EnvironmentProblem.exit_code for one in plan.stopped)
        kind = EnvironmentProblem if silent else ConflictError
        raise kind(f"{name} ({plan.operation.command}) cannot be taken back now; nothing was changed.")
    if not plan.does_something and plan.earlier is None:
        what = "cannot be taken back" if plan.left else "is taken back already; nothing is left to do"
        hint = next((left.hint for left in plan.left if left.hint), "openllm-repos log  # lists older ones to name")
        raise ConflictError(f"{name} ({plan.operation.command}) {what}.", hint=hint)
