"""A manifest with defaults and entries for many means what the same one means with every repo written out."""

from __future__ import annotations

from typing import Any

import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.manifest import Manifest
from tests.support.examples import examples

KINDS = ("github", "space", "model", "dataset", "url")
MAPS = [[{"from": f"{name}/", "to": f"{name}-there/"}] for name in ("a", "b")]
VALUES: dict[str, list[Any]] = {
    "branch": ["main", "dev"],
    "release": [True, False],
    "history": ["full", "squash"],
    "drift": ["merge", "refuse"],
    "owned": [[], ["app.py"], ["README.md", "x/"]],
    "map": MAPS,
    "tag": ["v{version}", "x-{version}"],
    "version": ["VERSION", ["VERSION"]],
    "groups": [[], ["g"], ["h", "g"]],
}


def _shared(draw: st.DrawFn) -> dict[str, Any]:
    return {key: draw(st.sampled_from(values)) for key, values in VALUES.items() if draw(st.booleans())}


@st.composite
def fleets(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw the tables of a manifest, and those of the same one without defaults and entries for many."""
    defaults = {kind: _shared(draw) for kind in KINDS if draw(st.booleans())}
    source = {"github": "o/source", "role": "source"}
    short: dict[str, Any] = {"main": source}
    written: dict[str, Any] = {"main": source}
    for number in range(draw(st.integers(1, 5))):
        kind, entry = draw(st.sampled_from(KINDS)), _shared(draw)
        if "map" not in entry and draw(st.booleans()):
            entry["role"] = "member"
        count = draw(st.integers(0, 4))
        ids = [f"https://git.example/o/n{number}-{at}" if kind == "url" else f"o/N{number}-{at}" for at in range(count)]
        whole = defaults.get(kind, {}) | entry
        if "role" in entry:
            whole.pop("map", None)
        for at, one in enumerate(ids):
            groups = whole.get("groups", [])
            written[f"n{number}-{at}"] = whole | {kind: one, "groups": [f"many{number}", *groups]}
        if ids:
            short[f"many{number}"] = entry | {f"{kind}s": ids}
        else:
            url = "https://git.example/o/one" if kind == "url" else "o/one"
            short[f"one{number}"], written[f"one{number}"] = (
                entry | {kind: f"{url}{number}"},
                whole | {kind: f"{url}{number}"},
            )
    return {"defaults": defaults, "repos": short}, {"repos": written}


@examples(200)
@given(fleets())
def test_a_short_manifest_means_what_the_long_one_means(fleet: tuple[dict[str, Any], dict[str, Any]]) -> None:
    head = {"schema": 1, "project": {"name": "p"}}
    short, written = (Manifest.parse(tomlkit.dumps(head | tables)) for tables in fleet)
    assert short == written
