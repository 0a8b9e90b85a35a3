"""Sequences of steps in the world of the model: at random, and those that once went wrong."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from tests.property.model_world import Broken, Step, World

WEIGHTS = {
    "edit_source": 5,
    "revert": 3,
    "reset": 1,
    "amend": 1,
    "edit_target": 5,
    "edit_owned": 1,
    "stay": 1,
    "pull": 1,
    "sync": 6,
    "import_": 5,
    "land": 7,
    "rollback": 1,
    "lift": 2,
    "undo": 1,
    "fetch": 1,
    "stale_sync": 1,
    "stale_status": 1,
}

MAPS_TOO = WEIGHTS | {"remap": 2}
"""The same with a source that changes its maps."""

STORIES = {
    "a person pulls with a merge: the sync stands on the second parent, and a line that the source reverted stays": (
        "sync stay edit_source(4,1) sync(0,1) revert(22) pull(3,4) sync(0,1)"
    ),
    "an import that the source reverted before the sync: its line goes, and the next sync is quiet": (
        "sync edit_target(1,5) import_(0,1) land revert(61) sync"
    ),
    "rollback to a source state from before an edit that came home; lift and sync bring that edit again": (
        "sync edit_target(3,2) import_(3,1,2) land sync rollback(0,1) lift sync"
    ),
    "only the later one of two edits is imported, then reverted in the source: it goes, the other stays": (
        "sync edit_target(3,3) edit_target(0,1) import_(6,0,2) land revert(5) sync(0,1)"
    ),
    "edits come home twice without a sync between, and the target takes its own back": (
        "sync edit_target(1,5) import_(7,0,1) edit_target(0,2) land import_(7,2,2) land edit_target(1) sync"
    ),
    "a clone that is behind syncs: it takes nothing back": (
        "sync edit_target(0,2) edit_source(0,3) sync stale_sync sync(0,1)"
    ),
    "a commit made before a sync, and merged after it, comes home: what the sync brought stays known": (
        "sync stay edit_source(0,1) sync pull(1,1) import_(0,1,1) land edit_source(0,3) sync"
    ),
    "only one of two edits is imported, and the other one's file deleted: it stays deleted": (
        "sync edit_target(2,3) edit_target(4,5) import_(2,0,2) land edit_target(4) sync"
    ),
    "a sync undone after an import, the edit taken back in the target meanwhile: the source's comes again": (
        "sync edit_target(1,3) import_(2,2,4) land(3) sync edit_target(1) undo sync(0,1)"
    ),
}


def parsed(text: str) -> list[Step]:
    """Read a story."""
    rows = (word.rstrip(")").partition("(") for word in text.split())
    return [Step(name, *(int(number) for number in numbers.split(",") if number)) for name, _, numbers in rows]


def sequence(seed: int, length: int, weights: Mapping[str, int] = WEIGHTS) -> list[Step]:
    """Return random steps."""
    start = ["copy", "sync", "edit_target", "adopt"] if seed % 3 == 0 else ["sync"]
    return [Step(name, seed, seed, seed) for name in start] + chosen(seed, length, weights)


def chosen(seed: int, length: int, weights: Mapping[str, int]) -> list[Step]:
    """Return so many steps, each as often as it weighs."""
    chance = random.Random(seed)
    return [
        Step(chance.choices([*weights], [*weights.values()])[0], *(chance.randrange(64) for _ in range(3)))
        for _ in range(length)
    ]


def text(steps: Iterable[Step]) -> str:
    """Return steps as a story, which can be read again."""
    return " ".join(f"{step.name}({step.a},{step.b},{step.c})" for step in steps)


def play(steps: list[Step], world: World | None = None) -> str:
    """Do all steps; return which promise broke, if one did."""
    world = world or World()
    for number, step in enumerate(steps):
        try:
            world.do(step)
        except Broken as broken:
            return f"step {number}, {step.name}: {broken}"
    return ""


def smallest(steps: list[Step]) -> list[Step]:
    """Leave out of steps that break a promise each one that is not needed for that."""
    for number in reversed(range(len(steps))):
        less = steps[:number] + steps[number + 1 :]
        if number < len(steps) and play(less):
            return smallest(less)
    return steps
