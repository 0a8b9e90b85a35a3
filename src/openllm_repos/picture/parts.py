"""Parts that the sections of the page share: headings, tables, badges, and the next command to type."""

from __future__ import annotations

from collections.abc import Sequence

from openllm_repos.picture.look import TONE_SIGNS
from openllm_repos.picture.markup import element, text
from openllm_repos.picture.model import Tone
from openllm_repos.status.problems import Step, next_steps


def section(name: str, title: str, content: str) -> str:
    """Return a section with its heading; `content` is markup."""
    heading = element("h2", text(title), id=f"{name}-heading")
    return element("section", heading + content, id=name, aria_labelledby=f"{name}-heading")


def badge(said: str, tone: Tone) -> str:
    """Return words in the colour of a tone, with the sign of that tone before them."""
    sign = element("svg", element("path", d=TONE_SIGNS[tone]), viewBox="0 0 16 16", aria_hidden="true")
    return element("span", sign + text(said), class_=f"badge {tone}")


def table(caption: str, headings: Sequence[str], rows: Sequence[str]) -> str:
    """Return a table that scrolls by itself where the page is narrow; `rows` are markup."""
    head = "".join(element("th", text(heading), scope="col") for heading in headings)
    inside = f"{element('caption', text(caption))}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return element("div", element("table", inside), class_="scroll", tabindex="0", role="group", aria_label=caption)


def next_step(following: str) -> str:
    """Return the next step, which may be several: commands as such, and words as words."""
    if not following:
        return ""
    steps = "".join(_step(step) for step in next_steps(following))
    return element("p", f'<span class="faint">Next</span>{steps}', class_="next")


def _step(step: Step) -> str:
    word = element("span", text(step.word)) if step.word else ""
    return word + element("code" if step.command else "span", text(step.text))
