"""Finds the forms of the table in bytes, in one pass over those stretches where a token could be.

Every token has a long run of letters; texts and weights have few. So the text is mapped to "letter or not", runs are
found by a plain search, and only beside them is looked for what a token begins with. That is several times quicker
than a search for each beginning, and does not depend on how many there are.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openllm_repos.secrets.forms import FORMS, NAMES, WORDS, Form

RUN = 16  # letters beside each other, at the least, in every token
_SHORT_RUN = 8  # the same in one that was cut off
_LETTERS = (string.ascii_letters + string.digits).encode()
_IN_RUN = bytes(char in _LETTERS + b"_-+/" for char in range(256))
_LOWER = bytes.maketrans(string.ascii_uppercase.encode() + b"-", string.ascii_lowercase.encode() + b"_")
_MARKS = b"_-.=/%"  # a beginning with one of these is looked for by its last one
_BLOB = 32  # so many letters on both sides make a token a piece of Base64
_ESCAPING = frozenset(b"\\%=[;\n~:")
_NEAR = 16  # bytes; so far from the begin of a run may an escape have moved a token
_LONG_ENOUGH, _LONGEST = 1 << 10, 64 << 10  # bytes: to know a token, and to hide all of it
_LOOK_BACK = 80  # bytes; what stands before a token and tells whether it is one is no longer

# A letter before a token may be the end of something else: of an escape, a code of a terminal, an opcode of a pickle.
_ENDS = re.compile(
    rb"(?:\\(?:[abefnrtv]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[0-7]{1,3})"
    rb"|[%=][0-9A-Fa-f]{2}|(?:\x1b|1[bB]|33|\\e)\[[0-9;?]*[A-Za-z]|(?:\A|\n)V)\Z"
)
_PLACEHOLDER = re.compile(
    rb"example|sample|placeholder|change|your|dummy|fake|test|todo|xxx|redacted|secret|pass|token|key|insert|none|null"
    rb"|undefined|user|special|reserved|environ|config|settings|self|args|params|value|string|hidden|mask",
    re.IGNORECASE,
)


_VALUES = frozenset({"value", "bare", "random", "password"})  # the groups that are secret
_KINDS = {"a": re.compile(b"[a-z]"), "A": re.compile(b"[A-Z]"), "0": re.compile(b"[0-9]")}
_WORD, _WORDS, _DIGIT, _LETTER, _RUN = (
    re.compile(form) for form in (rb"[A-Za-z0-9_]", rb"[A-Za-z0-9_]{4}", rb"[0-9]", rb"[A-Za-z]", rb"[A-Za-z0-9_+-]+")
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Something of a known form.

    Attributes:
        start: where it begins.
        end: behind its last byte.
        form: the row of the table.
    """

    start: int
    end: int
    form: Form


def find(data: bytes, *, binary: bool, named: bool = True, cut_off: bool = False) -> Iterator[Hit]:
    """Yield what has a known form, in no order; one place may come more than once.

    Args:
        data: the text.
        binary: it is none: no letter beside a token speaks against it, and every second byte is looked at too, since
            a text in UTF-16 has its letters there.
        named: look for what only its name tells, where it is a text.
        cut_off: yield cut-off tokens, placeholders and the rest of keys as well.
    """
    yield from _find(data, binary=binary, cut_off=cut_off)
    if named and not binary:
        yield from _by_words(data, data.translate(_LOWER), _table().names, binary=False, cut_off=cut_off)
    if binary:
        for first in (0, 1):
            for hit in _find(data[first::2], binary=True, cut_off=cut_off):
                start, end = 2 * hit.start + first, 2 * hit.end + first
                if not data[start + 1 : end - 1 : 2].strip(b"\0"):
                    yield Hit(start, end - 1, hit.form)


def _find(data: bytes, *, binary: bool, cut_off: bool) -> Iterator[Hit]:
    table = _table()
    pairs, marked = table.pairs, table.marked.search
    letters = data.translate(_IN_RUN)
    wanted = b"\1" * (_SHORT_RUN if cut_off else RUN)
    at = letters.find(wanted)
    while at >= 0:  # this loop takes the time where there are many runs, so most of them leave it early
        end = letters.find(b"\0", at)
        end = len(data) if end < 0 else end
        start = at - 2 if at > 2 else 0
        if binary or not at or data[at - 1] in _ESCAPING or data[at : at + 2] in pairs:
            for anchor in table.plain.finditer(data, start, end if binary else min(end, at + _NEAR)):
                yield from _of_rows(data, table.rows[anchor.group()], anchor.start(), binary=binary, cut_off=cut_off)
        found = marked(data, start, end)
        while found is not None:
            after = found.end()
            for hit in _of_rows(data, *table.anchored(data, found), binary=binary, cut_off=cut_off):
                yield hit
                after = max(after, hit.end) if cut_off else after  # what is hidden need not be looked at again
            found = marked(data, after, end) if after < end else None
        at = letters.find(wanted, end)
    yield from _by_words(data, data, table.words, binary=binary, cut_off=cut_off)


