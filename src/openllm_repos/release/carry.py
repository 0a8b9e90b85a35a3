"""Carrying a release out: the lock, then one tag after the other, the source's last. Only the remotes are believed.

Every step can be made again. A tag is pushed by its id, and only where there is none; one that is there already and
names the planned commit is as good. What was begun is finished by the same command, here or on another machine. Once
the source has its tag the release is out: what a repo lacks then is mended for itself, and stands in nobody's way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from openllm_repos.errors import ConflictError, EnvironmentProblem, ReposError
from openllm_repos.family.releases import FoundLock
from openllm_repos.family.tags import RemoteTags, RepoTag, TagState, ask_tags, tag_state, tags_of, without_tag
from openllm_repos.git.history import is_ancestor
from openllm_repos.git.process import GitFailed
from openllm_repos.git.refs import read_ref, update_refs
from openllm_repos.git.remote import Pushed, Unreachable, endpoints, fetch
from openllm_repos.git.tags import signing_wanted
from openllm_repos.journal.log import HERE, Move, MoveOutcome
from openllm_repos.journal.releases import (
    ReleaseRecord,
    ReleaseRow,
    begin_release,
    read_release,
    release_transaction,
    write_row,
)
from openllm_repos.journal.transaction import Transaction
from openllm_repos.lockfile.text import parse_lock
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoUrl
from openllm_repos.plan import RefUpdate
from openllm_repos.preflight.advice import about_storage
from openllm_repos.release.begun import find_begun
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import Obstacle, Tagged, refusal
from openllm_repos.release.prepare import place_to_push, with_tag
from openllm_repos.release.pushing import push_move, refs_now
from openllm_repos.sync.settle import move_tracking

Progress = Callable[[str], None]


class SourceMoved(ConflictError):
    """The source's branch went on while a release was prepared; nothing was pushed, and it is dropped."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A release that has its lock, held against the remotes: one that was begun, or is out and may lack something.

    Attributes:
        record: what it is.
        tags: how each repo holds its tag, in the order of the record.
    """

    record: ReleaseRecord
    tags: tuple[RepoTag, ...]

    @property
    def out(self) -> bool:
        """Whether the source has its tag, so that the release is there for others."""
        return self.tags[-1].state not in {TagState.MISSING, TagState.UNKNOWN}

    @property
    def due(self) -> tuple[RepoName, ...]:
        """The repos that lack their tag."""
        return tuple(one.repo.name for one in self.tags if one.state is TagState.MISSING)


def find_unfinished(manifest: Manifest, desk: Desk, version: str) -> Unfinished | None:
    """Return the release of a version that was begun or is out, None where there is none.

    Raises:
        ConflictError: another version was begun in this clone and is not out.
        EnvironmentProblem: the source's remote does not answer.
    """
    record = find_begun(manifest, desk.repository, version)
    return None if record is None else Unfinished(record, ask_all(desk, record))


def ask_all(desk: Desk, record: ReleaseRecord) -> tuple[RepoTag, ...]:
    """Ask all remotes of a release at once how they hold their tag, in the order in which they are tagged."""
    lock = parse_lock(record.lock, "the log")
    found = FoundLock(lock, record.lock, record.commit, record.in_tag, record.tagger)
    reached = endpoints(desk.repository, {row.repo: RepoUrl(row.url) for row in record.rows})
    places = {RepoUrl(row.url): row for row in record.rows}
    asked = ask_tags(
        desk.repository,
        {url: reached[row.repo] for url, row in places.items()},
        {url: row.tag for url, row in places.items()},
    )
    tags = {one.repo.name: one for one in tags_of(found, asked, {row.repo: row.object for row in record.rows})}
    desk.states.update({name: one.state for name, one in tags.items()})
    return tuple(tags[row.repo] for row in record.rows)


def silent(tags: tuple[RepoTag, ...]) -> list[Obstacle]:
    """Return the remotes that did not answer, as obstacles."""
    return [
        Obstacle(one.repo.name, f"is unreachable: {one.problem}.", one.hint, EnvironmentProblem.exit_code)
        for one in tags
        if one.state is TagState.UNKNOWN
    ]


def carry_out(
    desk: Desk, record: ReleaseRecord, progress: Progress = lambda _: None, transaction: Transaction | None = None
) -> tuple[Tagged, ...]:
    """Carry out a prepared release, or finish one that was begun.

    The caller holds the clone's lock (:func:`openllm_repos.journal.lock.exclusive`).

    Args:
        desk: holds the clone of the source.
        record: what was prepared; it is written to disk before anything is pushed.
        progress: gets a line before each push.
        transaction: the operation that it belongs to; by default the one that was begun here.

    Returns:
        Every repo with the commit that its tag names, as the remotes say in the end; the source is the last.

    Raises:
        SourceMoved: the source's branch went on meanwhile, so there is another commit to release.
        ReleaseRefused: a tag is elsewhere; nothing was pushed by this run.
        ReposError: a remote said no; what is done stays, and the same command goes on from there.
        EnvironmentProblem: a remote does not answer.
    """
    return _Carrying(desk, record, progress, transaction or release_transaction(desk.repository, record.version)).run()


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of a release that is out: which repos have its tag now, and what cannot be mended."""

    tagged: tuple[Tagged, ...]
    left: tuple[Obstacle, ...] = ()


