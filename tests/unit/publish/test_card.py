"""The card stays the person's: one marked block comes and goes without a trace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.errors import ConflictError
from openllm_repos.publish.card import with_block, without_block

LINES = ["## Where this comes from", "", "here"]
TEXTS = st.text(st.sampled_from("ab \n#-\r"), max_size=30).map(str.encode)


def test_the_block_stands_at_the_end_and_is_replaced_where_it_stands() -> None:
    first = with_block(b"---\nlicense: mit\n---\n# A\n", LINES)
    assert first == (
        b"---\nlicense: mit\n---\n# A\n\n<!-- openllm-repos: published -->\n## Where this comes from\n\nhere\n"
        b"<!-- openllm-repos: end -->\n"
    )
    moved = first + b"\n## More\n"
    again = b"---\nlicense: mit\n---\n# A\n\n<!-- openllm-repos: published -->\nnew\n<!-- openllm-repos: end -->\n"
    assert with_block(moved, ["new"]) == again + b"\n## More\n"
    assert without_block(moved) == b"---\nlicense: mit\n---\n# A\n\n## More\n"


@given(TEXTS)
def test_whatever_the_card_is_the_block_can_be_taken_out_again(card: bytes) -> None:
    plain = without_block(card)
    assert plain.rstrip(b"\r\n") == card.rstrip(b"\r\n")
    assert without_block(with_block(card, LINES)) == plain
    assert without_block(with_block(with_block(card, LINES), ["other"])) == plain


def test_line_ends_are_those_of_the_card() -> None:
    made = with_block(b"# A\r\n", LINES)
    assert made.count(b"\n") == made.count(b"\r\n")


@pytest.mark.parametrize(
    "card",
    [
        b"<!-- openllm-repos: published -->\n",
        b"<!-- openllm-repos: end -->\n",
        b"<!-- openllm-repos: end --><!-- openllm-repos: published -->\n",
        b"<!-- openllm-repos: published -->" * 2 + b"<!-- openllm-repos: end -->",
    ],
)
def test_damaged_marks_are_told(card: bytes) -> None:
    with pytest.raises(ConflictError, match="marks"):
        with_block(card, LINES)
