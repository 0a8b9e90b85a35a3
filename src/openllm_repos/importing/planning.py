"""What an import would do: a target's own commits, made commits of the source, and the proof that they are right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from openllm_repos.errors import ConflictError, UsageError
from openllm_repos.family.imports import find_imports
from openllm_repos.family.not_adopted import NotAdopted, relate_fetched
from openllm_repos.family.relation import Relation, State, relate
from openllm_repos.family.remotes import RemoteState, ask, bring
from openllm_repos.family.source import hold_against_remote, source_commit, to_fetch_first
from openllm_repos.git.describe import describe
from openllm_repos.git.history import is_ancestor, parents_of
from openllm_repos.git.merge import merge_commits, merge_overlaps
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import PackWriter
from openllm_repos.git.refs import read_ref
from openllm_repos.git.repository import Repository
from openllm_repos.importing.checks import check_pointers, check_twins
from openllm_repos.importing.history import Inverse
from openllm_repos.importing.image import Followed, Image, Made
from openllm_repos.importing.model import ImportedCommit, ImportPlan
from openllm_repos.manifest.model import Manifest, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName
from openllm_repos.plan import FileChange, LargeFile
from openllm_repos.preflight.limits import pointers
from openllm_repos.text import redact, show, show_path


def plan_import(manifest: Manifest, repository: Repository, name: str, branch_name: str | None = None) -> ImportPlan:
    """Make the commits that bring a target's drift home, and prove that they are right. No ref moves.

    The branch starts at the source commit that the target got last. So it is exactly what the target has, whatever
    the source did since; merging it into the source's branch is a merge like any other.

    Args:
        manifest: what should be.
        repository: the clone of the source; in a quarantine nothing is left behind in it.
        name: the target.
        branch_name: the branch that gets the commits; by default ``import/`` and the target's name.

    Raises:
        UsageError: `name` is no target, or the branch is the source's own.
        ConflictError: the target was never synced; it has what the source cannot hold; the branch is something else.
        EnvironmentProblem: a remote does not answer, git is too old, the clone is shallow.
    """
    target, source = manifest.target(name), manifest.source
    branch = BranchName(branch_name or f"import/{target.name}")
    if branch == source.branch:
        raise UsageError(f"{branch} is the source's own branch.", hint="Name another one with --branch.")
    repository.require_merge()
    repository.require_history()
    states = bring(repository, list(ask(repository, [source, target]).values()))
    commit, notes = _newest_source(repository, source, states[source.name])
    mine = read_ref(repository, source.branch.ref)
    first = "" if mine is None else to_fetch_first(repository, states[source.name], mine)
    sync = "\n".join(filter(None, (first, f"openllm-repos sync {name}")))
    remote = states[target.name]
    remote.require_branch()
    plan = ImportPlan(source.name, target.name, redact(target.url), branch, commit, target_tip=remote.tip, notes=notes)
    with ObjectReader(repository.git) as reader:
        relation = relate_fetched(repository, reader, manifest, target, commit, remote.tip)
        if relation.state is State.NOT_ADOPTED:
            raise NotAdopted(repository, reader, target, relation)
        if relation.state in {State.AHEAD, State.REWRITTEN}:
            states[source.name].require()  # it may just have more than this clone does
            raise _went_back(source, target, relation, sync)
        plan = replace(plan, old=read_ref(repository, branch.ref), held=relation.held)
        if relation.tip is None or not relation.drift.files:
            return replace(plan, said=_nothing(target, relation))
        return _Planner(manifest, repository, reader, target, relation, sync).plan(plan)


def _newest_source(repository: Repository, source: Repo, remote: RemoteState) -> tuple[ObjectId, tuple[str, ...]]:
    """Return the newest commit of the source's branch that this clone or its remote has, and what to say of it."""
    if remote.problem:
        note = f"{source.name} {remote.trouble} What others imported meanwhile is not known."
        return source_commit(repository, source, remote, None), (note,)
    mine = read_ref(repository, source.branch.ref)
    if mine is None or (remote.tip is not None and is_ancestor(repository, mine, remote.tip)):
        return remote.tip or source_commit(repository, source, remote, None), ()
    state = hold_against_remote(repository, mine, remote)
    if remote.tip is not None and state.given_up == state.unpushed:  # nothing of it is the person's own
        return remote.tip, ()
    return mine, ()