def _of_rows(data: bytes, rows: _Rows, anchor: int, *, binary: bool, cut_off: bool) -> Iterator[Hit]:
    for begin, shift, row in rows:
        at = anchor - shift
        if at >= 0 and data.startswith(begin, at):
            hit = row.match(data, at, len(begin), binary=binary, cut_off=cut_off)
            if hit is not None:
                yield hit


class _Row:
    """A form, its patterns compiled when they are needed first."""

    def __init__(self, form: Form, flags: int = 0) -> None:
        self.form = form
        self._flags = flags

    @functools.cached_property
    def body(self) -> re.Pattern[bytes]:
        return re.compile(self.form.body.encode(), self._flags)

    @functools.cached_property
    def _before(self) -> re.Pattern[bytes]:
        return re.compile(f"(?:{self.form.before})\\Z".encode())

    @functools.cached_property
    def _short(self) -> re.Pattern[bytes]:
        return re.compile(self.form.short.encode())

    @functools.cached_property
    def rest(self) -> re.Pattern[bytes]:
        return re.compile(self.form.rest.encode())

    def match(self, data: bytes, at: int, length: int, *, binary: bool, cut_off: bool) -> Hit | None:
        """Return what begins `at`, with so many literal bytes; None where it is something else."""
        start = at
        if self.form.before:
            before = self._before.search(data[max(0, at - _LOOK_BACK) : at])
            if before is None:
                return None
            start -= len(before.group())
        body, behind = self.body, at + length
        # bounded, since many beginnings could stand in one run that goes on for megabytes
        found = body.match(data, behind, at + _LONG_ENOUGH)
        if found and not self._is_whole(data, start, found, binary=binary):
            found = None
        if not found and cut_off and self.form.short:
            body = self._short
            found = body.match(data, behind, at + _LONG_ENOUGH)
        if not found or not (binary or _begins(data, start, found.end())) or _is_inside_blob(data, start, found.end()):
            return None
        if cut_off and found.end() == at + _LONG_ENOUGH:
            found = body.match(data, behind, at + _LONGEST) or found
        return Hit(start, found.end(), self.form) if cut_off or not _is_placeholder(found.group()) else None

    def _is_whole(self, data: bytes, start: int, found: re.Match[bytes], *, binary: bool) -> bool:
        """Whether a body ends where it matched, and is no row of words."""
        body, end = found.group(), found.end()
        if not all(_KINDS[kind].search(body) for kind in self.form.mixed):
            return False
        if not self.form.exact or (binary and self.form.glued) or not _WORD.match(data, end):
            return True
        return not _WORDS.match(data, end) if binary else _has_length_before(data, start, end)


_Rows = Sequence[tuple[bytes, int, _Row]]


@dataclass(frozen=True, slots=True)
class _Table:
    """The table, ready for a search.

    Attributes:
        rows: by the last mark in what a form begins with and the two bytes before it, or by all of it where it has no
            mark: the beginning, how far into it the mark is, and the form.
        marked: matches a mark that could be one of those; its group is a beginning without a mark that follows.
        plain: matches beginnings without a mark. In a text they stand at the begin of a run or behind a mark.
        words: the forms that are found by a word.
        names: the forms that are found by a name.
    """

    rows: dict[bytes, list[tuple[bytes, int, _Row]]]
    marked: re.Pattern[bytes]
    plain: re.Pattern[bytes]
    pairs: frozenset[bytes]
    words: tuple[tuple[bytes, _Row], ...]
    names: tuple[tuple[bytes, _Row], ...]

    def anchored(self, data: bytes, anchor: re.Match[bytes]) -> tuple[_Rows, int]:
        """Return the rows that an anchor of `marked` may stand for, and where it is."""
        mark = anchor.start()
        if anchor.lastindex:
            return self.rows[anchor[anchor.lastindex]], mark + 1
        return self.rows.get(data[max(0, mark - 2) : mark + 1]) or self.rows.get(anchor.group(), []), mark


