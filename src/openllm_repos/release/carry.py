"""Carrying a release out: the lock, then one tag after the other, the source's last. Only the remotes are believed.

Every step can be made again. A tag is pushed by its id, and only where there is none; one that is there already and
names the planned commit is as good. What was begun is finished by the same command, here or on another machine.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from openllm_repos.errors import ConflictError, EnvironmentProblem, ReposError
from openllm_repos.family.releases import TagState
from openllm_repos.family.remotes import CONNECTIONS, DEADLINE
from openllm_repos.git.history import is_ancestor
from openllm_repos.git.process import GitFailed
from openllm_repos.git.refs import read_ref, update_refs
from openllm_repos.git.remote import Endpoint, Unreachable, endpoints, fetch, list_refs, push
from openllm_repos.git.tags import signing_wanted
from openllm_repos.journal.log import HERE, Move, MoveOutcome
from openllm_repos.journal.releases import (
    ReleaseRecord,
    ReleaseRow,
    RowState,
    begin_release,
    release_transaction,
    write_row,
)
from openllm_repos.journal.transaction import Transaction
from openllm_repos.lockfile.model import Lock
from openllm_repos.lockfile.text import parse_lock
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoUrl
from openllm_repos.plan import RefUpdate
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import Obstacle, Tagged, refusal
from openllm_repos.release.prepare import place_to_push, with_tag

Told = Callable[[str], None]


class SourceMoved(ConflictError):
    """The source's branch went on while a release was prepared; nothing was pushed, and it is dropped."""


def carry_out(
    desk: Desk, record: ReleaseRecord, told: Told = lambda _: None, transaction: Transaction | None = None
) -> tuple[Tagged, ...]:
    """Carry out a prepared release, or finish one that was begun.

    The caller holds the clone's lock (:func:`openllm_repos.journal.lock.exclusive`).

    Args:
        desk: holds the clone of the source.
        record: what was prepared; it is written to disk before anything is pushed.
        told: gets a line of progress before each push.
        transaction: the operation that it belongs to; by default the one that was begun here.

    Returns:
        Every repo with the commit that its tag names, as the remotes say in the end; the source is the last.

    Raises:
        SourceMoved: the source's branch went on meanwhile, so there is another commit to release.
        ReleaseRefused: a tag is elsewhere; nothing was pushed by this run.
        ReposError: a remote said no; what is done stays, and the same command goes on from there.
        EnvironmentProblem: a remote does not answer.
    """
    return _Carrying(desk, record, told, transaction).run()


def tags_due(desk: Desk, record: ReleaseRecord) -> tuple[RepoName, ...]:
    """Return the repos that lack the tag of a release that was begun.

    Raises:
        EnvironmentProblem: a remote does not answer.
    """
    states = _Carrying(desk, record, lambda _: None).ask_all()
    return tuple(name for name, state in states.items() if state is not TagState.AS_PLANNED)


