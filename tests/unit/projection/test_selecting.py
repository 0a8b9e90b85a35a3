"""What patterns take of a version of a folder does not depend on the versions that it is compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.git.objects import ObjectReader
from openllm_repos.git.repository import Repository
from openllm_repos.manifest import Map
from openllm_repos.names.pattern import Pattern
from openllm_repos.projection import run, selecting
from openllm_repos.projection.node import Node
from openllm_repos.projection.project import project
from openllm_repos.projection.selecting import Level, Selector
from tests.support.examples import examples
from tests.support.repositories import Clone

PATTERNS = ["d/*.py", "d/**/*.py", "d/*/a*", "d/**/x/**"]
NAMES = [b"a%02d%b" % (number, ending) for number in range(40) for ending in (b".py", b".txt", b"")]
MODES = [b"100644", b"100755", b"120000", b"40000", b"160000"]


def _id(number: int) -> bytes:
    return hashlib.sha1(b"%d" % number).digest()  # noqa: S324


class Trees:
    """Trees in memory."""

    def __init__(self) -> None:
        self.contents: dict[bytes, bytes] = {}

    def add(self, rows: Sequence[tuple[bytes, bytes, bytes]]) -> bytes:
        """Keep a tree with these rows, in this order; return its hex id."""
        content = b"".join(b"%b %b\0%b" % row for row in rows)
        name = hashlib.sha1(b"tree" + content).hexdigest().encode()  # noqa: S324
        self.contents[name] = content
        return name

    def selector(self) -> Selector:
        """Return a selector that remembers nothing yet."""
        return Selector(self.contents.__getitem__, 20)


def _level(*patterns: str) -> Level:
    return Level.first([Pattern.parse(pattern).rest for pattern in patterns])


def _content(selector: Selector, node: Node | None) -> object:
    """Return all that is in a node, so that it can be compared."""
    if node is None or (node.parts is None and node.entries is None):
        return None if node is None else node.id
    entries = node.entries if node.entries is not None else selector.entries(node.parts or ())
    return {
        n: (mode, _content(selector, item) if isinstance(item, Node) else item) for n, (mode, item) in entries.items()
    }


@st.composite
def _histories(draw: st.DrawFn) -> tuple[Trees, list[bytes]]:
    """Draw a folder's versions, each made of one before by a few changes."""
    trees = Trees()
    inner = [
        trees.add([(b"100644", b"a.py", _id(1)), (b"100644", b"b.txt", _id(2))]),
        trees.add([(b"100644", b"a.py", _id(3))]),
        trees.add([(b"100644", b"b.txt", _id(3))]),
    ]
    versions: list[dict[bytes, tuple[bytes, bytes]]] = [{}]
    changes = st.tuples(st.sampled_from(NAMES), st.sampled_from([b"", *MODES]), st.integers(0, 2))
    for _ in range(draw(st.integers(1, 6))):
        rows = dict(draw(st.sampled_from(versions)))
        for name, mode, number in draw(st.lists(changes, min_size=1, max_size=30)):
            if mode:
                rows[name] = (mode, bytes.fromhex(inner[number].decode()) if mode == b"40000" else _id(number))
            else:
                rows.pop(name, None)
        versions.append(rows)
    ordered = [sorted(rows.items(), key=lambda row: row[0] + b"/" * (row[1][0] == b"40000")) for rows in versions]
    return trees, [trees.add([(mode, name, item) for name, (mode, item) in rows]) for rows in ordered]


@examples(200)
@given(history=_histories(), data=st.data(), patterns=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3))
def test_versions_give_what_each_gives_alone(
    history: tuple[Trees, list[bytes]], data: st.DataObject, patterns: list[str]
) -> None:
    trees, versions = history
    selector, level = trees.selector(), _level(*patterns)
    for tree in versions:
        node = selector.select(level, tree, data.draw(st.sampled_from([None, *versions])))
        alone = trees.selector()
        assert _content(selector, node) == _content(alone, alone.select(_level(*patterns), tree))


def test_rows_that_stand_within_an_id_are_not_taken_for_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody can write a tree with any ids."""
    monkeypatch.setattr(selecting, "_BLOCK_ROWS", 1)
    trees = Trees()
    rows = [(b"100644", b"b.txt", b"12345678100644 z.py\0"), (b"100644", b"cc", b"i" * 20)]
    after = trees.add(rows)
    assert b"100644 z.py\x00100644 cc\0iiiiiiiiii" in trees.contents[after]
    before = trees.add([(b"100644", b"a.py", _id(0)), (b"100644", b"z.py", b"100644 cc\0iiiiiiiiii")])
    selector, level = trees.selector(), _level("d/*.py")
    assert selector.select(level, before) is not None
    assert selector.select(level, after, before) is None


def test_few_rows_are_matched_where_few_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    trees = Trees()
    rows = [(b"100644", b"%04d.py" % number, _id(number)) for number in range(2000)]
    versions = [trees.add(rows)]
    for number in range(5, 2000, 40):
        rows[number] = (b"100644", rows[number][1], _id(-number))
        rows.insert(number, (b"100644", rows[number][1][:4] + b"-.py", _id(0)))
        versions.append(trees.add(rows))
    matched: list[int] = []
    plain = Selector._matched

    def counted(self: Selector, level: Level, rows: list[selecting._Row], *rest: Any) -> list[selecting._Block]:
        matched.append(len(rows))
        return plain(self, level, rows, *rest)

    monkeypatch.setattr(Selector, "_matched", counted)
    selector, level = trees.selector(), _level("d/*.py")
    for like, tree in zip([None, *versions], versions, strict=False):
        selector.select(level, tree, like)
    assert matched[0] == 2000
    assert max(matched[1:]) <= 2 * selecting._BLOCK_ROWS + 1


@pytest.mark.parametrize("ahead", [False, True])
def test_a_tree_is_read_once_for_all_its_maps_and_commits(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, *, ahead: bool
) -> None:
    monkeypatch.setattr(run, "_MANY_COMMITS", 0 if ahead else 1000)
    for number in range(12):
        clone.commit(f"c{number}", {f"d/{name}": f"{number}\n" for name in ("a.py", "b.txt", "e/f.py", "e/g.py")})
        clone.commit(f"n{number}", {"x": f"{number}\n"})
    asked: list[bytes] = []
    plain = ObjectReader.ask

    def ask(self: ObjectReader, requests: Sequence[bytes]) -> None:
        asked.extend(request for request in requests if request.startswith(b"contents "))
        plain(self, requests)

    monkeypatch.setattr(ObjectReader, "ask", ask)
    opened = Repository.open(clone.path)
    maps = [Map.of("d/*.py", "t/"), Map.of("d/*.txt", "u/"), Map.of("d/**/g.py", "t/"), Map.of("d/e/f.py", "v/")]
    projected = project(opened, opened.resolve("main"), maps, use_cache=False)
    assert projected.written == 12
    assert len(asked) == len(set(asked)) == 12 * 3  # a commit, d/ and d/e/
