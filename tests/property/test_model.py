"""The kernel held against a program without git that says what people meant, and against real histories of its making.

Each commit of the model is written as a real one, states and all; then the real kernel has to say the same of them: the
state that holds, which commits are home, the base of each place of a file, and what a sync would list as open.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING

import pytest

from openllm_repos.family.relation import Relation, relate
from openllm_repos.family.state import TargetState, list_maps
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.project import project
from tests.property import model
from tests.property.model import SCENARIOS, Commit, World, parsed, play, sequence

if TYPE_CHECKING:
    from pathlib import Path

FILLER = [f"filler {number}" for number in range(6)]
NOBODY = "Ada <ada@example.org>"
MANIFEST = """
schema = 1
[project]
name = "model"
[repos.main]
url = "file:///srv/source.git"
role = "source"
[repos.space]
url = "file:///srv/space.git"
history = "{history}"
[[repos.space.map]]
from = "src/"
to = "app/"
"""


class RealWorld(World):
    """A world of which every commit is a real one in one repository."""

    def __init__(self, folder: Path, history: str) -> None:
        self.folder, self.full = folder, history == "full"
        self.real: dict[int, ObjectId] = {}
        self.joins = False
        self.compared = 0
        (folder / "repos.toml").write_text(MANIFEST.format(history=history))
        self.repository = Repository.open(folder)
        self.manifest = Manifest.load(folder / "repos.toml")
        self.there = self.manifest.target("space")
        super().__init__()
        of_model, still_open = self.kernel.relate, self.kernel.still_open

        def checked(tip: Commit, source: Commit) -> model.Relation:
            expected = of_model(tip, source)
            if expected.state is not None and expected.state.source is not None:
                self.compare(expected, tip, source)
            return expected

        def listed(own: list, home: set, tree: dict, projection: dict) -> frozenset:
            expected = still_open(own, home, tree, projection)
            if self.joins and self.relation is not None:
                node = self.relation.part.of(self.write_tree(tree).encode())
                made = self.relation.own.still_open(self.relation.home.commits, node, self.relation.theirs)
                assert set(made) == {self.real[c.id] for c in expected}
            return expected

        self.relation: Relation | None = None
        self.kernel.relate, self.kernel.still_open = checked, listed

    def op_sync(self, *args, **more):
        self.joins, self.relation = True, None
        super().op_sync(*args, **more)
        self.joins = False

    def op_adopt(self, *args):
        self.relation, self.joins = None, True
        super().op_adopt(*args)
        self.joins = False

    def commit(self, tree, parents, **more) -> Commit:
        made = super().commit(tree, parents, **more)
        parents = [self.real[parent.id] for parent in parents]
        message = f"commit {made.id}\n"
        if made.lines:
            names = sorted(self.real[line] for line in made.lines)
            message += "\n" + "".join(f"Imported-From: {self.there.url}@{name}\n" for name in names)
        if made.state is not None:
            source = None if made.state.source is None else self.real[made.state.source.id]
            projected = None if source is None else self.projected(source)
            opened = [self.real[c.id] for c in sorted(made.state.open, key=lambda c: c.id)]
            state = TargetState.of(self.there, source, projected, opened, "x" if made.state.held else "")
            message += f"\n{list_maps(state.maps)}\n\n{state.trailers(self.manifest.source)}"
            if self.joins and self.full and projected is not None:
                parents.append(projected)
        rows = [f"tree {self.write_tree(tree)}", *(f"parent {parent}" for parent in parents)]
        rows += [f"{who} {NOBODY} {1_700_000_000 + made.id} +0000" for who in ("author", "committer")]
        self.real[made.id] = self.write("commit", ("\n".join(rows) + f"\n\n{message}").encode())
        return made

    def projected(self, source: ObjectId) -> ObjectId:
        found = project(self.repository, source, self.there.maps).commit
        assert found is not None
        return found

    def write(self, kind: str, data: bytes) -> ObjectId:
        """Write a loose object."""
        raw = b"%b %d\0%b" % (kind.encode(), len(data), data)
        name = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
        place = self.folder / ".git/objects" / name[:2] / name[2:]
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(zlib.compress(raw))
        return ObjectId(name)

    def write_tree(self, tree: dict) -> ObjectId:
        folders: dict[str, dict[str, ObjectId]] = {}
        for path in {path for path, _ in tree}:
            folder, _, name = path.rpartition("/")
            places = [tree.get((path, place)) for place in range(model.FILES.get(name, 1))]
            rows = [row for place in places for row in (place, *FILLER)] if len(places) > 1 else places
            content = "".join(f"{row}\n" for row in rows)
            folders.setdefault(folder, {})[name] = self.write("blob", content.encode())
        top = {name: (b"100644", blob) for name, blob in folders.pop("", {}).items()}
        for folder, files in folders.items():
            top[folder] = b"40000", self._rows({name: (b"100644", blob) for name, blob in files.items()})
        return self._rows(top)

    def _rows(self, entries: dict[str, tuple[bytes, ObjectId]]) -> ObjectId:
        order = sorted(entries.items(), key=lambda entry: entry[0] + ("/" if entry[1][0] == b"40000" else ""))
        return self.write(
            "tree", b"".join(b"%b %b\0%b" % (mode, name.encode(), bytes.fromhex(item)) for name, (mode, item) in order)
        )

    def compare(self, expected: model.Relation, tip: Commit, source: Commit) -> None:
        with ObjectReader(self.repository.git) as reader:
            found = relate(self.repository, reader, self.manifest, self.there, self.real[source.id], self.real[tip.id])
            assert found.at is not None
            assert expected.at is not None
            assert found.at.id == self.real[expected.at.id]
            assert set(found.own.commits) == {self.real[c.id] for c in expected.own}
            assert found.home.commits == {self.real[c.id] for c in expected.home}
            assert self.places(found, reader) == {cell: v for cell, v in expected.base.items() if v is not None}
            assert expected.contained or not found.contained
            assert found.contained or self.full or not expected.contained
            assert bool(found.drift.files) == bool(expected.drift)
        self.relation = found if self.joins else None
        self.compared += 1

    def places(self, found: Relation, reader: ObjectReader) -> dict:
        base = {}
        for path in model.MAPS.values():
            file = found.part.file(found.base, path.encode())
            if file is not None:
                rows = reader.read(file[1]).data.decode().splitlines()
                values = rows[:: 1 + len(FILLER)]
                base |= {(path, place): value for place, value in enumerate(values)}
        return base


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_story_keeps_what_people_meant(name: str) -> None:
    assert play(parsed(SCENARIOS[name]))[0] == ""


def test_hardly_any_story_at_random_breaks_a_promise() -> None:
    broken = [seed for seed in range(400) if play(sequence(seed, 40))[0]]
    assert len(broken) <= 1, broken


@pytest.mark.parametrize("history", ["full", "squash"])
@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 60))])
def test_the_kernel_says_of_real_commits_what_the_model_says(clone, history: str, seed: int) -> None:
    world = RealWorld(clone.path, history)
    play(sequence(seed, 40), world)
    assert world.compared > 10


@pytest.mark.parametrize("history", ["full", "squash"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_kernel_says_of_a_story_what_the_model_says(clone, history: str, name: str) -> None:
    world = RealWorld(clone.path, history)
    assert play(parsed(SCENARIOS[name]), world)[0] == ""
