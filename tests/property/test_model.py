"""What a target has of its source: people get what they meant, and the kernel says of real commits the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.property.model_mirror import RealWorld
from tests.property.model_stories import MAPS_TOO, STORIES, parsed, play, sequence
from tests.support.needs import IN_CI

if TYPE_CHECKING:
    from tests.support.repositories import Clone

HISTORIES = pytest.mark.parametrize("history", ["full", "squash"])


@pytest.mark.parametrize("story", STORIES)
def test_what_people_meant_comes_about(story: str) -> None:
    assert play(parsed(STORIES[story])) == ""


def test_hardly_any_random_story_ends_otherwise_than_people_meant() -> None:
    seeds = range(400 if IN_CI else 100)
    broken = [seed for seed in seeds if play(sequence(seed, 40))]
    broken += [seed for seed in seeds if play(sequence(seed, 40, MAPS_TOO))]
    assert len(broken) <= 1, broken


@HISTORIES
@pytest.mark.parametrize("story", STORIES)
def test_the_kernel_says_of_a_story_what_the_model_says(clone: Clone, history: str, story: str) -> None:
    assert play(parsed(STORIES[story]), RealWorld(clone.path, history)) == ""


@HISTORIES
@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 60))])
def test_the_kernel_says_of_random_commits_what_the_model_says(clone: Clone, history: str, seed: int) -> None:
    world = RealWorld(clone.path, history)
    play(sequence(seed, 40), world)
    assert world.compared >= 5


@HISTORIES
@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 40))])
def test_the_kernel_says_what_the_model_says_when_maps_change(clone: Clone, history: str, seed: int) -> None:
    world = RealWorld(clone.path, history)
    play(sequence(seed, 40, MAPS_TOO), world)
    assert world.compared >= 4
