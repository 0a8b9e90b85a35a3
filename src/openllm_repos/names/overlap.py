"""Whether two patterns can stand for the same path: decided exactly, with an example.

Both patterns are finite automata, over names and, inside a name, over characters; a path that both accept is a path
through the product of the two (the classical construction: Rabin and Scott 1959). A breadth-first walk finds a
shortest one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from openllm_repos.names.glob import ANY_CHARACTER, Component, Ranges, Token, common
from openllm_repos.names.pattern import Pattern

_State = TypeVar("_State")
_NICE: tuple[int, ...] = (*b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-+=,@#%&~()!;'{}$^` ",)
_DOT = ord(".")
_NAMED = 3


class TooMuchWork(Exception):
    """Patterns take more steps to compare than are worth waiting for."""


class Comparer:
    """Compares patterns with each other; what it has learnt of single names serves the next pair.

    Args:
        limit: how many steps all comparisons may take together; None for as many as it takes.

    Attributes:
        steps: how many they took so far.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.steps = 0
        self._limit = limit
        self._names: dict[tuple[str | None, str | None], str | None] = {}

    def intersect(self, a: Pattern, b: Pattern) -> str | None:
        """Return a path that both patterns stand for, or None if there is none: see :func:`intersect`.

        Raises:
            TooMuchWork: the limit is reached.
        """
        self._step()
        if not _related(_fixed(a), _fixed(b)):
            return None
        first, second = a.components, b.components
        open_first, open_second = _moves(first, protective=a.protective), _moves(second, protective=b.protective)

        def letters(state: tuple[int, int]) -> Iterable[tuple[str, tuple[int, int]]]:
            for part, after in open_first(state[0]):
                for other, other_after in open_second(state[1]):
                    name = self._shared_name(part, other)
                    if name is not None:
                        yield name, (after, other_after)

        names = self._shortest([(0, 0)], letters, lambda state: state == (len(first), len(second)))
        return None if names is None else "/".join(names)

    def meeting(self, some: Sequence[Pattern], others: Sequence[Pattern]) -> Iterator[tuple[int, int, str]]:
        """Yield which of two lists of patterns stand for the same path: their numbers, and an example.

        Raises:
            TooMuchWork: the limit is reached.
        """
        for at, number in related(some, others):
            example = self.intersect(some[at], others[number])
            if example is not None:
                yield at, number, example

    def _step(self) -> None:
        self.steps += 1
        if self._limit is not None and self.steps > self._limit:
            raise TooMuchWork

    def _shared_name(self, a: Component | None, b: Component | None) -> str | None:
        """Return a name that both components match (None matches any), one without an empty ``*`` if there is one."""
        for one, other in ((a, b), (b, a)):
            if one is not None and one.is_literal:
                return one.text if other is None or other.matches(one.text.encode()) else None
        key = (None if a is None else a.text, None if b is None else b.text)
        if key not in self._names:
            first, second = (part.tokens if part else (None,) for part in (a, b))
            found = None
            if not _apart(first, second) and not _apart(first[::-1], second[::-1]):
                found = self._shared_text(_widened(first), _widened(second)) or self._shared_text(first, second)
            self._names[key] = found
        return self._names[key]

    def _shared_text(self, first: tuple[Token, ...], second: tuple[Token, ...]) -> str | None:
        # The third part of a state counts leading dots, so that '.' and '..' are not taken for names.
        def letters(state: tuple[int, int, int]) -> Iterable[tuple[str, tuple[int, int, int]]]:
            i, j, dots = state
            for one, i_after in _reads(first, i):
                for other, j_after in _reads(second, j):
                    shared = common(one, other)
                    if not shared:
                        continue
                    char = _nice(shared)
                    yield chr(char), (i_after, j_after, min(dots + 1, _NAMED) if char == _DOT else _NAMED)

        chars = self._shortest(
            [(0, 0, 0)],
            letters,
            lambda state: state[2] == _NAMED and _only_stars(first, state[0]) and _only_stars(second, state[1]),
        )
        return None if chars is None else "".join(chars)

    def _shortest(
        self,
        starts: Iterable[_State],
        letters: Callable[[_State], Iterable[tuple[str, _State]]],
        accepts: Callable[[_State], bool],
    ) -> list[str] | None:
        """Return the labels of a shortest walk from a start to a state that is accepted, or None."""
        came: dict[_State, tuple[str, _State] | None] = dict.fromkeys(starts)
        todo = deque(came)
        while todo:
            state = todo.popleft()
            self._step()
            if accepts(state):
                labels: list[str] = []
                while (step := came[state]) is not None:
                    labels.append(step[0])
                    state = step[1]
                return labels[::-1]
            for label, after in letters(state):
                if after not in came:
                    came[after] = (label, state)
                    todo.append(after)
        return None


