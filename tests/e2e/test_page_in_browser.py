"""The page and the picture in a real browser: read, tabbed through, narrow, light, dark, and listened to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from openllm_repos.hub.model import Runtime, Stage
from openllm_repos.names.ref import BranchName, RepoName
from openllm_repos.picture.markup import words
from openllm_repos.picture.model import family_picture
from openllm_repos.picture.page import page
from openllm_repos.picture.svg import svg
from openllm_repos.status.family import Standing
from tests.support.needs import Hiding
from tests.support.reports import HOSTILE, Reports, manifest
from tests.support.sealed import guard_network, seal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.browser import Browser

pytestmark = pytest.mark.slow

PAGE = page(Reports(manifest(9, 3), HOSTILE).report())
SCHEMES = ("light", "dark")

# For each element with text of its own: what it says, its contrast to the ground below it, as WCAG 2 counts it.
CONTRASTS = """
const parts = colour => colour.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((m, n) => n - m); return (x + 0.05) / (y + 0.05); };
const ground = element => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parts(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const found = [];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  if (!own || element.closest('svg')) continue;
  found.push([element.textContent.trim(), ratio(parts(getComputedStyle(element).color), ground(element))]);
}
for (const said of document.querySelectorAll('svg .said')) {
  const pill = said.parentElement.querySelector('.pill');
  found.push([said.textContent, ratio(parts(getComputedStyle(said).fill), parts(getComputedStyle(pill).fill))]);
}
return found;
"""
FOCUSED = "const one = document.activeElement; return [one.tagName, one.textContent.trim().slice(0, 30)]"
FOCUSABLE = """
return [...document.querySelectorAll('a[href], summary, [tabindex="0"]')]
  .filter(one => one.checkVisibility())
  .map(one => [one.tagName, one.textContent.trim().slice(0, 30)])
"""


@pytest.fixture(scope="module")
def browser(chromium: None, tools: Hiding, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a browser in a home of its own."""
    del chromium
    with pytest.MonkeyPatch.context() as patch:
        seal(tmp_path_factory.mktemp("home") / "browser", patch)
        tools.set(patch, ["chromium"])
        guard_network(patch)
        patch.setenv("NO_PROXY", "localhost,127.0.0.1")
        from tests.support.browser import Browser

        with Browser(tmp_path_factory.mktemp("browser")) as started:
            yield started


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_text_can_be_read(browser: Browser, scheme: str) -> None:
    browser.open(PAGE, scheme=scheme)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    contrasts = dict(browser.run(CONTRASTS))
    assert {"in sync", "behind 3", "drift 2", "unreachable", "missing", "unknown", "2 not known"} <= contrasts.keys()
    assert {said: ratio for said, ratio in contrasts.items() if ratio < 4.5} == {}


def test_dark_is_another_look(browser: Browser) -> None:
    looks = []
    for scheme in SCHEMES:
        browser.open(PAGE, scheme=scheme)
        script = "return [getComputedStyle(document.body).backgroundColor, getComputedStyle({}).fill]"
        looks.append(browser.run(script.format("document.querySelector('svg .ground')")))
    assert looks == [["rgb(251, 251, 250)", "rgb(251, 251, 250)"], ["rgb(20, 23, 27)", "rgb(20, 23, 27)"]]


def test_nothing_is_asked_for_and_nothing_complains(browser: Browser) -> None:
    """No request but that for the page itself, no broken policy, and no script, whatever names say."""
    browser.open(PAGE)
    requests = browser.requests()
    assert [url.rpartition("/")[2] for url in requests] == ["page.html"]
    assert browser.complaints() == []
    assert words(HOSTILE) in browser.run("return document.body.innerText")


def test_what_the_policy_forbids_would_be_seen(browser: Browser) -> None:
    """The test above can fail: a script and a picture that got into a page are refused, and the browser says so."""
    browser.open(PAGE.replace("</main>", "<script>document.title = 'mine'</script><img src='file:///x.png'></main>"))
    assert len([line for line in browser.complaints() if "Content Security Policy" in line]) == 2
    assert browser.run("return document.title") == "openllm: 7 of 13 repos need something"


@pytest.mark.parametrize("family", [(9, 3), (38, 11), (0, 0)])
def test_a_phone_needs_no_sideways_scrolling(browser: Browser, family: tuple[int, int]) -> None:
    browser.open(page(Reports(manifest(*family), HOSTILE + "x" * 200).report()), width=360)
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    assert browser.run("return [innerWidth, document.documentElement.scrollWidth]") == [360, 360]


