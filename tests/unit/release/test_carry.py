"""A release carried out: what it pushes, in which order, and what the log and the person's clone have afterwards.

Of a family of two, a source and a model; what others do in the meantime, they do when a line of progress is said.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from openllm_repos.errors import ConflictError, EnvironmentProblem, ReposError
from openllm_repos.family.tags import TagState
from openllm_repos.git.repository import Repository
from openllm_repos.journal.log import MoveOutcome, Operation, operations
from openllm_repos.journal.releases import ReleaseRecord, begin_release, end_release, read_release, release_transaction
from openllm_repos.journal.transaction import Transaction
from openllm_repos.manifest.model import LockPlace, Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName, TagName
from openllm_repos.plan import SyncPlan
from openllm_repos.release.carry import (
    Mended,
    SourceMoved,
    Unfinished,
    _Carrying,
    ask_all,
    carry_out,
    find_unfinished,
    mend,
)
from openllm_repos.release.desk import Desk
from openllm_repos.release.model import ReleasePlan, RepoPlan, Tagged
from openllm_repos.release.prepare import place_to_push, prepare
from tests.support.repositories import Bare, Clone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOVED, REFUSED = MoveOutcome.MOVED, MoveOutcome.REFUSED
TAG = "refs/tags/v1.0.0"


@dataclass(slots=True)
class World:
    """The source's clone, and both remotes.

    Attributes:
        meanwhile: what happens when a line of progress begins so.
        lines: the progress of the last run.
        states: how each repo was last seen to hold its tag by the last run.
    """

    clone: Clone
    main: Bare
    model: Bare
    meanwhile: dict[str, Callable[[], object]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    states: dict[RepoName, TagState] = field(default_factory=dict)

    @property
    def repository(self) -> Repository:
        return Repository.open(self.clone.path)

    @property
    def manifest(self) -> Manifest:
        return Manifest.parse(
            f'schema = 1\n[project]\nname = "x"\n[repos.main]\nurl = "{self.main.url}"\nrole = "source"\n'
            f'[repos.model]\nurl = "{self.model.url}"\n'
        )

    def prepared(self, version: str = "1.0.0", *, lock: LockPlace = LockPlace.COMMIT) -> ReleaseRecord:
        """Prepare a release of what the remotes have."""
        tag, base = TagName(f"v{version}"), ObjectId(self.main.tip("main"))
        rows = tuple(
            RepoPlan(repo, repo.url, tag, None if repo.name == "main" else base, None, TagState.MISSING)
            for repo in reversed(self.manifest.repos)
        )
        tree = ObjectId(self.clone.git("rev-parse", f"{base}^{{tree}}"))
        sync, digest = SyncPlan(self.manifest.source.name, base, ()), f"sha256:{'0' * 64}"
        plan = ReleasePlan("x", version, tag, base, tree, digest, lock, signed=False, sync=sync, repos=rows)
        with Desk(self.repository) as desk:
            return prepare(self.manifest, desk, plan)

    def say(self, line: str) -> None:
        self.lines.append(line)
        for start in [start for start in self.meanwhile if line.startswith(start)]:
            self.meanwhile.pop(start)()

    def carry(self, record: ReleaseRecord, transaction: Transaction | None = None) -> tuple[Tagged, ...]:
        """Carry a release out."""
        self.lines = []
        with Desk(self.repository) as desk:
            try:
                return carry_out(desk, record, self.say, transaction)
            finally:
                self.states = desk.states

    def mend(self, version: str = "1.0.0") -> Mended:
        """Mend a release that is out."""
        with Desk(self.repository) as desk:
            found = find_unfinished(self.manifest, desk, version)
            assert found is not None
            assert found.out
            return mend(desk, found, self.say)

    def tag(self, bare: Bare, *args: str, at: str = "main") -> None:
        """Make a tag in a remote, as somebody else."""
        bare.git("-c", "user.name=G", "-c", "user.email=g@example.org", "tag", *args, "v1.0.0", at)

    @property
    def log(self) -> Operation:
        """The last operation."""
        return next(operations(self.repository))

    @property
    def moves(self) -> list[tuple[str, str, MoveOutcome]]:
        """What the last operation did."""
        return [(move.repo, move.ref, move.outcome) for move in self.log.moves]


@pytest.fixture
def world(tmp_path: Path, clone: Clone) -> World:
    made = World(clone, Bare.init(tmp_path / "main.git"), Bare.init(tmp_path / "model.git"))
    clone.commit("Start", {"a.txt": "a\n"})
    clone.fill(made.model)
    clone.commit("Go on", {"a.txt": "b\n"})
    for bare in (made.main, made.model):
        clone.fill(bare)
    clone.git("remote", "add", "origin", made.main.url)
    clone.git("update-ref", "refs/remotes/origin/main", "HEAD")
    return made


LOCKED = [("main", "refs/heads/main", MOVED)]
TAGGED = [("model", TAG, MOVED), ("main", TAG, MOVED)]


def test_the_lock_is_first_and_the_sources_tag_is_last_and_the_clone_has_both(world: World) -> None:
    record = world.prepared()
    model, main = record.rows
    transaction = Transaction(world.repository, "release 1.0.0")
    assert world.carry(record, transaction) == (
        Tagged("model", world.model.url, record.tag, record.base, pushed=True),
        Tagged("main", world.main.url, record.tag, record.commit, pushed=True),
    )
    assert world.lines == [
        f"main: pushing the lock, {record.commit[:10]}, to main",
        f"model: tagging {record.base[:10]} as v1.0.0",
        f"main: tagging {record.commit[:10]} as v1.0.0",
    ]
    assert (world.main.tips(), world.model.tips()[TAG]) == (
        {"refs/heads/main": record.commit, TAG: main.object},
        model.object,
    )
    clone = world.clone
    assert {clone.tip("main"), clone.tip("origin/main"), clone.tip("v1.0.0")} == {record.commit}
    assert (clone.git("status", "--porcelain"), clone.git("rev-parse", "v1.0.0")) == ("", main.object)
    assert (world.log.name, world.log.done, world.log.begun) == (transaction.name, True, ())
    assert world.moves == [*LOCKED, ("", "refs/heads/main", MOVED), *TAGGED, ("", TAG, MOVED)]


def another_branch(clone: Clone) -> None:
    clone.switch("other", at="main")


def changed_files(clone: Clone) -> None:
    clone.write({"a.txt": "mine\n"})


def gone_on(clone: Clone) -> None:
    clone.commit("Mine", {"b.txt": "b\n"})


def behind(clone: Clone) -> None:
    clone.git("reset", "-q", "--hard", "HEAD^")


def in_its_place(clone: Clone) -> None:
    clone.write({"manifest/releases/v1.0.0.toml": "mine\n"})


def bare(clone: Clone) -> None:
    clone.git("config", "core.bare", "true")


@pytest.mark.parametrize("has", [another_branch, changed_files, gone_on, behind, in_its_place, bare])
def test_a_branch_that_cannot_simply_go_on_stays(world: World, has: Callable[[Clone], None]) -> None:
    record = world.prepared()
    has(world.clone)
    world.clone.git("update-ref", "-d", "refs/remotes/origin/main")
    before = world.clone.tip("main"), world.clone.tip("HEAD")
    world.carry(record)
    assert (world.clone.tip("main"), world.clone.tip("HEAD")) == before
    assert world.clone.tip("origin/main") == record.commit
    assert world.moves == [*LOCKED, *TAGGED, ("", TAG, MOVED)]


# ---- the lock --------------------------------------------------------------------------------------------------------


def test_a_lock_that_has_landed_below_others_work_is_not_pushed_again(world: World) -> None:
    record = world.prepared()
    begin_release(Transaction(world.repository, "release 1.0.0"), record)
    other = Clone.of(world.main.url, world.clone.path.parent / "other")
    other.git("fetch", "-q", str(world.clone.path), f"{record.commit}:refs/heads/lock")
    other.git("merge", "-q", "--ff-only", "lock")
    top = other.commit("On top", {"b.txt": "b\n"})
    other.push(world.main.url)
    world.carry(record)
    assert world.lines[0].startswith("model: tagging")
    assert (world.clone.tip("main"), world.clone.tip("origin/main")) == (record.commit, top)
    assert (world.log.done, world.moves[0]) == (True, *LOCKED)


def test_a_source_that_has_moved_gets_no_release(world: World) -> None:
    record = world.prepared()
    other = Clone.of(world.main.url, world.clone.path.parent / "other")
    other.commit("Theirs", {"b.txt": "b\n"})
    for when in ("before", "meanwhile"):
        if when == "before":
            other.push(world.main.url)
        else:
            other.push(world.main.url, f"+{record.base}:refs/heads/main")
            world.meanwhile = {"main: pushing": lambda: other.push(world.main.url)}
        with pytest.raises(SourceMoved, match=f"main has moved to {other.tip()[:10]} while the release was prepared"):
            world.carry(record)
        assert world.moves == [("main", "refs/heads/main", REFUSED)]
        assert (world.log.ended, world.log.done, read_release(world.repository)) == (True, False, None)
        assert TAG not in world.model.tips()
    with Desk(world.repository) as desk:  # a tip that is gone again before it can be fetched
        carrying = _Carrying(desk, record, world.say, Transaction(world.repository, "release 1.0.0"))
        assert not carrying._contains(ObjectId("1" * 40))


@pytest.mark.parametrize(
    ("words", "hint"),
    [("protected", "openllm-repos manifest set project.lock tag"), ("over its storage quota", "The storage of main")],
)
def test_a_branch_that_takes_no_lock_ends_the_release(world: World, words: str, hint: str) -> None:
    world.main.refuse(words)
    with pytest.raises(ReposError, match="main did not take the lock's commit on main, and nothing was") as why:
        world.carry(world.prepared())
    assert why.value.hint.startswith(hint)
    assert world.moves == [("main", "refs/heads/main", REFUSED)]
    assert (world.log.ended, world.log.done) == (True, False)


def test_a_source_that_shows_no_branch_leaves_the_release_begun(world: World) -> None:
    record = world.prepared()
    world.main.git("update-ref", "-d", "refs/heads/main")
    with pytest.raises(EnvironmentProblem, match="main does not say where its branch is") as why:
        world.carry(record)
    assert why.value.hint.startswith("openllm-repos release 1.0.0  # again")
    assert read_release(world.repository) == record


# ---- the tags --------------------------------------------------------------------------------------------------------


def test_what_another_run_has_done_is_noted_and_not_done_again(world: World) -> None:
    """The source refused its tag, and of the model's nobody wrote down that it had landed."""
    record = world.prepared()
    hook = world.main.refuse("no", refs="refs/tags/*")
    with pytest.raises(ReposError, match="main did not take the tag"):
        world.carry(record)
    assert (world.moves[-1], world.log.ended) == (("main", TAG, REFUSED), False)
    hook.unlink()
    (begun,) = (one for one in operations(world.repository))
    Transaction(world.repository, begun.command, resumes=begun)._note(
        MoveOutcome.BEGUN, [record.rows[0].move(world.repository.zero)]
    )
    model, main = world.carry(record)
    assert (model.pushed, main.pushed, len(world.lines)) == (False, True, 1)
    assert (world.log.name, world.log.done, world.log.begun) == (begun.name, True, ())


