"""Foreign text on a terminal, and what looks like a credential."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.text import INVISIBLE, redact, show, show_path


@given(st.text())
def test_nothing_that_a_terminal_acts_on_is_shown(text: str) -> None:
    assert not [char for char in show(text) if unicodedata.category(char) in INVISIBLE and char not in "\n\t"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("naïve, 漢字", "naïve, 漢字"), ("\x1b[31mred", "\\x1b[31mred"), ("a\u202eb", "a\\u202eb"), ("a\r\nb", "a\\r\nb")],
)
def test_letters_stay_and_escapes_are_written_out(text: str, shown: str) -> None:
    assert show(text) == shown


def test_a_path_is_one_line_whatever_is_in_it() -> None:
    assert show_path(b"a\nb\tc\xff") == "a\\nb\\tc\\udcff"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("https://user:secret@host/x", "https://***@host/x"),
        ("https://hf_abcdefghij@huggingface.co/x", "https://***@huggingface.co/x"),
        ("http://token@127.0.0.1:1/x", "http://***@127.0.0.1:1/x"),
        ("ssh://git:secret@host/x", "ssh://***@host/x"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("git@github.com:a/b", "git@github.com:a/b"),
        ("token ghp_0123456789abcdef left", "token *** left"),
    ],
)
def test_secrets_are_kept_back_and_plain_names_are_not(said: str, told: str) -> None:
    assert redact(said) == told