class _Carrying:
    """A release on its way. `record` is always what stands on disk, or newer."""

    def __init__(self, desk: Desk, record: ReleaseRecord, told: Told, transaction: Transaction | None = None) -> None:
        self._desk = desk
        self._repository = desk.repository
        self._told = told
        self._lock: Lock = parse_lock(record.lock, "the log")
        urls = {row.repo: RepoUrl(row.url) for row in record.rows}
        self._endpoints: Mapping[RepoName, Endpoint] = endpoints(desk.repository, urls)
        self._branches = {repo.name: repo.branch for repo in self._lock.repos}
        self._held: dict[RepoName, ObjectId] = {}  # the tag objects that the remotes were last seen to have
        self._transaction = transaction or release_transaction(desk.repository, record.version)
        self.record = record

    def run(self) -> tuple[Tagged, ...]:
        """Carry it out."""
        before = self._require_free(self.ask_all())
        begin_release(self._transaction, self.record)
        for row in self.record.rows:  # those that a run pushed which was stopped before it knew
            if before[row.repo] is TagState.AS_PLANNED and row.object == self._held[row.repo]:
                self._transaction.finish(MoveOutcome.MOVED, row.move(self._repository.zero))
        self._push_lock()
        pushed = [row.repo for row in self.record.rows if before[row.repo] is TagState.ABSENT and self._push_tag(row)]
        after = self.ask_all()
        for row in self.record.rows:
            if after[row.repo] is not TagState.AS_PLANNED:
                raise ConflictError(
                    f"{row.repo}: its tag {row.tag} was there, and now it is {after[row.repo]}.",
                    hint=f"openllm-repos release verify {self.record.tag}  # shows which repo has it",
                )
        self._settle()
        return tuple(
            Tagged(row.repo, row.url, row.tag, row.commit, pushed=row.repo in pushed) for row in self.record.rows
        )

    def ask_all(self) -> dict[RepoName, TagState]:
        """Ask all remotes at once how they hold the tag.

        Raises:
            EnvironmentProblem: one does not answer.
        """
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            answers = list(pool.map(self._ask, self.record.rows))
        failed = [
            Obstacle(row.repo, f"is unreachable: {answer.message}.", answer.hint, answer.exit_code)
            for row, answer in zip(self.record.rows, answers, strict=True)
            if isinstance(answer, ReposError)
        ]
        if failed:
            raise refusal("Not every repo answers:", failed, hint=self._again())
        found = zip(self.record.rows, answers, strict=True)
        return {row.repo: answer for row, answer in found if isinstance(answer, TagState)}

    def _ask(self, row: ReleaseRow) -> TagState | ReposError:
        try:
            return self._state(row)
        except Unreachable as why:
            return why

    def _state(self, row: ReleaseRow) -> TagState:
        """Ask one remote how it holds the tag.

        Raises:
            Unreachable: it does not say.
        """
        ref = row.tag.ref
        refs = list_refs(
            self._repository, self._endpoints[row.repo].url, (ref, f"{ref}^{{}}"), deadline=DEADLINE, peeled=True
        )
        if ref not in refs:
            self._held.pop(row.repo, None)
            return TagState.ABSENT
        self._held[row.repo] = refs[ref]
        if refs.get(f"{ref}^{{}}", refs[ref]) != row.commit:
            return TagState.ELSEWHERE
        return TagState.AS_PLANNED if f"{ref}^{{}}" in refs else TagState.LIGHTWEIGHT

    def _require_free(self, states: Mapping[RepoName, TagState]) -> Mapping[RepoName, TagState]:
        """Stop before the first write where a tag is anywhere else than planned."""
        wrong = []
        for row in self.record.rows:
            state = states[row.repo]
            if state in {TagState.ELSEWHERE, TagState.LIGHTWEIGHT}:
                self._note(row, RowState.CONFLICT)
                what = "elsewhere" if state is TagState.ELSEWHERE else "lightweight, and a release has annotated tags"
                message = f"its tag {row.tag} is {what}; this release plans it at {row.commit[:10]}."
                wrong.append(Obstacle(row.repo, message, f"openllm-repos release abort {self.record.version}"))
            elif state is TagState.AS_PLANNED:
                self._note(row, RowState.VERIFIED)
        if wrong:
            raise refusal(
                f"The release {self.record.tag} cannot go on, and nothing was pushed:",
                wrong,
                hint="A tag that others may have is never moved. Give this version up and take the next one.",
            )
        return states

    def _note(self, row: ReleaseRow, state: RowState, *, write: bool = False) -> None:
        row = replace(row, state=state)
        self.record = self.record.with_row(row)
        if write:
            write_row(self._transaction, row)

    # ---- the lock -------------------------------------------------------------------------------------------------

    def _push_lock(self) -> None:
        """Bring the lock's commit onto the source's branch, unless it is there."""
        record, name = self.record, self._lock.source.name
        if record.locked:
            return
        tip = self._source_tip()
        if tip == record.base:
            self._told(f"{name}: pushing the lock, {record.commit[:10]}, to {self._lock.source.branch}")
            said = push(self._repository, self._endpoints[name].push_url, [record.lock_move.update])
            tip = self._source_tip()
            if tip == record.base:
                self._give_up()
                raise said.problem(
                    f"{name} did not take the lock's commit on {self._lock.source.branch}, and nothing was changed"
                    f" there:\n{said.said}",
                    hint="openllm-repos manifest set project.lock tag  # if the branch is protected; then push that",
                )
        if not self._contains(tip):
            self._give_up()
            raise SourceMoved(
                f"{name} has moved to {tip[:10]} while the release was prepared; nothing of it was pushed.",
                hint=f"git pull\nopenllm-repos release {record.version}",
            )
        self._transaction.finish(MoveOutcome.MOVED, record.lock_move)
        self.record = replace(record, locked=True)
        self._move_tracking(name, record.branch, tip)
        self._fast_forward()

    def _give_up(self) -> None:
        """End it: the source's branch did not take the lock, so nothing of the release is anywhere."""
        self._transaction.finish(MoveOutcome.REFUSED, self.record.lock_move)
        self._transaction.end(done=False)

    def _source_tip(self) -> ObjectId:
        name = self._lock.source.name
        try:
            refs = list_refs(self._repository, self._endpoints[name].url, (self.record.branch,), deadline=DEADLINE)
        except Unreachable as why:
            raise EnvironmentProblem(
                f"{name} does not say where its branch is ({why.message}).", hint=self._again()
            ) from None
        return refs.get(self.record.branch, self._repository.zero)

    def _contains(self, tip: ObjectId) -> bool:
        """Whether a tip of the source's branch has the lock's commit in its history."""
        if tip == self.record.commit:
            return True
        if tip.is_zero:
            return False
        if not self._desk.holds(tip):
            fetch(self._repository, self._endpoints[self._lock.source.name].url, self.record.branch)
        return self._desk.holds(tip) and is_ancestor(self._repository, self.record.commit, tip)

    def _fast_forward(self) -> None:
        """Move the person's own branch on if it is checked out, clean, and where the release began."""
        repository, record = self._repository, self.record
        if repository.top is None or read_ref(repository, record.branch) != record.base:
            return
        person = repository.person()
        if person.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).stdout.decode().strip() != record.branch:
            return
        if person.run("status", "--porcelain", "-z", "--untracked-files=no").stdout:
            return
        # A file of the person's own in its place, or a filter that fails: their branch is then just one commit behind.
        with contextlib.suppress(GitFailed):
            person.run("merge", "--quiet", "--ff-only", "--no-verify", record.commit)
            here = Move.of(HERE, "", record.lock_move.update)
            self._transaction.finish(MoveOutcome.MOVED, here)

    # ---- the tags -------------------------------------------------------------------------------------------------

    def _push_tag(self, row: ReleaseRow) -> bool:
        """Push one tag, and ask whether it is there; return whether it is the one that this made.

        Raises:
            ConflictError: somebody else has put that tag elsewhere.
            ReposError: the remote does not take it.
        """
        if row.object is None:
            self.record = with_tag(self._desk, self.record, row, signed=signing_wanted(self._repository))
            row = next(one for one in self.record.rows if one.repo == row.repo)
            write_row(self._transaction, row)
        where, made = place_to_push(self._desk, row, self._branches[row.repo])
        self._told(f"{row.repo}: tagging {row.commit[:10]} as {row.tag}")
        endpoint = self._endpoints[row.repo]
        move = row.move(self._repository.zero)
        self._transaction.begin(move, hold=False)  # what is made anew needs no hold, and a signed one is written down
        said = push(where, endpoint.push_url, [move.update], hooks=where is self._repository)
        try:
            state = self._state(row)
        except Unreachable as why:
            self._note(row, RowState.UNKNOWN, write=True)
            raise EnvironmentProblem(
                f"{row.repo}: the tag was sent, then the remote fell silent ({why.message}). It may be there.",
                hint=self._again(),
            ) from None
        ours = self._held.get(row.repo) == made.id
        self._transaction.finish(MoveOutcome.MOVED if ours else MoveOutcome.REFUSED, move)
        if state is TagState.AS_PLANNED:
            self._note(row, RowState.VERIFIED, write=True)
            if not ours and self.record.in_tag and row.repo == self.record.source.repo:
                self._transaction.end(done=False)  # the release is theirs, and their tag's lock counts
                raise ConflictError(
                    f"{row.repo}: somebody else has just released {row.tag}, at the same commit.",
                    hint=f"openllm-repos release verify {row.tag}  # says whether it is complete",
                )
            if not ours:
                self._told(f"{row.repo}: somebody else has just made the tag {row.tag}, at the same commit")
            return ours
        if state is TagState.ABSENT:
            self._note(row, RowState.REFUSED, write=True)
            raise said.problem(
                f"{row.repo} did not take the tag {row.tag}:\n{said.said}\n{self._missing()}",
                hint=f"openllm-repos release {self.record.version}  # once that is settled with {row.repo}\n"
                f"openllm-repos release abort {self.record.version}  # or give it up",
            )
        self._note(row, RowState.CONFLICT, write=True)
        raise ConflictError(
            f"{row.repo}: somebody else has just put the tag {row.tag} elsewhere. {self._missing()}",
            hint=f"openllm-repos release abort {self.record.version}  # after talking to them",
        )

    def _missing(self) -> str:
        """Say what is not there yet; the source's tag is among it, so nobody sees half a release."""
        names: Sequence[str] = [row.repo for row in self.record.rows if row.state is not RowState.VERIFIED]
        return f"Not tagged yet: {', '.join(names)}. The release is not out before {names[-1]} has its tag."

    def _again(self) -> str:
        return f"openllm-repos release {self.record.version}  # again: it goes on from what is true"

    # ---- the end --------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Give the clone the source's tag if it is ours, as a fetch would, and end the operation."""
        row = self.record.source
        held = read_ref(self._repository, row.tag.ref)
        ours = row.object is not None and self._held.get(row.repo) == row.object
        if held is None and ours and row.object is not None and self._desk.holds(row.object):
            with contextlib.suppress(GitFailed):
                update = RefUpdate(row.tag.ref, self._repository.zero, row.object)
                update_refs(self._repository, [update], reason="openllm-repos: released")
                self._transaction.finish(MoveOutcome.MOVED, Move.of(HERE, "", update))
        self._transaction.end(done=True)

    def _move_tracking(self, name: RepoName, branch: str, tip: ObjectId) -> None:
        """Move the remote-tracking ref, as git does after a push."""
        ref = f"{self._endpoints[name].tracking}/{branch.removeprefix('refs/heads/')}"
        known = read_ref(self._repository, ref)
        if known != tip:
            with contextlib.suppress(GitFailed):
                update = RefUpdate(ref, known or self._repository.zero, tip)
                update_refs(self._repository, [update], reason="openllm-repos: release")
