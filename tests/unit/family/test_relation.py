"""How a target stands to the source, by their histories alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openllm_repos.family.imports import imported_from
from openllm_repos.family.relation import Relation, State, relate
from openllm_repos.family.state import StateCommit, TargetState
from openllm_repos.git.objects import ObjectReader
from openllm_repos.journal.log import Move
from openllm_repos.names.objectid import ObjectId
from openllm_repos.plan import Drift
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.node import Node
from tests.support.logged import write_operation
from tests.support.repositories import Clone
from tests.support.stated import URLS, Stated, parse


def relation(stated: Stated, commit: ObjectId | None = None) -> Relation:
    """Hold the target against a source commit, the newest by default."""
    with ObjectReader(stated.repository.git) as reader:
        return relate(stated.repository, reader, stated.manifest, stated.target, commit or stated.head, stated.tip)


def files_of(stated: Stated, node: Node) -> list[str]:
    """Return the paths of a mapped part."""
    with ObjectReader(stated.repository.git) as reader:
        part = MappedPart(reader, stated.target.maps, stated.repository.object_format)
        return [file.path.decode() for file in part.files(node)]


def stands(stated: Stated, commit: ObjectId | None = None) -> tuple[State, int, int]:
    """Return the state, how many projected commits the target lacks, and how many it has in advance."""
    found = relation(stated, commit)
    return found.state, found.behind, found.ahead


def test_a_target_stands_to_the_source_as_both_histories_say(clone: Clone) -> None:
    stated = Stated.of(clone)
    start = stated.head
    assert stands(stated) == (State.NEW, 1, 0)
    with ObjectReader(stated.repository.git) as reader:
        empty = relate(stated.repository, reader, stated.manifest, stated.target, start, None)
    assert (empty.state, empty.behind, empty.contained, empty.drift.files) == (State.EMPTY, 1, False, ())
    assert (empty.held, empty.synced_from) == ("", None)
    copied = stated.edit({"training/model.py": "one\n"})
    assert stands(stated) == (State.NOT_ADOPTED, 1, 0)
    clone.git("reset", "-q", "--hard", f"{copied}^")
    stated.sync({"training/model.py": "one\n"})
    assert (stands(stated), relation(stated).contained) == ((State.IN_SYNC, 0, 0), True)
    for text in ("mine\n", "one\n"):
        stated.edit({"training/model.py": text})
    assert (stands(stated), relation(stated).drift) == ((State.IN_SYNC, 0, 0), Drift((), ())), "taken back by hand"
    first = stated.source({"core/model.py": "two\n"})
    second = stated.source({"core/model.py": "three\n"})
    assert stands(stated) == (State.BEHIND, 2, 0)
    assert stands(stated, first) == (State.BEHIND, 1, 0)
    stated.source({"docs/a.txt": "not carried\n"})
    assert stands(stated) == (State.BEHIND, 2, 0)
    stated.sync({"training/model.py": "three\n"})
    assert (stands(stated), stands(stated, second)) == ((State.IN_SYNC, 0, 0), (State.AHEAD, 0, 0))
    assert stands(stated, start) == (State.AHEAD, 0, 2)
    stated.edit({"training/own.py": "own\n"})
    assert stands(stated) == (State.DRIFT, 0, 0)
    stated.source({"core/train.py": "train\n"})
    assert stands(stated) == (State.DIVERGED, 1, 0)
    clone.git("reset", "-q", "--hard", first)
    stated.source({"core/model.py": "rewritten\n"})
    assert stands(stated) == (State.REWRITTEN, 1, 0)
    stated.sync({}, state=TargetState.of(stated.target, None, None))
    assert stands(stated)[0] is State.NOT_ADOPTED
    stated.edit({"training/model.py": None, "training/own.py": None})
    stated.sync({}, state=TargetState.of(stated.target, None, None))
    assert stands(stated)[0] is State.NEW


def test_a_target_that_is_to_have_the_whole_history_lacks_it_after_a_squash(clone: Clone) -> None:
    stated = Stated.of(clone)
    stated.source({"core/model.py": "two\n"})
    stated.sync({"training/model.py": "two\n"})
    assert stands(stated) == (State.IN_SYNC, 0, 0)
    stated.manifest = parse(history="full")
    assert (stands(stated), relation(stated).contained) == ((State.BEHIND, 1, 0), False)
    projected = stated.projected(stated.head)
    clone.switch("space")
    clone.merge(projected, unrelated=True, message=stated.stating(stated.state(stated.head)))
    assert stands(stated) == (State.IN_SYNC, 0, 0)
    stated.edit({"app.py": "app 2\n"})
    assert stands(stated) == (State.IN_SYNC, 0, 0)
    stated.manifest = parse(history="full", maps=[("core/*.py", "training/"), ("docs/*.txt", "text/")])
    stated.source({"docs/a.txt": "a\n"})
    assert stands(stated) == (State.BEHIND, 1, 0)


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
def test_what_was_copied_from_an_older_source_is_no_edit_also_in_a_clone_that_never_projected(
    clone: Clone, *, lost: bool
) -> None:
    stated = Stated.of(clone)
    stated.source({"core/model.py": "two\n"})
    adopted = stated.edit({"training/model.py": "one\n"})
    projected = ObjectId("2" * 40) if lost else stated.projected(stated.head)
    stated.sync({}, state=TargetState.of(stated.target, stated.head, projected, adopted=adopted))
    assert (relation(stated).state, relation(stated).drift.files) == (State.BEHIND, ())


def test_only_a_target_that_says_nothing_itself_has_lost_what_this_clone_gave_it(clone: Clone) -> None:
    stated = Stated.of(clone)
    before, synced = stated.tip, stated.sync({"training/model.py": "one\n"})
    write_operation(clone.path, "sync", Move("space", URLS[1], "refs/heads/main", before, synced))
    assert (relation(stated).state, relation(stated).lost) == (State.IN_SYNC, None)
    clone.switch("space", at=before)
    stated.edit({"training/model.py": "mine\n"})
    found = relation(stated)
    assert (found.state, found.lost) == (State.NOT_ADOPTED, StateCommit(synced, stated.state(stated.head)))
    stated.sync({}, state=TargetState.of(stated.target, None, None))
    assert (relation(stated).state, relation(stated).lost) == (State.NOT_ADOPTED, None)


def test_a_source_that_gave_up_what_the_state_names_was_rewritten(clone: Clone) -> None:
    stated = Stated.of(clone)
    for adopted in (None, ObjectId("3" * 40)):  # an adopted commit that is lost as well leaves all that was brought
        lost = TargetState.of(stated.target, ObjectId("1" * 40), stated.projected(stated.head), adopted=adopted)
        stated.sync({"training/model.py": "one\n"}, state=lost)
        assert stands(stated) == (State.REWRITTEN, 1, 0)
        assert files_of(stated, relation(stated).base) == ["training/model.py"]


def test_what_a_state_held_through_other_maps_from_a_source_that_is_lost_nobody_can_say(clone: Clone) -> None:
    stated = Stated.of(clone)
    stated.manifest = parse(maps=[("docs/*.txt", "text/")])
    held = TargetState.of(stated.target, ObjectId("1" * 40), ObjectId("2" * 40), (), "v1", stated.tip)
    stated.sync({"training/model.py": "one\n"}, state=held)
    stated.manifest = parse()
    found = relation(stated)
    assert (found.state, found.held, found.synced_from) == (State.NOT_ADOPTED, "v1", ObjectId("1" * 40))
    assert (files_of(stated, found.base), found.lost) == ([], None)
    assert [file.path for file in found.drift.files] == [b"training/model.py"]


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
