"""How fast files are searched for secrets before they are published, by kind of content.

    .venv/bin/python benchmarks/search.py [--size MEGABYTES] [--runs NUMBER]

Prints megabytes a second of CPU time, the best of some runs, beside SHA-256, which reads the same bytes anyway.
"""

import argparse
import base64
import hashlib
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

from openllm_repos.secrets.search import Search

_BLOCK = 1 << 20
_LARGE = 1 << 30  # bytes; in a larger text than one that people write, names before values are not looked at


def contents(size: int) -> dict[str, bytes]:
    """Return some content of each kind, always the same."""
    chance = random.Random(1)  # noqa: S311 - the same contents every time
    sources = sorted((Path(__file__).parent.parent / "src").rglob("*.py"))
    code = b"".join(path.read_bytes() for path in sources)
    numbers = "\n".join(",".join(f"{chance.random():.6f}" for _ in range(8)) for _ in range(size // 60 + 1))
    rows = "\n".join(json.dumps({"id": chance.randbytes(32).hex(), "text": "a row"}) for _ in range(size // 90 + 1))
    found = {
        "code": code * (size // len(code) + 1),
        "numbers": numbers.encode(),
        "rows with a hash each": rows.encode(),
        "Base64": base64.b64encode(chance.randbytes(size)),
        "Base64 of URLs": base64.urlsafe_b64encode(chance.randbytes(size)),
        "weights": b"\0" + chance.randbytes(size),
    }
    return {name: content[:size] for name, content in found.items()}


def speed(work: Callable[[], object], size: int, runs: int) -> float:
    """Return the megabytes a second of CPU time of the best run."""
    best = float("inf")
    for _ in range(runs):
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
    return size / max(best, 1e-9) / 1e6


def search(content: bytes, size: int) -> None:
    """Search a content as a file of that size."""
    one = Search("a", size)
    for at in range(0, len(content), _BLOCK):
        one.feed(content[at : at + _BLOCK])
    one.finish()


def main() -> None:
    """Measure every kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=8, help="megabytes of each kind")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    size = options.size * 1_000_000
    print(f"{options.size} MB of each kind, MB/s of CPU time, best of {options.runs}")
    print(f"{'':24}{'as a text of 10 MB':>20}{'as a larger file':>20}{'SHA-256':>10}")
    for name, content in contents(size).items():
        works = (
            lambda content=content: search(content, size),
            lambda content=content: search(content, _LARGE),
            lambda content=content: hashlib.sha256(content).digest(),
        )
        small, large, hashed = (speed(work, size, options.runs) for work in works)
        print(f"{name:24}{small:20.0f}{large:20.0f}{hashed:10.0f}")


if __name__ == "__main__":
    main()
