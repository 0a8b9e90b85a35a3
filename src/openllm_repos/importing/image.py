"""What commits of a target are in the source."""

from __future__ import annotations

from dataclasses import dataclass

from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import FileChange
from openllm_repos.projection.trees import Node


@dataclass(frozen=True, slots=True)
class Image:
    """What a commit of the target is in the source.

    Attributes:
        id: a commit of the source, there already or made here.
        tree: its tree.
        mapped: its projection's tree, at the places of the target.
        anchor: the newest commit in its history that the source has.
        made: the commits in its history, itself included, that are made here.
        origins: the commits of the target that those were made of.
    """

    id: ObjectId
    tree: Node
    mapped: Node
    anchor: ObjectId
    made: frozenset[ObjectId] = frozenset()
    origins: frozenset[ObjectId] = frozenset()


@dataclass(frozen=True, slots=True)
class Made:
    """A commit that was made here.

    Attributes:
        id: the commit.
        origin: the commit of the target.
        files: what it changes, at the places of the source.
        joins: whether it has several parents.
        stands_for: older commits of the target that did not apply by themselves, oldest first.
    """

    id: ObjectId
    origin: ObjectId
    files: tuple[FileChange, ...]
    joins: bool
    stands_for: tuple[ObjectId, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """A commit of the target: what it is in the source, and which own commits in its history have no place there yet.

    `image` is None where the source has nothing that it could stand on. `exact` says whether it is just what the target
    had before the first that waits.
    """

    image: Image | None
    waiting: tuple[ObjectId, ...] = ()
    exact: bool = False
