"""Trees: several maps in one target, where they meet, and how much is remembered."""

from __future__ import annotations

import pytest

from openllm_repos.errors import ConflictError
from openllm_repos.git.objects import MissingObject, ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.projection import run, selecting
from openllm_repos.projection.project import project
from openllm_repos.projection.trees import Placement, TreeProjector
from tests.support.repositories import Clone


def _project(clone: Clone, *maps: tuple[str, str]) -> dict[str, bytes]:
    opened = Repository.open(clone.path)
    head = project(opened, opened.resolve("main"), [Map.of(source, to) for source, to in maps]).commit
    assert head is not None
    return clone.files(head)


def test_several_maps_make_one_tree(clone: Clone) -> None:
    clone.commit(
        "c0", {"core/src/train.py": "1\n", "core/src/no.txt": "2\n", "configs/a.json": "3\n", "LICENSE": "4\n"}
    )
    maps = [("core/src/*.py", "training/"), ("configs/*.json", "training/configs/"), ("LICENSE", "COPYING")]
    assert _project(clone, *maps) == {
        "training/train.py": b"1\n",
        "training/configs/a.json": b"3\n",
        "COPYING": b"4\n",
    }


@pytest.mark.parametrize("few", [0, 12])
def test_many_maps_give_what_few_give(clone: Clone, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """From some number of folders on, trees are read where git was asked."""
    monkeypatch.setattr(run, "_FEW_FOLDERS", few)
    clone.commit("c0", {"d/a.py": "1\n", "d/f/b.py": "2\n", "d/f/c": "3\n", "e/a.py": "4\n", "g": "5\n"})
    clone.commit("c1", {"d/f/b.py": None, "d/f/c": None, "e/a.py": None, "e/h/i.py": "6\n"})
    clone.commit("c2", {"e/h/j.py": "8\n"})
    maps = [("d/*.py", "d/"), ("d/f/*.py", "d/f/"), ("d/f/", "x/"), ("e/**/*.py", "d/e/"), ("never/", "n/"), ("g", ".")]
    opened = Repository.open(clone.path)
    ids = [
        project(opened, opened.resolve(rev), [Map.of(*one) for one in maps], use_cache=False).commit
        for rev in ("main~2", "main~1", "main")
    ]
    assert [clone.files(one) for one in ids if one is not None] == [
        {"d/a.py": b"1\n", "d/f/b.py": b"2\n", "x/b.py": b"2\n", "x/c": b"3\n", "d/e/a.py": b"4\n", "g": b"5\n"},
        {"d/a.py": b"1\n", "d/e/h/i.py": b"6\n", "g": b"5\n"},
        {"d/a.py": b"1\n", "d/e/h/i.py": b"6\n", "d/e/h/j.py": b"8\n", "g": b"5\n"},
    ]


def test_two_maps_that_put_the_same_content_at_one_path_agree(clone: Clone) -> None:
    clone.commit("c0", {"d/a": "1\n", "e/a": "1\n", "f/a": "1\n", "f/b": "2\n"})
    assert _project(clone, ("d/", "t/"), ("e/", "t/")) == {"t/a": b"1\n"}
    assert _project(clone, ("d/", "t/"), ("f/", "t/")) == {"t/a": b"1\n", "t/b": b"2\n"}


@pytest.mark.parametrize(
    ("maps", "path"),
    [
        ([("d/", "t/"), ("e/", "t/")], "t/a"),
        ([("d/*", "."), ("e/*", ".")], "a"),
        ([("d/", "t/"), ("d/a", "t")], "t"),
    ],
)
def test_two_maps_that_put_different_content_at_one_path_are_both_named(
    clone: Clone, maps: list[tuple[str, str]], path: str
) -> None:
    clone.commit("c0", {"d/a": "1\n", "e/a": "2\n"})
    with pytest.raises(ConflictError) as refused:
        _project(clone, *maps)
    assert refused.value.message == (
        f"Two maps put different content at {path}: " + ", ".join(f"{source} -> {to}" for source, to in maps) + "."
    )
    assert "Narrow one of the patterns" in refused.value.hint


def test_a_clash_long_ago_counts_as_well(clone: Clone) -> None:
    """Every commit is carried, so every commit has to be clear."""
    clone.commit("c0", {"d/a": "1\n", "e/a": "2\n"})
    clone.commit("c1", {"e/a": None, "e/b": "2\n"})
    with pytest.raises(ConflictError, match="different content at a"):
        _project(clone, ("d/", "."), ("e/", "."))


def test_folders_deeper_than_any_real_one_are_refused_and_do_no_harm(clone: Clone) -> None:
    blob = clone.git("hash-object", "-w", "--stdin", data=b"1\n")
    tree = clone.git("mktree", data=f"100644 blob {blob}\ta.py\n".encode())
    for _ in range(450):
        tree = clone.git("mktree", data=f"040000 tree {tree}\tf\n".encode())
    clone.git("update-ref", "refs/heads/main", clone.git("commit-tree", "-m", "c0", tree))
    with pytest.raises(ConflictError, match="nested deeper than 400 levels"):
        _project(clone, ("**/*.py", "."))
    assert _project(clone, ("f/f/", "."))["f/" * 448 + "a.py"] == b"1\n"


def test_what_is_remembered_stays_within_bounds(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        clone.commit(f"c{number}", {f"d/{number}/a.py": "1\n", f"d/{number}/b.txt": f"{number}\n"})
    opened = Repository.open(clone.path)
    maps = [Map.of("d/**/*.py", "t/")]
    expected = project(opened, opened.resolve("main"), maps, use_cache=False)
    monkeypatch.setattr(selecting, "_REMEMBERED_BYTES", 1_000)
    assert project(opened, opened.resolve("main"), maps, use_cache=False) == expected


def test_a_folder_that_is_a_blob_is_not_read_as_one(clone: Clone) -> None:
    clone.commit("c0", {"a": "100644 x\0" + "1" * 20})
    opened = Repository.open(clone.path)
    blob = clone.git("rev-parse", "main:a").encode()
    with ObjectReader(opened.git) as reader:
        projector = TreeProjector(reader, [Placement.of(Map.of("d/", "."))], "sha1")
        with pytest.raises(MissingObject, match=blob.decode()):
            projector.entries(blob)


def test_modes_of_old_gits_are_kept_as_they_are(clone: Clone) -> None:
    """Some early repositories have group-writable files (100664) and zeros before the mode of a folder."""
    blob = bytes.fromhex(clone.git("hash-object", "-w", "--stdin", data=b"1\n"))
    inner = b"100664 a.py\0" + blob
    folder = clone.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=inner)
    top = b"040000 d\0" + bytes.fromhex(folder)
    root = clone.git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=top)
    clone.git("update-ref", "refs/heads/main", clone.git("commit-tree", "-m", "c0", root))
    opened = Repository.open(clone.path)
    for source in ("d/", "d/*.py"):
        head = project(opened, opened.resolve("main"), [Map.of(source, ".")]).commit
        assert clone.git("rev-parse", f"{head}^{{tree}}") == folder
    assert _project(clone, ("d/*.py", "t/"), ("**/*.py", "u/")) == {"t/a.py": b"1\n", "u/d/a.py": b"1\n"}
