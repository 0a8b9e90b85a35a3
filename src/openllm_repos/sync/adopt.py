"""A target that was filled by copying, joined to the source by one commit that changes no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from openllm_repos.errors import ConflictError, ReposError, UsageError
from openllm_repos.family.base import Home, OwnCommits
from openllm_repos.family.copies import not_copied
from openllm_repos.family.host import host_files
from openllm_repos.family.imports import find_imports
from openllm_repos.family.keepers import OTHER_OWNER, Keepers
from openllm_repos.family.likeness import Copied, find_likest
from openllm_repos.family.not_adopted import relate_fetched
from openllm_repos.family.relation import Relation, State, relate
from openllm_repos.family.remotes import RemoteState
from openllm_repos.family.state import STATES, find_state
from openllm_repos.git.compare import content
from openllm_repos.git.describe import describe
from openllm_repos.git.history import commits_touching, is_ancestor
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import DriftPolicy, Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import (
    Action,
    Adoption,
    Change,
    Drift,
    FileChange,
    Match,
    Outcome,
    Stopped,
    SyncPlan,
    TargetPlan,
    Trace,
)
from openllm_repos.preflight.card import Validate
from openllm_repos.preflight.inspect import WouldBeRefused
from openllm_repos.projection.editing import Entry
from openllm_repos.projection.project import origins, project
from openllm_repos.projection.trees import Node
from openllm_repos.sync.apply import apply
from openllm_repos.sync.planning import (
    SyncOptions,
    checked_by_host,
    nothing_to_do,
    plan_with_tree,
    source_to_carry,
)


@dataclass(frozen=True, slots=True)
class AdoptOptions:
    """How an adoption is to be made.

    Attributes:
        at: the source commit that the target was filled from, as git understands it; None to look for it.
        allow_unpushed: whether the source's branch may have commits that its own remote lacks.
        validate: asks the Hub about a card; without it the rules that it is known to have are used.
    """

    at: str | None = None
    allow_unpushed: bool = False
    validate: Validate | None = None


class NothingAlike(ConflictError):
    """No source commit has files like those of the target."""

    def __init__(self, target: Repo, match: Match | None, files: int) -> None:
        some = "1 file" if files == 1 else f"{files} files"
        named = ""
        if match is None:
            found = f"no commit of the source has any of the {some} of {target.name} at mapped paths"
        elif match.alike + match.older == 0:
            found = f"{match.source_commit[:10]} has none of the {some} of {target.name} at mapped paths"
        else:
            found = (
                f"the nearest commit of the source, {match.source_commit[:10]} of {match.date[:10]}, has only"
                f" {match.alike + match.older} of the {some} of {target.name} at mapped paths"
            )
            named = f"openllm-repos adopt {target.name} --at {match.source_commit[:10]}  # if the maps are right\n"
        super().__init__(
            f"{target.name} does not look copied: {found}.",
            hint=f"{named}Move these files away in the target, or let it own them (narrower maps, 'owned').",
        )


class KeptByAnother(ConflictError):
    """A target says itself that another tool writes it."""

    def __init__(self, target: Repo) -> None:
        super().__init__(
            f"{target.name} has {OTHER_OWNER.decode()}: it is kept by another tool (git subtree), and two that write"
            " the same files undo each other's work.",
            hint=f"Once that tool is retired: 'openllm-repos adopt {target.name} --at COMMIT'.",
        )


def plan_adoption(
    manifest: Manifest, repository: Repository, name: str, options: AdoptOptions | None = None
) -> Adoption:
    """Find the source commit that a target was filled from, and plan the commit that records it.

    Only objects are written to the clone, no ref and no file; in a quarantine (:meth:`Repository.quarantine`) nothing.

    Args:
        manifest: what should be.
        repository: the clone of the source.
        name: the target.
        options: how the adoption is to be made.

    Returns:
        The plan; what stops it, or that there is nothing to adopt, is an answer too.

    Raises:
        UsageError: `name` is no target, or no such source commit.
        ConflictError: the source's branch is not on its remote.
        EnvironmentProblem: the clone is shallow, the source's remote does not answer.
    """
    options = options or AdoptOptions()
    target = manifest.target(name)
    asked = SyncOptions(allow_unpushed=options.allow_unpushed)
    states, commit, notes = source_to_carry(manifest, repository, [target], asked)
    adoption = Adoption(manifest.source.name, commit, target.name, None, notes=notes)
    named = None if options.at is None else _named(manifest, repository, options.at, commit)
    remote = states[target.name]
    try:
        remote.require_branch()
        with ObjectReader(repository.git) as reader:
            relation = relate_fetched(repository, reader, manifest, target, commit, remote.tip)
            planner = _Planner(manifest, repository, reader, target, remote, relation, options.validate)
            adoption = replace(adoption, notes=(*notes, *planner.warnings(named)))
            return planner.plan(adoption, named)
    except WouldBeRefused as why:
        return replace(adoption, step=_refused(target.name, why))
    except ReposError as why:
        return replace(adoption, step=Stopped(target.name, why.message, why.hint, why.exit_code))


def adopt(
    adoption: Adoption,
    manifest: Manifest,
    repository: Repository,
    told: Callable[[str], None] = lambda _: None,
    validate: Validate | None = None,
) -> Outcome | Stopped:
    """Carry out a plan, with the log, the lease, the checks and the verification of a sync.

    The caller holds the clone's lock (:func:`openllm_repos.journal.lock.exclusive`) since before the plan was made.

    Args:
        adoption: what to do; made on this clone, not in a quarantine, and with a step.
        manifest: the manifest that it was made from.
        repository: the clone.
        told: gets a line of progress before each push.
        validate: asks the Hub about a card, where the target has moved and is planned again.
    """
    step, match = adoption.step, adoption.match
    assert step is not None  # the caller looks first
    assert match is not None  # a plan that pushes has one

    def again(remote: RemoteState, _: TargetPlan) -> TargetPlan | Stopped:
        """Record the same source commit on top of what others pushed meanwhile."""
        try:
            remote.require()
            with ObjectReader(repository.git) as reader:
                found = relate(repository, reader, manifest, remote.repo, adoption.source_commit, remote.tip)
                if found.state is not State.NOT_ADOPTED:
                    return nothing_to_do(found, remote)
                return _Planner(manifest, repository, reader, remote.repo, remote, found, validate).step(match)
        except WouldBeRefused as why:
            return _refused(adoption.target, why)
        except ReposError as why:
            return Stopped(adoption.target, why.message, why.hint, why.exit_code)

    plan = SyncPlan(adoption.source, adoption.source_commit, (step,))
    operation = f"adopt {adoption.target} --at {match.source_commit[:10]}"  # what was shown, also after a kill
    return apply(plan, manifest, repository, told, again, operation=operation)[0]


def was_synced(manifest: Manifest, repository: Repository, reader: ObjectReader, tip: ObjectId) -> bool:
    """Whether a target with this tip has had a sync from this source, and not its adoption alone."""
    found = find_state(repository, reader, tip, manifest.source.url)
    return found is not None and found.state.adopted is None


def _refused(target: str, why: WouldBeRefused) -> Stopped:
    """Say what the host would refuse; the next look is an adoption's, since a sync only says that there is none yet."""
    hint = f"openllm-repos adopt {target} --dry-run  # looks again"
    return Stopped(target, why.message, hint, why.exit_code, findings=why.findings)