def mend(desk: Desk, release: Unfinished, progress: Progress = lambda _: None) -> Mended:
    """Make the tags that repos of a release lack which is out; what one repo refuses does not stop the others.

    The caller holds the clone's lock.
    """
    repository, version = desk.repository, release.record.version
    begun = read_release(repository)
    if begun is not None and begun.version == version:  # its run was stopped after the last push
        transaction = release_transaction(repository, version)
        mended = _Carrying(desk, release.record, progress, transaction).mend(release.tags)
        transaction.end(done=True)
        return mended
    with Transaction(repository, f"release {version}") as transaction:
        return _Carrying(desk, release.record, progress, transaction).mend(release.tags)


class _Carrying:
    """A release on its way. `record` is always what stands on disk, or newer."""

    def __init__(self, desk: Desk, record: ReleaseRecord, progress: Progress, transaction: Transaction) -> None:
        self._desk = desk
        self._repository = desk.repository
        self._progress = progress
        self._lock = parse_lock(record.lock, "the log")
        self._endpoints = endpoints(desk.repository, {row.repo: RepoUrl(row.url) for row in record.rows})
        self._transaction = transaction
        self._begun = False  # whether the log has it as a release that is under way
        self.record = record

    def run(self) -> tuple[Tagged, ...]:
        """Carry it out."""
        before = {one.repo.name: one for one in self._require_free()}
        begin_release(self._transaction, self.record)
        self._begun = True
        self._note_landed(before.values())
        self._push_lock()
        pushed = {row.repo for row in self.record.rows if before[row.repo].state is TagState.MISSING and self._tag(row)}
        for one in ask_all(self._desk, self.record):
            if not one.state.settled:
                raise ConflictError(
                    f"{one.repo.name}: its tag {one.repo.tag} was there, and now it is {one.state}.",
                    hint=f"openllm-repos release verify {self.record.tag}  # shows which repo has it",
                )
        self._take_tag()
        self._transaction.end(done=True)
        return tuple(
            Tagged(row.repo, row.url, row.tag, row.commit, pushed=row.repo in pushed) for row in self.record.rows
        )

    def mend(self, tags: tuple[RepoTag, ...]) -> Mended:
        """Make what is missing, and say of each repo that has no good tag in the end why that cannot be."""
        tagged, left = [], silent(tags)
        self._note_landed(tags)
        for row, one in zip(self.record.rows, tags, strict=True):
            name = row.repo
            if one.state.wrong:
                left.append(self._wrong(one))
            elif one.state is TagState.MISSING:
                try:
                    state, pushed = self._push_tag(row)
                except ReposError as why:  # of a commit that is gone the hint is for what could be given up
                    hint = "" if isinstance(why, ConflictError) else why.hint
                    left.append(replace(Obstacle.of(name, why), next=hint))
                    continue
                if state.settled:
                    tagged.append(Tagged(name, row.url, row.tag, row.commit, pushed=state is TagState.GOOD))
                    continue
                hint = about_storage(pushed.said, name)
                left.append(
                    Obstacle.of(name, pushed.problem(f"did not take the tag {row.tag}: {pushed.said}", hint=hint))
                )
            elif one.state.settled:
                tagged.append(Tagged(name, row.url, row.tag, row.commit, pushed=False))
        self._take_tag()
        return Mended(tuple(tagged), tuple(left))

    def _note_landed(self, tags: Iterable[RepoTag]) -> None:
        """Write down what a run has pushed that was stopped before it knew."""
        record, good = self.record, {one.repo.name for one in tags if one.state is TagState.GOOD}
        landed = [row for row in record.rows if row.repo in good and row.object is not None]
        lock = [record.lock_move] if record.source in landed and not record.locked else []
        self._transaction.finish(MoveOutcome.MOVED, *lock, *(row.move(self._repository.zero) for row in landed))

    def _wrong(self, one: RepoTag) -> Obstacle:
        """Say that a tag is there and not as the release has it; it is never moved by us."""
        remove = without_tag(self._endpoints[one.repo.name].push_url, one.repo.tag)
        again = f"openllm-repos release {self.record.version}  # then makes it as it was"
        return Obstacle(one.repo.name, f"has its tag {one.wrong_said}.", f"{remove}\n{again}")

    def _require_free(self) -> tuple[RepoTag, ...]:
        """Stop before the first write where a remote is silent, or a tag is there that is not as planned."""
        tags = ask_all(self._desk, self.record)
        if failed := silent(tags):
            raise refusal("Not every repo answers:", failed, hint=self._again())
        give_up = f"openllm-repos release abort {self.record.version}"
        wrong = [Obstacle(one.repo.name, f"has its tag {one.wrong_said}.", give_up) for one in tags if one.state.wrong]
        if wrong:
            raise refusal(
                f"The release {self.record.tag} cannot go on, and nothing was pushed:",
                wrong,
                hint="A tag that others may have is never moved. Give this version up and take the next one.",
            )
        return tags

    # ---- the lock -------------------------------------------------------------------------------------------------

    def _push_lock(self) -> None:
        """Bring the lock's commit onto the source's branch, unless it is there."""
        record, name = self.record, self._lock.source.name
        if record.locked:
            return
        move, pushed = record.lock_move, None
        try:
            tip = refs_now(self._repository, move, self._endpoints[name])[move.ref]
            if tip == record.base:
                self._progress(f"{name}: pushing the lock, {record.commit[:10]}, to {self._lock.source.branch}")
                pushed, refs = push_move(
                    self._repository, self._transaction, move, self._endpoints[name], landed=self._contains
                )
                tip = refs[move.ref]
        except Unreachable as why:
            message = f"{name} does not say where its branch is ({why.message})."
            raise EnvironmentProblem(message, hint=self._again()) from None
        if not self._contains(tip):
            self._transaction.finish(MoveOutcome.REFUSED, move)
            self._transaction.end(done=False)
            if tip == record.base:
                assert pushed is not None  # it was tried
                raise pushed.problem(
                    f"{name} did not take the lock's commit on {self._lock.source.branch}, and nothing was changed"
                    f" there:\n{pushed.said}",
                    hint=about_storage(pushed.said, name)
                    or "openllm-repos manifest set project.lock tag  # if the branch is protected; then push that",
                )
            raise SourceMoved(
                f"{name} has moved to {tip[:10]} while the release was prepared; nothing of it was pushed.",
                hint=f"git pull\nopenllm-repos release {record.version}",
            )
        self._transaction.finish(MoveOutcome.MOVED, move)
        self.record = replace(record, locked=True)
        tracking = f"{self._endpoints[name].tracking}/{record.branch.removeprefix('refs/heads/')}"
        move_tracking(self._repository, tracking, read_ref(self._repository, tracking), tip)
        self._fast_forward(move.update)

    def _contains(self, tip: ObjectId) -> bool:
        """Whether a tip of the source's branch has the lock's commit in its history."""
        if tip == self.record.commit:
            return True
        if not self._desk.holds(tip):
            fetch(self._repository, self._endpoints[self._lock.source.name].url, self.record.branch)
        return self._desk.holds(tip) and is_ancestor(self._repository, self.record.commit, tip)

    def _fast_forward(self, update: RefUpdate) -> None:
        """Move the person's own branch on if it is checked out, clean, and where the release began."""
        repository = self._repository
        if repository.top is None or read_ref(repository, update.ref) != update.old:
            return
        person = repository.person()
        if person.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).stdout.decode().strip() != update.ref:
            return
        if person.run("status", "--porcelain", "-z", "--untracked-files=no").stdout:
            return
        # A file of the person's own in its place, or a filter that fails: their branch is then just one commit behind.
        with contextlib.suppress(GitFailed):
            person.run("merge", "--quiet", "--ff-only", "--no-verify", update.new)
            self._transaction.finish(MoveOutcome.MOVED, Move.of(HERE, "", update))

    # ---- the tags -------------------------------------------------------------------------------------------------

    def _push_tag(self, row: ReleaseRow) -> tuple[TagState, Pushed]:
        """Push one tag; return how the remote holds it then, `good` where it is the one that this made.

        Raises:
            EnvironmentProblem: the remote fell silent, or the tag cannot be made.
            ConflictError: the remote does not give out what is to be tagged.
        """
        if row.object is None:
            self.record = with_tag(self._desk, self.record, row, signed=signing_wanted(self._repository))
            row = next(one for one in self.record.rows if one.repo == row.repo)
            if self._begun:
                write_row(self._transaction, row)
        where, made = place_to_push(self._desk, self.record, row)
        self._progress(f"{row.repo}: tagging {row.commit[:10]} as {row.tag}")
        move = row.move(self._repository.zero)
        try:  # what is made anew needs no hold, and a signed one is written down
            pushed, refs = push_move(self._repository, self._transaction, move, self._endpoints[row.repo], where=where)
        except Unreachable as why:
            self._desk.states[row.repo] = TagState.UNKNOWN
            message = f"{row.repo}: the tag was sent, then the remote fell silent ({why.message}). It may be there."
            raise EnvironmentProblem(message, hint=self._again()) from None
        state = tag_state(RemoteTags.of(refs), row.tag, row.commit, made.id)
        self._desk.states[row.repo] = state
        return state, pushed

    def _tag(self, row: ReleaseRow) -> bool:
        """Push one tag of a release that is not out; return whether it is the one that this made.

        Raises:
            ConflictError: somebody else has put that tag elsewhere.
            ReposError: the remote does not take it.
        """
        state, pushed = self._push_tag(row)
        if state is TagState.GOOD:
            return True
        if state is TagState.FOREIGN:
            if self.record.in_tag and row.repo == self.record.source.repo:
                self._transaction.end(done=False)  # the release is theirs, and their tag's lock counts
                raise ConflictError(
                    f"{row.repo}: somebody else has just released {row.tag}, at the same commit.",
                    hint=f"openllm-repos release verify {row.tag}  # says whether it is complete",
                )
            self._progress(f"{row.repo}: somebody else has just made the tag {row.tag}, at the same commit")
            return False
        if state is TagState.MISSING:
            full = about_storage(pushed.said, row.repo)
            raise pushed.problem(
                f"{row.repo} did not take the tag {row.tag}:\n{pushed.said}\n{self._missing()}",
                hint=f"{full}\n"
                * bool(full)
                + f"openllm-repos release {self.record.version}  # once that is settled with {row.repo}\n"
                f"openllm-repos release abort {self.record.version}  # or give it up",
            )
        raise ConflictError(
            f"{row.repo}: somebody else has just put the tag {row.tag} elsewhere. {self._missing()}",
            hint=f"openllm-repos release abort {self.record.version}  # after talking to them",
        )

    def _missing(self) -> str:
        """Say what is not there yet; the source's tag is among it, so nobody sees half a release."""
        names = [row.repo for row in self.record.rows if not self._desk.states[row.repo].settled]
        return f"Not tagged yet: {', '.join(names)}. The release is not out before {names[-1]} has its tag."

    def _again(self) -> str:
        return f"openllm-repos release {self.record.version}  # again: it goes on from what is true"

    # ---- the end --------------------------------------------------------------------------------------------------

    def _take_tag(self) -> None:
        """Give the clone the source's tag if it is ours, as a fetch would."""
        row = self.record.source
        if row.object is None or self._desk.states[row.repo] is not TagState.GOOD:
            return
        with contextlib.suppress(GitFailed):  # the person has a tag of that name
            update = RefUpdate(row.tag.ref, self._repository.zero, row.object)
            update_refs(self._repository, [update], reason="openllm-repos: released")
            self._transaction.finish(MoveOutcome.MOVED, Move.of(HERE, "", update))
