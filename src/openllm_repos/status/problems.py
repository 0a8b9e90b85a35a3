"""What is wrong with a repo, and the next step: a command to type wherever there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from openllm_repos.errors import ReposError
from openllm_repos.family.not_adopted import NotAdopted
from openllm_repos.family.relation import Relation, State
from openllm_repos.family.remotes import RemoteState, name_a_branch
from openllm_repos.family.source import SourceState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.hint import command_line
from openllm_repos.hub.model import Runtime, Stage
from openllm_repos.journal.log import Operation
from openllm_repos.manifest.model import DriftPolicy, Repo
from openllm_repos.text import show

_NAMED = 3
_WORDS = 300  # characters of the Hub's own words that are shown


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be.

    Attributes:
        repo: the repo's name in the manifest.
        message: what is wrong, to be read after that name ("has no branch main").
        next: what to do about it, or an empty string.
        wanted: whether it is so because somebody wanted it: a target that was rolled back, and not edited since.
    """

    repo: str
    message: str
    next: str
    wanted: bool = False

    @classmethod
    def of(cls, repo: str, why: ReposError) -> Problem:
        """Return what a failure says, without the name if it begins with that."""
        return cls(repo, why.message.removeprefix(repo).removeprefix(":").strip(), why.hint)


def about_remote(remote: RemoteState) -> Problem:
    """Say why a remote is not known."""
    if remote.remembered:
        return Problem(remote.repo.name, "never fetched by this clone.", "openllm-repos status")
    return Problem(remote.repo.name, remote.trouble, remote.hint)


def about_source(source: Repo, held: SourceState, catch_up: str) -> Iterator[Problem]:
    """Say what clone and remote of the source lack of each other, and the commands that end it."""
    unpushed = (held.unpushed or 0) - held.given_up
    parts = [f"has {_commits(held.behind)} that this clone lacks"] if held.behind else []
    parts += [f"lacks {_commits(unpushed)} that this clone has"] if unpushed else []
    parts += [f"was reset from {_commits(held.given_up)} that this clone has"] if held.given_up else []
    if parts:
        yield Problem(source.name, f"{', and '.join(parts)}.", catch_up)


def about_missing_branch(remote: RemoteState) -> Iterator[Problem]:
    """Say what a remote has in place of the branch that the manifest names; nothing at all is no problem by itself."""
    repo = remote.repo
    if remote.branches:
        named = ", ".join(remote.branches[:_NAMED])
        more = f" and {len(remote.branches) - _NAMED} more" if len(remote.branches) > _NAMED else ""
        message = f"has no branch {repo.branch}; the remote has {named}{more}."
        yield Problem(repo.name, message, name_a_branch(repo, remote.branches))


def about_empty_source(remote: RemoteState) -> Problem:
    """Say that the source's remote lacks its branch."""
    push = command_line("git", "push", remote.endpoint.name or remote.endpoint.push_url, remote.repo.branch)
    return Problem(remote.repo.name, f"has no branch {remote.repo.branch} on its remote yet.", push)


def about_silent_source(target: Repo, source: RemoteState, relation: Relation) -> Problem:
    """Say that nobody can tell whether the clone lags behind what a target has, or the source gave that up."""
    when, step = ("was not asked", "openllm-repos status") if source.remembered else ("does not answer", "")
    message = f"has {str(relation.synced_from)[:10]} of the source, which this clone's branch lacks; {source.repo.name}"
    return Problem(target.name, f"{message} {when}, so it is not known which of them is newer.", step)


def about_target(
    repository: Repository, reader: ObjectReader, target: Repo, relation: Relation, source: RemoteState
) -> Iterator[Problem]:
    """Say how a target differs from the source."""
    name = target.name
    sync, diff = f"openllm-repos sync {name}", f"openllm-repos diff {name}"
    drifted = _drifted(relation)
    also = f", and {drifted}" if relation.drift.files else ""
    refused = target.drift is DriftPolicy.REFUSE
    if relation.held:
        yield _held(target, relation, drifted)
        return
    match relation.state:
        case State.NOT_ADOPTED:
            yield Problem.of(name, NotAdopted(repository, reader, target, relation))
        case State.EMPTY | State.NEW:
            yield Problem(name, f"has nothing of the source yet ({_commits(relation.behind)} to bring).", sync)
        case State.BEHIND:
            yield Problem(name, f"lacks {_commits(relation.behind)} of the source.", sync)
        case State.AHEAD:
            lead = _commits(relation.ahead) if relation.ahead else "something"
            message = f"has {lead} that the source was reset from after it had been synced{also}."
            yield Problem(name, message, _after_reset(target, relation, source))
        case State.REWRITTEN:
            message = (
                f"was synced from {str(relation.synced_from)[:10]}, which the source's history no longer has{also}."
            )
            yield Problem(name, message, f"openllm-repos sync {name} --dry-run  # what following it would change")
        case State.DRIFT:
            yield Problem(name, f"{drifted}.", f"{diff}\nopenllm-repos import {name}")
        case State.DIVERGED:
            then = f"\nopenllm-repos import {name}" if refused else f"\n{sync}"
            yield Problem(name, f"lacks {_commits(relation.behind)} of the source, and {drifted}.", diff + then)
        case State.IN_SYNC:
            return