def test_a_release_that_only_its_lock_says_makes_its_tags_anew_and_writes_them_down(world: World) -> None:
    record = world.prepared()
    unmade = replace(record, rows=tuple(replace(row, text="", object=None) for row in record.rows))
    world.main.refuse("no", refs="refs/tags/*")
    with pytest.raises(ReposError, match="main did not take the tag"):
        world.carry(unmade)
    begun = read_release(world.repository)
    assert begun is not None
    assert [row.object for row in begun.rows] == [row.object for row in record.rows]
    end_release(world.repository)  # as it is on a machine that knows of no run
    with pytest.raises(ReposError, match="main did not take the tag"):
        world.carry(replace(unmade, locked=True))
    assert world.lines == [f"main: tagging {record.commit[:10]} as v1.0.0"]


@pytest.mark.parametrize("lock", list(LockPlace))
def test_a_tag_that_somebody_makes_at_the_same_commit_in_the_very_moment_is_as_good(
    world: World, lock: LockPlace
) -> None:
    world.meanwhile = {"model: tagging": lambda: world.tag(world.model, "-a", "-m", "theirs")}
    record = world.prepared(lock=lock)
    model, main = world.carry(record)
    assert (model.pushed, main.pushed) == (False, True)
    assert "model: somebody else has just made the tag v1.0.0, at the same commit" in world.lines
    assert ("model", TAG, REFUSED) in world.moves
    assert world.log.done


