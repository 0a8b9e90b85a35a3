"""One component of a path pattern: which names of files or folders it stands for.

``*`` stands for any characters, ``?`` for one, ``[a-z_]`` for one of a set and ``[!a-z_]`` for one outside it. A name
is read as UTF-8; each byte that is not UTF-8 counts as one character, so every name that git can store has one reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from openllm_repos.errors import NameRefused
from openllm_repos.names.plain import quoted

Ranges = tuple[tuple[int, int], ...]
"""A set of characters: code point ranges, both ends included, sorted and apart."""

Token = Ranges | None
"""One character out of a set, or None for ``*``: any number of any characters."""

_LAST: Final = 0x10FFFF
ANY_CHARACTER: Final[Ranges] = ((1, ord("/") - 1), (ord("/") + 1, _LAST))
"""What a name in a tree can hold: everything but NUL and ``/``."""

_MEMO_LIMIT: Final = 1 << 17


def tokens_of(text: str) -> tuple[Token, ...]:
    """Read one component that is not ``**``.

    Raises:
        NameRefused: ``[`` without ``]``, an empty or backward range, ``[^``, or ``**`` beside other characters.
    """
    if "**" in text:
        raise NameRefused(f"{quoted(text)} has '**' beside other characters; '**' stands alone between two '/'")
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "[":
            end = text.find("]", at + (3 if text[at + 1 : at + 2] == "!" else 2))
            if end < 0:
                raise NameRefused(f"{quoted(text)} has a '[' without its ']'; write '[[]' for the character itself")
            tokens.append(_set_of(text[at + 1 : end], text))
            at = end
        elif char == "?":
            tokens.append(ANY_CHARACTER)
        else:
            tokens.append(None if char == "*" else ((ord(char), ord(char)),))
        at += 1
    return tuple(tokens)


def _set_of(body: str, whole: str) -> Ranges:
    if body[0] == "^":
        raise NameRefused(f"{quoted(whole)} has a set that starts with '^'; write '[!…]' for every character but these")
    negated = body[0] == "!"
    ranges: list[tuple[int, int]] = []
    at = 1 if negated else 0
    while at < len(body):
        last = at + 2 if body[at + 1 : at + 2] == "-" and at + 2 < len(body) else at
        if body[last] < body[at]:
            raise NameRefused(
                f"{quoted(whole)} has the backward range {quoted(body[at : last + 1])}; write the lower end first"
            )
        ranges.append((ord(body[at]), ord(body[last])))
        at = last + 1
    merged = _merged(ranges)
    return common(_complement(merged), ANY_CHARACTER) if negated else common(merged, ANY_CHARACTER)


def _merged(ranges: list[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _complement(ranges: Ranges) -> Ranges:
    starts = (0, *(high + 1 for _, high in ranges))
    ends = (*(low - 1 for low, _ in ranges), _LAST)
    return tuple((start, end) for start, end in zip(starts, ends, strict=True) if start <= end)


def common(first: Ranges, second: Ranges) -> Ranges:
    """Return the characters that both sets hold."""
    return tuple(
        (max(low, other_low), min(high, other_high))
        for low, high in first
        for other_low, other_high in second
        if max(low, other_low) <= min(high, other_high)
    )


def _regex_of(tokens: tuple[Token, ...]) -> re.Pattern[str]:
    # Between two stars stand only single characters, so the earliest place where they fit is always a right one: each
    # stretch is atomic and the match takes time in proportion to name times pattern, whatever the pattern.
    chunks: list[str] = [""]
    for token in tokens:
        if token is None:
            chunks.append("")
        else:
            chunks[-1] += "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in token) + "]"
    head, *rest = chunks
    middle = "".join(f"(?>.*?{chunk})" for chunk in rest[:-1])
    tail = f".*{rest[-1]}" if rest else ""
    return re.compile(head + middle + tail, re.DOTALL)


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a pattern between two ``/``.

    Attributes:
        text: as written; ``**`` stands for folders (see :mod:`openllm_repos.names.pattern`) and matches any one name.
        tokens: what it is made of; empty for ``**``.

    Raises:
        NameRefused: see :func:`tokens_of`.
    """

    text: str
    tokens: tuple[Token, ...] = field(init=False, repr=False, compare=False)
    is_globstar: bool = field(init=False, repr=False, compare=False)
    is_literal: bool = field(init=False, repr=False, compare=False)
    _literal: bytes = field(init=False, repr=False, compare=False)
    _regex: re.Pattern[str] | None = field(init=False, repr=False, compare=False)
    _memo: dict[bytes, bool] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        globstar = self.text == "**"
        tokens = () if globstar else tokens_of(self.text)
        literal = not globstar and not any(char in self.text for char in "*?[")
        put = object.__setattr__
        put(self, "tokens", tokens)
        put(self, "is_globstar", globstar)
        put(self, "is_literal", literal)
        put(self, "_literal", self.text.encode() if literal else b"")
        put(self, "_regex", None if globstar or literal else _regex_of(tokens))

    def matches(self, name: bytes) -> bool:
        """Tell whether `name`, one name as git stores it, is one that this component stands for."""
        if self.is_literal:
            return name == self._literal
        if self._regex is None:
            return True
        found = self._memo.get(name)
        if found is None:
            if len(self._memo) >= _MEMO_LIMIT:
                self._memo.clear()
            found = self._memo[name] = self._regex.fullmatch(name.decode("utf-8", "surrogateescape")) is not None
        return found
