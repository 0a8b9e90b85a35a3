"""What the page shows, found out beforehand: frozen values of the layers below, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from openllm_repos.errors import ReposError
from openllm_repos.git.describe import Described
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.picture.model import Tone, tone_of
from openllm_repos.plan import Stopped, TargetPlan
from openllm_repos.release.matrix import Matrix
from openllm_repos.status.family import FamilyStatus
from openllm_repos.status.problems import Problem
from openllm_repos.text import show_path

_SYNC = "openllm-repos sync"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Report:
    """How a family stands, with all that people ask next.

    Attributes:
        manifest: who belongs to it.
        status: how every repo stands.
        written: when that was found out, with its zone.
        tool: which program says so.
        commits: the commits that drifted, in one line each.
        releases: which repo has which release.
    """

    manifest: Manifest
    status: FamilyStatus
    written: datetime
    tool: str
    commits: Mapping[ObjectId, Described] = field(default_factory=dict)
    releases: Matrix = field(default_factory=Matrix)

    @property
    def verdict(self) -> str:
        """How the family stands, in one sentence without its full stop (``2 of 5 repos need something``)."""
        todo = sum(tone is not Tone.GOOD for tone in self.tones)
        if todo:
            return f"{todo} of {len(self.tones)} repos {'needs' if todo == 1 else 'need'} something"
        return "something is to be done" if self.status.problems else "every repo is as it should be"

    @property
    def tones(self) -> tuple[Tone, ...]:
        """How urgent it is with each repo: a release that it lacks counts too, though its branch is as it should be."""
        named = {problem.repo for problem in self.status.problems}
        tones = ((one.repo.name, tone_of(one.standing)) for one in self.status.repos)
        return tuple(Tone.TODO if tone is Tone.GOOD and name in named else tone for name, tone in tones)

    @property
    def well(self) -> bool:
        """Whether nothing is to be done."""
        return not self.status.problems and set(self.tones) <= {Tone.GOOD}


def look_ahead(manifest: Manifest, clone: Repository, family: FamilyStatus) -> FamilyStatus:
    """Add what a sync would do, as a dry run has it, where it would stop, and which merges are open.

    All that tells of a family (the terminal, JSON, Markdown, the page) tells of this. No remote is asked again.

    Args:
        manifest: who belongs to the family.
        clone: the quarantine that the status was found out in; it has the objects.
        family: how every repo stands.
    """
    steps = {} if family.remembered else dict(_steps(manifest, clone, family))
    merges = tuple(_open_merges(manifest, clone))
    at_work = {merge.repo for merge in merges}  # whose conflict has its next step there
    problems = tuple(
        replace(problem, next="") if problem.repo in at_work and "--continue" in problem.next else problem
        for problem in after_catch_up(with_stops(family.problems, steps), family.catch_up)
    )
    return replace(family, steps=steps, problems=problems + merges)


def after_catch_up(problems: Iterable[Problem], catch_up: str) -> Iterator[Problem]:
    """Yield the problems, with what a clone that lags needs first before each sync: it carries the clone's commit."""
    for problem in problems:
        syncs = catch_up and f"{_SYNC} {problem.repo}" in problem.next
        yield replace(problem, next=f"{catch_up}\n{problem.next}") if syncs else problem


def _steps(
    manifest: Manifest, clone: Repository, family: FamilyStatus
) -> Iterator[tuple[RepoName, TargetPlan | Stopped]]:
    """Yield what a sync would do with the targets that it is for."""
    due = [one.repo.name for one in family.repos if one.repo.maps and one.standing.syncable]
    if family.source_commit is None or not due:
        return
    from openllm_repos.family.source import to_fetch_first
    from openllm_repos.sync.planning import SyncOptions, plan_target

    try:
        clone.require_merge()
    except ReposError:  # this git can show how repos stand, but cannot merge
        return
    options = SyncOptions(fetch_first=to_fetch_first(clone, family.remotes[manifest.source.name], family.source_commit))
    for name in due:
        yield name, plan_target(manifest, clone, family.remotes[name], family.source_commit, options)


def with_stops(problems: Iterable[Problem], steps: Mapping[RepoName, TargetPlan | Stopped]) -> Iterator[Problem]:
    """Yield the problems, and where a sync would stop also why, with the way out of that in place of the sync."""
    stopped = {str(name): step for name, step in steps.items() if isinstance(step, Stopped) and not step.emptied}
    for problem in problems:
        step = stopped.get(problem.repo)
        if step is None or f"{_SYNC} {problem.repo}" not in problem.next:
            yield problem
        else:
            yield replace(problem, message=f"{problem.message} A sync would stop: {_why(step)}", next=step.hint)


def _why(step: Stopped) -> str:
    if not step.conflicts:
        return step.reason.removeprefix(f"{step.target}: ")
    paths = [show_path(conflict.path) for conflict in step.conflicts]
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return f"both sides changed {', '.join(paths[:_NAMED])}{more} in ways that do not go together."


def _open_merges(manifest: Manifest, clone: Repository) -> Iterator[Problem]:
    """Say which merges were begun in this clone and are neither finished nor dropped."""
    from openllm_repos.sync.merging import finish_merge
    from openllm_repos.sync.resolve import open_resolutions

    if (clone.git_dir / "MERGE_HEAD").exists():
        following = "git status  # says what is left; then commit it\ngit merge --abort  # or drop it"
        yield Problem(manifest.source.name, "has a merge under way in this clone.", following)
    for name, _, path in open_resolutions(clone):
        if path is not None and path.exists():
            yield Problem(name, f"has a merge open in {path}.", finish_merge(name))
        else:
            yield Problem(name, "has a merge open whose folder is gone.", f"{_SYNC} {name} --abort")