def crowded(targets: int, members: int) -> str:
    """Return the page of a family whose names, states, branches and releases are as long as they come."""
    report = Reports(manifest(targets, members)).report()
    repos = tuple(
        replace(
            status,
            repo=replace(
                status.repo,
                name=RepoName(f"small-extended-instruct-{'checkpoint' * (number % 3)}-{number}"),
                branch=BranchName(f"release/{'with-a-long-name-' * (number % 4)}x"),
            ),
            standing=Standing.HELD if number % 2 else status.standing,
            held="v0.2.0-rc.1+a-build-of-the-night" if number % 2 else "",
            release=f"v0.2.0-rc.{number}+{'a-build' * (number % 5)}",
            runtime=Runtime(Stage.BUILDING, "RUNNING_BUILDING") if number % 3 else None,
        )
        for number, status in enumerate(report.status.repos)
    )
    return page(replace(report, status=replace(report.status, repos=repos)))


@pytest.mark.parametrize("width", [360, 1200, 1920])
@pytest.mark.parametrize("family", [(4, 2), (38, 11)])
def test_no_column_of_a_table_is_cut_off_at_any_width(browser: Browser, family: tuple[int, int], width: int) -> None:
    browser.open(crowded(*family), width=width)
    cut = """
        return [...document.querySelectorAll('.scroll:has(table)')].concat(document.documentElement)
          .filter(one => one.scrollWidth > one.clientWidth).map(one => [one.scrollWidth, one.clientWidth])"""
    assert browser.run(cut) == []
    assert browser.run("return document.querySelectorAll('table').length") == 2


def test_on_a_phone_each_cell_stands_beside_the_heading_of_its_column(browser: Browser) -> None:
    browser.open(PAGE, width=360)
    label = "return [...document.querySelectorAll('tbody tr')][1].querySelectorAll('td')"
    assert browser.run(f"{label}[0].dataset.label") == "State"
    assert (
        browser.run(f"return getComputedStyle(({label.removeprefix('return ')})[0], '::before').content") == '"State"'
    )


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(browser: Browser) -> None:
    browser.open(PAGE)
    expected = browser.run(FOCUSABLE)
    reached = []
    for _ in expected:
        browser.press("TAB")
        reached.append(browser.run(FOCUSED))
        outline = browser.run(
            "const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.outlineWidth"
        )
        assert outline == "solid3px"
    assert reached == expected
    assert reached[0] == ["A", "Skip to the content"]
    assert {tag for tag, _ in reached} == {"A", "SUMMARY", "DIV"}


def test_the_first_link_skips_to_the_content_and_shows_itself(browser: Browser) -> None:
    browser.open(PAGE)
    place = "return document.querySelector('.skip').getBoundingClientRect().bottom > 0"
    assert browser.run(place) is False
    browser.press("TAB")
    assert browser.run(place) is True
    browser.press("ENTER")
    assert browser.run("return document.activeElement.id") == "main"


def test_the_keyboard_opens_a_list_of_files(browser: Browser) -> None:
    browser.open(PAGE)
    closed = "return document.querySelectorAll('details:not([open])').length"
    before = browser.run(closed)
    browser.run("document.querySelector('details:not([open]) summary').focus()")
    browser.press("ENTER")
    assert browser.run(closed) == before - 1


def tree(browser: Browser) -> list[dict[str, Any]]:
    """Return what a screen reader gets, without what it leaves out."""
    nodes = browser.tell("Accessibility.getFullAXTree", {})["nodes"]
    return [node for node in nodes if not node["ignored"]]


def named(nodes: list[dict[str, Any]], role: str) -> list[str]:
    return [node.get("name", {}).get("value", "") for node in nodes if node["role"]["value"] == role]


def test_a_screen_reader_gets_landmarks_headings_tables_and_names(browser: Browser) -> None:
    browser.open(PAGE)
    nodes = tree(browser)
    assert named(nodes, "navigation") == ["On this page"]
    assert [len(named(nodes, role)) for role in ("banner", "main", "contentinfo")] == [1, 1, 1]
    assert named(nodes, "region") == ["What to do", "The family", "Repos", "Drift and conflicts", "Releases"]
    assert named(nodes, "table") == [
        "Every repo of the manifest, and how it stands to the source",
        "Which repo has the tag of which release; the newest stands first",
    ]
    (picture,) = [node for node in nodes if node["role"]["value"] == "image"]
    assert picture["name"]["value"] == "The family openllm: 1 source, 9 targets, 3 members"
    assert picture["description"]["value"].startswith("main (GitHub louischua/openllm, ok) is the source. space-0")
    assert named(nodes, "rowheader")[:3] == ["main", "space-0", "space-1"]
    assert "0.1.0 (no lock)" in named(nodes, "columnheader")
    unnamed = [
        node
        for node in nodes
        for said in node.get("properties", [])
        if said["name"] == "focusable" and said["value"]["value"] and not node.get("name", {}).get("value")
    ]
    assert [node["role"]["value"] for node in unnamed] == ["main"]  # where the skip link leads to


