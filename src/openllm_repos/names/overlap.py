"""Whether two patterns can stand for the same path: decided exactly, with an example.

Both patterns are finite automata, over names and, inside a name, over characters; a path that both accept is a path
through the product of the two (the classical construction: Rabin and Scott 1959). A breadth-first walk finds a
shortest one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

from openllm_repos.names.glob import ANY_CHARACTER, Component, Ranges, Token, common
from openllm_repos.names.pattern import Pattern

_State = TypeVar("_State")
_NICE: tuple[int, ...] = (*b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-+=,@#%&~()!;'{}$^` ",)
_DOT = ord(".")
_NAMED = 3


def intersect(a: Pattern, b: Pattern) -> str | None:
    """Return a path that both patterns stand for, or None if there is none.

    A protective pattern also stands for everything below what it matches. The answer is exact for every path that git
    can store; the names ``.`` and ``..`` are none.
    """
    if not _bases_meet(a, b):
        return None
    first, second = a.components, b.components
    open_first, open_second = _moves(first, protective=a.protective), _moves(second, protective=b.protective)

    def letters(state: tuple[int, int]) -> Iterable[tuple[str, tuple[int, int]]]:
        for part, after in open_first(state[0]):
            for other, other_after in open_second(state[1]):
                name = _shared_name(part, other)
                if name is not None:
                    yield name, (after, other_after)

    names = _shortest([(0, 0)], letters, lambda state: state == (len(first), len(second)))
    return None if names is None else "/".join(names)


def _bases_meet(a: Pattern, b: Pattern) -> bool:
    one, other = f"{a.base}/", f"{b.base}/"
    return not (a.base and b.base) or one.startswith(other) or other.startswith(one)


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


def _shared_name(a: Component | None, b: Component | None) -> str | None:
    """Return a name that both components match (None matches any), one without an empty ``*`` if there is one."""
    first, second = (part.tokens if part else (None,) for part in (a, b))
    return _shared_text(_widened(first), _widened(second)) or _shared_text(first, second)


def _widened(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    return tuple(piece for token in tokens for piece in ((ANY_CHARACTER, None) if token is None else (token,)))


def _shared_text(first: tuple[Token, ...], second: tuple[Token, ...]) -> str | None:
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

    chars = _shortest(
        [(0, 0, 0)],
        letters,
        lambda state: state[2] == _NAMED and _only_stars(first, state[0]) and _only_stars(second, state[1]),
    )
    return None if chars is None else "".join(chars)


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


def _shortest(
    starts: Iterable[_State],
    letters: Callable[[_State], Iterable[tuple[str, _State]]],
    accepts: Callable[[_State], bool],
) -> list[str] | None:
    """Return the labels of a shortest walk from a start to a state that is accepted, or None."""
    came: dict[_State, tuple[str, _State] | None] = dict.fromkeys(starts)
    todo = deque(came)
    while todo:
        state = todo.popleft()
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
