"""A target that was filled from any commit of any history is matched with a commit whose projection is the same."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from openllm_repos.family.likeness import Copied, find_likest
from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.project import origins, project
from tests.property.projection_histories import Files, History, Tree, histories
from tests.support.examples import examples
from tests.support.history import Spec, make_history
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST = Manifest.parse(
    """
    schema = 1
    project.name = "any"
    repos.main = { url = "file:///nowhere/main.git", role = "source" }
    [repos.space]
    url = "file:///nowhere/space.git"
    map = [{ from = "d/", to = "t/" }, { from = "e/*.py", to = "u/v/" }, { from = "*.py", to = "w/" }]
    """
)
TARGET = MANIFEST.target("space")


@dataclass(frozen=True, slots=True)
class Ground:
    """One clone that all examples are written to, each on a branch of its own."""

    clone: Clone
    opened: Repository
    numbers: itertools.count[int]

    def write(self, specs: list[Spec]) -> list[str]:
        """Write commits and return their ids."""
        return make_history(self.clone, specs, refs={f"refs/heads/{next(self.numbers)}": len(specs) - 1})


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    clone = Clone.init(tmp_path_factory.mktemp("ground") / "clone")
    return Ground(clone, Repository.open(clone.path), itertools.count())


def _places(path: str) -> Iterator[str]:
    """Yield where the maps put a file, said once more without the tool."""
    folder, _, name = path.rpartition("/")
    if path.startswith("d/"):
        yield f"t/{path[2:]}"
    if folder == "e" and name.endswith(".py"):
        yield f"u/v/{name}"
    if not folder and name.endswith(".py"):
        yield f"w/{name}"


def _copy(tree: Tree) -> Tree:
    return {place: content for path, content in tree.items() for place in _places(path)}


@pytest.mark.slow
@examples(80)
@given(history=histories(), data=st.data())
def test_a_copy_is_matched_with_what_was_copied(ground: Ground, history: History, data: st.DataObject) -> None:
    """The Space has files of its own, and perhaps a past in which it was filled from other commits."""
    filled = data.draw(st.lists(st.integers(0, len(history.trees) - 1), min_size=1, max_size=3))
    copies = [_copy(history.trees[position]) for position in filled]
    assume(copies[-1])
    ids = ground.write(list(history.specs))
    own: Tree = {"app.py": b"own\n", "t.py": b"own\n"}
    specs = [
        Spec([number - 1] if number else [], cast("Files", own | tree), f"copy {number}\n", whole=True)
        for number, tree in enumerate(copies)
    ]
    tip = ObjectId(ground.write(specs)[-1])
    with ground.opened.quarantine() as clone, ObjectReader(clone.git) as reader:
        part = MappedPart(reader, TARGET.maps, clone.object_format)
        mapped = part.of(tip.encode() + b"^{tree}")
        _, copied_from = origins(clone, ObjectId(ids[-1]), TARGET.maps, reader=reader)
        files = part.changes(part.of(None), mapped)
        found = find_likest(clone, copied_from, Copied.at(clone, TARGET, tip, files))
        assert found is not None
        assert not part.changes(part.of(found.projected.encode() + b"^{tree}"), mapped)
        assert found.others == 0
        source = ObjectId(copied_from[found.projected.encode()].decode())
        assert _copy(history.trees[ids.index(source)]) == copies[-1]
        assert project(clone, source, TARGET.maps, use_cache=False).commit == found.projected


@examples(40)
@given(history=histories(), data=st.data())
def test_every_score_is_what_counting_file_by_file_gives(ground: Ground, history: History, data: st.DataObject) -> None:
    """Incremental counting, held against a plain count of each projected tree."""
    paths = st.sampled_from(sorted({place for tree in history.trees for place in _copy(tree)}) or ["t/a"])
    target = data.draw(st.dictionaries(paths, st.sampled_from([b"1\n", b"2\n", b"3\n"]), min_size=1))
    ids = ground.write(list(history.specs))
    tip = ObjectId(ground.write([Spec([], cast("Files", dict(target)), whole=True)])[0])
    with ground.opened.quarantine() as clone, ObjectReader(clone.git) as reader:
        part = MappedPart(reader, TARGET.maps, clone.object_format)
        empty = part.of(None)
        files = part.changes(empty, part.of(tip.encode() + b"^{tree}"))
        _, copied_from = origins(clone, ObjectId(ids[-1]), TARGET.maps, reader=reader)
        assume(copied_from and files)
        found = find_likest(clone, copied_from, Copied.at(clone, TARGET, tip, files))
        now = {file.path: file.new for file in files}

        def likeness(commit: str) -> float:
            there = {file.path: file.new for file in part.changes(empty, part.of(f"{commit}^{{tree}}".encode()))}
            return 2 * sum(_same(there[path], now[path]) for path in there.keys() & now) / (len(there) + len(now))

        best = max(likeness(commit.decode()) for commit in copied_from)
        assert (0 if found is None else likeness(found.projected)) == best


def _same(one: tuple[bytes, bytes] | None, two: tuple[bytes, bytes] | None) -> bool:
    assert one is not None
    assert two is not None
    return (one[0][:3], one[1]) == (two[0][:3], two[1])


def test_ids_of_sixty_four_digits(tmp_path: Path) -> None:
    clone = Clone.init(tmp_path / "clone", object_format="sha256")
    steps: list[Files] = [{"d/a": b"1\n"}, {"d/b": b"2\n"}, {"d/a": None}, {"d/c": b"3\n"}]
    ids = make_history(clone, [Spec([at - 1] if at else [], changes) for at, changes in enumerate(steps)])
    filled = [Spec([], {"t/a": b"1\n", "t/b": b"2\n", "app.py": b"own\n"}), Spec([0], {"app.py": b"more\n"})]
    tip = ObjectId(make_history(clone, filled, refs={"refs/heads/space": 1})[1])
    opened = Repository.open(clone.path)
    with ObjectReader(opened.git) as reader:
        part = MappedPart(reader, TARGET.maps, opened.object_format)
        _, copied_from = origins(opened, ObjectId(ids[-1]), TARGET.maps, reader=reader)
        files = part.changes(part.of(None), part.of(tip.encode() + b"^{tree}"))
        found = find_likest(opened, copied_from, Copied.at(opened, TARGET, tip, files))
    assert found is not None
    assert copied_from[found.projected.encode()].decode() == ids[1]
