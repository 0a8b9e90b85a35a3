"""Hundreds of targets: one machine that syncs them all, beside a matrix of one job a target, on the local sandbox.

    .venv/bin/python benchmarks/fleet.py [--targets 500] [--latency 100] [--sample 20] [--commits 20]
    .venv/bin/python benchmarks/fleet.py --targets 3 --latency 0 --source CLONE --folder Documentation/

Every target is a Space on the sandbox's Hub that gets a projection of the same source. One machine runs the first sync
of all, one with nothing new, one with one new commit, and `status`. Then each job of a matrix begins as one on a runner
does, with a fresh clone, and syncs one target; `--sample` says how many jobs are really run. The requests are counted
in the sandbox's log, the processes that git starts by git itself. Server and tool share the processors.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from openllm_repos.sandbox import Sandbox

SOURCE = "louischua/openllm"
OWNER = "lemms"
TOOL = [sys.executable, "-m", "openllm_repos"]
METER = [sys.executable, "-I", "-S", str(Path(__file__).with_name("measured.py")), "7200"]
# What the hosts allow; the Hub's by its page on rate limits, GitHub's by its pages on usage limits.
API_CALLS, API_MINUTES = 1000, 5  # of one token on the Hub
COMMITS_AN_HOUR = 128  # to one repository on the Hub
MATRIX, RUNNERS = 256, 20  # jobs of a matrix, and of them at once on the free plan
STARTING = 30.0  # seconds that a runner takes to start and to install the tool; an assumption, not measured


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run took.

    Attributes:
        wall: seconds by the clock.
        cpu: seconds of the processors, of the tool and its gits.
        requests: how many requests the hosts got, by what they were for.
        gits: how many processes of git there were, those that git started itself among them.
    """

    wall: float
    cpu: float
    requests: Mapping[str, int]
    gits: int


