"""Files of words, as tokenizers of public models have them, made at random: nothing in them looks like a secret."""

from __future__ import annotations

import base64
import json
import random
import string
import struct
from collections.abc import Callable, Iterator

_LETTERS = string.ascii_letters + string.digits
_PIECES = ("hf", "_", "sk", "-", "gh", "p_", "AK", "IA", "eyJ", "pass", "word", "token", "key", "secret", "api")


def _words(chance: random.Random) -> Iterator[str]:
    """Yield words without end: of letters, of pieces that tokens begin with, and of other scripts."""
    while True:
        kind = chance.random()
        if kind < 0.7:
            yield "".join(chance.choices(string.ascii_lowercase, k=chance.randint(1, 14)))
        elif kind < 0.85:
            yield "".join(chance.choices(_LETTERS + "_-./", k=chance.randint(2, 24)))
        elif kind < 0.95:
            yield "".join(chance.choices(_PIECES, k=chance.randint(1, 4)))
        else:
            yield "".join(chr(chance.randint(0x4E00, 0x9FA5)) for _ in range(chance.randint(1, 4)))


def _joined(lines: Iterator[bytes], size: int, end: bytes = b"\n") -> bytes:
    found, length = [], 0
    while length < size:
        line = next(lines) + end
        found.append(line)
        length += len(line)
    return b"".join(found)


def gpt2_vocab(chance: random.Random, size: int) -> bytes:
    words = _words(chance)
    rows = (f'"{chr(0x120)}{json.dumps(next(words))[1:-1]}": {number}'.encode() for number in iter(int, 1))
    return b"{" + _joined(rows, size, b", ")[:-2] + b"}"


def gpt2_merges(chance: random.Random, size: int) -> bytes:
    words = _words(chance)
    return b"#version: 0.2\n" + _joined((f"{next(words)} {next(words)}".encode() for _ in iter(int, 1)), size)


def bert_vocab(chance: random.Random, size: int) -> bytes:
    words = _words(chance)
    return b"[PAD]\n[UNK]\n" + _joined(
        (f"{chance.choice(('', '##'))}{next(words)}".encode() for _ in iter(int, 1)), size
    )


def sentencepiece_model(chance: random.Random, size: int) -> bytes:
    """A `ModelProto`: each piece has its text, a score, and perhaps a kind."""
    words = _words(chance)

    def pieces() -> Iterator[bytes]:
        while True:
            text = ("\u2581" * chance.randint(0, 1) + next(words)).encode()[:120]
            piece = b"\x0a" + bytes([len(text)]) + text + b"\x15" + struct.pack("<f", -chance.random() * 20)
            yield b"\x0a" + bytes([len(piece)]) + piece if len(piece) < 128 else b""

    return _joined(pieces(), size, b"")


def tiktoken_ranks(chance: random.Random, size: int) -> bytes:
    words = _words(chance)
    rows = (
        base64.b64encode(next(words).encode() if chance.random() < 0.8 else chance.randbytes(chance.randint(1, 100)))
        + b" %d" % chance.randint(0, 200_000)
        for _ in iter(int, 1)
    )
    return _joined(rows, size)


def tokenizer_json(chance: random.Random, size: int) -> bytes:
    added = [
        {"id": number, "content": f"<|reserved_special_token_{number}|>", "special": True, "normalized": False}
        for number in range(1000)
    ]
    special = {"pad_token": "[PAD]", "unk_token": "<unk>", "image_token": "<|image_placeholder_0|>"}
    vocab, merges = gpt2_vocab(chance, size // 2), gpt2_merges(chance, size // 2).splitlines()[1:]
    head = json.dumps({"version": "1.0", **special, "added_tokens": added})[:-1].encode()
    rows = b",\n".join(json.dumps(merge.decode().split(" ")).encode() for merge in merges)
    return head + b', "model": {"type": "BPE", "vocab": ' + vocab + b', "merges": [' + rows + b"]}}"


def base64_data(chance: random.Random, size: int) -> bytes:
    """Not a tokenizer's: one line of Base64, half of it as in URLs."""
    half = chance.randbytes(size * 3 // 8)
    return base64.b64encode(half) + b"\n" + base64.urlsafe_b64encode(half) + b"A" * 64


VOCABULARIES: dict[str, Callable[[random.Random, int], bytes]] = {
    "GPT-2's vocab.json": gpt2_vocab,
    "GPT-2's merges.txt": gpt2_merges,
    "BERT's vocab.txt": bert_vocab,
    "SentencePiece's tokenizer.model, of T5 and Llama": sentencepiece_model,
    "tiktoken's ranks": tiktoken_ranks,
    "tokenizer.json": tokenizer_json,
    "data in Base64": base64_data,
}