def _went_back(source: Repo, target: Repo, relation: Relation, sync: str) -> ConflictError:
    """Say why nothing is imported: the target has commits that the source gave up, and they would come home too."""
    lift = f"openllm-repos rollback {target.name} --lift\n" if relation.held else ""
    return ConflictError(
        f"{target.name} was synced from {str(relation.synced_from)[:10]}, which {source.branch} no longer has: an"
        " import would bring that back.",
        hint=f"{lift}{sync}  # lets it follow\nopenllm-repos import {target.name}",
    )


def _nothing(target: Repo, relation: Relation) -> str:
    if relation.tip is None:
        return f"{target.name} is empty."
    if relation.drift.files:
        count = len(relation.drift.files)
        them = "it" if count == 1 else "them"
        files = f"1 mapped file of {target.name} is" if count == 1 else f"{count} mapped files of {target.name} are"
        if relation.drift.commits:
            return (
                f"{files} changed in what the source had when it was synced last. 'openllm-repos sync {target.name}'"
                f" merges that with what the source has done since; import {them} then."
            )
        return (
            f"{files} not as the source had {them}, but no commit since the maps took {them} says why: 'openllm-repos"
            f" diff {target.name}' shows {them}, and a sync merges {them}."
        )
    return f"{target.name} has no drift: the source has everything that was changed there."


