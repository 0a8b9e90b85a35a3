"""The page of a family: one HTML file that needs nothing else, for a browser, a printer and a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from openllm_repos.picture.changes import changes_section
from openllm_repos.picture.markup import element, text
from openllm_repos.picture.model import KIND_WORDS, Tone, family_picture, state_of, tone_of
from openllm_repos.picture.page_style import page_style
from openllm_repos.picture.parts import badge, next_step, section, table
from openllm_repos.picture.report import Report
from openllm_repos.picture.svg import svg
from openllm_repos.release.matrix import Cell, CellState, ReleaseRow
from openllm_repos.status.family import RepoStatus
from openllm_repos.status.problems import gathered

# Nothing is ever loaded and no script runs, whatever a name might have smuggled in.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_CAPTION = "Folders travel along the arrows, with their history. What has no arrow shares versions only."


def page(report: Report) -> str:
    """Return the page of a family as an HTML document; the same report always gives the same text."""
    sections = [
        ("family", "The family", _family(report)),
        ("repos", "Repos", _repos(report)),
        ("next", "What to do", _problems(report)),
        ("changes", "Drift and conflicts", changes_section(report)),
        ("releases", "Releases", _releases(report)),
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
        f"<title>{project}: how its repos stand</title>",
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
    """Yield when and from what the page was made, and how many repos stand how."""
    status = report.status
    commit = (
        f" at {element('code', text(status.source_commit[:10]), title=status.source_commit)}"
        if status.source_commit
        else ""
    )
    written = report.written.astimezone(UTC)
    when = element("time", f"{written:%Y-%m-%d %H:%M} UTC", datetime=written.isoformat(timespec="seconds"))
    yield f'<p class="faint">Source {text(status.source)}{commit}, written {when}</p>'
    if status.remembered:
        yield "<p>Nobody was asked: this is what was fetched before, and it does not know of releases.</p>"
    tones = [tone_of(one.standing) for one in status.repos]
    words = {Tone.GOOD: "as it should be", Tone.TODO: "to be done", Tone.BAD: "not known"}
    counts = [badge(f"{tones.count(tone)} {word}", tone) for tone, word in words.items() if tone in tones]
    yield element("ul", "".join(element("li", one) for one in counts), class_="counts", aria_label="How many repos")


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
    role = element("span", text(repo.role), class_="faint role")
    state = state_of(status)
    cells = [
        element("th", name, scope="row"),
        element("td", badge(state.said, state.tone)),
        element("td", text(_difference(report, status)), class_="wide"),
        element("td", f"{text(KIND_WORDS[repo.kind])} {role}"),
        element("td", element("code", text(repo.branch))),
        element("td", _or_none(status.release)),
        *([element("td", _or_none(status.runtime.said if status.runtime else None))] if spaces else []),
        element("td", _changed(status)),
    ]
    return element("tr", "".join(cells))


def _difference(report: Report, status: RepoStatus) -> str:
    """Say in words what a repo and the source lack of each other."""
    parts = []
    if status.behind:
        whose = "of its remote" if status.repo.name == report.status.source else "of the source"
        lacks = "this clone lacks" if status.repo.name == report.status.source else "lacks"
        parts.append(f"{lacks} {_counted(status.behind, 'commit')} {whose}")
    if status.ahead:
        parts.append(f"its remote lacks {_counted(status.ahead, 'commit')}")
    if status.drift.files:
        parts.append(f"{_counted(len(status.drift.files), 'mapped file')} changed there")
    return ", ".join(parts)


def _changed(status: RepoStatus) -> str:
    if status.changed is None:
        return _or_none(None)
    return element("time", f"{status.changed:%Y-%m-%d}", datetime=status.changed.isoformat())


def _or_none(foreign: str | None) -> str:
    """Return a text, and for those who hear the page a word where there is none."""
    if foreign:
        return text(foreign)
    return '<span aria-hidden="true">-</span><span class="hidden">none</span>'


def _problems(report: Report) -> str:
    cards = [
        element("li", f"<p><b>{text(one.repo)}</b> {text(one.message)}</p>{next_step(one.next)}", class_="card")
        for one in gathered(report.status.problems)
    ]
    if not cards:
        return "<p>Nothing: every repo is as it should be.</p>"
    return element("ul", "".join(cards), class_="cards")


def _releases(report: Report) -> str:
    """Return the releases beside the repos: who has the tag of which version."""
    releases = report.releases
    if not releases.told:
        return "<p>Which releases there are is not known: the source was not asked, or did not answer.</p>"
    if not releases.rows:
        return "<p>There is no release yet.</p>"
    headings = ["Repo", *(_version(row) for row in releases.rows)]
    rows = [
        element(
            "tr",
            element("th", text(repo.name), scope="row")
            + "".join(element("td", _cell(row.cells[number])) for row in releases.rows),
        )
        for number, repo in enumerate(report.manifest.repos)
    ]
    older = f"<p class='faint'>And {_counted(releases.older, 'older release')}.</p>" if releases.older else ""
    return table("Which repo has the tag of which release; the newest stands first", headings, rows) + older


def _version(row: ReleaseRow) -> str:
    word = "lock cannot be read" if row.problem else "" if row.locked else "no lock"
    return row.version + (f" ({word})" if word else "")


def _cell(cell: Cell) -> str:
    if cell.state is CellState.NO_PART:
        return '<span aria-hidden="true">-</span><span class="hidden">no part in it</span>'
    tone = Tone.GOOD if cell.state.settled else Tone.BAD if cell.state is CellState.UNKNOWN else Tone.TODO
    commit = element("code", text(cell.commit[:7]), title=cell.commit, class_="faint") if cell.commit else ""
    return f"{badge(cell.state, tone)} {commit}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
