"""The picture as SVG: everything has its place, whatever the names are, and nothing in it is more than a picture."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from openllm_repos.manifest import Manifest
from openllm_repos.picture.layout import Box, laid_out
from openllm_repos.picture.markup import words
from openllm_repos.picture.measure import text_width, wrapped
from openllm_repos.picture.model import Picture, family_picture
from openllm_repos.picture.svg import svg
from tests.support.reports import HOSTILE, Reports, manifest

ROOT = Path(__file__).parents[3]
OPENLLM = family_picture(Manifest.load(ROOT / "manifest/valid/openllm.toml"))
NS = "{http://www.w3.org/2000/svg}"


def stated(found: Manifest) -> Picture:
    return family_picture(found, Reports(found).report().status)


FAMILIES = {
    "1 repo": family_picture(manifest(0, 0)),
    "source and members": stated(manifest(0, 7)),
    "openllm": OPENLLM,
    "5 repos": stated(manifest(1, 3)),
    "2 targets, many folders": family_picture(
        manifest(2, 0, folders=[f"packages/a-long-name-{number}/src/with/many/folders/" for number in range(9)])
    ),
    "50 repos": stated(manifest(38, 11)),
    "50 repos, none alike": stated(manifest(45, 4, alike=False)),
    "300 in two groups": stated(Manifest.load(ROOT / "examples/fleet.toml")),
}


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own text, and a parser that refuses what is not XML


def test_the_picture_in_the_docs_is_that_of_the_example() -> None:
    """Made by `openllm-repos --manifest manifest/valid/openllm.toml graph --svg -o docs/family.svg`."""
    assert (ROOT / "docs/family.svg").read_text(encoding="utf-8") == svg(OPENLLM)


def test_it_names_itself_and_says_in_words_what_it_shows() -> None:
    root = parsed(svg(stated(manifest(1, 1))))
    title, description = root.find(f"{NS}title"), root.find(f"{NS}desc")
    assert title is not None
    assert description is not None
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == title.attrib["id"]
    assert root.attrib["aria-describedby"] == description.attrib["id"]
    assert title.text == "The family openllm: 1 source, 1 target, 1 member"
    assert description.text == (
        "main (GitHub louischua/openllm, ok) is the source. space-0 (Space lemms/openllm-0, in sync) gets"
        " core/src/*.py as training/ and configs/*.json as configs/. part-0 (model lemms/openllm-part-0, ok)"
        " is a member."
    )


def hostile(picture: Picture) -> Picture:
    node = replace(picture.source, name=HOSTILE, place=HOSTILE)
    target = replace(picture.targets[0], gets=(f"{HOSTILE} → {HOSTILE}",))
    return replace(picture, project=HOSTILE, source=node, targets=(target,), members=(node,))


@pytest.mark.parametrize("inline", [False, True])
def test_no_name_becomes_more_than_text(inline: bool) -> None:
    drawn = svg(hostile(OPENLLM), inline=inline)
    root = parsed(drawn)
    assert {found.tag.removeprefix(NS) for found in root.iter()} == {
        *("svg", "title", "desc", "style", "rect", "path", "text", "g")
    }
    attributes = {name for found in root.iter() for name in found.attrib}
    assert attributes <= {
        *("class", "viewBox", "role", "aria-labelledby", "aria-describedby", "width", "height", "id", "x", "y"),
        *("rx", "d", "transform", "text-anchor"),
    }
    titles = [found.text for found in root.iter(f"{NS}title")]
    assert f"{words(HOSTILE)}: GitHub {words(HOSTILE)}" in titles
    assert re.findall(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", drawn) == []


def test_it_needs_nothing_from_elsewhere() -> None:
    for picture in FAMILIES.values():
        assert re.findall(r"url\(|href|@import|<script|<image|<foreignObject", svg(picture)) == []
        assert re.findall(r"https?://[^\"]*", svg(picture)) == ["http://www.w3.org/2000/svg"]


def test_it_has_colours_for_light_and_for_dark() -> None:
    style = parsed(svg(OPENLLM)).findtext(f"{NS}style")
    assert style is not None
    light, dark = style.split("@media screen and (prefers-color-scheme:dark)")
    rule = r"\.ground\{fill:(#[0-9a-f]{6})"
    assert re.findall(rule, light) == ["#fbfbfa"]
    assert re.findall(rule, dark) == ["#14171b"]


def overlapping(boxes: list[Box]) -> list[tuple[Box, Box]]:
    return [
        (one, other)
        for one, other in itertools.combinations(boxes, 2)
        if one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom
    ]


@pytest.mark.parametrize("heading", [True, False])
@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_lies_on_anything_else(name: str, heading: bool) -> None:
    drawing = laid_out(FAMILIES[name], heading=heading)
    cards = [card.box for card in drawing.cards]
    boxes = cards + [arrow.chip for arrow in drawing.arrows]
    assert len(cards) == 1 + len(FAMILIES[name].targets) + len(FAMILIES[name].members)
    assert overlapping(boxes) == []
    assert overlapping([group.box for group in drawing.groups] + [cards[0]]) == []
    assert min(min(box.x, box.y) for box in boxes) >= 0
    assert max(box.right for box in boxes) < drawing.width
    assert max(box.bottom for box in boxes) < drawing.height


@pytest.mark.parametrize("name", FAMILIES)
def test_every_text_fits_where_it_stands(name: str) -> None:
    drawing = laid_out(FAMILIES[name], heading=True)
    for card in drawing.cards:
        widths = [text_width(line, 15, bold=True) + 26 for line in card.name] + [text_width(x, 12) for x in card.place]
        assert max(widths) <= card.box.width - 28
    for arrow in drawing.arrows:
        assert max(text_width(line, 12, mono=True) for line in arrow.lines) <= arrow.chip.width - 20
        assert arrow.chip.right < arrow.end[0]
        assert arrow.chip.x > arrow.start[0]


def test_targets_that_get_the_same_share_an_arrow() -> None:
    assert [arrow.lines for arrow in laid_out(FAMILIES["50 repos"], heading=True).arrows] == [
        ("core/src/*.py → training/", "configs/*.json → configs/")
    ]
    assert len(laid_out(FAMILIES["50 repos, none alike"], heading=True).arrows) == 45


def test_many_maps_are_counted_on_the_arrow_and_told_in_its_title() -> None:
    gets = tuple(f"part-{number}/ → to-{number}/" for number in range(9))
    picture = replace(OPENLLM, targets=(replace(OPENLLM.targets[0], gets=gets),))
    (arrow,) = laid_out(picture, heading=True).arrows
    assert arrow.lines == (*gets[:5], "and 4 more")
    assert ", ".join(gets) in [found.text for found in parsed(svg(picture)).iter(f"{NS}title")]


def test_a_long_map_stands_on_two_lines() -> None:
    gets = ("packages/a-long-name/src/with/many/folders/**/*.py → lib/deep/in/it/training/",)
    picture = replace(OPENLLM, targets=(replace(OPENLLM.targets[0], gets=gets),))
    (arrow,) = laid_out(picture, heading=True).arrows
    assert list(arrow.lines) == [
        "packages/a-long-name/src/with/many/",
        "folders/**/*.py",
        "→ lib/deep/in/it/training/",
    ]


def test_an_arrow_between_names_from_right_to_left_still_leads_to_the_right() -> None:
    picture = replace(OPENLLM, targets=(replace(OPENLLM.targets[0], gets=("ملف/ → هدف/",)),))
    assert "ملف/ \u200e→\u200e هدف/" in [found.text for found in parsed(svg(picture)).iter(f"{NS}text")]
    assert "\u200e" not in svg(OPENLLM)


def test_a_family_is_always_drawn_the_same() -> None:
    assert svg(FAMILIES["50 repos"]) == svg(stated(manifest(38, 11)))


def test_a_name_is_broken_where_a_reader_would() -> None:
    assert wrapped("openllm-small-extended-7k", 120, 12) == ("openllm-small-", "extended-7k")


def test_a_name_without_such_a_place_is_broken_anywhere_and_cut_in_the_end() -> None:
    lines = wrapped("x" * 100, 100, 12)
    assert len(lines) == 2
    assert lines[1].endswith("x…")
    assert max(text_width(line, 12) for line in lines) <= 100


def test_a_mark_stays_with_its_letter() -> None:
    assert text_width("e\u0301", 12) == text_width("e", 12)
    assert wrapped("e\u0301" * 2, text_width("e", 12), 12) == ("e\u0301", "e\u0301")


def test_wide_characters_take_more_room() -> None:
    assert text_width("模型", 10) > text_width("mm", 10)
