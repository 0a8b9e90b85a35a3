"""Measure `openllm-repos split` on any clone, beside git's own walk and the other programs that split a history.

    .venv/bin/python benchmarks/split.py CLONE [FOLDER...] [--runs N] [--skip TOOL] [--markdown]

CLONE is not touched: everything runs in throw-away clones that borrow its objects, a new one for each run that must
start cold. The runs are interleaved (one of each, then the next round), and the table shows their medians, so that a
busy minute of the machine falls on all rows alike. What each row runs is in README.md.

Exit code 0; 1 if a program that must give our commit id gives another; 2 if CLONE or FOLDER cannot be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MEASURED = str(Path(__file__).with_name("measured.py"))
PEERS = ("git-subtree", "splitsh-lite", "git-filter-repo")
PEER_ROUNDS = 3  # the peers take minutes where we take seconds
QUICK_REPEATS = 3  # a round, for what takes a tenth of a second
NEW_COMMITS = 10
SOME_COMMITS, MANY_COMMITS = 10_000, 50_000  # below the first, starting up is most of it; from the second on, nothing
HUGE = 500_000


class CannotMeasure(Exception):
    """The clone, the folder or our own program is not fit to be measured; the text says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took: seconds, seconds of CPU, bytes; `code` is None where the time limit stopped it."""

    code: int | None
    wall: float
    cpu: float
    peak: int
    out: str
    err: str


@dataclass(slots=True)
class Row:
    """One line of the table: what is measured, how one run of it is made, and the runs so far.

    Attributes:
        name: as the table shows it.
        once: makes one run, and returns it with the head that it found (None: nothing to compare).
        must_agree: whether its head must be ours.
        runs: those that were made.
        head: the head of the last one.
    """

    name: str
    once: Callable[[], tuple[Run, str | None]]
    must_agree: bool = False
    runs: list[Run] = field(default_factory=list)
    head: str | None = None

    def measure(self) -> None:
        """Make one more run, unless one was stopped by the limit or failed."""
        if self.runs and self.runs[-1].code != 0:
            return
        run, self.head = self.once()
        self.runs.append(run)

    def median(self, what: str) -> float:
        """Return the median of ``wall``, ``cpu`` or ``peak``."""
        return float(statistics.median(getattr(run, what) for run in self.runs))


class Ground:
    """The throw-away clones of one folder's benchmark, and the programs that run in them.

    Args:
        clone: whose objects are borrowed.
        folder: path of the folder to split, without slashes at its ends.
        place: where the throw-away clones go.
        limit: seconds that a peer may take.
    """

    def __init__(self, clone: Path, folder: str, place: Path, limit: float) -> None:
        self.clone = clone
        self.folder = folder
        self._place = place
        self._limit = limit
        self._number = 0
        self.scratch = self.fresh()

    def fresh(self, *options: str) -> Path:
        """Return a new bare clone that borrows the objects and holds nothing of its own."""
        path = self.new_path()
        git(self._place, "clone", "-q", "--shared", *(options or ("--bare",)), str(self.clone), str(path))
        return path

    def new_path(self) -> Path:
        """Return a path that does not exist yet."""
        self._number += 1
        return self._place / f"{self._number}"

    def run(self, command: Sequence[str], folder: Path, *, limited: bool = False) -> Run:
        """Run a command in a folder and measure it."""
        out, err = self._place / "out", self._place / "err"
        for file in (out, err):
            file.write_bytes(b"")
        seconds = self._limit if limited else 3600.0
        between = [sys.executable, "-I", "-S", MEASURED, str(seconds), str(out), str(err)]
        # an installed program is compiled once and for all; without this, every run would compile it anew
        env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        said = subprocess.run([*between, *command], cwd=folder, env=env, check=True, stdout=subprocess.PIPE)
        return Run(**json.loads(said.stdout), out=out.read_text(errors="replace"), err=err.read_text(errors="replace"))

    def split(self, folder: Path, *options: str) -> tuple[Run, str | None]:
        """Run our own split in a clone."""
        run = self.run([*ours(), "-C", str(folder), "split", *options, self.folder + "/"], folder)
        if run.code != 0:
            raise CannotMeasure(f"openllm-repos split failed: {run.err.strip()}")
        return run, run.out.strip()

    def cold(self) -> tuple[Run, str | None]:
        """Split in a clone that remembers nothing and holds no projected commit."""
        path = self.fresh()
        result = self.split(path)
        shutil.rmtree(path)
        return result

    def warm(self, prepared: Path) -> tuple[Run, str | None]:
        """Split once more where an earlier split is remembered; the files of `prepared` are linked, not copied."""
        path = self.new_path()
        shutil.copytree(prepared, path, copy_function=os.link)
        result = self.split(path)
        shutil.rmtree(path)
        return result

    def floor(self) -> tuple[Run, str | None]:
        """Walk the folder's history with git itself, which then has not made a single commit yet."""
        command = ["git", "log", "--full-history", "--parents", "--format=%H", "HEAD", "--", self.folder]
        return self.run(command, self.scratch), None

    def plain(self, *command: str) -> tuple[Run, str | None]:
        """Run a command for its time alone."""
        return self.run(command, self.scratch), None

    def subtree(self) -> tuple[Run, str | None]:
        """Let git subtree split; it wants a work tree that has the folder, though it reads nothing there."""
        path = self.fresh("--no-checkout")
        (path / self.folder).mkdir(parents=True)
        command = ["git", "subtree", "split", "-q", "--ignore-joins", "-P", self.folder, "HEAD"]
        run = self.run(command, path, limited=True)
        shutil.rmtree(path)
        return run, run.out.strip() or None

    def splitsh(self, program: str) -> tuple[Run, str | None]:
        """Let splitsh-lite split, in a clone that has no cache of it."""
        path = self.fresh()
        run = self.run([program, f"--prefix={self.folder}", f"--path={path}", "--origin=HEAD"], path, limited=True)
        shutil.rmtree(path)
        return run, run.out.strip() or None

    def filter_repo(self, program: str) -> tuple[Run, str | None]:
        """Let git-filter-repo rewrite a clone of one branch, which it may."""
        path = self.fresh("--bare", "--single-branch", "--no-tags")
        run = self.run([program, "--quiet", "--force", "--subdirectory-filter", self.folder], path, limited=True)
        head = git(path, "rev-parse", "HEAD") if run.code == 0 else None
        shutil.rmtree(path)
        return run, head