def intersect(a: Pattern, b: Pattern) -> str | None:
    """Return a path that both patterns stand for, or None if there is none.

    A protective pattern also stands for everything below what it matches. The answer is exact for every path that git
    can store; the names ``.`` and ``..`` are none.
    """
    return Comparer().intersect(a, b)


def related(some: Sequence[Pattern], others: Sequence[Pattern]) -> Iterator[tuple[int, int]]:
    """Yield the pairs (their numbers, in order) that can meet: the one begins with the folders of the other."""
    places: dict[tuple[str, ...], list[int]] = {}
    for number, pattern in enumerate(others):
        places.setdefault(_fixed(pattern), []).append(number)
    ordered = sorted(places)
    for at, pattern in enumerate(some):
        begin = _fixed(pattern)
        found = [number for length in range(len(begin)) for number in places.get(begin[:length], ())]
        for place in ordered[bisect_left(ordered, begin) :]:
            if place[: len(begin)] != begin:
                break
            found += places[place]
        yield from ((at, number) for number in sorted(found))


def _fixed(pattern: Pattern) -> tuple[str, ...]:
    """Return the parts of a pattern before its first wildcard."""
    whole = (pattern.rest[0].text,) if pattern.is_single_file else ()
    return (*pattern.base.parts, *whole)


def _related(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _apart(first: tuple[Token, ...], second: tuple[Token, ...]) -> bool:
    """Whether two components differ in a character that both have at the same place from the beginning."""
    for one, other in zip(first, second, strict=False):
        if one is None or other is None:
            return False
        if not common(one, other):
            return True
    return False


def _moves(parts: tuple[Component, ...], *, protective: bool) -> Callable[[int], list[tuple[Component | None, int]]]:
    """Return the moves of a pattern: from a state, the component that the next name must match, and the state after."""
    end = len(parts)

    def moves(state: int) -> list[tuple[Component | None, int]]:
        if state == end:
            return [(None, end)] if protective else []
        part = parts[state]
        if not part.is_globstar:
            return [(part, state + 1)]
        return [(None, state), *([(None, end)] if state == end - 1 else moves(state + 1))]

    return moves


def _widened(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    return tuple(piece for token in tokens for piece in ((ANY_CHARACTER, None) if token is None else (token,)))


def _reads(tokens: tuple[Token, ...], state: int) -> list[tuple[Ranges, int]]:
    """Return what can be read next from `state`: a set of characters and the state after it."""
    found: list[tuple[Ranges, int]] = []
    while state < len(tokens):
        token = tokens[state]
        if token is not None:
            found.append((token, state + 1))
            break
        found.append((ANY_CHARACTER, state))
        state += 1
    return found


def _only_stars(tokens: tuple[Token, ...], state: int) -> bool:
    return all(token is None for token in tokens[state:])


def _nice(ranges: Ranges) -> int:
    for char in _NICE:
        if any(low <= char <= high for low, high in ranges):
            return char
    # A dot is the last choice: names of dots alone are not names.
    ends = [at for low, high in ranges for at in (low, min(low + 1, high))]
    return min(ends, key=lambda at: at == _DOT)
