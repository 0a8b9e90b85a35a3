"""All remotes asked at once, each with a deadline of its own: one dead remote delays nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from openllm_repos.errors import ConflictError, EnvironmentProblem, NameRefused, ReposError, UsageError
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.pack import index_packs
from openllm_repos.git.refs import read_ref, read_refs
from openllm_repos.git.remote import TRANSFER_DEADLINE, Endpoint, Unreachable, endpoints, fetch, list_refs
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.journal.log import operations
from openllm_repos.manifest.model import Repo, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName, RepoName
from openllm_repos.text import redact

CONNECTIONS = 16
DEADLINE = 10.0  # seconds until a remote counts as dead
_MANY_PACKS = 50  # as many as git itself has before it tidies up
_FETCHES = 3  # how often a branch may move while it is being fetched


@dataclass(frozen=True, slots=True)
class RemoteState:
    """What one remote has, or why it did not say.

    Attributes:
        repo: the manifest's entry.
        endpoint: how it is reached.
        tip: the tip of the manifest's branch, None where there is none.
        branches: the names of all branches.
        tags: tag names and what they point at.
        peeled: of annotated tags, the commit that they name in the end.
        problem: why it is unreachable, or an empty string.
        hint: what to do about it.
        remembered: whether this is what was fetched before rather than an answer.
        heads: branch names and their commits.
        missing: whether it is on the Hub, and the Hub says that it has no such repository (or shows none).
        unclear: whether it did answer, but what it has cannot be told from that.
    """

    repo: Repo
    endpoint: Endpoint
    tip: ObjectId | None = None
    branches: tuple[str, ...] = ()
    tags: Mapping[str, ObjectId] = field(default_factory=dict)
    peeled: Mapping[str, ObjectId] = field(default_factory=dict)
    problem: str = ""
    hint: str = ""
    remembered: bool = False
    heads: Mapping[str, ObjectId] = field(default_factory=dict)
    missing: bool = False
    unclear: bool = False

    @property
    def trouble(self) -> str:
        """What is wrong with it, as a sentence after its name; an empty string where it answered."""
        said = self.problem.rstrip(".")
        end = "" if not said or said.endswith("?") else "."
        return f"{'' if self.unclear or not said else 'is unreachable: '}{said}{end}"

    def require(self) -> None:
        """Refuse to go on without an answer.

        Raises:
            EnvironmentProblem: there is none.
        """
        if self.problem:
            raise EnvironmentProblem(f"{self.repo.name} {self.trouble}", hint=self.hint)

    def require_branch(self) -> None:
        """Refuse to go on without an answer, or without the manifest's branch where there are others.

        Raises:
            EnvironmentProblem: there is no answer.
            UsageError: there are other branches; a sync would start a second history.
        """
        self.require()
        if self.tip is None and self.branches:
            raise UsageError(
                f"{self.repo.name} has no branch {self.repo.branch}, but it has {', '.join(self.branches[:5])}.",
                hint=name_a_branch(self.repo, self.branches),
            )

    def held(self, ref: str) -> ObjectId | None:
        """Return what a branch or a tag is there, by its full name."""
        return self.heads.get(ref.removeprefix("refs/heads/")) or self.tags.get(ref.removeprefix("refs/tags/"))

    @property
    def tracking_ref(self) -> str:
        """Where the clone remembers the tip."""
        return f"{self.endpoint.tracking}/{self.repo.branch}"


def name_a_branch(repo: Repo, branches: Iterable[str]) -> str:
    """Return what to do where the manifest's branch is not there: a command that names one of those that are."""
    for branch in branches:
        with contextlib.suppress(NameRefused):  # a shell could misread it
            return repo.how_to_set("branch", BranchName(branch))
    return f"Name its branch in the manifest (repos.{repo.name}.branch), or push to {repo.branch} there first."


def make_it(repo: Repo) -> str:
    """Return the command that makes a repository which is not on the Hub yet."""
    return f"openllm-repos init --create  # makes the {repo.kind} {repo.repo_id}, if its name is right"


