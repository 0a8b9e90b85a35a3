"""Measure `openllm-repos split` with patterns and with many maps, on any clone, beside git's own walk.

    .venv/bin/python benchmarks/maps.py CLONE [FOLDER] [--pattern PATTERN] [--maps N] [--runs N] [--markdown]

Every split is a cold one: in a throw-away clone that borrows the objects of CLONE and remembers nothing. A pattern is
held against its whole folder (in a short history, where starting up counts, against git's walk), N maps against git's
walk of FOLDER. The maps are the N pairs of a folder and a name extension with the most files in HEAD, each to the same
place in the target. The runs are interleaved; the table shows medians.

Exit code 0; 2 if CLONE or a pattern cannot be measured.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.split import (
    MANY_COMMITS,
    CannotMeasure,
    Ground,
    Row,
    Run,
    cells,
    fullest_folder,
    git,
    load,
    machine,
    ours,
    table,
)
from openllm_repos.names.pattern import Pattern

AT_MOST = {5: 3.0, 20: 5.0, 50: 7.0, 200: 12.0}  # times git's walk of one folder; a number between has the next one's
MANIFEST = """\
schema = 1
[project]
name = "many"
[repos.main]
github = "org/main"
role = "source"
[repos.many]
space = "org/many"
"""


class Maps(Ground):
    """Throw-away clones in which many maps, or one, are split."""

    def pattern(self, pattern: str) -> tuple[Run, str | None]:
        """Split one map that ends up at the top."""
        return self._split(pattern)

    def many(self, count: int) -> tuple[Run, str | None]:
        """Split a target with many maps."""
        manifest = self.scratch / f"{count}.toml"
        maps = fullest_pairs(self.clone, count)
        rows = [f'[[repos.many.map]]\nfrom = "{one}/*{ending}"\nto = "{one}/"\n' for one, ending in maps]
        manifest.write_text(MANIFEST + "".join(rows), encoding="utf-8")
        return self._split("many", "--manifest", str(manifest))

    def _split(self, what: str, *options: str) -> tuple[Run, str | None]:
        path = self.fresh()
        run = self.run([*ours(), "-C", str(path), *options, "split", what], path)
        shutil.rmtree(path)
        if run.code != 0:
            raise CannotMeasure(f"openllm-repos split {what} failed: {run.err.strip()}")
        return run, run.out.strip()


def fullest_pairs(clone: Path, count: int) -> list[tuple[str, str]]:
    """Return the pairs of a folder and an extension with the most files in HEAD."""
    paths = git(clone, "-c", "core.quotePath=false", "ls-tree", "-r", "--full-tree", "--name-only", "HEAD").splitlines()
    carried = (path for path in map(Path, paths) if not any(part.startswith(".") for part in path.parts))
    pairs = Counter((str(path.parent), path.suffix) for path in carried if path.suffix and len(path.parts) > 1)
    if len(pairs) < count:
        raise CannotMeasure(f"HEAD has only {len(pairs)} pairs of a folder and an extension.")
    return [pair for pair, _ in pairs.most_common(count)]


def goals(rows: list[Row], patterns: list[str], counts: list[int], commits: int) -> list[list[str]]:
    """Return a line for each pattern and each number of maps: what, the figure, at most, whether it is met."""
    named = {row.name: row.median("cpu") for row in rows}
    log = rows[0].median("cpu")
    aims = []
    for pattern in patterns:
        if commits >= MANY_COMMITS:
            figure = named[pattern] / named[whole(pattern)]
            aims.append((f"{pattern} / {whole(pattern)}, CPU", figure, 2.5 if "**" in pattern else 2.0))
        else:
            aims.append((f"{pattern} / git log, CPU", named[pattern] / log, 4.0))
    for count in counts:
        most = next((limit for size, limit in AT_MOST.items() if count <= size), AT_MOST[200])
        aims.append((f"{count} maps / git log, CPU", named[f"{count} maps"] / log, most))
    return [[what, f"{figure:.2f}", f"{most:g}", "yes" if figure <= most else "NO"] for what, figure, most in aims]


def whole(pattern: str) -> str:
    """Return the whole folder of a pattern."""
    return Pattern.parse(pattern).base.rstrip("/") + "/"


def main() -> int:
    """Measure everything and print the two tables."""
    parser = argparse.ArgumentParser(description="Measure `openllm-repos split` with patterns and many maps.")
    parser.add_argument("clone", metavar="CLONE", type=Path, help="any clone, bare or not; it is not touched")
    parser.add_argument("folder", metavar="FOLDER", nargs="?", help="whose history git walks (the one with most files)")
    parser.add_argument("--pattern", action="append", default=[], help="one map to the top; may be repeated")
    parser.add_argument("--maps", action="append", default=[], type=int, metavar="N", help="N maps; may be repeated")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="rounds of runs; medians are shown (3)")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    asked = parser.parse_args()
    try:
        clone = asked.clone.resolve()
        commits = int(git(clone, "rev-list", "--count", "HEAD"))
        folder = (asked.folder or fullest_folder(clone)).strip("/")
        print(f"{machine()}; load before: {load()}\n")
        print(f"{clone.name}, {commits:,} commits, {git(clone, 'rev-parse', 'HEAD')}\n", flush=True)
        with tempfile.TemporaryDirectory(prefix="benchmark-") as place:
            ground = Maps(clone, folder, Path(place), 3600.0)
            rows = [Row(f"git log --full-history {folder}", ground.floor)]
            names = dict.fromkeys(one for pattern in asked.pattern for one in (whole(pattern), pattern))
            rows += [Row(name, partial(ground.pattern, name)) for name in names]
            rows += [Row(f"{count} maps", partial(ground.many, count)) for count in asked.maps]
            for _ in range(max(1, asked.runs)):
                for row in rows:
                    row.measure()
    except (CannotMeasure, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    header = ["", "runs", "wall", "CPU", "peak", "CPU / git log"]
    print(table(header, [cells(row, rows[0], None, 0)[:-1] for row in rows], markdown=asked.markdown))
    print()
    aims = goals(rows, asked.pattern, asked.maps, commits)
    print(table(["goal", "measured", "at most", "met"], aims, markdown=asked.markdown))
    print(f"\nload afterwards: {load()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