def git(folder: Path, *args: str) -> str:
    """Run git for our own purposes and return what it printed, without the last line end."""
    done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise CannotMeasure(f"git {args[0]}: {done.stderr.strip()}")
    return done.stdout.rstrip("\n")


def holds(folder: Path, name: str | None) -> bool:
    """Whether a clone has an object."""
    command = ["git", "cat-file", "-e", str(name)]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def ours() -> list[str]:
    """Return how openllm-repos is started: the command installed beside this Python, or else as a module."""
    found = shutil.which("openllm-repos", path=str(Path(sys.executable).parent))
    return [found] if found else [sys.executable, "-m", "openllm_repos"]


def peer(name: str) -> str | None:
    """Return the path of a program on PATH or beside this Python, or None."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def has_subtree() -> bool:
    """Whether this git comes with git subtree."""
    return os.access(Path(git(Path.cwd(), "--exec-path")) / "git-subtree", os.X_OK)


def start_of_new_commits(clone: Path, folder: str) -> str | None:
    """Return HEAD~10, or the first commit of a shorter line; None where there is only one, or no such folder yet."""
    line = git(clone, "rev-list", "--first-parent", f"--max-count={NEW_COMMITS + 1}", "HEAD").split()
    return line[-1] if len(line) > 1 and holds(clone, f"{line[-1]}:{folder}") else None


def fullest_folder(clone: Path) -> str:
    """Return the top folder of HEAD that holds the most files."""
    paths = git(clone, "-c", "core.quotePath=false", "ls-tree", "-r", "--full-tree", "--name-only", "HEAD").splitlines()
    folders = Counter(path.partition("/")[0] for path in paths if "/" in path)
    if not folders:
        raise CannotMeasure("There is no folder in HEAD; name one that was there once.")
    return folders.most_common(1)[0][0]


def rows_of(ground: Ground, skip: Sequence[str]) -> tuple[list[Row], list[Row], list[Row]]:
    """Return what to measure: once a round, several times a round, and in the first rounds only."""
    done = ground.fresh()
    ground.split(done)
    once = [Row("git log --full-history (floor)", ground.floor), Row("split, cold", ground.cold, must_agree=True)]
    quick = [
        Row("python -c pass", lambda: ground.plain(sys.executable, "-c", "pass")),
        Row("--version", lambda: ground.plain(*ours(), "--version")),
        Row("split, warm, nothing new", lambda: ground.warm(done), must_agree=True),
    ]
    start = start_of_new_commits(ground.clone, ground.folder)
    if start is not None:
        before = ground.fresh()
        ground.split(before, "--rev", start)
        count = git(ground.clone, "rev-list", "--count", f"{start}..HEAD")
        quick.append(Row(f"split, warm, {count} new commits", lambda: ground.warm(before), must_agree=True))
    peers = []
    splitsh, filter_repo = peer("splitsh-lite"), peer("git-filter-repo")
    if "git-subtree" not in skip and has_subtree():
        peers.append(Row("git subtree split", ground.subtree, must_agree=True))
    if "splitsh-lite" not in skip and splitsh is not None:
        peers.append(Row("splitsh-lite", lambda: ground.splitsh(splitsh)))
    if "git-filter-repo" not in skip and filter_repo is not None:
        peers.append(Row("git-filter-repo", lambda: ground.filter_repo(filter_repo)))
    return once, quick, peers


def measure(ground: Ground, runs: int, skip: Sequence[str]) -> list[Row]:
    """Make all runs of one folder, interleaved, and return the rows of its table."""
    once, quick, peers = rows_of(ground, skip)
    for number in range(runs):
        for row in once:
            row.measure()
        for row in quick * QUICK_REPEATS:
            row.measure()
        for row in peers if number < PEER_ROUNDS else ():
            row.measure()
    return once + quick + peers


def seconds(value: float) -> str:
    """Show a time: milliseconds below one second."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def cells(row: Row, floor: Row, head: str | None, limit: float) -> list[str]:
    """Return one line of the table."""
    last = row.runs[-1]
    if last.code is None:
        return [row.name, str(len(row.runs)), f"> {limit:g} s", "-", "-", "-", "stopped"]
    if last.code != 0:
        reason = (last.err.strip().splitlines() or [f"exit code {last.code}"])[-1]
        return [row.name, str(len(row.runs)), "-", "-", "-", "-", f"failed: {reason}"]
    ratio = f"{row.median('cpu') / floor.median('cpu'):.2f}"
    answer = "-" if row.head is None else "ours" if row.head == head else "another"
    wall, cpu = seconds(row.median("wall")), seconds(row.median("cpu"))
    return [row.name, str(len(row.runs)), wall, cpu, f"{row.median('peak') / 1e6:.0f} MB", ratio, answer]


