"""The file that remembers a projection: what it answers, and when it is as good as none."""

from __future__ import annotations

import hashlib
from array import array
from pathlib import Path

import pytest

from openllm_repos.projection import cache
from openllm_repos.projection.cache import Cache, Memory
from openllm_repos.projection.graph import Graph

EMPTY = b"0" * 40


def _id(number: int, width: int = 20) -> bytes:
    return hashlib.sha256(b"%d" % number).hexdigest()[: 2 * width].encode()


def _memory(width: int = 20) -> Memory:
    """Three projected commits in a line, each the image of two of six source commits; a seventh has none."""
    graph = Graph(EMPTY)
    for number in range(6):
        graph.visit(_id(number, width), [_id(number - 1, width)] if number else [], _id(100 + number // 2, width))
    graph.ids = [_id(200 + number, width) for number in range(3)]
    graph.origins.clear()
    return Memory(graph, [_id(5, width), _id(7, width)])


@pytest.mark.parametrize("width", [20, 32])
def test_what_was_saved_is_found(tmp_path: Path, width: int) -> None:
    memory = _memory(width)
    Cache(tmp_path, "digest", width).save(memory)
    opened = Cache(tmp_path, "digest", width)
    assert [opened.glance(_id(number, width)) for number in range(6)] == [
        (True, _id(200 + number // 2, width)) for number in range(6)
    ]
    assert opened.glance(_id(7, width)) == (True, None)
    assert opened.glance(_id(8, width)) == (False, None)
    read = opened.load(EMPTY)
    assert read is not None
    assert (read.tips, dict(read.graph.image)) == (memory.tips, dict(memory.graph.image))


def test_nothing_is_known_where_there_is_no_file(tmp_path: Path) -> None:
    assert Cache(tmp_path, "digest", 20).glance(_id(1)) == (False, None)
    assert Cache(tmp_path, "digest", 20).load(EMPTY) is None


def test_another_projection_or_object_format_has_no_say(tmp_path: Path) -> None:
    Cache(tmp_path, "digest", 20).save(_memory())
    file = tmp_path / "digest.projection"
    file.with_name("other.projection").write_bytes(file.read_bytes())
    assert Cache(tmp_path, "other", 20).load(EMPTY) is None
    assert Cache(tmp_path, "digest", 32).load(EMPTY) is None
    assert Cache(tmp_path, "digest", 20).load(EMPTY) is not None


def test_the_newest_tips_are_kept_each_once(tmp_path: Path) -> None:
    memory = _memory()
    memory.tips = [_id(number) for number in range(100)] + [_id(50)]
    Cache(tmp_path, "digest", 20).save(memory)
    read = Cache(tmp_path, "digest", 20).load(EMPTY)
    assert read is not None
    assert len(read.tips) == 64
    assert read.tips[-2:] == [_id(99), _id(50)]


def test_an_id_that_lies_across_two_others_is_not_found() -> None:
    ids = bytes(range(60))
    assert cache._position(ids, ids[20:40], 20) == 1
    assert cache._position(ids, ids[15:35], 20) is None
    assert cache._position(ids + ids[15:35], ids[15:35], 20) == 3
    assert cache._position(ids[15:35] + ids, ids[15:35], 20) == 0


def test_a_machine_with_other_numbers_writes_and_reads_the_same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an unsigned int has not four bytes, or the other byte order."""
    numbers = [0, 1, 258, 2**32 - 1]
    written = cache._portable(array("I", numbers))
    assert written == b"\0\0\0\0\1\0\0\0\2\1\0\0\xff\xff\xff\xff"
    assert cache._portable(array("Q", numbers)) == written
    assert list(cache._numbers(written)) == numbers
    monkeypatch.setattr(cache, "array", lambda code, *rest: array("Q" if code == "I" else code, *rest))
    assert list(cache._numbers(written)) == numbers


def test_no_unfinished_file_is_left(tmp_path: Path) -> None:
    Cache(tmp_path, "digest", 20).save(_memory())
    (tmp_path / "taken.projection").mkdir()
    Cache(tmp_path, "taken", 20).save(_memory())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digest.projection", "taken.projection"]
