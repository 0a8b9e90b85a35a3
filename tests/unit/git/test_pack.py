"""Writing many objects as one pack that git checks, names and makes visible."""

from __future__ import annotations

import hashlib
import os
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.errors import EnvironmentProblem
from openllm_repos.git import pack
from openllm_repos.git.pack import COMMIT, TREE, PackWriter
from openllm_repos.git.repository import Repository
from tests.support.repositories import Clone


def _writer(clone: Clone) -> PackWriter:
    opened = Repository.open(clone.path)
    return PackWriter(opened.git, opened.objects_dir, opened.object_format)


def _packs(clone: Clone) -> list[str]:
    return sorted(path.suffix for path in (clone.path / ".git/objects/pack").iterdir())


def _listed(names: list[str], blob: bytes, width: int = 20) -> bytes:
    return b"".join(b"100644 %b\0%b" % (name.encode(), blob[:width]) for name in sorted(names))


def _commit(tree: bytes, message: str) -> bytes:
    person = b"Ada <ada@example.org> 1700000000 +0000"
    return b"tree %b\nauthor %b\ncommitter %b\n\n%b" % (tree, person, person, message.encode())


def _whole(clone: Clone, name: bytes) -> tuple[str, bytes]:
    kind = clone.git("cat-file", "-t", name.decode())
    return kind, clone.run("cat-file", kind, name.decode()).out_bytes


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_what_goes_in_is_what_git_has(tmp_path: Path, object_format: str) -> None:
    clone = Clone.init(tmp_path / "clone", object_format=object_format)
    width = 20 if object_format == "sha1" else 32
    blob = bytes.fromhex(clone.git("hash-object", "-w", "--stdin", data=b"1\n"))
    with _writer(clone) as writer:
        trees = {
            writer.add(TREE, data): data
            for data in (b"", _listed(["a"], blob, width), _listed(["a", "b"], blob, width))
        }
        commits = {
            writer.add(COMMIT, data): data
            for data in [_commit(next(iter(trees)), "x" * size) for size in (0, 1, 14, 15, 16, 2047, 2048, 300_000)]
        }
        assert writer.count == len(trees) + len(commits)
        assert _packs(clone) == []
        writer.finish()
    assert {name: _whole(clone, name) for name in trees} == {name: ("tree", data) for name, data in trees.items()}
    assert {name: _whole(clone, name) for name in commits} == {name: ("commit", data) for name, data in commits.items()}
    assert ".pack" in _packs(clone)
    clone.fsck()


def test_the_same_object_twice_is_one(clone: Clone) -> None:
    with _writer(clone) as writer:
        assert writer.add(TREE, b"") == writer.add(TREE, b"", place=b"") == writer.identify(TREE, b"")
        assert writer.count == 1


def test_nothing_to_write_starts_nothing(clone: Clone) -> None:
    with _writer(clone) as writer:
        writer.finish()
    assert _packs(clone) == []


def test_what_was_not_finished_leaves_nothing(clone: Clone) -> None:
    before = sorted(os.listdir(clone.path / ".git/objects"))
    with _writer(clone) as writer:
        writer.add(TREE, b"")
    assert sorted(os.listdir(clone.path / ".git/objects")) == before
    assert _packs(clone) == []


def test_the_trees_of_one_place_become_short_chains_of_deltas(clone: Clone) -> None:
    """So that the pack of a long history stays small, and is read fast (git's own limit is 50)."""
    blob = bytes.fromhex(clone.git("hash-object", "-w", "--stdin", data=b"1\n"))
    names = [f"{number:03}-{hashlib.md5(b'%d' % number).hexdigest()}" for number in range(200)]  # noqa: S324
    trees = [_listed(names[: 100 + number], blob) for number in range(100)]
    with _writer(clone) as writer:
        ids = [writer.add(TREE, data, place=b"d/") for data in trees]
        writer.finish()
    assert [_whole(clone, name) for name in ids] == [("tree", data) for data in trees]
    (packed,) = (clone.path / ".git/objects/pack").glob("*.pack")
    assert packed.stat().st_size < sum(map(len, trees)) / 20
    listed = clone.git("verify-pack", "-v", packed)
    assert max(map(int, re.findall(r"^chain length = (\d+):", listed, re.MULTILINE))) == 50


