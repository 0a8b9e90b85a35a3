"""The page: sound HTML, the same for eyes and ears, in which nothing that others wrote is more than text."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from openllm_repos.family.pins import Distance
from openllm_repos.hub.model import Runtime, Stage
from openllm_repos.names.path import FolderPath
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoUrl
from openllm_repos.picture.look import DARK, LIGHT, Scheme
from openllm_repos.picture.markup import words
from openllm_repos.picture.model import Tone
from openllm_repos.picture.page import page
from openllm_repos.picture.parts import next_step
from openllm_repos.picture.report import Report, with_stops
from openllm_repos.picture.todo import todo_section
from openllm_repos.plan import Action, Stopped, TargetPlan
from openllm_repos.release.matrix import Matrix
from openllm_repos.status.family import RepoStatus, Standing
from openllm_repos.status.pins import Pin
from openllm_repos.status.problems import Problem
from tests.support.reports import HOSTILE, Reports, commit, manifest

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page as a browser understands it: its elements, and the text in each."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> list[str]:
        return [said for name, said in self.texts if name == tag]


@pytest.fixture(scope="module")
def hostile() -> Page:
    return Page(page(Reports(manifest(9, 3), HOSTILE).report()))


def test_what_others_wrote_is_text(hostile: Page) -> None:
    shown = words(HOSTILE)
    assert "<script>" in shown
    assert [said for said in hostile.text("p") if said.startswith("is diverged")] == [f"is diverged: {shown}"]
    assert hostile.text("bdi")[:2] == [shown, shown]
    assert ", 2026-03-01" in hostile.text("span")
    assert {tag for tag, _ in hostile.elements} == {
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "a",
            "header",
            "h1",
            "p",
            "code",
            "time",
            "ul",
            "li",
            "nav",
            "bdi",
            "dl",
            "dt",
            "dd",
        ),
        *("main", "section", "h2", "figure", "figcaption", "div", "span", "b", "table", "caption", "thead", "tbody"),
        *("tr", "th", "td", "article", "h3", "details", "summary", "footer"),
        *("svg", "desc", "rect", "path", "text", "g"),
    }


def test_no_attribute_is_one_that_acts(hostile: Page) -> None:
    names = {name for _, attributes in hostile.elements for name in attributes}
    assert {name for name in names if name.startswith("on") or name in {"style", "src", "srcdoc", "action"}} == set()


def test_nothing_is_invisible(hostile: Page) -> None:
    assert (
        re.findall(
            r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b\ud800-\udfff]", "".join(said for _, said in hostile.texts)
        )
        == []
    )


def test_links_lead_to_the_repos_on_the_web_and_into_the_page_only(hostile: Page) -> None:
    links = [str(attributes["href"]) for attributes in hostile.all("a")]
    ids = {attributes.get("id") for _, attributes in hostile.elements}
    assert {link for link in links if link.startswith("#") and link[1:] not in ids} == set()
    urls = [repo.url for repo in manifest(9, 3).repos]
    drifted = [f"{urls[at]}/commit/{commit(at + more)}" for at in (3, 4, 6) for more in (200, 300)]
    assert [link for link in links if not link.startswith("#")] == urls + drifted


def test_a_repo_that_no_browser_opens_has_no_link() -> None:
    report = Reports(manifest(1, 0)).report()
    repo = replace(report.status.repos[0].repo, url=RepoUrl("ssh://git@example.org/openllm.git"))
    status = replace(report.status, repos=(RepoStatus(repo, Standing.OK),))
    found = Page(page(replace(report, status=status)))
    assert [link["href"] for link in found.all("a") if not str(link["href"]).startswith("#")] == []


def test_nothing_can_be_loaded_or_run(hostile: Page) -> None:
    (policy,) = (meta["content"] for meta in hostile.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    assert hostile.elements.index(("meta", {"http-equiv": "Content-Security-Policy", "content": policy})) < next(
        number for number, (tag, _) in enumerate(hostile.elements) if tag == "style"
    )
    assert re.findall(r"url\(|@import", "".join(hostile.text("style"))) == []


def test_a_screen_reader_finds_its_way(hostile: Page) -> None:
    assert hostile.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in hostile.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [len(hostile.all(tag)) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert hostile.elements[next(n for n, (tag, _) in enumerate(hostile.elements) if tag == "a")][1]["class"] == "skip"
    ids = [attributes["id"] for _, attributes in hostile.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    references = {
        str(found.get(key)) for _, found in hostile.elements for key in ("aria-labelledby", "aria-describedby")
    }
    assert references - {"None"} <= set(ids)


def test_tables_say_what_they_are_and_what_each_cell_belongs_to(hostile: Page) -> None:
    assert len(hostile.all("table")) == len(hostile.all("caption")) == 2
    assert {cell.get("scope") for cell in hostile.all("th")} == {"row", "col"}
    assert "Which repo has the tag of which release; the newest stands first" in hostile.text("span")


def test_every_state_has_words_and_a_sign_and_not_only_a_colour() -> None:
    text = page(Reports(manifest(8, 0)).report())
    badges = re.findall(
        r'<span class="badge (good|todo|bad)"><svg[^>]*><path d="([^"]+)"></path></svg>([^<]+)</span>', text
    )
    assert len(badges) == text.count('class="badge ')
    assert len({(tone, sign) for tone, sign, _ in badges}) == 3
    assert {"in sync", "behind 3", "drift 2", "diverged", "unreachable", "not adopted", "empty", "unknown"} <= {
        said for _, _, said in badges
    }


def brightness(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2 has it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((brightness(one), brightness(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_all_text_can_be_read_on_every_ground_it_may_stand_on(scheme: Scheme) -> None:
    pairs = [
        (ink, ground)
        for ink in (scheme.ink, scheme.faint, scheme.accent)
        for ground in (scheme.ground, scheme.raised, scheme.sunken)
    ]
    assert min(contrast(*pair) for pair in [*pairs, *scheme.tones.values()]) >= 4.5


def test_the_page_says_when_it_was_written_and_from_which_commit(hostile: Page) -> None:
    assert hostile.all("time")[0] == {"datetime": "2026-03-14T09:26:00+00:00"}
    assert hostile.text("time")[0] == "2026-03-14 09:26 UTC"
    assert hostile.all("code")[0] == {"title": commit(1)}


def only(report: Report, *problems: Problem, **steps: Stopped) -> Report:
    """Return a report with these problems and no others."""
    planned = {RepoName(name.replace("_", "-")): step for name, step in steps.items()}
    return replace(report, status=replace(report.status, problems=problems, steps=planned))


def todos(report: Report) -> list[str]:
    """Return the rows of what is to be done, as text."""
    rows = re.findall(r"<li>(.*?)</li>", todo_section(report))
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]


def test_what_is_to_be_done_comes_first() -> None:
    found = Page(page(Reports(manifest(9, 3)).report()))
    assert found.text("h2") == ["What to do", "The family", "Repos", "Drift and conflicts", "Releases"]
    assert found.text("title")[:1] == ["openllm: 7 of 13 repos need something"]
    assert "7 of 13 repos need something." in found.text("span")


def test_a_release_that_a_repo_lacks_is_counted_though_its_branch_is_as_it_should_be() -> None:
    report = only(Reports(manifest(1, 1)).report(), Problem("part-0", "lacks the tag v1.", "openllm-repos release 1"))
    assert report.verdict == "1 of 3 repos needs something"
    assert report.tones == (Tone.GOOD, Tone.GOOD, Tone.TODO)
    assert not report.well


def test_a_problem_of_what_is_no_repo_of_the_manifest_is_not_hidden() -> None:
    report = only(Reports(manifest(1, 1)).report(), Problem("gone", "a sync has not ended.", "openllm-repos sync gone"))
    assert report.verdict == "something is to be done"
    assert not report.well


def test_where_a_sync_would_stop_the_next_step_is_the_way_out_of_it() -> None:
    report = Reports(manifest(4, 0)).report()
    lacks = Problem("space-3", "lacks 5 commits.", "openllm-repos diff space-3\nopenllm-repos sync space-3")
    sleeps = Problem("space-3", "does not run.", "Restart it.")
    step = report.status.steps[RepoName("space-3")]
    assert isinstance(step, Stopped)
    found = only(report, *with_stops((lacks, sleeps), {RepoName("space-3"): step}), space_3=step)
    assert todos(found) == [
        (
            "space-3 lacks 5 commits. A sync would stop: both sides changed training/Mend the tokenizer.py in ways that"
            " do not go together. Look at it. Next openllm-repos sync space-3 --resolve"
        ),
        "space-3 does not run. Next Restart it.",
    ]
    assert '<a href="#drift-space-3">' in page(found)


def test_targets_that_only_lack_commits_are_one_step() -> None:
    """But those that have something else the matter stand by themselves, so that nothing is overlooked."""
    report = Reports(manifest(18, 0)).report()
    waiting = ("space-1", "space-6", "space-9", "space-14")
    lacks = [Problem(name, "lacks commits.", f"openllm-repos sync {name}") for name in waiting]
    begun = Problem("space-9", "a sync has not ended.", "openllm-repos sync space-9")
    assert todos(only(report, *lacks, begun)) == [
        (
            "space-1, space-6, space-14 are 3 targets that only lack commits of the source."
            " Next openllm-repos sync space-1 space-6 space-14"
        ),
        "space-9 lacks commits. Next openllm-repos sync space-9",
        "space-9 a sync has not ended. Next openllm-repos sync space-9",
    ]
    assert todos(only(report, lacks[0])) == ["space-1 lacks commits. Next openllm-repos sync space-1"]


@pytest.mark.parametrize(("stage", "shown"), [(Stage.BUILD_ERROR, True), (Stage.PAUSED, True), (Stage.RUNNING, False)])
def test_a_space_that_stands_still_stands_out(stage: Stage, shown: bool) -> None:
    report = Reports(manifest(1, 0)).report()
    main, space = report.status.repos
    space = replace(space, runtime=Runtime(stage, str(stage)))
    text = page(replace(report, status=replace(report.status, repos=(main, space))))
    assert (f"</svg>{stage}</span>" in text) is shown
    assert str(stage) in text


def test_few_repos_stand_beside_each_other_and_many_below() -> None:
    few, many = (Page(page(Reports(manifest(number, 0)).report())) for number in (2, 12))
    assert few.text("th")[-6:] == ["main", "space-0", "space-1", "0.3.0", "0.2.0", "0.1.0 (no lock)"]
    assert many.text("th")[-14:-12] == ["0.1.0 (no lock)", "main"]


def test_words_that_are_not_plain_are_explained_where_they_stand() -> None:
    report = Reports(manifest(9, 0)).report()
    assert Page(page(report)).text("dt") == ["lightweight", "missing", "moved", "unreachable", "no lock"]
    assert "<code>openllm-repos release verify v0.3.0</code>" in page(report)
    well = replace(report, releases=Matrix(report.releases.rows[1:2]))
    assert Page(page(well)).text("dt") == []
    assert "release verify" not in page(well)


def test_older_releases_are_counted_with_the_command_that_shows_them() -> None:
    text = page(Reports(manifest(1, 0)).report())
    assert "2 older releases not shown here: <code>openllm-repos release list</code>" in text


def test_a_path_is_shown_with_all_its_blanks() -> None:
    assert "<code>training/a  b.py</code>" in page(Reports(manifest(4, 0), "a  b").report())


def test_files_that_no_sync_put_there_are_not_called_changed() -> None:
    rows = re.findall(r"<tr>.*?</tr>", page(Reports(manifest(6, 0)).report()))
    (row,) = (row for row in rows if "not adopted" in row)
    assert "5 files that no sync put there" in row


def test_a_name_that_is_too_long_for_one_line_may_be_broken() -> None:
    report = Reports(manifest(1, 0)).report()
    name = RepoName("a-very-long-name-of-a-space")
    repo = replace(report.status.repos[1].repo, name=name)
    text = page(replace(report, status=replace(report.status, repos=(RepoStatus(repo, Standing.OK),))))
    assert f'<th scope="row" class="long"><a href="{repo.url}">{name}</a></th>' in text


def test_a_family_in_which_all_is_well() -> None:
    report = Reports(manifest(0, 2)).report()
    text = page(replace(report, releases=Matrix()))
    assert "<title>openllm: every repo is as it should be</title>" in text
    assert "<p>Nothing: every repo is as it should be.</p>" in text
    assert "<p>None: no target has changed mapped files by itself, and a sync would stop nowhere.</p>" in text
    assert "<p>There is no release yet.</p>" in text


def test_a_source_that_diverged_from_its_remote_says_both() -> None:
    report = Reports(manifest(0, 0)).report()
    source = replace(report.status.repos[0], standing=Standing.DIVERGED, behind=1, ahead=2)
    text = page(replace(report, status=replace(report.status, repos=(source,))))
    assert "this clone lacks 1 commit of its remote, its remote lacks 2 commits" in text


def test_what_was_only_remembered_says_so() -> None:
    report = Reports(manifest(1, 1)).report()
    text = page(
        replace(report, status=replace(report.status, remembered=True, source_commit=None), releases=Matrix(told=False))
    )
    assert "<p>Nobody was asked: this is what was fetched before, and it does not know of releases.</p>" in text
    assert "Which releases there are is not known" in text


def test_drift_that_a_sync_would_merge_says_so() -> None:
    report = Reports(manifest(4, 0)).report()
    plan = TargetPlan("space-3", "https://example.org/x", Action.MERGE, commit(1), commit(2), commit(3))
    text = page(replace(report, status=replace(report.status, steps={RepoName("space-3"): plan})))
    assert "<p>A sync would merge it: nothing conflicts.</p>" in text


def test_a_commit_that_nobody_could_describe_has_its_id() -> None:
    report = Reports(manifest(3, 0)).report()
    assert f"<code>{commit(203)[:10]}</code></a></li>" in page(replace(report, commits={}))


def test_very_many_files_are_counted() -> None:
    report = Reports(manifest(3, 0)).report()
    drifted = report.status.repos[3]
    drift = replace(drifted.drift, files=drifted.drift.files * 100)
    repos = (*report.status.repos[:3], replace(drifted, drift=drift))
    text = page(replace(report, status=replace(report.status, repos=repos)))
    assert "<summary>500 mapped files changed there</summary>" in text
    assert "<li>and 300 more</li>" in text


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        ("git push origin main", "<code>git push origin main</code>"),
        ("openllm-repos sync space --resolve", "<code>openllm-repos sync space --resolve</code>"),
        (
            "openllm-repos diff space\nopenllm-repos sync space  # after that",
            "<code>openllm-repos diff space</code> <code>openllm-repos sync space</code> <span>after that</span>",
        ),
        ("Check the network.", "<span>Check the network.</span>"),
        ("git <b>", "<code>git &lt;b&gt;</code>"),
    ],
)
def test_the_next_step_is_shown_as_what_it_is(step: str, shown: str) -> None:
    assert next_step(step) == f'<p class="next"><span class="faint">Next</span> {shown}</p>'


def test_where_there_is_no_next_step_nothing_is_shown() -> None:
    assert next_step("") == ""


def test_a_repo_that_the_source_pins_says_how_far_its_pin_is_behind() -> None:
    report = Reports(manifest(1, 1)).report()
    repo = report.status.repos[-1].repo
    pinned = RepoStatus(repo, Standing.OK, pin=Pin(FolderPath("models/small"), commit(7), Distance(3, on_branch=True)))
    text = page(replace(report, status=replace(report.status, repos=(pinned,), problems=())))
    assert f'<td data-label="Difference" class="wide">pinned at {commit(7)[:10]}, 3 behind</td>' in text