def ask(repository: Repository, repos: Sequence[Repo], *, deadline: float = DEADLINE) -> dict[RepoName, RemoteState]:
    """Ask the remotes of `repos` for their refs, many at a time; unreachable ones are answers too.

    Args:
        repository: the clone.
        repos: whom to ask.
        deadline: seconds for each.
    """
    found = {state.repo.name: state for state in answers(repository, repos, deadline=deadline)}
    return {repo.name: found[repo.name] for repo in repos}


def answers(
    repository: Repository,
    repos: Sequence[Repo],
    *,
    deadline: float = DEADLINE,
    then: Callable[[RemoteState], RemoteState] = lambda state: state,
) -> Iterator[RemoteState]:
    """Ask like :func:`ask`, and yield each answer as it comes.

    Args:
        repository: the clone.
        repos: whom to ask.
        deadline: seconds for each.
        then: what else to do with a remote that has answered, while others are still being asked.
    """
    reached = endpoints(repository, {repo.name: repo.url for repo in repos})

    def one(repo: Repo) -> RemoteState:
        try:
            state = ask_one(repository, repo, reached[repo.name], deadline=deadline)
            return state if state.problem else then(state)
        except Unreachable as why:
            return RemoteState(repo, reached[repo.name], problem=why.message, hint=why.hint)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        asked = [pool.submit(one, repo) for repo in repos]
        try:
            for future in as_completed(asked):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def ask_one(repository: Repository, repo: Repo, endpoint: Endpoint, *, deadline: float = DEADLINE) -> RemoteState:
    """Ask one remote for its refs; that it is unreachable is an answer too. What is not on the Hub yet can be made."""
    try:
        state = answered(repo, endpoint, list_refs(repository, endpoint.url, deadline=deadline, peeled=True))
        return doubted(repository, state)
    except Unreachable as why:
        missing, hint = why.missing and repo.on_hub, why.hint
        if missing:
            hint = f"{hint}\n{make_it(repo)}"
        return RemoteState(repo, endpoint, problem=why.message, hint=hint, missing=missing, unclear=why.unclear)


def doubted(repository: Repository, state: RemoteState, old: ObjectId | None = None) -> RemoteState:
    """Return what a remote said, as a problem where it showed no ref at all and is known to have had some.

    That is what a server looks like, too, that has lost its disk or is being moved.

    Args:
        repository: the clone.
        state: what it said.
        old: what its branch was when a push to it began.
    """
    if state.problem or state.heads or state.tags:
        return state
    remembered = read_ref(repository, state.tracking_ref)
    if remembered is not None and _was_elsewhere(repository, state.repo):
        remembered = None
    tip = remembered if old is None or old.is_zero else old
    if tip is None:
        return state
    forget = command_line("git", "update-ref", "-d", state.tracking_ref, remark="if it was made anew, and is empty")
    had = f"{state.repo.branch} at {tip[:10]}"
    return replace(
        state,
        problem=f"answered with no refs, though it had {had}: a portal or a maintenance page?",
        hint="Look at it in a browser, and run the same command again." + (f"\n{forget}" if remembered else ""),
        unclear=True,
    )


def _was_elsewhere(repository: Repository, repo: Repo) -> bool:
    """Whether the last that was pushed to a repo of this name went to another URL: what is remembered is of that."""
    moves = (move for operation in operations(repository) for move in operation.moves if move.repo == repo.name)
    url = next((move.url for move in moves if move.ref == repo.branch.ref), redact(repo.url))
    return url != redact(repo.url)


def tip_after_push(repository: Repository, state: RemoteState, old: ObjectId) -> ObjectId:
    """Return what a remote's branch is, zeros where it is gone, after something was pushed to it.

    Args:
        repository: the clone.
        state: the remote as it was before.
        old: what its branch was before.

    Raises:
        EnvironmentProblem: it does not say; whether the push landed is unknown until it does.
    """
    now = doubted(repository, ask_one(repository, state.repo, state.endpoint), old)
    if now.problem:
        raise EnvironmentProblem(
            f"{state.repo.name}: the push was sent, then the remote did not say what it has ({now.problem}). The push"
            " may have landed.",
            hint="Run the same command again: it asks the remote what is true and goes on from there.",
        )
    return now.tip or repository.zero