def _named(manifest: Manifest, repository: Repository, revision: str, commit: ObjectId) -> ObjectId:
    """Return the commit that the person named; one of another branch would carry that branch to the target.

    Raises:
        UsageError: there is no such commit, or it is not in the history of `commit`.
    """
    named = repository.resolve(revision)
    if not is_ancestor(repository, named, commit):
        raise UsageError(
            f"{named[:10]} is not in the history of {manifest.source.branch}, which is at {commit[:10]}.",
            hint=f"git log --oneline {manifest.source.branch}  # lists the candidates",
        )
    return named


@dataclass(frozen=True, slots=True)
class _Planner:
    """The plan of one adoption in the making."""

    manifest: Manifest
    repository: Repository
    reader: ObjectReader
    target: Repo
    remote: RemoteState
    relation: Relation
    validate: Validate | None

    def plan(self, adoption: Adoption, named: ObjectId | None) -> Adoption:
        """Find the match and plan its record, or say why there is nothing to adopt."""
        tip = self.relation.tip
        if tip is None:
            return replace(adoption, said=f"{self.target.name} is empty: the first sync fills it.")
        if self.relation.state is not State.NOT_ADOPTED:
            return replace(adoption, said=self._nothing(tip))
        keepers = self._keepers(tip)
        notes = [*adoption.notes]
        if named is not None:
            match = self._match(named, Trace.NAMED)
            if match is None:
                raise UsageError(
                    f"The maps of {self.target.name} match no file up to {named[:10]}.", hint="Name a later commit."
                )
        elif keepers.owned_by_another():
            raise KeptByAnother(self.target)
        else:
            match = self._found(keepers, tip, notes)
        if match.alike + match.older == 0:
            raise NothingAlike(self.target, match, match.files)
        if self.target.drift is DriftPolicy.REFUSE and (match.differing or match.only_target or match.only_source):
            notes.append('Its manifest says drift = "refuse": syncs stop until these files are as in the source.')
        held = "" if self.relation.lost is None else self.relation.lost.state.held
        if held:
            notes.append(f"{self.target.name} was held at {held} before its history was rewritten; so it is again.")
        return replace(adoption, notes=tuple(notes), match=match, step=self.step(match), held=held)

    def step(self, match: Match) -> TargetPlan:
        """Plan the commit: the tree of the target's tip as it is, joined to the projection of the match."""
        tip = self.relation.tip
        assert tip is not None  # what is to be adopted has files
        tree = self.reader.find(tip.encode() + b"^{tree}")
        assert tree is not None  # the tip was read before
        brought, left, host = self._unedited(match.projected, tip)
        base = self.relation.part.with_files(brought, {**left, **host})
        joined = replace(
            self.relation,
            source_commit=match.source_commit,
            projected=match.projected,
            base=base,
            theirs=base,
            drift=Drift(),
            own=self._own(base, tip),
            home=Home({}, frozenset()),
        )
        args = (self.manifest, self.repository, self.reader, joined, self.remote, ObjectId(tree[0].decode()))
        plan = plan_with_tree(*args, action=Action.ADOPT)
        return checked_by_host(self.manifest, self.repository, plan, self.remote, self.validate)

    def _own(self, base: Node, tip: ObjectId) -> OwnCommits:
        """Return the target's commits that made it differ from the match: those that an import brings home."""
        part = self.relation.part
        differing = [change.path for change in part.changes(base, part.of(tip.encode() + b"^{tree}"))]
        made = commits_touching(self.repository, tip, differing, without=[], not_saying=STATES)
        lines = find_imports(self.repository, self.reader, self.manifest, self.target, self.relation.source_commit)
        commits = [commit for commit in reversed(made) if commit not in lines]
        own = OwnCommits(self.repository, self.reader, part, None, commits)
        return replace(own, commits=[one for one in commits if own.edits(one, differing, base)])

    def _found(self, keepers: Keepers, tip: ObjectId, notes: list[str]) -> Match:
        """Return the commit that another tool's traces name, else the one that the files are most like.

        At least half of the target's files must be those of the commit. With fewer, most of what is there would have to
        be explained as edited, and a merge from that base would set two unrelated versions of a file against each
        other: then a copy of something else is likelier, or a map that leads to the wrong folder.
        """
        files = self.relation.drift.files
        _, copied_from = origins(self.repository, self.relation.source_commit, self.target.maps, reader=self.reader)
        likest = find_likest(self.repository, copied_from, Copied.at(self.repository, self.target, tip, files))
        best = None
        if likest is not None:
            source = ObjectId(copied_from[likest.projected.encode()].decode())
            best = self._compared(source, likest.projected, Trace.LIKENESS, likest.others)
        for claim in keepers.claims():
            claimed = self._match(claim.source_commit, claim.trace)
            if claimed is not None and 2 * claimed.alike >= claimed.files:
                notes += _better(claimed, best)
                return claimed
        if best is None or 2 * (best.alike + best.older) < best.files:
            raise NothingAlike(self.target, best, len(files))
        notes += _others(self.target, best)
        return best

    def _match(self, commit: ObjectId, trace: Trace) -> Match | None:
        """Hold the target against the projection of a source commit; None where nothing was ever mapped."""
        projected = project(self.repository, commit, self.target.maps, reader=self.reader).commit
        return None if projected is None else self._compared(commit, projected, trace)

    def _compared(self, commit: ObjectId, projected: ObjectId, trace: Trace, others: int = 0) -> Match:
        part, tip = self.relation.part, self.relation.tip
        assert tip is not None  # what is to be adopted has files
        match, left, host = self._unedited(projected, tip)
        differences = part.changes(match, part.of(tip.encode() + b"^{tree}"))
        changes = [change for change in differences if change.path not in left and change.path not in host]
        both = [change for change in changes if change.change is Change.MODIFIED]
        modes = tuple(change for change in both if _same_content(change))
        (described,) = describe(self.repository, [commit])
        return Match(
            commit,
            projected,
            described.date,
            described.subject,
            trace,
            files=len(self.relation.drift.files),
            differing=tuple(change for change in both if change not in modes),
            modes=modes,
            only_target=tuple(change for change in changes if change.change is Change.ADDED),
            only_source=tuple(change for change in changes if change.change is Change.DELETED),
            to_come=tuple(one for one in differences if one not in changes and one.old is not None),
            older=sum(file is not None for file in left.values()),
            others=others,
        )

    def _unedited(
        self, projected: ObjectId, tip: ObjectId
    ) -> tuple[Node, Mapping[bytes, Entry | None], Mapping[bytes, Entry]]:
        """Return the mapped part of a match; what was not copied of it, as the target has it; what the host made."""
        part = self.relation.part
        match, there = (part.of(commit.encode() + b"^{tree}") for commit in (projected, tip))
        left = not_copied(self.repository, part, self.target, tip, match, [projected, self.relation.projected])
        return match, left, host_files(self.repository, self.reader, self.target, tip, part, there)

    def _keepers(self, tip: ObjectId) -> Keepers:
        return Keepers(self.repository, self.reader, self.target, tip, self.relation.source_commit)

    def warnings(self, named: ObjectId | None) -> Iterator[str]:
        """Yield what a person should know of a target, whatever comes of its adoption."""
        if self.relation.tip is None:
            return
        keepers = self._keepers(self.relation.tip)
        mirrored = keepers.mirrored()
        if mirrored is not None:
            yield (
                f"{self.target.name} has commits of the source itself in its history, up to {mirrored[:10]}: whoever"
                " can read it can read all of their files, those that must never leave the source too."
            )
        if named is not None and self.relation.state is State.NOT_ADOPTED and keepers.owned_by_another():
            yield f"{self.target.name} has {OTHER_OWNER.decode()}: make sure that no other tool writes it any more."

    def _nothing(self, tip: ObjectId) -> str:
        """Say why a target needs no adoption."""
        name, part = self.target.name, self.relation.part
        if not part.changes(part.of(None), part.of(tip.encode() + b"^{tree}")) and not self.relation.contained:
            return f"{name} has no file at mapped paths: nothing was copied there, and a sync will fill them."
        last = self.relation.synced_from
        if last is not None:
            return f"{name} is adopted already: its last sync carried {last[:10]}."
        return (
            f"{name} has the projection in its history already, as 'git subtree push' leaves it: there is nothing to"
            " adopt, and a sync goes on from there."
        )


def _same_content(change: FileChange) -> bool:
    """Whether only the mode of a file differs; one that is on one side only has nothing in common."""
    return change.old is not None and change.new is not None and content(*change.old) == content(*change.new)


def _better(claimed: Match, best: Match | None) -> Iterator[str]:
    """Say that another commit is more like the target than the one that is named there."""
    if best is not None and best.alike > claimed.alike:
        yield (
            f"{best.source_commit[:10]} of {best.date[:10]} has more of its files ({best.alike} of {best.files}); to"
            f" take that one: --at {best.source_commit[:10]}"
        )


def _others(target: Repo, best: Match) -> Iterator[str]:
    """Say that the choice was a narrow one, where it says what an edited file started from."""
    if best.others and (best.differing or best.only_source):
        some = "1 other state" if best.others == 1 else f"{best.others} other states"
        yield (
            f"{some} of the source fit just as well, and this is the newest of its time: they differ in files that"
            f" {target.name} edited. If it was filled from another one, name that with --at."
        )
