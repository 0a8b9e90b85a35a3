"""The page of a family: one HTML file that needs nothing else, for a browser, a printer and a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from openllm_repos.hub.model import Runtime
from openllm_repos.picture.changes import changes_section
from openllm_repos.picture.markup import element, text
from openllm_repos.picture.model import KIND_WORDS, Tone, family_picture, state_of
from openllm_repos.picture.page_style import page_style
from openllm_repos.picture.parts import badge, counted, nothing, row_heading, section, sign, table
from openllm_repos.picture.releases import releases_section
from openllm_repos.picture.report import Report
from openllm_repos.picture.svg import svg
from openllm_repos.picture.todo import todo_section
from openllm_repos.status.family import RepoStatus, Standing
from openllm_repos.status.problems import stands_still

# Nothing is ever loaded and no script runs, whatever a name might have smuggled in.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_CAPTION = "Folders travel along the arrows, with their history. What has no arrow shares versions only."


def page(report: Report) -> str:
    """Return the page of a family as an HTML document; the same report always gives the same text."""
    sections = [
        ("next", "What to do", todo_section(report)),
        ("family", "The family", _family(report)),
        ("repos", "Repos", _repos(report)),
        ("changes", "Drift and conflicts", changes_section(report)),
        ("releases", "Releases", releases_section(report)),
    ]
    links = "".join(element("li", element("a", text(title), href=f"#{name}")) for name, title, _ in sections)
    project = text(report.status.project)
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{project}: {text(report.verdict)}</title>",
        f"<style>{page_style()}</style>",
        "</head>",
        "<body>",
        '<a class="skip" href="#main">Skip to the content</a>',
        f"<header><h1>{project}</h1>",
        *_header(report),
        f'<nav aria-label="On this page"><ul>{links}</ul></nav></header>',
        '<main id="main" tabindex="-1">',
        *(section(name, title, content) for name, title, content in sections),
        "</main>",
        f"<footer><p>Made by {text(report.tool)}. This page asks nobody: it shows what was known then.</p></footer>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _header(report: Report) -> Iterator[str]:
    """Yield how all stands in one sentence, how many repos stand how, and when and from what that was found out."""
    status = report.status
    tone = Tone.GOOD if report.well else Tone.TODO
    verdict = f"{report.verdict[0].upper()}{report.verdict[1:]}."
    yield element("p", sign(tone) + element("span", text(verdict)), class_=f"verdict {tone}")
    words = {Tone.TODO: "to be done", Tone.BAD: "not known", Tone.GOOD: "in order"}
    tones = report.tones
    counts = [badge(f"{tones.count(tone)} {word}", tone) for tone, word in words.items() if tone in tones]
    if len(counts) > 1:
        yield element("ul", "".join(element("li", one) for one in counts), class_="counts", aria_label="How many repos")
    written = report.written.astimezone(UTC)
    when = element("time", f"{written:%Y-%m-%d %H:%M} UTC", datetime=written.isoformat(timespec="seconds"))
    commit = (
        f", held against {text(status.source)} at"
        f" {element('code', text(status.source_commit[:10]), title=status.source_commit)}"
        if status.source_commit
        else ""
    )
    yield f'<p class="faint">As of {when}{commit}.</p>'
    if status.remembered:
        yield "<p>Nobody was asked: this is what was fetched before, and it does not know of releases.</p>"


def _family(report: Report) -> str:
    picture = svg(family_picture(report.manifest, report.status), inline=True)
    frame = element("div", picture, class_="scroll", tabindex="0", role="group", aria_label="The picture of the family")
    return element("figure", frame + element("figcaption", _CAPTION))


def _repos(report: Report) -> str:
    repos = report.status.repos
    spaces = any(status.runtime for status in repos)
    headings = [
        "Repo",
        "State",
        "Difference",
        "Kind",
        "Branch",
        "Last release",
        *(["Space"] if spaces else []),
        "Changed",
    ]
    rows = [_repo_row(report, status, spaces=spaces) for status in repos]
    return table("Every repo of the manifest, and how it stands to the source", headings, rows)


def _repo_row(report: Report, status: RepoStatus, *, spaces: bool) -> str:
    repo = status.repo
    name = text(repo.name)
    if repo.url.startswith(("https://", "http://")):
        name = element("a", name, href=repo.url)
    role = element("span", text(repo.role), class_="faint")
    state = state_of(status)
    cells = [
        row_heading(repo.name, name),
        element("td", badge(state.said, state.tone)),
        element("td", text(_difference(report, status)), class_="wide"),
        element("td", f"{text(KIND_WORDS[repo.kind])} {role}"),
        element("td", element("code", text(repo.branch)), class_="long"),
        element("td", _or_none(status.release), class_="long"),
        *([element("td", _runtime(status.runtime))] if spaces else []),
        element("td", _changed(status)),
    ]
    return element("tr", "".join(cells))


def _difference(report: Report, status: RepoStatus) -> str:
    """Say in words what a repo and the source lack of each other."""
    parts = []
    if status.behind:
        whose = "of its remote" if status.repo.name == report.status.source else "of the source"
        lacks = "this clone lacks" if status.repo.name == report.status.source else "lacks"
        parts.append(f"{lacks} {counted(status.behind, 'commit')} {whose}")
    if status.ahead:
        whose = "its remote lacks" if status.repo.name == report.status.source else "the source no longer has"
        parts.append(f"{whose} {counted(status.ahead, 'commit')}")
    if status.drift.files:
        files = len(status.drift.files)
        new = status.standing is Standing.NOT_ADOPTED
        parts.append(
            f"{counted(files, 'file')} that no sync put there"
            if new
            else f"{counted(files, 'mapped file')} changed there"
        )
    if status.pin is not None and status.pin.commit is not None:
        far = f", {status.pin.distance.said(status.repo.branch)}" if status.pin.distance else ""
        parts.append(f"pinned at {status.pin.commit[:10]}{far}")
    if status.standing.settled:  # its branch is as it should be, but a release or a Space may not be
        named = (problem for problem in report.status.problems if problem.repo == status.repo.name)
        parts += [problem.message.rstrip(".") for problem in named]
    return ", ".join(parts)


def _runtime(runtime: Runtime | None) -> str:
    """Return what a Space is doing; one that a person has to see to stands out."""
    if runtime is None:
        return nothing()
    return badge(runtime.said, Tone.TODO) if stands_still(runtime) else text(runtime.said)


def _changed(status: RepoStatus) -> str:
    if status.changed is None:
        return nothing()
    return element("time", f"{status.changed:%Y-%m-%d}", datetime=status.changed.isoformat())


def _or_none(foreign: str | None) -> str:
    return text(foreign) if foreign else nothing()
