"""Object ids: full, lower-case, of either hash."""

from __future__ import annotations

import pytest

from openllm_repos.errors import NameRefused
from openllm_repos.names.objectid import ObjectId


@pytest.mark.parametrize("digits", [40, 64])
def test_full_ids_of_both_hashes_are_ids(digits: int) -> None:
    assert ObjectId("0a" * (digits // 2)) == "0a" * (digits // 2)


@pytest.mark.parametrize(
    "text",
    ["", "abc", "a" * 39, "a" * 41, "A" * 40, "g" * 40, "a" * 63, "a" * 40 + "\n", "HEAD", "-" * 40, "\uff11" * 40],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(NameRefused, match="40 or 64 lower-case hex digits"):
        ObjectId(text)


def test_the_zero_id_is_as_long_as_the_ids_beside_it() -> None:
    sha1, sha256 = ObjectId("1" * 40), ObjectId("1" * 64)
    assert ObjectId.zero(sha1) == "0" * 40
    assert ObjectId.zero(sha256) == "0" * 64
    assert ObjectId.zero(sha1).is_zero
    assert not sha1.is_zero
