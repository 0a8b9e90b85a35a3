"""Comments and blank lines of a TOML document while tables come and go (on tomlkit's tree).

tomlkit keeps what stands between two headers in the table above, so a plain deletion would take the next table's
comment along, and a plain addition would land below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tomlkit import TOMLDocument
from tomlkit.items import AoT, Comment, Table, Whitespace

Section = tuple[tuple[str, ...], Table]
"""A table with a header of its own, and its keys from the top."""


def add_key(table: Table, key: str, value: object) -> None:
    """Write a new key into a table that has a header: right after its last key, above comments that follow."""
    from tomlkit import document

    line = document()
    line[key] = value
    plain = [item for name, item in table.value.body if name is not None and not isinstance(item, Table | AoT)]
    trivia = (plain[-1] if plain else table).trivia
    newline = "\r\n" if "\r\n" in trivia.trail else "\n"
    trivia.trail = (trivia.trail or newline) + line.as_string().rstrip("\n") + newline


def remove_table(document: TOMLDocument, path: tuple[str, str]) -> None:
    """Delete a table and all below it.

    The comment right above its header goes too; one above the header that follows, or after a blank line, stays.
    """
    sections = list(_sections(document.body))
    below = [keys[: len(path)] == path for keys, _ in sections]
    text_at_end = ""
    for at, (_, table) in enumerate(sections):
        if below[at] and (at + 1 == len(sections) or not below[at + 1]):
            kept = _after_blank(_tail(table.value.body))
            if at + 1 == len(sections):
                text_at_end = kept
            else:
                following = sections[at + 1][1].trivia
                following.indent = kept + following.indent
        if below[at] and (at == 0 or not below[at - 1]):
            _drop_attached(_tail(sections[at - 1][1].value.body if at else document.body))
    parent: Any = document[path[0]]
    del parent[path[1]]
    if text_at_end:
        from tomlkit import ws

        document.body.append((None, ws(text_at_end)))


def _sections(body: list[Any], path: tuple[str, ...] = ()) -> Iterator[Section]:
    for key, item in body:
        tables = item.body if isinstance(item, AoT) else [item] if isinstance(item, Table) else []
        for table in tables:
            keys = (*path, key.key)
            if not table.is_super_table():
                yield keys, table
            yield from _sections(table.value.body, keys)


def _tail(body: list[Any]) -> list[Any]:
    """Return the comments and blank lines between the last key of a table and the header that follows."""
    tail: list[Any] = []
    for key, item in body:
        if isinstance(item, Table | AoT):
            break
        if key is None:
            tail.append(item)
        else:
            tail.clear()
    return tail


def _after_blank(tail: list[Any]) -> str:
    blank = next((at for at, item in enumerate(tail) if isinstance(item, Whitespace)), -1)
    comments = [at for at, item in enumerate(tail) if isinstance(item, Comment) and at > blank]
    return "".join(item.as_string() for item in tail[comments[0] :]) if comments else ""


def _drop_attached(tail: list[Any]) -> None:
    first = len(tail)
    while first and isinstance(tail[first - 1], Comment):
        first -= 1
    if first and isinstance(tail[first - 1], Whitespace):
        for comment in tail[first:]:
            comment.trivia.indent = comment.trivia.comment = comment.trivia.trail = ""
