"""What a target's own commits did, at the places where its files are now, and what of that has come home."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from openllm_repos.family.base import Home, OwnCommits, find_base, find_home
from openllm_repos.family.imports import imported_from
from openllm_repos.family.state import TargetState, find_state, own_since
from openllm_repos.git.objects import ObjectReader
from openllm_repos.names.objectid import ObjectId
from openllm_repos.projection.changes import MappedPart
from openllm_repos.projection.editing import Entry
from tests.support.repositories import Clone
from tests.support.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = "".join(f"line {number}\n" for number in range(9))
MODEL = b"training/model.py"


def lines(**changed: str) -> str:
    """Return a file of nine lines; `lines(l3="x")` has `x` in place of `line 3`."""
    text = LINES
    for name, content in changed.items():
        text = text.replace(f"line {name[1:]}\n", f"{content}\n")
    return text


@pytest.fixture
def stated(clone: Clone) -> Stated:
    """Return a target that has a file of the source."""
    made = Stated.of(clone)
    made.source({"core/model.py": LINES})
    made.sync({MODEL.decode(): LINES})
    return made


@pytest.fixture
def reader(stated: Stated) -> Iterator[ObjectReader]:
    with ObjectReader(stated.repository.git) as opened:
        yield opened


def own_of(stated: Stated, reader: ObjectReader) -> OwnCommits:
    """Return the target's own commits."""
    repository, maps = stated.repository, stated.target.maps
    at = find_state(repository, reader, stated.tip, stated.manifest.source.url)
    part = MappedPart(reader, maps, repository.object_format)
    return OwnCommits(repository, reader, part, at, own_since(repository, reader, maps, stated.tip, at))


@pytest.mark.parametrize("mover", ["source", "target", "nobody"])
def test_an_edit_follows_a_file_that_the_source_renamed_and_none_that_the_target_moved(
    stated: Stated, reader: ObjectReader, mover: str
) -> None:
    mine = lines(l4="mine")
    edit = stated.edit({"training/model.py": mine, "training/own.py": "own\n"})
    moved: dict[str, str | bytes | None] = {"training/model.py": None, "training/moved.py": mine}
    opened = [edit]
    if mover == "source":
        stated.source({"core/model.py": None, "core/moved.py": LINES})
    if mover == "target":
        opened.append(stated.edit(moved))
    stated.sync(moved if mover == "source" else {}, *opened)
    own = own_of(stated, reader)
    place = b"training/moved.py" if mover == "source" else MODEL
    assert ([*own.commits], {*own.changes(edit)}) == (opened, {place, b"training/own.py"})
    assert (own.touching(place)[0], own.listed(edit), own.listed(stated.tip)) == (edit, True, False)


@pytest.mark.parametrize("projected", [None, ObjectId("2" * 40)], ids=["nothing", "what is lost"])
def test_an_edit_stays_in_its_place_where_nobody_can_say_what_the_source_has(
    stated: Stated, reader: ObjectReader, projected: ObjectId | None
) -> None:
    edit = stated.edit({"training/model.py": lines(l4="mine")})
    moved = stated.edit({"training/model.py": None, "training/moved.py": lines(l4="mine")})
    gone = ObjectId("3" * 40)
    commit = None if projected is None else stated.head
    stated.sync({}, state=TargetState.of(stated.target, commit, projected, (gone, edit, moved)))
    own = own_of(stated, reader)
    assert [{*own.changes(one)} for one in own.commits] == [set(), {MODEL}, {MODEL, b"training/moved.py"}]


def test_a_file_that_the_target_has_moved_since_is_gone_in_one_place_and_new_in_the_other(
    stated: Stated, reader: ObjectReader
) -> None:
    moved = stated.edit({"training/model.py": None, "training/moved.py": LINES})
    own = own_of(stated, reader)
    assert {*own.changes(moved)} == {MODEL, b"training/moved.py"}
    assert not own.listed(moved)


def test_a_copy_of_what_the_source_has_is_no_edit(stated: Stated, reader: ObjectReader) -> None:
    changed = stated.edit({"training/model.py": lines(l4="mine")})
    copied = stated.edit({"training/train.py": "train\n", "training/own.py": "own\n"})
    brought = stated.source({"core/train.py": "train\n"})
    own = own_of(stated, reader)
    projection = own.tree(stated.projected(brought))
    every = [MODEL, b"training/train.py", b"training/own.py"]
    assert [[own.edits(one, [path], projection) for path in every] for one in (changed, copied)] == [
        [True, False, False],
        [False, False, True],
    ]
    assert not own.edits(changed, [], projection)
    back = stated.edit({"training/model.py": LINES})
    assert own_of(stated, reader).edits(back, [MODEL], projection), "though that is as the source has it"


