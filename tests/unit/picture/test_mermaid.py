"""The picture as Mermaid: a flowchart that GitHub draws, in which no name can be more than a label."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from openllm_repos.manifest import Manifest
from openllm_repos.picture.markup import words
from openllm_repos.picture.mermaid import mermaid, quoted
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
    rf"    {NODE}",
    rf"  source -->\|{LABEL}\| target\d+",
    r"  source -\.- members",
    r'  subgraph members \["members"\]',
    r"  end",
    r"  classDef (?:good|todo|bad) fill:#[0-9a-f]{6},stroke:#[0-9a-f]{6},color:#[0-9a-f]{6}",
    r"  class (?:(?:source|(?:target|member)\d+),?)+ (?:good|todo|bad)",
)


def read(label: str) -> list[str]:
    """Return the lines that Mermaid shows of a label."""
    decoded = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label.removeprefix('"').removesuffix('"'))
    return decoded.split("<br/>") if "<br/>" in label else [decoded]


def test_the_family_of_the_example() -> None:
    assert mermaid(OPENLLM).splitlines() == [
        "flowchart LR",
        "  accTitle: The family openllm",
        "  accDescr: 1 source, 1 target, 3 members",
        '  source["main<br/>GitHub louischua/openllm"]',
        '  target1["space<br/>Space lemms/openllm"]',
        '  source -->|"core/src/#42;.py → training/<br/>configs/#42;.json → configs/"| target1',
        '  subgraph members ["members"]',
        '    member1["small-7k<br/>model lemms/openllm-small-extended-7k"]',
        '    member2["small-8k<br/>model lemms/openllm-small-extended-8k"]',
        '    member3["training-data<br/>dataset lemms/openllm-training-data"]',
        "  end",
        "  source -.- members",
    ]


def test_with_states_each_has_its_words_and_its_colour() -> None:
    found = manifest(8, 1)
    lines = mermaid(family_picture(found, Reports(found).report().status)).splitlines()
    assert '  target4["space-3<br/>Space lemms/openllm-3<br/>diverged"]' in lines
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
    assert [line.replace("\u200b", "") for line in read(label)] == [words(text), f"GitHub {words(text)}"]


def test_two_dollar_signs_begin_no_formula() -> None:
    assert quoted("$$$x$$") == '"#36;\u200b#36;\u200b#36;x#36;\u200b#36;"'