def goals(rows: list[Row], commits: int) -> list[tuple[str, float, float, str]]:
    """Return what is aimed at: what, the figure, its limit, and their unit."""
    floor, cold, bare, version, *others = rows
    warm = [row for row in others if row.name.startswith("split, warm")]
    aims = []
    if commits >= MANY_COMMITS:
        aims.append(("cold split / git log, wall", cold.median("wall") / floor.median("wall"), 1.0, ""))
    elif commits >= SOME_COMMITS:
        aims.append(("cold split / git log, CPU", cold.median("cpu") / floor.median("cpu"), 3.0, ""))
    else:
        aims.append(("cold split / git log, CPU", cold.median("cpu") / floor.median("cpu"), 2.5, ""))
    aims.append(("--version / python -c pass, wall", version.median("wall") / bare.median("wall"), 2.5, ""))
    for row, most in zip(warm, (150.0, 250.0), strict=False):
        over = 1000 * (row.median("wall") - version.median("wall"))
        aims.append((f"{row.name}: more than --version, wall", over, most, " ms"))
    most = 400.0 if commits >= HUGE else 350.0
    aims.append(("largest peak of a split", max(row.median("peak") for row in [cold, *warm]) / 1e6, most, " MB"))
    return aims


def table(header: Sequence[str], lines: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """Lay out a table, for a terminal or in Markdown."""
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in (header, *lines)]
    if not markdown:
        return "\n".join("  ".join(line).rstrip() for line in padded)
    rule = ["-" * width for width in widths]
    return "\n".join(f"| {' | '.join(line)} |" for line in (padded[0], rule, *padded[1:]))


