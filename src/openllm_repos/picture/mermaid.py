"""The picture of a family as a Mermaid flowchart, which GitHub and the Hub draw where it stands in a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from openllm_repos.picture.look import LIGHT
from openllm_repos.picture.markup import directed, words
from openllm_repos.picture.model import Node, Picture, counted

# All else that ASCII has means something to Mermaid, to the Markdown in its labels, or to the HTML that it makes.
_PLAIN = frozenset(" ,./+=-()")
_LIST = re.compile(r"(?:[0-9]+[.)]|[-+])(?=\s|$)")  # at the beginning of a label, Mermaid takes it for that of a list
_ABREAST = 3  # nodes beside each other in a group
_LONGEST, _MOST = 50_000, 500  # characters and links that Mermaid draws where nobody has set more, as on GitHub
_LINK = re.compile(r" (?:-->|-\.-|~~~)")


def mermaid(picture: Picture) -> str:
    """Return the picture of a family as the text of a Mermaid flowchart.

    Nodes have names of our own making (``source``, ``target1``), so that no repo's name can be a word of Mermaid's
    language; what people wrote stands in quotes only, with each character that could end them as an entity.
    """
    return "\n".join(_lines(picture)) + "\n"


def too_large(drawn: str) -> bool:
    """Whether a flowchart is too large for GitHub, which shows an error in its place then."""
    return len(drawn) > _LONGEST or len(_LINK.findall(drawn)) > _MOST


def quoted(*lines: str) -> str:
    """Return foreign lines as one label of Mermaid."""
    return '"' + "<br/>".join(directed(_escaped(words(line))) for line in lines) + '"'


def _escaped(text: str) -> str:
    text = text.replace("$$", "$\u200b$").replace("$$", "$\u200b$")  # two in a row would begin a formula
    found = _LIST.match(text)
    marked = found.end() - 1 if found else -1
    return "".join(
        char if number != marked and (char in _PLAIN or char.isalnum() or ord(char) > 126) else f"#{ord(char)};"
        for number, char in enumerate(text)
    )


def _lines(picture: Picture) -> Iterator[str]:
    names = {node: f"target{number}" for number, node in enumerate(picture.targets, 1)}
    names |= {node: f"member{number}" for number, node in enumerate(picture.members, 1)}
    yield "flowchart LR"
    yield f"  accTitle: {_line(f'The family {picture.project}')}"
    yield f"  accDescr: {_line(picture.summary)}"
    yield f"  source{_node(picture.source)}"
    for number, (gets, nodes) in enumerate(picture.alike, 1):
        drawn = [f"{names[node]}{_node(node)}" for node in nodes]
        goal = names[nodes[0]]
        if len(nodes) == 1:
            yield f"  {drawn[0]}"
        else:
            goal = f"targets{number}"
            yield from _group(goal, f"{counted(nodes)} targets", drawn)
        yield f"  source -->|{quoted(*gets)}| {goal}"
    if picture.members:
        yield from _group("members", picture.caption, [f"{names[node]}{_node(node)}" for node in picture.members])
        yield "  source -.- members"
    yield from _classes([("source", picture.source), *((names[n], n) for n in (*picture.targets, *picture.members))])


def _group(name: str, caption: str, nodes: Sequence[str]) -> Iterator[str]:
    """Yield nodes in a frame, some beside each other: what cannot be seen holds those of a line together."""
    yield f"  subgraph {name} [{quoted(caption)}]"
    yield "    direction LR"
    for start in range(0, len(nodes), _ABREAST):
        yield f"    {' ~~~ '.join(nodes[start : start + _ABREAST])}"
    yield "  end"


def _node(node: Node) -> str:
    state = (node.state.said,) if node.state else ()
    label = quoted(node.title, node.place, *state)
    return f"[{label}]"


def _line(text: str) -> str:
    """Return a text for a line that has no quotes: whatever could be more than text goes."""
    return "".join(char for char in words(text) if char in _PLAIN or char.isalnum() or ord(char) > 126)


def _classes(nodes: list[tuple[str, Node]]) -> Iterator[str]:
    """Yield the colours of states, for those that have one."""
    for tone, (ink, ground) in LIGHT.tones.items():
        named = [name for name, node in nodes if node.state and node.state.tone is tone]
        if named:
            yield f"  classDef {tone} fill:{ground},stroke:{ink},color:{ink}"
            yield f"  class {','.join(named)} {tone}"
