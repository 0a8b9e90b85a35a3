"""A version in the text of one file: what it says, and from where to where it stands.

Each sort of file is read as the tools that own it read it, and no further. Only the place of the version is looked for:
nothing is imported, nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# As hatch finds it, which is what most projects rely on: https://hatch.pypa.io/latest/plugins/version-source/regex/
_PYTHON = re.compile(
    r"""^(?P<name>__version__|VERSION|version)(?:[ \t]*:[ \t]*[\w.\[\]]+)?[ \t]*=[ \t]*(?P<quote>['"])"""
    r"""(?P<version>[^'"\n]+)(?P=quote)""",
    re.MULTILINE,
)
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?P<body>.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.MULTILINE | re.DOTALL)
_PLAIN = re.compile(r"^[ \t\ufeff]*([^#\s][^\r\n]*?)[ \t]*\r?$", re.MULTILINE)
_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]', re.DOTALL)
_SECTION = re.compile(r"^\[(?P<name>[^\]\n]+)\][ \t]*\r?$", re.MULTILINE)
_CFG = re.compile(r"^version[ \t]*[=:][ \t]*(?P<version>[^\s;#][^\r\n]*?)[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Span:
    """A version where it stands.

    Attributes:
        start: the first character that belongs to it, quotes aside.
        end: one past its last character.
        version: what it says.
        quoted: whether quotes stand around it.
    """

    start: int
    end: int
    version: str
    quoted: bool


class NoVersion(Exception):
    """A file does not say a version, or not in a way that can be relied on.

    Args:
        why: what is wrong, to be read after the file's name.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def finder(path: str, key: str) -> Callable[[str], Span]:
    """Return what finds the version in the text of such a file; it raises NoVersion. TOML has a way of its own."""
    name = path.lower()
    if name.endswith(".json"):
        return lambda text: _in_json(text, (key or "version").split("."))
    if name.endswith((".md", ".markdown")):
        return lambda text: _in_front_matter(text, key or "version")
    if name.endswith((".yaml", ".yml", ".cff")):
        return lambda text: _in_yaml(text, key or "version", 0, len(text))
    if name.endswith(".py"):
        return _in_python
    return _in_cfg if name.endswith(".cfg") else _plain


def look_up(document: Mapping[str, Any], keys: list[str]) -> object:
    """Return what stands at keys from the top of a document, None where there is nothing."""
    value: object = document
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _plain(text: str) -> Span:
    """A file that holds the version and nothing else; comments after ``#`` and a ``v`` before it are let be."""
    lines = [(found.start(1), found[1]) for found in _PLAIN.finditer(text)]
    if not lines:
        raise NoVersion("is empty")
    if len(lines) > 1 or len(lines[0][1].split()) > 1:
        raise NoVersion("holds more than one version alone; name a file that says only that")
    at, line = lines[0]
    at, line = (at + 1, line[1:]) if re.match(r"v[0-9]", line) else (at, line)
    return Span(at, at + len(line), line, quoted=False)


def _in_python(text: str) -> Span:
    found = {match["name"]: match for match in reversed(list(_PYTHON.finditer(text)))}
    for name in ("__version__", "VERSION", "version"):
        if name in found:
            match = found[name]
            return Span(*match.span("version"), match["version"], quoted=True)
    raise NoVersion('says no __version__ = "…" at the start of a line')


def _in_cfg(text: str) -> Span:
    sections = list(_SECTION.finditer(text))
    for at, section in enumerate(sections):
        if section["name"] == "metadata":
            end = sections[at + 1].start() if at + 1 < len(sections) else len(text)
            match = _CFG.search(text, section.end(), end)
            if match is not None and not match["version"].startswith(("attr:", "file:")):
                return Span(*match.span("version"), match["version"], quoted=False)
    raise NoVersion("says no version in [metadata]")


def _in_front_matter(text: str, key: str) -> Span:
    front = _FRONT.match(text)
    if front is None:
        raise NoVersion("has no front matter (--- at its top)")
    return _in_yaml(text, key, *front.span("body"))


def _in_yaml(text: str, key: str, start: int, end: int) -> Span:
    """A key at the top of YAML; a value that goes over lines, or is built in any other way, is refused."""
    line = re.compile(
        rf"""^(?:{re.escape(key)}|"{re.escape(key)}"|'{re.escape(key)}')[ \t]*:[ \t]+"""
        r"""(?P<quote>["']?)(?P<version>[^\s"'#&*!|>%@`{\[][^\r\n"']*?)(?P=quote)[ \t]*(?:[ \t]\#[^\r\n]*)?\r?$""",
        re.MULTILINE,
    )
    found = list(line.finditer(text, start, end))
    if not found:
        raise NoVersion(f"says no {key} at the top of its front matter")
    if len(found) > 1:
        raise NoVersion(f"says {key} {len(found)} times")
    return Span(*found[0].span("version"), found[0]["version"], quoted=bool(found[0]["quote"]))


def _in_json(text: str, keys: list[str]) -> Span:
    import json

    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        raise NoVersion("is not JSON that can be read") from None
    said = look_up(document, keys)
    if not isinstance(said, str):
        raise NoVersion(f"says no {'.'.join(keys)}")
    spans = [span for place, span in _json_texts(text) if place == keys]
    # Of two equal keys JSON takes the last one.
    if not spans or json.loads(text[spans[-1][0] : spans[-1][1]]) != said:
        raise NoVersion(f"says {'.'.join(keys)} in a way that cannot be relied on")
    start, end = spans[-1][0] + 1, spans[-1][1] - 1
    return Span(start, end, said, quoted=True)


def _json_texts(text: str) -> Iterator[tuple[list[str], tuple[int, int]]]:
    """Yield each text that is the value of a key, with the keys that lead to it; `text` is known to be JSON."""
    import json

    keys: list[str | None] = []
    lists = 0
    expect_value = False
    for token in _JSON.finditer(text):
        sign = token[0][0]
        if sign in "[{":
            lists += sign == "["
            keys.append(None)
            expect_value = False
        elif sign in "]}":
            lists -= sign == "]"
            keys.pop()
            expect_value = False
        elif sign == ":":
            expect_value = True
        elif sign == ",":
            expect_value = False
        elif expect_value:
            if not lists:
                yield [key for key in keys if key is not None], token.span()
        elif keys:
            keys[-1] = json.loads(token[0])