def test_of_two_releases_that_their_tags_carry_the_quicker_one_counts(world: World) -> None:
    record = world.prepared(lock=LockPlace.TAG)
    world.meanwhile = {"main: tagging": lambda: world.tag(world.main, "-a", "-m", "theirs")}
    with pytest.raises(ConflictError, match="main: somebody else has just released v1"):
        world.carry(record)
    assert (world.log.ended, world.log.done) == (True, False)
    assert TAG not in world.clone.tips()


def test_a_source_tag_that_somebody_made_at_the_locks_commit_is_as_good_and_the_clones_own_is_left(
    world: World,
) -> None:
    world.meanwhile = {"main: tagging": lambda: world.tag(world.main, "-a", "-m", "theirs")}
    _, main = world.carry(world.prepared())
    assert (main.pushed, world.log.done, TAG in world.clone.tips()) == (False, True, False)


def test_a_tag_of_the_clones_own_stays(world: World) -> None:
    world.clone.git("tag", "-a", "-m", "mine", "v1.0.0")
    mine = world.clone.tips()[TAG]
    world.carry(world.prepared())
    assert (world.clone.tips()[TAG], world.log.done) == (mine, True)
    assert ("", TAG, MOVED) not in world.moves


@pytest.mark.parametrize("words", ["no", "over its storage quota"])
def test_a_repo_that_takes_no_tag_stops_the_release_which_stays_begun(world: World, words: str) -> None:
    world.model.refuse(words)
    with pytest.raises(ReposError, match="model did not take the tag v1") as why:
        world.carry(world.prepared())
    assert "Not tagged yet: model, main. The release is not out before main has its tag." in why.value.message
    *full, again, abort = why.value.hint.splitlines()
    assert [line.partition(" is full")[0] for line in full] == ["The storage of model"] * (words != "no")
    assert again == "openllm-repos release 1.0.0  # once that is settled with model"
    assert abort.startswith("openllm-repos release abort 1.0.0  #")
    assert (world.log.ended, world.moves[-1]) == (False, ("model", TAG, REFUSED))


