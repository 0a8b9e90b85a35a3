"""Three states of a file held together: here, as the last publish left it, and on the Hub."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.errors import ConflictError
from openllm_repos.publish.compare import decide, require_one_commit, require_room
from openllm_repos.publish.hashes import Content


def content(letter: str) -> Content:
    return Content(letter * 64, letter * 40, b"")


A, B = content("a"), content("b")
GIT_A, GIT_B, LFS_A, GIT_C = "git:" + "a" * 40, "git:" + "b" * 40, "lfs:" + "a" * 64, "git:" + "c" * 40


@pytest.mark.parametrize(
    ("here", "last", "there", "does"),
    [
        (A, None, None, "write"),
        (A, None, GIT_A, "same"),
        (A, GIT_B, GIT_B, "write"),
        (A, GIT_A, GIT_A, "same"),
        (A, GIT_A, LFS_A, "same"),
        (A, GIT_B, GIT_A, "same"),
        (None, GIT_A, GIT_A, "delete"),
        (None, GIT_A, None, None),
        (A, None, GIT_B, ("new", "put there by somebody else")),
        (A, GIT_A, GIT_B, ("unchanged", "changed")),
        (A, GIT_B, GIT_C, ("changed", "changed")),
        (A, GIT_A, None, ("unchanged", "deleted")),
        (A, GIT_B, None, ("changed", "deleted")),
        (None, GIT_A, GIT_B, ("deleted", "changed")),
    ],
)
def test_each_case(
    here: Content | None, last: str | None, there: str | None, does: str | tuple[str, str] | None
) -> None:
    states = (
        {"f": here} if here else {},
        {"f": last} if last else {},
        {"f": there, "theirs": GIT_C} if there else {"theirs": GIT_C},
    )
    made = decide(*states)
    done = {"write": made.write, "delete": made.delete, "same": made.same}
    if isinstance(does, tuple):
        assert [(clash.here, clash.there) for clash in made.clashes] == [does]
        assert not any(done.values())
        forced = decide(*states, overwrite=True)
        assert (forced.write, forced.delete) == ((["f"], []) if here else ([], ["f"]))
    else:
        assert not made.clashes
        assert {word for word, paths in done.items() if paths} == ({does} if does else set())


def test_a_path_cannot_be_a_file_and_a_folder() -> None:
    require_room("m", ["a/b", "c"], ["a/c", "c"])
    for kept, written in ((["a"], ["a/b"]), (["a/b"], ["a"]), ([], ["x", "x/y/z"])):
        with pytest.raises(ConflictError, match="a file and"):
            require_room("m", kept, written)
    require_room("m", ["old", "old/impossible"], ["new"])


def test_two_paths_that_differ_in_capitals_alone_are_one_on_windows() -> None:
    require_room("m", ["a/B", "a/b"], ["a/b"])  # there already
    with pytest.raises(ConflictError, match="m: a/b and A/b differ only in upper and lower case"):
        require_room("m", ["A/b", "c"], ["a/b"])


def test_more_than_the_hub_takes_in_a_commit_is_refused() -> None:
    require_one_commit("m", 10**9, 25_000)
    for small, large in ((10**9 + 1, 0), (0, 25_001)):
        with pytest.raises(ConflictError, match="the Hub takes 25,000 and 1 GB in a commit"):
            require_one_commit("m", small, large)


STATES = st.dictionaries(st.sampled_from("abcd"), st.sampled_from([GIT_A, GIT_B, GIT_C]))


@given(st.dictionaries(st.sampled_from("abcd"), st.sampled_from([A, B])), STATES, STATES)
def test_nothing_is_touched_that_the_last_publish_did_not_leave_so(
    here: dict[str, Content], last: dict[str, str], there: dict[str, str]
) -> None:
    made = decide(here, last, there)
    touched = {*made.write, *made.delete}
    assert all(there.get(path) == last.get(path) for path in touched)
    assert all(there.get(path) != last.get(path) for path in (clash.path for clash in made.clashes))
    after = {path: id_ for path, id_ in there.items() if path not in made.delete}
    after |= {path: here[path].id(large=False) for path in made.write}
    clashing = {clash.path for clash in made.clashes}
    assert all(here[path].is_one_of(after[path]) for path in here if path not in clashing)
    assert {path: there[path] for path in there if path not in here and path not in last}.items() <= after.items()
    again = decide(here, {**last, **{path: after[path] for path in here if path in after}}, after)
    assert not set(again.write) - clashing