class Fleet:
    """A source on the sandbox's GitHub, a clone of it, and many Spaces on its Hub.

    Args:
        place: everything lies below it.
        sandbox: the hosts.
        options: how many Spaces, and what the source is.
    """

    def __init__(self, place: Path, sandbox: Sandbox, options: argparse.Namespace) -> None:
        targets = options.targets
        self.folder = options.folder
        self.place = place
        self.sandbox = sandbox
        self.names = [f"space-{number:03}" for number in range(targets)]
        self.environment = {
            **sandbox.sealed(plain_git=True),
            "HOME": str(place),
            "PYTHONPYCACHEPREFIX": str(place / "bytecode"),
            **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()},
        }
        sandbox.github.create(SOURCE)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: sandbox.hub.create("space", f"{OWNER}/{name}", sdk="gradio"), self.names))
        self.clone = place / "clone"
        if options.source:
            copy = ["git", "clone", "-q", "--no-tags", "--single-branch", str(options.source), str(self.clone)]
            subprocess.run(copy, env={**self.environment, "GIT_ALLOW_PROTOCOL": "file"}, check=True)
            self.git("branch", "-M", "main")
            self.git("remote", "remove", "origin")
        else:
            self.git("init", "-q", "-b", "main", str(self.clone), cwd=place)
            self._write_history(options.commits)
        (self.clone / "repos.toml").write_text(self._manifest(), encoding="utf-8")
        self.change(options.commits)
        self.git("remote", "add", "origin", f"https://github.com/{SOURCE}")
        self.push()

    def _write_history(self, commits: int) -> None:
        """Make commits, each of which changes three files of the folder."""
        ada = "Ada Tester <ada@example.org>"
        rows = [
            f"commit refs/heads/main\ncommitter {ada} {1_700_000_000 + number} +0000\ndata <<.\nChange {number}\n.\n\n"
            + "".join(f"M 100644 inline {path}\ndata <<.\n{text}.\n\n" for path, text in self._files(number))
            for number in range(commits)
        ]
        self.git("fast-import", "--quiet", stdin="".join(rows))
        self.git("reset", "-q", "--hard")

    def _manifest(self) -> str:
        entries = [
            f'[repos.{name}]\nspace = "{OWNER}/{name}"\nowned = ["app.py", "README.md"]\n'
            f'[[repos.{name}.map]]\nfrom = "{self.folder}"\nto = "training/"\n'
            for name in self.names
        ]
        head = f'schema = 1\n[project]\nname = "fleet"\n[repos.main]\ngithub = "{SOURCE}"\nrole = "source"\n'
        return "\n".join([head, *entries])

    def git(self, *args: str, cwd: Path | None = None, stdin: str = "") -> str:
        """Run git as a person would, by default in the clone."""
        where = cwd or self.clone
        return subprocess.run(
            ["git", *args], cwd=where, env=self.environment, check=True, capture_output=True, text=True, input=stdin
        ).stdout

    def change(self, number: int) -> None:
        """Make a commit in the source."""
        for path, text in self._files(number):
            (self.clone / path).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / path).write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"Change {number}")

    def _files(self, number: int) -> Iterator[tuple[str, str]]:
        for name in ("model", "train", "data_loader"):
            yield f"{self.folder.rpartition('/')[0]}/{name}.py", f"version = {number}\n" * 50

    def push(self) -> None:
        """Push the source."""
        self.git("push", "-q", "origin", "main")

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """Count the requests of what is done meanwhile; the counter is filled at the end."""
        starts = [len(site.log) for site in (self.sandbox.hub, self.sandbox.github)]
        counter: Counter[str] = Counter()
        yield counter
        for site, start in zip((self.sandbox.hub, self.sandbox.github), starts, strict=True):
            counter.update(_purpose(seen.method, seen.path) for seen in site.log[start:])

    def run(self, *args: str, clone: Path | None = None) -> Taken:
        """Run the tool and measure it.

        Raises:
            SystemExit: it failed; no figure of that counts.
        """
        with tempfile.TemporaryDirectory(dir=self.place) as folder:
            place = Path(folder)
            traces = place / "traces"
            traces.mkdir()
            out, err = place / "out", place / "err"
            command = [*METER, str(out), str(err), *TOOL, "-C", str(clone or self.clone), *args]
            # The tool drops what the environment says of traces; what the person's configuration says stays.
            traced = place / "gitconfig"
            own = self.environment["GIT_CONFIG_GLOBAL"]
            traced.write_text(f"[include]\n\tpath = {own}\n[trace2]\n\teventTarget = {traces}\n", encoding="utf-8")
            with self.counted() as requests:
                done = subprocess.run(
                    command, env={**self.environment, "GIT_CONFIG_GLOBAL": str(traced)}, check=True, capture_output=True
                )
            facts = json.loads(done.stdout)
            if facts["code"] != 0:
                raise SystemExit(f"{args}: exit code {facts['code']}\n{err.read_text()[-3000:]}")
            return Taken(facts["wall"], facts["cpu"], requests, len(list(traces.iterdir())))


_PERSON = {"NAME": "Ada Tester", "EMAIL": "ada@example.org"}


def _purpose(method: str, path: str) -> str:
    if "git-receive-pack" in path:
        return "push" if method == "POST" else "refs for a push"
    if "git-upload-pack" in path:
        return "fetch or refs" if method == "POST" else "greeting"
    return "API"


def main() -> None:
    """Make the fleet, measure it both ways, and print figures and plan."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder, Sandbox(Path(folder) / "hosts") as sandbox:
        begin = time.perf_counter()
        fleet = Fleet(Path(folder), sandbox, options)
        for site in (sandbox.hub, sandbox.github):
            site.fault("*", delay=options.latency / 1000, count=None)
        print(
            f"{options.targets} Spaces {options.latency:g} ms away, one source of"
            f" {fleet.git('rev-list', '--count', 'main').strip()} commits;"
            f" {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; made in {time.perf_counter() - begin:.0f} s"
        )
        alone = _one_machine(fleet)
        jobs = _matrix(fleet, options.sample)
        _plan(options.targets, alone, jobs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--targets", type=int, default=500, help="how many Spaces (500)")
    parser.add_argument("--latency", type=float, default=100, help="milliseconds that each request takes more (100)")
    parser.add_argument("--sample", type=int, default=20, help="how many jobs of the matrix are run (20)")
    parser.add_argument("--commits", type=int, default=20, help="how many commits the source has (20)")
    parser.add_argument("--source", type=Path, help="a clone whose history the source has instead")
    parser.add_argument("--folder", default="core/src/*.py", help="what the Spaces get of it (core/src/*.py)")
    return parser.parse_args()


def _one_machine(fleet: Fleet) -> Taken:
    """Print what one machine takes; return the sync of one new commit."""
    print(f"\n{'one machine':24} {'wall':>8} {'CPU':>8} {'gits':>6}  requests")
    count = len(fleet.names)
    _row("first sync of all", fleet.run("sync", "--yes"), count)
    _row("sync, nothing new", fleet.run("sync", "--yes"), count)
    fleet.change(-1)
    fleet.push()
    taken = fleet.run("sync", "--yes")
    _row("sync, one new commit", taken, count)
    _row("status", fleet.run("status", "--json"), count)
    return taken


def _row(label: str, taken: Taken, targets: int) -> None:
    listed = ", ".join(f"{number} {what}" for what, number in sorted(taken.requests.items()))
    total = sum(taken.requests.values())
    print(
        f"{label:24} {taken.wall:6.1f} s {taken.cpu:6.1f} s {taken.gits:6}  {total}: {listed};"
        f" {total / targets:.1f} and {taken.gits / targets:.1f} gits a target"
    )


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a matrix: the seconds of the clone, the sync, and the requests of both."""

    cloning: float
    taken: Taken


