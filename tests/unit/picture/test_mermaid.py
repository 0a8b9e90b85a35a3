"""The picture as Mermaid: a flowchart that GitHub draws, in which no name can be more than a label."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from openllm_repos.manifest import Manifest
from openllm_repos.picture.markup import words
from openllm_repos.picture.mermaid import mermaid, quoted, too_large
from openllm_repos.picture.model import family_picture
from tests.support.reports import HOSTILE, Reports, manifest

OPENLLM = family_picture(Manifest.load(Path(__file__).parents[3] / "manifest/valid/openllm.toml"))

# The part of Mermaid's grammar that we use: names of our own, and labels in quotes without anything that ends them.
LABEL = r'"(?:[\w ,./+=()\-→—·]|#\d+;|<br/>|[^\x00-\x7f])+"'
NODE = rf"(?:source|(?:target|member)\d+)\[{LABEL}\]"
LINES = (
    r"flowchart LR",
    r"  acc(?:Title|Descr): [^\x00-\x1f\"#;{}<>%`|&]+",
    rf"  {NODE}",
    rf"    {NODE}(?: ~~~ {NODE}){{0,2}}",
    rf"  source -->\|{LABEL}\| targets?\d+",
    r"  source -\.- members",
    rf"  subgraph (?:members|targets\d+) \[{LABEL}\]",
    r"    direction LR",
    r"  end",
    r"  classDef (?:good|todo|bad) fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},color:#[0-9a-f]{6}",
    r"  class (?:(?:source|(?:target|member)\d+),?)+ (?:good|todo|bad)",
)


def read(label: str) -> list[str]:
    """Return the lines that Mermaid shows of a label."""
    decoded = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label.removeprefix('"').removesuffix('"'))
    return decoded.split("<br/>") if "<br/>" in label else [decoded]


def test_the_family_of_the_example() -> None:
    shortened = re.sub(r"(member[23])\[[^]]*\]", r"\1[…]", mermaid(OPENLLM))
    assert shortened.splitlines() == [
        "flowchart LR",
        "  accTitle: The family openllm",
        "  accDescr: 1 source, 1 target, 3 members",
        '  source["main (GitHub)<br/>louischua/openllm"]',
        '  target1["space (Space)<br/>lemms/openllm"]',
        '  source -->|"core/src/#42;.py → training/<br/>configs/#42;.json → configs/"| target1',
        '  subgraph members ["3 members#58; no folders, but every release"]',
        "    direction LR",
        '    member1["small-extended-7k (model)<br/>lemms/openllm-small-extended-7k"] ~~~ member2[…] ~~~ member3[…]',
        "  end",
        "  source -.- members",
    ]


def test_targets_that_get_the_same_share_an_arrow_and_a_frame() -> None:
    lines = mermaid(family_picture(manifest(38, 0))).splitlines()
    assert [line for line in lines if "-->" in line] == [
        '  source -->|"core/src/#42;.py → training/<br/>configs/#42;.json → configs/"| targets1'
    ]
    assert [line for line in lines if "subgraph" in line] == ['  subgraph targets1 ["38 targets"]']
    assert [len(re.findall(NODE, line)) for line in lines if line.startswith("    target")] == [3] * 12 + [2]


@pytest.mark.parametrize(
    ("targets", "alike", "too_much"), [(700, True, False), (1000, True, True), (500, False, False), (501, False, True)]
)
def test_what_github_cannot_draw_is_known(targets: int, alike: bool, too_much: bool) -> None:
    """It leaves Mermaid's own limits: 50,000 characters and 500 links."""
    (space,) = OPENLLM.targets
    nodes = (replace(space, name=f"space-{n}", gets=("a",) if alike else (f"a{n}",)) for n in range(targets))
    assert too_large(mermaid(replace(OPENLLM, targets=tuple(nodes), members=()))) is too_much


@pytest.mark.parametrize("text", ["1. one", "12) one", "- one", "+ one", "-"])
def test_no_label_begins_a_list(text: str) -> None:
    """Mermaid 11.4 shows "Unsupported markdown: list" in the place of a folder that is named so."""
    label = quoted(text)
    assert re.match(r'"(?:\d+#(?:46|41);|#(?:45|43);)', label)
    assert read(label) == [text]


def test_an_arrow_between_names_from_right_to_left_still_leads_to_the_right() -> None:
    assert quoted("ملف/ → هدف/") == '"ملف/ \u200e→\u200e هدف/"'
    assert quoted("core/ → training/") == '"core/ → training/"'


def test_with_states_each_has_its_words_and_its_colour() -> None:
    found = manifest(8, 1)
    lines = mermaid(family_picture(found, Reports(found).report().status)).splitlines()
    assert any('target4["space-3 (Space)<br/>lemms/openllm-3<br/>diverged"]' in line for line in lines)
    assert "  class source,target1,member1 good" in lines
    assert "  class target2,target3,target4,target6,target7 todo" in lines
    assert "  class target5,target8 bad" in lines


@pytest.mark.parametrize("text", [HOSTILE, "end", "1. one", "- one", "`code`", 'a"]; click b', "%% comment", "模型 é"])
def test_whatever_people_write_is_shown_and_nothing_else(text: str) -> None:
    node = replace(OPENLLM.source, name=text, place=text)
    target = replace(OPENLLM.targets[0], gets=(f"{text} → {text}",))
    drawn = mermaid(replace(OPENLLM, project=text, source=node, targets=(target,), members=(node,)))
    assert [line for line in drawn.splitlines() if not any(re.fullmatch(one, line) for one in LINES)] == []
    (label,) = re.findall(rf"source\[({LABEL})\]", drawn)
    assert [line.replace("\u200b", "") for line in read(label)] == [f"{words(text)} (GitHub)", words(text)]


def test_two_dollar_signs_begin_no_formula() -> None:
    assert quoted("$$$x$$") == '"#36;\u200b#36;\u200b#36;x#36;\u200b#36;"'
