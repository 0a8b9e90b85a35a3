"""The section of the page on what targets changed by themselves, and what a sync would stop on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from openllm_repos.manifest.model import Kind, Repo
from openllm_repos.names.objectid import ObjectId
from openllm_repos.picture.markup import element, text
from openllm_repos.picture.model import state_of
from openllm_repos.picture.parts import badge, drift_id, next_step
from openllm_repos.picture.report import Report
from openllm_repos.plan import Conflict, Finding, Stopped, TargetPlan
from openllm_repos.status.family import RepoStatus, Standing
from openllm_repos.text import redact, show_path

_SHOWN = 200  # of files, and of commits


def changes_section(report: Report) -> str:
    """Return what every target has of its own at mapped paths, and why a sync of it would stop; all in markup."""
    cards = [
        _card(report, status, report.status.steps.get(status.repo.name))
        for status in report.status.repos
        if status.drift.files or isinstance(report.status.steps.get(status.repo.name), Stopped)
    ]
    if not cards:
        return "<p>None: no target has changed mapped files by itself, and a sync would stop nowhere.</p>"
    return element("div", "".join(cards), class_="cards")


def _card(report: Report, status: RepoStatus, step: TargetPlan | Stopped | None) -> str:
    state = state_of(status)
    parts = [element("h3", element("span", text(status.repo.name)) + badge(state.said, state.tone))]
    if isinstance(step, Stopped):
        parts.append(f"<p>A sync would stop, and say: {text(step.reason)}</p>{next_step(step.hint)}")
        parts += _details(("conflict", "conflicts"), [_conflict(one) for one in step.conflicts], opened=True)
        refused = "file that would be refused", "files that would be refused"
        parts += _details(refused, [_finding(one) for one in step.findings], opened=True)
    elif step:
        parts.append("<p>A sync would merge it: nothing conflicts.</p>")
    new = "file at mapped paths that no sync put there", "files at mapped paths that no sync put there"
    changed = "mapped file changed there", "mapped files changed there"
    files = [_file(change.change, change.path) for change in status.drift.files]
    parts += _details(new if status.standing is Standing.NOT_ADOPTED else changed, files)
    commits = [_commit(report, status.repo, commit) for commit in status.drift.commits]
    parts += _details(("commit that did it", "commits that did it"), commits)
    return element("article", "".join(parts), class_="card", id=drift_id(status.repo.name))


def _details(nouns: tuple[str, str], rows: Sequence[str], *, opened: bool = False) -> Iterator[str]:
    """Yield a list that opens, if it has anything."""
    if not rows:
        return
    summary = element("summary", text(f"{len(rows)} {nouns[len(rows) != 1]}"))
    more = [f"<li>and {len(rows) - _SHOWN} more</li>"] if len(rows) > _SHOWN else []
    yield (
        f"<details{' open' if opened else ''}>{summary}"
        f"{element('ul', ''.join([*rows[:_SHOWN], *more]), class_='files')}</details>"
    )


def _file(word: str, path: bytes) -> str:
    return element("li", element("span", text(word), class_="word") + _path(path))


def _path(path: bytes) -> str:
    """Return a path with every blank of it."""
    return element("code", escape(redact(show_path(path)), quote=True))


def _conflict(conflict: Conflict) -> str:
    return element("li", element("span", text(str(conflict)), class_="word") + _path(conflict.path))


def _finding(finding: Finding) -> str:
    said = text(f"{finding.problem}. {finding.fix}")
    return element(
        "li", element("span", text(finding.rule), class_="word") + f"<span>{_path(finding.path)} {said}</span>"
    )


def _commit(report: Report, repo: Repo, commit: ObjectId) -> str:
    found = report.commits.get(commit)
    short = element("code", text(commit[:10]))
    if repo.kind is not Kind.GIT and repo.url.startswith(
        ("https://", "http://")
    ):  # others have pages of their own kind
        short = element("a", short, href=f"{repo.url}/commit/{commit}")
    if found is None:
        return element("li", short)
    # <bdi>: what is written from right to left must not turn what stands beside it around
    by = f"<span class='faint'><bdi>{text(found.author)}</bdi>, {text(found.date[:10])}</span>"
    return element("li", f"{short}<span><bdi>{text(found.subject)}</bdi> {by}</span>")
