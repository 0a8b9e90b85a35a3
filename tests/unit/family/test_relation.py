"""How a target stands to the source, by their histories alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openllm_repos.family.imports import imported_from
from openllm_repos.family.relation import Relation, State, relate
from openllm_repos.family.state import StateCommit, TargetState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.node import Node
from tests.support.repositories import Clone
from tests.support.stated import Stated, parse


def relation(stated: Stated, commit: ObjectId | None = None) -> Relation:
    """Hold the target against a source commit, the newest by default."""
    with ObjectReader(stated.repository.git) as reader:
        return relate(stated.repository, reader, stated.manifest, stated.target, commit or stated.head, stated.tip)


def files_of(stated: Stated, node: Node) -> list[str]:
    """Return the paths of a mapped part."""
    with ObjectReader(stated.repository.git) as reader:
        part = MappedPart(reader, stated.target.maps, stated.repository.object_format)
        return [file.path.decode() for file in part.files(node)]


def test_what_came_home_is_no_drift_though_a_later_edit_of_the_same_file_is(clone: Clone) -> None:
    stated = Stated.of(clone)
    lines = "".join(f"line {number}\n" for number in range(9))
    stated.source({"core/model.py": lines, "core/train.py": "train\n"})
    stated.sync({"training/model.py": lines, "training/train.py": "train\n"})
    home = stated.edit({"training/model.py": lines.replace("line 1", "home")})
    later = stated.edit({"training/model.py": lines.replace("line 1", "home").replace("line 8", "later")})
    said = f"Import\n\n{imported_from(stated.target, home)}\n"
    stated.commit("main", said, {"core/model.py": lines.replace("line 1", "home")})
    found = relation(stated)
    assert (found.state, found.behind, found.drift.commits) == (State.DIVERGED, 1, (later,))
    assert [file.path for file in found.drift.files] == [b"training/model.py"]
    assert found.home.commits == {home}


def test_of_a_state_whose_maps_and_projection_are_lost_counts_what_the_target_has_like_the_source(
    clone: Clone,
) -> None:
    stated = Stated.of(clone)
    stated.source({"core/train.py": "train\n", "core/edited.py": "edited\n"})
    lost = TargetState(stated.head, ObjectId("2" * 40), (), "0" * 64)
    files = {"training/model.py": "one\n", "training/edited.py": "mine\n", "training/own.py": "own\n"}
    stated.sync(dict(files), state=lost)
    found = relation(stated)
    assert files_of(stated, found.base) == ["training/model.py"]
    assert [file.path for file in found.drift.files] == [b"training/edited.py", b"training/own.py"]
    assert found.state is State.DIVERGED


@pytest.mark.parametrize("lost", [False, True])
def test_a_map_that_is_back_starts_from_the_newest_state_that_had_its_files_if_that_can_be_read(
    clone: Clone, *, lost: bool
) -> None:
    stated = Stated.of(clone)
    once, also, new = (("core/*.py", "training/"), ("core/x/*.py", "x/"), ("core/y/*.py", "y/"))
    stated.source({"core/x/x.py": "x\n"})
    stated.manifest = parse(maps=[once, also])
    stated.sync({"training/model.py": "one\n", "x/x.py": "x\n"})
    if lost:
        stated.sync({}, state=TargetState.of(stated.target, ObjectId("1" * 40), ObjectId("2" * 40)))
    stated.manifest = parse(maps=[once])
    stated.sync({})
    stated.manifest = parse(maps=[once, also, new])
    found = relation(stated)
    assert files_of(stated, found.base) == ["training/model.py", *([] if lost else ["x/x.py"])]
    assert [file.path.decode() for file in found.drift.files] == (["x/x.py"] if lost else [])


def test_a_target_that_another_tool_keeps_has_what_of_the_projection_is_in_its_history(clone: Clone) -> None:
    stated = Stated.of(clone)
    assert relation(stated).at is None
    first = stated.projected(stated.head)
    clone.switch("space", at=first)
    found = relation(stated)
    nothing = TargetState.of(stated.target, None, first)
    assert (found.state, found.at) == (State.IN_SYNC, StateCommit(first, nothing, written=False))
    edit = stated.edit({"training/model.py": "mine\n"})
    stated.source({"core/train.py": "train\n"})
    found = relation(stated)
    assert (found.state, found.behind, found.drift.commits) == (State.DIVERGED, 1, (edit,))
    assert found.at == StateCommit(first, nothing, written=False)
    second = stated.projected(stated.head)
    clone.switch("space")
    clone.merge(second)
    found = relation(stated)
    assert (found.state, found.at) == (
        State.DRIFT,
        StateCommit(second, replace(nothing, projected=second), written=False),
    )
