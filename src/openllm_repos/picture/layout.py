"""Where things stand in a picture: the source on the left, targets on the right, members below.

Targets that get the same folders share one arrow and stand in a grid, so that a picture of fifty repos is still one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from openllm_repos.picture.measure import text_width, wrapped
from openllm_repos.picture.model import Node, Picture, counted

NAME, SMALL = 15.0, 12.0  # sizes of the fonts
NAME_LINE, SMALL_LINE = 20.0, 17.0
INSET = 14.0  # inside a card
SIGN = 26.0  # what the sign of its kind takes, left of the name
BADGE = 22.0
_MARGIN = 26.0
_GAP = 12.0  # between cards
_ROWS = 22.0  # between rows of targets
_LANE = 34.0  # of an arrow, on each side of what is written on it
_CAPTION = 31.0
_NARROWEST, _WIDEST = 176.0, 292.0
_CHIP = 10.0
_PATH = 290.0  # how wide a line on an arrow may be
_MAPS = 6  # how many maps are written on one arrow
_TALL = 640.0  # from here on the source stands beside the first target
_HEADING = 54.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its corner at the top left, and how wide and high it is."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """Half way down."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Card:
    """A repo with its place in the picture.

    Attributes:
        node: the repo.
        name: in lines.
        place: where it is, in lines.
        box: where it stands.
    """

    node: Node
    name: tuple[str, ...]
    place: tuple[str, ...]
    box: Box


@dataclass(frozen=True, slots=True)
class Arrow:
    """What goes from the source to one target or to several.

    Attributes:
        lines: what is written on it.
        told: all of it.
        chip: where that stands.
        start: where it leaves the source: x and y.
        end: where it arrives.
    """

    lines: tuple[str, ...]
    told: tuple[str, ...]
    chip: Box
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Group:
    """Repos that stand together, and what is said of them."""

    caption: str
    box: Box


@dataclass(slots=True)
class Drawing:
    """A picture with every place known; sizes in pixels."""

    width: float = 0.0
    height: float = 0.0
    cards: list[Card] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    beside: tuple[tuple[float, float], tuple[float, float]] | None = None


def laid_out(picture: Picture, *, heading: bool) -> Drawing:
    """Find a place for everything.

    Args:
        picture: the family.
        heading: whether room is left at the top for its name.
    """
    width = _card_width((picture.source, *picture.targets, *picture.members))
    top = _MARGIN + (_HEADING if heading else 0.0)
    drawing = Drawing()
    source = _card(picture.source, _MARGIN, top, width)
    rows = [_Row.of(gets, nodes, width) for gets, nodes in picture.alike]
    lane = max((row.chip_width for row in rows), default=0.0) + 2 * _LANE
    if rows and picture.members:  # targets and members end at the same edge
        below = _columns(len(picture.members)) * (width + _GAP) - _GAP + 2 * INSET
        lane = max(lane, below - source.box.width - max(row.width for row in rows))
    right = source.box.right + (lane if rows else 0.0)
    edge = _place_rows(drawing, rows, right, top, source.box.height)
    if rows:
        middles = [arrow.end[1] for arrow in drawing.arrows]
        first, last = middles[0], middles[-1]
        middle = (first + last) / 2 if edge - top <= _TALL else first
        source = replace(source, box=replace(source.box, y=max(top, middle - source.box.height / 2)))
        start = (source.box.right, source.box.middle)
        drawing.arrows = [replace(arrow, start=start) for arrow in drawing.arrows]
    drawing.cards.insert(0, source)
    drawing.width = max([card.box.right for card in drawing.cards] + [group.box.right for group in drawing.groups])
    bottom = max(edge, source.box.bottom)
    if picture.members:
        bottom = _place_members(drawing, picture, width, bottom + _ROWS + 6)
    drawing.width += _MARGIN
    drawing.height = bottom + _MARGIN
    if heading:
        title = text_width(picture.project, 19, bold=True)
        drawing.width = max(drawing.width, min(title, 600) + 2 * _MARGIN, 4 * _MARGIN + text_width(picture.summary, 12))
    return drawing


@dataclass(frozen=True, slots=True)
class _Row:
    """Targets that get the same, before they have a place."""

    nodes: tuple[Node, ...]
    gets: tuple[str, ...]
    lines: tuple[str, ...]
    chip_width: float
    chip_height: float
    columns: int
    card_width: float

    @property
    def width(self) -> float:
        """How wide the targets are all together."""
        cards = self.columns * (self.card_width + _GAP) - _GAP
        return cards if len(self.nodes) == 1 else cards + 2 * INSET

    @classmethod
    def of(cls, gets: tuple[str, ...], nodes: Sequence[Node], card_width: float) -> _Row:
        lines = _written(gets)
        width = max(text_width(line, SMALL, mono=True) for line in lines) + 2 * _CHIP
        columns = 1 if len(nodes) < 3 else 2 if len(nodes) < 9 else 3
        return cls(tuple(nodes), gets, lines, width, len(lines) * SMALL_LINE + _CHIP, columns, card_width)