def test_one_file_is_merged_as_git_merges_it(clone: Clone, stated: Stated, reader: ObjectReader) -> None:
    def entry(text: str) -> Entry:
        return b"100644", clone.git("hash-object", "-w", "--stdin", data=text.encode()).encode()

    base, ours, theirs = entry(LINES), entry(lines(l1="ours")), entry(lines(l8="theirs"))
    both, other = entry(lines(l1="ours", l8="theirs")), entry(lines(l1="other"))
    own = own_of(stated, reader)
    assert own.merged(base, ours, theirs) == (True, both)
    assert own.merged(base, ours, other) == (False, None)
    assert [own.merged(base, base, one) for one in (ours, None)] == [(True, ours), (True, None)]
    assert [own.merged(base, one, base) for one in (ours, None)] == [(True, ours), (True, None)]
    assert own.merged(base, ours, ours) == (True, ours)
    for sides in ((None, ours, theirs), (base, None, theirs), (base, ours, None)):
        assert own.merged(*sides) == (False, None)
    assert not replace(own, at=None).listed(stated.tip)


def test_a_new_state_lists_what_is_in_its_tree_or_would_come_again(stated: Stated, reader: ObjectReader) -> None:
    imported = stated.edit({"training/model.py": lines(l1="imported")})
    kept = stated.edit({"training/model.py": lines(l1="imported", l4="kept")})
    added = stated.edit({"training/own.py": "own\n"})
    removed = stated.edit({"training/own.py": None})
    again = stated.edit({"training/model.py": lines(l1="imported", l4="kept", l8="again")})
    back = stated.edit({"training/model.py": lines(l1="imported", l4="kept")})
    copied = stated.edit({"training/train.py": "train\n"})
    tree = ObjectId(stated.clone.git("rev-parse", "space^{tree}"))
    own = own_of(stated, reader)
    source = stated.source({"core/model.py": lines(l1="imported"), "core/train.py": "train\n"})
    projection = own.tree(stated.projected(source))
    assert own.still_open({imported}, tree, projection) == (kept, added, removed, again, back)
    assert own.still_open((), tree, projection) == (imported, kept, added, removed, again, back)
    assert copied in own.commits


def test_after_a_conflict_that_was_settled_by_hand_a_later_edit_comes_home_by_itself(
    stated: Stated, reader: ObjectReader
) -> None:
    settled = stated.edit({"training/model.py": lines(l4="mine")})
    stated.source({"core/model.py": lines(l4="theirs")})
    stated.sync({"training/model.py": lines(l4="both")}, settled)
    later = stated.edit({"training/model.py": lines(l4="both", l8="later")})
    said = f"Import\n\n{imported_from(stated.target, later)}\n"
    stated.commit("main", said, {"core/model.py": lines(l4="theirs", l8="later")})
    own = own_of(stated, reader)
    assert own.at is not None
    assert own.before(later) - {own.at.id} == {settled, later}
    assert own.before(settled) - {own.at.id} == {settled}
    home = find_home(own, stated.manifest, stated.target, stated.head)
    assert (home.commits, home.by_file) == (frozenset({later}), {MODEL: frozenset({later})})
    assert own.at is not None
    projected = own.at.state.projected
    assert projected is not None
    file = own.part.file(find_base(own, home, own.tree(projected)), MODEL)
    assert file is not None
    assert reader.read(file[1]).data.decode() == lines(l4="theirs", l8="later")


# ---- what has come home by its content -------------------------------------------------------------------------------

MINE, MORE = lines(l1="mine"), lines(l1="mine", l8="more")


def home_of(stated: Stated, reader: ObjectReader) -> set[ObjectId]:
    """Return the own commits that have come home."""
    return {*find_home(own_of(stated, reader), stated.manifest, stated.target, stated.head).commits}


def test_an_edit_that_somebody_copied_into_the_source_is_home_with_those_before_it(
    stated: Stated, reader: ObjectReader
) -> None:
    first = stated.edit({"training/model.py": MINE})
    second = stated.edit({"training/model.py": MORE})
    stated.edit({"training/model.py": None})
    assert home_of(stated, reader) == set()
    stated.source({"core/model.py": MINE})
    assert home_of(stated, reader) == {first}
    stated.source({"core/model.py": MORE})
    assert home_of(stated, reader) == {first, second}
    both = stated.edit({"training/model.py": lines(l3="x"), "training/own.py": "own\n"})
    stated.source({"core/model.py": lines(l3="x")})
    assert both not in home_of(stated, reader), "half of it is not"
    stated.source({"core/own.py": "own\n"})
    assert both in home_of(stated, reader)


def test_what_a_person_made_of_a_conflict_comes_home_with_all_that_is_in_it(
    stated: Stated, reader: ObjectReader
) -> None:
    one = stated.edit({"training/model.py": MINE})
    stated.source({"core/model.py": lines(l1="theirs")})
    stated.sync({"training/model.py": lines(l1="both")}, one)
    assert home_of(stated, reader) == set()
    stated.source({"core/model.py": lines(l1="both")})
    assert home_of(stated, reader) == {one}