def test_a_tag_that_somebody_puts_elsewhere_in_the_very_moment_is_a_conflict(world: World) -> None:
    world.meanwhile = {"main: tagging": lambda: world.tag(world.main, at="main^")}
    with pytest.raises(ConflictError, match="main: somebody else has just put the tag") as why:
        world.carry(world.prepared())
    assert "Not tagged yet: main. The release" in why.value.message


def test_a_remote_that_falls_silent_after_a_tag_was_sent_is_asked_again(world: World) -> None:
    away = world.model.path.with_name("away.git")
    world.meanwhile = {"model: tagging": lambda: world.model.path.rename(away)}
    with pytest.raises(EnvironmentProblem, match="model: the tag was sent, then the remote fell silent"):
        world.carry(world.prepared())
    assert world.states[RepoName("model")] is TagState.UNKNOWN
    begun = read_release(world.repository)
    assert begun is not None
    with pytest.raises(EnvironmentProblem, match="Not every repo answers:\n  model: is unreachable") as why:
        world.carry(begun)
    assert why.value.hint.startswith("openllm-repos release 1.0.0  # again")
    away.rename(world.model.path)
    world.carry(begun)
    assert world.log.done


def test_a_tag_that_is_gone_again_in_the_end_is_noticed(world: World) -> None:
    world.meanwhile = {"main: tagging": lambda: world.model.git("update-ref", "-d", TAG)}
    with pytest.raises(ConflictError, match=r"model: its tag .* was there, and now it is missing\.") as why:
        world.carry(world.prepared())
    assert why.value.hint.startswith("openllm-repos release verify v1.0.0  #")
    assert not world.log.ended


