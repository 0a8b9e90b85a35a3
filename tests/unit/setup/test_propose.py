"""What `init` proposes, from file names alone."""

from __future__ import annotations

import hashlib

import pytest

from openllm_repos.git.peek import Tree
from openllm_repos.manifest.maps import Map
from openllm_repos.setup.propose import already_there, propose_maps, propose_never, propose_owned


def tree(*paths: str) -> Tree:
    """Return files, each with a content of its own."""
    return {path.encode(): hashlib.sha1(path.encode()).hexdigest().encode() for path in paths}  # noqa: S324


def copied(source: Tree, folder: str, into: str) -> Tree:
    """Return what the target has when a folder of the source was copied into one of its own."""
    start = folder.encode() + b"/"
    return {into.encode() + path[len(start) :]: blob for path, blob in source.items() if path.startswith(start)}


OPENLLM = tree(
    "README.md",
    "core/src/model.py",
    "core/src/train.py",
    "configs/small.json",
    "configs/notes.md",
    "docs/make.py",
    "tests/test_a.py",
)


def test_a_folder_keeps_its_name_or_that_of_the_one_above_where_its_own_says_nothing() -> None:
    assert propose_maps(OPENLLM, {}) == (("core/src/*.py", "core/"), ("configs/*.json", "configs/"))


def test_folders_that_are_private_by_their_name_are_never_proposed_to_be_carried() -> None:
    files = tree("data/a.py", "tests/b.py", ".github/c.py", "secrets/config/d.json", "setup.py")
    assert propose_maps(files, {}) == ()


def test_where_the_space_has_copies_they_are_carried_to_where_they_are_and_nothing_else_is() -> None:
    files = OPENLLM | tree("tools/release.py")
    target = copied(OPENLLM, "core/src", "training/") | tree("app.py")
    assert propose_maps(files, target) == (("core/src/*.py", "training/"),)


def test_scripts_and_tools_are_proposed_only_where_the_space_has_them() -> None:
    files = OPENLLM | tree("tools/release.py", "examples/chat.py")
    assert not [source for source, _ in propose_maps(files, {}) if source.startswith(("tools", "examples"))]
    assert propose_maps(files, copied(files, "examples", "examples/")) == (("examples/*.py", "examples/"),)


def test_files_of_the_same_names_count_as_copies_too_once_there_are_two() -> None:
    one, two = tree("app.py", "training/model.py"), tree("training/model.py", "training/train.py")
    assert propose_maps(OPENLLM, one)[0] == ("core/src/*.py", "core/")
    assert propose_maps(OPENLLM, two)[0] == ("core/src/*.py", "training/")


def test_init_files_and_empty_files_prove_nothing() -> None:
    nothing = b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    files: Tree = {b"core/src/__init__.py": nothing, b"core/src/model.py": b"1" * 40}
    target: Tree = {b"other/__init__.py": nothing, b"more/__init__.py": b"2" * 40}
    assert propose_maps(files, target) == (("core/src/*.py", "core/"),)


def test_copies_at_the_top_of_the_space_go_there() -> None:
    assert propose_maps(OPENLLM, copied(OPENLLM, "core/src", ""))[0] == ("core/src/*.py", ".")


def test_with_code_in_folders_below_all_below_is_carried() -> None:
    files = tree("src/openllm/model.py", "src/openllm/layers/attention.py", "src/openllm/layers/deep/er.py")
    assert propose_maps(files, {}) == (("src/openllm/**/*.py", "openllm/"),)


def test_code_in_a_folder_above_takes_in_the_one_below_that_was_seen_first() -> None:
    assert propose_maps(tree("pkg/a/x.py", "pkg/z.py"), {}) == (("pkg/**/*.py", "pkg/"),)


def test_two_folders_that_would_meet_keep_their_whole_paths() -> None:
    files = tree("a/tools/one.py", "b/tools/two.py")
    assert propose_maps(files, {}) == (("a/tools/*.py", "tools/"), ("b/tools/*.py", "b/tools/"))


def test_a_folder_is_left_out_that_no_manifest_can_name_or_that_fits_nowhere() -> None:
    strange: Tree = {b"tool\xff/a.py": b"1" * 40, b"ne~1/b.py": b"2" * 40}
    assert propose_maps(strange, {}) == ()


def test_no_more_than_six_are_proposed_the_fullest_first() -> None:
    files = tree(*(f"p{number}/m{module}.py" for number in range(9) for module in range(number + 1)))
    assert [source for source, _ in propose_maps(files, {})] == [f"p{number}/*.py" for number in range(3, 9)]


def test_private_folders_and_files_stay_private() -> None:
    files = tree("data/a", "Tests/b", "core/data/c", "docs/d", ".env", ".env.local", "README.md")
    assert propose_never(files) == (".env", ".env.local", "Tests/", "data/", "docs/")


@pytest.mark.parametrize(
    ("target", "owned"),
    [
        ((), ("app.py", "requirements.txt", "README.md")),
        (("app.py", ".gitattributes", "training/a.py", "odd*name", "~1"), (".gitattributes", "app.py")),
    ],
)
def test_the_space_owns_what_lies_at_its_top(target: tuple[str, ...], owned: tuple[str, ...]) -> None:
    assert propose_owned(tree(*target), [Map.of("core/src/*.py", "training/")]) == owned


def test_what_a_map_could_write_is_not_owned() -> None:
    assert propose_owned({}, [Map.of("core/src/*.py", ".")]) == ("requirements.txt", "README.md")


def test_files_where_maps_write_are_found() -> None:
    target = tree("training/a.py", "training/deep/b.py", "app.py")
    assert already_there(target, [Map.of("core/src/*.py", "training/")]) == {b"training/a.py"}