def test_what_the_source_had_before_or_on_a_side_branch_alone_is_nobodys_edit_come_home(
    stated: Stated, reader: ObjectReader
) -> None:
    stated.edit({"training/model.py": "one\n"})  # as the source began
    stated.source({"core/model.py": "one\n"})
    side = stated.edit({"training/model.py": MINE})
    stated.clone.switch("side", at="main")
    stated.clone.commit("Side", {"core/model.py": MINE})
    stated.clone.commit("Not quite", {"core/model.py": lines(l1="not quite")})
    stated.clone.switch("main")
    stated.clone.merge("side")
    assert home_of(stated, reader) == set()
    stated.edit({"training/model.py": LINES})
    again = stated.edit({"training/model.py": MINE})
    stated.source({"core/model.py": MINE})
    assert side in home_of(stated, reader)
    assert again not in home_of(stated, reader), "the target has it a second time"


def test_of_a_source_that_lost_what_the_state_names_only_its_words_count(stated: Stated, reader: ObjectReader) -> None:
    lost = TargetState.of(stated.target, ObjectId("1" * 40), stated.projected(stated.head))
    stated.sync({}, state=lost)
    copied = stated.edit({"training/model.py": MINE})
    stated.source({"core/model.py": MINE})
    assert home_of(stated, reader) == set()
    stated.commit("main", f"Import\n\n{imported_from(stated.target, copied)}\n", {})
    assert home_of(stated, reader) == {copied}


# ---- the version of a file that both sides have ----------------------------------------------------------------------


def base_of(stated: Stated, reader: ObjectReader, *home: ObjectId) -> str:
    """Return the file once these own commits have come home."""
    own = own_of(stated, reader)
    assert own.at is not None
    assert own.at.state.projected is not None
    came = frozenset(home)
    found = find_base(own, Home({MODEL: came}, came), own.tree(own.at.state.projected))
    file = own.part.file(found, MODEL)
    return "" if file is None else reader.read(file[1]).data.decode()


def test_the_base_is_the_targets_file_up_to_what_came_home_and_else_each_change_by_itself(
    stated: Stated, reader: ObjectReader
) -> None:
    one, two, three, four, gone = (
        stated.edit({"training/model.py": text})
        for text in (
            lines(l1="a"),
            lines(l1="a", l8="b"),
            lines(l1="a", l4="c", l8="b"),
            lines(l1="d", l4="c", l8="b"),
            None,
        )
    )
    assert base_of(stated, reader, one) == lines(l1="a")
    assert base_of(stated, reader, one, two) == lines(l1="a", l8="b")
    assert base_of(stated, reader, two) == lines(l8="b")
    assert base_of(stated, reader, one, three) == lines(l1="a", l4="c")
    assert base_of(stated, reader, four) == LINES, "what does not apply is left out"
    assert base_of(stated, reader, one, four) == lines(l1="d")
    assert base_of(stated, reader, one, two, three, four, gone) == ""
    assert base_of(stated, reader, gone) == LINES


def test_what_a_state_lists_is_the_targets_file_there_once_all_of_it_came_home(
    stated: Stated, reader: ObjectReader
) -> None:
    one = stated.edit({"training/model.py": lines(l1="a")})
    two = stated.edit({"training/model.py": lines(l1="a", l8="b")})
    stated.source({"core/model.py": lines(l4="s")})
    stated.sync({"training/model.py": lines(l1="a", l4="s", l8="b")}, one, two)
    newer = stated.edit({"training/model.py": lines(l1="a", l3="n", l4="s", l8="b")})
    assert base_of(stated, reader, one) == lines(l1="a", l4="s")
    assert base_of(stated, reader, two) == lines(l4="s", l8="b")
    assert base_of(stated, reader, one, two) == lines(l1="a", l4="s", l8="b")
    assert base_of(stated, reader, one, two, newer) == lines(l1="a", l3="n", l4="s", l8="b")
    assert base_of(stated, reader, newer) == lines(l3="n", l4="s")
    assert base_of(stated, reader, one, newer) == lines(l1="a", l3="n", l4="s")


def test_what_a_person_made_of_a_conflict_is_the_base_only_where_all_of_it_came_home(
    stated: Stated, reader: ObjectReader
) -> None:
    one = stated.edit({"training/model.py": lines(l4="mine")})
    two = stated.edit({"training/model.py": lines(l4="mine", l8="b")})
    stated.source({"core/model.py": lines(l4="theirs")})
    stated.sync({"training/model.py": lines(l4="both", l8="b")}, one, two)
    assert base_of(stated, reader, one, two) == lines(l4="both", l8="b")
    assert base_of(stated, reader, one) == lines(l4="theirs")
    assert base_of(stated, reader, two) == lines(l4="theirs", l8="b")
    stated.sync({"training/model.py": lines(l4="theirs")}, one, two)
    assert base_of(stated, reader, two) == lines(l4="theirs"), "the person left it out"
