"""What looks like a secret is found by name and by content, and a vocabulary is not."""

from __future__ import annotations

import pickle
import random
import string

import pytest

from openllm_repos.publish.secrets import Search, Suspicion, suspicious_name


def found(*blocks: bytes) -> list[tuple[int, str]]:
    search = Search("data/log.txt", sum(map(len, blocks)))
    for block in blocks:
        search.feed(block)
    return [(one.line, one.what) for one in search.found]


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".env.production",
        "prod.env",
        "id_rsa",
        "id_ed25519",
        "server.pem",
        "TLS.KEY",
        ".netrc",
        ".pypirc",
        ".git-credentials",
        "credentials.json",
        "credentials",
        "client_secret_1.apps.json",
        "my-service-account.json",
        ".aws/config",
        "home/.ssh/known_hosts",
        "stored_tokens",
    ],
)
def test_a_name_that_secrets_have(name: str) -> None:
    assert suspicious_name(f"exports/{name}") is not None


@pytest.mark.parametrize(
    "name", [".env.example", "config.json", "tokenizer.json", "id_rsa.pub", "keys.txt", "model.safetensors", "env/a.py"]
)
def test_a_name_that_artifacts_have(name: str) -> None:
    assert suspicious_name(f"exports/{name}") is None


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ("hf_" + "a1B" * 11 + "c", "a token of the Hub"),
        ("ghp_" + "a" * 36, "a token of GitHub"),
        ("ghs_" + "a" * 36, "a token of GitHub"),
        ("github_pat_" + "a" * 22 + "_" + "b" * 59, "a token of GitHub"),
        ("glpat-" + "a" * 20, "a token of GitLab"),
        ("AKIA" + "A2" * 8, "a key of AWS"),
        ("AIza" + "a" * 35, "a key of Google"),
        ("xoxb-" + "1" * 24, "a token of Slack"),
        ("pypi-AgEIcHlwaS" + "a" * 60, "a token of PyPI"),
        ("npm_" + "a" * 36, "a token of npm"),
        ("sk-ant-" + "a" * 40, "a key of an AI service"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("-----BEGIN " + "PRIVATE KEY-----", "a private key"),
    ],
)
def test_a_secret_inside_a_text(secret: str, what: str) -> None:
    assert found(f"one\ntwo = '{secret}'\n".encode()) == [(2, what)]
    assert found(f"x{secret}".encode()) == ([] if what != "a private key" else [(1, what)])


@pytest.mark.parametrize("cut", [0, 1, 5, 20, 40])
def test_a_secret_that_lies_across_two_blocks_is_found_once_at_its_line(cut: int) -> None:
    text = b"line\n" * 500 + b"key hf_" + b"a1" * 17 + b"\n" + b"line\n" * 500
    place = text.index(b"hf_") + cut
    assert found(text[:place], text[place:]) == [(501, "a token of the Hub")]


def test_a_private_key_between_certificates_and_public_keys() -> None:
    assert found(b"-----BEGIN CERTIFICATE-----\n-----BEGIN PUBLIC KEY-----\n") == []


def test_a_token_among_pickled_settings() -> None:
    """`training_args.bin` of transformers keeps the `hub_token` that a training was started with."""
    settings = pickle.dumps({"layers": 0, "hub_token": "hf_" + "a1" * 17, "seed": 7}, protocol=2)
    assert b"\0" in settings
    assert found(settings) == [(0, "a token of the Hub")]
    assert Suspicion("exports/training_args.bin", 0, "a token").place == "exports/training_args.bin"


def test_weights_are_left_alone() -> None:
    search = Search("model.safetensors", 11 << 20)
    search.feed(b"\0\1 hf_" + b"a1" * 17)
    search.feed(b" hf_" + b"a1" * 17)
    assert search.found == ()


def test_noise_holds_no_secret() -> None:
    assert found(random.Random(3).randbytes(4 << 20)) == []


def test_a_vocabulary_holds_no_secret() -> None:
    chance = random.Random(3)
    letters = string.ascii_letters + string.digits
    words = ["".join(chance.choices(letters, k=chance.randint(2, 40))) for _ in range(20_000)]
    assert found("\n".join(words).encode()) == []


def test_ten_places_of_one_file_are_enough() -> None:
    line = b"AKIA" + b"A2" * 8 + b"\n"
    assert len(found(line * 15, line * 15)) == 10
