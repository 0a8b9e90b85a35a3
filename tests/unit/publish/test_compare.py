"""Three states of a file held together: here, as the last publish left it, and on the Hub."""

from __future__ import annotations

import pytest

from openllm_repos.errors import ConflictError
from openllm_repos.publish.compare import decide, require_room
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
