"""Other projects in a mapped folder: `git subtree add` and `merge` bring their commits into the source's history.

``git subtree split --ignore-joins`` follows an `add` (git 2.20, dd21d43b58): the commit that was added stands for
itself, and so does what came after it. git takes each commit without the folder for one of the project, which can be
one of the source's own; here a commit belongs to the project only if nothing of the source is in its history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Add:
    """One `git subtree add`.

    Attributes:
        commit: the merge that it made.
        mainline: its first parent, the source as it was before.
        split: its second parent, the commit that was added.
    """

    commit: bytes
    mainline: bytes
    split: bytes


@dataclass(frozen=True, slots=True)
class Subproject:
    """The commits of a project in one mapped folder.

    Attributes:
        own: those that git lets stand for themselves: what was added, and what the project made of it.
        whole: these and all that is in their history.
    """

    own: frozenset[bytes]
    whole: frozenset[bytes]

    @classmethod
    def of(cls, adds: Iterable[Add], parents: Mapping[bytes, Sequence[bytes]]) -> Subproject:
        """Find the commits of the project.

        A project whose history is part of the source's is not followed.

        Args:
            adds: each `git subtree add` of the folder, older ones first.
            parents: the parents of each commit of the source's history, parents first.
        """
        source: set[bytes] = set()
        added: set[bytes] = set()
        found = cls(frozenset(), frozenset())
        for add in adds:
            before = _history([add.mainline], parents, found.whole)
            if _history([add.split], parents, ()).isdisjoint(source | before):
                source |= before
                added.add(add.split)
                own = _descendants(added, source, parents)
                found = cls(frozenset(own), frozenset(_history(own, parents, ())))
        return found


def _descendants(added: set[bytes], source: set[bytes], parents: Mapping[bytes, Sequence[bytes]]) -> set[bytes]:
    """Return what was added, and what came after it without anything of the source."""
    own, mixed = set[bytes](), set(source)
    for commit, above in parents.items():
        if commit in mixed or not mixed.isdisjoint(above):
            mixed.add(commit)
        elif commit in added or not own.isdisjoint(above):
            own.add(commit)
    return own


def _history(tips: Iterable[bytes], parents: Mapping[bytes, Sequence[bytes]], without: Iterable[bytes]) -> set[bytes]:
    """Return the commits that are reached from `tips`; those of `without` are not entered."""
    seen = set(without)
    reached, todo = set[bytes](), list(tips)
    while todo:
        commit = todo.pop()
        if commit not in seen:
            seen.add(commit)
            reached.add(commit)
            todo += parents[commit]
    return reached