def test_a_wrong_tag_stops_a_release_before_its_first_push(world: World) -> None:
    world.tag(world.model)
    with pytest.raises(ConflictError, match=r"cannot go on, and nothing was pushed:\n  model: has its tag"):
        world.carry(world.prepared())
    assert list(operations(world.repository)) == []


# ---- a release that is out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", list(LockPlace))
def test_a_release_that_was_stopped_after_its_last_push_is_ended_by_mending_it(world: World, lock: LockPlace) -> None:
    """The log knows of no outcome, and the clone lacks the tag."""
    record = world.prepared(lock=lock)
    with Desk(world.repository) as desk:
        transaction = release_transaction(world.repository, "1.0.0")
        begin_release(transaction, record)
        transaction.begin(*(row.move(world.repository.zero) for row in record.rows), hold=False)
        where, made = place_to_push(desk, record, record.source)
        where.git.run("push", "-q", world.main.url, f"{record.commit}:refs/heads/main", f"{made.id}:{TAG}")
    mended = world.mend()
    assert ([(one.repo, one.pushed) for one in mended.tagged], mended.left) == ([("model", True), ("main", False)], ())
    assert (world.log.name, world.log.done, world.clone.tips()[TAG]) == (transaction.name, True, record.source.object)
    assert world.moves == [*(LOCKED if lock is LockPlace.COMMIT else []), *TAGGED, ("", TAG, MOVED)]


def test_mending_a_release_leaves_another_that_was_begun(world: World) -> None:
    world.carry(world.prepared())
    world.clone.git("tag", "-d", "v1.0.0")
    world.model.git("update-ref", "-d", TAG)
    later = world.prepared("1.1.0")
    with Desk(world.repository) as desk:
        found = find_unfinished(world.manifest, desk, "1.0.0")
        assert found is not None
        assert (found.out, found.due, find_unfinished(world.manifest, desk, "1.2.0")) == (True, ("model",), None)
        begin_release(release_transaction(world.repository, "1.1.0"), later)
        mended = mend(desk, found, world.say)
    assert [(one.repo, one.pushed) for one in mended.tagged] == [("model", True), ("main", False)]
    assert (world.log.command, world.log.done, world.moves) == ("release 1.0.0", True, [("model", TAG, MOVED)])
    assert read_release(world.repository) == later
    with Desk(world.repository) as desk:
        assert not Unfinished(later, ask_all(desk, later)).out


def test_what_cannot_be_mended_is_said_of_each_repo(world: World) -> None:
    world.carry(world.prepared())
    world.tag(world.model, "-f")
    (left,) = world.mend().left
    assert left.message.startswith(f"has its tag v1.0.0 at {world.model.tip()[:10]}, but lightweight")
    remove, again = left.next.splitlines()
    assert (remove.partition("  #")[0], again) == (
        f"git push {world.model.url} :{TAG}",
        "openllm-repos release 1.0.0  # then makes it as it was",
    )
    world.model.git("update-ref", "-d", TAG)
    world.model.refuse("over its storage quota")
    (left,) = world.mend().left
    assert (left.message.partition(":")[0], left.next[:20]) == ("did not take the tag v1.0.0", "The storage of model")
    (world.model.path / "hooks/update").unlink()
    world.meanwhile = {"model: tagging": lambda: world.tag(world.model, "-a", "-m", "theirs")}
    assert [(one.repo, one.pushed) for one in world.mend().tagged] == [("model", False), ("main", False)]
    world.model.git("update-ref", "-d", TAG)
    world.meanwhile = {"model: tagging": lambda: world.model.path.rename(world.model.path.with_name("away.git"))}
    for words in ("the tag was sent, then the remote fell silent", "is unreachable: "):
        (left,) = world.mend().left
        assert (left.message.startswith(words), left.exit_code) == (True, EnvironmentProblem.exit_code)
