"""The section of the page that comes first: what is the matter, and the next command to type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from openllm_repos.hint import gathered
from openllm_repos.picture.markup import element, text
from openllm_repos.picture.parts import counted, drift_id, next_step
from openllm_repos.picture.report import Report
from openllm_repos.plan import Stopped, TargetPlan
from openllm_repos.status.family import Standing
from openllm_repos.status.problems import Problem

_SYNC = "openllm-repos sync"


def todo_section(report: Report) -> str:
    """Return what is the matter, in the order of the manifest, with what to do about it; in markup."""
    rows = [_row(problem, report) for problem in gathered(_shared(report), "repo", "message")]
    if not rows:
        return "<p>Nothing: every repo is as it should be.</p>"
    return element("ul", "".join(rows), class_="todos")


def _row(problem: Problem, report: Report) -> str:
    step = _planned(problem.repo, report)
    link = ""
    if isinstance(step, Stopped) and problem.next == step.hint:
        link = f" {element('a', 'Look at it.', href=f'#{drift_id(problem.repo)}')}"
    said = f"<p><b>{text(problem.repo)}</b> {text(problem.message)}{link}</p>"
    return element("li", said + next_step(problem.next))


def _shared(report: Report) -> Iterator[Problem]:
    """Yield the problems; of targets that only lack commits one, since one sync does for all of them."""
    lacking = _only_lacking(report)
    names = [problem.repo for problem in lacking]
    for problem in report.status.problems:
        if problem not in lacking or len(lacking) == 1:
            yield problem
        elif problem == lacking[0]:
            message = f"are {counted(len(names), 'target')} that only lack commits of the source."
            yield Problem(", ".join(names), message, _synced(report, *names))


def _synced(report: Report, *names: str) -> str:
    return "\n".join(filter(None, (report.status.catch_up, f"{_SYNC} {' '.join(names)}")))


def _planned(repo: str, report: Report) -> TargetPlan | Stopped | None:
    return next((step for name, step in report.status.steps.items() if name == repo), None)


def _only_lacking(report: Report) -> list[Problem]:
    """Return the problems of targets that need a plain sync and nothing else, as far as is known."""
    lacking = {Standing.BEHIND, Standing.EMPTY, Standing.NEW}
    waiting = {one.repo.name for one in report.status.repos if one.standing in lacking}
    often = Counter(problem.repo for problem in report.status.problems)
    return [
        problem
        for problem in report.status.problems
        if problem.repo in waiting and often[problem.repo] == 1 and problem.next == _synced(report, problem.repo)
        if not isinstance(_planned(problem.repo, report), Stopped)
    ]