def machine() -> str:
    """Describe the machine in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    version = subprocess.run(["git", "version"], capture_output=True, text=True, check=True).stdout.split()[2]
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {cores} cores, {memory:.0f} GiB; git {version}, Python {platform.python_version()}"


def load() -> str:
    """Return the load averages of 1, 5 and 15 minutes."""
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def report(ground: Ground, rows: list[Row], commits: int, limit: float, *, markdown: bool) -> list[str]:
    """Print the tables of one folder; return the names of the programs whose head must be ours and is not."""
    floor, cold = rows[0], rows[1]
    header = ["", "runs", "wall", "CPU", "peak", "CPU / git log", "commit id"]
    print(table(header, [cells(row, floor, cold.head, limit) for row in rows], markdown=markdown))
    aims = [
        [what, f"{figure:.{0 if unit else 2}f}{unit}", f"{most:g}{unit}", "yes" if figure <= most else "NO"]
        for what, figure, most, unit in goals(rows, commits)
    ]
    print()
    print(table(["goal", "measured", "at most", "met"], aims, markdown=markdown))
    print(f"\nOur commit id: {cold.head}; load afterwards: {load()}")
    if holds(ground.scratch, cold.head):
        print("CLONE holds these commits from an earlier split: git compared each one, so a first split is faster.")
    return [row.name for row in rows if row.must_agree and row.runs[-1].code == 0 and row.head != cold.head]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure `openllm-repos split` on a clone, beside other programs.")
    parser.add_argument("clone", metavar="CLONE", type=Path, help="any clone, bare or not; it is not touched")
    parser.add_argument("folders", metavar="FOLDER", nargs="*", help="folders to split (the one with the most files)")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="rounds of runs; medians are shown (5)")
    parser.add_argument("--limit", type=float, default=120, metavar="SECONDS", help="stop a peer after this time (120)")
    parser.add_argument("--skip", action="append", default=[], choices=PEERS, help="leave a peer out; may be repeated")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    return parser.parse_args()


def main() -> int:
    """Measure each folder and print its tables."""
    asked = arguments()
    wrong: list[str] = []
    try:
        clone = asked.clone.resolve()
        commits = int(git(clone, "rev-list", "--count", "HEAD"))
        folders = [folder.strip("/") for folder in asked.folders] or [fullest_folder(clone)]
        print(f"{machine()}; load before: {load()}")
        for folder in folders:
            mark = "## " if asked.markdown else ""
            head = git(clone, "rev-parse", "HEAD")
            print(f"\n{mark}{folder}/ of {clone.name}, {commits:,} commits, {head}\n", flush=True)
            with tempfile.TemporaryDirectory(prefix="benchmark-") as place:
                ground = Ground(clone, folder, Path(place), asked.limit)
                rows = measure(ground, max(1, asked.runs), asked.skip)
                wrong += report(ground, rows, commits, asked.limit, markdown=asked.markdown)
    except (CannotMeasure, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name in wrong:
        print(f"error: {name} gave another commit id", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