def _after_reset(target: Repo, relation: Relation, source: RemoteState) -> str:
    """Return how to let a target follow a source that was reset, and how to keep what it has."""
    host, kept = source.endpoint.name or source.endpoint.push_url, f"{relation.synced_from}:kept"
    # git asks no host for a commit that the clone has
    branch = command_line("git", "fetch", host, kept, remark="or keep it: merge this branch")
    return f"openllm-repos sync {target.name}  # lets it follow, by one commit\n{branch}"


def _held(target: Repo, relation: Relation, drifted: str) -> Problem:
    """Say that a target was rolled back, what it lacks since, and how a person lets it go on."""
    lacks = f"lacks {_commits(relation.behind)} of the source" if relation.behind else "lacks nothing of the source"
    if relation.state in {State.AHEAD, State.REWRITTEN}:
        lacks = f"has {str(relation.synced_from)[:10]} of the source, which this clone's branch lacks"
    edited = f", and {drifted} since" if relation.drift.files else ""
    message = f"was rolled back and is held at {show(relation.held)}: syncs leave it alone. It {lacks}{edited}."
    lift = f"openllm-repos rollback {target.name} --lift"
    then = f"{lift}\nopenllm-repos sync {target.name}"
    return Problem(target.name, message, then, wanted=not relation.drift.files)


def about_artifacts(repo: Repo, count: int | None) -> Iterator[Problem]:
    """Say that there is something to publish, where that is known."""
    if count:
        some = "1 artifact was" if count == 1 else f"{count} artifacts were"
        message = f"lags behind: {some} made, changed or deleted here since this clone published last."
        yield Problem(repo.name, message, f"openllm-repos publish {repo.name}")


_SPACE_STEPS = {
    Stage.CONFIG_ERROR: "Mend the front matter of its README.md; {}?logs=build says what is wrong.",
    Stage.NO_APP_FILE: "Give it the file that app_file in its README.md names (app.py by default), and push that.",
    Stage.BUILD_ERROR: "Read its build log: {}?logs=build",
    Stage.RUNTIME_ERROR: "Read the log of its app: {}?logs=container",
    Stage.PAUSED: "Restart it on its page: {}",
    Stage.STOPPED: "Restart it on its page: {}",
}


def stands_still(runtime: Runtime) -> bool:
    """Whether a Space does not run, and will not by itself."""
    return runtime.stage in _SPACE_STEPS


def about_space(repo: Repo, runtime: Runtime) -> Iterator[Problem]:
    """Say that a Space does not run, where that will not change by itself."""
    step = _SPACE_STEPS.get(runtime.stage)
    if step is not None:
        why = f": {' '.join(runtime.message.split()).rstrip('.')[:_WORDS]}" if runtime.message else ""
        yield Problem(repo.name, f"does not run ({runtime.said}){why}.", step.format(repo.url))


def about_operation(operation: Operation) -> Iterator[Problem]:
    """Say that a run did not end, as far as this clone knows."""
    for move in operation.begun:
        if not move.here:
            what = f"push {move.new[:10]}" if not move.new.is_zero else f"delete {move.ref}"
            message = f"{operation.command} began to {what} and has not ended: it is still at work, or was stopped."
            yield Problem(move.repo, message, operation.again)


def _drifted(relation: Relation) -> str:
    files = len(relation.drift.files)
    some = "1 mapped file" if files == 1 else f"{files} mapped files"
    return f"changed {some} by itself ({_commits(len(relation.drift.commits))})"


def _commits(count: int) -> str:
    return f"{count} commit" if count == 1 else f"{count} commits"
