"""How much processor time a family with thousands of releases takes: `release list`, all of them, and `status`.

The releases are sound: each has its lock in a commit of its own, as `openllm-repos release` writes it, and an annotated
tag on the source, on a target that is in sync and on two members. They are made with `git fast-import`, the same each
time, and served by `git http-backend`, whose time is not counted.

    python benchmarks/releases.py [--releases 5000] [--runs 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.status import PLAIN, measured, served
from openllm_repos.lockfile.model import Lock, LockedRepo, lock_path
from openllm_repos.lockfile.text import format_lock
from openllm_repos.manifest.model import Manifest
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import BranchName, TagName
from tests.support.process import REAL_GIT, run_git, run_tool
from tests.support.repositories import Clone
from tests.support.server import GitServer

REPOS = ("main", "space", "small", "large")
_WHO = "Rita Release <rita@example.org> {} +0000"
_START = 1_700_000_000
COMMANDS = (["release", "list"], ["release", "list", "-n", "0"], ["status", "--check"])


def main() -> None:
    """Make the family, ask it again and again, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--releases", type=int, default=5000, help="how many there are (5000)")
    parser.add_argument("--runs", type=int, default=5, help="how often each is run (5)")
    options = parser.parse_args()
    with served() as (place, server):
        clone = make_family(place, server, options.releases)
        print(
            f"{options.releases} releases of {len(REPOS)} repos; {os.cpu_count()} processors;"
            f" medians of {options.runs} runs"
        )
        for command in COMMANDS:
            used = [measured(place, clone, command)[1] for _ in range(options.runs)]
            print(f"{' '.join(command):20} {statistics.median(used):6.2f} s of processors (best {min(used):.2f})")


def make_family(place: Path, server: GitServer, releases: int) -> Clone:
    """Make a source, a target that is in sync and two members, all of them released so often."""
    clone = Clone.init(place / "clone")
    for name in REPOS:
        server.create(f"{name}.git")
    urls = {name: f"{PLAIN}{name}.git" for name in REPOS}
    lines = [
        'schema = 1\n[project]\nname = "benchmark"\n',
        *(f'[repos.{name}]\nurl = "{urls[name]}"' for name in REPOS),
    ]
    lines[1] += '\nrole = "source"'
    lines[2] += '\nmap = [{ from = "core/src/*.py", to = "training/" }]'
    clone.write({"repos.toml": "\n".join(lines)})
    tip = clone.commit("Start", {"core/src/model.py": "model\n"})
    clone.git("remote", "add", "origin", urls["main"])
    for name in ("main", "small", "large"):
        run_git("push", "-q", server.root / f"{name}.git", "main", cwd=clone.path)
    done = run_tool("sync", "--yes", cwd=clone.path, timeout=600)
    if done.code:
        raise SystemExit(done.out + done.err)
    manifest = Manifest.load(clone.path / "repos.toml")
    space = run_git("rev-parse", "main", cwd=server.root / "space.git").out.strip()
    at = {"main": tip, "space": space, "small": tip, "large": tip}
    versions = [f"{number // 100}.{number % 100}.0" for number in range(1, releases + 1)]
    _release_source(clone, manifest, at, versions)
    run_git("push", "-q", server.root / "main.git", "main", "--tags", cwd=clone.path)
    for name in REPOS[1:]:
        with _importing(server.root / f"{name}.git") as stream:
            for number, version in enumerate(versions):
                stream.write(_tag(version, at[name], number))
    return clone


def _release_source(clone: Clone, manifest: Manifest, at: dict[str, str], versions: Sequence[str]) -> None:
    """Write the commit with the lock and the tag of each release."""
    parent, mark = ObjectId(at["main"]), at["main"]
    with _importing(clone.path) as stream:
        for number, version in enumerate(versions):
            tag = TagName(f"v{version}")
            repos = tuple(
                LockedRepo(
                    repo.name, repo.role.value, repo.kind.value, repo.repo_id, repo.url, BranchName("main"), tag,
                    parent if repo is manifest.source else ObjectId(at[repo.name]),
                )
                for repo in manifest.repos
            )  # fmt: skip
            lock = Lock("benchmark", version, tag, f"sha256:{'0' * 64}", repos)
            made = f":{number + 1}"
            stream.write(
                f"commit refs/heads/main\nmark {made}\ncommitter {_WHO.format(_START + number)}\n"
                f"{_data(f'Release {version}')}from {mark}\n"
                f"M 100644 inline {lock_path(tag)}\n{_data(format_lock(lock))}"
            )
            stream.write(_tag(version, made, number))
            parent, mark = ObjectId(stream.ask(f"get-mark {made}\n")), made


class _Importer:
    """A `git fast-import` at work."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._stdin, self._stdout = child.stdin, child.stdout

    def write(self, text: str) -> None:
        """Give it a command."""
        self._stdin.write(text)

    def ask(self, text: str) -> str:
        """Give it a command that it answers with a line."""
        self._stdin.write(text)
        self._stdin.flush()
        return self._stdout.readline().strip()


@contextmanager
def _importing(place: Path) -> Iterator[_Importer]:
    command = [REAL_GIT, "fast-import", "--quiet", "--force"]
    with subprocess.Popen(command, cwd=place, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        yield _Importer(child)
        assert child.stdin is not None
        child.stdin.close()
        if child.wait():
            raise SystemExit("git fast-import failed")


def _tag(version: str, commit: str, number: int) -> str:
    return f"tag v{version}\nfrom {commit}\ntagger {_WHO.format(_START + number)}\n{_data(f'Release {version}')}"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


if __name__ == "__main__":
    main()
