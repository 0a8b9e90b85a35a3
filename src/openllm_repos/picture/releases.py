"""The section of the page on releases: version by repo, who has the tag of which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openllm_repos.family.tags import TagState
from openllm_repos.picture.markup import element, text
from openllm_repos.picture.model import Tone
from openllm_repos.picture.parts import badge, counted, next_step, nothing, row_heading, sign, table
from openllm_repos.picture.report import Report
from openllm_repos.release.matrix import Cell, Matrix, ReleaseRow

_ABREAST = 8  # repos that fit beside each other; with more of them they stand below each other
_CAPTION = "Which repo has the tag of which release; the newest stands first"
_MEANINGS = {
    TagState.LIGHTWEIGHT: "the tag is there, but is not annotated, as a release makes it",
    TagState.MISSING: "the release names this repo, and it has no such tag",
    TagState.MOVED: "the tag is at another commit than the release says",
    TagState.UNKNOWN: "the repo did not answer",
}
_NO_LOCK = "no lock"
_UNLOCKED = "this tool did not make the release, so it is only looked for which repos have the tag"


def releases_section(report: Report) -> str:
    """Return the releases beside the repos, in markup."""
    releases = report.releases
    if not releases.told:
        return "<p>Which releases there are is not known: the source was not asked, or did not answer.</p>"
    if not releases.rows:
        return "<p>There is no release yet.</p>"
    versions = [_version(row) for row in releases.rows]
    repos = [repo.name for repo in report.manifest.repos]
    cells = [[_cell(cell) for cell in row.cells] for row in releases.rows]
    if len(repos) <= _ABREAST:
        shown = table(_CAPTION, ["Version", *repos], _rows(versions, cells))
    else:
        shown = table(_CAPTION, ["Repo", *versions], _rows(repos, list(zip(*cells, strict=True))))
    return shown + "".join(_below(releases))


def _rows(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    return [
        element("tr", row_heading(name, text(name)) + "".join(element("td", cell) for cell in row))
        for name, row in zip(names, cells, strict=True)
    ]


def _version(row: ReleaseRow) -> str:
    word = "lock cannot be read" if row.problem else "" if row.locked else _NO_LOCK
    return row.version + (f" ({word})" if word else "")


def _cell(cell: Cell) -> str:
    """Return one version in one repo; what is as it should be is quiet, so that the rest stands out."""
    if cell.state is None:
        return nothing("no part in it")
    commit = element("code", text(cell.commit[:7]), title=cell.commit, class_="faint") if cell.commit else ""
    if cell.state.settled:
        tick = element("span", sign(Tone.GOOD), class_="tick")
        return f"{tick}{element('span', text(cell.state), class_='hidden')} {commit}"
    return f"{badge(cell.state, Tone.BAD if cell.state is TagState.UNKNOWN else Tone.TODO)} {commit}"


def _below(releases: Matrix) -> Iterator[str]:
    """Yield what the words in the table mean, as far as they stand there, and what it does not show."""
    found = {cell.state for row in releases.rows for cell in row.cells}
    meanings = [(str(state), meaning) for state, meaning in _MEANINGS.items() if state in found]
    if any(not row.locked and not row.problem for row in releases.rows):
        meanings.append((_NO_LOCK, _UNLOCKED))
    if meanings:
        rows = (f"<div>{element('dt', text(word))}{element('dd', text(said))}</div>" for word, said in meanings)
        yield element("dl", "".join(rows), class_="meanings")
    odd = next((row for row in releases.rows if any(cell.state and not cell.state.settled for cell in row.cells)), None)
    if odd:
        yield next_step(f"openllm-repos release verify {odd.tag}")
    if releases.older:
        said = f"{counted(releases.older, 'older release')} not shown here:"
        yield f"<p class='faint'>{said} <code>openllm-repos release list</code></p>"
