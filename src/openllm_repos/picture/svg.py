"""The picture of a family as SVG: it needs no network, no script and no font of its own, and knows light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from openllm_repos.picture import layout
from openllm_repos.picture.layout import Arrow, Box, Card, Drawing, Group
from openllm_repos.picture.look import KIND_SIGNS, TONE_SIGNS, svg_style
from openllm_repos.picture.markup import directed, element, text, words
from openllm_repos.picture.measure import text_width, wrapped
from openllm_repos.picture.model import Picture

_CLASS = "openllm-repos"
_CORNER = 9.0
_BEND = 10.0


def svg(picture: Picture, *, inline: bool = False) -> str:
    """Return the picture of a family as an SVG document.

    Args:
        picture: the family.
        inline: whether it is to stand in an HTML page, which has headings of its own.

    Returns:
        XML, in UTF-8 where it is written. One picture of one family is always the same text.
    """
    picture = _shown(picture)
    drawing = layout.laid_out(picture, heading=not inline)
    parts = [
        element("title", text(f"The family {picture.project}: {picture.summary}"), id=f"{_CLASS}-title"),
        element("desc", text(picture.told), id=f"{_CLASS}-desc"),
        element("style", svg_style(f".{_CLASS}")),
        _rectangle(Box(0.5, 0.5, drawing.width - 1, drawing.height - 1), "ground", 14),
        *([] if inline else _heading(picture, drawing)),
        *(_group(group) for group in drawing.groups),
        *_lines(drawing),
        *(_chip(arrow) for arrow in drawing.arrows),
        *(_card(card, source=not number) for number, card in enumerate(drawing.cards)),
    ]
    size: dict[str, float] = {"width": round(drawing.width), "height": round(drawing.height)}
    return element(
        "svg",
        "\n" + "\n".join(parts) + "\n",
        xmlns="http://www.w3.org/2000/svg",
        class_=_CLASS,
        viewBox=f"0 0 {size['width']:.0f} {size['height']:.0f}",
        role="img",
        aria_labelledby=f"{_CLASS}-title",
        aria_describedby=f"{_CLASS}-desc",
        **size,
    ) + ("" if inline else "\n")


def _shown(picture: Picture) -> Picture:
    """Return the picture with its free text as it is shown, so that it is measured as it is shown."""
    return replace(
        picture,
        project=words(picture.project),
        targets=tuple(replace(node, gets=tuple(map(words, node.gets))) for node in picture.targets),
    )


def _heading(picture: Picture, drawing: Drawing) -> Iterator[str]:
    (line,) = wrapped(picture.project, drawing.width - 52, 19, bold=True, lines=1)
    yield _text(line, 26, 40, "heading")
    yield _text(picture.summary, 26, 60, "faint")


def _text(content: str, x: float, y: float, classes: str) -> str:
    return element("text", directed(text(content)), x=x, y=y, class_=classes)


def _rectangle(box: Box, classes: str, corner: float) -> str:
    return element("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=corner, class_=classes)


def _group(group: Group) -> str:
    box = group.box
    caption = _text(group.caption, box.x + layout.INSET, box.y + 20, "faint")
    return _rectangle(box, "group", 12) + caption


def _lines(drawing: Drawing) -> Iterator[str]:
    """Yield the arrows themselves: out of the source on one line, and from there to each target."""
    for arrow in drawing.arrows:
        (x, y), (end, goal) = arrow.start, arrow.end
        trunk = x + 16.0
        if abs(goal - y) < 1:
            path = f"M{x:.1f} {y:.1f}H{end - 7:.1f}"
        else:
            bend = min(_BEND, abs(goal - y) / 2)
            turn = bend if goal > y else -bend
            path = (
                f"M{x:.1f} {y:.1f}H{trunk - bend:.1f}Q{trunk:.1f} {y:.1f} {trunk:.1f} {y + turn:.1f}"
                f"V{goal - turn:.1f}Q{trunk:.1f} {goal:.1f} {trunk + bend:.1f} {goal:.1f}H{end - 7:.1f}"
            )
        yield element("path", d=path, class_="arrow")
        yield element("path", d=f"M{end - 1:.1f} {goal:.1f}l-9 -4.5v9Z", class_="head")
    if drawing.beside:
        (x, y), (_, goal) = drawing.beside
        yield element("path", d=f"M{x:.1f} {y + 2:.1f}V{goal:.1f}", class_="beside")


def _chip(arrow: Arrow) -> str:
    """Return what goes over an arrow; all of it is in its title where it was shortened."""
    box = arrow.chip
    rows = [
        _text(line, box.x + 10, box.y + 17 + number * layout.SMALL_LINE, "path")
        for number, line in enumerate(arrow.lines)
    ]
    title = element("title", directed(text(", ".join(arrow.told))))
    return element("g", title + _rectangle(box, "chip", 7) + "".join(rows))


def _card(card: Card, *, source: bool) -> str:
    node, box = card.node, card.box
    left, y = box.x + layout.INSET, box.y + layout.INSET + 12
    sign = element("path", d=KIND_SIGNS[node.kind], class_="sign", transform=f"translate({left:.1f} {y - 12:.1f})")
    parts = [
        element("title", text(f"{node.name}: {node.kind_word} {node.place}")),
        _rectangle(box, "source" if source else "node", _CORNER),
        sign,
        element("text", text(node.kind_word), x=box.right - layout.INSET, y=y, class_="faint", text_anchor="end"),
        *_rows(card.name, left + layout.SIGN, y + 1, layout.NAME_LINE, "name"),
    ]
    y += len(card.name) * layout.NAME_LINE
    parts += _rows(card.place, left, y, layout.SMALL_LINE, "faint")
    if node.state:
        y = box.bottom - layout.INSET - layout.BADGE + 2
        room = box.width - 2 * layout.INSET - 36
        (said,) = wrapped(words(node.state.said), room, 12, bold=True, lines=1)
        badge = Box(left, y, text_width(said, 12, bold=True) + 36, layout.BADGE)
        place = f"translate({left + 7:.1f} {y + 4.2:.1f})scale(.85)"
        mark = element("path", d=TONE_SIGNS[node.state.tone], class_="sign", transform=place)
        parts.append(
            element(
                "g",
                _rectangle(badge, "pill", 11) + mark + _text(said, left + 26, y + 15.5, "said"),
                class_=str(node.state.tone),
            )
        )
    return element("g", "".join(parts))


def _rows(lines: Sequence[str], x: float, y: float, step: float, classes: str) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield _text(line, x, y + number * step, classes)
