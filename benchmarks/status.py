"""How long `openllm-repos status` takes for a family whose remotes are far away.

Everything is on this machine: `git http-backend` behind a server that waits before each answer as long as the distance
would take. Server and tool share the processors, so the figures are those of a machine that does both.

    python benchmarks/status.py [--repos 50] [--targets 10] [--latency 50] [--runs 7] [--scheme http]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.process import run_git, run_tool
from tests.support.repositories import Clone
from tests.support.sealed import seal
from tests.support.server import GitServer

PLAIN = "https://git.example.org/"  # git is told to ask the server over plain HTTP instead


@contextlib.contextmanager
def served() -> Iterator[tuple[Path, GitServer]]:
    """Yield an empty folder, in a sealed home, and a server that answers for `PLAIN`."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        place = Path(folder)
        home = seal(place / "home", patch)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # what an installed program does
        patch.setenv("PYTHONPYCACHEPREFIX", str(place / "bytecode"))
        with GitServer(place / "server", home=home) as server:
            home.instead_of(PLAIN, server.url(""))
            yield place, server


def main() -> None:
    """Make the family, ask it again and again, and print the medians."""
    options = _options()
    with served() as (place, server):
        clone = _family(place, server, options)
        server.latency = options.latency / 1000
        server.on(latency=options.latency / 1000)
        print(
            f"{options.repos} repos over {options.scheme}, {options.targets} of them targets in sync,"
            f" {options.latency} ms away; {os.cpu_count()} processors; medians of {options.runs} runs"
        )
        for label, args in (
            ("status --offline", ["status", "--offline"]),
            ("status", ["status"]),
            ("status --json", ["status", "--json"]),
        ):
            _report(label, [measured(place, clone, args) for _ in range(options.runs)])
        listed = [["ls-remote", "--refs", line] for line in _urls(server, options)]
        begin = time.perf_counter()
        for args in listed:
            run_git(*args, cwd=clone.path)
        print(f"{'git ls-remote, one after another':34} {time.perf_counter() - begin:6.2f} s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repos", type=int, default=50, help="how many repos (50)")
    parser.add_argument("--targets", type=int, default=10, help="how many of them are targets (10)")
    parser.add_argument("--latency", type=float, default=50, help="milliseconds there and back (50)")
    parser.add_argument("--runs", type=int, default=7, help="how often each is run (7)")
    parser.add_argument("--scheme", choices=("http", "https", "file"), default="http")
    return parser.parse_args()


def _urls(server: GitServer, options: argparse.Namespace) -> list[str]:
    def url(name: str) -> str:
        if options.scheme == "file":
            return (server.root / name).as_uri()
        return server.https_url(name) if options.scheme == "https" else PLAIN + name

    return [url(f"repo-{number}.git") for number in range(options.repos)]


def _family(place: Path, server: GitServer, options: argparse.Namespace) -> Clone:
    """Make the repos, the first of them the source, and sync the targets."""
    clone = Clone.init(place / "clone")
    lines = ['schema = 1\n[project]\nname = "benchmark"\n']
    for number, url in enumerate(_urls(server, options)):
        server.create(f"repo-{number}.git")
        lines.append(f'[repos.repo-{number}]\nurl = "{url}"')
        if number == 0:
            lines.append('role = "source"')
        elif number <= options.targets:
            lines.append(f'map = [{{ from = "core/src/*.py", to = "training-{number}/" }}]')
    clone.write({"repos.toml": "\n".join(lines)})
    for number in range(20):
        clone.commit(f"change {number}", {"core/src/model.py": f"version = {number}\n"})
    held = server.root
    run_git("push", "-q", held / "repo-0.git", "main", cwd=clone.path)
    other = Clone.init(place / "other")
    other.commit("a model", {"config.json": "{}\n"})
    for number in range(options.targets + 1, options.repos):
        run_git("push", "-q", held / f"repo-{number}.git", "main", "main:refs/tags/v1.0", cwd=other.path)
    if options.targets:
        done = run_tool("sync", "--yes", cwd=clone.path, timeout=600)
        if done.code:
            raise SystemExit(done.out + done.err)
    return clone


def measured(place: Path, clone: Clone, args: list[str]) -> tuple[float, float]:
    """Run the tool once and return its seconds by the clock, and of the processors (its own gits included)."""
    meter = ["-I", "-S", str(Path(__file__).with_name("measured.py")), "600", str(place / "out"), str(place / "err")]
    tool = [sys.executable, "-m", "openllm_repos", "-C", str(clone.path), *args]
    done = subprocess.run([sys.executable, *meter, *tool], capture_output=True, check=True)
    facts = json.loads(done.stdout)
    said = (place / "out").read_text() + (place / "err").read_text()
    (place / "out").unlink()
    (place / "err").unlink()
    if facts["code"] != 0 or "unreachable" in said:
        raise SystemExit(said)
    return facts["wall"], facts["cpu"]


def _report(label: str, figures: list[tuple[float, float]]) -> None:
    walls, processors = zip(*figures, strict=True)
    print(
        f"{label:34} {statistics.median(walls):6.2f} s (best {min(walls):.2f}),"
        f" processors {statistics.median(processors):.2f} s"
    )


if __name__ == "__main__":
    main()
