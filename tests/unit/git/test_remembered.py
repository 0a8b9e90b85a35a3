"""The name under which git remembers a conflict: ours must be git's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from openllm_repos.git.remembered import conflict_name
from tests.support.repositories import Clone

if TYPE_CHECKING:
    from pathlib import Path

HEAD, BASE, MIDDLE, END = "<<<<<<< one", "||||||| base", "=======", ">>>>>>> two"


def torn(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.mark.parametrize("style", ["merge", "diff3"])
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_it_is_the_name_that_git_gives(tmp_path: Path, style: str, object_format: str) -> None:
    """Two conflicts in one file, one of them with an empty side, as git itself leaves and remembers them."""
    clone = Clone.init(tmp_path / "clone", object_format=object_format)
    clone.commit("Base", {"file": "a\nb\nc\nd\ne\n"})
    clone.switch("side", at="main")
    clone.commit("Side", {"file": "a\nside\nc\nd\nto e\n"})
    clone.switch("main")
    clone.commit("Main", {"file": "a\nmain\nc\nd\n"})
    clone.git("-c", "rerere.enabled=true", "-c", f"merge.conflictStyle={style}", "merge", "side", ok=(1,))
    (remembered,) = (clone.path / ".git/rr-cache").iterdir()
    assert conflict_name((clone.path / "file").read_bytes(), object_format) == remembered.name


def test_both_ways_round_it_is_the_same() -> None:
    one, other = torn(HEAD, "x", MIDDLE, "y", END), torn("before", HEAD, "y", BASE, "b", MIDDLE, "x", END)
    assert conflict_name(one, "sha1") == conflict_name(other, "sha1") is not None
    assert conflict_name(torn(HEAD, "x", MIDDLE, "z", END), "sha1") != conflict_name(one, "sha1")


@pytest.mark.parametrize(
    "text",
    [
        torn("no conflict", MIDDLE),
        torn(HEAD, "x", MIDDLE, "never closed"),
        torn(HEAD, HEAD, "x", MIDDLE, "y", END, MIDDLE, "z", END),
    ],
)
def test_what_git_does_not_remember_has_no_name(text: bytes) -> None:
    assert conflict_name(text, "sha1") is None