@functools.cache
def _table() -> _Table:
    rows: dict[bytes, list[tuple[bytes, int, _Row]]] = {}
    keys: dict[int, list[bytes]] = {mark: [] for mark in _MARKS}
    after: dict[int, list[bytes]] = {mark: [] for mark in _MARKS}
    plains: list[bytes] = []
    for form in FORMS:
        row = _Row(form)
        for begin in map(str.encode, form.starts.split(" ")):
            shift = max(begin.rfind(mark) for mark in _MARKS)
            key = begin[shift - 2 : shift + 1] if shift >= 2 else begin[:1] if not shift else begin
            rows.setdefault(key, []).append((begin, max(0, shift), row))
            if shift >= 2:
                keys[key[-1]].append(key)
            elif not shift:
                after[key[0]].append(re.escape(begin[1:]))
            else:
                plains.append(begin)
    plain = b"|".join(map(re.escape, plains))
    marked = []
    for mark, some in keys.items():
        before = b"".join(b"[" + re.escape(bytes({key[place] for key in some})) + b"]" for place in (0, 1))
        char = re.escape(bytes([mark]))
        ways = [b"(?<=%b%b)" % (before, char), *(b"(?=%b)" % one for one in after[mark])]
        if mark in b"-/":
            ways.append(b"(%b)" % plain)
        marked.append(b"%b(?:%b)" % (char, b"|".join(ways)))
    return _Table(
        rows,
        re.compile(b"|".join((*marked, rb"\+(?=(%b))" % plain))),
        re.compile(plain),
        frozenset(begin[:2] for begin in plains),
        tuple((word.encode(), _Row(form)) for word, form in WORDS),
        tuple((word.encode(), _Row(form, re.IGNORECASE)) for word, form in NAMES),
    )


def _by_words(
    data: bytes, view: bytes, words: tuple[tuple[bytes, _Row], ...], *, binary: bool, cut_off: bool
) -> Iterator[Hit]:
    for word, row in words:
        at = view.find(word)
        while at >= 0:
            if row.form.starts:
                hit = row.match(data, at, len(word), binary=binary, cut_off=cut_off)
            else:
                found = row.body.match(data, at)
                hit = _value(data, found, row, cut_off=cut_off) if found else None
            if hit:
                yield hit
            at = view.find(word, max(at + 1, hit.end) if hit and cut_off else at + 1)


def _value(data: bytes, found: re.Match[bytes], row: _Row, *, cut_off: bool) -> Hit | None:
    """Return the part of a match that is secret, where it tells anything."""
    groups = {name: text for name, text in found.groupdict().items() if text is not None and name in _VALUES}
    if not groups:
        end = found.end()
        if cut_off and row.form.rest and (rest := row.rest.match(data, end)):
            end = rest.end()
        return Hit(found.start(), end, row.form)
    [(name, text)] = groups.items()
    if _is_placeholder(text) or _PLACEHOLDER.search(text):
        return None
    if not row.form.sure and not _tells(name, text):
        return None
    return Hit(found.start(name), found.end(name), row.form)


def _tells(name: str, text: bytes) -> bool:
    """Whether a value is none of those that programs and settings are full of: names, words, paths."""
    if name == "password":
        return True
    digits = len(_DIGIT.findall(text))
    if len(set(text)) < 5 or not _LETTER.search(text):
        return False
    if name == "value":
        return b".." not in text and b"**" not in text and (digits > 0 or any(char in text for char in b"!@#$%^&*+?~"))
    if name == "bare" or not any(char in text for char in b"_-/"):
        return digits > 1
    return digits > 1 and text.lower() != text and text.upper() != text


def _begins(data: bytes, start: int, end: int) -> bool:
    """Whether something begins there, and is not the end of a longer word."""
    if not start or not _WORD.match(data, start - 1) or _has_length_before(data, start, end):
        return True
    return _ENDS.search(data[max(0, start - 24) : start]) is not None


def _has_length_before(data: bytes, start: int, end: int) -> bool:
    """Whether the byte before is the length, as in protobuf and in pickles."""
    return start > 0 and data[start - 1] == end - start


def _is_inside_blob(data: bytes, start: int, end: int) -> bool:
    if start < _BLOB or len(data) < end + _BLOB:
        return False
    return _RUN.fullmatch(data, start - _BLOB, start) is not None and _RUN.fullmatch(data, end, end + _BLOB) is not None


def _is_placeholder(body: bytes) -> bool:
    """Whether it is what an example has in place of a token."""
    return not body.strip(b"xX0*._-") or b"EXAMPLE" in body
