"""What is remembered answers the same whether it is searched in the file's columns or unpacked."""

from __future__ import annotations

from array import array
from binascii import unhexlify

import pytest

from openllm_repos.projection.cache import Images, columns

COUNT = 300


def _id(number: int) -> bytes:
    return b"%040x" % (number * 2**96 + 7)


def _remembered() -> Images:
    ids = b"".join(unhexlify(_id(number)) for number in range(COUNT))
    return Images(ids, array("I", range(1000, 1000 + COUNT)), 20)


def test_few_and_many_questions_have_the_same_answers() -> None:
    images = _remembered()
    images[_id(5000)] = 7
    asked = [*range(COUNT), 5000, 6000]
    expected = [*range(1000, 1000 + COUNT), 7, None]
    assert [images.get(_id(number)) for number in asked] == expected  # more than are searched for one by one
    assert [images.get(_id(number)) for number in asked] == expected
    assert images == {_id(number): image for number, image in zip(asked[:-1], expected, strict=False)}


@pytest.mark.parametrize("unpacked", [False, True])
def test_the_columns_hold_what_was_remembered_and_what_was_added(unpacked: bool) -> None:
    images = _remembered()
    images[_id(5000)] = 7
    if unpacked:
        assert len(images) == COUNT + 1
    ids, numbers = columns(images)
    assert ids == b"".join(unhexlify(_id(number)) for number in [*range(COUNT), 5000])
    assert numbers == array("I", [*range(1000, 1000 + COUNT), 7])


def test_a_changed_entry_is_read_as_it_was_changed_and_a_deleted_one_not_at_all() -> None:
    images = _remembered()
    images[_id(0)] = 3
    again = Images(*columns(images), 20)
    assert (again[_id(0)], again[_id(1)]) == (3, 1001)
    del again[_id(1)]
    assert (len(again), again[_id(0)]) == (COUNT - 1, 3)
    assert _id(1) not in Images(*columns(again), 20)


def test_bytes_that_only_look_like_an_id_across_two_neighbours_are_none() -> None:
    across = (unhexlify(_id(1)) + unhexlify(_id(2)))[10:30].hex().encode()
    assert across not in _remembered()