def _applied(base: bytes, delta: bytes) -> bytes:
    """Apply a delta as gitformat-pack describes it."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = delta[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    assert number() == len(base)
    size, out = number(), b""
    while at < len(delta):
        code = delta[at]
        at += 1
        if not code & 0x80:
            assert code
            out += delta[at : at + code]
            at += code
            continue
        values = [0] * 7
        for bit in range(7):
            if code & 1 << bit:
                values[bit] = delta[at]
                at += 1
        start = int.from_bytes(bytes(values[:4]), "little")
        out += base[start : start + (int.from_bytes(bytes(values[4:]), "little") or 0x10000)]
    assert len(out) == size
    return out


@given(
    head=st.binary(max_size=40),
    old=st.binary(max_size=200),
    new=st.binary(max_size=200),
    tail=st.binary(max_size=40),
    times=st.sampled_from([1, 10, 3000]),
    cut=st.booleans(),
)
def test_a_delta_makes_the_new_from_the_old(
    head: bytes, old: bytes, new: bytes, tail: bytes, times: int, *, cut: bool
) -> None:
    base, data = [head * times, old, head, tail * times], [old, head * times, new, tail, tail * times]
    delta = pack._delta(base, data) if cut else pack._delta([b"".join(base)], [b"".join(data)])
    if delta is not None:
        assert _applied(b"".join(base), delta) == b"".join(data)


def test_a_delta_copies_the_pieces_that_both_have_whatever_changed_between_them() -> None:
    rows = [b"100644 %03d\0%b" % (number, hashlib.sha1(b"%d" % number).digest()) for number in range(300)]  # noqa: S324
    pieces = [b"".join(rows[at : at + 30]) for at in range(0, 300, 30)]
    changed = [piece[:-5] + b"12345" if at % 3 == 1 else piece for at, piece in enumerate(pieces)]
    delta = pack._delta(pieces, changed)
    assert delta is not None
    assert _applied(b"".join(pieces), delta) == b"".join(changed)
    assert len(delta) < 60


@pytest.mark.slow
def test_a_delta_that_saves_nothing_is_not_made() -> None:
    source = random.Random(1)
    assert pack._delta([source.randbytes(500)], [source.randbytes(500)]) is None
    assert pack._delta([bytes(0x1000001)], [bytes(0x1000001)]) is None  # further in than a delta can point


@pytest.mark.parametrize("back", [1, 127, 128, 16511, 16512, 2_113_663, 2_113_664, 10**9])
def test_a_distance_is_written_as_git_reads_it(back: int) -> None:
    """The reading is get_delta_base() of git's packfile.c."""
    written = pack._distance(back)
    value = written[0] & 0x7F
    for byte in written[1:]:
        value = ((value + 1) << 7) | (byte & 0x7F)
    assert value == back
    assert [bool(byte & 0x80) for byte in written] == [True] * (len(written) - 1) + [False]


def test_a_folder_that_cannot_be_written_is_named(clone: Clone, tmp_path: Path) -> None:
    opened = Repository.open(clone.path)
    with PackWriter(opened.git, tmp_path / "gone", "sha1") as writer:
        with pytest.raises(
            EnvironmentProblem, match=r"Cannot write objects to .*gone: No such file or directory"
        ) as failed:
            writer.add(TREE, b"")
        assert "run the same command again" in failed.value.hint


def test_a_pack_that_git_refuses_is_a_failure(clone: Clone) -> None:
    """git reads every object before it names the pack."""
    with _writer(clone) as writer:
        writer.add(TREE, b"")
        writer._written.add(b"one more than there is")
        with pytest.raises(EnvironmentProblem, match="git index-pack failed"):
            writer.finish()
    assert ".pack" not in _packs(clone)
