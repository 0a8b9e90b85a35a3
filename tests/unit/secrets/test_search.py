"""A token is found wherever programs leave it, in a file of any size, and a vocabulary is no token."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import sys
import tarfile
import zipfile
from typing import Self

import pytest

from openllm_repos.secrets.search import Search, Searched, Suspicion
from tests.support.tokens import CONTEXTS, FORMS, KEY_FILES, NAMED, make
from tests.support.vocabularies import VOCABULARIES


def search(*blocks: bytes) -> Searched:
    one = Search("data/log.txt", sum(map(len, blocks)))
    for block in blocks:
        one.feed(block)
    return one.finish()


def found(*blocks: bytes) -> list[tuple[int, str]]:
    return [(one.line, one.what) for one in search(*blocks).found]


@pytest.mark.no_cover
@pytest.mark.parametrize("form", [*FORMS, *KEY_FILES])
def test_a_token_is_found_wherever_a_program_leaves_it(form: str) -> None:
    for seed in range(2):
        token = make(form, random.Random(seed))
        assert [where for where, put in CONTEXTS.items() if not search(put(token.text)).found] == []


@pytest.mark.parametrize("named", NAMED)
def test_a_name_that_says_it_is_told_and_refuses_nothing(named: str) -> None:
    for seed in range(3):
        text = make(named, random.Random(seed)).text
        for put in (CONTEXTS["plain"], CONTEXTS["notebook"], CONTEXTS[".env"]):
            assert [one.sure for one in search(put(text)).found] == [False]


@pytest.mark.parametrize(
    "text",
    [
        "HF_TOKEN=hf_" + "x" * 34,
        "OPENAI_API_KEY=sk-your-key-here",
        "api_key = os.environ['OPENAI_API_KEY']",
        "password = getpass.getpass()",
        "password: str = settings.password",
        'pad_token = "[PAD]", "eos_token": "<|endoftext|>"',
        '"image_token": "<|reserved_special_token_250|>"',
        "primary_key = 'customers_by_region_2024'",
        "postgres://user:password@localhost/db",
        "https://huggingface.co/lemms/openllm@main",
        "docker://alpine:3.18@sha256:" + "a1" * 32,
        "AKIAIOSFODNN7" + "EXAMPLE",
        "task-proj-some-long-name-of-a-thing-in-a-list-of-things",
        "selfhf_" + "aB" * 17,
        "-----BEGIN CERTIFICATE-----\n-----BEGIN PUBLIC KEY-----",
    ],
)
def test_what_programs_and_texts_are_full_of_is_no_secret(text: str) -> None:
    assert found(f"a\n{text}\nb".encode()) == []


@pytest.mark.parametrize("cut", [*range(36), 60, 200])
def test_a_secret_that_lies_across_two_blocks_is_found_once_at_its_line(cut: int) -> None:
    text = b"line\n" * 30_000 + b"key hf_" + b"aB" * 17 + b"\n" + b"line\n" * 30_000
    place = text.index(b"hf_") + cut
    assert found(text[:place], text[place:]) == [(30_001, "a token of the Hub")]


def test_how_a_file_is_cut_into_blocks_changes_nothing() -> None:
    chance = random.Random(5)
    rows = [make(form, chance).text if number % 3 else "word " * 40_000 for number, form in enumerate(FORMS[:10])]
    text = "\n".join(rows).encode()
    whole = found(text)
    assert len(whole) >= 5
    for size in (100, 4096, 65_536, 65_537, 1 << 20):
        assert found(*(text[at : at + size] for at in range(0, len(text), size))) == whole


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_text_in_utf_16_across_blocks(code: str) -> None:
    text = ("line\n" * 30_000 + "key hf_" + "aB" * 17 + "\n" + "line\n" * 30_000).encode(code)
    for cut in (300_010, 300_021, 300_060):
        assert [what for _, what in found(text[:cut], text[cut:])] == ["a token of the Hub"]


def test_a_text_in_utf_16_that_says_so_has_lines() -> None:
    assert found("one\ntwo\nhf_".encode("utf-16") + ("aB" * 17).encode("utf-16-le")) == [(3, "a token of the Hub")]


def test_a_token_among_pickled_settings() -> None:
    """`training_args.bin` of transformers keeps the `hub_token` that a training was started with."""
    settings = pickle.dumps({"layers": 0, "hub_token": "hf_" + "a1" * 17, "seed": 7}, protocol=2)
    assert b"\0" in settings
    assert found(settings) == [(0, "a token of the Hub")]
    assert Suspicion("exports/training_args.bin", 0, "a token").place == "exports/training_args.bin"


def test_a_token_at_the_end_of_large_weights() -> None:
    weights = random.Random(3).randbytes(1 << 20)
    token = make("hf_{a34}", random.Random(3)).text.encode()
    assert found(*[b"\0" + weights] * 12, token, weights) == [(0, "a token of the Hub")]


def test_noise_and_base64_hold_no_secret() -> None:
    noise = random.Random(3).randbytes(4 << 20)
    assert found(noise) == []


@pytest.mark.no_cover
@pytest.mark.parametrize("size", [500_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", list(VOCABULARIES))
def test_a_vocabulary_of_ten_megabytes_holds_no_secret(name: str, size: int) -> None:
    text = VOCABULARIES[name](random.Random(size), size)
    assert len(text) >= size
    assert search(*(text[at : at + (1 << 20)] for at in range(0, len(text), 1 << 20))) == Searched()


def test_ten_places_of_one_file_are_enough() -> None:
    line = b"AKIA" + b"A2" * 8 + b"\n"
    assert [line for line, _ in found(line * 15, line * 15)] == list(range(1, 11))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "part", ["sk-ant-", "hf_", "eyJ", "AKIA", "-----BEGIN PRIVATE KEY-----", "://a:", "api_key='a"]
)
def test_the_work_grows_with_a_file_of_nothing_but_beginnings_and_not_with_its_square(part: str) -> None:
    costs = []
    for size in (1 << 15, 1 << 17):
        text = (part * (size // len(part))).encode()
        with Steps() as steps:
            search(text)
        costs.append(steps.count)
    assert costs[1] <= 5 * costs[0] + 1000


class Steps:
    """Counts the calls of functions while the `with` lasts."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _count(self, *_: object) -> None:
        self.count += 1


def test_archives_are_named_and_not_searched() -> None:
    token = make("hf_{a34}", random.Random(1)).text.encode()
    kept = {"stored": io.BytesIO(), "packed": io.BytesIO(), "tar": io.BytesIO()}
    for name, way in (("stored", zipfile.ZIP_STORED), ("packed", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(kept[name], "w", way) as archive:
            archive.writestr("archive/data.pkl", pickle.dumps({"hub_token": token.decode(), "more": "a" * 1000}))
    with tarfile.open(fileobj=kept["tar"], mode="w") as plain:
        info = tarfile.TarInfo("a.txt")
        info.size = len(token)
        plain.addfile(info, io.BytesIO(token))
    came = {name: search(file.getvalue()) for name, file in kept.items()}
    assert {name: (one.packed, len(one.found)) for name, one in came.items()} == {
        "stored": ("", 1),  # what torch.save writes
        "packed": ("zip", 0),
        "tar": ("", 1),
    }
    assert search(gzip.compress(token)).packed == "gzip"
    assert search(b"PAR1" + bytes(100)).packed == "Parquet"
    assert search(b"\x28\xb5\x2f\xfd" + bytes(100)).packed == "zstd"
