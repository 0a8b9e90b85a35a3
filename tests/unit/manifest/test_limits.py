"""A manifest that is too large is refused in a sentence; what it costs to find out is counted in steps, not in time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from openllm_repos.errors import ManifestError
from openllm_repos.manifest.limits import COMPARISONS
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.overlap import Comparer, related
from openllm_repos.names.pattern import Pattern

HEAD = 'schema = 1\n[project]\nname = "p"\nnever = [{never}]\n[repos.main]\ngithub = "o/n"\nrole = "source"\n'
SPACE = '[repos.space]\nspace = "o/s"\nowned = [{owned}]\n'


def family(maps: Sequence[tuple[str, str]], never: Sequence[str] = (), owned: Sequence[str] = ()) -> str:
    listed = [", ".join(f'"{one}"' for one in each) for each in (never, owned)]
    entries = "".join(f'[[repos.space.map]]\nfrom = "{source}"\nto = "{to}"\n' for source, to in maps)
    return HEAD.format(never=listed[0]) + SPACE.format(owned=listed[1]) + entries


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ManifestError) as refused:
        Manifest.parse(text)
    return refused.value.faults


def test_twenty_thousand_unknown_keys_are_one_fault() -> None:
    many = "".join(f"kez{number} = 1\n" for number in range(20_000))
    assert faults(many + family([("a/", "b/")])) == ("manifest: has 20,003 keys; a table has 1,000 at most",)


def test_only_the_first_misspelt_keys_get_their_nearest_neighbour() -> None:
    found = faults(family([("a/", "b/")]) + "".join(f"fron{number} = 1\n" for number in range(900)))
    assert len(found) == 900
    assert sum("did you mean" in fault for fault in found) == 20


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            HEAD.format(never="") + "".join(f'[repos.m{number}]\nmodel = "o/m{number}"\n' for number in range(1000)),
            "repos: has 1,001 repos; 1,000 are the most",
        ),
        (
            family([(f"a{number}/", f"b{number}/") for number in range(1001)]),
            "repos.space.map: has 1,001 entries; 1,000 are the most",
        ),
        (
            family([("a/", "b/")], never=[f"n{number}/" for number in range(1001)]),
            "project.never: has 1,001 entries; an array has 1,000 at most",
        ),
        (
            family([("a/" + "b" * 1000, "c/")]),
            "repos.space.map[0].from: has 1,002 characters; 1,000 are the most",
        ),
    ],
)
def test_what_is_too_much_is_said_with_its_place(text: str, fault: str) -> None:
    assert fault in faults(text)


def test_a_manifest_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "repos.toml").write_text("#" * (1 << 20) + "\n")
    with pytest.raises(ManifestError, match="larger than 1 MiB"):
        Manifest.load(tmp_path / "repos.toml")


def test_a_thousand_maps_of_their_own_folders_take_steps_for_each_and_not_for_each_pair() -> None:
    outputs = [Pattern.parse(f"lib/part{number}/*.py") for number in range(1000)]
    assert sum(1 for _ in related(outputs, outputs)) == 1000  # each with itself
    comparer = Comparer()
    never = [Pattern.parse(text, protective=True) for text in ("data/", "docs/", "**/*.ckpt", "tests/")]
    assert list(comparer.meeting(outputs, never)) == []
    assert comparer.steps < 20 * len(outputs)
    files = [Pattern.parse(f"configs/{number}.json") for number in range(1000)]
    assert sum(1 for _ in related(files, files)) == 1000
    maps = [(f"core/part{number}/*.py", f"lib/part{number}/") for number in range(500)]
    assert len(Manifest.parse(family(maps, never=["data/", "**/*.ckpt"], owned=["app.py"])).targets[0].maps) == 500


@pytest.mark.slow
def test_patterns_that_would_take_too_long_to_compare_are_refused() -> None:
    """A thousand in one folder, and a few that are all wildcards: the steps of all comparisons have one limit."""
    crowd = family([(f"a/{number}*x", f"b/{number}*x") for number in range(1000)])
    stars = [f"a/{'*c' * 120}{number}*" for number in range(9)]
    deep = family([(f"a/{'*a' * 120}b*", "b/")], never=stars)
    for text in (crowd, deep):
        assert any(f"take over {COMPARISONS:,} steps to compare" in fault for fault in faults(text))