def answered(repo: Repo, endpoint: Endpoint, refs: Mapping[str, ObjectId]) -> RemoteState:
    """Return the state that a remote's refs amount to."""
    heads = {ref.removeprefix("refs/heads/"): found for ref, found in refs.items() if ref.startswith("refs/heads/")}
    tags = {ref.removeprefix("refs/tags/"): found for ref, found in refs.items() if ref.startswith("refs/tags/")}
    peeled = {tag.removesuffix("^{}"): tags.pop(tag) for tag in list(tags) if tag.endswith("^{}")}
    return RemoteState(repo, endpoint, refs.get(repo.branch.ref), tuple(heads), tags, peeled, heads=heads)


def remember(repository: Repository, repos: Sequence[Repo]) -> dict[RepoName, RemoteState]:
    """Return what the clone remembers of the remotes, asking none; tags are known of no remote."""
    reached = endpoints(repository, {repo.name: repo.url for repo in repos})
    refs = read_refs(repository, "refs/remotes", "refs/openllm/remotes")
    states = {}
    for repo in repos:
        state = RemoteState(repo, reached[repo.name], remembered=True)
        tip = refs.get(state.tracking_ref)
        problem = "" if tip is not None else "never fetched"
        hint = "" if tip is not None else "Run it without --offline."
        states[repo.name] = RemoteState(repo, state.endpoint, tip, problem=problem, hint=hint, remembered=True)
    return states


def bring(
    repository: Repository,
    states: Sequence[RemoteState],
    *,
    deadline: float = TRANSFER_DEADLINE,
    projections: Callable[[Repo, Mapping[RepoName, RemoteState]], ObjectId | None] = lambda *_: None,
) -> dict[RepoName, RemoteState]:
    """Fetch the tips that the clone does not have yet, many at a time. No ref moves.

    Args:
        repository: the clone.
        states: what the remotes said.
        deadline: seconds for each transfer.
        projections: says what a target that this clone never fetched may have of the source, which was fetched before.

    Returns:
        The states, with newer tips where a branch moved meanwhile, and problems where fetching failed.
    """
    found, known = {state.repo.name: state for state in states}, dict[RepoName, Sequence[ObjectId]]()

    def one(state: RemoteState) -> RemoteState:
        try:
            return _brought(repository, state, known.get(state.repo.name), deadline)
        except ReposError as why:
            return RemoteState(state.repo, state.endpoint, problem=why.message, hint=why.hint)

    with ObjectReader(repository.git) as reader:
        missing = [state for state in states if state.tip is not None and reader.find(state.tip.encode()) is None]
        found.update((state.repo.name, one(state)) for state in missing if state.repo.role is Role.SOURCE)
        foreign = [state for state in missing if state.repo.role is not Role.SOURCE]
        for state in foreign:
            tip = read_ref(repository, state.tracking_ref)
            if tip is None or reader.find(tip.encode()) is None:
                tip = projections(state.repo, found)
            known[state.repo.name] = [] if tip is None else [tip]
    if foreign:
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            found.update((state.repo.name, state) for state in pool.map(one, foreign))
    if len(missing) >= _MANY_PACKS:
        index_packs(repository)
    return found


def _brought(
    repository: Repository, state: RemoteState, known: Sequence[ObjectId] | None, deadline: float
) -> RemoteState:
    """Fetch the tip that a remote names, or one that it names later; by its id, or with the branch."""
    if state.tip is not None:
        try:
            fetch(repository, state.endpoint.url, state.tip, known=known, deadline=deadline)
        except Unreachable as why:
            if not why.refused:
                raise
        else:
            return state
    for _ in range(_FETCHES):
        if state.tip is None:
            return state
        fetch(repository, state.endpoint.url, state.repo.branch.ref, known=known, deadline=deadline)
        with ObjectReader(repository.git) as reader:
            if reader.find(state.tip.encode()) is not None:
                return state
        refs = list_refs(repository, state.endpoint.url, deadline=DEADLINE)
        state = answered(state.repo, state.endpoint, refs)
    raise ConflictError(
        f"{state.repo.name}: its branch {state.repo.branch} moves faster than it can be fetched.",
        hint="Run the same command again.",
    )
