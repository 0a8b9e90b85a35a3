"""Path patterns of a manifest: ``core/src/*.py``, ``core/src/**/*.py``, ``core/src/``, ``core/src/main.py``.

A pattern starts at the top of the repository. Its parts stand between ``/``; wildcards inside a part never match ``/``
(see :mod:`openllm_repos.names.glob`); ``**`` alone stands for any number of folders, none included, and at the end for
everything below, at any depth. A ``/`` at the end is short for ``/**``. A name that starts with ``.`` is a name like
any other. This is the language of ``.gitignore`` for patterns that start with ``/``, without its negation and escapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openllm_repos.errors import NameRefused
from openllm_repos.names.glob import Component
from openllm_repos.names.path import FolderPath, require_name, require_relative
from openllm_repos.names.plain import quoted

__all__ = ["Component", "Pattern"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A set of paths inside a repository.

    Attributes:
        text: as it was written; two patterns are the same set if their `canonical` texts are equal.
        base: the folder that every path of the set is in: the parts before the first wildcard, without a file's name.
        rest: what follows `base`, at least one component.
        protective: whether it keeps paths safe (`owned`, `never`): then it also stands for everything below what it
            matches, in :meth:`protects` and :func:`openllm_repos.names.overlap.intersect`.
    """

    text: str
    base: FolderPath
    rest: tuple[Component, ...]
    protective: bool = False

    @classmethod
    def parse(cls, text: str, *, protective: bool = False, whole: bool = False) -> Pattern:
        """Read a pattern as people write it.

        Args:
            text: the pattern.
            protective: for `owned` and `never`; ``.gitattributes``, ``.gitignore`` or ``.github/`` may then be named.
            whole: whether it may stand for the whole repository (``.``, ``**``), which a map may not take.

        Raises:
            NameRefused: the pattern is not of this language, leaves the repository, or git or Windows would misread it.
        """
        body = "**" if text in (".", "./") else text
        require_relative(body, "a path pattern")
        if '"' in body or any(char in body for char in "<>|"):
            raise NameRefused(f'{quoted(text)} holds one of " < > |, which no path on Windows has')
        names = (body + "**" if body.endswith("/") else body).split("/")
        for name in names:
            require_name(name, text, protective=protective)
        # Two '**' in a row say no more than one.
        names = [name for at, name in enumerate(names) if name != "**" or names[at - 1 : at] != ["**"]]
        parts = [Component(name) for name in names]
        fixed = next((at for at, part in enumerate(parts) if not part.is_literal), len(parts) - 1)
        rest = tuple(parts[fixed:])
        if not whole and not fixed and _is_whole_repository(rest):
            raise NameRefused(f"{quoted(text)} takes the whole repository; name a folder, such as core/src/")
        return cls(text, FolderPath("/".join(names[:fixed]), protective=protective), rest, protective)

    @property
    def canonical(self) -> str:
        """The one spelling of this set of paths: ``core/src/`` gives ``core/src/**``."""
        return self.base.path_to("/".join(part.text for part in self.rest))

    @property
    def is_whole_folder(self) -> bool:
        """Whether it stands for everything below `base`."""
        return len(self.rest) == 1 and self.rest[0].is_globstar

    @property
    def is_single_file(self) -> bool:
        """Whether it stands for one path: it has no wildcard."""
        return len(self.rest) == 1 and self.rest[0].is_literal

    @property
    def literal_name(self) -> str | None:
        """The name of the file, for a single file."""
        return self.rest[0].text if self.is_single_file else None

    @property
    def components(self) -> tuple[Component, ...]:
        """All parts from the top of the repository on: those of `base`, then `rest`."""
        return tuple(Component(name) for name in self.base.parts) + self.rest

    def matches(self, path: bytes) -> bool:
        """Tell whether `path`, as git stores it, is one that this pattern stands for."""
        names = self._below_base(path)
        if len(self.rest) == 1 and names:
            return self.rest[0].is_globstar or (len(names) == 1 and self.rest[0].matches(names[0]))
        return bool(names) and len(self.rest) in states_after(self.rest, names)[-1]

    def protects(self, path: bytes) -> bool:
        """Tell whether `path` is one that this pattern stands for, or is below one."""
        names = self._below_base(path)
        return bool(names) and any(len(self.rest) in states for states in states_after(self.rest, names))

    def _below_base(self, path: bytes) -> list[bytes]:
        if not self.base:
            return path.split(b"/")
        folder = self.base.encode() + b"/"
        return path[len(folder) :].split(b"/") if path.startswith(folder) else []


def states_after(rest: Sequence[Component], names: Sequence[bytes]) -> list[frozenset[int]]:
    """Run components over names; the pattern is a nondeterministic automaton whose states are places in `rest`.

    Returns the set of states after each name; the names so far are matched where ``len(rest)`` is in it.
    """
    found: list[frozenset[int]] = []
    states = frozenset(opened(rest, 0))
    for name in names:
        states = frozenset(after for state in states for after in steps(rest, state, name))
        found.append(states)
    return found


def opened(rest: Sequence[Component], state: int) -> list[int]:
    """Return `state` and the states that it reaches without a name: ``**`` in the middle may stand for no folder."""
    reached = [state]
    while state < len(rest) - 1 and rest[state].is_globstar:
        state += 1
        reached.append(state)
    return reached


def steps(rest: Sequence[Component], state: int, name: bytes) -> list[int]:
    """Return the states that `state` reaches with one name."""
    if state == len(rest) or not rest[state].matches(name):
        return []
    if not rest[state].is_globstar:
        return opened(rest, state + 1)
    return opened(rest, state) if state < len(rest) - 1 else [state, state + 1]


def _is_whole_repository(rest: Sequence[Component]) -> bool:
    return any(part.is_globstar for part in rest) and all(part.is_globstar or part.text == "*" for part in rest)