def test_who_wants_no_motion_gets_none(browser: Browser) -> None:
    found = []
    for wish in ("no-preference", "reduce"):
        browser.open(PAGE)
        browser.prefer("prefers-reduced-motion", wish)
        found.append(browser.run("return getComputedStyle(document.documentElement).scrollBehavior"))
    assert found == ["smooth", "auto"]


def test_who_has_colours_of_their_own_gets_them_in_the_picture_too(browser: Browser) -> None:
    """And badges get an edge, since their grounds are gone."""
    browser.open(PAGE)
    browser.prefer("forced-colors", "active")
    grounds, inks = browser.run("""
        const of = (name, what) => getComputedStyle(document.querySelector(name))[what];
        return [
          [of('svg .node', 'fill'), of('svg .pill', 'fill'), of('body', 'backgroundColor')],
          [of('svg .name', 'fill'), of('svg .pill', 'stroke'), of('.badge', 'borderTopColor'), of('h2', 'color')],
        ]""")
    assert len(set(grounds)) == len(set(inks)) == 1


def test_on_paper_all_is_there_and_light(browser: Browser) -> None:
    """Lists that are closed on the screen are open, and no table is cut off at the edge of the paper."""
    browser.open(PAGE, width=700, scheme="dark")
    dark = {"name": "prefers-color-scheme", "value": "dark"}
    browser.tell("Emulation.setEmulatedMedia", {"media": "print", "features": [dark]})
    found = browser.run("""
        const all = name => [...document.querySelectorAll(name)];
        const seen = one => one.checkVisibility() && one.offsetHeight > 0;
        return {
          hidden: all('details li').filter(one => !seen(one)).length,
          wide: all('table').filter(one => one.offsetWidth > one.parentElement.clientWidth).length,
          ink: getComputedStyle(document.querySelector('h2')).color,
          ground: getComputedStyle(document.querySelector('svg .ground')).fill,
        }""")
    browser.tell("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert found == {"hidden": 0, "wide": 0, "ink": "rgb(29, 33, 38)", "ground": "rgb(251, 251, 250)"}


def test_on_a_phone_the_picture_is_as_large_as_it_was_drawn(browser: Browser) -> None:
    """It scrolls in its frame, and its smallest text stays 12 pixels high."""
    browser.open(PAGE, width=360)
    drawn = "const one = document.querySelector('figure svg'); return one.getBoundingClientRect().width / one.viewBox"
    assert browser.run(f"{drawn}.baseVal.width") == 1


@pytest.mark.parametrize("family", [(0, 0), (1, 3), (38, 11)])
def test_every_text_of_the_picture_fits_into_its_box(browser: Browser, family: tuple[int, int]) -> None:
    """By the fonts of this machine, whatever they are: the estimate is for the widest of the common ones."""
    found = manifest(*family)
    browser.open(svg(family_picture(found, Reports(found).report().status)), "svg")
    too_wide = browser.run("""
        return [...document.querySelectorAll('g')].flatMap(group => {
          const box = group.querySelector('rect').getBoundingClientRect();
          return [...group.querySelectorAll('text')].filter(text => {
            const place = text.getBoundingClientRect();
            return place.left < box.left || place.right > box.right || place.top < box.top || place.bottom > box.bottom;
          }).map(text => text.textContent);
        })""")
    assert too_wide == []
    assert browser.run("return document.querySelectorAll('text').length") > 2 * (1 + sum(family))
    assert browser.complaints() == []
    assert [url.rpartition("/")[2] for url in browser.requests()] == ["page.svg"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_picture_alone_knows_light_and_dark(browser: Browser, scheme: str) -> None:
    """By itself, and as an image of another page, which is how a README shows it."""
    picture = svg(family_picture(manifest()))
    browser.open(picture, "svg", scheme=scheme)
    colour = browser.run("return getComputedStyle(document.querySelector('.ground')).fill")
    assert colour == {"light": "rgb(251, 251, 250)", "dark": "rgb(20, 23, 27)"}[scheme]
    browser.open("<!doctype html><title>README</title>", scheme=scheme)
    drawn = browser.run(f"""
        const image = new Image();
        image.src = 'data:image/svg+xml,' + encodeURIComponent({json.dumps(picture)});
        return image.decode().then(() => {{
          const canvas = document.createElement('canvas').getContext('2d');
          canvas.drawImage(image, 0, 0);
          return [...canvas.getImageData(100, 8, 1, 1).data.slice(0, 3)];
        }})""")
    assert f"rgb({', '.join(map(str, drawn))})" == colour