def _written(gets: tuple[str, ...]) -> tuple[str, ...]:
    """Return what is written on an arrow, in lines."""
    shown = gets if len(gets) <= _MAPS else gets[: _MAPS - 1]
    lines = [line for text in shown for line in _map_lines(text)]
    if len(shown) < len(gets):
        lines.append(f"and {len(gets) - len(shown)} more")
    return tuple(lines)


def _map_lines(text: str) -> tuple[str, ...]:
    if text_width(text, SMALL, mono=True) <= _PATH:
        return (text,)
    source, arrow, to = text.rpartition(" → ")
    return (*wrapped(source, _PATH, SMALL, mono=True), *wrapped(f"{arrow.strip()} {to}", _PATH, SMALL, mono=True))


def _place_rows(drawing: Drawing, rows: Sequence[_Row], left: float, top: float, least: float) -> float:
    """Place targets and what goes to them; return where they end."""
    y = top
    for row in rows:
        grouped = len(row.nodes) > 1
        inset = INSET if grouped else 0.0
        cards, height = _grid(row.nodes, left + inset, y + (_CAPTION if grouped else 0.0), row)
        if grouped:
            height += _CAPTION + INSET
            wide = max(card.box.right for card in cards) + inset - left
            drawing.groups.append(Group(f"{counted(row.nodes)} targets", Box(left, y, wide, height)))
        room = max(height, row.chip_height, least if len(rows) == 1 else 0.0)
        down = (room - height) / 2
        drawing.cards += [replace(card, box=replace(card.box, y=card.box.y + down)) for card in cards]
        if grouped and down:
            group = drawing.groups[-1]
            drawing.groups[-1] = replace(group, box=replace(group.box, y=group.box.y + down))
        middle = y + room / 2
        if room > _TALL:  # nobody should have to search for what goes there
            middle = y + max(row.chip_height, 3 * _CAPTION) / 2 + _CAPTION
        chip = Box(left - _LANE - row.chip_width, middle - row.chip_height / 2, row.chip_width, row.chip_height)
        drawing.arrows.append(Arrow(row.lines, row.gets, chip, (0.0, 0.0), (left, middle)))
        y += room + _ROWS
    return y - _ROWS if rows else top


def _grid(nodes: Sequence[Node], x: float, y: float, row: _Row) -> tuple[list[Card], float]:
    """Place cards in columns, those of a line equally high; return them and how high it is all together."""
    cards: list[Card] = []
    down = 0.0
    for start in range(0, len(nodes), row.columns):
        line = [
            _card(node, x + number * (row.card_width + _GAP), y + down, row.card_width)
            for number, node in enumerate(nodes[start : start + row.columns])
        ]
        height = max(card.box.height for card in line)
        cards += [replace(card, box=replace(card.box, height=height)) for card in line]
        down += height + _GAP
    return cards, down - _GAP


def _place_members(drawing: Drawing, picture: Picture, width: float, top: float) -> float:
    """Place the members below, in a group of their own; return where it ends."""
    count = len(picture.members)
    fit = int((drawing.width - _MARGIN - 2 * INSET + _GAP) // (width + _GAP))
    lines = -(-count // max(_columns(count), fit))
    columns = -(-count // lines)
    row = _Row(picture.members, (), (), 0.0, 0.0, columns, width)
    cards, height = _grid(picture.members, _MARGIN + INSET, top + _CAPTION, row)
    right = max(drawing.width, max(card.box.right for card in cards) + INSET)
    box = Box(_MARGIN, top, right - _MARGIN, height + _CAPTION + INSET)
    drawing.groups.append(Group(picture.caption, box))
    drawing.cards += cards
    drawing.width = right
    source = drawing.cards[0].box
    across = source.x + source.width / 2
    drawing.beside = ((across, source.bottom), (across, top))
    return box.bottom


def _columns(members: int) -> int:
    """Return in how many columns members stand at the least."""
    return min(members, 3)


def _card_width(nodes: Sequence[Node]) -> float:
    """Return how wide all cards are: as the widest needs it, within limits."""
    needed = [
        max(
            text_width(node.name, NAME, bold=True) + _beside_name(node),
            text_width(node.place, SMALL),
            text_width(node.state.said, SMALL, bold=True) + 40 if node.state else 0.0,
        )
        for node in nodes
    ]
    return min(_WIDEST, max(_NARROWEST, max(needed) + 2 * INSET))


def _beside_name(node: Node) -> float:
    """Return what sign and kind take of the line with the name."""
    return SIGN + text_width(node.kind_word, SMALL) + 10


def _card(node: Node, x: float, y: float, width: float) -> Card:
    name = wrapped(node.name, width - 2 * INSET - _beside_name(node), NAME, bold=True, lines=3)
    place = wrapped(node.place, width - 2 * INSET, SMALL, lines=3)
    state = BADGE + 7 if node.state else 0.0
    height = 2 * INSET + len(name) * NAME_LINE + len(place) * SMALL_LINE + state - 4
    return Card(node, name, place, Box(x, y, width, height))
