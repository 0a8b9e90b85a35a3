"""How long a push takes to be held against the Hub's rules, for a long history of small text files or a clone of yours.

python benchmarks/preflight.py [--commits 10000] [--runs 3] [--clone DIR --rev HEAD]
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from openllm_repos.git.repository import Repository
from openllm_repos.manifest.model import Kind, Repo, Role
from openllm_repos.names.objectid import ObjectId
from openllm_repos.names.ref import RepoName
from openllm_repos.names.url import RepoId
from openllm_repos.preflight.inspect import inspect
from openllm_repos.preflight.push import Push

_FILES = 200
_NAME = RepoId("lemms/openllm")
_SPACE = Repo(RepoName("space"), Kind.SPACE, _NAME.space_url(), _NAME, Role.TARGET)


def main() -> None:
    """Make a history (or take a clone), inspect a first push of all of it and one of its newest commit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--commits", type=int, default=10_000, help="how many commits to make (10000)")
    parser.add_argument("--runs", type=int, default=3, help="how often each is run; the best counts (3)")
    parser.add_argument("--clone", type=Path, help="measure this clone instead")
    parser.add_argument("--rev", default="HEAD", help="what would be pushed of it (HEAD)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = options.clone or Path(folder)
        if options.clone is None:
            _make(place, options.commits)
        repository = Repository.open(place)
        new = repository.resolve(options.rev)
        _report(repository, "all of it", new, None, options.runs)
        _report(repository, "its newest commit", new, repository.resolve(f"{new}^"), options.runs)
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print("peak: {:.0f} MiB, and {:.0f} MiB for the largest git".format(*(peak / 1024 for peak in peaks)))


def _make(place: Path, commits: int) -> None:
    """Write a history in which each commit changes one of many files of a hundred lines."""
    subprocess.run(["git", "init", "-q", "-b", "main", place], check=True)
    chance = random.Random(1)  # noqa: S311 - the same history every time
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=place, stdin=subprocess.PIPE) as git:
        assert git.stdin is not None
        for commit in range(commits):
            git.stdin.write(b"commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 2\nx\n" % commit)
            for number in range(_FILES) if commit == 0 else (chance.randrange(_FILES),):
                body = "".join(f"line {chance.random()}\n" for _ in range(100)).encode()
                path = b"training/part%d/file%d.py" % (number % 10, number)
                git.stdin.write(b"M 100644 inline %b\ndata %d\n%b\n" % (path, len(body), body))
    if git.returncode:
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "repack", "-adq"], cwd=place, check=True)


def _report(repository: Repository, label: str, new: ObjectId, tip: ObjectId | None, runs: int) -> None:
    push, best, found = Push(_SPACE, _SPACE.url, new, tip), float("inf"), 0
    for _ in range(runs):
        begin = time.perf_counter()
        found = len(inspect(repository, push).findings)
        best = min(best, time.perf_counter() - begin)
    without = () if tip is None else (f"^{tip}",)
    commits = int(repository.git.text("rev-list", "--count", new, *without))
    blobs = ("--objects", "--filter=object:type=blob", "--filter-provided-objects", "--no-object-names")
    files = sum(1 for _ in repository.git.stream("rev-list", *blobs, new, *without))
    print(f"{label}: {commits} commits, {files} files: {best:.2f} s, {found} findings; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
