"""What is shown, logged or written down has no secret in it: all that a publish refuses is hidden, from end to end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openllm_repos.errors import ReposError
from openllm_repos.secrets.find import find
from openllm_repos.secrets.search import Search
from openllm_repos.text import redact, show
from tests.support.tokens import CONTEXTS, FORMS, KEY_FILES, NAMED, make

_PIECE = 8  # characters of a secret that would be too many to show


def left(secret: str, shown: str) -> list[str]:
    """Return pieces of a secret that can still be read."""
    plain = shown.replace("\0", "")
    return [part for at in range(0, len(secret) - _PIECE + 1, 4) if (part := secret[at : at + _PIECE]) in plain]


@pytest.mark.parametrize("form", [*FORMS, *KEY_FILES, *NAMED])
def test_what_a_publish_finds_is_hidden_over_its_whole_length_wherever_it_stands(form: str) -> None:
    token = make(form, random.Random(11))
    for where, put in CONTEXTS.items():
        said = put(token.text)
        search = Search("a", len(said))
        search.feed(said)
        text = said.decode("utf-8", "surrogateescape")
        if not search.finish().found or (form in NAMED and "UTF-16" in where):  # no message is in UTF-16
            continue
        assert left(token.secret, redact(text)) == [], where
        assert left(token.secret, show(redact(text))) == [], where


@given(
    st.sampled_from([*FORMS, *NAMED]),
    st.sampled_from(["plain", "quoted", "JSON", "in a URL", "after %3D", "in color", "YAML", "CSV", "HTML"]),
    st.integers(0, 1 << 30),
    st.text(max_size=30),
)
def test_any_token_in_any_message_is_hidden(form: str, where: str, seed: int, around: str) -> None:
    token = make(form, random.Random(seed))
    text = f"{around} {CONTEXTS[where](token.text).decode()} {around}"
    hidden = redact(text)
    found = Search("a", len(text))
    found.feed(text.encode("utf-8", "replace"))
    if found.finish().found:
        assert left(token.secret, hidden) == []
    assert redact(hidden) == hidden


def test_a_token_of_the_hub_for_a_job_goes_with_its_payload_and_its_signature() -> None:
    assert redact("token hf_jwt_eyJhbGciOi1.eyJzdWIiOiIx.c2lnbmF0dXJl-x_ is over.") == "token *** is over."


def test_a_private_key_goes_to_its_end_and_the_rest_stays() -> None:
    token = make(KEY_FILES[0], random.Random(1))
    assert redact(f"see {token.text.strip()} there") == "see *** there"
    assert redact("a file with -----BEGIN PRIVATE " + "KEY----- in it") == "a file with *** in it"


@pytest.mark.parametrize(
    "text",
    [
        "main at ca2f611803, 3 commits and 3 changed files to main of https://huggingface.co/spaces/lemms/openllm",
        "sha256:" + "0a" * 32,
        "git@github.com:louischua/openllm.git and ssh://git@host/x",
        "src/openllm_repos/secrets/find.py:12: E501",
        "Set HF_TOKEN, or run: hf auth login",
        "fatal: could not read Password for 'https://huggingface.co': terminal prompts disabled",
    ],
)
def test_a_message_without_a_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "part", ["hf_", "sk-ant-", "sk-ant-a1A", "PuTTY-User-Key-File-2:", "password='a1!", "https://a:b"]
)
def test_what_was_found_in_a_message_is_not_looked_at_again(part: str) -> None:
    """What a remote says may be long, and made to keep us busy."""
    text = (part * ((1 << 16) // len(part))).encode()
    assert sum(hit.end - hit.start for hit in find(text, binary=False, cut_off=True)) <= 3 * len(text)


def test_a_token_of_many_kilobytes_goes_to_its_end() -> None:
    long = make("hf_jwt_eyJ{B33}.eyJ{B9000}.{B86}", random.Random(2))
    assert redact(f"a {long.text} b") == "a *** b"


def test_an_error_loses_its_secrets_where_it_is_made() -> None:
    token = make("hf_jwt_eyJ{B33}.eyJ{B90}.{B86}", random.Random(2)).text
    error = ReposError(f"The host said: {token}", hint=f"git clone https://me:{token}@host/a")
    assert (error.message, str(error), error.hint) == (
        "The host said: ***",
        "The host said: ***",
        "git clone https://***@host/a",
    )


@given(st.text())
def test_other_texts_stay_whole_whatever_is_in_them(text: str) -> None:
    assert redact(text) == text or "://" in text or "=" in text or ":" in text
