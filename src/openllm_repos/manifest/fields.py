"""Reads the keys of one table of a manifest, each into its type; what is wrong becomes a fault, never an exception."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from openllm_repos.errors import NameRefused
from openllm_repos.manifest.faults import Faults, Place
from openllm_repos.manifest.limits import ENTRIES, KEYS, PATTERN
from openllm_repos.names.plain import quoted

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


def type_of(value: object) -> str:
    """Return what a TOML value is, in words ("a number")."""
    if isinstance(value, bool):
        return "true or false"
    for kinds, words in (((str,), "text"), ((int, float), "a number"), ((list,), "an array"), ((dict,), "a table")):
        if isinstance(value, kinds):
            return words
    return "a date or time"


class Table:
    """One table of the manifest.

    Args:
        faults: where faults go.
        place: where the table stands.
        value: what stands there; anything but a table is a fault and reads as an empty one.
        known: the keys that it may have, beside those that start with ``x-``.
    """

    def __init__(self, faults: Faults, place: Place, value: object, known: Sequence[str]) -> None:
        self.faults = faults
        self.place = place
        self.is_table = isinstance(value, dict)
        self.keys: dict[str, Any] = value if isinstance(value, dict) else {}
        self.inherited: dict[str, Place] = {}
        if not self.is_table:
            faults.add(place, f"is {type_of(value)}; write a table with the keys {', '.join(known)}")
        if len(self.keys) > KEYS:
            faults.add(place, f"has {len(self.keys):,} keys; a table has {KEYS:,} at most")
            self.keys = {key: self.keys[key] for key in known if key in self.keys}
        for key in self.keys:
            if key not in known and not key.startswith("x-"):
                guess = faults.guess(key, known)
                self.fault(
                    key, f"is not a key here{guess}" if guess else f"is not a key here; known are {', '.join(known)}"
                )

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self.keys

    def inherit(self, defaults: Table, keys: Sequence[str]) -> None:
        """Take the keys that it lacks from another table; what is wrong with them is told of that one."""
        self.inherited = {key: (*defaults.place, key) for key in keys if key in defaults.keys and key not in self.keys}
        self.keys = self.keys | {key: defaults.keys[key] for key in self.inherited}

    def at(self, key: str) -> Place:
        """Return where a key stands, or would."""
        return self.inherited.get(key, (*self.place, key))

    def fault(self, key: str, what: str) -> None:
        """Note a fault of one key."""
        self.faults.add(self.at(key), what)

    def required(self, key: str, example: str) -> bool:
        """Note a fault if the key is not there; return whether it is."""
        if self.is_table and key not in self.keys:
            self.fault(key, f"is missing; write {key} = {example}")
        return key in self.keys

    def text(self, key: str, parse: Callable[[str], _T]) -> _T | None:
        """Return the text of a key, parsed; None where it is missing or faulty."""
        return self._parsed(self.at(key), self.keys[key], parse) if key in self.keys else None

    def texts(self, key: str, parse: Callable[[str], _T], *, alone: bool = False) -> tuple[_T, ...]:
        """Return an array of texts, each parsed, without the faulty ones; `alone` also takes one text by itself."""
        return tuple(item for _, item in self.numbered(key, parse, alone=alone))

    def numbered(
        self, key: str, parse: Callable[[str], _T], *, alone: bool = False, distinct: bool = False
    ) -> tuple[tuple[int, _T], ...]:
        """Return an array of texts as :meth:`texts`, with their indexes; `distinct` takes each of them once only."""
        value = self.keys.get(key, [])
        place = self.at(key)
        if alone and isinstance(value, str):
            value, places = [value], [place]
        elif isinstance(value, list):
            places = [(*place, at) for at in range(len(value))]
        else:
            self.fault(
                key, f'is {type_of(value)}; write {"text or " if alone else ""}an array of texts, such as ["a", "b"]'
            )
            return ()
        if len(value) > ENTRIES:
            self.fault(key, f"has {len(value):,} entries; an array has {ENTRIES:,} at most")
            return ()
        parsed = [self._parsed(at, item, parse) for at, item in zip(places, value, strict=True)]
        first: dict[_T, int] = {}
        for at, item in enumerate(parsed) if distinct else ():
            if item is not None and first.setdefault(item, at) != at:
                self.faults.add(places[at], f"is {quoted(str(item))} a second time; keep one")
                parsed[at] = None
        return tuple((at, item) for at, item in enumerate(parsed) if item is not None)

    def choice(self, key: str, values: type[_E]) -> _E | None:
        """Return the value of a key that takes one of a few words; None where it is missing or faulty."""
        allowed = [value.value for value in values]

        def parse(text: str) -> _E:
            if text not in allowed:
                raise NameRefused(
                    f"{quoted(text)} is not allowed; write {' or '.join(quoted(word) for word in allowed)}"
                )
            return values(text)

        return self.text(key, parse)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return the value of a key that is true or false."""
        value = self.keys.get(key, default)
        if isinstance(value, bool):
            return value
        self.fault(key, f"is {type_of(value)}; write true or false, without quotes")
        return default

    def _parsed(self, place: Place, value: object, parse: Callable[[str], _T]) -> _T | None:
        if not isinstance(value, str):
            self.faults.add(place, f"is {type_of(value)}; write text in quotes")
            return None
        if len(value) > PATTERN:
            self.faults.add(place, f"has {len(value):,} characters; {PATTERN:,} are the most")
            return None
        try:
            return parse(value)
        except NameRefused as refused:
            self.faults.add(place, refused.message)
            return None
