"""The colours of pictures and pages, in light and in dark, and the signs that stand beside the words."""

from __future__ import annotations

from dataclasses import dataclass

from openllm_repos.manifest.model import Kind
from openllm_repos.picture.model import Tone

SANS = 'system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif'
MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace'


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours of one scheme. Text on its own ground has a contrast of 4.5 at the least.

    Attributes:
        ground: behind everything.
        raised: of cards.
        sunken: of groups, and behind code.
        edge: of cards and lines in tables.
        ink: of text.
        faint: of text that matters less.
        accent: of links, and of the source.
        line: of arrows.
        tones: text and ground of each tone.
    """

    ground: str
    raised: str
    sunken: str
    edge: str
    ink: str
    faint: str
    accent: str
    line: str
    tones: dict[Tone, tuple[str, str]]


LIGHT = Scheme(
    ground="#fbfbfa",
    raised="#ffffff",
    sunken="#f2f2ef",
    edge="#dcdcd6",
    ink="#1d2126",
    faint="#5b626b",
    accent="#2f4fb8",
    line="#8b93a0",
    tones={Tone.GOOD: ("#14603a", "#e2f4e8"), Tone.TODO: ("#764700", "#fdf0d3"), Tone.BAD: ("#98202b", "#fce6e6")},
)
DARK = Scheme(
    ground="#14171b",
    raised="#1c2127",
    sunken="#181c21",
    edge="#343b44",
    ink="#e8eaed",
    faint="#a3acb8",
    accent="#a9bdff",
    line="#76808d",
    tones={Tone.GOOD: ("#86dfab", "#15301f"), Tone.TODO: ("#f2c873", "#37290b"), Tone.BAD: ("#ffa6a6", "#401a1d")},
)

# Signs of 16 by 16, as paths that are drawn by a line. Each tone has a shape of its own.
TONE_SIGNS = {
    Tone.GOOD: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M5 8.2l2.1 2.1L11 6",
    Tone.TODO: "M8 1.3L14.7 8L8 14.7L1.3 8ZM8 5v3.4M8 10.8v.2",
    Tone.BAD: "M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2L1.5 10.8V5.2ZM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
}
_BRANCH = "M4.5 4.9v6.2M4.5 8.5h4.2a2.8 2.8 0 0 0 2.8-2.8M4.5 1.5a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4"
_BRANCH += "M4.5 11.1a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4M11.5 2.3a1.7 1.7 0 1 0 0 3.4a1.7 1.7 0 1 0 0-3.4"
KIND_SIGNS = {
    Kind.GITHUB: _BRANCH,
    Kind.GIT: _BRANCH,
    Kind.SPACE: "M1.5 3.5h13v9h-13ZM1.5 6h13M6.6 7.7v3.4l3-1.7Z",
    Kind.MODEL: "M8 1.5l5.7 3.2v6.6L8 14.5L2.3 11.3V4.7ZM2.5 4.8L8 8l5.5-3.2M8 8v6.4",
    Kind.DATASET: "M2.5 4c0-3 11-3 11 0v8c0 3-11 3-11 0ZM2.5 4c0 3 11 3 11 0M2.5 8c0 3 11 3 11 0",
}


def svg_style(prefix: str) -> str:
    """Return the style of a picture: colours written out, so that programs which know no variables show it too.

    Args:
        prefix: what the rules apply to, so that a page around the picture keeps its own.
    """
    dark = _svg_colours(DARK, prefix)
    fonts = (
        f"{prefix} text{{font-family:{SANS};font-size:12px}}"
        f"{prefix} .heading{{font-size:19px;font-weight:650}}"
        f"{prefix} .name{{font-size:15px;font-weight:600}}"
        f"{prefix} .said{{font-weight:600}}"
        f"{prefix} .path{{font-family:{MONO}}}"
        f"{prefix} .sign{{fill:none;stroke-width:1.4;stroke-linecap:round;stroke-linejoin:round}}"
        f"{prefix} .arrow{{fill:none;stroke-width:1.6}}"
        f"{prefix} .beside{{fill:none;stroke-width:1.4;stroke-dasharray:2 4;stroke-linecap:round}}"
    )
    own = _OWN_COLOURS.replace("{p}", prefix)
    return f"{fonts}{_svg_colours(LIGHT, prefix)}@media screen and (prefers-color-scheme:dark){{{dark}}}{own}"


# Who has colours of their own set for everything gets those: shapes are told apart by their edges then.
_OWN_COLOURS = (
    "@media (forced-colors:active){"
    "{p} rect,{p} .pill{fill:Canvas!important;stroke:CanvasText!important}"
    "{p} .source{stroke:Highlight!important;stroke-width:3}"
    "{p} text,{p} .head{fill:CanvasText!important}"
    "{p} .sign,{p} .arrow,{p} .beside{stroke:CanvasText!important}}"
)


def _svg_colours(scheme: Scheme, prefix: str) -> str:
    rules = {
        ".ground": f"fill:{scheme.ground};stroke:{scheme.edge}",
        ".node": f"fill:{scheme.raised};stroke:{scheme.edge}",
        ".source": f"fill:{scheme.raised};stroke:{scheme.accent};stroke-width:1.6",
        ".group": f"fill:{scheme.sunken};stroke:{scheme.edge}",
        ".chip": f"fill:{scheme.ground};stroke:{scheme.edge}",
        ".heading,{p} .name,{p} .path": f"fill:{scheme.ink}",
        ".faint": f"fill:{scheme.faint}",
        ".sign": f"stroke:{scheme.faint}",
        ".arrow,{p} .beside": f"stroke:{scheme.line}",
        ".head": f"fill:{scheme.line}",
    }
    for tone, (ink, ground) in scheme.tones.items():
        rules[f".{tone} .pill"] = f"fill:{ground}"
        rules[f".{tone} .said"] = f"fill:{ink}"
        rules[f".{tone} .sign"] = f"stroke:{ink}"
    return "".join(f"{prefix} {where.replace('{p}', prefix)}{{{rule}}}" for where, rule in rules.items())
