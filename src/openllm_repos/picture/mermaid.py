"""The picture of a family as a Mermaid flowchart, which GitHub and the Hub draw where it stands in a Markdown page."""

from __future__ import annotations

from collections.abc import Iterator

from openllm_repos.picture.look import LIGHT
from openllm_repos.picture.markup import words
from openllm_repos.picture.model import Node, Picture

# All else that ASCII has means something to Mermaid, to the Markdown in its labels, or to the HTML that it makes.
_PLAIN = frozenset(" ,./+=-()")


def mermaid(picture: Picture) -> str:
    """Return the picture of a family as the text of a Mermaid flowchart.

    Nodes have names of our own making (``source``, ``target1``), so that no repo's name can be a word of Mermaid's
    language; what people wrote stands in quotes only, with each character that could end them as an entity.
    """
    return "\n".join(_lines(picture)) + "\n"


def quoted(*lines: str) -> str:
    """Return foreign lines as one label of Mermaid."""
    return '"' + "<br/>".join(_escaped(words(line)) for line in lines) + '"'


def _escaped(text: str) -> str:
    text = text.replace("$$", "$\u200b$").replace("$$", "$\u200b$")  # two in a row would begin a formula
    return "".join(char if char in _PLAIN or char.isalnum() or ord(char) > 126 else f"#{ord(char)};" for char in text)


def _lines(picture: Picture) -> Iterator[str]:
    targets = [(f"target{number}", node) for number, node in enumerate(picture.targets, 1)]
    members = [(f"member{number}", node) for number, node in enumerate(picture.members, 1)]
    nodes = [("source", picture.source), *targets, *members]
    yield "flowchart LR"
    yield f"  accTitle: {_line(f'The family {picture.project}')}"
    yield f"  accDescr: {_line(picture.summary)}"
    yield f"  source{_node(picture.source)}"
    for name, node in targets:
        yield f"  {name}{_node(node)}"
        yield f"  source -->|{quoted(*node.gets)}| {name}"
    if members:
        yield '  subgraph members ["members"]'
        yield from (f"    {name}{_node(node)}" for name, node in members)
        yield "  end"
        yield "  source -.- members"
    yield from _classes(nodes)


def _node(node: Node) -> str:
    state = (node.state.said,) if node.state else ()
    label = quoted(node.name, f"{node.kind_word} {node.place}", *state)
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
