"""Parts that the sections of the page share: headings, tables, badges, and the next command to type."""

from __future__ import annotations

from collections.abc import Sequence

from openllm_repos.hint import NextStep, next_steps
from openllm_repos.picture.look import TONE_SIGNS
from openllm_repos.picture.markup import element, text
from openllm_repos.picture.model import Tone

_ONE_LINE = 24  # characters of a name in a table


def section(name: str, title: str, content: str) -> str:
    """Return a section with its heading; `content` is markup."""
    heading = element("h2", text(title), id=f"{name}-heading")
    return element("section", heading + content, id=name, aria_labelledby=f"{name}-heading")


def counted(count: int, noun: str) -> str:
    """Return a number with its noun (``1 file``, ``2 files``)."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def drift_id(repo: str) -> str:
    """Return the id of what is said of a target's drift."""
    return f"drift-{repo}"


def sign(tone: Tone) -> str:
    """Return the sign of a tone; words have to stand beside it."""
    return element("svg", element("path", d=TONE_SIGNS[tone]), viewBox="0 0 16 16", aria_hidden="true")


def badge(said: str, tone: Tone) -> str:
    """Return words in the colour of a tone, with the sign of that tone before them."""
    return element("span", sign(tone) + text(said), class_=f"badge {tone} {_broken(said) or ''}".rstrip())


def nothing(said: str = "none") -> str:
    """Return a dash, and for those who hear the page a word."""
    return f'<span aria-hidden="true">-</span>{element("span", text(said), class_="hidden")}'


def table(caption: str, headings: Sequence[str], rows: Sequence[str]) -> str:
    """Return a table; `rows` are markup. Where the page is narrow, each row is a list of its cells, with headings."""
    head = "".join(element("th", text(heading), scope="col", class_=_broken(heading)) for heading in headings)
    said = element("caption", element("span", text(caption)))
    inside = (
        f"{said}<thead><tr>{head}</tr></thead><tbody>{''.join(_labelled(row, headings[1:]) for row in rows)}</tbody>"
    )
    return element("div", element("table", inside), class_="scroll", tabindex="0", role="group", aria_label=caption)


def _labelled(row: str, headings: Sequence[str]) -> str:
    first, *cells = row.split("<td")
    labels = (f'<td data-label="{text(heading)}"' for heading in headings)
    return first + "".join(label + cell for label, cell in zip(labels, cells, strict=True))


def row_heading(name: str, content: str) -> str:
    """Return the heading of a row of a table; `content` is markup that shows `name`."""
    return element("th", content, scope="row", class_=_broken(name))


def _broken(name: str) -> str | None:
    """Return the class of names that are too long to stand on one line."""
    return "long" if len(name) > _ONE_LINE else None


def next_step(following: str) -> str:
    """Return the next step, which may be several: commands as such, and words as words."""
    if not following:
        return ""
    steps = " ".join(_step(step) for step in next_steps(following))
    return element("p", f'<span class="faint">Next</span> {steps}', class_="next")


def _step(step: NextStep) -> str:
    remark = f" {element('span', text(step.remark))}" if step.remark else ""
    return element("code" if step.is_command else "span", text(step.text)) + remark
