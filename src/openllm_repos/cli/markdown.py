"""Foreign text in Markdown as GitHub renders it: shown as it is, never a cell, tag, link or mention of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openllm_repos.text import redact, show

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~])")
_TICKS = re.compile(r"`+")
_LINKABLE = re.compile(r"https://[A-Za-z0-9._~/@%+=-]+")
# What becomes a link by itself is broken up by a blank without width, as an entity so that it can be seen in the text.
_BREAK = "&#8203;"
_BY_ITSELF = re.compile(r"@(?=\w)|#(?=\d)|:(?=//)|(?<=\bwww)\.|(?<=\bGH)-(?=\d)", re.IGNORECASE)
_LONGEST = 200  # characters of foreign text in a cell


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of Markdown that can be cut between two of its lines.

    Attributes:
        head: what begins it, such as the fence of a block.
        lines: what may be left out from the end.
        foot: what ends it.
    """

    lines: tuple[str, ...]
    head: tuple[str, ...] = ()
    foot: tuple[str, ...] = ()


def plain(text: str) -> str:
    """Return foreign text as prose on one line."""
    words = " ".join(show(redact(text)).split()).replace("&", "&amp;")
    pieces = _BY_ITSELF.split(words)
    marks = [mark[0] for mark in _BY_ITSELF.finditer(words)]
    escaped = [_MARKUP.sub(r"\\\1", piece) for piece in pieces]
    joined = [_MARKUP.sub(r"\\\1", mark) + _BREAK for mark in marks]
    return "".join(piece + mark for piece, mark in zip(escaped, [*joined, ""], strict=True))


def code(text: str) -> str:
    """Return foreign text as code on one line, also in a cell of a table; a bar becomes an escape."""
    words = show(redact(text)).replace("\n", "\\n").replace("\t", "\\t").replace("|", "\\x7c")
    if not words.strip():
        return "-"
    if len(words) > _LONGEST:
        words = words[: _LONGEST - 1] + "…"
    fence = "`" * (_longest_ticks(words) + 1)
    room = " " if fence != "`" or words != words.strip() else ""
    return f"{fence}{room}{words}{room}{fence}"


def link(text: str, url: str) -> str:
    """Return foreign text as a link, where the URL is one that needs no escapes; else as code."""
    return f"[{code(text)}]({url})" if _LINKABLE.fullmatch(url) else code(text)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Part:
    """Return a table; its cells are Markdown already."""
    lines = tuple(f"| {' | '.join(row)} |" for row in rows)
    return Part(lines, head=(f"| {' | '.join(headings)} |", "|" + " --- |" * len(headings)), foot=("",))


def block(lines: Iterable[str], *, folded: str = "") -> Part:
    """Return lines as they would stand on a terminal; with `folded` they open at a click on those words of ours."""
    shown = tuple(line for text in lines for line in show(redact(text)).split("\n"))
    fence = "`" * max(3, _longest_ticks("\n".join(shown)) + 1)
    head = (f"<details><summary>{folded}</summary>", "") if folded else ()
    foot = ("", "</details>") if folded else ()
    return Part(shown, head=(*head, f"{fence}text"), foot=(fence, *foot, ""))


def fitted(parts: Iterable[Part], room: int) -> str:
    """Return parts as one text of at most `room` bytes; what is cut is said, and no part is left open."""
    said = "The rest is left out here: a summary may have 1 MiB. The log has all of it.\n"
    left = room - len(said) - 1
    written: list[str] = []
    for part in parts:
        whole = [*part.head, *part.lines, *part.foot]
        size = _size(whole)
        if size <= left:
            written += whole
            left -= size
            continue
        left -= _size([*part.head, *part.foot])
        if left > 0:
            written += part.head
            for line in part.lines:
                left -= _size([line])
                if left < 0:
                    break
                written.append(line)
            written += part.foot
        written += ["", said.rstrip("\n")] if room > len(said) + 1 else []
        break
    return "".join(f"{line}\n" for line in written)


def _size(lines: Iterable[str]) -> int:
    return sum(len(line.encode("utf-8", "replace")) + 1 for line in lines)


def _longest_ticks(text: str) -> int:
    return max((len(run[0]) for run in _TICKS.finditer(text)), default=0)