@dataclass(frozen=True, slots=True)
class _Planner:
    """One plan in the making; the target has drift. `sync` has the commands that sync it."""

    manifest: Manifest
    repository: Repository
    reader: ObjectReader
    target: Repo
    relation: Relation
    sync: str

    def plan(self, plan: ImportPlan) -> ImportPlan:
        """Make the commits, prove them, and see how they go together with the source and with the branch."""
        tip, commit = self.relation.tip, self.relation.source_commit
        assert tip is not None  # it has drift
        imports = find_imports(self.repository, self.reader, self.manifest, self.target, commit)
        with PackWriter(self.repository.git, self.repository.objects_dir, self.repository.object_format) as writer:
            inverse = Inverse(
                self.repository,
                self.reader,
                writer,
                self.manifest,
                self.target,
                self.relation.part,
                commit,
                imports,
                self.relation.own,
                self._wanted(),
            )
            found = inverse.follow(tip)
            drift = {change.path for change in self.relation.drift.files}
            found = inverse.completed(found, tip, drift, self.relation.home.by_file)
            image = found.image
            if image is None:
                raise self._no_ground()
            inverse.finish()
        if not image.made:
            return replace(plan, said=_nothing(self.target, self.relation))
        self._require_counterparts(inverse, image, found)
        if left := self._left_over(image, found, tip):
            raise self._still_drifts(left)
        kept = [made for made in inverse.commits.values() if made.id in image.made]
        seen = describe(self.repository, [made.origin for made in kept])
        commits = tuple(
            ImportedCommit(made.id, origin, self._changed(made), made.joins, made.stands_for)
            for made, origin in zip(kept, seen, strict=True)
        )
        notes = (*plan.notes, *self._left(found.waiting))
        plan = replace(plan, notes=notes, base=image.anchor, commits=commits, tip=image.id, large=self._large(commits))
        self._require_branch(plan)
        check_twins(self.repository, plan)
        check_pointers(self.repository, plan)
        return replace(plan, overlaps=merge_overlaps(self.repository, commit, image.id))

    def _changed(self, made: Made) -> tuple[FileChange, ...]:
        """Return the files that a commit changes: none where it joins two lines as git does."""
        parents = parents_of(self.reader, made.id) if made.joins else []
        tree = self.reader.find(made.id.encode() + b"^{tree}")
        clean = merge_commits(self.repository, *parents) if len(parents) == 2 else None
        return () if tree is not None and clean == ObjectId(tree[0].decode()) else made.files

    def _wanted(self) -> frozenset[ObjectId]:
        """Return the own commits that drift comes from, with what was made in the same files before and after."""
        own, home = self.relation.own, self.relation.home.commits
        left = [commit for commit in own.commits if commit not in home]
        paths = {change.path for change in self.relation.drift.files}
        found: set[ObjectId] = set()
        while more := {one for one in left if one not in found and not paths.isdisjoint(own.changes(one))}:
            found |= more
            paths.update(*(own.changes(one) for one in more))
        return frozenset(found)

    def _left(self, waiting: Sequence[ObjectId]) -> Iterator[str]:
        """Say what has not arrived, because it or something before it does not apply."""
        if waiting:
            rows = "".join(f"\n  {one.id[:10]} {show(one.subject)}" for one in describe(self.repository, waiting))
            yield (
                f"It stops before what does not go together with what the source has by now:{rows}\n"
                f"Sync {self.target.name} after the merge, and import the rest then."
            )

    def _require_counterparts(self, inverse: Inverse, image: Image, found: Followed) -> None:
        """Require that the branch's projection is as it was made.

        Args:
            inverse: made the commits.
            image: the branch.
            found: what has not arrived.

        Raises:
            ConflictError: it is not so; a file that several maps write, say, was changed in one of its places only.
        """
        wrong = self.relation.part.changes(image.mapped, inverse.projection_of(image.id))
        if wrong:
            inverse.require_all(found)
            paths = ", ".join(show_path(change.path) for change in wrong[:5])
            raise ConflictError(
                f"{self.target.name}: what it changed has no counterpart in the source: the maps would make other files"
                f" of it: {paths}.",
                hint=f"openllm-repos diff {self.target.name}  # and check the maps",
            )

    def _left_over(self, image: Image, found: Followed, tip: ObjectId) -> list[bytes]:
        """Return the files that would still be drift once the source has the branch."""
        if found.waiting:
            return []
        after = relate(self.repository, self.reader, self.manifest, self.target, image.id, tip)
        drifted = {change.path for change in self.relation.drift.files}  # the source's tip may have more of it home
        return [
            change.path
            for change in after.drift.files
            # what is the same on both sides goes together, whoever made it
            if change.path in drifted and self.relation.part.file(after.theirs, change.path) != change.new
        ]

    def _still_drifts(self, left: Sequence[bytes]) -> ConflictError:
        name, paths = self.target.name, ", ".join(map(show_path, left[:5]))
        return ConflictError(
            f"{name}: with the imported commits it would still have drift: {paths}.",
            hint=f"openllm-repos diff {name} --patch  # make these changes in the source by hand, then sync"
            if self.relation.contained
            else f"{self.sync}\nopenllm-repos import {name}",
        )

    def _no_ground(self) -> ConflictError:
        """Say why there is no source commit that the target's commits could stand on."""
        name, branch = self.target.name, self.manifest.source.branch
        last = self.relation.synced_from
        what = "the source" if last is None else last[:10]
        return ConflictError(
            f"{name} was last synced from {what}, which is not in the history of {branch} any more.",
            hint=f"{self.sync}\nopenllm-repos import {name}",
        )

    def _require_branch(self, plan: ImportPlan) -> None:
        """Refuse a branch that has other commits than those of this import: nobody's work is thrown away.

        Raises:
            ConflictError: it is so.
        """
        if plan.old is None or plan.tip is None or is_ancestor(self.repository, plan.old, plan.tip):
            return
        raise ConflictError(
            f"There is a branch {plan.branch} already, at {plan.old[:10]}, which is not a part of this import.",
            hint=f"git branch -m {plan.branch} {plan.branch}-{plan.old[:10]}  # or take another --branch",
        )

    def _large(self, commits: Sequence[ImportedCommit]) -> tuple[LargeFile, ...]:
        """Return the LFS files among what is imported."""
        blobs = (change.new[1] for made in commits for change in made.files if change.new is not None)
        found = pointers(self.reader, blobs)
        return tuple(LargeFile(*named, ObjectId(blob.decode())) for blob, named in found.items())