def _matrix(fleet: Fleet, sample: int) -> Sequence[Job]:
    """Run jobs of a matrix, each in a fresh clone: after one more commit, then with nothing new; print figures."""
    fleet.change(-2)
    fleet.push()
    listed = json.loads(
        subprocess.run(
            [*TOOL, "-C", str(fleet.clone), "targets", "--matrix", "--jobs", str(min(MATRIX, len(fleet.names)))],
            env=fleet.environment,
            check=True,
            capture_output=True,
        ).stdout
    )["include"]
    chosen = fleet.names[:: max(1, len(fleet.names) // sample)][:sample]

    def job(name: str) -> Job:
        folder = Path(tempfile.mkdtemp(dir=fleet.place)) / name
        begin = time.perf_counter()
        fleet.git("clone", "-q", f"https://github.com/{SOURCE}", str(folder), cwd=fleet.place)
        cloning = time.perf_counter() - begin
        return Job(cloning, fleet.run("sync", "--yes", name, clone=folder))

    print(f"\nmatrix: {len(listed)} jobs; {len(chosen)} of one target each were run, one after another")
    with fleet.counted() as requests:
        jobs = [job(name) for name in chosen]
    _jobs("a job", jobs, requests)
    with fleet.counted() as requests:
        again = [job(name) for name in chosen]
    _jobs("with nothing new", again, requests)
    return jobs


def _jobs(label: str, jobs: Sequence[Job], requests: Mapping[str, int]) -> None:
    total = ", ".join(f"{number / len(jobs):.1f} {what}" for what, number in sorted(requests.items()))
    walls = [one.taken.wall for one in jobs]
    print(
        f"{label}: clone {statistics.median(one.cloning for one in jobs):.2f} s, sync {statistics.median(walls):.2f} s"
        f" (longest {max(walls):.2f}), CPU {statistics.median(one.taken.cpu for one in jobs):.2f} s,"
        f" {statistics.median(one.taken.gits for one in jobs):.0f} gits; requests: {total}"
    )


def _plan(targets: int, alone: Taken, jobs: Sequence[Job]) -> None:
    """Print what the figures mean within the limits of the hosts."""
    api = alone.requests["API"]
    job = statistics.median(one.cloning + one.taken.wall for one in jobs)
    print(f"\nplan, with {STARTING:.0f} s to start a runner (assumed)")
    print(f"one machine: {STARTING + alone.wall:.0f} s")
    for count in dict.fromkeys(min(most, targets) for most in (RUNNERS, MATRIX)):
        each = math.ceil(targets / count)
        # The first target of a job costs what a job of one does, each more what it costs on one machine.
        longest = STARTING + job + (each - 1) * alone.wall / targets
        rounds = math.ceil(count / RUNNERS)
        print(
            f"matrix of {count} jobs: {each} targets each at the most; at {RUNNERS} at once {rounds} rounds of"
            f" {longest:.0f} s: {rounds * longest:.0f} s"
        )
    print(
        f"the Hub: {alone.requests['push'] / targets:.1f} pushes a target and sync, of {COMMITS_AN_HOUR} an hour to a"
        f" repository; one machine makes {api} API calls and the matrix one a job at least, of the {API_CALLS} that a"
        f" token has in {API_MINUTES} minutes"
    )


if __name__ == "__main__":
    main()
